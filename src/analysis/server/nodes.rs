//! Nodes in a configuration: `{ label: Location, name: 159 }` becomes the database's id of the node.

use serde_json::{Map, Value};

use super::super::AnalysisError;
use super::super::nodes::{NodeError, description};
use super::statement;
use crate::graph::GraphStore;
use crate::spec::Analysis;
use crate::spec::gds::{ConfigKind, Procedure};

/// The analysis' configuration with nodes as ids.
///
/// In the keys of which the catalogue says that they hold nodes, nothing else is taken; in keys that it does not know, what is
/// written as a node is one.
///
/// # Errors
/// Where a node is not written as one, or not in the graph.
pub(super) async fn resolve(
    store: &dyn GraphStore,
    analysis: &Analysis,
    known: Option<&Procedure>,
) -> Result<Map<String, Value>, AnalysisError> {
    let mut config = analysis.config.clone();
    for (key, value) in &mut config {
        let holds_nodes = match known.and_then(|known| known.config_key(key)) {
            Some(key) => matches!(key.kind, ConfigKind::Node | ConfigKind::Nodes),
            None => is_described(value),
        };
        if !holds_nodes {
            continue;
        }
        match value {
            Value::Array(nodes) => {
                for node in nodes {
                    *node = find(store, key, node).await?;
                }
            }
            node => *node = find(store, key, node).await?,
        }
    }
    Ok(config)
}

/// Whether a value is written as a node, or as a list of nodes.
fn is_described(value: &Value) -> bool {
    match value {
        Value::Array(nodes) => !nodes.is_empty() && nodes.iter().all(|node| description(node).is_some()),
        node => description(node).is_some(),
    }
}

/// The id of a node.
async fn find(store: &dyn GraphStore, key: &str, node: &Value) -> Result<Value, AnalysisError> {
    let (label, property, wanted) =
        description(node).ok_or_else(|| NodeError::NotANode { key: key.to_owned() })?;
    let search = statement::node(label, property, wanted);
    let found = store.query(&search.cypher, search.parameters).await?;
    let id = found.rows.into_iter().next().and_then(|row| row.into_iter().next());
    let missing = || NodeError::NoSuchNode {
        key: key.to_owned(),
        label: label.to_owned(),
        property: property.to_owned(),
        value: wanted.to_string(),
    };
    Ok(id.ok_or_else(missing)?)
}
