//! Kafka's brokers, in both modes: a stateful set whose pods also listen for clients that come through a forward.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{Container, EnvVar, VolumeMount};
use k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::ObjectMeta;
use sha2::{Digest as _, Sha256};

use super::parts::{self, Component, ServiceKind, env};
use super::{ManifestError, zookeeper};
use crate::infrastructure::endpoints::{CONTROLLER_PORT, FORWARD_PORT, KAFKA_PORT, Names, ZOOKEEPER_PORT};
use crate::infrastructure::object::{KAFKA_BROKERS, KAFKA_MODE};
use crate::infrastructure::{Object, Wave};
use crate::spec::{Forward, Kafka, KafkaMode};

/// The user of both images.
pub(super) const USER: i64 = 1000;
/// Where the JVM's settings are mounted.
pub(super) const SETTINGS: &str = "/etc/runner";
/// A JVM keeps an address for 30 s and "no such name" for 10 s; a pod that starts again has another address, and one that
/// starts asks for its own name before it exists.
pub(super) const JAVA_SECURITY: &str = "networkaddress.cache.ttl=1\nnetworkaddress.cache.negative.ttl=0\n";
/// How many seconds a broker waits for `ZooKeeper`.
const ZOOKEEPER_WITHIN: i32 = 300;
const REQUESTS: [(&str, &str); 2] = [("cpu", "100m"), ("memory", "768Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "1Gi")];

/// The image that goes with a mode, where the file names none.
pub(super) const fn image(mode: KafkaMode) -> &'static str {
    match mode {
        KafkaMode::Kraft => "apache/kafka:3.9.1",
        KafkaMode::Zookeeper => "confluentinc/cp-kafka:7.3.3",
    }
}

pub(super) fn objects(names: &Names, spec: &Kafka, forward: &Forward) -> Result<Vec<Object>, ManifestError> {
    let component = Component { names, name: "kafka" };
    let client = [("client", KAFKA_PORT)];
    let settings = component.config_map(settings_name(names), &[("java.security", JAVA_SECURITY)]);
    let mut objects = vec![
        Object::typed(Wave::Settings, &settings)?,
        Object::typed(Wave::Network, &component.service(names.kafka(), ServiceKind::Balanced, &client))?,
        Object::typed(
            Wave::Network,
            &component.service(names.brokers(), ServiceKind::Headless, &ports(spec.mode)),
        )?,
        Object::typed(Wave::Servers, &brokers(component, spec, forward))?,
    ];
    if spec.brokers > 1 {
        objects.push(Object::typed(Wave::Network, &disruption_budget(component))?);
    }
    if spec.mode == KafkaMode::Zookeeper {
        objects.extend(zookeeper::objects(names)?);
    }
    Ok(objects)
}

fn settings_name(names: &Names) -> String {
    format!("{}-jvm", names.kafka())
}

fn ports(mode: KafkaMode) -> Vec<(&'static str, u16)> {
    let mut ports = vec![("client", KAFKA_PORT), ("forward", FORWARD_PORT)];
    if mode == KafkaMode::Kraft {
        ports.push(("controller", CONTROLLER_PORT));
    }
    ports
}

/// One broker at a time may be taken from its node. A single broker has no budget: it would keep its node from being drained.
fn disruption_budget(component: Component<'_>) -> PodDisruptionBudget {
    let spec = PodDisruptionBudgetSpec {
        max_unavailable: Some(IntOrString::Int(1)),
        selector: Some(component.label_selector()),
        ..PodDisruptionBudgetSpec::default()
    };
    PodDisruptionBudget {
        metadata: component.metadata(component.names.kafka()),
        spec: Some(spec),
        ..PodDisruptionBudget::default()
    }
}

fn brokers(component: Component<'_>, spec: &Kafka, forward: &Forward) -> StatefulSet {
    let names = component.names;
    let (settings, settings_mount) = parts::files("settings", settings_name(names), SETTINGS);
    let mut mounts = mounts(spec.mode);
    mounts.push(settings_mount);
    let container = Container {
        name: "kafka".to_owned(),
        image: Some(spec.image.clone().unwrap_or_else(|| image(spec.mode).to_owned())),
        command: Some(vec!["sh".to_owned(), "-c".to_owned()]),
        args: Some(vec![start(names, spec.mode, forward)]),
        env: Some(environment(names, spec)),
        ports: Some(parts::container_ports(&ports(spec.mode))),
        startup_probe: Some(parts::every(parts::connects("client"), 1, starts_within(spec.mode))),
        readiness_probe: Some(parts::every(parts::connects("client"), 5, 3)),
        liveness_probe: Some(parts::every(parts::connects("client"), 10, 6)),
        resources: Some(parts::resources(&spec.resources, &REQUESTS, &LIMITS)),
        security_context: Some(parts::container_security()),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    let mut claim = parts::data_claim(component, &spec.storage);
    // The volumes outlast the set, and bear the marks for the next one.
    claim.metadata.annotations = Some(written_for(spec));
    let set = StatefulSetSpec {
        service_name: Some(names.brokers()),
        replicas: i32::try_from(spec.brokers).ok(),
        // The controllers need each other before any of them is ready.
        pod_management_policy: Some("Parallel".to_owned()),
        selector: component.label_selector(),
        template: component.pod(USER, 30, container, vec![parts::scratch_volume(), settings]),
        volume_claim_templates: Some(vec![claim]),
        ..StatefulSetSpec::default()
    };
    let metadata = ObjectMeta { annotations: Some(written_for(spec)), ..component.metadata(names.kafka()) };
    StatefulSet { metadata, spec: Some(set), ..StatefulSet::default() }
}

/// What the brokers' volumes are written for. The voters of a quorum are static: brokers that come to one may agree without it that
/// the cluster is empty, and then its own topics go.
fn written_for(spec: &Kafka) -> BTreeMap<String, String> {
    let mode = match spec.mode {
        KafkaMode::Kraft => "kraft",
        KafkaMode::Zookeeper => "zookeeper",
    };
    [(KAFKA_BROKERS, spec.brokers.to_string()), (KAFKA_MODE, mode.to_owned())]
        .map(|(key, value)| (key.to_owned(), value))
        .into()
}

/// How many seconds a broker may take until its listener opens, when it has caught up with the cluster's metadata; after a crash it looks
/// through its logs first. In that mode it waits for `ZooKeeper` before.
const fn starts_within(mode: KafkaMode) -> i32 {
    match mode {
        KafkaMode::Kraft => 180,
        KafkaMode::Zookeeper => ZOOKEEPER_WITHIN + 180,
    }
}

/// How a broker starts: its addresses depend on its ordinal, which no environment variable of a set can count with.
fn start(names: &Names, mode: KafkaMode, forward: &Forward) -> String {
    let run = match mode {
        KafkaMode::Kraft => "/etc/kafka/docker/run",
        KafkaMode::Zookeeper => "/etc/confluent/docker/run",
    };
    let host = names.host(&names.brokers());
    format!(
        "export KAFKA_ADVERTISED_LISTENERS=\"CLIENT://$HOSTNAME.{host}:{KAFKA_PORT},FORWARD://127.0.0.1:$(({} + ORDINAL))\"; exec {run}",
        forward.kafka
    )
}

fn environment(names: &Names, spec: &Kafka) -> Vec<EnvVar> {
    let replicas = spec.brokers.min(3).to_string();
    // With three replicas a write waits for two; with fewer, one is all there may be.
    let in_sync = if spec.brokers >= 3 { "2" } else { "1" };
    let mut variables = vec![
        parts::env_from_field("ORDINAL", "metadata.labels['apps.kubernetes.io/pod-index']"),
        env("KAFKA_HEAP_OPTS", heap(spec)),
        env("KAFKA_OPTS", format!("-Djava.security.properties={SETTINGS}/java.security")),
        env("KAFKA_INTER_BROKER_LISTENER_NAME", "CLIENT"),
        env("KAFKA_DEFAULT_REPLICATION_FACTOR", replicas.clone()),
        env("KAFKA_MIN_INSYNC_REPLICAS", in_sync),
        env("KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR", replicas.clone()),
        env("KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", replicas),
        env("KAFKA_TRANSACTION_STATE_LOG_MIN_ISR", in_sync),
        env("KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS", "0"),
        // A topic is made by who declares it, with its partitions; never by a client that mistypes a name.
        env("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false"),
        env("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN"),
    ];
    match spec.mode {
        KafkaMode::Kraft => variables.extend(kraft(names, spec.brokers)),
        KafkaMode::Zookeeper => variables.extend([
            parts::env_from_field("KAFKA_BROKER_ID", "metadata.labels['apps.kubernetes.io/pod-index']"),
            env("KAFKA_ZOOKEEPER_CONNECT", format!("{}:{ZOOKEEPER_PORT}", names.host(&names.zookeeper()))),
            // The image gives ZooKeeper 40 s, and its volume may take longer.
            env("KAFKA_CUB_ZK_TIMEOUT", ZOOKEEPER_WITHIN.to_string()),
            env("KAFKA_LISTENERS", format!("CLIENT://:{KAFKA_PORT},FORWARD://:{FORWARD_PORT}")),
            env("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "CLIENT:PLAINTEXT,FORWARD:PLAINTEXT"),
        ]),
    }
    variables
}

/// What a node of Kafka's own quorum has beside: every node is broker and controller.
fn kraft(names: &Names, brokers: u32) -> Vec<EnvVar> {
    let host = names.host(&names.brokers());
    let voter = |ordinal| format!("{ordinal}@{}.{host}:{CONTROLLER_PORT}", names.broker(ordinal));
    let voters: Vec<String> = (0..brokers).map(voter).collect();
    vec![
        parts::env_from_field("KAFKA_NODE_ID", "metadata.labels['apps.kubernetes.io/pod-index']"),
        env("CLUSTER_ID", cluster_id(names)),
        env("KAFKA_PROCESS_ROLES", "broker,controller"),
        env("KAFKA_CONTROLLER_QUORUM_VOTERS", voters.join(",")),
        env("KAFKA_CONTROLLER_LISTENER_NAMES", "CONTROLLER"),
        env(
            "KAFKA_LISTENERS",
            format!("CLIENT://:{KAFKA_PORT},CONTROLLER://:{CONTROLLER_PORT},FORWARD://:{FORWARD_PORT}"),
        ),
        env(
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,FORWARD:PLAINTEXT",
        ),
        env("KAFKA_LOG_DIRS", "/var/lib/kafka/data/log"),
    ]
}

/// The cluster's identity: the same whenever the pipeline is deployed to the namespace, for the volumes hold it.
///
/// Kafka's form: 16 bytes in URL-safe base64. The first bit is 0, so that no id begins with the `-` of an option.
fn cluster_id(names: &Names) -> String {
    let digest = Sha256::digest(format!("{}/{}", names.namespace, names.pipeline));
    let mut id: Vec<u8> = digest.iter().copied().take(16).collect();
    if let Some(first) = id.first_mut() {
        *first &= 0x7f;
    }
    URL_SAFE_NO_PAD.encode(id)
}

/// Half of the memory for the heap; the rest is the JVM's own, and the page cache that serves what was just written.
fn heap(spec: &Kafka) -> String {
    parts::heap(parts::memory_limit(&spec.resources, &REQUESTS, &LIMITS), 256)
}

/// What is written: the data, and with a read-only root also where the images write at their start.
fn mounts(mode: KafkaMode) -> Vec<VolumeMount> {
    match mode {
        KafkaMode::Kraft => vec![
            parts::data("/var/lib/kafka/data", "kafka"),
            parts::scratch("/opt/kafka/config", "config"),
            parts::scratch("/opt/kafka/logs", "logs"),
            parts::scratch("/tmp", "tmp"),
        ],
        KafkaMode::Zookeeper => vec![
            parts::data("/var/lib/kafka/data", "kafka"),
            parts::scratch("/etc/kafka", "etc"),
            parts::scratch("/var/log/kafka", "logs"),
            parts::scratch("/tmp", "tmp"),
        ],
    }
}
