//! `PageRank` and `ArticleRank`.
//!
//! Both are the message-passing form that GDS runs on its Pregel framework: a node starts with the score 1 -
//! d (or 0 if it is not among the source nodes), and in each iteration passes on d times what it received.
//! Scores are not normalised, and what reaches a node without an exit is lost.
//! Page et al., "The `PageRank` Citation Ranking", 1999; Li & Willett, "`ArticleRank`", 2009.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::cast::index;
use super::config::Config;
use super::degree::{average_degree, degrees};
use super::graph::{Graph, WeightedGraph};
use super::scaler::Scaler;
use crate::spec::Orientation;

/// Scores after some iterations.
pub(super) struct Ranking {
    pub(super) scores: Vec<f64>,
    /// The number of iterations; if scores converged, without the one that found that out.
    pub(super) iterations: i64,
    pub(super) did_converge: bool,
}

impl Ranking {
    /// Scales the scores and makes the answer.
    pub(super) fn into_answer(mut self, config: &Config<'_>, graph: &Graph, scaler: Scaler) -> Answer {
        scaler.scale(&mut self.scores, config);
        let stats = vec![Cell::Integer(self.iterations), Cell::Boolean(self.did_converge)];
        Answer::scores(config.call(), graph, &self.scores, stats)
    }
}

/// `PageRank`: a node passes its change of score on in equal shares, or in shares by weight.
pub(super) fn page_rank(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let divisors = degrees(&weighted, Orientation::Natural);
    let ranking = propagate(config, &weighted, &divisors)?;
    Ok(ranking.into_answer(config, graph, Scaler::of(config)?))
}

/// `ArticleRank`: as `PageRank`, but shares are divided by the node's degree plus the average degree of the
/// graph.
pub(super) fn article_rank(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let average_degree = average_degree(graph);
    let mut divisors = degrees(&weighted, Orientation::Natural);
    for divisor in divisors.iter_mut().filter(|divisor| **divisor > 0.0) {
        *divisor += average_degree;
    }
    let ranking = propagate(config, &weighted, &divisors)?;
    Ok(ranking.into_answer(config, graph, Scaler::of(config)?))
}

/// Passes changes of score on until none is above the tolerance. The first iteration only sends, so that N
/// iterations propagate N - 1 times. A node with a divisor of zero does not send.
fn propagate(
    config: &Config<'_>,
    weighted: &WeightedGraph<'_>,
    divisors: &[f64],
) -> Result<Ranking, EngineError> {
    let damping_factor = config.number("dampingFactor")?;
    let tolerance = config.number("tolerance")?;
    let max_iterations = config.integer("maxIterations").unwrap_or_default();

    let mut scores = initial_scores(config, weighted.graph(), 1.0 - damping_factor)?;
    let mut received = vec![0.0; scores.len()];
    let mut sent = vec![0.0; scores.len()];
    for iteration in 0..max_iterations {
        let mut is_stable = true;
        for node in weighted.graph().nodes() {
            let position = index(node);
            let mut change = scores[position];
            if iteration > 0 {
                change = damping_factor * received[position];
                scores[position] += change;
            }
            if iteration > 0 && change <= tolerance {
                continue;
            }
            is_stable = false;
            if divisors[position] > 0.0 {
                let message = change / divisors[position];
                for (target, weight) in weighted.relationships(node) {
                    sent[index(target)] += message * weight;
                }
            }
        }
        if is_stable {
            return Ok(Ranking { scores, iterations: iteration, did_converge: true });
        }
        std::mem::swap(&mut received, &mut sent);
        sent.fill(0.0);
    }
    Ok(Ranking { scores, iterations: max_iterations, did_converge: false })
}

/// The given score for each node, or for the source nodes alone if there are any.
pub(super) fn initial_scores(
    config: &Config<'_>,
    graph: &Graph,
    score: f64,
) -> Result<Vec<f64>, EngineError> {
    let source_nodes = config.nodes("sourceNodes")?;
    if source_nodes.is_empty() {
        return Ok(vec![score; index(graph.node_count())]);
    }
    let mut scores = vec![0.0; index(graph.node_count())];
    for node in source_nodes {
        scores[index(node)] = score;
    }
    Ok(scores)
}
