//! A cluster that answers, and what it is asked outside the stream of rows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use super::certificate::{self, CertificateFault};
use super::complaint::{Complaint, telling};
use super::connection::Connection;
use super::error::KafkaError;
use super::health::Health;
use super::patience::{Settling, is_settling};

/// How long a request may take by default.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How long every server of the list must have refused before the cluster is given up: a name can have several addresses.
const GRACE: Duration = Duration::from_millis(400);
/// For how long a topic that was there has to be away before that is believed.
const BELIEVED: Duration = Duration::from_secs(3);
/// How often it is asked for meanwhile.
const ASKED_EVERY: Duration = Duration::from_millis(300);
/// How often it is looked whether librdkafka complained.
const TICK: Duration = Duration::from_millis(20);

/// A cluster that answers.
#[derive(Clone)]
pub struct Kafka {
    connection: Arc<Connection>,
    id: Option<String>,
    /// For questions; it has no group, so it cannot take part in one by accident.
    client: Arc<BaseConsumer<Health>>,
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kafka").field("bootstrap", &self.connection.bootstrap).finish_non_exhaustive()
    }
}

/// How far a partition reaches: the offset of its first record, and of the one that comes next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watermarks {
    /// The first record's offset.
    pub low: u64,
    /// The next record's offset.
    pub high: u64,
}

/// A topic as the cluster describes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub partitions: u32,
    pub replicas: u32,
    /// A partition that has no leader.
    pub leaderless: Option<u32>,
}

impl Kafka {
    /// Connects, at most for `patience`.
    ///
    /// # Errors
    /// Why the cluster cannot be reached: each cause is its own. A login that is refused is not tried again.
    pub async fn connect(connection: &Connection, patience: Duration) -> Result<Self, KafkaError> {
        let connection = Arc::new(connection.clone());
        let asked = Arc::clone(&connection);
        let id = blocking(move || probe(&asked, patience)).await??;
        let client = Arc::new(client(&connection.client_config()?)?);
        Ok(Self { connection, id, client })
    }

    /// The cluster's own id, where it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// How it is reached.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// How many brokers there are.
    ///
    /// # Errors
    /// Where it does not answer.
    pub async fn brokers(&self, topic: &str) -> Result<u32, KafkaError> {
        let topic = topic.to_owned();
        self.ask("asking for the brokers", move |client| {
            let metadata = client.fetch_metadata(Some(&topic), PATIENCE)?;
            Ok(u32::try_from(metadata.brokers().len()).unwrap_or(u32::MAX))
        })
        .await
    }

