//! The pods of a pipeline, as they are.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::Api;
use kube::api::ListParams;
use serde::Serialize;

use super::{Cluster, Owner, RequestError};
use crate::spec::quantity;

/// A pod.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodState {
    /// Its name.
    pub name: String,
    /// The node that it runs on; none before it was given one.
    pub node: Option<String>,
    /// Whether all of its containers are ready.
    pub ready: bool,
    /// What it does: `Running`, or why it does not, such as `CrashLoopBackOff`.
    pub state: String,
    /// How often its containers were started again.
    pub restarts: u32,
    /// The images of its containers.
    pub images: Vec<String>,
    /// How many cores its containers may use; none where one of them has no limit.
    pub cores_limit: Option<f64>,
    /// How many bytes of memory its containers may use; none where one of them has no limit.
    pub memory_limit: Option<u64>,
}

/// The pods that bear the labels of a pipeline, by name.
///
/// # Errors
/// Where the API server does not answer, or does not let us.
pub async fn pods(cluster: &Cluster, owner: &Owner) -> Result<Vec<PodState>, RequestError> {
    let api = Api::<Pod>::namespaced(cluster.client(), cluster.namespace());
    let ours = ListParams::default().labels(&owner.selector());
    let found = cluster.ask(|| api.list(&ours)).await?;
    Ok(found.items.iter().map(PodState::of).collect())
}

impl PodState {
    fn of(pod: &Pod) -> Self {
        let status = pod.status.as_ref();
        let containers: &[ContainerStatus] =
            status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
        let specs = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
        let limits = |resource: &str| {
            let limit = |resources: Option<&k8s_openapi::api::core::v1::ResourceRequirements>| {
                Some(resources?.limits.as_ref()?.get(resource)?.0.clone())
            };
            specs.iter().map(|container| limit(container.resources.as_ref())).collect::<Option<Vec<_>>>()
        };
        let sum = |limits: Option<Vec<String>>, count: fn(&str) -> Option<f64>| {
            limits?.iter().map(|limit| count(limit)).sum::<Option<f64>>()
        };
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            ready: !containers.is_empty() && containers.iter().all(|container| container.ready),
            state: state(pod, containers),
            restarts: containers.iter().map(|one| u32::try_from(one.restart_count).unwrap_or(0)).sum(),
            images: specs.iter().filter_map(|container| container.image.clone()).collect(),
            cores_limit: sum(limits("cpu"), quantity::cores),
            memory_limit: limits("memory")
                .and_then(|limits| limits.iter().map(|limit| quantity::bytes(limit)).sum::<Option<u64>>()),
        }
    }
}

/// What a pod does, in the word that `kubectl get pods` would have.
fn state(pod: &Pod, containers: &[ContainerStatus]) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    let reason = |container: &ContainerStatus| {
        let state = container.state.as_ref()?;
        let waiting = state.waiting.as_ref().and_then(|waiting| waiting.reason.clone());
        waiting.or_else(|| state.terminated.as_ref().and_then(|ended| ended.reason.clone()))
    };
    let phase = || pod.status.as_ref().and_then(|status| status.phase.clone());
    containers.iter().find_map(reason).or_else(phase).unwrap_or_else(|| "Unknown".to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;

    fn pod(state: &Value, limits: &Value) -> PodState {
        let container =
            json!({ "name": "kafka", "image": "apache/kafka:3.9.1", "resources": { "limits": limits } });
        let status = json!({ "name": "kafka", "ready": false, "restartCount": 3, "state": state, "image": "", "imageID": "" });
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "a-kafka-0" },
            "spec": { "nodeName": "node1", "containers": [container] },
            "status": { "phase": "Running", "containerStatuses": [status] },
        }))
        .unwrap();
        PodState::of(&pod)
    }

    #[test]
    fn a_pod_that_waits_says_for_what() {
        let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        let pod = pod(&waiting, &json!({ "cpu": "500m", "memory": "1Gi" }));
        assert_eq!((pod.state.as_str(), pod.ready, pod.restarts), ("CrashLoopBackOff", false, 3));
        assert_eq!((pod.cores_limit, pod.memory_limit), (Some(0.5), Some(1 << 30)));
    }

    #[test]
    fn without_a_limit_there_is_none_to_show() {
        let pod = pod(&json!({ "running": {} }), &json!({ "memory": "1Gi" }));
        assert_eq!((pod.state.as_str(), pod.cores_limit), ("Running", None));
    }
}
