//! Modularity optimisation: nodes move to the neighbouring community that raises modularity most.
//! Lu, Halappanavar & Kalyanaraman, "Parallel heuristics for scalable community detection", 2015.

use super::cast::index;
use super::color::nodes_by_colour;
use super::graph::WeightedGraph;

/// A partition of a graph's nodes, and its modularity.
pub(super) struct Optimised {
    /// The community of each node; ids are nodes.
    pub(super) communities: Vec<u32>,
    pub(super) modularity: f64,
}

/// Starts with each node in a community of its own and iterates until modularity grows by no more than
/// `tolerance`. In each iteration the nodes of a colour are moved at once, one colour after the other.
pub(super) fn optimise(weighted: &WeightedGraph<'_>, max_iterations: i64, tolerance: f64) -> Optimised {
    let groups = nodes_by_colour(weighted.graph());
    let mut optimisation = Optimisation::new(*weighted);
    let mut modularity = -1.0;
    for iteration in 0..max_iterations {
        for group in &groups {
            optimisation.move_nodes(group);
        }
        let previous_modularity = modularity;
        modularity = optimisation.modularity();
        let gain = modularity - previous_modularity;
        if iteration > 0 && (gain.is_nan() || gain <= 0.0 || gain <= tolerance) {
            break;
        }
    }
    Optimised { communities: optimisation.communities, modularity }
}

struct Optimisation<'g> {
    weighted: WeightedGraph<'g>,
    communities: Vec<u32>,
    /// The weight of the relationships that leave each node.
    node_weights: Vec<f64>,
    /// The sum of the weights of the nodes of each community.
    community_weights: Vec<f64>,
    total_weight: f64,
    influences: Influences,
}

impl<'g> Optimisation<'g> {
    fn new(weighted: WeightedGraph<'g>) -> Self {
        let graph = weighted.graph();
        let weight_of = |node| weighted.relationships(node).fold(0.0, |sum, (_, weight)| sum + weight);
        let node_weights: Vec<f64> = graph.nodes().map(weight_of).collect();
        Self {
            weighted,
            communities: graph.nodes().collect(),
            community_weights: node_weights.clone(),
            total_weight: node_weights.iter().sum(),
            influences: Influences::new(node_weights.len()),
            node_weights,
        }
    }

    /// Moves each node of the group as if the others stayed where they are.
    fn move_nodes(&mut self, group: &[u32]) {
        let next: Vec<u32> = group.iter().map(|node| self.best_community(*node)).collect();
        for (node, next) in group.iter().zip(next) {
            let current = std::mem::replace(&mut self.communities[index(*node)], next);
            if current != next {
                let weight = self.node_weights[index(*node)];
                self.community_weights[index(current)] -= weight;
                self.community_weights[index(next)] += weight;
            }
        }
    }

    /// The community with the highest gain in modularity, the lowest among equals, or the current one if none
    /// gains.
    fn best_community(&mut self, node: u32) -> u32 {
        let current = self.communities[index(node)];
        let self_weight = self.collect_influences(node);
        let node_weight = self.node_weights[index(node)];
        let inside = self.influences.weights[index(current)] - self_weight;
        let current_weight = self.community_weights[index(current)] - node_weight;

        let mut best = (current, 0.0);
        for candidate in self.influences.communities.iter().copied().filter(|candidate| *candidate != current)
        {
            let outside = self.influences.weights[index(candidate)];
            let candidate_weight = self.community_weights[index(candidate)];
            let gain = (outside - inside) / (self.total_weight / 2.0)
                + (2.0 * node_weight * current_weight - 2.0 * node_weight * candidate_weight)
                    / self.total_weight.powi(2);
            #[expect(clippy::float_cmp, reason = "GDS breaks ties of gains that are equal to the last bit")]
            let is_tie = gain == best.1 && gain != 0.0 && candidate < best.0;
            if gain > best.1 || is_tie {
                best = (candidate, gain);
            }
        }
        self.influences.clear();
        best.0
    }

    /// Sums the weights from the node to each community, and returns the weight of its self-loops.
    fn collect_influences(&mut self, node: u32) -> f64 {
        let mut self_weight = 0.0;
        for (target, weight) in self.weighted.relationships(node) {
            if target == node {
                self_weight += weight;
            }
            self.influences.add(self.communities[index(target)], weight);
        }
        self_weight
    }

    /// Σ over communities of (inside weight - (community weight)² / total weight), divided by the total
    /// weight, where a relationship inside counts as often as it is in adjacency lists.
    fn modularity(&self) -> f64 {
        let mut inside = vec![0.0; self.communities.len()];
        for node in self.weighted.graph().nodes() {
            let community = self.communities[index(node)];
            for (target, weight) in self.weighted.relationships(node) {
                if self.communities[index(target)] == community {
                    inside[index(community)] += weight;
                }
            }
        }
        let inverse_total = 1.0 / self.total_weight;
        let term = |(inside, weight): (&f64, &f64)| inside - weight * weight * inverse_total;
        inside.iter().zip(&self.community_weights).map(term).sum::<f64>() * inverse_total
    }
}

/// The weights from one node to the communities around it, kept for reuse.
struct Influences {
    weights: Vec<f64>,
    is_listed: Vec<bool>,
    communities: Vec<u32>,
}

impl Influences {
    fn new(node_count: usize) -> Self {
        Self { weights: vec![0.0; node_count], is_listed: vec![false; node_count], communities: Vec::new() }
    }

    fn add(&mut self, community: u32, weight: f64) {
        self.weights[index(community)] += weight;
        if !std::mem::replace(&mut self.is_listed[index(community)], true) {
            self.communities.push(community);
        }
    }

    fn clear(&mut self) {
        for community in self.communities.drain(..) {
            self.weights[index(community)] = 0.0;
            self.is_listed[index(community)] = false;
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Orientation;

    #[test]
    fn among_equal_gains_the_lowest_community_wins() {
        let mut builder = GraphBuilder::new(4).orientation(Orientation::Undirected);
        for (source, target) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        let graph = builder.build().unwrap();
        let optimised = optimise(&graph.weighted(None).unwrap(), 10, 0.0001);
        assert_eq!(optimised.communities, [1, 1, 1, 1]);
    }

    #[test]
    fn two_cliques_with_a_bridge_are_two_communities() {
        let mut builder = GraphBuilder::new(6).orientation(Orientation::Undirected);
        for (source, target) in [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3), (2, 3)] {
            builder.relationship(source, target, &[]).unwrap();
        }
        let graph = builder.build().unwrap();
        let optimised = optimise(&graph.weighted(None).unwrap(), 10, 0.0001);
        let [first, _, _, last, _, _] = optimised.communities[..] else { panic!("six nodes") };
        assert_eq!(optimised.communities, [first, first, first, last, last, last]);
        assert!((optimised.modularity - (6.0 / 7.0 - 0.5)).abs() < 1e-12);
    }
}
