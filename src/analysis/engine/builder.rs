//! Building a projected graph.

use super::cast::index;
use super::graph::{Graph, GraphError, Property};
use crate::spec::{Aggregation, Orientation};

impl Aggregation {
    /// The value that a relationship takes part with. A missing one is NaN and becomes the neutral value.
    fn prepare(self, value: f64) -> f64 {
        match self {
            Self::Count => f64::from(u8::from(!value.is_nan())),
            Self::Sum if value.is_nan() => 0.0,
            Self::Min if value.is_nan() => f64::INFINITY,
            Self::Max if value.is_nan() => f64::NEG_INFINITY,
            Self::None | Self::Single | Self::Sum | Self::Min | Self::Max => value,
        }
    }

    fn merge(self, total: f64, value: f64) -> f64 {
        match self {
            Self::None | Self::Single => total,
            Self::Sum | Self::Count => total + value,
            Self::Min => total.min(value),
            Self::Max => total.max(value),
        }
    }
}

/// Collects relationships in any order and sorts them into a [`Graph`].
#[derive(Debug, Clone)]
pub struct GraphBuilder {
    node_count: u32,
    orientation: Orientation,
    aggregation: Aggregation,
    sources: Vec<u32>,
    targets: Vec<u32>,
    properties: Vec<(Property, Aggregation)>,
}

impl GraphBuilder {
    /// A builder for a graph of that many nodes, directed and without properties.
    #[must_use]
    pub fn new(node_count: u32) -> Self {
        Self {
            node_count,
            orientation: Orientation::Natural,
            aggregation: Aggregation::None,
            sources: Vec::new(),
            targets: Vec::new(),
            properties: Vec::new(),
        }
    }

    /// Projects the relationships in that direction.
    #[must_use]
    pub fn orientation(mut self, orientation: Orientation) -> Self {
        self.orientation = orientation;
        self
    }

    /// Merges parallel relationships of a graph that has no properties.
    #[must_use]
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }

    /// Adds a relationship property. The values of a relationship are in the order of the properties; a value
    /// that it lacks is NaN, which is GDS's default, or the default of the projection. Relationships that
    /// were added before the property lack it.
    #[must_use]
    pub fn property(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        let values = vec![aggregation.prepare(f64::NAN); self.targets.len()];
        self.properties.push((Property { name: name.into(), values }, aggregation));
        self
    }

    /// Adds a relationship as it is in the database, whatever the orientation.
    ///
    /// # Errors
    /// If a node is not in the graph, or the number of values is not the number of properties.
    pub fn relationship(&mut self, source: u32, target: u32, values: &[f64]) -> Result<(), GraphError> {
        for node in [source, target] {
            if node >= self.node_count {
                return Err(GraphError::NodeNotInGraph { node, node_count: self.node_count });
            }
        }
        if values.len() != self.properties.len() {
            return Err(GraphError::PropertyCount { expected: self.properties.len(), given: values.len() });
        }
        match self.orientation {
            Orientation::Natural => self.entry(source, target, values),
            Orientation::Reverse => self.entry(target, source, values),
            Orientation::Undirected => {
                self.entry(source, target, values);
                self.entry(target, source, values);
            }
        }
        Ok(())
    }

    fn entry(&mut self, source: u32, target: u32, values: &[f64]) {
        self.sources.push(source);
        self.targets.push(target);
        for ((property, aggregation), value) in self.properties.iter_mut().zip(values) {
            property.values.push(aggregation.prepare(*value));
        }
    }

    /// Sorts what was added into adjacency lists, in time linear in nodes and relationships.
    ///
    /// # Errors
    /// If some properties are aggregated and some are not.
    pub fn build(self) -> Result<Graph, GraphError> {
        let merges_parallel = self.merges_parallel()?;
        let order: Vec<usize> = (0..self.targets.len()).collect();
        let order = sorted_by_node(&order, &self.targets, self.node_count);
        let order = sorted_by_node(&order, &self.sources, self.node_count);

        let mut offsets = vec![0; index(self.node_count) + 1];
        let mut targets: Vec<u32> = Vec::with_capacity(order.len());
        // the place of each entry in the lists; parallel entries that merge have the same
        let mut places = Vec::with_capacity(order.len());
        for (position, entry) in order.iter().enumerate() {
            let merges = merges_parallel && position > 0 && self.is_parallel(order[position - 1], *entry);
            if !merges {
                targets.push(self.targets[*entry]);
                offsets[index(self.sources[*entry]) + 1] += 1;
            }
            places.push(targets.len() - 1);
        }
        accumulate(&mut offsets);
        let properties = self.properties.into_iter();
        let properties = properties
            .map(|(property, aggregation)| Property {
                name: property.name,
                values: merged(&property.values, &order, &places, aggregation),
            })
            .collect();
        Ok(Graph { orientation: self.orientation, offsets, targets, properties })
    }

    fn is_parallel(&self, one: usize, other: usize) -> bool {
        (self.sources[one], self.targets[one]) == (self.sources[other], self.targets[other])
    }

    fn merges_parallel(&self) -> Result<bool, GraphError> {
        let aggregated =
            self.properties.iter().filter(|(_, aggregation)| *aggregation != Aggregation::None).count();
        match aggregated {
            0 if self.properties.is_empty() => Ok(self.aggregation != Aggregation::None),
            0 => Ok(false),
            all if all == self.properties.len() => Ok(true),
            _ => Err(GraphError::MixedAggregations),
        }
    }
}

