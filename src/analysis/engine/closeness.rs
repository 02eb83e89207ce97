//! Closeness and harmonic centrality, by searches from 64 nodes at a time.
//! Then et al., "The more the merrier: efficient multi-source graph traversal", 2014.

use super::answer::Answer;
use super::cast::{float, index};
use super::config::Config;
use super::graph::Graph;

/// Searches that fit in one word.
const LANES: usize = 64;

/// n / Σd over the n nodes that reach a node at the distances d; with Wasserman and Faust's correction also
/// times n / (node count - 1). 0 for a node that none reaches.
pub(super) fn closeness(config: &Config<'_>, graph: &Graph) -> Answer {
    let node_count = index(graph.node_count());
    let mut farness = vec![0.0; node_count];
    let mut component_size = vec![0.0; node_count];
    for_each_distance(graph, |node, distance, source_count| {
        farness[index(node)] += source_count * distance;
        component_size[index(node)] += source_count;
    });
    let is_corrected = config.flag("useWassermanFaust");
    let score = |(farness, component_size): (&f64, &f64)| match (*farness > 0.0, is_corrected) {
        (false, _) => 0.0,
        (true, false) => component_size / farness,
        (true, true) => (component_size / farness) * (component_size / (float(node_count) - 1.0)),
    };
    let scores: Vec<f64> = farness.iter().zip(&component_size).map(score).collect();
    Answer::scores(config.call(), graph, &scores, Vec::new())
}

/// Σ 1/d over the nodes that reach a node at the distances d, divided by the number of other nodes.
/// Marchiori & Latora, "Harmony in the small-world", 2000.
pub(super) fn harmonic(config: &Config<'_>, graph: &Graph) -> Answer {
    let node_count = index(graph.node_count());
    let mut scores = vec![0.0; node_count];
    for_each_distance(graph, |node, distance, source_count| {
        scores[index(node)] += source_count * (1.0 / distance);
    });
    for score in &mut scores {
        *score /= float(node_count) - 1.0;
    }
    Answer::scores(config.call(), graph, &scores, Vec::new())
}

/// Calls `visit` with each node, each distance above 0 at which it is reached, and the number of sources that
/// reach it there; several times with the same distance if the graph has more than 64 nodes.
fn for_each_distance(graph: &Graph, mut visit: impl FnMut(u32, f64, f64)) {
    let nodes: Vec<u32> = graph.nodes().collect();
    let mut searches = Searches::new(nodes.len());
    for sources in nodes.chunks(LANES) {
        searches.start(sources);
        let mut distance = 0.0;
        while !searches.frontier.is_empty() {
            distance += 1.0;
            searches.step(graph);
            for (node, lanes) in &searches.frontier {
                visit(*node, distance, f64::from(lanes.count_ones()));
            }
        }
    }
}

/// Breadth-first searches side by side; a bit of a word belongs to a search.
struct Searches {
    /// The searches that have seen each node.
    seen: Vec<u64>,
    /// The searches that reach each node in the next step.
    next: Vec<u64>,
    /// The nodes that were reached in the last step, with their searches.
    frontier: Vec<(u32, u64)>,
}

impl Searches {
    fn new(node_count: usize) -> Self {
        Self { seen: vec![0; node_count], next: vec![0; node_count], frontier: Vec::new() }
    }

    fn start(&mut self, sources: &[u32]) {
        self.seen.fill(0);
        self.frontier = sources.iter().enumerate().map(|(lane, source)| (*source, 1 << lane)).collect();
        for (source, lane) in &self.frontier {
            self.seen[index(*source)] |= lane;
        }
    }

    fn step(&mut self, graph: &Graph) {
        let mut touched = Vec::new();
        for (node, lanes) in self.frontier.drain(..) {
            for target in graph.neighbours(node) {
                let next = &mut self.next[index(*target)];
                if *next == 0 {
                    touched.push(*target);
                }
                *next |= lanes;
            }
        }
        for node in touched {
            let lanes = std::mem::take(&mut self.next[index(node)]) & !self.seen[index(node)];
            if lanes != 0 {
                self.seen[index(node)] |= lanes;
                self.frontier.push((node, lanes));
            }
        }
    }
}
