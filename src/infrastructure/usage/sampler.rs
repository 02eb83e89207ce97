//! Usage through a run: asked now and then, kept in few points, with the peaks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::{Usage, usage};
use crate::infrastructure::pods::{PodState, pods};
use crate::infrastructure::{Cluster, Owner};

/// Kubelets measure every 10 to 15 s, not all at the same time.
const EVERY: Duration = Duration::from_secs(5);

/// The API server is not waited for longer at the end of a run.
const LAST_WITHIN: Duration = Duration::from_secs(5);

/// A pod's points; where there are more, every two become one.
const POINTS: usize = 240;

/// What a pod used through a run.
#[derive(Debug, Clone, PartialEq)]
pub struct PodUsage {
    /// The pod.
    pub pod: PodState,
    /// What it used, from first to last.
    pub samples: Vec<Sample>,
}

/// What a pod used at a time, or at most around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Seconds since sampling began.
    pub seconds: f64,
    /// What it used.
    pub usage: Usage,
}

/// Asks what pods use until it is finished or dropped.
#[derive(Debug)]
pub struct Sampler {
    way: Way,
    /// Aborted when dropped.
    _task: JoinSet<()>,
}

#[derive(Clone)]
struct Way {
    cluster: Cluster,
    owner: Owner,
    begun: Instant,
    seen: Arc<Mutex<BTreeMap<String, PodUsage>>>,
}

impl std::fmt::Debug for Way {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Way").field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Sampler {
    /// Begins to ask.
    #[must_use]
    pub fn start(cluster: &Cluster, owner: &Owner) -> Self {
        let way = Way {
            cluster: cluster.clone(),
            owner: owner.clone(),
            begun: Instant::now(),
            seen: Arc::default(),
        };
        let (mut task, asking) = (JoinSet::new(), way.clone());
        task.spawn(async move {
            loop {
                asking.ask().await;
                tokio::time::sleep(EVERY).await;
            }
        });
        Self { way, _task: task }
    }

    /// Asks once more, and gives what was seen, by the pods' names.
    pub async fn finish(self) -> Vec<PodUsage> {
        // What is not known by then is left out.
        let _ = tokio::time::timeout(LAST_WITHIN, self.way.ask()).await;
        let mut seen = self.way.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen).into_values().collect()
    }
}

impl Way {
    async fn ask(&self) {
        let Ok(pods) = pods(&self.cluster, &self.owner).await else { return };
        let mut used = usage(&self.cluster, &self.owner, &pods).await;
        let seconds = self.begun.elapsed().as_secs_f64();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for pod in pods {
            let Some(usage) = used.remove(&pod.name) else { continue };
            let known = seen
                .entry(pod.name.clone())
                .or_insert_with(|| PodUsage { pod: pod.clone(), samples: Vec::new() });
            known.pod = pod;
            known.push(Sample { seconds, usage });
        }
    }
}

impl PodUsage {
    /// The most that it used.
    #[must_use]
    pub fn peak(&self) -> Usage {
        let usages = self.samples.iter().map(|sample| sample.usage);
        usages.reduce(greater).unwrap_or_default()
    }

    fn push(&mut self, sample: Sample) {
        if self.samples.len() >= POINTS {
            let pair = |pair: &[Sample]| {
                let usages = pair.iter().map(|sample| sample.usage);
                let first = pair.first()?;
                Some(Sample { seconds: first.seconds, usage: usages.reduce(greater)? })
            };
            self.samples = self.samples.chunks(2).filter_map(pair).collect();
        }
        self.samples.push(sample);
    }
}

fn greater(one: Usage, other: Usage) -> Usage {
    Usage { cores: one.cores.max(other.cores), memory: one.memory.max(other.memory) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_keeps_few_points_and_every_peak() {
        let pod = PodState {
            name: "a".to_owned(),
            node: None,
            ready: true,
            state: String::new(),
            restarts: 0,
            images: Vec::new(),
            cores_limit: None,
            memory_limit: None,
        };
        let mut kept = PodUsage { pod, samples: Vec::new() };
        for second in 0..10_000_u32 {
            let usage = match second {
                1_234 => Usage { cores: 2.0, memory: 1 },
                7_001 => Usage { cores: 0.1, memory: 99 },
                _ => Usage { cores: 0.5, memory: 10 },
            };
            kept.push(Sample { seconds: second.into(), usage });
        }
        assert!(kept.samples.len() <= POINTS, "{}", kept.samples.len());
        assert_eq!(kept.peak(), Usage { cores: 2.0, memory: 99 });
        assert!(kept.samples.is_sorted_by(|a, b| a.seconds < b.seconds));
    }
}
