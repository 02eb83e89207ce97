//! From the file's words and secrets to open connections, wherever the servers are.

use std::path::Path as FolderPath;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::{self, Neo4j};
use crate::infrastructure::{Cluster, Forwards, secrets};
use crate::spec::{ExternalKafka, ExternalNeo4j, KafkaSecurity, SecretSource, Tls};
use crate::stages::Fault;
use crate::topic::connect::{Connect, NEO4J_SINK, Secret as Password};
use crate::topic::kafka::{self, Kafka, Login, PATIENCE};
use crate::validate;

/// How the servers of a pipeline are reached.
pub(in crate::stages) struct Reach {
    /// Kafka.
    pub kafka: kafka::Connection,
    /// Neo4j.
    pub neo4j: graph::neo4j::Connection,
    /// The Kafka Connect worker, where the mapping is loaded by one.
    pub worker: Option<WorkerReach>,
    /// What leads to them, where they are in a cluster.
    pub forwards: Option<Forwards>,
}

/// How a Kafka Connect worker is reached, and what it is told.
pub(in crate::stages) struct WorkerReach {
    /// The address of its REST interface, from here.
    pub url: String,
    /// The graph's server, as the worker reaches it.
    pub neo4j: ExternalNeo4j,
    /// The password for it.
    pub password: Option<Password>,
}

/// Servers that answered.
pub(in crate::stages) struct Servers {
    /// Kafka.
    pub kafka: Kafka,
    /// Neo4j.
    pub neo4j: Neo4j,
    /// The Kafka Connect worker, where the mapping is loaded by one; it is asked when it is opened.
    pub worker: Option<WorkerReach>,
    /// What leads to them; the connections end with it.
    pub forwards: Option<Forwards>,
}

/// A Kafka Connect worker that answered and has the sink.
pub struct Worker {
    /// Its REST interface.
    pub connect: Connect,
    /// The graph's server, as the worker reaches it.
    pub neo4j: ExternalNeo4j,
    /// The password for it.
    pub password: Option<Password>,
}

impl Reach {
    /// Connects to both servers; what is in the way of each is told.
    pub async fn connect(&self) -> Result<(Kafka, Neo4j), Fault> {
        let neo4j = async { Neo4j::connect(&self.neo4j).await.map_err(Fault::from) };
        let (kafka, neo4j) = tokio::join!(connect_kafka(&self.kafka), neo4j);
        let at = Path::of("spec.infrastructure.external.neo4j.uri");
        both(kafka, neo4j.map_err(|fault| fault.at_key(&at)))
    }

    /// The servers that answered, with all that belongs to them.
    pub fn with(self, (kafka, neo4j): (Kafka, Neo4j)) -> Servers {
        Servers { kafka, neo4j, worker: self.worker, forwards: self.forwards }
    }
}

/// Connects to Kafka.
pub(super) async fn connect_kafka(connection: &kafka::Connection) -> Result<Kafka, Fault> {
    let at = Path::of("spec.infrastructure.external.kafka.bootstrap");
    Kafka::connect(connection, PATIENCE).await.map_err(|error| Fault::from(error).at_key(&at))
}

impl WorkerReach {
    /// Asks the worker what it is, and whether it has the sink.
    pub async fn open(self) -> Result<Worker, Fault> {
        let (connect, _) = Connect::open(&self.url).await?;
        connect.require(NEO4J_SINK).await?;
        Ok(Worker { connect, neo4j: self.neo4j, password: self.password })
    }
}

/// Both results, or the faults of both.
pub(super) fn both<A, B>(one: Result<A, Fault>, other: Result<B, Fault>) -> Result<(A, B), Fault> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Fault(mut faults)), Err(Fault(more))) => {
            faults.extend(more);
            Err(Fault(faults))
        }
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
    }
}

/// Where the secrets of a file are found.
pub(super) struct Secrets<'a> {
    /// The folder that paths start from.
    pub base: &'a FolderPath,
    /// The cluster that keeps Secrets; none where the pipeline has none.
    pub cluster: Option<&'a Cluster>,
}

impl Secrets<'_> {
    /// A secret, from where the file says that it is.
    pub async fn read(&self, source: &SecretSource, at: Path) -> Result<String, Fault> {
        if let (Some(cluster), Some(key)) = (self.cluster, &source.secret) {
            let password = secrets::read(cluster, key).await;
            return Ok(password.map_err(|error| Fault::from(error).at_key(&at))?.reveal().to_owned());
        }
        validate::secret(source, self.base)
            .map_err(|reason| Diagnostic::new(Code::MissingSecret, reason).at_key(at).into())
    }

    /// How Kafka is reached; `at` is its path in the file.
    pub async fn kafka(&self, spec: &ExternalKafka, at: &Path) -> Result<kafka::Connection, Fault> {
        let KafkaSecurity { protocol, sasl, tls } = &spec.security;
        let login = match sasl {
            Some(sasl) => {
                let at = at.key("security").key("sasl").key("passwordFrom");
                let password = self.read(&sasl.password_from, at).await?;
                Some(Login { mechanism: sasl.mechanism, user: sasl.username.clone(), password })
            }
            None => None,
        };
        let tls = tls.clone().unwrap_or_default();
        let file = |path: Option<String>| path.map(|path| self.base.join(path));
        Ok(kafka::Connection {
            bootstrap: spec.bootstrap.clone(),
            protocol: *protocol,
            login,
            tls: kafka::Tls {
                ca: file(tls.ca_file),
                certificate: file(tls.cert_file),
                key: file(tls.key_file),
                insecure: tls.insecure,
            },
        })
    }

    /// The password for Neo4j, where it asks for one; `at` is its path in the file.
    pub async fn password(&self, spec: &ExternalNeo4j, at: &Path) -> Result<Option<String>, Fault> {
        match &spec.password_from {
            Some(source) => Ok(Some(self.read(source, at.key("passwordFrom")).await?)),
            None => Ok(None),
        }
    }

    /// How Neo4j is reached.
    pub fn neo4j(&self, spec: &ExternalNeo4j, password: Option<String>) -> graph::neo4j::Connection {
        let file =
            |path: &Option<String>| path.as_ref().map(|path| self.base.join(path).display().to_string());
        let tls = spec.tls.as_ref().map(|tls| Tls {
            ca_file: file(&tls.ca_file),
            cert_file: file(&tls.cert_file),
            key_file: file(&tls.key_file),
            insecure: tls.insecure,
        });
        graph::neo4j::Connection {
            uri: spec.uri.clone(),
            database: spec.database.clone(),
            user: spec.user.clone(),
            password: password.map(Into::into),
            tls,
        }
    }
}
