//! What pods used, as the report's readers show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a pod of the cluster used through the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PodUsage {
    /// The pod.
    pub pod: String,
    /// The most cores that it used.
    pub peak_cores: f64,
    /// How many it may use; nothing where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_cores: Option<f64>,
    /// The most bytes of memory that it used: its working set.
    pub peak_bytes: u64,
    /// How many it may use; nothing where there is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_bytes: Option<u64>,
    /// What it used, from first to last. Kubelets measure every 10 to 15 s.
    pub samples: Vec<UsageSample>,
}

/// What a pod used at a time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageSample {
    /// Seconds since the pods were applied.
    pub seconds: f64,
    /// Cores.
    pub cores: f64,
    /// Bytes of memory.
    pub bytes: u64,
}

impl PodUsage {
    /// The cells of its row: pod, memory at most, of the limit, cores at most, of the limit.
    pub(super) fn cells(&self) -> [String; 5] {
        [
            self.pod.clone(),
            bytes(self.peak_bytes),
            self.limit_bytes
                .map(|limit| share(as_float(self.peak_bytes), as_float(limit), &bytes(limit)))
                .unwrap_or_default(),
            cores(self.peak_cores),
            self.limit_cores.map(|limit| share(self.peak_cores, limit, &cores(limit))).unwrap_or_default(),
        ]
    }

    /// The memory over time, as shares of the limit, or where there is none of the peak: points between 0 and 1.
    pub(super) fn memory_curve(&self) -> Vec<(f64, f64)> {
        let most = as_float(self.limit_bytes.unwrap_or(self.peak_bytes));
        self.curve(|sample| as_float(sample.bytes), most)
    }

    /// The cores over time, as shares of the limit, or where there is none of the peak: points between 0 and 1.
    pub(super) fn cores_curve(&self) -> Vec<(f64, f64)> {
        self.curve(|sample| sample.cores, self.limit_cores.unwrap_or(self.peak_cores))
    }

    fn curve(&self, of: impl Fn(&UsageSample) -> f64, most: f64) -> Vec<(f64, f64)> {
        let whole = self.samples.last().map_or(0.0, |sample| sample.seconds).max(f64::MIN_POSITIVE);
        let most = most.max(f64::MIN_POSITIVE);
        let point = |sample: &UsageSample| ((sample.seconds / whole).min(1.0), (of(sample) / most).min(1.0));
        self.samples.iter().map(point).collect()
    }
}

/// The heads of the columns of [`PodUsage::cells`], and whether each holds numbers.
pub(super) const HEADINGS: [(&str, bool); 5] =
    [("pod", false), ("memory", true), ("of its limit", true), ("cores", true), ("of its limit", true)];

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn as_float(bytes: u64) -> f64 {
    bytes as f64
}

/// Bytes, as Kubernetes writes them: `365 Mi`, `1.4 Gi`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const MEBI: f64 = 1_048_576.0;
    match as_float(bytes) / MEBI {
        mebi if mebi < 1_023.5 => format!("{mebi:.0} Mi"),
        mebi => format!("{:.1} Gi", mebi / 1_024.0),
    }
}

/// Cores with two places.
#[must_use]
pub fn cores(cores: f64) -> String {
    format!("{cores:.2}")
}

fn share(used: f64, limit: f64, words: &str) -> String {
    format!("{:.0} % of {words}", used / limit.max(f64::MIN_POSITIVE) * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage() -> PodUsage {
        let sample = |seconds, cores, mebi: u64| UsageSample { seconds, cores, bytes: mebi << 20 };
        PodUsage {
            pod: "trips-neo4j-0".to_owned(),
            peak_cores: 1.25,
            limit_cores: None,
            peak_bytes: 1_434 << 20,
            limit_bytes: Some(2 << 30),
            samples: vec![sample(0.0, 0.0, 512), sample(5.0, 1.25, 1_434), sample(10.0, 0.5, 1_024)],
        }
    }

    #[test]
    fn usage_stands_beside_its_limit_where_there_is_one() {
        assert_eq!(usage().cells(), ["trips-neo4j-0", "1.4 Gi", "70 % of 2.0 Gi", "1.25", ""]);
        assert_eq!((bytes(0), bytes(365 << 20)), ("0 Mi".to_owned(), "365 Mi".to_owned()));
    }

    #[test]
    fn a_curve_goes_from_the_first_sample_to_the_last_below_the_limit() {
        assert_eq!(usage().memory_curve(), [(0.0, 0.25), (0.5, 0.700_195_312_5), (1.0, 0.5)]);
        assert_eq!(usage().cores_curve(), [(0.0, 0.0), (0.5, 1.0), (1.0, 0.4)]);
    }
}
