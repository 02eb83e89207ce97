//! The distributions in stats rows.
//!
//! GDS puts values in a histogram that keeps five significant digits (`HdrHistogram`). The engine takes the
//! values themselves by the same ranks, so its percentiles agree with GDS's to these five digits; sizes of
//! communities below 262,144 agree exactly. GDS cannot make a histogram of negative scores or of scores under
//! the `Log` scaler and returns an error text in its place; the engine returns the distribution.

use serde_json::{Map, Value};

use super::cast::{float, rank};

const SCORE_PERCENTILES: &[(&str, f64)] =
    &[("p50", 50.0), ("p75", 75.0), ("p90", 90.0), ("p95", 95.0), ("p99", 99.0), ("p999", 99.9)];

const SIZE_PERCENTILES: &[(&str, f64)] = &[
    ("p1", 1.0),
    ("p5", 5.0),
    ("p10", 10.0),
    ("p25", 25.0),
    ("p50", 50.0),
    ("p75", 75.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p999", 99.9),
];

const SIMILARITY_PERCENTILES: &[(&str, f64)] = &[
    ("p1", 1.0),
    ("p5", 5.0),
    ("p10", 10.0),
    ("p25", 25.0),
    ("p50", 50.0),
    ("p75", 75.0),
    ("p90", 90.0),
    ("p95", 95.0),
    ("p99", 99.0),
    ("p100", 100.0),
];

/// The `centralityDistribution` of scores.
pub(super) fn of_scores(scores: &[f64]) -> Map<String, Value> {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let sum: f64 = sorted.iter().sum();
    summary(&sorted, sum, SCORE_PERCENTILES)
}

/// The `communityDistribution` or `componentDistribution` of sizes.
pub(super) fn of_sizes(mut sizes: Vec<usize>, node_count: usize) -> Map<String, Value> {
    sizes.sort_unstable();
    summary(&sizes, float(node_count), SIZE_PERCENTILES)
}

/// The `similarityDistribution` of similarities, which has the standard deviation besides.
pub(super) fn of_similarities(mut similarities: Vec<f64>) -> Map<String, Value> {
    similarities.sort_unstable_by(f64::total_cmp);
    let count = float(similarities.len());
    let sum: f64 = similarities.iter().sum();
    let squared_deviations = similarities.iter().map(|similarity| (similarity - sum / count).powi(2));
    let deviation = (squared_deviations.sum::<f64>() / count).sqrt();
    let mut distribution = summary(&similarities, sum, SIMILARITY_PERCENTILES);
    if !similarities.is_empty() {
        distribution.insert("stdDev".to_owned(), deviation.into());
    }
    distribution
}

fn summary<T: Copy + Into<Value>>(sorted: &[T], sum: f64, percentiles: &[(&str, f64)]) -> Map<String, Value> {
    let (Some(min), Some(max)) = (sorted.first(), sorted.last()) else {
        return Map::new();
    };
    let mean = sum / float(sorted.len());
    let ends = [("min", (*min).into()), ("max", (*max).into()), ("mean", mean.into())];
    let percentiles =
        percentiles.iter().map(|(name, percentile)| (*name, at_percentile(sorted, *percentile).into()));
    ends.into_iter().chain(percentiles).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The smallest value that at least this share of the values does not exceed; `sorted` is not empty. The
/// percentile is taken one step lower, as `HdrHistogram` does, so that rounding does not reach the next rank.
fn at_percentile<T: Copy>(sorted: &[T], percentile: f64) -> T {
    let rank = rank(percentile.next_down() / 100.0 * float(sorted.len()));
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn percentiles_are_values_at_their_rank() {
        let scores: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let distribution = of_scores(&scores);
        let expected = json!({
            "min": 1.0, "max": 100.0, "mean": 50.5,
            "p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 100.0,
        });
        assert_eq!(Value::Object(distribution), expected);
    }

    #[test]
    fn sizes_are_whole_numbers_and_nothing_has_no_distribution() {
        let distribution = of_sizes(vec![5, 1, 3], 9);
        assert_eq!(distribution["p50"], json!(3));
        assert_eq!(distribution["mean"], json!(3.0));
        assert!(of_scores(&[]).is_empty());
    }
}
