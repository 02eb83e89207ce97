//! What the server says about a statement without running it, and about itself.

use neo4rs::query;
use neo4rs::summary::{Notification, NotificationSeverity, Type};

use super::Neo4j;
use super::error::graph_error;
use super::query::{run, stream};
use crate::graph::{GraphError, batch, cypher};

/// What the server says about a statement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explained {
    /// Whether it would change the graph.
    pub writes: bool,
    /// What there is to be said about it.
    pub notices: Vec<Notice>,
}

/// A remark of the server on a statement: a product of patterns that are not connected, a label that no node has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its status code, such as `Neo.ClientNotification.Statement.CartesianProduct`.
    pub code: String,
    /// What it says, at length.
    pub message: String,
    /// Line and column in the statement, from 1, where it says so.
    pub position: Option<(usize, usize)>,
    /// Whether it is a warning rather than a piece of information.
    pub is_warning: bool,
}

/// What binds `event` while a mapping is explained by itself.
const EVENT_LINE: &str = "UNWIND $rows AS event\n";
const EVENT_LINES: usize = 1;

impl Neo4j {
    /// Asks the server about a statement, without running it.
    ///
    /// # Errors
    ///
    /// [`GraphError::Statement`] where the server cannot read it, with the place in it.
    pub async fn explain(&self, statement: &str) -> Result<Explained, GraphError> {
        self.explain_after("", statement).await
    }

    /// Asks the server about the statement of a mapping, which is run for each `event`. Places are those in it.
    ///
    /// # Errors
    ///
    /// As for [`Self::explain`].
    pub async fn explain_mapping(&self, statement: &str) -> Result<Explained, GraphError> {
        if statement.trim().is_empty() {
            return Ok(Explained::default());
        }
        batch::refuse_return(statement)?;
        let plain = cypher::read(statement).plain_text(statement);
        let explained = self.explain_after(EVENT_LINE, &format!("{plain}\nRETURN count(*) AS rows")).await?;
        // As it is really run: what goes wrong here only is not the text's fault, but it must not come to light with the
        // first row.
        self.explain_after("", &batch::rows_statement(statement)).await?;
        Ok(explained)
    }

    async fn explain_after(&self, head: &str, statement: &str) -> Result<Explained, GraphError> {
        let lines = if head.is_empty() { 0 } else { EVENT_LINES };
        let inside = |position: Option<(usize, usize)>| {
            position
                .and_then(|(line, column)| Some((line.checked_sub(lines).filter(|line| *line > 0)?, column)))
        };
        let mut transaction = self.begin().await?;
        let summary =
            run(&mut transaction, query(&format!("EXPLAIN {head}{statement}"))).await.map_err(|error| {
                match error {
                    GraphError::Statement { message, position } => GraphError::Statement {
                        message,
                        position: inside(position).map(|place| unshifted(place, head)),
                    },
                    other => other,
                }
            })?;
        let notices = summary.notifications().iter().map(|notification| {
            let mut notice = notice(notification);
            notice.position = inside(notice.position).map(|place| unshifted(place, head));
            notice
        });
        let explained = Explained {
            writes: !matches!(summary.r#type, Some(Type::Read) | None),
            notices: notices.collect(),
        };
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        Ok(explained)
    }

    /// The version of Graph Data Science; none where the server does not have it.
    pub(super) async fn find_gds(&self) -> Result<Option<String>, GraphError> {
        match self.text("RETURN gds.version() AS value").await {
            Ok(version) => Ok(version),
            Err(GraphError::Statement { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of the server's procedures that begin with a prefix, such as `gds.`.
    ///
    /// # Errors
    ///
    /// Where the server cannot be asked.
    pub async fn procedures(&self, prefix: &str) -> Result<Vec<String>, GraphError> {
        const PROCEDURES: &str =
            "SHOW PROCEDURES YIELD name WHERE name STARTS WITH $prefix RETURN name AS name ORDER BY name";
        let mut names = Vec::new();
        self.rows(query(PROCEDURES).param("prefix", prefix), |row| {
            names.extend(row.get::<String>("name").ok());
            Ok(())
        })
        .await?;
        Ok(names)
    }

    /// How many bytes of its heap the server has left; none where it does not tell this user.
    pub async fn free_heap(&self) -> Option<u64> {
        const HEAP: &str = "CALL dbms.queryJmx('java.lang:type=Memory') YIELD attributes \
            WITH attributes.HeapMemoryUsage.value.properties AS heap \
            RETURN toString(heap.max - heap.used) AS value";
        self.text(HEAP).await.ok().flatten()?.parse().ok()
    }

    async fn text(&self, statement: &str) -> Result<Option<String>, GraphError> {
        let mut value = None;
        let mut transaction = self.begin().await?;
        stream(&mut transaction, query(statement), &mut |row| {
            value = row.get::<String>("value").ok();
            Ok(())
        })
        .await?;
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        Ok(value)
    }
}

/// A place without the `EXPLAIN` before it, which shifts the first line only.
fn unshifted((line, column): (usize, usize), head: &str) -> (usize, usize) {
    const EXPLAIN: usize = "EXPLAIN ".len();
    if line == 1 && head.is_empty() { (line, column.saturating_sub(EXPLAIN).max(1)) } else { (line, column) }
}

fn notice(notification: &Notification) -> Notice {
    let place = |number: i64| usize::try_from(number).ok();
    Notice {
        code: notification.code.clone().unwrap_or_default(),
        message: notification.description.clone().or_else(|| notification.title.clone()).unwrap_or_default(),
        position: notification
            .position
            .and_then(|position| Some((place(position.line)?, place(position.column)?))),
        is_warning: notification.severity == Some(NotificationSeverity::Warning),
    }
}
