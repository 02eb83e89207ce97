//! `infrastructure:` where Kafka and Neo4j are.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SecretSource;

/// Where Kafka and Neo4j are: exactly one of the keys; none means embedded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Infrastructure {
    /// No server at all: the topic in process, the graph in a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedded: Option<Embedded>,
    /// Servers that exist already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// Servers that runner deploys to a Kubernetes cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<Kubernetes>,
}

/// No server at all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Embedded {
    /// The folder that keeps the graph; `--state-dir` goes before it. Without either, the platform's data folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
}

/// Servers that exist already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct External {
    /// The Kafka cluster.
    pub kafka: ExternalKafka,
    /// The Neo4j server.
    pub neo4j: ExternalNeo4j,
    /// The Kafka Connect worker, for `mapping.loader: connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<ExistingConnect>,
}

/// A Kafka cluster that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalKafka {
    /// `host:port`, several joined by commas.
    #[schemars(length(min = 1))]
    pub bootstrap: String,
    /// How the connection is secured.
    #[serde(default)]
    pub security: KafkaSecurity,
}

/// How a Kafka connection is secured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KafkaSecurity {
    /// Kafka's `security.protocol`.
    #[serde(default)]
    pub protocol: SecurityProtocol,
    /// Who logs in, with the SASL protocols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sasl: Option<Sasl>,
    /// Certificates, with the SSL protocols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// Kafka's security protocols.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SecurityProtocol {
    /// Neither encrypted nor authenticated.
    #[default]
    Plaintext,
    /// Encrypted.
    Ssl,
    /// Authenticated.
    SaslPlaintext,
    /// Encrypted and authenticated.
    SaslSsl,
}

/// Who logs in to Kafka.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Sasl {
    /// Kafka's `sasl.mechanism`.
    pub mechanism: SaslMechanism,
    /// The user.
    pub username: String,
    /// Where the password is.
    pub password_from: SecretSource,
}

/// Kafka's SASL mechanisms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SaslMechanism {
    /// The password in clear: only over TLS.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Salted challenge and response, SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge and response, SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

/// Certificates for a TLS connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tls {
    /// The authority that signed the server's certificate (PEM); without it, the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// The client's certificate (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<String>,
    /// The client's key (PEM).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Accepts any certificate: for tests only.
    #[serde(default)]
    pub insecure: bool,
}

/// A Neo4j server that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExternalNeo4j {
    /// The Bolt address: `neo4j://`, `bolt://`, or with `+s` or `+ssc` for TLS.
    #[schemars(regex(pattern = r"^(neo4j|bolt)(\+s|\+ssc)?://.+"))]
    pub uri: String,
    /// The database.
    #[serde(default = "ExternalNeo4j::default_database")]
    pub database: String,
    /// The user.
    #[serde(default = "ExternalNeo4j::default_user")]
    pub user: String,
    /// Where the password is; without it, the server asks for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_from: Option<SecretSource>,
    /// Certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

impl ExternalNeo4j {
    /// A server with Neo4j's own defaults at an address.
    #[must_use]
    pub fn plain(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            database: Self::default_database(),
            user: Self::default_user(),
            password_from: None,
            tls: None,
        }
    }

    fn default_database() -> String {
        "neo4j".to_owned()
    }

    fn default_user() -> String {
        "neo4j".to_owned()
    }
}

/// A Kafka Connect worker that exists already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExistingConnect {
    /// The address of its REST interface.
    pub url: String,
}

/// Servers that runner deploys to a Kubernetes cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kubernetes {
    /// The namespace, of lower-case letters, digits and `-`; made if it is not there.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub namespace: String,
    /// The context of the kubeconfig; without it, the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Kafka.
    #[serde(default)]
    pub kafka: Kafka,
    /// Neo4j.
    #[serde(default)]
    pub neo4j: Neo4j,
    /// Kafka Connect, for `mapping.loader: connect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Connect>,
    /// The ports of this machine that lead into the cluster while runner is at work.
    #[serde(default)]
    pub forward: Forward,
    /// The pods that runner itself runs in, with `runner run --detach`.
    #[serde(default)]
    pub runner: RunnerPods,
    /// Changes to single objects, applied last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

/// The ports of this machine that lead into the cluster while runner is at work; they listen on the loopback address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The port of the first broker; the next brokers have the ports after it. Brokers tell clients these ports, so a change
    /// restarts them.
    #[serde(default = "Forward::default_kafka")]
    #[schemars(range(min = 1024, max = 65000))]
    pub kafka: u16,
    /// The port of Bolt; 0 for any that is free.
    #[serde(default)]
    pub neo4j: u16,
    /// The port of Kafka Connect's REST interface; 0 for any that is free.
    #[serde(default)]
    pub connect: u16,
}

impl Forward {
    const fn default_kafka() -> u16 {
        39092
    }
}

