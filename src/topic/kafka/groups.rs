//! What groups have committed: how far they have read, and notes that stand beside the offsets.
//!
//! Kafka keeps a text with each committed offset (`metadata` of `OffsetCommit`), and drops both with the topic. So those who work on one
//! topic can tell each other how far they are without a place of their own.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use super::cluster::{Kafka, PATIENCE, blocking, client, explain, signed, unsigned};
use super::error::KafkaError;
use super::health::Health;

/// What librdkafka would say.
const TIMED_OUT: ClientError = ClientError::ConsumerCommit(RDKafkaErrorCode::OperationTimedOut);

/// An offset that a group has committed, and what it has noted beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// The offset.
    pub offset: u64,
    /// The note; mostly empty.
    pub text: String,
}

impl Kafka {
    /// The offsets that a group has committed.
    ///
    /// # Errors
    /// Where Kafka does not answer.
    pub async fn committed(
        &self,
        topic: &str,
        group: &str,
        partitions: u32,
    ) -> Result<BTreeMap<u32, u64>, KafkaError> {
        let committed = Notebook::open(self, topic, group)?.commits(partitions).await?;
        let known = committed.elements().into_iter().filter_map(|element| committed_at(&element));
        Ok(known.collect())
    }
}

/// The notes of a group that nobody joins, on one topic.
pub struct Notebook {
    kafka: Kafka,
    client: Arc<BaseConsumer<Health>>,
    topic: String,
    group: String,
}

impl fmt::Debug for Notebook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notebook")
            .field("topic", &self.topic)
            .field("group", &self.group)
            .finish_non_exhaustive()
    }
}

impl Notebook {
    /// Opens it, with a connection of its own.
    ///
    /// # Errors
    /// Where the settings do not hold.
    pub fn open(kafka: &Kafka, topic: &str, group: &str) -> Result<Self, KafkaError> {
        let mut config = kafka.config()?;
        config.set("group.id", group).set("enable.auto.commit", "false");
        let client = Arc::new(client(&config)?);
        Ok(Self { kafka: kafka.clone(), client, topic: topic.to_owned(), group: group.to_owned() })
    }

    /// What is noted beside the partitions.
    ///
    /// # Errors
    /// Where Kafka does not answer, or does not let it be seen.
    pub async fn read(&self, partitions: u32) -> Result<BTreeMap<u32, Note>, KafkaError> {
        let committed = self.commits(partitions).await?;
        let known = committed.elements().into_iter().filter_map(|element| {
            let (partition, offset) = committed_at(&element)?;
            // rdkafka panics at a note that is not UTF-8, which no broker checks: it is none of ours.
            let text = catch_unwind(AssertUnwindSafe(|| element.metadata().to_owned())).ok()?;
            Some((partition, Note { offset, text }))
        });
        Ok(known.collect())
    }

    /// Notes something beside partitions, in place of what was noted there before.
    ///
    /// # Errors
    /// Where Kafka does not answer, or does not let it be done.
    pub async fn write(&self, notes: BTreeMap<u32, Note>) -> Result<(), KafkaError> {
        if notes.is_empty() {
            return Ok(());
        }
        let (client, topic) = (Arc::clone(&self.client), self.topic.clone());
        let committed = blocking(move || {
            let mut list = TopicPartitionList::new();
            for (partition, note) in notes {
                let offset = Offset::Offset(i64::try_from(note.offset).unwrap_or(i64::MAX));
                let mut element = list.add_partition(&topic, signed(partition));
                element.set_offset(offset)?;
                element.set_metadata(note.text);
            }
            client.commit(&list, CommitMode::Sync)
        });
        // librdkafka waits for a coordinator that is away for as long as it takes.
        let committed = tokio::time::timeout(PATIENCE, committed).await;
        let committed = committed.unwrap_or(Ok(Err(TIMED_OUT)))?;
        committed
            .map_err(|error| self.explain(&format!("committing offsets of group `{}`", self.group), &error))
    }

    async fn commits(&self, partitions: u32) -> Result<TopicPartitionList, KafkaError> {
        let what = "asking for committed offsets";
        let (client, topic) = (Arc::clone(&self.client), self.topic.clone());
        let committed = blocking(move || {
            let mut list = TopicPartitionList::new();
            for partition in 0..partitions {
                list.add_partition(&topic, signed(partition));
            }
            client.committed_offsets(list, PATIENCE)
        });
        let committed = committed.await?.map_err(|error| self.explain(what, &error))?;
        if let Some(error) = committed.elements().iter().find_map(|element| element.error().err()) {
            return Err(self.explain(what, &error));
        }
        self.client.context().answered();
        Ok(committed)
    }

    /// Puts the failure of a request into words.
    fn explain(&self, what: &str, error: &ClientError) -> KafkaError {
        // What was complained about meanwhile waits in the client's queue.
        while self.client.poll(Duration::ZERO).is_some() {}
        explain(self.kafka.connection(), self.client.context(), what, error)
    }
}

/// The partition and offset of an element; none where nothing was committed.
fn committed_at(element: &TopicPartitionListElem<'_>) -> Option<(u32, u64)> {
    let Offset::Offset(offset) = element.offset() else { return None };
    Some((u32::try_from(element.partition()).ok()?, unsigned(offset)))
}
