//! Weakly and strongly connected components.

use super::EngineError;
use super::answer::Answer;
use super::cast::index;
use super::communities::Communities;
use super::config::Config;
use super::graph::{Graph, WeightedGraph};

/// Weakly connected components by union-find with path halving. The id of a component is its lowest node, as
/// GDS's is without seeds.
pub(super) fn weak(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let threshold = config.number("threshold")?;
    if threshold > 0.0 && !weighted.is_weighted() {
        let words = "Specifying a threshold requires `relationshipWeightProperty` to be set.";
        return Err(EngineError::Conflict(words));
    }
    let threshold = (threshold > 0.0).then_some(threshold);
    let components = Communities::new(weak_components(&weighted, threshold));
    Ok(components.into_answer(config, graph, "minComponentSize", Vec::new()))
}

fn weak_components(weighted: &WeightedGraph<'_>, threshold: Option<f64>) -> Vec<u32> {
    let graph = weighted.graph();
    let mut parents: Vec<u32> = graph.nodes().collect();
    for node in graph.nodes() {
        for (target, weight) in weighted.relationships(node) {
            if threshold.is_none_or(|threshold| weight > threshold) {
                let (one, other) = (root(&mut parents, node), root(&mut parents, target));
                parents[index(one.max(other))] = one.min(other);
            }
        }
    }
    graph.nodes().map(|node| root(&mut parents, node)).collect()
}

fn root(parents: &mut [u32], mut node: u32) -> u32 {
    while parents[index(node)] != node {
        let grandparent = parents[index(parents[index(node)])];
        parents[index(node)] = grandparent;
        node = grandparent;
    }
    node
}

/// Strongly connected components by a depth-first search with Gabow's stack of boundaries, from the lowest
/// node on and along the highest neighbour first. The id of a component is the node that the search reached
/// first, as in GDS.
/// Gabow, "Path-based depth-first search for strong and biconnected components", 2000.
pub(super) fn strong(config: &Config<'_>, graph: &Graph) -> Answer {
    let components = Communities::new(strong_components(graph));
    components.into_answer(config, graph, "minComponentSize", Vec::new())
}

fn strong_components(graph: &Graph) -> Vec<u32> {
    let mut search = StrongComponents::new(graph);
    for node in graph.nodes() {
        if search.order[index(node)] == UNREACHED {
            search.explore(node);
        }
    }
    search.components
}

const UNREACHED: usize = usize::MAX;
const UNASSIGNED: u32 = u32::MAX;

struct StrongComponents<'g> {
    graph: &'g Graph,
    /// The component of each node that has one.
    components: Vec<u32>,
    /// The place of each reached node on the stack when it was put there.
    order: Vec<usize>,
    /// Reached nodes that have no component yet.
    stack: Vec<u32>,
    /// The places on the stack where a component may begin.
    boundaries: Vec<usize>,
    /// The way from the root of the search, each node with the number of its neighbours that are left.
    way: Vec<(u32, usize)>,
}

impl<'g> StrongComponents<'g> {
    fn new(graph: &'g Graph) -> Self {
        let node_count = index(graph.node_count());
        Self {
            graph,
            components: vec![UNASSIGNED; node_count],
            order: vec![UNREACHED; node_count],
            stack: Vec::new(),
            boundaries: Vec::new(),
            way: Vec::new(),
        }
    }

    fn explore(&mut self, start: u32) {
        self.enter(start);
        while let Some((node, neighbours_left)) = self.way.last_mut() {
            if *neighbours_left == 0 {
                let node = *node;
                self.way.pop();
                self.leave(node);
                continue;
            }
            *neighbours_left -= 1;
            let target = self.graph.neighbours(*node)[*neighbours_left];
            let place = self.order[index(target)];
            if place == UNREACHED {
                self.enter(target);
            } else if self.components[index(target)] == UNASSIGNED {
                while self.boundaries.last().is_some_and(|boundary| *boundary > place) {
                    self.boundaries.pop();
                }
            }
        }
    }

    fn enter(&mut self, node: u32) {
        self.order[index(node)] = self.stack.len();
        self.boundaries.push(self.stack.len());
        self.stack.push(node);
        self.way.push((node, self.graph.degree(node)));
    }

    fn leave(&mut self, node: u32) {
        let place = self.order[index(node)];
        if self.boundaries.last() == Some(&place) {
            self.boundaries.pop();
            for member in self.stack.drain(place..) {
                self.components[index(member)] = node;
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Aggregation;

    fn graph(node_count: u32, relationships: &[(u32, u32)]) -> Graph {
        let mut builder = GraphBuilder::new(node_count);
        for (source, target) in relationships {
            builder.relationship(*source, *target, &[]).unwrap();
        }
        builder.build().unwrap()
    }

    #[test]
    fn weak_components_are_named_by_their_lowest_node() {
        let graph = graph(6, &[(3, 1), (5, 3), (4, 2), (4, 4)]);
        assert_eq!(weak_components(&graph.weighted(None).unwrap(), None), [0, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn only_weights_above_the_threshold_connect() {
        let mut builder = GraphBuilder::new(3).property("w", Aggregation::None);
        for (source, target, weight) in [(0, 1, 2.0), (1, 2, 2.5)] {
            builder.relationship(source, target, &[weight]).unwrap();
        }
        let graph = builder.build().unwrap();
        assert_eq!(weak_components(&graph.weighted(Some("w")).unwrap(), Some(2.0)), [0, 1, 1]);
    }

    #[test]
    fn strong_components_are_named_by_the_node_reached_first() {
        let graph = graph(6, &[(0, 2), (2, 1), (1, 0), (2, 3), (3, 4), (4, 3), (5, 0)]);
        assert_eq!(strong_components(&graph), [0, 0, 0, 3, 3, 5]);
    }
}
