//! Betweenness centrality.
//! Brandes, "A faster algorithm for betweenness centrality", 2001; Brandes & Pich, "Centrality estimation in
//! large networks", 2007.

use std::collections::VecDeque;

use super::EngineError;
use super::answer::Answer;
use super::cast::index;
use super::config::Config;
use super::graph::{Graph, WeightedGraph};
use super::queue::CostQueue;
use super::sampling::{DEFAULT_SEED, sample_by_degree};

/// Sums for each node the shares of shortest paths that lead through it, from all nodes or from a sample.
/// Parallel relationships are paths of their own, as in GDS. In an undirected graph scores are halved.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let sampling_size = config.limit("samplingSize");
    let sources = if sampling_size < index(graph.node_count()) {
        sample_by_degree(graph, sampling_size, config.integer("samplingSeed").unwrap_or(DEFAULT_SEED))
    } else {
        graph.nodes().collect()
    };
    let scores = betweenness(&weighted, &sources);
    Ok(Answer::scores(config.call(), graph, &scores, Vec::new()))
}

fn betweenness(weighted: &WeightedGraph<'_>, sources: &[u32]) -> Vec<f64> {
    let graph = weighted.graph();
    let divisor = if graph.is_undirected() { 2.0 } else { 1.0 };
    let mut scores = vec![0.0; index(graph.node_count())];
    let mut paths = ShortestPaths::new(graph.node_count());
    let mut queue = CostQueue::new(graph.node_count());
    for source in sources {
        if weighted.is_weighted() {
            paths.search_weighted(weighted, *source, &mut queue);
        } else {
            paths.search_unweighted(graph, *source);
        }
        paths.accumulate(*source, |node, dependency| scores[index(node)] += dependency / divisor);
    }
    scores
}

/// The shortest paths from one source, kept for reuse.
struct ShortestPaths {
    /// The number of shortest paths to each node.
    path_counts: Vec<f64>,
    /// The nodes before each node on shortest paths, once for each relationship.
    predecessors: Vec<Vec<u32>>,
    /// The dependency of the source on each node.
    dependencies: Vec<f64>,
    /// The nodes in the order of their distance.
    reached: Vec<u32>,
    state: Vec<State>,
}

/// What a search knows of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Not reached, or in a weighted search still in the queue.
    Open,
    /// Reached in this number of steps by an unweighted search.
    At(u32),
    /// Taken out of the queue by a weighted search.
    Settled,
}

impl ShortestPaths {
    fn new(node_count: u32) -> Self {
        let node_count = index(node_count);
        Self {
            path_counts: vec![0.0; node_count],
            predecessors: vec![Vec::new(); node_count],
            dependencies: vec![0.0; node_count],
            reached: Vec::new(),
            state: vec![State::Open; node_count],
        }
    }

    fn start(&mut self, source: u32) {
        self.path_counts.fill(0.0);
        self.dependencies.fill(0.0);
        self.state.fill(State::Open);
        self.predecessors.iter_mut().for_each(Vec::clear);
        self.reached.clear();
        self.path_counts[index(source)] = 1.0;
    }

    fn search_unweighted(&mut self, graph: &Graph, source: u32) {
        self.start(source);
        self.state[index(source)] = State::At(0);
        let mut queue = VecDeque::from([(source, 0)]);
        while let Some((node, distance)) = queue.pop_front() {
            self.reached.push(node);
            for target in graph.neighbours(node) {
                let target_distance = State::At(distance + 1);
                if self.state[index(*target)] == State::Open {
                    self.state[index(*target)] = target_distance;
                    queue.push_back((*target, distance + 1));
                }
                if self.state[index(*target)] == target_distance {
                    self.path_counts[index(*target)] += self.path_counts[index(node)];
                    self.predecessors[index(*target)].push(node);
                }
            }
        }
    }

    fn search_weighted(&mut self, weighted: &WeightedGraph<'_>, source: u32, queue: &mut CostQueue) {
        self.start(source);
        queue.set(source, 0.0);
        while let Some(node) = queue.pop() {
            self.reached.push(node);
            self.state[index(node)] = State::Settled;
            let cost = queue.cost(node);
            for (target, weight) in weighted.relationships(node) {
                if self.state[index(target)] == State::Open {
                    self.relax(node, target, cost + weight, queue);
                }
            }
        }
    }

    fn relax(&mut self, node: u32, target: u32, cost: f64, queue: &mut CostQueue) {
        let is_cheaper = !queue.contains(target) || cost < queue.cost(target);
        if is_cheaper {
            queue.set(target, cost);
            self.path_counts[index(target)] = 0.0;
            self.predecessors[index(target)].clear();
        }
        #[expect(clippy::float_cmp, reason = "paths are equally short if their costs are equal, as in GDS")]
        if cost == queue.cost(target) {
            self.path_counts[index(target)] += self.path_counts[index(node)];
            self.predecessors[index(target)].push(node);
        }
    }

    /// Adds up dependencies from the farthest node back, and hands that of each node but the source on.
    fn accumulate(&mut self, source: u32, mut add: impl FnMut(u32, f64)) {
        for node in self.reached.iter().rev() {
            let dependency = self.dependencies[index(*node)];
            let path_count = self.path_counts[index(*node)];
            for predecessor in &self.predecessors[index(*node)] {
                let share = self.path_counts[index(*predecessor)] / path_count * (dependency + 1.0);
                self.dependencies[index(*predecessor)] += share;
            }
            if *node != source {
                add(*node, dependency);
            }
        }
    }
}