impl Default for Forward {
    fn default() -> Self {
        Self { kafka: Self::default_kafka(), neo4j: 0, connect: 0 }
    }
}

/// The pods that runner itself runs in, with `runner run --detach`: as many as `stream.loaders`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerPods {
    /// The image; without it, the one of this version of runner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Requests and limits of each pod.
    #[serde(default)]
    pub resources: Resources,
    /// A volume with local files that are too large to be sent along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<SourceVolume>,
}

/// A volume that holds files of the source: those below `path` are not sent along, but found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceVolume {
    /// The name of the `PersistentVolumeClaim`, in the pipeline's namespace.
    #[schemars(length(min = 1))]
    pub claim: String,
    /// The folder whose place it takes, from the pipeline file's own, such as `data`.
    #[schemars(length(min = 1))]
    pub path: String,
}

/// Kafka in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kafka {
    /// How the brokers agree among themselves; fixed once they are deployed.
    #[serde(default)]
    pub mode: KafkaMode,
    /// How many brokers; fixed once they are deployed.
    #[serde(default = "Kafka::default_brokers")]
    #[schemars(range(min = 1, max = 9))]
    pub brokers: u32,
    /// The size of each broker's volume, such as `2Gi`.
    #[serde(default = "Kafka::default_storage")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub storage: String,
    /// The image; without it, the one that goes with `mode`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Requests and limits of each broker.
    #[serde(default)]
    pub resources: Resources,
    /// A Kafka that is already in the cluster, instead of one that runner deploys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExternalKafka>,
}

impl Kafka {
    const fn default_brokers() -> u32 {
        1
    }

    fn default_storage() -> String {
        "2Gi".to_owned()
    }
}

impl Default for Kafka {
    fn default() -> Self {
        Self {
            mode: KafkaMode::default(),
            brokers: Self::default_brokers(),
            storage: Self::default_storage(),
            image: None,
            resources: Resources::default(),
            existing: None,
        }
    }
}

/// How the brokers agree among themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KafkaMode {
    /// By Kafka's own quorum.
    #[default]
    Kraft,
    /// By a `ZooKeeper` beside them.
    Zookeeper,
}

/// CPU and memory, by Kubernetes' quantities.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// What the scheduler sets aside.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub requests: IndexMap<String, String>,
    /// What may be used at most.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub limits: IndexMap<String, String>,
}

/// Neo4j in the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Neo4j {
    /// Plugins to install.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plugins: Vec<Plugin>,
    /// The size of the volume, such as `2Gi`.
    #[serde(default = "Neo4j::default_storage")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub storage: String,
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Requests and limits; heap and page cache follow the memory limit.
    #[serde(default)]
    pub resources: Resources,
    /// Where the password is; without it, one is made once and kept in a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_from: Option<SecretSource>,
    /// A Neo4j that is already in the cluster, instead of one that runner deploys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExternalNeo4j>,
    /// Neo4j's official chart, instead of runner's own manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub helm: Option<Helm>,
}

impl Neo4j {
    fn default_storage() -> String {
        "2Gi".to_owned()
    }
}

impl Default for Neo4j {
    fn default() -> Self {
        Self {
            plugins: Vec::new(),
            storage: Self::default_storage(),
            image: None,
            resources: Resources::default(),
            password_from: None,
            existing: None,
            helm: None,
        }
    }
}

/// Neo4j plugins that runner can install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plugin {
    /// Graph Data Science.
    GraphDataScience,
    /// APOC core.
    Apoc,
}

/// A Helm chart, rendered by the user's own `helm`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Helm {
    /// The chart: `repo/name`, an `oci://` address, or a folder. Its release is called `NAME-neo4j`, and so must be its service.
    pub chart: String,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Values for it, over `neo4j.name`, `neo4j.passwordFromSecret` and what Pod Security asks for, which runner sets.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub values: serde_json::Map<String, Value>,
}

/// Kafka Connect in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connect {
    /// The image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// What an init container installs beside the image's own plugins: `owner/name:version` of Confluent Hub, or the `https://`
    /// address of a jar; `[]` for an image that has the sink already.
    #[serde(default = "Connect::default_plugins")]
    pub plugins: Vec<String>,
    /// Requests and limits.
    #[serde(default)]
    pub resources: Resources,
    /// A worker that is already there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<ExistingConnect>,
}

impl Connect {
    fn default_plugins() -> Vec<String> {
        vec!["neo4j/kafka-connect-neo4j:5.1.11".to_owned()]
    }
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            image: None,
            plugins: Self::default_plugins(),
            resources: Resources::default(),
            existing: None,
        }
    }
}

/// A strategic-merge patch on one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The object's kind, such as `StatefulSet`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// The patch.
    pub patch: serde_json::Map<String, Value>,
}
