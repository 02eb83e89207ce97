//! The dead letters of a topic: records that could not be written, in `<topic>.dlq`, each with the reason.
//!
//! A letter is acknowledged before the checkpoint moves beyond its record, so none is lost; after a crash in between it may
//! stand there twice, and is read once: a record's place in its topic is its name.
//!
//! # Replaying
//!
//! A record that was mended is produced again to the partition it was in. It is behind the checkpoint's row then, and would be
//! taken for a duplicate if it said which row it is; so it does not, and is loaded as a message of somebody else, by its
//! offset. That it was replayed is noted among the dead letters in the same Kafka transaction: either both stand or
//! neither, and a second replay finds the note. Two replays at a time fence each other by the transaction's id.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rdkafka::message::{BorrowedMessage, Header, Message as _, OwnedHeaders};

use super::cluster::Kafka;
use super::error::KafkaError;
use super::headers::{Stamp, pairs};
use super::patience::patiently;
use super::sender::{Outgoing, ProducerOptions, Sender};
use crate::message::Origin;
use crate::spec::Topic;
use crate::topic::Record;

/// The header that holds the code of the reason.
pub const CODE_HEADER: &str = "runner.error.code";
/// The header that holds the reason in words.
pub const MESSAGE_HEADER: &str = "runner.error.message";
/// The header that holds the topic of the record.
pub const TOPIC_HEADER: &str = "runner.topic";
/// The header that holds the record's partition.
pub const PARTITION_HEADER: &str = "runner.partition";
/// The header that holds the record's offset.
pub const OFFSET_HEADER: &str = "runner.offset";
/// The header of a note that the record was replayed, and of the replayed record: `partition/offset`.
pub const REPLAYED_HEADER: &str = "runner.replay";

/// How many bytes of a reason are kept.
const REASON: usize = 4 * 1024;
/// How much larger than its record a letter may be.
const HEADROOM: u64 = 64 * 1024;

/// A record's place in its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The partition.
    pub partition: u32,
    /// The offset.
    pub offset: u64,
}

/// A record that could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where the record stands in its topic.
    pub place: Place,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// What it carries.
    pub value: Vec<u8>,
    /// Which row it is; none where somebody else produced it.
    pub origin: Option<Origin>,
    /// The code of the reason.
    pub code: String,
    /// The reason in words.
    pub message: String,
    /// Whether it was produced again.
    pub replayed: bool,
}

/// A record that cannot be written, and why.
#[derive(Debug, Clone, Copy)]
pub struct Refused<'a> {
    /// The record.
    pub record: &'a Record,
    /// The code of the reason.
    pub code: &'a str,
    /// The reason in words.
    pub message: &'a str,
}

/// Where dead letters go in. Their topic is made with the first one.
pub struct DeadLetters {
    kafka: Kafka,
    topic: Topic,
    options: ProducerOptions,
    open: Option<(Sender, u32)>,
    stamp: Stamp,
}

impl DeadLetters {
    /// The dead letters of a topic.
    #[must_use]
    pub fn of(kafka: &Kafka, topic: &Topic, options: &ProducerOptions) -> Self {
        let options = options.clone();
        Self { kafka: kafka.clone(), topic: topic.clone(), options, open: None, stamp: Stamp::default() }
    }

