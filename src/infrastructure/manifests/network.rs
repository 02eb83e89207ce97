//! Who may talk to whom: a pipeline's servers take connections from the pipeline's own pods, and from nobody else in the cluster.
//!
//! A port-forward reaches a pod from within, so that no policy stands in its way; whoever may forward is a matter of roles.

use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ManifestError;
use super::parts::Component;
use crate::infrastructure::endpoints::Names;
use crate::infrastructure::object::PIPELINE_LABEL;
use crate::infrastructure::{Object, Wave};

pub(super) fn policy(
    names: &Names,
    component: &str,
    name: String,
    ports: &[u16],
) -> Result<Object, ManifestError> {
    let component = Component { names, name: component };
    let ours = [(PIPELINE_LABEL.to_owned(), names.pipeline.clone())].into();
    let peers = LabelSelector { match_labels: Some(ours), ..LabelSelector::default() };
    let port = |port: &u16| NetworkPolicyPort {
        port: Some(IntOrString::Int(i32::from(*port))),
        protocol: Some("TCP".to_owned()),
        ..NetworkPolicyPort::default()
    };
    let rule = NetworkPolicyIngressRule {
        from: Some(vec![NetworkPolicyPeer { pod_selector: Some(peers), ..NetworkPolicyPeer::default() }]),
        ports: Some(ports.iter().map(port).collect()),
    };
    let spec = NetworkPolicySpec {
        pod_selector: Some(component.label_selector()),
        policy_types: Some(vec!["Ingress".to_owned()]),
        ingress: Some(vec![rule]),
        ..NetworkPolicySpec::default()
    };
    let policy = NetworkPolicy { metadata: component.metadata(name), spec: Some(spec) };
    Ok(Object::typed(Wave::Settings, &policy)?)
}
