//! The end of the topic where rows come out: one lane for each partition.
//!
//! Lanes read from where the caller says, not from where a group has committed: the checkpoint is in the graph. The
//! group's offsets are committed behind it, for others to see.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch;

use super::cluster::{Kafka, PATIENCE, blocking, client, explain, signed};
use super::error::KafkaError;
use super::health::Health;
use super::lane::Lane;

/// How many kilobytes of messages are fetched ahead, of all partitions together.
const AHEAD_KILOBYTES: u32 = 16 * 1024;
/// How long the thread that hears librdkafka's complaints waits for one.
const HEARING: Duration = Duration::from_millis(100);
/// How often a cluster that is down is asked whether it is back.
const KNOCKING: Duration = Duration::from_secs(1);

/// Where the lanes end.
pub(super) type Ends = Option<Arc<BTreeMap<u32, u64>>>;

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct ConsumerOptions {
    /// The group whose offsets are committed for others to see.
    pub group: String,
    /// How long Kafka may be away before the run is given up.
    pub patience: Duration,
}

/// Where rows come out, all lanes together.
pub struct Consumer {
    topic: String,
    client: Arc<BaseConsumer<Health>>,
    ends: watch::Sender<Ends>,
    hearing: Arc<AtomicBool>,
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Consumer {
    /// Opens a topic for loading: a lane for each partition that `starts` names, from the offset that it names.
    ///
    /// The lanes read on and on; [`end_at`](Self::end_at) says where they end.
    ///
    /// # Errors
    /// Where the settings do not hold.
    pub fn open(
        kafka: &Kafka,
        topic: &str,
        starts: &BTreeMap<u32, u64>,
        options: &ConsumerOptions,
    ) -> Result<(Self, Vec<Lane>), KafkaError> {
        let lanes = u32::try_from(starts.len()).unwrap_or(u32::MAX).max(1);
        let mut config = kafka.config()?;
        config
            .set("group.id", &options.group)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            // A record that is not there any more is a fault, and nothing to skip in silence.
            .set("auto.offset.reset", "error")
            .set("queued.max.messages.kbytes", (AHEAD_KILOBYTES / lanes).max(1024).to_string())
            .set("queued.min.messages", "10000")
            // Of each partition, compressed: what is fetched is unpacked as a whole. A larger message comes all the same.
            .set("fetch.message.max.bytes", "262144")
            // How long a full queue keeps from fetching; librdkafka's own second would let a quick loader run dry.
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.wait.max.ms", "100");
        let consumer = Arc::new(client(&config)?);
        let mut assignment = TopicPartitionList::new();
        for (&partition, &start) in starts {
            let start = Offset::Offset(i64::try_from(start).unwrap_or(i64::MAX));
            assignment.add_partition_offset(topic, signed(partition), start).map_err(|error| {
                explain(kafka.connection(), consumer.context(), "reading the topic", &error)
            })?;
        }
        consumer
            .assign(&assignment)
            .map_err(|error| explain(kafka.connection(), consumer.context(), "reading the topic", &error))?;
        let (ends, end) = watch::channel(None);
        let lanes = starts.iter().filter_map(|(&partition, &start)| {
            let queue = consumer.split_partition_queue(topic, signed(partition))?;
            Some(Lane::new(
                Arc::clone(&consumer),
                queue,
                (topic, partition, start),
                end.clone(),
                options.patience,
            ))
        });
        let lanes = lanes.collect();
        let hearing = Arc::new(AtomicBool::new(true));
        hear(Arc::clone(&consumer), topic.to_owned(), Arc::clone(&hearing))?;
        Ok((Self { topic: topic.to_owned(), client: consumer, ends, hearing }, lanes))
    }

    /// Says where the lanes end: before these offsets. A lane that is not named ends where it stands. What is said first holds.
    pub fn end_at(&self, ends: BTreeMap<u32, u64>) {
        self.ends.send_if_modified(|known| {
            let is_first = known.is_none();
            known.get_or_insert_with(|| Arc::new(ends));
            is_first
        });
    }

    /// Where the lanes were told to end; empty where they were not.
    #[must_use]
    pub fn ends(&self) -> BTreeMap<u32, u64> {
        self.ends.borrow().as_deref().cloned().unwrap_or_default()
    }

    /// Commits, for others to see, the offsets of the records that come next. Failures do no harm and are not told.
    pub fn commit(&self, next: &BTreeMap<u32, u64>) {
        let mut offsets = TopicPartitionList::new();
        for (&partition, &next) in next {
            let next = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            if offsets.add_partition_offset(&self.topic, signed(partition), next).is_err() {
                return;
            }
        }
        let _ = self.client.commit(&offsets, CommitMode::Async);
    }

    /// Commits as [`commit`](Self::commit), and waits until it is done: at the end of a run.
    pub async fn commit_and_wait(&self, next: BTreeMap<u32, u64>) {
        let client = Arc::clone(&self.client);
        let topic = self.topic.clone();
        let committed = blocking(move || {
            let mut offsets = TopicPartitionList::new();
            for (partition, next) in next {
                let next = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
                let _ = offsets.add_partition_offset(&topic, signed(partition), next);
            }
            let _ = client.commit(&offsets, CommitMode::Sync);
        });
        let _ = tokio::time::timeout(PATIENCE, committed).await;
    }

    /// How the connections are doing.
    #[must_use]
    pub fn health(&self) -> &Health {
        self.client.context()
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.hearing.store(false, Ordering::Relaxed);
    }
}

/// Hears librdkafka's complaints in a thread of its own, and knocks at a cluster that is down until it answers. The thread closes the
/// client, too, when nobody else holds it any more.
fn hear(
    client: Arc<BaseConsumer<Health>>,
    topic: String,
    hearing: Arc<AtomicBool>,
) -> Result<(), KafkaError> {
    let hear = move || {
        while hearing.load(Ordering::Relaxed) {
            let _ = client.poll(HEARING);
            if client.context().down_since().is_some()
                && client.fetch_metadata(Some(&topic), KNOCKING).is_ok()
            {
                client.context().answered();
            }
        }
        // Whoever lets go last closes the client, which waits for commits under way: for 10 min, where the coordinator is away.
        while Arc::strong_count(&client) > 1 {
            let _ = client.poll(HEARING);
        }
    };
    match thread::Builder::new().name("kafka consumer".to_owned()).spawn(hear) {
        Ok(_) => Ok(()),
        Err(error) => Err(KafkaError::Settings { reason: error.to_string() }),
    }
}
