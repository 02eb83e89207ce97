//! A lane: the records of one partition, in order, in batches.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::Offset;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout_at};

use super::cluster::{PATIENCE, blocking, signed, unsigned};
use super::complaint::Complaint;
use super::consumer::Ends;
use super::error::KafkaError;
use super::headers::OriginReader;
use super::health::Health;
use crate::topic::Record;

/// How often a lane that waits looks around.
const TICK: Duration = Duration::from_millis(250);
/// After how long without a record the broker is asked whether there are any. librdkafka may stop fetching a partition after an outage:
/// seen once in some hundred killed brokers, for as long as the run had patience.
const DOUBT: Duration = Duration::from_secs(10);
/// How many bytes a batch has at most, give or take one record: rows of any size shall do no harm.
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Records of one partition that follow on each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneBatch {
    /// The partition.
    pub partition: u32,
    /// Where the batch begins: the offset that the lane stood at.
    pub from: u64,
    /// The records, in order. Offsets between them may be missing: transactions and compaction leave such gaps.
    pub records: Vec<Record>,
    /// Where the lane stands behind the batch. It may be beyond the last record where nothing but gaps follow it.
    pub next: u64,
}

/// The records of one partition.
pub struct Lane {
    topic: Arc<str>,
    partition: u32,
    // Before the queue of its messages, the client must not go.
    queue: PartitionQueue<Health>,
    client: Arc<BaseConsumer<Health>>,
    waiting: Arc<Notify>,
    ends: watch::Receiver<Ends>,
    origins: OriginReader,
    patience: Duration,
    /// Where the next batch begins.
    from: u64,
    /// The offset behind the last record that was read.
    next: u64,
    pending: Vec<Record>,
    bytes: usize,
    /// Whether the partition ended behind the last record when that end was fetched.
    saw_end: bool,
    /// Up to where there is no record, if the partition ends once more before one comes: what is there is fetched again.
    rechecked: Option<u64>,
    last_progress: Instant,
    /// When it became known where the lane ends.
    end_known: Option<Instant>,
    /// When the broker was last asked.
    last_asked: Instant,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl Lane {
    pub(super) fn new(
        client: Arc<BaseConsumer<Health>>,
        mut queue: PartitionQueue<Health>,
        (topic, partition, start): (&str, u32, u64),
        ends: watch::Receiver<Ends>,
        patience: Duration,
    ) -> Self {
        let waiting = Arc::new(Notify::new());
        let wake = Arc::clone(&waiting);
        queue.set_nonempty_callback(move || wake.notify_one());
        Self {
            topic: topic.into(),
            partition,
            queue,
            client,
            waiting,
            ends,
            origins: OriginReader::default(),
            patience,
            from: start,
            next: start,
            pending: Vec::new(),
            bytes: 0,
            saw_end: false,
            rechecked: None,
            last_progress: Instant::now(),
            end_known: None,
            last_asked: Instant::now(),
        }
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> u32 {
        self.partition
    }

    /// Where the next batch begins.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.from
    }

    /// The next records: at most `most` (at least one), waiting for more of them no longer than `wait` once there is one.
    ///
    /// `None` at the lane's end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// Where records are gone that were not read yet, the topic is gone, or Kafka is away for too long.
    pub async fn batch(&mut self, most: usize, wait: Duration) -> Result<Option<LaneBatch>, KafkaError> {
        let mut due = None;
        loop {
            let is_full = self.take(most.max(1))?;
            let end = self.end();
            let is_done = end.is_some_and(|end| self.next >= end);
            if is_full || (is_done && !self.pending.is_empty()) {
                return Ok(Some(self.cut(self.next)));
            }
            if is_done {
                return Ok(None);
            }
            // The partition ended once more where the lane stands: only a gap lies between, such as a transaction's mark.
            if let Some(gap) = self.rechecked.take_if(|_| self.saw_end) {
                return Ok(Some(self.cut(end.map_or(gap, |end| end.min(gap)))));
            }
            let is_silent = self.last_progress.max(self.last_asked).elapsed() >= DOUBT;
            if is_silent || (self.saw_end && end.is_some()) {
                self.recheck(end).await?;
            }
            if !self.pending.is_empty() {
                let due = *due.get_or_insert_with(|| Instant::now() + wait);
                if Instant::now() >= due {
                    return Ok(Some(self.cut(self.next)));
                }
            }
            self.complain_when_stuck(end)?;
            let tick = Instant::now() + TICK;
            let until = due.map_or(tick, |due| due.min(tick));
            let woken = async {
                tokio::select! {
                    () = self.waiting.notified() => {}
                    _ = self.ends.changed() => {}
                }
            };
            let _ = timeout_at(until, woken).await;
        }
    }

    /// Takes what the queue holds, until the batch is full or the lane ends; says whether it is full.
    fn take(&mut self, most: usize) -> Result<bool, KafkaError> {
        // The clock and the lane's end are looked at once, not for each record.
        let end = self.end();
        let mut has_moved = false;
        loop {
            let is_full = self.pending.len() >= most || self.bytes >= BATCH_BYTES;
            if is_full || end.is_some_and(|end| self.next >= end) || !self.poll(&mut has_moved)? {
                if has_moved {
                    self.last_progress = Instant::now();
                }
                return Ok(is_full);
            }
        }
    }

    /// Takes one thing from the queue; says whether there was one, and whether it is progress.
    fn poll(&mut self, has_moved: &mut bool) -> Result<bool, KafkaError> {
        let record = match self.queue.poll(Duration::ZERO) {
            None => return Ok(false),
            Some(Err(ClientError::PartitionEOF(_))) => {
                (self.saw_end, *has_moved) = (true, true);
                return Ok(true);
            }
            Some(Err(error)) => return self.failed(&error).map(|()| true),
            Some(Ok(message)) => record(&mut self.origins, self.partition, &message),
        };
        // What was fetched before a seek does not come out behind it; this is for certainty.
        if record.offset >= self.next {
            (self.saw_end, self.rechecked, *has_moved) = (false, None, true);
            self.next = record.offset + 1;
            self.bytes += record.value.len();
            self.pending.push(record);
        }
        Ok(true)
    }

    /// Fetches once more from where the lane stands, if the partition has come to the lane's end, or beyond where it stands: the next
    /// end that comes is then one of after now. A new leader may for a moment tell readers of an earlier end than the old one did, but
    /// it does not answer what is asked here until it knows better (KIP-207).
    async fn recheck(&mut self, end: Option<u64>) -> Result<(), KafkaError> {
        self.last_asked = Instant::now();
        let least = end.unwrap_or(self.next + 1);
        let (client, topic, partition) = (Arc::clone(&self.client), Arc::clone(&self.topic), self.partition);
        let next = Offset::Offset(i64::try_from(self.next).unwrap_or(i64::MAX));
        let sought = blocking(move || {
            let (_, high) = client.fetch_watermarks(&topic, signed(partition), PATIENCE)?;
            let is_there = unsigned(high) >= least;
            if is_there {
                client.seek(&topic, signed(partition), next, PATIENCE)?;
            }
            Ok::<Option<u64>, ClientError>(is_there.then_some(unsigned(high)))
        });
        // While Kafka is away this fails; it is tried again at the next look, as long as the patience lasts.
        if let Ok(Some(high)) = sought.await? {
            (self.saw_end, self.rechecked) = (false, Some(end.unwrap_or(high)));
        }
        Ok(())
    }

    /// The batch of what is pending; the lane then stands at `next`.
    fn cut(&mut self, next: u64) -> LaneBatch {
        let from = std::mem::replace(&mut self.from, next);
        self.next = next;
        self.bytes = 0;
        LaneBatch { partition: self.partition, from, records: std::mem::take(&mut self.pending), next }
    }

    /// Where the lane ends, once that is known.
    fn end(&self) -> Option<u64> {
        let ends = self.ends.borrow();
        ends.as_ref().map(|ends| ends.get(&self.partition).copied().unwrap_or_default())
    }

    /// Gives up where Kafka is away for too long, or does not give records that are known to be there.
    fn complain_when_stuck(&mut self, end: Option<u64>) -> Result<(), KafkaError> {
        let since = end.map(|_| self.last_progress.max(*self.end_known.get_or_insert_with(Instant::now)));
        let health = self.client.context();
        let silent = since.map_or(Duration::ZERO, |since| since.elapsed());
        let waited = silent.max(health.down_for());
        if waited < self.patience {
            return Ok(());
        }
        let last = health.complaints().last().map(Complaint::reason);
        // Where it answers, but does not give what is there:
        let held_back = "a transaction that is open may hold records back";
        let is_up = health.down_for().is_zero();
        Err(KafkaError::Gone { waited, last: last.or_else(|| is_up.then(|| held_back.to_owned())) })
    }

    /// What a failure in the queue means. librdkafka tries the passing ones again by itself.
    fn failed(&self, error: &ClientError) -> Result<(), KafkaError> {
        use RDKafkaErrorCode::{
            AutoOffsetReset, LogTruncation, OffsetOutOfRange, TopicAuthorizationFailed, UnknownPartition,
            UnknownTopic, UnknownTopicOrPartition,
        };
        let topic = self.topic.to_string();
        match error.rdkafka_error_code() {
            Some(AutoOffsetReset | LogTruncation | OffsetOutOfRange) => {
                let (low, high) = self
                    .client
                    .fetch_watermarks(&topic, signed(self.partition), PATIENCE)
                    .unwrap_or_default();
                Err(out_of_range(topic, self.partition, self.next, unsigned(low), unsigned(high)))
            }
            Some(UnknownTopicOrPartition | UnknownTopic | UnknownPartition) => {
                Err(KafkaError::NoTopic { topic })
            }
            Some(TopicAuthorizationFailed) => {
                Err(KafkaError::NotAllowed { action: format!("read from topic `{topic}`") })
            }
            _ if matches!(error, ClientError::MessageConsumptionFatal(_)) => Err(KafkaError::Request {
                what: format!("reading partition {} of topic `{topic}`", self.partition),
                reason: error.to_string(),
            }),
            _ => Ok(()),
        }
    }
}

/// Why a record is not there: it is gone from the topic, or the topic is another one.
pub(super) fn out_of_range(topic: String, partition: u32, from: u64, low: u64, high: u64) -> KafkaError {
    if from > high {
        KafkaError::MadeAnew { topic, partition, from, high }
    } else {
        KafkaError::RecordsGone { topic, partition, from, low }
    }
}

/// A message as it stands in the topic.
pub(super) fn record(origins: &mut OriginReader, partition: u32, message: &BorrowedMessage<'_>) -> Record {
    Record {
        partition,
        offset: unsigned(message.offset()),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().unwrap_or_default().to_vec(),
        origin: origins.read(message),
    }
}