/// The entries in the order of their nodes, those of one node in the order that they were in: a counting
/// sort.
fn sorted_by_node(order: &[usize], nodes: &[u32], node_count: u32) -> Vec<usize> {
    let mut next_position = vec![0_usize; index(node_count) + 1];
    for entry in order {
        next_position[index(nodes[*entry]) + 1] += 1;
    }
    accumulate(&mut next_position);
    let mut sorted = vec![0; order.len()];
    for entry in order {
        let position = &mut next_position[index(nodes[*entry])];
        sorted[*position] = *entry;
        *position += 1;
    }
    sorted
}

/// Makes each count the sum of itself and all before it.
fn accumulate(counts: &mut [usize]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

/// The values at the places of their entries; those that share a place are merged in their order.
fn merged(values: &[f64], order: &[usize], places: &[usize], aggregation: Aggregation) -> Vec<f64> {
    let mut totals: Vec<f64> = Vec::with_capacity(places.last().map_or(0, |last| last + 1));
    for (entry, place) in order.iter().zip(places) {
        match totals.get_mut(*place) {
            Some(total) => *total = aggregation.merge(*total, values[*entry]),
            None => totals.push(values[*entry]),
        }
    }
    totals
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn build(builder: GraphBuilder, relationships: &[(u32, u32, f64)]) -> Graph {
        let mut builder = builder;
        for (source, target, value) in relationships {
            builder.relationship(*source, *target, &[*value]).unwrap();
        }
        builder.build().unwrap()
    }

    fn list(graph: &Graph, node: u32) -> Vec<(u32, f64)> {
        graph.weighted(Some("w")).unwrap().relationships(node).collect()
    }

    #[test]
    fn neighbours_are_sorted_and_parallel_ones_keep_their_order() {
        let builder = GraphBuilder::new(3).property("w", Aggregation::None);
        let graph = build(builder, &[(0, 2, 1.0), (0, 1, 2.0), (0, 2, 0.5), (2, 0, 4.0)]);
        assert_eq!(list(&graph, 0), [(1, 2.0), (2, 1.0), (2, 0.5)]);
        assert_eq!(graph.degree(1), 0);
        assert_eq!(list(&graph, 2), [(0, 4.0)]);
    }

    #[test]
    fn orientations() {
        let relationships = [(0, 1, 1.0), (1, 1, 2.0)];
        let of = |orientation| {
            build(
                GraphBuilder::new(2).property("w", Aggregation::None).orientation(orientation),
                &relationships,
            )
        };
        let reverse = of(Orientation::Reverse);
        assert_eq!(list(&reverse, 1), [(0, 1.0), (1, 2.0)]);
        let undirected = of(Orientation::Undirected);
        assert_eq!(list(&undirected, 0), [(1, 1.0)]);
        assert_eq!(list(&undirected, 1), [(0, 1.0), (1, 2.0), (1, 2.0)]);
    }

    #[test]
    fn aggregations_merge_parallel_relationships_and_know_missing_values() {
        let relationships = [(0, 1, 3.0), (0, 1, f64::NAN), (0, 1, 5.0), (1, 0, 7.0)];
        let merged_value = |aggregation| {
            let graph = build(GraphBuilder::new(2).property("w", aggregation), &relationships);
            assert_eq!(graph.relationship_count(), 2);
            list(&graph, 0)
        };
        for (aggregation, expected) in [
            (Aggregation::Single, 3.0),
            (Aggregation::Sum, 8.0),
            (Aggregation::Min, 3.0),
            (Aggregation::Max, 5.0),
            (Aggregation::Count, 2.0),
        ] {
            assert_eq!(merged_value(aggregation), [(1, expected)], "{aggregation:?}");
        }
    }

    #[test]
    fn faults_of_the_input_are_errors() {
        let mut builder =
            GraphBuilder::new(2).property("w", Aggregation::None).property("v", Aggregation::Sum);
        let outside = GraphError::NodeNotInGraph { node: 2, node_count: 2 };
        assert_eq!(builder.relationship(0, 2, &[1.0, 1.0]), Err(outside));
        assert_eq!(
            builder.relationship(0, 1, &[1.0]),
            Err(GraphError::PropertyCount { expected: 2, given: 1 })
        );
        assert_eq!(builder.build(), Err(GraphError::MixedAggregations));
        let graph = build(GraphBuilder::new(1).property("w", Aggregation::None), &[]);
        let message = graph.weighted(Some("dist")).unwrap_err().to_string();
        assert_eq!(
            message,
            "relationship weight property `dist` not found; properties of the projection: [w]"
        );
    }
}
