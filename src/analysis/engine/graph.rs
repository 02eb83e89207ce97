//! The projected graph: compressed adjacency lists with relationship properties beside them.

use super::cast::index;
use crate::spec::Orientation;

/// Why a graph could not be built or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A relationship names a node that is not there.
    #[error("node {node} is not among the {node_count} nodes of the graph")]
    NodeNotInGraph {
        /// The node that was named.
        node: u32,
        /// How many nodes there are.
        node_count: u32,
    },
    /// A relationship came with too many or too few values.
    #[error("the relationship has {given} property values where the graph has {expected} properties")]
    PropertyCount {
        /// The number of properties of the graph.
        expected: usize,
        /// The number of values given.
        given: usize,
    },
    /// Some properties are aggregated and some are not.
    #[error(
        "conflicting relationship property aggregations, it is not allowed to mix `NONE` with aggregations"
    )]
    MixedAggregations,
    /// There is no such property.
    #[error("relationship weight property `{name}` not found; properties of the projection: [{}]", known.join(", "))]
    UnknownProperty {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
}

/// A graph in memory. Nodes are the numbers from 0 in the order of their creation; the neighbours of a node
/// are in ascending order, as in GDS, and parallel ones in the order of their creation.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    pub(super) orientation: Orientation,
    /// Where the list of each node begins, and at the end the number of all entries.
    pub(super) offsets: Vec<usize>,
    pub(super) targets: Vec<u32>,
    pub(super) properties: Vec<Property>,
}

/// A relationship property, with a value for each entry of the adjacency lists.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) values: Vec<f64>,
}

impl Graph {
    /// The number of nodes.
    #[must_use]
    pub fn node_count(&self) -> u32 {
        super::cast::node(self.offsets.len() - 1)
    }

    /// The number of entries in all adjacency lists; an undirected relationship has two.
    #[must_use]
    pub fn relationship_count(&self) -> usize {
        self.targets.len()
    }

    /// Whether every relationship is there in both directions.
    #[must_use]
    pub fn is_undirected(&self) -> bool {
        self.orientation == Orientation::Undirected
    }

    /// All nodes in the order of their creation.
    #[must_use]
    pub fn nodes(&self) -> std::ops::Range<u32> {
        0..self.node_count()
    }

    /// The number of relationships that leave the node, parallel ones and self-loops included.
    #[must_use]
    pub fn degree(&self, node: u32) -> usize {
        self.range(node).len()
    }

    /// The targets of the relationships that leave the node, in ascending order.
    #[must_use]
    pub fn neighbours(&self, node: u32) -> &[u32] {
        &self.targets[self.range(node)]
    }

    /// The names of the relationship properties.
    pub fn property_names(&self) -> impl Iterator<Item = &str> {
        self.properties.iter().map(|property| property.name.as_str())
    }

    /// The graph seen with one of its properties as weight, or unweighted without a name.
    ///
    /// # Errors
    /// If there is no property of that name.
    pub fn weighted(&self, property_name: Option<&str>) -> Result<WeightedGraph<'_>, GraphError> {
        let Some(name) = property_name else {
            return Ok(WeightedGraph { graph: self, weights: None });
        };
        let property = self.properties.iter().find(|property| property.name == name);
        let property = property.ok_or_else(|| GraphError::UnknownProperty {
            name: name.to_owned(),
            known: self.property_names().map(str::to_owned).collect(),
        })?;
        Ok(WeightedGraph { graph: self, weights: Some(&property.values) })
    }

    fn range(&self, node: u32) -> std::ops::Range<usize> {
        self.offsets[index(node)]..self.offsets[index(node) + 1]
    }
}

/// A graph with a weight on each relationship; 1 if it is seen unweighted.
#[derive(Debug, Clone, Copy)]
pub struct WeightedGraph<'g> {
    graph: &'g Graph,
    weights: Option<&'g [f64]>,
}

impl<'g> WeightedGraph<'g> {
    /// The graph itself.
    #[must_use]
    pub fn graph(&self) -> &'g Graph {
        self.graph
    }

    /// Whether a property serves as weight.
    #[must_use]
    pub fn is_weighted(&self) -> bool {
        self.weights.is_some()
    }

    /// The targets and weights of the relationships that leave the node, by ascending target.
    pub fn relationships(&self, node: u32) -> impl Iterator<Item = (u32, f64)> + use<'g> {
        let range = self.graph.range(node);
        let weights = self.weights.map(|weights| &weights[range.clone()]);
        let targets = &self.graph.targets[range];
        let weight_at = move |position: usize| weights.map_or(1.0, |weights| weights[position]);
        targets.iter().enumerate().map(move |(position, target)| (*target, weight_at(position)))
    }

    /// The first negative weight of the graph, if there is one.
    #[must_use]
    pub fn negative_weight(&self) -> Option<f64> {
        self.weights.unwrap_or_default().iter().copied().find(|weight| *weight < 0.0)
    }
}
