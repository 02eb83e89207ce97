//! Questions, counts, and single changes.

use std::collections::BTreeSet;

use neo4rs::summary::Type;
use neo4rs::{BoltType, Query, Row, RunResult, Txn, query};
use serde_json::{Map, Value};

use super::Neo4j;
use super::error::graph_error;
use super::value::{integer, list, to_bolt, to_json, to_map};
use crate::graph::cypher::{self, quoted};
use crate::graph::{CHECKPOINT_LABEL, Counts, GraphError, Table};

/// How many nodes are changed in one transaction.
const NODES_AT_ONCE: usize = 10_000;

impl Neo4j {
    /// Asks a question. That it only asks is the server's word: it says what kind of statement it is before it is run; and
    /// what may slip through is rolled back.
    pub(super) async fn ask(
        &self,
        cypher: &str,
        parameters: Map<String, Value>,
    ) -> Result<Table, GraphError> {
        let mut transaction = self.begin().await?;
        let kind = run(&mut transaction, query(&format!("EXPLAIN {cypher}"))).await?.r#type;
        if !matches!(kind, Some(Type::Read) | None) {
            return Err(GraphError::NotReadOnly);
        }
        let table = table(&mut transaction, cypher, parameters).await?;
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        Ok(table)
    }

    /// Runs a statement that may change something.
    pub(super) async fn change(
        &self,
        cypher: &str,
        parameters: Map<String, Value>,
    ) -> Result<Table, GraphError> {
        let mut transaction = self.begin().await?;
        let table = table(&mut transaction, cypher, parameters).await?;
        transaction.commit().await.map_err(|error| graph_error(&error))?;
        Ok(table)
    }

    /// Runs a question of our own, and gives each row as it comes.
    pub(super) async fn rows(
        &self,
        statement: Query,
        mut each: impl FnMut(Row) -> Result<(), GraphError>,
    ) -> Result<(), GraphError> {
        let mut transaction = self.begin().await?;
        stream(&mut transaction, statement, &mut each).await?;
        transaction.rollback().await.map_err(|error| graph_error(&error))
    }

    /// How many nodes and relationships there are, from the server's own counters: nothing is looked at.
    pub(super) async fn count(&self) -> Result<Counts, GraphError> {
        let mut transaction = self.begin().await?;
        let labels = names(&mut transaction, "CALL db.labels() YIELD label AS name RETURN name").await?;
        let types =
            names(&mut transaction, "CALL db.relationshipTypes() YIELD relationshipType AS name RETURN name")
                .await?;
        let mut counts = Counts::default();
        for label in labels.into_iter().filter(|label| label != CHECKPOINT_LABEL) {
            let statement = format!("MATCH (n:{}) RETURN count(n) AS count", quoted(&label));
            let count = number(&mut transaction, &statement).await?;
            if count > 0 {
                counts.nodes.insert(label, count);
            }
        }
        for kind in types {
            let statement = format!("MATCH ()-[r:{}]->() RETURN count(r) AS count", quoted(&kind));
            let count = number(&mut transaction, &statement).await?;
            if count > 0 {
                counts.relationships.insert(kind, count);
            }
        }
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        Ok(counts)
    }

    /// Sets one property on nodes, by the server's own ids.
    pub(super) async fn set_property(
        &self,
        property: &str,
        values: &[(u64, Value)],
    ) -> Result<u64, GraphError> {
        let statement = format!(
            "UNWIND $rows AS row MATCH (n) WHERE id(n) = row[0] SET n.{} = row[1] RETURN count(n) AS count",
            quoted(property)
        );
        let mut set = 0;
        for some in values.chunks(NODES_AT_ONCE) {
            let row = |(id, value): &(u64, Value)| {
                Ok(list(vec![integer(*id, "node id")?, to_bolt(value, property)?]))
            };
            let rows = some.iter().map(row).collect::<Result<Vec<BoltType>, GraphError>>()?;
            let mut transaction = self.begin().await?;
            let statement = query(&statement).param("rows", list(rows));
            stream(&mut transaction, statement, &mut |row| {
                set += row.get::<u64>("count").unwrap_or_default();
                Ok(())
            })
            .await?;
            transaction.commit().await.map_err(|error| graph_error(&error))?;
        }
        Ok(set)
    }
}

/// Runs a statement of which only the summary matters.
pub(super) async fn run(transaction: &mut Txn, statement: Query) -> Result<RunResult, GraphError> {
    transaction.run(statement).await.map_err(|error| graph_error(&error))
}

/// Runs a statement, and gives each row as it comes: the server holds back what was not asked for yet.
pub(super) async fn stream(
    transaction: &mut Txn,
    statement: Query,
    each: &mut impl FnMut(Row) -> Result<(), GraphError>,
) -> Result<RunResult, GraphError> {
    let failed = |error: neo4rs::Error| graph_error(&error);
    let mut rows = transaction.execute(statement).await.map_err(failed)?;
    while let Some(row) = rows.next(transaction.handle()).await.map_err(failed)? {
        each(row)?;
    }
    rows.finish(transaction.handle()).await.map_err(failed)
}

async fn table(
    transaction: &mut Txn,
    cypher: &str,
    parameters: Map<String, Value>,
) -> Result<Table, GraphError> {
    let mut columns: Option<Vec<String>> = None;
    let mut rows = Vec::new();
    let statement = query(cypher).with_params(to_map(&parameters)?);
    let summary = stream(transaction, statement, &mut |row| {
        let columns = columns.get_or_insert_with(|| in_order(cypher, &row));
        let value = |column: &String| row.get::<BoltType>(column).as_ref().map_or(Value::Null, to_json);
        rows.push(columns.iter().map(value).collect());
        Ok(())
    })
    .await?;
    let warnings = summary.notifications().iter().filter_map(|notice| notice.description.clone()).collect();
    let columns = columns.unwrap_or_else(|| cypher::returned(cypher));
    Ok(Table { columns, rows, warnings })
}

/// A row's columns in the order of the statement's `RETURN`: the driver does not keep the server's. What is not found there
/// comes after, by name.
fn in_order(cypher: &str, row: &Row) -> Vec<String> {
    let mut names: BTreeSet<&str> = row.keys().into_iter().map(|name| name.value.as_str()).collect();
    let mut columns: Vec<String> = cypher::returned(cypher);
    columns.retain(|column| names.remove(column.as_str()));
    columns.extend(names.into_iter().map(str::to_owned));
    columns
}

async fn names(transaction: &mut Txn, statement: &str) -> Result<BTreeSet<String>, GraphError> {
    let mut names = BTreeSet::new();
    stream(transaction, query(statement), &mut |row| {
        names.extend(row.get::<String>("name").ok());
        Ok(())
    })
    .await?;
    Ok(names)
}

async fn number(transaction: &mut Txn, statement: &str) -> Result<u64, GraphError> {
    let mut number = 0;
    stream(transaction, query(statement), &mut |row| {
        number = row.get::<u64>("count").unwrap_or_default();
        Ok(())
    })
    .await?;
    Ok(number)
}
