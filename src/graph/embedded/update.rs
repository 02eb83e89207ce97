//! Writing the results of analyses back to the nodes.

use kglite::api::mutation::update_node_properties;
use kglite::api::{NodeIndex, Value as EngineValue};
use serde_json::Value;

use super::engine::OpenGraph;
use super::value::to_engine;
use crate::graph::GraphError;

/// Sets one property on nodes, by their index in the engine. A null removes it.
///
/// By the engine's own interface, since `MATCH (n) WHERE id(n) = …` looks at every node for each of them.
pub(super) fn set_node_property(
    graph: &OpenGraph,
    property: &str,
    values: &[(u64, Value)],
) -> Result<u64, GraphError> {
    let mut set = Vec::with_capacity(values.len());
    let mut removed = Vec::new();
    for (id, value) in values {
        let index = node_index(*id)?;
        match to_engine(value, property)? {
            EngineValue::Null => removed.push(index),
            value => set.push((Some(index), value)),
        }
    }
    let mut writing = graph.session().write();
    let changed = values.len() as u64;
    if !set.is_empty() {
        let report = update_node_properties(&mut writing, &set, property)
            .map_err(|message| GraphError::Execution { message })?;
        if report.nodes_skipped > 0 {
            return Err(GraphError::Execution { message: report.errors.join("; ") });
        }
    }
    for index in removed {
        writing.remove_node_property(index, property);
    }
    writing.bump_version();
    Ok(changed)
}

fn node_index(id: u64) -> Result<NodeIndex, GraphError> {
    usize::try_from(id)
        .map(NodeIndex::new)
        .map_err(|_| GraphError::IntegerTooLarge { place: "node id".to_owned(), value: id.to_string() })
}