    /// How far each partition of a topic reaches. What open transactions hold is not counted.
    ///
    /// # Errors
    /// Where there is no such topic, or Kafka does not answer.
    pub async fn watermarks(&self, topic: &str) -> Result<BTreeMap<u32, Watermarks>, KafkaError> {
        let settling = Settling::begin();
        loop {
            match self.watermarks_now(topic).await {
                Err(error) if settling.again(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Where each partition ends, with what open transactions hold back: what was produced behind that is not read before they end.
    ///
    /// # Errors
    /// Where there is no such topic, or Kafka does not answer.
    pub async fn ends(&self, topic: &str) -> Result<BTreeMap<u32, u64>, KafkaError> {
        let mut config = self.config()?;
        config.set("allow.auto.create.topics", "false").set("isolation.level", "read_uncommitted");
        let client = Arc::new(config.create_with_context(Health::default()).map_err(unsettled)?);
        let marks = Self { client, ..self.clone() }.watermarks(topic).await?;
        Ok(marks.into_iter().map(|(partition, marks)| (partition, marks.high)).collect())
    }

    async fn watermarks_now(&self, topic: &str) -> Result<BTreeMap<u32, Watermarks>, KafkaError> {
        let shape =
            self.shape_now(topic).await?.ok_or_else(|| KafkaError::NoTopic { topic: topic.to_owned() })?;
        let what = format!("asking how far topic `{topic}` reaches");
        let topic = topic.to_owned();
        let marks = self.ask(&what, move |client| {
            let one = |partition: u32| match client.fetch_watermarks(&topic, signed(partition), PATIENCE) {
                Ok((low, high)) => {
                    Some(Ok((partition, Watermarks { low: unsigned(low), high: unsigned(high) })))
                }
                Err(error) if is_unknown(&error) => None,
                Err(error) => Some(Err(error)),
            };
            (0..shape.partitions).map(one).collect::<Option<Result<_, _>>>().transpose()
        });
        // Another broker has just said that it is there.
        let reason = "a broker does not know the topic yet".to_owned();
        marks.await?.ok_or(KafkaError::Unsettled { what, reason })
    }

    /// Whether there is a topic of that name.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub async fn has_topic(&self, topic: &str) -> Result<bool, KafkaError> {
        Ok(self.shape(topic).await?.is_some())
    }

    /// Whether there is no topic of a name that was there before. A broker that has just started may not know it yet, so it is asked
    /// again for a few seconds before that is believed.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub async fn has_lost(&self, topic: &str) -> Result<bool, KafkaError> {
        let begun = Instant::now();
        while begun.elapsed() < BELIEVED {
            if self.has_topic(topic).await? {
                return Ok(false);
            }
            tokio::time::sleep(ASKED_EVERY).await;
        }
        Ok(!self.has_topic(topic).await?)
    }

    /// A topic's partitions and replicas; none where it is not there.
    pub(super) async fn shape(&self, topic: &str) -> Result<Option<Shape>, KafkaError> {
        let settling = Settling::begin();
        loop {
            match self.shape_now(topic).await {
                Err(error) if settling.again(&error).await => {}
                outcome => return outcome,
            }
        }
    }

    async fn shape_now(&self, topic: &str) -> Result<Option<Shape>, KafkaError> {
        let what = format!("asking about topic `{topic}`");
        let name = topic.to_owned();
        let found = self.ask(&what, move |client| {
            let metadata = client.fetch_metadata(Some(&name), PATIENCE)?;
            let Some(topic) = metadata.topics().first() else { return Ok(None) };
            if let Some(error) = topic.error() {
                let code = RDKafkaErrorCode::from(error);
                let error = ClientError::MetadataFetch(code);
                return if is_unknown(&error) { Ok(None) } else { Err(error) };
            }
            let partitions = topic.partitions();
            let leaderless =
                partitions.iter().find(|partition| partition.leader() < 0 || partition.error().is_some());
            Ok(Some(Shape {
                partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX),
                replicas: partitions
                    .first()
                    .map_or(0, |partition| u32::try_from(partition.replicas().len()).unwrap_or(u32::MAX)),
                leaderless: leaderless.and_then(|partition| u32::try_from(partition.id()).ok()),
            }))
        });
        found.await
    }

    /// Settings for another client of this cluster.
    pub(super) fn config(&self) -> Result<ClientConfig, KafkaError> {
        self.connection.client_config()
    }

    /// Asks a question that blocks, and puts its failure into words.
    async fn ask<T, F>(&self, what: &str, question: F) -> Result<T, KafkaError>
    where
        T: Send + 'static,
        F: FnOnce(&BaseConsumer<Health>) -> Result<T, ClientError> + Send + 'static,
    {
        let client = Arc::clone(&self.client);
        let answer = blocking(move || {
            let answer = question(&client);
            // What was complained about meanwhile waits in the client's queue.
            while client.poll(Duration::ZERO).is_some() {}
            answer
        });
        let answer = answer.await?;
        if answer.is_ok() {
            self.client.context().answered();
        }
        answer.map_err(|error| self.explain(what, &error))
    }

    /// Puts the failure of a request into words, by what librdkafka complained about where it only timed out.
    fn explain(&self, what: &str, error: &ClientError) -> KafkaError {
        explain(&self.connection, self.client.context(), what, error)
    }
}

/// The words for a failed request.
pub(super) fn explain(
    connection: &Connection,
    health: &Health,
    what: &str,
    error: &ClientError,
) -> KafkaError {
    use RDKafkaErrorCode::{
        AllBrokersDown, Authentication, BrokerTransportFailure, ClusterAuthorizationFailed,
        GroupAuthorizationFailed, OperationTimedOut, RequestTimedOut, SSL, TopicAuthorizationFailed,
        TransactionalIdAuthorizationFailed,
    };
    let mut complaints = health.complaints();
    let last = complaints.last().map(Complaint::reason);
    complaints.retain(|complaint| !complaint.cause().is_cut());
    let code = match error {
        ClientError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    match code {
        Some(
            TopicAuthorizationFailed
            | GroupAuthorizationFailed
            | ClusterAuthorizationFailed
            | TransactionalIdAuthorizationFailed,
        ) => KafkaError::NotAllowed { action: what.to_owned() },
        Some(
            OperationTimedOut
            | RequestTimedOut
            | BrokerTransportFailure
            | AllBrokersDown
            | Authentication
            | SSL,
        ) => KafkaError::of_complaints(connection, &complaints).unwrap_or_else(|| KafkaError::NoAnswer {
            address: connection.bootstrap.clone(),
            waited: PATIENCE,
            last,
        }),
        Some(code) if is_settling(code) => {
            KafkaError::Unsettled { what: what.to_owned(), reason: code.to_string() }
        }
        Some(code) => KafkaError::Request { what: what.to_owned(), reason: code.to_string() },
        None => KafkaError::Request { what: what.to_owned(), reason: error.to_string() },
    }
}

/// Whether a broker knows no such topic or partition.
fn is_unknown(error: &ClientError) -> bool {
    use RDKafkaErrorCode::{UnknownPartition, UnknownTopic, UnknownTopicOrPartition};
    matches!(error.rdkafka_error_code(), Some(UnknownPartition | UnknownTopic | UnknownTopicOrPartition))
}

/// A client that asks questions.
pub(super) fn client(config: &ClientConfig) -> Result<BaseConsumer<Health>, KafkaError> {
    let mut config = config.clone();
    config.set("allow.auto.create.topics", "false").set("isolation.level", "read_committed");
    config.create_with_context(Health::default()).map_err(unsettled)
}

/// The words for settings that librdkafka does not take.
pub(super) fn unsettled(error: ClientError) -> KafkaError {
    let reason = match error {
        ClientError::ClientConfig(_, reason, key, _) => format!("{key}: {reason}"),
        ClientError::ClientCreation(reason) => reason,
        other => other.to_string(),
    };
    KafkaError::Settings { reason }
}

/// Tries to reach the cluster; its id, where it has one.
fn probe(connection: &Connection, patience: Duration) -> Result<Option<String>, KafkaError> {
    let mut config = connection.client_config()?;
    // Each address of each server is tried once: a login that was refused must not be repeated. How long that may take, is
    // looked at here.
    let longer = (patience + Duration::from_secs(1)).as_millis().clamp(1_000, 300_000).to_string();
    config
        .set("reconnect.backoff.ms", "600000")
        .set("reconnect.backoff.max.ms", "600000")
        .set("api.version.request.timeout.ms", &longer)
        .set("socket.connection.setup.timeout.ms", &longer);
    let client = client(&config)?;
    let begun = Instant::now();
    loop {
        if let Some(id) = client.client().fetch_cluster_id(TICK) {
            return Ok(Some(id));
        }
        while client.poll(Duration::ZERO).is_some() {}
        let health = client.context();
        let complaints = health.complaints();
        let is_final = telling(&complaints).is_some_and(|complaint| complaint.cause().is_final());
        let is_over = begun.elapsed() >= patience;
        if is_final || is_over || health.down_for() >= GRACE {
            let error =
                KafkaError::of_complaints(connection, &complaints).unwrap_or_else(|| KafkaError::NoAnswer {
                    address: connection.bootstrap.clone(),
                    waited: begun.elapsed(),
                    last: complaints.last().map(Complaint::reason),
                });
            drop(client);
            return Err(certified(connection, error, patience.saturating_sub(begun.elapsed())));
        }
    }
}

/// Says what is wrong with a certificate, where that is the fault.
fn certified(connection: &Connection, error: KafkaError, patience: Duration) -> KafkaError {
    match error {
        KafkaError::Certificate { address, fault: CertificateFault::Unknown } => {
            let ca: Option<PathBuf> = connection.tls.ca.clone();
            let fault = certificate::diagnose(&address, ca.as_deref(), patience);
            KafkaError::Certificate { address, fault }
        }
        other => other,
    }
}

/// Runs work that blocks beside the others.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, KafkaError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(|error| KafkaError::Request {
        what: "a request to Kafka".to_owned(),
        reason: error.to_string(),
    })
}

/// A partition as librdkafka counts it.
pub(super) fn signed(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// An offset as we count it; the negative ones are librdkafka's own marks.
pub(super) fn unsigned(offset: i64) -> u64 {
    u64::try_from(offset).unwrap_or_default()
}
