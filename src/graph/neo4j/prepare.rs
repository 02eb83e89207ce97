//! What the server must have before the first row.

use std::collections::BTreeMap;
use std::time::Duration;

use neo4rs::{Query, query};

use super::Neo4j;
use super::error::graph_error;
use super::query::{run, stream};
use crate::graph::{Constraint, ConstraintKind, GraphError, GraphSchema, Prepared, batch, cypher};

/// How often a change of the schema is tried that stands in another one's way.
const TRIES: u32 = 5;
/// How many elements are deleted in one transaction.
const DELETED_AT_ONCE: i64 = 10_000;
/// How often it is asked how far an index has come.
const ASKED_EVERY: Duration = Duration::from_millis(200);

impl Neo4j {
    /// Makes constraints and indexes, waits until the indexes can be used, and has the statement planned.
    pub(super) async fn prepare_schema(&self, schema: &GraphSchema) -> Result<Prepared, GraphError> {
        let mut prepared = Prepared::default();
        self.make(&batch::checkpoint_constraint()).await?;
        for constraint in &schema.constraints {
            match self.make(constraint).await {
                Ok(true) => prepared.made.push(constraint.cypher()),
                Ok(false) => {}
                Err(GraphError::Constraint { message, .. }) if is_of_another_edition(&message) => {
                    prepared.done_without.push((constraint.clone(), message));
                }
                Err(error) => return Err(error),
            }
        }
        let names: Vec<String> = schema.constraints.iter().map(Constraint::name).collect();
        self.wait_for(&names).await?;
        if schema.constraints.iter().any(|constraint| constraint.kind == ConstraintKind::RelationshipIndex) {
            self.count_anew().await;
        }
        self.explain_mapping(&schema.statement).await?;
        if let Some(dictionary) = &schema.dictionary {
            self.explain(&dictionary.statement).await?;
        }
        Ok(prepared)
    }

    /// Deletes a topic's checkpoints, and the relationships and nodes of the types and labels that a mapping writes, whoever
    /// wrote them. It goes in transactions of 10,000; one that is cut off is gone on with by the next call.
    ///
    /// # Errors
    ///
    /// Where the server refuses, or does not answer.
    pub async fn clear(&self, topic: &str, schema: &GraphSchema) -> Result<(), GraphError> {
        const CHECKPOINTS: &str = "MATCH (c:RunnerCheckpoint {topic: $topic}) DELETE c";
        self.delete_some(query(CHECKPOINTS).param("topic", topic)).await?;
        for relationship in &schema.relationships {
            let kind = cypher::quoted(&relationship.name);
            self.delete_all(&format!("MATCH ()-[r:{kind}]->() WITH r LIMIT $most DELETE r")).await?;
        }
        for node in &schema.nodes {
            let label = cypher::quoted(&node.name);
            self.delete_all(&format!("MATCH (n:{label}) WITH n LIMIT $most DETACH DELETE n")).await?;
        }
        Ok(())
    }

    /// Runs a statement that deletes at most `$most` elements until it deletes none.
    async fn delete_all(&self, statement: &str) -> Result<(), GraphError> {
        while self.delete_some(query(statement).param("most", DELETED_AT_ONCE)).await? > 0 {}
        Ok(())
    }

    async fn delete_some(&self, statement: Query) -> Result<i64, GraphError> {
        let mut transaction = self.begin().await?;
        let summary = run(&mut transaction, statement).await?;
        transaction.commit().await.map_err(|error| graph_error(&error))?;
        let stats = summary.stats();
        Ok(i64::try_from(stats.nodes_deleted + stats.relationships_deleted).unwrap_or(i64::MAX))
    }

    /// Has the server count what its indexes hold, and forget its plans: the next ones are made by those counts, and kept. It
    /// does without where the user may not call that.
    async fn count_anew(&self) {
        if let Ok(mut transaction) = self.begin().await {
            let _ = run(&mut transaction, query("CALL db.prepareForReplanning(30)")).await;
            let _ = transaction.rollback().await;
        }
    }

    /// Makes a constraint or an index; says whether it was made now.
    async fn make(&self, constraint: &Constraint) -> Result<bool, GraphError> {
        let mut tries = 1;
        loop {
            match self.try_make(constraint).await {
                // Two changes of the schema at the same time can stand in each other's way.
                Err(GraphError::Unavailable { .. }) if tries < TRIES => {
                    tokio::time::sleep(ASKED_EVERY * tries).await;
                    tries += 1;
                }
                Err(GraphError::Constraint { message, .. }) if is_there_by_now(&message) => return Ok(false),
                outcome => return outcome,
            }
        }
    }

    async fn try_make(&self, constraint: &Constraint) -> Result<bool, GraphError> {
        let cypher = constraint.cypher();
        let failed = |error: GraphError| match error {
            GraphError::Execution { message } | GraphError::Statement { message, .. } => {
                GraphError::Constraint { constraint: cypher.clone(), message }
            }
            other => other,
        };
        let mut transaction = self.begin().await?;
        let summary = run(&mut transaction, query(&cypher)).await.map_err(failed)?;
        transaction.commit().await.map_err(|error| failed(graph_error(&error)))?;
        Ok(summary.stats().constraints_added + summary.stats().indexes_added > 0)
    }

    /// Waits until the indexes of these names can be used. Filling one takes about a minute for ten million entries.
    async fn wait_for(&self, names: &[String]) -> Result<(), GraphError> {
        loop {
            let states = self.states(names).await?;
            if let Some((name, _)) = states.iter().find(|(_, state)| *state == "FAILED") {
                let message = "the server could not fill it".to_owned();
                return Err(GraphError::Constraint { constraint: name.clone(), message });
            }
            if states.values().all(|state| state == "ONLINE") {
                return Ok(());
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
    }

    async fn states(&self, names: &[String]) -> Result<BTreeMap<String, String>, GraphError> {
        const STATES: &str =
            "SHOW INDEXES YIELD name, state WHERE name IN $names RETURN name AS name, state AS state";
        let mut states = BTreeMap::new();
        let mut transaction = self.begin().await?;
        stream(&mut transaction, query(STATES).param("names", names), &mut |row| {
            states.extend(row.get::<String>("name").ok().zip(row.get::<String>("state").ok()));
            Ok(())
        })
        .await?;
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        Ok(states)
    }
}

/// Whether another one has made the very same at the same time: `IF NOT EXISTS` looks before the lock is held.
fn is_there_by_now(message: &str) -> bool {
    message.contains("EquivalentSchemaRuleAlreadyExists")
}

/// Whether a constraint is refused since it is of a kind that only Neo4j Enterprise has.
fn is_of_another_edition(message: &str) -> bool {
    message.contains("Enterprise Edition")
}
