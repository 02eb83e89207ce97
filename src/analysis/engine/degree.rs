//! Degree centrality, and the degrees that `PageRank` and its kin divide by.

use super::EngineError;
use super::answer::Answer;
use super::cast::{float, index};
use super::config::Config;
use super::graph::{Graph, WeightedGraph};
use crate::spec::Orientation;

/// Counts, or sums the weights of, the relationships that leave a node, that enter it, or both. As in GDS the
/// `orientation` is relative to that of the projection, and weights that are not positive are left out.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let orientation = config.text("orientation").and_then(|name| name.parse().ok()).unwrap_or_default();
    let scores = degrees(&weighted, orientation);
    Ok(Answer::scores(config.call(), graph, &scores, Vec::new()))
}

/// The degree of each node.
pub(super) fn degrees(weighted: &WeightedGraph<'_>, orientation: Orientation) -> Vec<f64> {
    let graph = weighted.graph();
    let mut degrees = vec![0.0; index(graph.node_count())];
    for node in graph.nodes() {
        for (target, weight) in weighted.relationships(node).filter(|(_, weight)| *weight > 0.0) {
            if orientation != Orientation::Reverse {
                degrees[index(node)] += weight;
            }
            if orientation != Orientation::Natural {
                degrees[index(target)] += weight;
            }
        }
    }
    degrees
}

/// The mean number of relationships that leave a node.
pub(super) fn average_degree(graph: &Graph) -> f64 {
    float(graph.relationship_count()) / float(index(graph.node_count()))
}
