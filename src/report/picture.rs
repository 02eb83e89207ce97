//! What of a graph is drawn: its strongest nodes, and one edge for all relationships from one of them to another.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Picture, PictureEdge, PictureNode};

/// How many nodes are drawn at most.
pub const MOST_NODES: usize = 300;
/// How many edges are drawn at most.
pub const MOST_EDGES: usize = 1_500;

/// Cuts a graph to what can be drawn.
///
/// Kept are the [`MOST_NODES`] nodes of the greatest weight, in that order, and of the edges among them the
/// [`MOST_EDGES`] of the greatest count; of equals, those that come first. `relationships` may name a pair many times:
/// their counts are summed up; an end that is not in `nodes` leaves the relationship out of the picture, not out of the
/// total.
///
/// `sized_by` says what the weights are; a `geographic` picture has longitude and latitude in `x` and `y`.
#[must_use]
pub fn cut(
    nodes: Vec<PictureNode>,
    relationships: impl IntoIterator<Item = PictureEdge>,
    sized_by: String,
    geographic: bool,
) -> Picture {
    let total_nodes = nodes.len() as u64;
    let (nodes, place) = strongest(nodes);
    let mut total_relationships = 0;
    let mut counts = BTreeMap::<(usize, usize), u64>::new();
    for PictureEdge { source, target, count } in relationships {
        total_relationships += count;
        let of = |node: usize| place.get(node).copied().flatten();
        if let (Some(source), Some(target)) = (of(source), of(target)) {
            *counts.entry((source, target)).or_default() += count;
        }
    }
    let mut edges: Vec<_> =
        counts.into_iter().map(|((source, target), count)| PictureEdge { source, target, count }).collect();
    edges.sort_by_key(|edge| Reverse(edge.count));
    edges.truncate(MOST_EDGES);
    Picture { nodes, edges, total_nodes, total_relationships, sized_by, geographic }
}

/// The strongest nodes, and for each of all nodes its place among them.
fn strongest(nodes: Vec<PictureNode>) -> (Vec<PictureNode>, Vec<Option<usize>>) {
    let mut place = vec![None; nodes.len()];
    let mut ranked: Vec<_> = nodes.into_iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| strength(b).total_cmp(&strength(a)));
    ranked.truncate(MOST_NODES);
    for (rank, (index, _)) in ranked.iter().enumerate() {
        if let Some(place) = place.get_mut(*index) {
            *place = Some(rank);
        }
    }
    (ranked.into_iter().map(|(_, node)| node).collect(), place)
}

/// A node whose weight is not a number is the weakest.
const fn strength(node: &PictureNode) -> f64 {
    if node.weight.is_nan() { f64::NEG_INFINITY } else { node.weight }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::cast_precision_loss, reason = "the numbers are small")]

    use proptest::prelude::*;

    use super::*;

    fn node(name: usize, weight: f64) -> PictureNode {
        PictureNode { name: name.to_string(), title: None, label: "A".to_owned(), weight, x: None, y: None }
    }

    fn nodes(weights: &[f64]) -> Vec<PictureNode> {
        weights.iter().enumerate().map(|(name, weight)| node(name, *weight)).collect()
    }

    fn edge(source: usize, target: usize, count: u64) -> PictureEdge {
        PictureEdge { source, target, count }
    }

    fn cut(nodes: Vec<PictureNode>, edges: Vec<PictureEdge>) -> Picture {
        super::cut(nodes, edges, "degree".to_owned(), false)
    }

    #[test]
    fn parallel_relationships_become_one_edge_and_directions_stay_apart() {
        let picture =
            cut(nodes(&[2.0, 1.0]), vec![edge(0, 1, 1), edge(1, 0, 1), edge(0, 1, 4), edge(1, 1, 1)]);
        assert_eq!(picture.edges, [edge(0, 1, 5), edge(1, 0, 1), edge(1, 1, 1)]);
        assert_eq!(picture.total_relationships, 7);
    }

    #[test]
    fn edges_follow_their_nodes_to_the_new_order() {
        let picture = cut(nodes(&[1.0, 3.0, 2.0]), vec![edge(0, 1, 1)]);
        assert_eq!(picture.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["1", "2", "0"]);
        assert_eq!(picture.edges, [edge(2, 0, 1)]);
    }

    #[test]
    fn a_large_graph_is_cut_to_its_strongest_nodes() {
        let weights: Vec<f64> = (0..1_000).map(f64::from).collect();
        let edges = (0..999).map(|from| edge(from, from + 1, 1)).collect();
        let picture = cut(nodes(&weights), edges);
        assert_eq!((picture.nodes.len(), picture.total_nodes), (MOST_NODES, 1_000));
        assert!(picture.nodes.iter().all(|node| node.weight >= 700.0));
        assert_eq!((picture.edges.len(), picture.total_relationships), (MOST_NODES - 1, 999));
    }

    #[test]
    fn a_weight_that_is_not_a_number_comes_last() {
        let picture = cut(nodes(&[f64::NAN, -1.0, 0.0]), vec![]);
        assert_eq!(picture.nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["2", "1", "0"]);
    }

    #[test]
    fn a_relationship_to_an_unknown_node_counts_only_in_the_total() {
        let picture = cut(nodes(&[1.0]), vec![edge(0, 7, 3)]);
        assert_eq!((picture.edges.len(), picture.total_relationships), (0, 3));
    }

    proptest! {
        #[test]
        fn every_edge_has_both_ends_in_the_picture(
            size in 1_usize..500,
            pairs in proptest::collection::vec((0_usize..500, 0_usize..500), 0..2_000),
        ) {
            let weights: Vec<f64> = (0..size).map(|n| (n * 7_919 % 101) as f64).collect();
            let edges = pairs.iter().map(|(source, target)| edge(*source, *target, 1)).collect();
            let picture = cut(nodes(&weights), edges);
            prop_assert!(picture.edges.len() <= MOST_EDGES);
            prop_assert_eq!(picture.total_relationships, pairs.len() as u64);
            for edge in picture.edges {
                prop_assert!(edge.source < picture.nodes.len() && edge.target < picture.nodes.len());
            }
        }
    }
}
