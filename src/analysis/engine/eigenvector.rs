//! Eigenvector centrality by power iteration.

use super::EngineError;
use super::answer::Answer;
use super::cast::{float, index};
use super::config::Config;
use super::degree::degrees;
use super::graph::{Graph, WeightedGraph};
use super::page_rank::{Ranking, initial_scores};
use super::scaler::{Scaler, normalise};
use crate::spec::Orientation;

/// Iterates x ← (A + I)x and divides by the Euclidean length, from equal scores that sum to 1. With weights
/// each node's are divided by their sum. As in GDS a node sends its score of the current iteration before
/// that is normalised.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let weighted = config.weighted(graph)?;
    let scaler = match Scaler::of(config)? {
        Scaler::L2Norm => Scaler::None, // the scores are so scaled already
        other => other,
    };
    Ok(iterate(config, &weighted)?.into_answer(config, graph, scaler))
}

fn iterate(config: &Config<'_>, weighted: &WeightedGraph<'_>) -> Result<Ranking, EngineError> {
    let graph = weighted.graph();
    let tolerance = config.number("tolerance")?;
    let max_iterations = config.integer("maxIterations").unwrap_or_default();
    let divisors = weighted.is_weighted().then(|| degrees(weighted, Orientation::Natural));
    let start_count = match config.nodes("sourceNodes")?.len() {
        0 => index(graph.node_count()),
        source_count => source_count,
    };

    let mut scores = initial_scores(config, graph, 1.0 / float(start_count))?;
    let mut received = vec![0.0; scores.len()];
    for iteration in 0..max_iterations {
        let mut next_scores: Vec<f64> =
            scores.iter().zip(&received).map(|(score, sum)| score + sum).collect();
        received.fill(0.0);
        for node in graph.nodes() {
            let divisor = divisors.as_ref().map_or(1.0, |divisors| divisors[index(node)]);
            let message = next_scores[index(node)] / divisor;
            for (target, weight) in weighted.relationships(node) {
                received[index(target)] += message * weight;
            }
        }
        normalise(&mut next_scores);
        let is_stable = scores.iter().zip(&next_scores).all(|(old, new)| (new - old).abs() <= tolerance);
        scores = next_scores;
        if is_stable && iteration > 0 {
            return Ok(Ranking { scores, iterations: iteration, did_converge: true });
        }
    }
    Ok(Ranking { scores, iterations: max_iterations, did_converge: false })
}
