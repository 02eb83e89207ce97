//! A librdkafka producer that leaves no gap, and knows what was acknowledged.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{Message as _, OwnedHeaders};
use rdkafka::producer::{
    BaseRecord, DeliveryResult, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer,
};
use tokio::sync::Notify;

use super::cluster::{Kafka, signed, unsettled};
use super::complaint::Complaint;
use super::error::KafkaError;
use super::health::Health;

/// How many messages wait to be acknowledged at most, in all queues side by side; each takes about half a kilobyte beside its key
/// and value.
const QUEUE_MESSAGES: u32 = 50_000;
/// How many kilobytes of keys and values wait to be acknowledged at most, in all queues side by side.
const QUEUE_KILOBYTES: u32 = 32 * 1024;
/// How long a batch waits for more messages.
const LINGER: Duration = Duration::from_millis(20);
/// How often a wait looks around.
const TICK: Duration = Duration::from_millis(50);

/// How a producer works.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// Kafka's `compression.type`, `lz4` by default.
    pub compression: String,
    /// The most bytes of a message, where the topic says so.
    pub max_message_bytes: Option<u64>,
    /// How long Kafka may be away before the run is given up.
    pub patience: Duration,
    /// How many producers are at work side by side, this one among them: they share the memory of the queues.
    pub beside: u32,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        let patience = Duration::from_mins(2);
        Self { compression: "lz4".to_owned(), max_message_bytes: None, patience, beside: 1 }
    }
}

impl ProducerOptions {
    /// The compression for a topic: the codec that its own settings name, else lz4.
    #[must_use]
    pub fn compression_for(topic: &crate::spec::Topic) -> String {
        match topic.config.get("compression.type").map(String::as_str) {
            None | Some("producer") => "lz4".to_owned(),
            Some("uncompressed") => "none".to_owned(),
            Some(codec) => codec.to_owned(),
        }
    }
}

/// A message as it is sent.
pub(super) struct Outgoing<'a> {
    pub partition: u32,
    pub key: Option<&'a [u8]>,
    pub value: &'a [u8],
    pub headers: OwnedHeaders,
}

/// A librdkafka producer of one topic.
pub(super) struct Sender {
    topic: String,
    client: ThreadedProducer<Deliveries>,
    patience: Duration,
    sent: u64,
}

impl Sender {
    pub(super) fn new(
        kafka: &Kafka,
        topic: &str,
        partitions: u32,
        options: &ProducerOptions,
    ) -> Result<Self, KafkaError> {
        let config = producer_config(kafka.config()?, options);
        let client = config.create_with_context(Deliveries::new(partitions)).map_err(unsettled)?;
        Ok(Self { topic: topic.to_owned(), client, patience: options.patience, sent: 0 })
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn health(&self) -> &Health {
        &self.client.context().health
    }

    /// Hands a message to librdkafka, when it has room. `what` names it in an error.
    pub(super) async fn send(
        &mut self,
        message: Outgoing<'_>,
        what: impl Fn() -> String,
    ) -> Result<(), KafkaError> {
        let Outgoing { partition, key, value, headers } = message;
        let mut record =
            BaseRecord::to(&self.topic).partition(signed(partition)).payload(value).headers(headers);
        record.key = key;
        let begun = Instant::now();
        loop {
            self.check()?;
            match self.client.send(record) {
                Ok(()) => break,
                Err((error, again)) => match error.rdkafka_error_code() {
                    Some(RDKafkaErrorCode::QueueFull) => {
                        self.wait(begun).await?;
                        record = again;
                    }
                    Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                        let bytes = value.len() + key.map_or(0, <[u8]>::len);
                        return Err(KafkaError::TooLarge { topic: self.topic.clone(), row: what(), bytes });
                    }
                    _ => return Err(self.failed(error.to_string())),
                },
            }
        }
        self.sent += 1;
        Ok(())
    }

    /// Waits until every message is acknowledged.
    pub(super) async fn flush(&self) -> Result<(), KafkaError> {
        let begun = Instant::now();
        while self.client.in_flight_count() > 0 {
            self.wait(begun).await?;
        }
        self.check()
    }

    /// How many messages each partition has acknowledged so far.
    pub(super) fn delivered(&self) -> BTreeMap<u32, u64> {
        let counts = self.client.context().counts.iter();
        (0..).zip(counts.map(|count| count.load(Ordering::Relaxed))).collect()
    }

