//! Nodes in a configuration: `{ label: Location, name: 159 }` becomes an index in the projection.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use thiserror::Error;

use super::AnalysisError;
use crate::graph::{GraphStore, ProjectedGraph};
use crate::spec::gds::{ConfigKind, Procedure};
use crate::spec::{Analysis, Projection};

/// What is wrong with a node in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NodeError {
    /// It is not written as a node.
    #[error(
        "`{key}` is not written as a node: give a label and one property, such as {{ label: Location, name: 159 }}"
    )]
    NotANode {
        /// The configuration key.
        key: String,
    },
    /// No node is like that.
    #[error("`{key}`: no `{label}` node of the projection has `{property}` = {value}")]
    NoSuchNode {
        /// The configuration key.
        key: String,
        /// The node's label.
        label: String,
        /// The property that was looked at.
        property: String,
        /// The value that was looked for.
        value: String,
    },
}

/// The analysis' configuration with nodes as indexes in the projection.
pub(super) async fn resolve(
    store: &dyn GraphStore,
    analysis: &Analysis,
    procedure: &Procedure,
    projected: &ProjectedGraph,
) -> Result<Map<String, Value>, AnalysisError> {
    let mut config = analysis.config.clone();
    for (key, value) in &mut config {
        match procedure.config_key(key).map(|known| known.kind) {
            Some(ConfigKind::Node) => {
                *value = Value::from(find(store, analysis, projected, key, value).await?);
            }
            Some(ConfigKind::Nodes) => {
                let mut nodes = match value.take() {
                    Value::Array(nodes) => nodes,
                    one => vec![one],
                };
                for node in &mut nodes {
                    *node = Value::from(find(store, analysis, projected, key, node).await?);
                }
                *value = Value::from(nodes);
            }
            _ => {}
        }
    }
    Ok(config)
}

/// The index of a node.
async fn find(
    store: &dyn GraphStore,
    analysis: &Analysis,
    projected: &ProjectedGraph,
    key: &str,
    node: &Value,
) -> Result<usize, AnalysisError> {
    let (label, property, wanted) =
        description(node).ok_or_else(|| NodeError::NotANode { key: key.to_owned() })?;
    let missing = || NodeError::NoSuchNode {
        key: key.to_owned(),
        label: label.to_owned(),
        property: property.to_owned(),
        value: wanted.to_string(),
    };
    if analysis.identify.as_deref() == Some(property) {
        let mut named = projected.labels.iter().zip(&projected.names);
        return Ok(named.position(|(of, name)| **of == *label && same(name, wanted)).ok_or_else(missing)?);
    }
    let nodes = Projection { nodes: vec![label.to_owned()], relationships: IndexMap::new() };
    let candidates = store.project(&nodes, Some(property)).await?;
    let mut named = candidates.ids.iter().zip(&candidates.names);
    let (id, _) = named.find(|(_, name)| same(name, wanted)).ok_or_else(missing)?;
    Ok(projected.ids.iter().position(|other| other == id).ok_or_else(missing)?)
}

/// The label, property and value by which a node is described.
pub(super) fn description(node: &Value) -> Option<(&str, &str, &Value)> {
    let node = node.as_object()?;
    let label = node.get("label")?.as_str()?;
    let mut others = node.iter().filter(|(key, _)| *key != "label");
    let (property, value) = others.next()?;
    others.next().is_none().then_some((label, property.as_str(), value))
}

/// Whether two values are the same, a whole number being the same as the float of its size.
#[expect(clippy::float_cmp, reason = "a node is told from others by its exact value")]
fn same(one: &Value, other: &Value) -> bool {
    one == other || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one == other)
}
