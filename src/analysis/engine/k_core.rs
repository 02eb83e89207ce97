//! K-core decomposition.
//! Batagelj & Zaveršnik, "An O(m) algorithm for cores decomposition of networks", 2003.

use super::answer::{Answer, Cell};
use super::cast::{index, integer};
use super::config::Config;
use super::graph::Graph;
use super::{EngineError, require_undirected};

/// The core of each node: the highest k such that it stays when nodes with fewer than k relationships are
/// taken away again and again. Parallel relationships count, as in GDS.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    require_undirected(config, graph)?;
    let cores = cores(graph);
    let degeneracy = integer(cores.iter().copied().max().unwrap_or(0));
    let cells = |node| Some(vec![Cell::Integer(integer(cores[index(node)]))]);
    Ok(Answer::per_node(config.call(), graph, cells, || vec![Cell::Integer(degeneracy)]))
}

/// Takes nodes away in the order of the relationships that they have left. A node is put anew into the bin of
/// its degree whenever that falls; the older entries are skipped.
fn cores(graph: &Graph) -> Vec<usize> {
    let mut degrees: Vec<usize> = graph.nodes().map(|node| graph.degree(node)).collect();
    let mut bins: Vec<Vec<u32>> = vec![Vec::new(); degrees.iter().max().map_or(0, |max| max + 1)];
    for node in graph.nodes() {
        bins[degrees[index(node)]].push(node);
    }
    let mut cores: Vec<Option<usize>> = vec![None; degrees.len()];
    for core in 0..bins.len() {
        while let Some(node) = bins[core].pop() {
            if cores[index(node)].is_some() {
                continue;
            }
            cores[index(node)] = Some(core);
            for target in graph.neighbours(node) {
                let degree = &mut degrees[index(*target)];
                if cores[index(*target)].is_none() && *degree > core {
                    *degree -= 1;
                    bins[*degree].push(*target);
                }
            }
        }
    }
    cores.into_iter().flatten().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Orientation;

    #[test]
    fn a_square_with_a_diagonal_a_tail_and_a_node_apart() {
        let mut builder = GraphBuilder::new(6).orientation(Orientation::Undirected);
        for (source, target) in [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (3, 4)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        assert_eq!(cores(&builder.build().unwrap()), [2, 2, 2, 2, 1, 0]);
    }
}
