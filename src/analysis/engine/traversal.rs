//! Breadth-first and depth-first traversal.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::cast::index;
use super::config::Config;
use super::graph::Graph;

/// What a traversal starts from and where it ends.
struct Walk {
    source: u32,
    is_target: Vec<bool>,
    max_depth: usize,
}

impl Walk {
    fn of(config: &Config<'_>, graph: &Graph) -> Result<Self, EngineError> {
        let mut is_target = vec![false; index(graph.node_count())];
        for target in config.nodes("targetNodes")? {
            is_target[index(target)] = true;
        }
        Ok(Self { source: config.node("sourceNode")?, is_target, max_depth: config.limit("maxDepth") })
    }

    fn seen(&self) -> Vec<bool> {
        let mut seen = vec![false; self.is_target.len()];
        seen[index(self.source)] = true;
        seen
    }

    fn into_answer(self, config: &Config<'_>, visited: Vec<u32>) -> Answer {
        Answer::rows(config.call(), vec![vec![Cell::Node(self.source), Cell::Nodes(visited)]])
    }
}

/// Visits nodes by their distance, neighbours in ascending order. It ends with the first target, which GDS
/// looks for among the nodes nearer than `maxDepth` only.
pub(super) fn breadth_first(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let walk = Walk::of(config, graph)?;
    let mut seen = walk.seen();
    let mut visited = vec![walk.source];
    let mut level = 0..1;
    let mut depth = 0;
    while !level.is_empty() && depth < walk.max_depth {
        for position in level.clone() {
            let node = visited[position];
            if walk.is_target[index(node)] {
                visited.truncate(position + 1);
                return Ok(walk.into_answer(config, visited));
            }
            for target in graph.neighbours(node) {
                if !std::mem::replace(&mut seen[index(*target)], true) {
                    visited.push(*target);
                }
            }
        }
        level = level.end..visited.len();
        depth += 1;
    }
    Ok(walk.into_answer(config, visited))
}

/// Visits the node that was found last. As in GDS a node counts as found when a neighbour of it is visited,
/// so that the highest neighbour comes first and no node waits twice.
pub(super) fn depth_first(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let walk = Walk::of(config, graph)?;
    let mut seen = walk.seen();
    let mut visited = Vec::new();
    let mut found = vec![(walk.source, 0)];
    while let Some((node, depth)) = found.pop() {
        visited.push(node);
        if walk.is_target[index(node)] {
            break;
        }
        if depth >= walk.max_depth {
            continue;
        }
        for target in graph.neighbours(node) {
            if !std::mem::replace(&mut seen[index(*target)], true) {
                found.push((*target, depth + 1));
            }
        }
    }
    Ok(walk.into_answer(config, visited))
}
