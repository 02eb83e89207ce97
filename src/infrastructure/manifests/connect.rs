//! Kafka Connect: a worker with the Neo4j sink, for pipelines whose mapping it loads.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};
use k8s_openapi::api::core::v1::{
    Container, EnvVar, HTTPGetAction, KeyToPath, Probe, SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ManifestError;
use super::kafka::{JAVA_SECURITY, SETTINGS, USER};
use super::parts::{self, Component, ServiceKind, env};
use crate::infrastructure::endpoints::{CONNECT_PORT, Names};
use crate::infrastructure::{Object, Wave};
use crate::spec::{Connect, Kafka, Kubernetes, Neo4j, SecretKey};

/// The image where the file names none: the one of the brokers' release, with `confluent-hub` and `curl` in it.
const IMAGE: &str = "confluentinc/cp-kafka-connect-base:7.3.3";
/// Where the init container puts the plugins.
const PLUGINS: &str = "/plugins";
/// Where the worker finds the password for Neo4j.
const PASSWORD: &str = "/etc/runner-neo4j";
const REQUESTS: [(&str, &str); 2] = [("cpu", "100m"), ("memory", "768Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "1Gi")];

/// Installs each argument: a jar by its address, or a plugin of Confluent Hub by owner, name and version.
const INSTALL: &str = r#"for plugin; do
  case $plugin in
    http*) curl --fail --silent --show-error --location --retry 5 --output "/plugins/${plugin##*/}" "$plugin" ;;
    *) confluent-hub install --no-prompt --component-dir /plugins --worker-configs /dev/null "$plugin" ;;
  esac || exit 1
done
"#;

/// What stands for Neo4j's password in a connector's configuration: the worker reads it from the Secret that it mounts, so that
/// its REST interface and its topics show this reference only. None where the file's password is in no Secret.
#[must_use]
pub fn password_reference(names: &Names, neo4j: &Neo4j) -> Option<String> {
    secret(names, neo4j).map(|secret| format!("${{directory:{PASSWORD}:{}}}", secret.key))
}

/// The Secret with the password of the Neo4j that the sink writes to.
fn secret(names: &Names, neo4j: &Neo4j) -> Option<SecretKey> {
    match &neo4j.existing {
        Some(existing) => existing.password_from.as_ref()?.secret.clone(),
        None => Some(super::password(names, neo4j)),
    }
}

pub(super) fn objects(
    names: &Names,
    spec: &Connect,
    kubernetes: &Kubernetes,
) -> Result<Vec<Object>, ManifestError> {
    let component = Component { names, name: "connect" };
    let ports = [("http", CONNECT_PORT)];
    let settings = component.config_map(settings_name(names), &[("java.security", JAVA_SECURITY)]);
    Ok(vec![
        Object::typed(Wave::Settings, &settings)?,
        Object::typed(Wave::Network, &component.service(names.connect(), ServiceKind::Balanced, &ports))?,
        Object::typed(Wave::Workers, &worker(component, spec, kubernetes))?,
    ])
}

fn settings_name(names: &Names) -> String {
    format!("{}-jvm", names.connect())
}

fn worker(component: Component<'_>, spec: &Connect, kubernetes: &Kubernetes) -> Deployment {
    let names = component.names;
    let image = spec.image.clone().unwrap_or_else(|| IMAGE.to_owned());
    let (settings, settings_mount) = parts::files("settings", settings_name(names), SETTINGS);
    let mut volumes = vec![parts::scratch_volume(), settings];
    let mut mounts = vec![
        parts::scratch("/etc/kafka-connect", "etc"),
        parts::scratch("/var/log/kafka", "logs"),
        parts::scratch("/tmp", "tmp"),
        settings_mount,
    ];
    let secret = secret(names, &kubernetes.neo4j);
    if let Some(secret) = &secret {
        let (volume, mount) = password(secret);
        volumes.push(volume);
        mounts.push(mount);
    }
    if !spec.plugins.is_empty() {
        mounts.push(VolumeMount { read_only: Some(true), ..parts::scratch(PLUGINS, "plugins") });
    }
    let container = Container {
        name: "connect".to_owned(),
        image: Some(image.clone()),
        env: Some(environment(names, spec, &kubernetes.kafka, secret.is_some())),
        ports: Some(parts::container_ports(&[("http", CONNECT_PORT)])),
        // It answers when it has read the topics of its group; at first it looks through all plugins.
        startup_probe: Some(parts::every(lists_connectors(), 1, 300)),
        readiness_probe: Some(parts::every(lists_connectors(), 5, 3)),
        // While the group shares its tasks out anew, a worker lives but answers nothing.
        liveness_probe: Some(parts::every(parts::connects("http"), 10, 12)),
        resources: Some(parts::resources(&spec.resources, &REQUESTS, &LIMITS)),
        security_context: Some(parts::container_security()),
        volume_mounts: Some(mounts),
        ..Container::default()
    };
    let mut pod = component.pod(USER, 60, container, volumes);
    if let Some(pod) = pod.spec.as_mut().filter(|_| !spec.plugins.is_empty()) {
        pod.init_containers = Some(vec![install(spec, image)]);
    }
    let deployment = DeploymentSpec {
        replicas: Some(1),
        selector: component.label_selector(),
        // A worker that cannot start must not be what its successor waits for, and two of them would share the tasks out.
        strategy: Some(DeploymentStrategy {
            type_: Some("Recreate".to_owned()),
            ..DeploymentStrategy::default()
        }),
        template: pod,
        ..DeploymentSpec::default()
    };
    Deployment {
        metadata: component.metadata(names.connect()),
        spec: Some(deployment),
        ..Deployment::default()
    }
}

/// The container that brings the plugins into the pod before the worker looks for them.
fn install(spec: &Connect, image: String) -> Container {
    let mut args = vec!["install".to_owned()];
    args.extend(spec.plugins.iter().cloned());
    Container {
        name: "plugins".to_owned(),
        image: Some(image),
        command: Some(vec!["sh".to_owned(), "-c".to_owned(), INSTALL.to_owned()]),
        args: Some(args),
        resources: Some(parts::resources(&spec.resources, &REQUESTS, &LIMITS)),
        security_context: Some(parts::container_security()),
        volume_mounts: Some(vec![parts::scratch(PLUGINS, "plugins"), parts::scratch("/tmp", "tmp")]),
        ..Container::default()
    }
}

/// The password as a file that only the worker's group reads.
fn password(secret: &SecretKey) -> (Volume, VolumeMount) {
    const NAME: &str = "neo4j";
    let item = KeyToPath { key: secret.key.clone(), path: secret.key.clone(), ..KeyToPath::default() };
    let source = SecretVolumeSource {
        secret_name: Some(secret.name.clone()),
        items: Some(vec![item]),
        default_mode: Some(0o440),
        ..SecretVolumeSource::default()
    };
    let mount = VolumeMount {
        name: NAME.to_owned(),
        mount_path: PASSWORD.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    (Volume { name: NAME.to_owned(), secret: Some(source), ..Volume::default() }, mount)
}

fn lists_connectors() -> Probe {
    let get = HTTPGetAction {
        path: Some("/connectors".to_owned()),
        port: IntOrString::String("http".to_owned()),
        ..HTTPGetAction::default()
    };
    Probe { http_get: Some(get), timeout_seconds: Some(5), ..Probe::default() }
}

/// `CONNECT_A_B` sets `a.b`.
fn environment(names: &Names, spec: &Connect, kafka: &Kafka, has_secret: bool) -> Vec<EnvVar> {
    let existing = kafka.existing.as_ref().map(|existing| existing.bootstrap.clone());
    let topic = |what: &str| format!("_{}-{what}", names.connect());
    let mut plugins = "/usr/share/java,/usr/share/confluent-hub-components".to_owned();
    if !spec.plugins.is_empty() {
        plugins.push(',');
        plugins.push_str(PLUGINS);
    }
    let mut variables = vec![
        parts::env_from_field("POD_IP", "status.podIP"),
        env("CONNECT_REST_ADVERTISED_HOST_NAME", "$(POD_IP)"),
        env("CONNECT_BOOTSTRAP_SERVERS", existing.unwrap_or_else(|| names.bootstrap())),
        env("CONNECT_GROUP_ID", names.connect()),
        env("CONNECT_CONFIG_STORAGE_TOPIC", topic("configs")),
        env("CONNECT_OFFSET_STORAGE_TOPIC", topic("offsets")),
        env("CONNECT_STATUS_STORAGE_TOPIC", topic("status")),
        // As many copies as the brokers make of a topic whose maker has no opinion.
        env("CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR", "-1"),
        env("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "-1"),
        env("CONNECT_STATUS_STORAGE_REPLICATION_FACTOR", "-1"),
        env("CONNECT_KEY_CONVERTER", "org.apache.kafka.connect.storage.StringConverter"),
        env("CONNECT_VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        env("CONNECT_VALUE_CONVERTER_SCHEMAS_ENABLE", "false"),
        // A run ends when the sink has committed the topic's last offset, which it does this often.
        env("CONNECT_OFFSET_FLUSH_INTERVAL_MS", "5000"),
        env("CONNECT_PLUGIN_PATH", plugins),
        // The image gives the brokers 40 s, and their volumes may take longer.
        env("CONNECT_CUB_KAFKA_TIMEOUT", "300"),
        env("KAFKA_HEAP_OPTS", heap(spec)),
        env("KAFKA_OPTS", format!("-Djava.security.properties={SETTINGS}/java.security")),
        env("CONNECT_LOG4J_ROOT_LOGLEVEL", "WARN"),
    ];
    if has_secret {
        let class = "org.apache.kafka.common.config.provider.DirectoryConfigProvider";
        variables.push(env("CONNECT_CONFIG_PROVIDERS", "directory"));
        variables.push(env("CONNECT_CONFIG_PROVIDERS_DIRECTORY_CLASS", class));
    }
    variables
}

/// Half of the memory for the heap; the JVM's own, with the classes of all plugins, takes some 300 MiB.
fn heap(spec: &Connect) -> String {
    parts::heap(parts::memory_limit(&spec.resources, &REQUESTS, &LIMITS), 128)
}