    /// Keeps records that cannot be written; they are acknowledged when this returns.
    ///
    /// # Errors
    /// Where the topic of dead letters cannot be made, or does not take them.
    pub async fn append(&mut self, refused: &[Refused<'_>]) -> Result<(), KafkaError> {
        if refused.is_empty() {
            return Ok(());
        }
        let (sender, partitions) = match &mut self.open {
            Some(open) => open,
            closed => {
                let open = async || open(&self.kafka, &self.topic, &self.options).await;
                closed.insert(patiently(self.options.patience, || true, open).await?)
            }
        };
        for Refused { record, code, message } in refused {
            let headers =
                record.origin.as_ref().map_or_else(OwnedHeaders::new, |origin| self.stamp.headers(origin));
            let outgoing = Outgoing {
                partition: record.partition % *partitions,
                key: record.key.as_deref(),
                value: &record.value,
                headers: reason(headers, &self.topic.name, place(record), code, message),
            };
            let what = || format!("of record {} of partition {}", record.offset, record.partition);
            sender.send(outgoing, what).await?;
        }
        sender.flush().await
    }
}

/// Opens the topic of a topic's dead letters, and makes it where it is not there.
async fn open(kafka: &Kafka, topic: &Topic, options: &ProducerOptions) -> Result<(Sender, u32), KafkaError> {
    let (letters, state) = ensure(kafka, topic, options.max_message_bytes).await?;
    let options = ProducerOptions { max_message_bytes: state.max_message_bytes, ..options.clone() };
    Ok((Sender::new(kafka, &letters.name, state.partitions, &options)?, state.partitions))
}

/// Makes the topic of a topic's dead letters, or takes the one that is there as it is.
async fn ensure(
    kafka: &Kafka,
    topic: &Topic,
    max_message_bytes: Option<u64>,
) -> Result<(Topic, super::TopicState), KafkaError> {
    let mut letters = Topic {
        name: topic.dead_letters(),
        // One: they are few, and stand in the order in which they came about.
        partitions: 1,
        key: None,
        replication: topic.replication,
        config: [("retention.ms", "-1"), ("cleanup.policy", "delete")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .into(),
    };
    if let Some(bytes) = max_message_bytes {
        letters.config.insert("max.message.bytes".to_owned(), (bytes + HEADROOM).to_string());
    }
    if let Some(shape) = kafka.shape(&letters.name).await? {
        letters.partitions = shape.partitions;
    }
    let state = kafka.ensure_topic(&letters).await?;
    Ok((letters, state))
}

/// Adds the reason to a letter's headers.
fn reason(headers: OwnedHeaders, topic: &str, place: Place, code: &str, message: &str) -> OwnedHeaders {
    let end = message.floor_char_boundary(REASON);
    headers
        .insert(Header { key: CODE_HEADER, value: Some(code) })
        .insert(Header { key: MESSAGE_HEADER, value: message.get(..end) })
        .insert(Header { key: TOPIC_HEADER, value: Some(topic) })
        .insert(Header { key: PARTITION_HEADER, value: Some(&place.partition.to_string()) })
        .insert(Header { key: OFFSET_HEADER, value: Some(&place.offset.to_string()) })
}

fn place(record: &Record) -> Place {
    Place { partition: record.partition, offset: record.offset }
}

/// What stands in a topic of dead letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A letter of a record, with the code and the words of the reason.
    Letter(Place, String, String),
    /// A note that the record was replayed.
    Replayed(Place),
}

/// Reads an entry's headers; none where it is not of runner, or of another topic.
pub(super) fn entry<'a>(topic: &str, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Entry> {
    let (mut code, mut message, mut of, mut partition, mut offset, mut replayed) =
        (None, None, None, None, None, false);
    for (name, value) in headers {
        let value = || String::from_utf8_lossy(value).into_owned();
        match name {
            CODE_HEADER => code = Some(value()),
            MESSAGE_HEADER => message = Some(value()),
            TOPIC_HEADER => of = Some(value()),
            PARTITION_HEADER => partition = value().parse().ok(),
            OFFSET_HEADER => offset = value().parse().ok(),
            REPLAYED_HEADER => replayed = true,
            _ => {}
        }
    }
    let place = Place { partition: partition?, offset: offset? };
    if of.as_deref() != Some(topic) {
        return None;
    }
    if replayed {
        return Some(Entry::Replayed(place));
    }
    Some(Entry::Letter(place, code?, message.unwrap_or_default()))
}

impl Kafka {
    /// Gives each dead letter of a topic to `each`, once, in the order in which they came about.
    ///
    /// # Errors
    /// Where Kafka does not answer. A topic without dead letters has none, which is no error.
    pub async fn dead_letters<F>(&self, topic: &Topic, mut each: F) -> Result<(), KafkaError>
    where
        F: FnMut(DeadLetter) + Send + 'static,
    {
        let Some(ranges) = self.letter_ranges(topic).await? else { return Ok(()) };
        let replayed = self.replayed(topic, ranges.clone()).await?;
        let name = topic.name.clone();
        let give = move |seen: &mut HashSet<Place>, record: Record, message: &BorrowedMessage<'_>| {
            let Some(Entry::Letter(place, code, words)) = entry_of(&name, message) else { return };
            if seen.insert(place) {
                let Record { key, value, origin, .. } = record;
                let replayed = replayed.contains(&place);
                each(DeadLetter { place, key, value, origin, code, message: words, replayed });
            }
        };
        self.read(&topic.dead_letters(), ranges, HashSet::new(), give).await.map(drop)
    }

    /// Which records of a topic's dead letters were replayed.
    pub(super) async fn replayed(
        &self,
        topic: &Topic,
        ranges: std::collections::BTreeMap<u32, Range<u64>>,
    ) -> Result<BTreeSet<Place>, KafkaError> {
        let name = topic.name.clone();
        let note = move |replayed: &mut BTreeSet<Place>, _: Record, message: &BorrowedMessage<'_>| {
            if let Some(Entry::Replayed(place)) = entry_of(&name, message) {
                replayed.insert(place);
            }
        };
        self.read(&topic.dead_letters(), ranges, BTreeSet::new(), note).await
    }

    /// How far the topic of a topic's dead letters reaches; none where it is not there.
    pub(super) async fn letter_ranges(
        &self,
        topic: &Topic,
    ) -> Result<Option<std::collections::BTreeMap<u32, Range<u64>>>, KafkaError> {
        let letters = topic.dead_letters();
        if self.shape(&letters).await?.is_none() {
            return Ok(None);
        }
        let marks = self.watermarks(&letters).await?;
        Ok(Some(marks.into_iter().map(|(partition, marks)| (partition, marks.low..marks.high)).collect()))
    }
}

/// Reads the headers of a message of a topic of dead letters.
fn entry_of(topic: &str, message: &BorrowedMessage<'_>) -> Option<Entry> {
    let headers = message.headers()?;
    // As in `OriginReader`: rdkafka panics at a name that is not UTF-8.
    catch_unwind(AssertUnwindSafe(|| entry(topic, pairs(headers)))).ok().flatten()
}
