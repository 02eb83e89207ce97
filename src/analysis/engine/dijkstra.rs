//! Dijkstra's algorithm from one node to some nodes or to all.
//! Dijkstra, "A note on two problems in connexion with graphs", 1959.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::cast::index;
use super::config::Config;
use super::graph::{Graph, WeightedGraph};
use super::paths::Ways;
use super::queue::CostQueue;

/// The cheapest paths from `sourceNode` to `targetNode` or to each of `targetNodes`, by rising cost. A target
/// that is not reached has no row.
pub(super) fn source_target(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let several = config.nodes("targetNodes")?;
    let single = config.nodes("targetNode")?;
    let targets = match (several.is_empty(), single.is_empty()) {
        (false, true) => several,
        (true, false) => single,
        (false, false) => {
            let words =
                "The `targetNodes` and `targetNode` parameters cannot be both specified at the same time";
            return Err(EngineError::Conflict(words));
        }
        (true, true) => {
            return Err(EngineError::Conflict(
                "One of `targetNodes` or `targetNode` parameters must be specified",
            ));
        }
    };
    let mut is_target = vec![false; index(graph.node_count())];
    for target in targets {
        is_target[index(target)] = true;
    }
    search(config, graph, &is_target)
}

/// The cheapest paths from `sourceNode` to all nodes that it reaches, itself included, by rising cost.
pub(super) fn single_source(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    search(config, graph, &vec![true; index(graph.node_count())])
}

fn search(config: &Config<'_>, graph: &Graph, is_target: &[bool]) -> Result<Answer, EngineError> {
    let weighted = non_negative(config, graph)?;
    let source = config.node("sourceNode")?;
    let mut remaining_targets = is_target.iter().filter(|is_target| **is_target).count();
    let mut costs = vec![0.0; is_target.len()];
    let mut predecessors = vec![source; is_target.len()];
    let mut is_settled = vec![false; is_target.len()];
    let mut rows: Vec<Vec<Cell>> = Vec::new();

    let mut queue = CostQueue::new(graph.node_count());
    queue.set(source, 0.0);
    while let Some(node) = queue.pop().filter(|_| remaining_targets > 0) {
        let cost = queue.cost(node);
        costs[index(node)] = cost;
        is_settled[index(node)] = true;
        for (target, weight) in weighted.relationships(node).filter(|(target, _)| !is_settled[index(*target)])
        {
            if !queue.contains(target) || cost + weight < queue.cost(target) {
                queue.set(target, cost + weight);
                predecessors[index(target)] = node;
            }
        }
        if is_target[index(node)] {
            remaining_targets -= 1;
            rows.push(Ways { source, costs: &costs, predecessors: &predecessors }.row(rows.len(), node));
        }
    }
    Ok(Answer::rows(config.call(), rows))
}

/// The graph with the weights of the call, none of which is negative.
pub(super) fn non_negative<'g>(
    config: &Config<'_>,
    graph: &'g Graph,
) -> Result<WeightedGraph<'g>, EngineError> {
    let weighted = config.weighted(graph)?;
    match weighted.negative_weight() {
        None => Ok(weighted),
        Some(weight) => Err(EngineError::NegativeWeight {
            procedure: config.procedure().name,
            weight: weight.to_string(),
        }),
    }
}
