//! Which pod stands behind a service.

use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ListParams;
use kube::{Api, Client};

use super::tunnel::TunnelError;
use crate::infrastructure::diagnose::is_ready;

/// A pod that is ready behind a service, and the port that its container listens on.
pub(super) async fn behind(
    client: &Client,
    namespace: &str,
    service: &str,
    port: u16,
) -> Result<(String, u16), TunnelError> {
    let found = Api::<Service>::namespaced(client.clone(), namespace).get(service).await?;
    let selector = selector(&found);
    let pods = Api::<Pod>::namespaced(client.clone(), namespace);
    let pods = match &selector {
        Some(selector) => pods.list(&ListParams::default().labels(selector)).await?.items,
        None => Vec::new(),
    };
    choose(&found, port, &pods).ok_or(TunnelError::NoPod)
}

/// The labels of a service's pods; none where somebody else names its addresses.
fn selector(service: &Service) -> Option<String> {
    let labels = service.spec.as_ref()?.selector.as_ref().filter(|labels| !labels.is_empty())?;
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Some(pairs.join(","))
}

/// The first pod by name that is ready, and its port.
fn choose(service: &Service, port: u16, pods: &[Pod]) -> Option<(String, u16)> {
    let ready = pods.iter().filter(|pod| is_ready(pod));
    let pod = ready.min_by_key(|pod| pod.metadata.name.as_deref())?;
    let ports = service.spec.as_ref()?.ports.as_ref()?;
    let target = ports.iter().find(|one| one.port == i32::from(port))?.target_port.as_ref();
    let port = match target {
        None => port,
        Some(IntOrString::Int(number)) => u16::try_from(*number).ok()?,
        Some(IntOrString::String(name)) => {
            let containers = &pod.spec.as_ref()?.containers;
            let mut ports = containers.iter().flat_map(|container| container.ports.iter().flatten());
            let named = ports.find(|port| port.name.as_deref() == Some(name))?;
            u16::try_from(named.container_port).ok()?
        }
    };
    Some((pod.metadata.name.clone()?, port))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn service(target: &serde_json::Value) -> Service {
        let ports = json!([{ "port": 80 }, { "port": 7687, "targetPort": target }]);
        serde_json::from_value(
            json!({ "spec": { "selector": { "app": "neo4j", "a": "b" }, "ports": ports } }),
        )
        .unwrap()
    }

    fn pod(name: &str, ready: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": name },
            "spec": { "containers": [{ "name": "neo4j", "ports": [{ "name": "bolt", "containerPort": 17687 }] }] },
            "status": { "conditions": [{ "type": "Initialized", "status": "True" }, { "type": "Ready", "status": ready }] },
        }))
        .unwrap()
    }

    #[test]
    fn the_first_ready_pod_is_chosen_and_the_name_of_a_port_looked_up_in_it() {
        let pods = [pod("neo4j-2", "True"), pod("neo4j-1", "True"), pod("neo4j-0", "False")];
        assert_eq!(choose(&service(&json!("bolt")), 7687, &pods), Some(("neo4j-1".to_owned(), 17687)));
        assert_eq!(choose(&service(&json!(7474)), 7687, &pods), Some(("neo4j-1".to_owned(), 7474)));
        assert_eq!(choose(&service(&json!("bolt")), 80, &pods), Some(("neo4j-1".to_owned(), 80)));
        assert_eq!(choose(&service(&json!("http")), 7687, &pods), None);
    }

    #[test]
    fn a_pod_that_is_asked_to_go_is_not_chosen() {
        let mut going = pod("neo4j-0", "True");
        going.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-24T12:00:00Z")).unwrap();
        assert_eq!(choose(&service(&json!("bolt")), 7687, &[going]), None);
    }

    #[test]
    fn a_service_selects_by_all_of_its_labels() {
        assert_eq!(selector(&service(&json!(1))).as_deref(), Some("a=b,app=neo4j"));
        assert_eq!(selector(&Service::default()), None);
    }
}
