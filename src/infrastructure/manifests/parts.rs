//! What the manifests are put together from.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, ConfigMapVolumeSource, Container, ContainerPort, EmptyDirVolumeSource, EnvVar,
    EnvVarSource, ObjectFieldSelector, PersistentVolumeClaim, PersistentVolumeClaimSpec, PodSecurityContext,
    PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SeccompProfile, SecretKeySelector,
    SecurityContext, Service, ServicePort, ServiceSpec, TCPSocketAction, Volume, VolumeMount,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ObjectMeta;

use crate::infrastructure::endpoints::Names;
use crate::spec::{Resources, quantity};

/// The volume that takes what a server writes beside its data: configuration made at start, logs, `/tmp`.
const SCRATCH: &str = "scratch";
/// The volume that holds a server's data.
pub(super) const DATA: &str = "data";

/// One of a pipeline's servers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component<'a> {
    pub names: &'a Names,
    /// What it is, such as `kafka`: the label that tells it from the pipeline's others.
    pub name: &'a str,
}

impl Component<'_> {
    /// The labels that find its pods; they never change, for a stateful set's selector cannot.
    pub fn selector(&self) -> BTreeMap<String, String> {
        [
            ("app.kubernetes.io/instance", self.names.pipeline.as_str()),
            ("app.kubernetes.io/component", self.name),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    /// The labels of its objects and pods.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.names.owner().labels();
        labels.insert("app.kubernetes.io/name".to_owned(), self.name.to_owned());
        labels.extend(self.selector());
        labels
    }

    /// The metadata of one of its objects.
    pub fn metadata(&self, name: String) -> ObjectMeta {
        ObjectMeta {
            name: Some(name),
            namespace: Some(self.names.namespace.clone()),
            labels: Some(self.labels()),
            ..ObjectMeta::default()
        }
    }

    /// What finds its pods.
    pub fn label_selector(&self) -> LabelSelector {
        LabelSelector { match_labels: Some(self.selector()), ..LabelSelector::default() }
    }

    /// A service for its pods.
    pub fn service(&self, name: String, kind: ServiceKind, ports: &[(&str, u16)]) -> Service {
        let port = |(name, port): &(&str, u16)| ServicePort {
            name: Some((*name).to_owned()),
            port: i32::from(*port),
            target_port: Some(IntOrString::String((*name).to_owned())),
            ..ServicePort::default()
        };
        let spec = ServiceSpec {
            selector: Some(self.selector()),
            ports: Some(ports.iter().map(port).collect()),
            cluster_ip: (kind == ServiceKind::Headless).then(|| "None".to_owned()),
            // Brokers must find each other, and clients a broker that advertises its name, before any of them is ready.
            publish_not_ready_addresses: (kind == ServiceKind::Headless).then_some(true),
            ..ServiceSpec::default()
        };
        Service { metadata: self.metadata(name), spec: Some(spec), ..Service::default() }
    }

    /// Settings that pods mount as files.
    pub fn config_map(&self, name: String, files: &[(&str, &str)]) -> ConfigMap {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        ConfigMap { metadata: self.metadata(name), data: Some(files.collect()), ..ConfigMap::default() }
    }

    /// Its pods: one container, as an ordinary user, with nothing that it does not need.
    pub fn pod(
        &self,
        user: i64,
        grace_seconds: i64,
        container: Container,
        volumes: Vec<Volume>,
    ) -> PodTemplateSpec {
        let spec = PodSpec {
            containers: vec![container],
            volumes: Some(volumes),
            // A service called `neo4j` would set NEO4J_PORT…, which the server takes for a setting that it does not know.
            enable_service_links: Some(false),
            automount_service_account_token: Some(false),
            termination_grace_period_seconds: Some(grace_seconds),
            security_context: Some(pod_security(user)),
            ..PodSpec::default()
        };
        let metadata = ObjectMeta { labels: Some(self.labels()), ..ObjectMeta::default() };
        PodTemplateSpec { metadata: Some(metadata), spec: Some(spec) }
    }
}

/// The kinds of services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceKind {
    /// One address for all pods that are ready.
    Balanced,
    /// A name for each pod, ready or not.
    Headless,
}

/// Pod Security's `restricted`, for the pod. The image's user has to be numeric, or the kubelet cannot tell that it is not root.
pub(super) fn pod_security(user: i64) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(user),
        run_as_group: Some(user),
        fs_group: Some(user),
        fs_group_change_policy: Some("OnRootMismatch".to_owned()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".to_owned(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

/// Pod Security's `restricted`, for the container, with a root that cannot be written.
pub(super) fn container_security() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        capabilities: Some(Capabilities { drop: Some(vec!["ALL".to_owned()]), ..Capabilities::default() }),
        ..SecurityContext::default()
    }
}

pub(super) fn env(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.into()), ..EnvVar::default() }
}

pub(super) fn env_from_field(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector { field_path: path.to_owned(), ..ObjectFieldSelector::default() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value_from: Some(source), ..EnvVar::default() }
}

pub(super) fn env_from_secret(name: &str, secret: String, key: String) -> EnvVar {
    let key = SecretKeySelector { name: secret, key, ..SecretKeySelector::default() };
    let source = EnvVarSource { secret_key_ref: Some(key), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value_from: Some(source), ..EnvVar::default() }
}

pub(super) fn container_ports(ports: &[(&str, u16)]) -> Vec<ContainerPort> {
    let port = |(name, port): &(&str, u16)| ContainerPort {
        name: Some((*name).to_owned()),
        container_port: i32::from(*port),
        ..ContainerPort::default()
    };
    ports.iter().map(port).collect()
}

