//! Triangles and clustering coefficients of undirected graphs.

use super::answer::{Answer, Cell};
use super::cast::{float, index};
use super::config::Config;
use super::graph::Graph;
use super::{EngineError, require_undirected};

/// The count of a node that `maxDegree` leaves out.
const EXCLUDED: i64 = -1;

/// Counts the triangles of each node. Parallel relationships make one triangle, self-loops none.
pub(super) fn count(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    require_undirected(config, graph)?;
    let triangles = Triangles::count(graph, config.limit("maxDegree"));
    let cells = |node| Some(vec![Cell::Integer(triangles.of_nodes[index(node)])]);
    let stats = || vec![Cell::Integer(triangles.total), Cell::Integer(i64::from(graph.node_count()))];
    Ok(Answer::per_node(config.call(), graph, cells, stats))
}

/// 2t / (d(d - 1)) for a node in t triangles with d distinct neighbours, among which GDS counts the node
/// itself if it has a self-loop; 0 without triangles.
pub(super) fn local_clustering_coefficient(
    config: &Config<'_>,
    graph: &Graph,
) -> Result<Answer, EngineError> {
    require_undirected(config, graph)?;
    let triangles = Triangles::count(graph, usize::MAX);
    let coefficient = |node: u32| {
        let count = triangles.of_nodes[index(node)];
        let degree = float(distinct(graph.neighbours(node)).count());
        let triangles = float(usize::try_from(count).unwrap_or(0));
        if count == 0 { 0.0 } else { triangles * 2.0 / (degree * (degree - 1.0)) }
    };
    let coefficients: Vec<f64> = graph.nodes().map(coefficient).collect();
    let average = coefficients.iter().sum::<f64>() / float(coefficients.len());
    let cells = |node| Some(vec![Cell::Float(coefficients[index(node)])]);
    let stats = || vec![Cell::Float(average), Cell::Integer(i64::from(graph.node_count()))];
    Ok(Answer::per_node(config.call(), graph, cells, stats))
}

struct Triangles {
    of_nodes: Vec<i64>,
    total: i64,
}

impl Triangles {
    /// Finds each triangle a > b > c once, by walking the sorted neighbours of a and of b together.
    fn count(graph: &Graph, max_degree: usize) -> Self {
        let is_excluded: Vec<bool> = graph.nodes().map(|node| graph.degree(node) > max_degree).collect();
        let included_below = |node: u32| {
            let below = distinct(graph.neighbours(node)).take_while(move |neighbour| *neighbour < node);
            below.filter(|neighbour| !is_excluded[index(*neighbour)])
        };
        let mut of_nodes = vec![0; is_excluded.len()];
        let mut total = 0;
        for a in graph.nodes().filter(|node| !is_excluded[index(*node)]) {
            for b in included_below(a) {
                for c in common(included_below(a), included_below(b)) {
                    for node in [a, b, c] {
                        of_nodes[index(node)] += 1;
                    }
                    total += 1;
                }
            }
        }
        for (count, _) in of_nodes.iter_mut().zip(&is_excluded).filter(|(_, is_excluded)| **is_excluded) {
            *count = EXCLUDED;
        }
        Self { of_nodes, total }
    }
}

/// A sorted list without its repetitions.
fn distinct(sorted: &[u32]) -> impl Iterator<Item = u32> {
    sorted.chunk_by(|one, next| one == next).filter_map(|equal| equal.first().copied())
}

/// The nodes that are in both ascending lists.
fn common(one: impl Iterator<Item = u32>, other: impl Iterator<Item = u32>) -> impl Iterator<Item = u32> {
    let mut one = one.peekable();
    other.filter(move |node| {
        while one.next_if(|candidate| candidate < node).is_some() {}
        one.peek() == Some(node)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Orientation;

    fn graph() -> Graph {
        let mut builder = GraphBuilder::new(5).orientation(Orientation::Undirected);
        for (source, target) in [(0, 1), (1, 2), (2, 0), (2, 0), (2, 3), (3, 0), (3, 3), (4, 3)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        builder.build().unwrap()
    }

    #[test]
    fn parallel_relationships_and_self_loops_make_no_triangles_of_their_own() {
        let triangles = Triangles::count(&graph(), usize::MAX);
        assert_eq!(triangles.of_nodes, [2, 1, 2, 1, 0]);
        assert_eq!(triangles.total, 2);
    }

    #[test]
    fn nodes_of_high_degree_are_left_out() {
        let triangles = Triangles::count(&graph(), 4);
        assert_eq!(triangles.of_nodes, [1, 1, 1, EXCLUDED, 0]);
    }
}
