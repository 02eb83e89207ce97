//! Reading the graph in columns, straight from the engine's own storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use kglite::api::{
    DirGraph, GraphRead, InternedKey, NodeIndex, NodeView, Value as EngineValue, is_system_label,
};
use serde_json::Value;

use super::value::to_json;
use crate::graph::{CHECKPOINT_LABEL, Counts, GraphError, ProjectedGraph, ProjectedRelationships};
use crate::spec::Projection;

/// Stands for every label or type in a projection, as in Graph Data Science.
const EVERY: &str = "*";
/// In the table from a node of the graph to its place in the projection: not projected.
const ABSENT: u32 = u32::MAX;

/// How many nodes and relationships there are.
pub(super) fn counts(graph: &DirGraph) -> Counts {
    let secondary = graph.secondary_label_index.keys().filter_map(|key| graph.interner.try_resolve(*key));
    let labels = graph.type_indices.keys().chain(secondary);
    let nodes: BTreeMap<String, u64> = labels
        .filter(|label| is_visible(label))
        .map(|label| (label.to_owned(), graph.label_cardinality(label) as u64))
        .filter(|(_, count)| *count > 0)
        .collect();
    let relationships = graph
        .get_edge_type_counts()
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| (kind.clone(), *count as u64))
        .collect();
    Counts { nodes, relationships }
}

fn is_visible(label: &str) -> bool {
    label != CHECKPOINT_LABEL && !is_system_label(label)
}

/// The part of the graph that a projection names.
pub(super) fn project(
    graph: &DirGraph,
    projection: &Projection,
    identify: Option<&str>,
) -> Result<ProjectedGraph, GraphError> {
    let labels = Labels::new(graph, projection);
    let chosen: Vec<Option<Arc<str>>> = {
        let mut chosen = vec![None; graph.graph.node_bound()];
        for index in graph.graph.node_indices() {
            if let Some(slot) = chosen.get_mut(index.index()) {
                *slot = labels.of(graph, index);
            }
        }
        chosen
    };
    let mut order = Order { chosen, places: vec![ABSENT; graph.graph.node_bound()], nodes: Vec::new() };
    let mut projected = ProjectedGraph::default();
    for (kind, settings) in &projection.relationships {
        let relationships = project_type(graph, kind, &settings.properties, &mut order)?;
        projected.relationships.insert(kind.clone(), relationships);
    }
    for index in graph.graph.node_indices() {
        order.place(index)?;
    }
    for (index, label) in order.nodes {
        projected.ids.push(index.index() as u64);
        projected.names.push(name_of(graph, index, identify));
        projected.labels.push(label);
    }
    Ok(projected)
}

/// The order of the projected nodes, as it comes about.
struct Order {
    /// By the node's index in the engine: the label by which it is projected, if it is.
    chosen: Vec<Option<Arc<str>>>,
    /// By the node's index in the engine: its place in the order, or [`ABSENT`].
    places: Vec<u32>,
    nodes: Vec<(NodeIndex, Arc<str>)>,
}

impl Order {
    fn is_chosen(&self, node: NodeIndex) -> bool {
        self.chosen.get(node.index()).is_some_and(Option::is_some)
    }

    /// The node's place, which is the next one where it has none yet; `None` where the node is not projected.
    fn place(&mut self, node: NodeIndex) -> Result<Option<u32>, GraphError> {
        let (Some(Some(label)), Some(place)) =
            (self.chosen.get(node.index()), self.places.get_mut(node.index()))
        else {
            return Ok(None);
        };
        if *place == ABSENT {
            *place =
                u32::try_from(self.nodes.len()).ok().filter(|next| *next != ABSENT).ok_or_else(too_large)?;
            self.nodes.push((node, Arc::clone(label)));
        }
        Ok(Some(*place))
    }
}

fn too_large() -> GraphError {
    GraphError::Execution {
        message: "the projection has more nodes than can be counted in 32 bits".to_owned(),
    }
}

/// The labels of a projection, as the engine knows them.
struct Labels {
    chosen: Vec<(InternedKey, Arc<str>)>,
    every: bool,
}

impl Labels {
    fn new(graph: &DirGraph, projection: &Projection) -> Self {
        let chosen = projection
            .nodes
            .iter()
            .filter_map(|label| Some((graph.interner.try_resolve_to_key(label)?, Arc::from(label.as_str()))))
            .collect();
        Self { chosen, every: projection.nodes.iter().any(|label| label == EVERY) }
    }

    /// The first of the labels that the node has; none where it is not projected.
    fn of(&self, graph: &DirGraph, index: NodeIndex) -> Option<Arc<str>> {
        let chosen = self.chosen.iter().find(|(key, _)| graph.node_has_label(index, *key));
        if let Some((_, label)) = chosen {
            return Some(Arc::clone(label));
        }
        let own = graph.interner.try_resolve(graph.graph.node_type_of(index)?)?;
        (self.every && is_visible(own)).then(|| Arc::from(own))
    }
}

/// What names a node.
fn name_of(graph: &DirGraph, index: NodeIndex, identify: Option<&str>) -> Value {
    let Some(property) = identify else { return Value::from(index.index()) };
    graph.node_view(index).map_or(Value::Null, |node| stored_property(node, property))
}

/// A property that was stored. The engine answers `id` and `title` for each node, also where they were made up.
fn stored_property(node: NodeView<'_>, property: &str) -> Value {
    let stored = match property {
        "id" => Some(node.id().into_owned()),
        "title" => Some(node.title().into_owned()),
        _ => node.get_value(InternedKey::from_str(property)),
    };
    match stored {
        None | Some(EngineValue::UniqueId(_)) => Value::Null,
        Some(value) => to_json(&value),
    }
}

/// The relationships of one type between projected nodes.
fn project_type(
    graph: &DirGraph,
    kind: &str,
    properties: &[String],
    order: &mut Order,
) -> Result<ProjectedRelationships, GraphError> {
    let wanted = InternedKey::from_str(kind);
    let keys: Vec<InternedKey> = properties.iter().map(|property| InternedKey::from_str(property)).collect();
    let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); properties.len()];
    let mut projected = ProjectedRelationships::default();
    for edge in graph.graph.edge_references() {
        if kind != EVERY && edge.connection_type() != wanted {
            continue;
        }
        if !order.is_chosen(edge.source()) || !order.is_chosen(edge.target()) {
            continue;
        }
        let (Some(source), Some(target)) = (order.place(edge.source())?, order.place(edge.target())?) else {
            continue;
        };
        projected.sources.push(source);
        projected.targets.push(target);
        let stored = &edge.weight().properties;
        for ((column, key), property) in columns.iter_mut().zip(&keys).zip(properties) {
            let value = stored.iter().find(|(stored_key, _)| stored_key == key).map(|(_, value)| value);
            column.push(number(value).map_err(|found| GraphError::NotANumber {
                kind: kind.to_owned(),
                property: property.clone(),
                found,
            })?);
        }
    }
    projected.properties = properties.iter().cloned().zip(columns).collect::<IndexMap<_, _>>();
    Ok(projected)
}

/// A stored value as a number; the error is what it is instead.
fn number(value: Option<&EngineValue>) -> Result<Option<f64>, String> {
    match value {
        None | Some(EngineValue::Null) => Ok(None),
        Some(EngineValue::Float64(number)) => Ok(Some(*number)),
        // Graph Data Science works on doubles as well.
        #[expect(clippy::cast_precision_loss, reason = "weights are doubles")]
        Some(EngineValue::Int64(number)) => Ok(Some(*number as f64)),
        Some(other) => Err(to_json(other).to_string()),
    }
}