    /// Waits for an acknowledgement; not longer than the patience lasts, since the waiting begun or the last one came.
    async fn wait(&self, begun: Instant) -> Result<(), KafkaError> {
        self.check()?;
        let deliveries = self.client.context();
        // A wake-up that comes too early or never does no harm.
        let _ = tokio::time::timeout(TICK, deliveries.arrived.notified()).await;
        let waited = deliveries.silent_for().min(begun.elapsed());
        if waited < self.patience {
            return Ok(());
        }
        self.give_up();
        let last = deliveries.health.complaints().last().map(Complaint::reason);
        Err(KafkaError::Gone { waited, last })
    }

    /// Fails once any message has failed.
    fn check(&self) -> Result<(), KafkaError> {
        let deliveries = self.client.context();
        if !deliveries.has_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        self.give_up();
        let reason = deliveries.failure.get().cloned().unwrap_or_default();
        Err(self.failed(reason))
    }

    fn failed(&self, reason: String) -> KafkaError {
        let delivered = self.delivered().values().sum();
        let lost = self.sent.saturating_sub(delivered);
        KafkaError::NotDelivered { topic: self.topic.clone(), delivered, lost, reason }
    }

    /// Throws away what was not sent yet: after a failure no later message may be.
    fn give_up(&self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
    }
}

/// The settings of a producer, by librdkafka's names.
fn producer_config(mut config: ClientConfig, options: &ProducerOptions) -> ClientConfig {
    let beside = options.beside.max(1);
    // A message that is larger than the queue would wait for room for ever.
    let largest = options.max_message_bytes.map_or(0, |bytes| bytes.clamp(1_000, 1_000_000_000) / 1024 + 1);
    let queue_kilobytes = u64::from(QUEUE_KILOBYTES / beside).max(2 * largest);
    config
        .set("enable.idempotence", "true")
        .set("enable.gapless.guarantee", "true")
        .set("acks", "all")
        // How long is too long, the caller says: a message that times out by itself would leave a gap behind it.
        .set("message.timeout.ms", "0")
        .set("compression.type", &options.compression)
        .set("linger.ms", LINGER.as_millis().to_string())
        .set("queue.buffering.max.messages", (QUEUE_MESSAGES / beside).to_string())
        .set("queue.buffering.max.kbytes", queue_kilobytes.to_string());
    if let Some(bytes) = options.max_message_bytes {
        config.set("message.max.bytes", bytes.clamp(1_000, 1_000_000_000).to_string());
    }
    config
}

/// What the servers acknowledged.
pub(super) struct Deliveries {
    counts: Vec<AtomicU64>,
    has_failed: AtomicBool,
    failure: OnceLock<String>,
    arrived: Notify,
    begun: Instant,
    /// When the last acknowledgement came, in milliseconds since the beginning.
    last: AtomicU64,
    health: Health,
}

impl Deliveries {
    pub(super) fn new(partitions: u32) -> Self {
        Self {
            counts: (0..partitions.max(1)).map(|_| AtomicU64::new(0)).collect(),
            has_failed: AtomicBool::new(false),
            failure: OnceLock::new(),
            arrived: Notify::new(),
            begun: Instant::now(),
            last: AtomicU64::new(0),
            health: Health::default(),
        }
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// How long it is since the last acknowledgement.
    fn silent_for(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    fn fail(&self, error: &ClientError) {
        let code = error.rdkafka_error_code();
        // What was thrown away failed because something else had.
        if matches!(code, Some(RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight)) {
            return;
        }
        let _ = self.failure.set(code.map_or_else(|| error.to_string(), |code| code.to_string()));
        self.has_failed.store(true, Ordering::Release);
        self.arrived.notify_one();
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.health.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            let _ = self.failure.set(reason.to_owned());
            self.fail(&error);
        }
        self.health.error(error, reason);
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(message) => {
                let partition = usize::try_from(message.partition()).unwrap_or(usize::MAX);
                if let Some(count) = self.counts.get(partition) {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                if self.last.swap(now, Ordering::Relaxed) != now {
                    self.health.answered();
                }
                self.arrived.notify_one();
            }
            Err((error, _)) => self.fail(error),
        }
    }
}
