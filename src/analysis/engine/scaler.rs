//! Scalers of final scores, as GDS's `scaler` names them.

use serde_json::Value;

use crate::spec::gds::{self, scaler_name};

use super::EngineError;
use super::cast::float;
use super::config::Config;

/// Below this a divisor counts as zero, and all scaled scores are zero.
const CLOSE_TO_ZERO: f64 = 1e-15;

/// A scaler of scores.
#[derive(Debug, Clone, Copy, PartialEq, strum::EnumString, strum::VariantNames)]
#[strum(ascii_case_insensitive)]
pub(super) enum Scaler {
    /// Scores as they are.
    None,
    /// (x - min) / (max - min)
    MinMax,
    /// x / max |x|
    Max,
    /// (x - mean) / (max - min)
    Mean,
    /// ln(x + offset)
    Log,
    /// (x - mean) / standard deviation
    StdScore,
    /// x - mean
    Center,
    /// x / sum |x|
    L1Norm,
    /// x / sqrt(sum x²)
    L2Norm,
}

impl Scaler {
    /// The scaler that the configuration names.
    pub(super) fn of(config: &Config<'_>) -> Result<Self, EngineError> {
        let Some(value) = config.value("scaler") else {
            return Ok(Self::None);
        };
        let scaler = scaler_name(value).and_then(|name| name.parse().ok());
        scaler.ok_or_else(|| EngineError::BadValue {
            name: "scaler",
            value: value.to_string(),
            allowed: gds::ConfigKind::Scaler.to_string(),
        })
    }

    /// Scales the scores in place.
    pub(super) fn scale(self, scores: &mut [f64], config: &Config<'_>) {
        let mean = scores.iter().sum::<f64>() / float(scores.len());
        let min = scores.iter().copied().fold(f64::MAX, f64::min);
        let max = scores.iter().copied().fold(f64::MIN, f64::max);
        match self {
            Self::None => {}
            Self::MinMax => shift_and_divide(scores, min, max - min),
            Self::Max => shift_and_divide(scores, 0.0, min.abs().max(max.abs())),
            Self::Mean => shift_and_divide(scores, mean, max - min),
            Self::StdScore => shift_and_divide(scores, mean, standard_deviation(scores, mean)),
            Self::Center => scores.iter_mut().for_each(|score| *score -= mean),
            Self::L1Norm => shift_and_divide(scores, 0.0, scores.iter().map(|score| score.abs()).sum()),
            Self::L2Norm => normalise(scores),
            Self::Log => {
                let offset = config.value("scaler").and_then(|value| value.get("offset"));
                let offset = offset.and_then(Value::as_f64).unwrap_or(0.0);
                for score in scores {
                    *score = (*score + offset).ln();
                }
            }
        }
    }
}

/// Divides the scores by their Euclidean length.
pub(super) fn normalise(scores: &mut [f64]) {
    let length = scores.iter().map(|score| score * score).sum::<f64>().sqrt();
    shift_and_divide(scores, 0.0, length);
}

fn shift_and_divide(scores: &mut [f64], shift: f64, divisor: f64) {
    if divisor < CLOSE_TO_ZERO {
        scores.fill(0.0);
    } else {
        for score in scores {
            *score = (*score - shift) / divisor;
        }
    }
}

/// sqrt((Σx² - mean·Σx) / n), the form in which GDS computes it.
fn standard_deviation(scores: &[f64], mean: f64) -> f64 {
    let sum: f64 = scores.iter().sum();
    let squared_sum: f64 = scores.iter().map(|score| score * score).sum();
    ((squared_sum - mean * sum) / float(scores.len())).sqrt()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;
    use strum::VariantNames as _;

    use super::*;
    use crate::analysis::engine::{Call, GraphBuilder};
    use crate::spec::Mode;

    fn scaled(scaler: &Value) -> Vec<f64> {
        let graph = GraphBuilder::new(3).build().unwrap();
        let config = json!({ "scaler": scaler });
        let config = config.as_object().unwrap();
        let procedure = gds::find("pageRank").unwrap();
        let call = Call { procedure, mode: Mode::Stream, config };
        let config = Config::check(&call, &graph).unwrap();
        let mut scores = vec![1.0, 2.0, 6.0];
        Scaler::of(&config).unwrap().scale(&mut scores, &config);
        scores
    }

    #[test]
    fn the_catalogue_names_all_scalers() {
        assert_eq!(Scaler::VARIANTS, gds::SCALERS);
    }

    #[test]
    fn formulas() {
        let deviation = (14.0_f64 / 3.0).sqrt();
        assert_eq!(scaled(&json!("none")), [1.0, 2.0, 6.0]);
        assert_eq!(scaled(&json!("MinMax")), [0.0, 0.2, 1.0]);
        assert_eq!(scaled(&json!("Max")), [1.0 / 6.0, 2.0 / 6.0, 1.0]);
        assert_eq!(scaled(&json!("MEAN")), [-0.4, -0.2, 0.6]);
        assert_eq!(scaled(&json!("Center")), [-2.0, -1.0, 3.0]);
        assert_eq!(scaled(&json!("L1Norm")), [1.0 / 9.0, 2.0 / 9.0, 6.0 / 9.0]);
        assert_eq!(scaled(&json!({"type": "log", "offset": 1})), [2.0_f64.ln(), 3.0_f64.ln(), 7.0_f64.ln()]);
        for (score, expected) in scaled(&json!("StdScore")).iter().zip([-2.0, -1.0, 3.0]) {
            assert!((score - expected / deviation).abs() < 1e-12);
        }
    }
}
