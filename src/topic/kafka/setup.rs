//! The topic before its first row: made where it is not there, looked at where it is.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::RDKafkaErrorCode;

use super::cluster::{Kafka, PATIENCE, Shape, explain, signed, unsettled};
use super::error::KafkaError;
use super::health::Health;
use super::patience::is_settling;
use crate::spec::Topic;
use crate::topic::BROKERS_DEFAULT;

/// How long a new topic's partitions may take to get their leaders.
const LEADERS: Duration = Duration::from_secs(30);
/// Records that are kept for less than this may be gone before a run has loaded them.
const SHORT_RETENTION: Duration = Duration::from_hours(1);
/// A partition that holds less than this may lose records before a run has loaded them.
const SMALL_RETENTION: u64 = 256 * 1024 * 1024;

/// A topic as it is, or as it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicState {
    /// Whether it was there already.
    pub existed: bool,
    /// How many partitions it has.
    pub partitions: u32,
    /// How many brokers hold each partition.
    pub replicas: u32,
    /// The settings that are not as the file says.
    pub differences: Vec<Difference>,
    /// What in its settings may cost records.
    pub risks: Vec<Risk>,
    /// The most bytes of a batch of messages that it takes; without it, the cluster's own.
    pub max_message_bytes: Option<u64>,
}

/// A setting that is not as the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Kafka's name of the setting, or `replication`.
    pub name: String,
    /// As the file says.
    pub wanted: String,
    /// As it is; none where the topic has no such setting.
    pub found: Option<String>,
}

/// A setting that may cost records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Risk {
    /// Of records with the same key, only the last is kept.
    Compacted,
    /// Records are kept for a short time only.
    KeptFor(Duration),
    /// Partitions are small.
    KeptBytes(u64),
    /// More brokers must hold a record than the topic has: nothing can ever be produced.
    NeverAcknowledged {
        /// `min.insync.replicas`.
        wanted: u32,
        /// How many hold each partition.
        replicas: u32,
    },
}

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compacted => f.write_str(
                "`cleanup.policy` is `compact`: of the records with one key, only the last is kept",
            ),
            Self::KeptFor(time) => {
                write!(f, "`retention.ms` keeps records for {} s only", time.as_secs())
            }
            Self::KeptBytes(bytes) => {
                write!(f, "`retention.bytes` keeps {bytes} bytes of each partition only")
            }
            Self::NeverAcknowledged { wanted, replicas } => write!(
                f,
                "`min.insync.replicas` is {wanted}, and {replicas} brokers hold each partition: nothing can be produced"
            ),
        }
    }
}

impl Kafka {
    /// Looks at a topic, without making it; none where it is not there.
    ///
    /// # Errors
    /// Where it has another number of partitions, or may not be looked at.
    pub async fn inspect_topic(&self, topic: &Topic) -> Result<Option<TopicState>, KafkaError> {
        let Some(shape) = self.shape(&topic.name).await? else { return Ok(None) };
        if shape.partitions != topic.partitions {
            return Err(KafkaError::Partitions {
                topic: topic.name.clone(),
                wanted: topic.partitions,
                found: shape.partitions,
            });
        }
        let config = self.topic_config(&topic.name).await?;
        Ok(Some(judge(topic, shape, &config)))
    }

    /// Makes a topic, or looks at the one that is there, and waits until each partition has a leader.
    ///
    /// # Errors
    /// Where it cannot be made, has another number of partitions, or a partition gets no leader.
    pub async fn ensure_topic(&self, topic: &Topic) -> Result<TopicState, KafkaError> {
        let existed = match self.shape(&topic.name).await? {
            Some(_) => true,
            None => !self.make_topic(topic).await?,
        };
        self.await_leaders(&topic.name).await?;
        let state = self.inspect_topic(topic).await?;
        let state = state.ok_or_else(|| KafkaError::NoTopic { topic: topic.name.clone() })?;
        Ok(TopicState { existed, ..state })
    }

    /// Deletes a topic, and returns once it is gone; says whether it was there.
    ///
    /// # Errors
    /// Where the user may not do it, or Kafka does not answer.
    pub async fn delete_topic(&self, name: &str) -> Result<bool, KafkaError> {
        let what = format!("delete topic `{name}`");
        let results = self.admin()?.delete_topics(&[name], &options()).await;
        let results = results.map_err(|error| self.explained(&what, &error))?;
        match results.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::UnknownTopicOrPartition))) => return Ok(false),
            Some(Err((_, code))) => return Err(refused(&what, code)),
            _ => {}
        }
        let begun = Instant::now();
        while self.shape(name).await?.is_some() {
            if begun.elapsed() > LEADERS {
                return Err(KafkaError::Request { what, reason: "it is still there".to_owned() });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(true)
    }

    /// Makes a topic; says whether it did, or somebody else was faster.
    async fn make_topic(&self, topic: &Topic) -> Result<bool, KafkaError> {
        let new = topic.config.iter().fold(
            NewTopic::new(
                &topic.name,
                signed(topic.partitions),
                TopicReplication::Fixed(topic.replication.map_or(BROKERS_DEFAULT, i32::from)),
            ),
            |new, (name, value)| new.set(name, value),
        );
        let what = format!("create topic `{}`", topic.name);
        let results = self.admin()?.create_topics([&new], &options()).await;
        let results = results.map_err(|error| self.explained(&what, &error))?;
        match results.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(not_made(topic, code)),
            _ => Ok(true),
        }
    }

    /// Waits until each partition of a topic has a leader.
    async fn await_leaders(&self, topic: &str) -> Result<(), KafkaError> {
        let begun = Instant::now();
        loop {
            let shape = self.shape(topic).await?;
            match shape {
                Some(Shape { leaderless: None, .. }) => return Ok(()),
                Some(Shape { leaderless: Some(partition), .. }) if begun.elapsed() > LEADERS => {
                    return Err(KafkaError::NoLeader { topic: topic.to_owned(), partition });
                }
                None if begun.elapsed() > LEADERS => {
                    return Err(KafkaError::NoTopic { topic: topic.to_owned() });
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The settings of a topic, by Kafka's names; none where the user may not see them.
    async fn topic_config(&self, topic: &str) -> Result<BTreeMap<String, String>, KafkaError> {
        let resources = [ResourceSpecifier::Topic(topic)];
        let results = self.admin()?.describe_configs(&resources, &options()).await;
        let what = format!("asking for the settings of topic `{topic}`");
        let results = results.map_err(|error| self.explained(&what, &error))?;
        match results.into_iter().next() {
            Some(Ok(resource)) => {
                let entries = resource.entries.into_iter();
                Ok(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect())
            }
            Some(Err(code)) if is_settling(code) => {
                Err(KafkaError::Unsettled { what, reason: code.to_string() })
            }
            _ => Ok(BTreeMap::new()),
        }
    }

    fn admin(&self) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
        self.config()?.create().map_err(unsettled)
    }

    fn explained(&self, what: &str, error: &rdkafka::error::KafkaError) -> KafkaError {
        explain(self.connection(), &Health::default(), what, error)
    }
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE))
}

