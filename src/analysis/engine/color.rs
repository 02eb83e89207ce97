//! K1 colouring, after which modularity optimisation takes its nodes in groups.
//! Çatalyürek et al., "Graph coloring algorithms for multi-core and massively multithreaded architectures",
//! 2012.

use super::cast::index;
use super::graph::Graph;

const MAX_ITERATIONS: u32 = 5;

/// GDS's mark of a node that has no colour yet; as there, no node gets it as a colour beside such a node.
const UNCOLOURED: usize = 1000;

/// The nodes by ascending colour, those of a colour in ascending order, in one group for each colour. In a
/// directed graph only the nodes that a node points to count as neighbours, so some neighbours may share a
/// colour at the end.
pub(super) fn nodes_by_colour(graph: &Graph) -> Vec<Vec<u32>> {
    let mut groups: Vec<Vec<u32>> = Vec::new();
    for (node, colour) in graph.nodes().zip(colours(graph)) {
        if groups.len() <= colour {
            groups.resize(colour + 1, Vec::new());
        }
        groups[colour].push(node);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn colours(graph: &Graph) -> Vec<usize> {
    let mut colours = vec![UNCOLOURED; index(graph.node_count())];
    let mut to_colour: Vec<u32> = graph.nodes().collect();
    let mut last_seen_by: Vec<u32> = Vec::new();
    for _ in 0..MAX_ITERATIONS {
        for node in &to_colour {
            colours[index(*node)] = lowest_free_colour(graph, *node, &colours, &mut last_seen_by);
        }
        to_colour = conflicting(graph, &to_colour, &colours);
        if to_colour.is_empty() {
            break;
        }
        last_seen_by.clear();
    }
    colours
}

/// The lowest colour that no neighbour has. `last_seen_by` holds for each colour the last node, plus one,
/// that found it taken in this iteration, so that it need not be cleared for each node.
fn lowest_free_colour(graph: &Graph, node: u32, colours: &[usize], last_seen_by: &mut Vec<u32>) -> usize {
    let mark = node.saturating_add(1);
    for target in graph.neighbours(node).iter().filter(|target| **target != node) {
        let colour = colours[index(*target)];
        if last_seen_by.len() <= colour {
            last_seen_by.resize(colour + 1, 0);
        }
        last_seen_by[colour] = mark;
    }
    let free = last_seen_by.iter().position(|seen_by| *seen_by != mark);
    free.unwrap_or(last_seen_by.len())
}

/// The nodes that have the colour of a neighbour which is not itself to be coloured again.
fn conflicting(graph: &Graph, candidates: &[u32], colours: &[usize]) -> Vec<u32> {
    let mut is_conflicting = vec![false; colours.len()];
    for node in candidates {
        is_conflicting[index(*node)] = graph.neighbours(*node).iter().any(|target| {
            target != node
                && colours[index(*target)] == colours[index(*node)]
                && !is_conflicting[index(*target)]
        });
    }
    candidates.iter().copied().filter(|node| is_conflicting[index(*node)]).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Orientation;

    #[test]
    fn neighbours_differ_in_an_undirected_graph() {
        let mut builder = GraphBuilder::new(4).orientation(Orientation::Undirected);
        for (source, target) in [(0, 1), (1, 2), (2, 0), (2, 3), (3, 3)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        let groups = nodes_by_colour(&builder.build().unwrap());
        assert_eq!(groups, [vec![0, 3], vec![1], vec![2]]);
    }
}
