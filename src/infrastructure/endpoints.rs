//! Where the services of a pipeline are: names in the cluster, pods and ports behind them.

use super::Owner;
use crate::spec::{Kubernetes, Pipeline};

/// The port of clients in the cluster.
pub const KAFKA_PORT: u16 = 9092;
/// The port of the KRaft controllers among themselves.
pub const CONTROLLER_PORT: u16 = 9093;
/// The port of clients that come through a forward: its listener tells them a port of their own machine.
pub const FORWARD_PORT: u16 = 9094;
/// The port of `ZooKeeper`'s clients.
pub const ZOOKEEPER_PORT: u16 = 2181;
/// Bolt.
pub const BOLT_PORT: u16 = 7687;
/// Neo4j's own web interface.
pub const HTTP_PORT: u16 = 7474;
/// Kafka Connect's REST interface.
pub const CONNECT_PORT: u16 = 8083;

/// What the name of the Secret with Neo4j's password ends with, where runner makes it.
pub(super) const NEO4J_AUTH: &str = "-neo4j-auth";

/// What the objects of a pipeline are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The pipeline.
    pub pipeline: String,
    /// The namespace.
    pub namespace: String,
}

impl Names {
    /// The names of a pipeline that is deployed to a cluster.
    #[must_use]
    pub fn of(pipeline: &Pipeline, kubernetes: &Kubernetes) -> Self {
        Self { pipeline: pipeline.metadata.name.clone(), namespace: kubernetes.namespace.clone() }
    }

    /// Whose the objects are.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner { pipeline: self.pipeline.clone() }
    }

    /// The stateful set and the service of the brokers.
    #[must_use]
    pub fn kafka(&self) -> String {
        format!("{}-kafka", self.pipeline)
    }

    /// The headless service that gives each broker a name.
    #[must_use]
    pub fn brokers(&self) -> String {
        format!("{}-kafka-brokers", self.pipeline)
    }

    /// The pod of a broker.
    #[must_use]
    pub fn broker(&self, ordinal: u32) -> String {
        format!("{}-{ordinal}", self.kafka())
    }

    /// The stateful set and the service of `ZooKeeper`.
    #[must_use]
    pub fn zookeeper(&self) -> String {
        format!("{}-zookeeper", self.pipeline)
    }

    /// The stateful set and the service of Neo4j.
    #[must_use]
    pub fn neo4j(&self) -> String {
        format!("{}-neo4j", self.pipeline)
    }

    /// The Secret that holds Neo4j's password, where runner makes it.
    #[must_use]
    pub fn neo4j_auth(&self) -> String {
        format!("{}{NEO4J_AUTH}", self.pipeline)
    }

    /// The deployment and the service of Kafka Connect.
    #[must_use]
    pub fn connect(&self) -> String {
        format!("{}-connect", self.pipeline)
    }

    /// The job of a run in the cluster, and what belongs to it.
    #[must_use]
    pub fn run(&self) -> String {
        format!("{}-run", self.pipeline)
    }

    /// The Secret with the environment variables that the file names, for the pods of a run.
    #[must_use]
    pub fn run_environment(&self) -> String {
        format!("{}-run-environment", self.pipeline)
    }

    /// The Secret with the files that nobody else may read, for the pods of a run.
    #[must_use]
    pub fn run_private(&self) -> String {
        format!("{}-run-private", self.pipeline)
    }

    /// The config map that takes the report of a run in the cluster.
    #[must_use]
    pub fn report(&self) -> String {
        format!("{}-report", self.pipeline)
    }

    /// The address of a service from any pod of the cluster.
    #[must_use]
    pub fn host(&self, service: &str) -> String {
        format!("{service}.{}.svc", self.namespace)
    }

    /// Kafka's bootstrap address in the cluster.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        format!("{}:{KAFKA_PORT}", self.host(&self.kafka()))
    }

    /// The Bolt address in the cluster.
    #[must_use]
    pub fn bolt(&self) -> String {
        format!("bolt://{}:{BOLT_PORT}", self.host(&self.neo4j()))
    }

    /// The address of Kafka Connect's REST interface in the cluster.
    #[must_use]
    pub fn connect_url(&self) -> String {
        format!("http://{}:{CONNECT_PORT}", self.host(&self.connect()))
    }
}
