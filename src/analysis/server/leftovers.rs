//! Projections that a killed run has left on the server.

use serde_json::Value;

use super::statement;
use crate::graph::{GraphError, GraphStore, Table};

/// What the names of a pipeline's projections begin with. A slash is in no pipeline's name, so no pipeline's prefix is the
/// beginning of another's.
fn prefix(pipeline: &str) -> String {
    format!("runner/{pipeline}/")
}

/// A name for a projection that no other run has.
pub(super) fn name(pipeline: &str) -> String {
    format!("{}{:016x}", prefix(pipeline), fastrand::u64(..))
}

/// Drops what killed runs of the pipeline have left. A projection that a transaction works on belongs to a run that lives, and
/// one of the last minute to a run that has perhaps just made it.
///
/// # Errors
/// Where the server does not list or drop them.
pub(super) async fn drop(store: &dyn GraphStore, pipeline: &str) -> Result<(), GraphError> {
    let listed = statement::leftovers(&prefix(pipeline));
    for graph in texts(&store.call(&listed.cypher, listed.parameters).await?) {
        let users = statement::transactions(&graph);
        if store.call(&users.cypher, users.parameters).await?.rows.is_empty() {
            let dropped = statement::drop(&graph);
            store.call(&dropped.cypher, dropped.parameters).await?;
        }
    }
    Ok(())
}

/// The texts of a table's first column.
pub(super) fn texts(table: &Table) -> Vec<String> {
    table.rows.iter().filter_map(|row| row.first().and_then(Value::as_str).map(str::to_owned)).collect()
}