/// Why a topic was not made.
fn not_made(topic: &Topic, code: RDKafkaErrorCode) -> KafkaError {
    let error = refused(&format!("create topic `{}`", topic.name), code);
    if !matches!(error, KafkaError::Request { .. }) {
        return error;
    }
    let reason = match code {
        RDKafkaErrorCode::InvalidReplicationFactor => match topic.replication {
            Some(replication) => format!("there are fewer brokers than `replication: {replication}` wants"),
            None => "there are fewer brokers than their `default.replication.factor` wants".to_owned(),
        },
        RDKafkaErrorCode::InvalidConfig => "Kafka does not take its `config`".to_owned(),
        other => other.to_string(),
    };
    KafkaError::NotMade { topic: topic.name.clone(), reason }
}

/// The words for a refusal.
fn refused(what: &str, code: RDKafkaErrorCode) -> KafkaError {
    match code {
        RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            KafkaError::NotAllowed { action: what.to_owned() }
        }
        passing if is_settling(passing) || passing == RDKafkaErrorCode::RequestTimedOut => {
            KafkaError::Unsettled { what: what.to_owned(), reason: passing.to_string() }
        }
        other => KafkaError::Request { what: what.to_owned(), reason: other.to_string() },
    }
}

/// Compares a topic with what the file says.
fn judge(topic: &Topic, shape: Shape, config: &BTreeMap<String, String>) -> TopicState {
    let mut differences: Vec<Difference> = Vec::new();
    if let Some(replication) = topic.replication.filter(|wanted| u32::from(*wanted) != shape.replicas) {
        differences.push(Difference {
            name: "replication".to_owned(),
            wanted: replication.to_string(),
            found: Some(shape.replicas.to_string()),
        });
    }
    // Settings that the user may not see are not different.
    for (name, wanted) in topic.config.iter().filter(|_| !config.is_empty()) {
        let found = config.get(name);
        if found.is_none_or(|found| !is_same(wanted, found)) {
            differences.push(Difference {
                name: name.clone(),
                wanted: wanted.clone(),
                found: found.cloned(),
            });
        }
    }
    TopicState {
        existed: true,
        partitions: shape.partitions,
        replicas: shape.replicas,
        differences,
        risks: risks(shape.replicas, config),
        max_message_bytes: config.get("max.message.bytes").and_then(|bytes| bytes.parse().ok()),
    }
}

/// Whether two values of a setting mean the same: lists in any order, numbers and words in any writing.
fn is_same(wanted: &str, found: &str) -> bool {
    let parts = |value: &str| {
        let mut parts: Vec<String> = value.split(',').map(|part| part.trim().to_ascii_lowercase()).collect();
        parts.sort();
        parts
    };
    let numbers = (wanted.trim().parse::<f64>(), found.trim().parse::<f64>());
    matches!(numbers, (Ok(wanted), Ok(found)) if (wanted - found).abs() < f64::EPSILON)
        || parts(wanted) == parts(found)
}

/// What in the settings of a topic may cost records. Names and meanings: Kafka's documentation, "Topic Configs".
fn risks(replicas: u32, config: &BTreeMap<String, String>) -> Vec<Risk> {
    let number = |name: &str| config.get(name).and_then(|value| value.parse::<i64>().ok());
    let policy = config.get("cleanup.policy").map_or("delete", String::as_str);
    let mut risks = Vec::new();
    if policy.contains("compact") {
        risks.push(Risk::Compacted);
    }
    if policy.contains("delete") {
        // -1 keeps them for ever.
        if let Some(kept) =
            number("retention.ms").and_then(|kept| u64::try_from(kept).ok()).map(Duration::from_millis)
            && kept < SHORT_RETENTION
        {
            risks.push(Risk::KeptFor(kept));
        }
        if let Some(kept) = number("retention.bytes").and_then(|kept| u64::try_from(kept).ok())
            && kept < SMALL_RETENTION
        {
            risks.push(Risk::KeptBytes(kept));
        }
    }
    if let Some(wanted) = number("min.insync.replicas").and_then(|wanted| u32::try_from(wanted).ok())
        && wanted > replicas
    {
        risks.push(Risk::NeverAcknowledged { wanted, replicas });
    }
    risks
}

#[cfg(test)]
mod tests;
