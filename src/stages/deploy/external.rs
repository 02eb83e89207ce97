//! Servers that exist already: from the file's words and secrets to open connections.

use std::path::Path as FolderPath;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::{self, Neo4j};
use crate::spec::{
    External, ExternalKafka, ExternalNeo4j, KafkaSecurity, Pipeline, SecretSource, Tls, Topic,
};
use crate::stages::Fault;
use crate::topic::kafka::{self, Kafka, KafkaError, Login, PATIENCE, TopicState};
use crate::validate;

/// A topic on a Kafka that answers.
#[derive(Debug, Clone)]
pub struct KafkaTopic {
    /// The cluster.
    pub kafka: Kafka,
    /// How the topic was found, or made.
    pub state: TopicState,
}

/// Reaches both servers; what is in the way of each is told.
pub(in crate::stages) async fn reach(
    external: &External,
    base: &FolderPath,
) -> Result<(Kafka, Neo4j), Fault> {
    let kafka = kafka_connection(&external.kafka, base);
    let neo4j = neo4j_connection(&external.neo4j, base);
    let (kafka, neo4j) = both(kafka, neo4j)?;
    let kafka = connect_kafka(&kafka);
    let neo4j = async { Neo4j::connect(&neo4j).await.map_err(Fault::from) };
    let (kafka, neo4j) = tokio::join!(kafka, neo4j);
    let at = Path::of("spec.infrastructure.external");
    both(kafka, neo4j.map_err(|fault| fault.at_key(&at.key("neo4j").key("uri"))))
}

/// Reaches the Kafka cluster alone.
pub(in crate::stages) async fn reach_kafka(external: &External, base: &FolderPath) -> Result<Kafka, Fault> {
    connect_kafka(&kafka_connection(&external.kafka, base)?).await
}

async fn connect_kafka(connection: &kafka::Connection) -> Result<Kafka, Fault> {
    let at = Path::of("spec.infrastructure.external.kafka.bootstrap");
    Kafka::connect(connection, PATIENCE).await.map_err(|error| Fault::from(error).at_key(&at))
}

/// Both results, or the faults of both.
fn both<A, B>(one: Result<A, Fault>, other: Result<B, Fault>) -> Result<(A, B), Fault> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(Fault(mut faults)), Err(Fault(more))) => {
            faults.extend(more);
            Err(Fault(faults))
        }
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
    }
}

fn kafka_connection(spec: &ExternalKafka, base: &FolderPath) -> Result<kafka::Connection, Fault> {
    let KafkaSecurity { protocol, sasl, tls } = &spec.security;
    let login = match sasl {
        Some(sasl) => {
            let at = Path::of("spec.infrastructure.external.kafka.security.sasl.passwordFrom");
            let password = secret(&sasl.password_from, base, at)?;
            Some(Login { mechanism: sasl.mechanism, user: sasl.username.clone(), password })
        }
        None => None,
    };
    let tls = tls.clone().unwrap_or_default();
    let file = |path: Option<String>| path.map(|path| base.join(path));
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

fn neo4j_connection(spec: &ExternalNeo4j, base: &FolderPath) -> Result<graph::neo4j::Connection, Fault> {
    let at = Path::of("spec.infrastructure.external.neo4j.passwordFrom");
    let password = spec.password_from.as_ref().map(|source| secret(source, base, at)).transpose()?;
    let file = |path: &Option<String>| path.as_ref().map(|path| base.join(path).display().to_string());
    let tls = spec.tls.as_ref().map(|tls| Tls {
        ca_file: file(&tls.ca_file),
        cert_file: file(&tls.cert_file),
        key_file: file(&tls.key_file),
        insecure: tls.insecure,
    });
    Ok(graph::neo4j::Connection {
        uri: spec.uri.clone(),
        database: spec.database.clone(),
        user: spec.user.clone(),
        password: password.map(Into::into),
        tls,
    })
}

/// A secret, from where the file says that it is.
fn secret(source: &SecretSource, base: &FolderPath, at: Path) -> Result<String, Fault> {
    let tried = |reason: String| Diagnostic::new(Code::MissingSecret, reason).at_key(at);
    validate::secret(source, base).map_err(|reason| tried(reason).into())
}

/// Makes the topic, or looks whether the one that is there will do.
pub(in crate::stages) async fn topic(kafka: &Kafka, topic: &Topic) -> Result<KafkaTopic, KafkaError> {
    let state = kafka.ensure_topic(topic).await?;
    Ok(KafkaTopic { kafka: kafka.clone(), state })
}

/// The group whose committed offsets show others how far a pipeline is.
pub(in crate::stages) fn group(pipeline: &Pipeline) -> String {
    format!("runner.{}", pipeline.metadata.name)
}
