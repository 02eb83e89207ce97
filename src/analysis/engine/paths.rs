//! Paths as a result.

use super::answer::Cell;
use super::cast::{index, integer};

/// The cheapest known way to each node: its cost and the node before it.
pub(super) struct Ways<'a> {
    pub(super) source: u32,
    pub(super) costs: &'a [f64],
    pub(super) predecessors: &'a [u32],
}

impl Ways<'_> {
    /// The row of the path to a node that was reached.
    pub(super) fn row(&self, row_number: usize, target: u32) -> Vec<Cell> {
        let before = |node: &u32| (*node != self.source).then(|| self.predecessors[index(*node)]);
        let mut nodes: Vec<u32> = std::iter::successors(Some(target), before).collect();
        nodes.reverse();
        let costs = nodes.iter().map(|node| self.costs[index(*node)]).collect();
        vec![
            Cell::Integer(integer(row_number)),
            Cell::Node(self.source),
            Cell::Node(target),
            Cell::Float(self.costs[index(target)]),
            Cell::Nodes(nodes),
            Cell::Floats(costs),
        ]
    }
}