/// A probe that connects to a port.
pub(super) fn connects(port: &str) -> Probe {
    let socket = TCPSocketAction { port: IntOrString::String(port.to_owned()), ..TCPSocketAction::default() };
    Probe { tcp_socket: Some(socket), ..Probe::default() }
}

/// Asks a probe every so many seconds, until it failed so many times.
pub(super) fn every(probe: Probe, seconds: i32, failures: i32) -> Probe {
    Probe { period_seconds: Some(seconds), failure_threshold: Some(failures), ..probe }
}

/// The memory that a server may use, in bytes, where [`resources`] are these.
pub(super) fn memory_limit(given: &Resources, requests: &[(&str, &str)], limits: &[(&str, &str)]) -> u64 {
    let limits = resources(given, requests, limits).limits.unwrap_or_default();
    limits.get("memory").and_then(|limit| quantity::bytes(&limit.0)).unwrap_or_default()
}

/// How a JVM shares a limit of memory: half of it for the heap, which begins with no more than so many MiB.
pub(super) fn heap(limit: u64, first: u64) -> String {
    let heap = limit / 2 / (1 << 20);
    format!("-Xms{}m -Xmx{heap}m", heap.min(first))
}

/// Requests and limits: those of the file, and these where it has none. A request above its limit is refused, so where the file has
/// one of them, the default of the other gives way.
pub(super) fn resources(
    given: &Resources,
    requests: &[(&str, &str)],
    limits: &[(&str, &str)],
) -> ResourceRequirements {
    let mut all_requests = quantities(&given.requests, requests);
    let mut all_limits = quantities(&given.limits, limits);
    for (key, request) in &mut all_requests {
        let Some(limit) = all_limits.get_mut(key) else { continue };
        if !exceeds(key, &request.0, &limit.0) {
            continue;
        }
        match (given.requests.contains_key(key), given.limits.contains_key(key)) {
            (false, _) => *request = limit.clone(),
            (true, false) => *limit = request.clone(),
            (true, true) => {}
        }
    }
    ResourceRequirements {
        requests: Some(all_requests),
        limits: Some(all_limits),
        ..ResourceRequirements::default()
    }
}

fn exceeds(key: &str, request: &str, limit: &str) -> bool {
    match key {
        "cpu" => quantity::cores(request) > quantity::cores(limit),
        _ => quantity::bytes(request) > quantity::bytes(limit),
    }
}

fn quantities(
    given: &indexmap::IndexMap<String, String>,
    defaults: &[(&str, &str)],
) -> BTreeMap<String, Quantity> {
    let defaults = defaults.iter().map(|(key, value)| ((*key).to_owned(), Quantity((*value).to_owned())));
    let mut all: BTreeMap<String, Quantity> = defaults.collect();
    all.extend(given.iter().map(|(key, value)| (key.clone(), Quantity(value.clone()))));
    all
}

/// A place that the container may write to, gone with the pod.
pub(super) fn scratch(path: &str, folder: &str) -> VolumeMount {
    mount(SCRATCH, path, folder)
}

/// A place that outlasts the pod. A folder of the volume: its root may hold what a file system keeps there.
pub(super) fn data(path: &str, folder: &str) -> VolumeMount {
    mount(DATA, path, folder)
}

fn mount(volume: &str, path: &str, folder: &str) -> VolumeMount {
    VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        sub_path: Some(folder.to_owned()),
        ..VolumeMount::default()
    }
}

pub(super) fn scratch_volume() -> Volume {
    Volume { name: SCRATCH.to_owned(), empty_dir: Some(EmptyDirVolumeSource::default()), ..Volume::default() }
}

/// A config map as a folder of files, and where the container sees it.
pub(super) fn files(volume: &str, config_map: String, path: &str) -> (Volume, VolumeMount) {
    let source = ConfigMapVolumeSource { name: config_map, ..ConfigMapVolumeSource::default() };
    let mount = VolumeMount {
        name: volume.to_owned(),
        mount_path: path.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    (Volume { name: volume.to_owned(), config_map: Some(source), ..Volume::default() }, mount)
}

/// The claim of each pod's data volume.
pub(super) fn data_claim(component: Component<'_>, storage: &str) -> PersistentVolumeClaim {
    let requests = [("storage".to_owned(), Quantity(storage.to_owned()))].into();
    let spec = PersistentVolumeClaimSpec {
        access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
        resources: Some(VolumeResourceRequirements {
            requests: Some(requests),
            ..VolumeResourceRequirements::default()
        }),
        ..PersistentVolumeClaimSpec::default()
    };
    let metadata = ObjectMeta {
        name: Some(DATA.to_owned()),
        // A claim is made once and outlasts its set, so it bears what never changes and whose it is.
        labels: Some(component.labels()),
        ..ObjectMeta::default()
    };
    PersistentVolumeClaim { metadata, spec: Some(spec), ..PersistentVolumeClaim::default() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_default_gives_way_to_the_quantity_that_the_file_has() {
        let made = |given: Value| {
            let given = serde_json::from_value(given).unwrap();
            let defaults = ([("cpu", "100m"), ("memory", "768Mi")], [("memory", "1Gi")]);
            json!(resources(&given, &defaults.0, &defaults.1))
        };
        let small = json!({ "limits": { "memory": "64Mi", "cpu": "0.05" } });
        assert_eq!(made(small)["requests"], json!({ "cpu": "0.05", "memory": "64Mi" }));
        let large = json!({ "requests": { "memory": "4Gi" } });
        assert_eq!(made(large)["limits"], json!({ "memory": "4Gi" }));
        let usual = made(json!({}));
        assert_eq!(usual["requests"], json!({ "cpu": "100m", "memory": "768Mi" }));
        assert_eq!(usual["limits"], json!({ "memory": "1Gi" }));
    }
}
