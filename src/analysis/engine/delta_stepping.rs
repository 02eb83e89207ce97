//! Delta-stepping: shortest paths from one node to all, by bins of the cost.
//! Meyer & Sanders, "Δ-stepping: a parallelizable shortest path algorithm", 2003.

use std::collections::BTreeMap;

use super::EngineError;
use super::answer::Answer;
use super::cast::{index, whole};
use super::config::Config;
use super::dijkstra::non_negative;
use super::graph::{Graph, WeightedGraph};
use super::paths::Ways;

/// GDS relaxes a bin at once while it holds fewer nodes than this, before it looks for the next one.
const BIN_SIZE_THRESHOLD: usize = 1000;

/// The cheapest paths from `sourceNode` to all nodes that it reaches, itself included, by ascending target.
/// Costs are those of Dijkstra's algorithm; among paths of the same cost it is the one that GDS finds with
/// `concurrency: 1`.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = non_negative(config, graph)?;
    let source = config.node("sourceNode")?;
    let mut stepping = DeltaStepping::new(weighted, source, config.number("delta")?);
    stepping.run();
    let ways = Ways { source, costs: &stepping.costs, predecessors: &stepping.predecessors };
    let reached = graph.nodes().filter(|node| stepping.costs[index(*node)].is_finite());
    let rows = reached.enumerate().map(|(row_number, target)| ways.row(row_number, target)).collect();
    Ok(Answer::rows(config.call(), rows))
}

struct DeltaStepping<'g> {
    weighted: WeightedGraph<'g>,
    delta: f64,
    costs: Vec<f64>,
    predecessors: Vec<u32>,
    /// The nodes whose cost fell, by cost in units of delta.
    bins: BTreeMap<u64, Vec<u32>>,
}

impl<'g> DeltaStepping<'g> {
    fn new(weighted: WeightedGraph<'g>, source: u32, delta: f64) -> Self {
        let node_count = index(weighted.graph().node_count());
        let mut costs = vec![f64::INFINITY; node_count];
        costs[index(source)] = 0.0;
        let bins = BTreeMap::from([(0, vec![source])]);
        Self { weighted, delta, costs, predecessors: vec![source; node_count], bins }
    }

    /// Relaxes bin after bin. A node that has moved to a lower bin since it was put into this one has been
    /// relaxed there.
    fn run(&mut self) {
        while let Some((bin, frontier)) = self.bins.pop_first() {
            for node in frontier {
                if whole(self.costs[index(node)] / self.delta) >= bin {
                    self.relax(node);
                }
            }
            while let Some(nodes) = self.bins.get_mut(&bin).filter(|nodes| nodes.len() < BIN_SIZE_THRESHOLD) {
                if nodes.is_empty() {
                    break;
                }
                for node in std::mem::take(nodes) {
                    self.relax(node);
                }
            }
        }
    }

    fn relax(&mut self, node: u32) {
        for (target, weight) in self.weighted.relationships(node) {
            let cost = self.costs[index(node)] + weight;
            if cost < self.costs[index(target)] {
                self.costs[index(target)] = cost;
                self.predecessors[index(target)] = node;
                self.bins.entry(whole(cost / self.delta)).or_default().push(target);
            }
        }
    }
}
