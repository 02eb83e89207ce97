//! Node similarity: nodes are alike if they point to the same nodes.
//!
//! Every pair of nodes with enough neighbours is compared, as GDS does, which takes time quadratic in their
//! number.

use super::EngineError;
use super::answer::{Answer, Cell};
use super::cast::integer;
use super::config::Config;
use super::graph::{Graph, WeightedGraph};
use super::statistics;
use super::top::{Keep, Top};
use crate::spec::Mode;

/// Compares nodes and keeps for each the `topK` most alike, or the `bottomK` least alike, and of all pairs
/// the `topN` or `bottomN`.
pub(super) fn run(config: &Config<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let (keep_of_node, count_of_node) = limit(config, "topK", "bottomK")?;
    let (keep_of_all, count_of_all) = limit(config, "topN", "bottomN")?;
    let metric = config.text("similarityMetric").and_then(|name| name.parse().ok()).unwrap_or_default();
    let cutoff = config.number("similarityCutoff")?;
    let vectors = vectors(config, &config.weighted(graph)?)?;

    let mut pairs = Vec::new();
    for vector in &vectors {
        let mut top = Top::new(keep_of_node, count_of_node);
        for other in vectors.iter().filter(|other| other.node != vector.node) {
            let similarity = vector.similarity(other, metric);
            if similarity >= cutoff {
                top.offer((vector.node, other.node), similarity);
            }
        }
        pairs.extend(top.into_entries());
    }
    if count_of_all > 0 {
        let mut top = Top::new(keep_of_all, count_of_all);
        for (pair, similarity) in pairs {
            top.offer(pair, similarity);
        }
        pairs = top.into_entries();
    }
    Ok(answer(config, vectors.len(), pairs))
}

fn answer(config: &Config<'_>, nodes_compared: usize, pairs: Vec<((u32, u32), f64)>) -> Answer {
    if config.call().mode == Mode::Stats {
        let pair_count = integer(pairs.len());
        let similarities = pairs.into_iter().map(|(_, similarity)| similarity).collect();
        let distribution = Cell::Map(statistics::of_similarities(similarities));
        let cells = vec![Cell::Integer(integer(nodes_compared)), Cell::Integer(pair_count), distribution];
        return Answer::stats(config.call(), cells);
    }
    let row = |((one, other), similarity)| vec![Cell::Node(one), Cell::Node(other), Cell::Float(similarity)];
    Answer::rows(config.call(), pairs.into_iter().map(row).collect())
}

/// The limit of the one or the other key, of which at most one may differ from its default.
fn limit(config: &Config<'_>, top: &'static str, bottom: &'static str) -> Result<(Keep, usize), EngineError> {
    let differs = |key: &str| {
        let default = config.procedure().config_key(key).and_then(|key| key.default);
        config.value(key).is_some_and(|value| default.is_none_or(|default| default.to_json() != *value))
    };
    match (differs(top), differs(bottom)) {
        (true, true) => Err(EngineError::Conflict("Invalid parameter combination: a top and a bottom limit")),
        (false, true) => Ok((Keep::Lowest, config.limit(bottom))),
        (_, false) => Ok((Keep::Highest, config.limit(top))),
    }
}

/// The vectors of the nodes whose number of neighbours is within the cutoffs.
fn vectors(config: &Config<'_>, weighted: &WeightedGraph<'_>) -> Result<Vec<Vector>, EngineError> {
    let (lower, upper) = (config.limit("degreeCutoff"), config.limit("upperDegreeCutoff"));
    if upper < lower {
        return Err(EngineError::Conflict(
            "The value of upperDegreeCutoff cannot be smaller than degreeCutoff",
        ));
    }
    let vectors = weighted.graph().nodes().map(|node| Vector::of(node, weighted));
    Ok(vectors.filter(|vector| (lower..=upper).contains(&vector.elements.len())).collect())
}

/// How two vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, strum::EnumString)]
#[strum(ascii_case_insensitive)]
enum Metric {
    /// Σ min / Σ max, where Σ max is the sum of both vectors less Σ min. Jaccard, "The distribution of the
    /// flora in the alpine zone", 1912.
    #[default]
    Jaccard,
    /// Σ min over the common neighbours, divided by the smaller of the two sums.
    Overlap,
    /// The cosine of the angle between the vectors.
    Cosine,
}

/// A node's neighbours without itself, ascending, with the weight of the first relationship to each.
struct Vector {
    node: u32,
    elements: Vec<(u32, f64)>,
    sum: f64,
    squared_sum: f64,
}

impl Vector {
    fn of(node: u32, weighted: &WeightedGraph<'_>) -> Self {
        let mut elements: Vec<(u32, f64)> =
            weighted.relationships(node).filter(|(target, _)| *target != node).collect();
        elements.dedup_by_key(|(target, _)| *target);
        let sum = elements.iter().map(|(_, weight)| weight).sum();
        let squared_sum = elements.iter().map(|(_, weight)| weight * weight).sum();
        Self { node, elements, sum, squared_sum }
    }

    fn similarity(&self, other: &Self, metric: Metric) -> f64 {
        match metric {
            Metric::Jaccard => {
                let common = self.sum_common(other, f64::min);
                common / (self.sum + other.sum - common)
            }
            Metric::Overlap => self.sum_common(other, f64::min) / self.sum.min(other.sum),
            Metric::Cosine => {
                let product = self.sum_common(other, |one, another| one * another);
                product / (self.squared_sum.sqrt() * other.squared_sum.sqrt())
            }
        }
    }

    /// Sums what `combine` makes of the two weights of each common neighbour.
    fn sum_common(&self, other: &Self, combine: impl Fn(f64, f64) -> f64) -> f64 {
        let (mut ours, mut theirs) = (self.elements.iter().peekable(), other.elements.iter().peekable());
        let mut sum = 0.0;
        while let (Some((our_node, our_weight)), Some((their_node, their_weight))) =
            (ours.peek(), theirs.peek())
        {
            if our_node == their_node {
                sum += combine(*our_weight, *their_weight);
            }
            if our_node <= their_node {
                ours.next();
            }
            if their_node <= our_node {
                theirs.next();
            }
        }
        sum
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::analysis::engine::GraphBuilder;
    use crate::spec::Aggregation;

    #[test]
    fn metrics_of_weighted_vectors() {
        let mut builder = GraphBuilder::new(5).property("w", Aggregation::None);
        for (source, target, weight) in
            [(0, 0, 9.0), (0, 2, 3.0), (0, 2, 8.0), (0, 3, 4.0), (1, 3, 2.0), (1, 4, 1.0)]
        {
            builder.relationship(source, target, &[weight]).unwrap();
        }
        let graph = builder.build().unwrap();
        let weighted = graph.weighted(Some("w")).unwrap();
        let (one, other) = (Vector::of(0, &weighted), Vector::of(1, &weighted));
        assert_eq!(one.elements, [(2, 3.0), (3, 4.0)]);
        let metrics = [Metric::Jaccard, Metric::Overlap, Metric::Cosine];
        let similarities = metrics.map(|metric| one.similarity(&other, metric)).to_vec();
        assert_eq!(similarities, vec![2.0 / 8.0, 2.0 / 3.0, 8.0 / (5.0 * 5.0_f64.sqrt())]);
    }
}
