//! What the pods of a pipeline use of CPU and memory: asked of the metrics API, else of the kubelets.
//!
//! Both know no more than what the kubelet last measured, every 10 to 15 s.

mod sampler;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use hyper::Request;
use kube::Client;
use serde::Deserialize;

pub use sampler::{PodUsage, Sample, Sampler};

use super::pods::PodState;
use super::{Cluster, Owner};
use crate::spec::quantity;

/// Usage is no need: who does not say it within this time is not waited for.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// What a pod uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Cores.
    pub cores: f64,
    /// Bytes of memory that cannot be taken from it: its working set, which is what the limit holds against it.
    pub memory: u64,
}

/// What pods use, by name; nothing of those of which it is not known.
///
/// Who may ask neither the metrics API nor a kubelet gets nothing: usage is no need.
pub async fn usage(cluster: &Cluster, owner: &Owner, pods: &[PodState]) -> BTreeMap<String, Usage> {
    let mut known = from_metrics(cluster, owner).await.unwrap_or_default();
    known.retain(|name, _| pods.iter().any(|pod| pod.name == *name));
    if known.is_empty() {
        known = from_kubelets(cluster, pods).await;
    }
    known
}

/// The metrics API's list of pods (`metrics.k8s.io/v1beta1`).
#[derive(Deserialize)]
struct PodMetricsList {
    items: Vec<PodMetrics>,
}

#[derive(Deserialize)]
struct PodMetrics {
    metadata: Named,
    containers: Vec<ContainerMetrics>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(default)]
    namespace: String,
}

#[derive(Deserialize)]
struct ContainerMetrics {
    usage: Quantities,
}

#[derive(Deserialize)]
struct Quantities {
    cpu: String,
    memory: String,
}

/// A kubelet's summary (`stats/summary`).
#[derive(Deserialize)]
struct Summary {
    pods: Vec<PodStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodStats {
    pod_ref: Named,
    #[serde(default)]
    containers: Vec<ContainerStats>,
}

#[derive(Deserialize)]
struct ContainerStats {
    cpu: Option<CpuStats>,
    memory: Option<MemoryStats>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CpuStats {
    usage_nano_cores: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemoryStats {
    working_set_bytes: Option<u64>,
}

async fn from_metrics(cluster: &Cluster, owner: &Owner) -> Option<BTreeMap<String, Usage>> {
    let namespace = cluster.namespace();
    let selector: String = url::form_urlencoded::byte_serialize(owner.selector().as_bytes()).collect();
    let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods?labelSelector={selector}");
    let list: PodMetricsList = get(&cluster.client(), &path).await?;
    Some(list.items.into_iter().filter_map(|pod| Some((pod.metadata.name.clone(), pod.usage()?))).collect())
}

impl PodMetrics {
    fn usage(&self) -> Option<Usage> {
        self.containers.iter().try_fold(Usage::default(), |sum, ContainerMetrics { usage }| {
            Some(Usage {
                cores: sum.cores + quantity::cores(&usage.cpu)?,
                memory: sum.memory + quantity::bytes(&usage.memory)?,
            })
        })
    }
}

async fn from_kubelets(cluster: &Cluster, pods: &[PodState]) -> BTreeMap<String, Usage> {
    let nodes: BTreeSet<&str> = pods.iter().filter_map(|pod| pod.node.as_deref()).collect();
    let client = cluster.client();
    let asked = nodes.into_iter().map(|node| {
        let path = format!("/api/v1/nodes/{node}/proxy/stats/summary?only_cpu_and_memory=true");
        let client = &client;
        async move { get::<Summary>(client, &path).await }
    });
    let summaries = join_all(asked).await.into_iter().flatten();
    let stats = summaries.flat_map(|summary| summary.pods);
    let ours = stats.filter(|pod| pod.pod_ref.namespace == cluster.namespace());
    ours.filter_map(|pod| Some((pod.pod_ref.name.clone(), pod.usage()?))).collect()
}

impl PodStats {
    /// The sum of its containers: the pod's own figures are zero at first.
    fn usage(&self) -> Option<Usage> {
        let mut known = None;
        for container in &self.containers {
            let sum: &mut Usage = known.get_or_insert_default();
            let cores = container.cpu.as_ref().and_then(|cpu| cpu.usage_nano_cores).unwrap_or(0);
            #[expect(clippy::cast_precision_loss, reason = "a count of cores has few digits")]
            let cores = cores as f64 / 1e9;
            sum.cores += cores;
            sum.memory += container.memory.as_ref().and_then(|memory| memory.working_set_bytes).unwrap_or(0);
        }
        known.filter(|usage| usage.memory > 0)
    }
}

async fn get<T: serde::de::DeserializeOwned>(client: &Client, path: &str) -> Option<T> {
    let answer = client.request(Request::get(path).body(Vec::new()).ok()?);
    tokio::time::timeout(ANSWERS_WITHIN, answer).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_uses_what_its_containers_use() {
        let containers = json!([
            { "usage": { "cpu": "250m", "memory": "300Mi" } },
            { "usage": { "cpu": "1500000n", "memory": "1024Ki" } },
        ]);
        let pod: PodMetrics =
            serde_json::from_value(json!({ "metadata": { "name": "a" }, "containers": containers })).unwrap();
        assert_eq!(pod.usage(), Some(Usage { cores: 0.2515, memory: 301 << 20 }));
    }

    #[test]
    fn a_kubelets_summary_counts_by_container_and_what_is_not_measured_yet_is_not_known() {
        let stats = |containers: serde_json::Value| -> PodStats {
            let pod = json!({ "podRef": { "name": "a", "namespace": "b" }, "containers": containers });
            serde_json::from_value(pod).unwrap()
        };
        let measured =
            json!([{ "cpu": { "usageNanoCores": 500_000_000 }, "memory": { "workingSetBytes": 1024 } }]);
        assert_eq!(stats(measured).usage(), Some(Usage { cores: 0.5, memory: 1024 }));
        assert_eq!(stats(json!([{ "name": "kafka" }])).usage(), None);
        assert_eq!(stats(json!([])).usage(), None);
    }
}
