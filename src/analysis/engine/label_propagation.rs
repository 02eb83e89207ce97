//! Label propagation.
//! Raghavan, Albert & Kumara, "Near linear time algorithm to detect community structures in large-scale
//! networks", 2007.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::cast::index;
use super::communities::Communities;
use super::config::Config;
use super::graph::{Graph, WeightedGraph};

/// Each node takes the label with the highest weight among the nodes that it points to, the lowest label
/// among equals, until no label changes. Labels are taken over at once, in the order of nodes, as GDS does
/// with `concurrency: 1`. The first label of a node is its index; GDS takes the node's database id, which
/// orders nodes in the same way.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let max_iterations = config.integer("maxIterations").unwrap_or_default();
    let mut propagation = Propagation::new(config.weighted(graph)?);
    let mut iterations = 0;
    let mut did_converge = false;
    while iterations < max_iterations && !did_converge {
        did_converge = !propagation.iterate();
        iterations += 1;
    }
    let stats = vec![Cell::Integer(iterations), Cell::Boolean(did_converge)];
    Ok(Communities::new(propagation.labels).into_answer(config, graph, "minCommunitySize", stats))
}

struct Propagation<'g> {
    weighted: WeightedGraph<'g>,
    labels: Vec<u32>,
    /// The weight that each label has around the current node; only those of `voted` are not zero.
    votes: Vec<f64>,
    voted: Vec<u32>,
}

impl<'g> Propagation<'g> {
    fn new(weighted: WeightedGraph<'g>) -> Self {
        let graph = weighted.graph();
        Self {
            weighted,
            labels: graph.nodes().collect(),
            votes: vec![0.0; index(graph.node_count())],
            voted: Vec::new(),
        }
    }

    /// Lets each node choose once; whether any label changed.
    fn iterate(&mut self) -> bool {
        let mut did_change = false;
        for node in self.weighted.graph().nodes() {
            let label = self.winning_label(node);
            did_change |= std::mem::replace(&mut self.labels[index(node)], label) != label;
        }
        did_change
    }

    fn winning_label(&mut self, node: u32) -> u32 {
        for (target, weight) in self.weighted.relationships(node) {
            let label = self.labels[index(target)];
            self.voted.push(label);
            self.votes[index(label)] += weight;
        }
        let mut winner = (self.labels[index(node)], f64::NEG_INFINITY);
        for label in &self.voted {
            let vote = self.votes[index(*label)];
            #[expect(clippy::float_cmp, reason = "a tie is an equal sum, as in GDS")]
            let is_tie = vote == winner.1 && *label < winner.0;
            if vote > winner.1 || is_tie {
                winner = (*label, vote);
            }
        }
        for label in self.voted.drain(..) {
            self.votes[index(label)] = 0.0;
        }
        winner.0
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;

    #[test]
    fn among_equal_votes_the_lowest_label_wins_and_later_nodes_see_it() {
        let mut builder = GraphBuilder::new(4);
        for (source, target) in [(0, 2), (0, 1), (3, 0)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        let graph = builder.build().unwrap();
        let mut propagation = Propagation::new(graph.weighted(None).unwrap());
        assert!(propagation.iterate());
        assert_eq!(propagation.labels, [1, 1, 2, 1]);
        assert!(!propagation.iterate());
    }
}
