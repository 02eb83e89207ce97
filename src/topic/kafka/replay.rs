//! Producing dead letters again, each at most once; see [`dead_letters`](super::dead_letters) for how.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};

use super::cluster::{Kafka, blocking, explain, signed, unsettled};
use super::dead_letters::{OFFSET_HEADER, PARTITION_HEADER, Place, REPLAYED_HEADER, TOPIC_HEADER};
use super::error::KafkaError;
use super::sender::Deliveries;
use crate::spec::Topic;

/// How many letters are replayed in one transaction.
const TOGETHER: usize = 500;
/// How long one step of a transaction may take.
const STEP: Duration = Duration::from_secs(30);

/// A dead letter as it shall be produced again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Where the record stood.
    pub place: Place,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// What it shall carry.
    pub value: Vec<u8>,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// How many records were produced again.
    pub replayed: u64,
    /// How many had been produced again before.
    pub already: u64,
}

impl Kafka {
    /// Produces dead letters again, those that were not yet.
    ///
    /// Where it fails, some letters may be replayed and noted, the others are neither: it can be done again.
    ///
    /// # Errors
    /// Where Kafka does not answer, or another replay of the same topic began meanwhile.
    pub async fn replay(&self, topic: &Topic, letters: Vec<Replay>) -> Result<Replayed, KafkaError> {
        let mut config = self.config()?;
        config
            .set("transactional.id", format!("runner.{}.replay", topic.name))
            .set("transaction.timeout.ms", (STEP * 2).as_millis().to_string())
            .set("compression.type", "lz4")
            .set("message.max.bytes", "1000000000");
        let producer = self.begin(config).await?;
        // Whoever began before is fenced now, so what is noted is all there will be.
        let noted = match self.letter_ranges(topic).await? {
            Some(ranges) => self.replayed(topic, ranges).await?,
            None => BTreeSet::new(),
        };
        let (already, open): (Vec<_>, Vec<_>) =
            letters.into_iter().partition(|letter| noted.contains(&letter.place));
        let kafka = self.clone();
        let topic = topic.clone();
        blocking(move || {
            for together in open.chunks(TOGETHER) {
                kafka.replay_together(&producer, &topic, together)?;
            }
            let count = |letters: usize| u64::try_from(letters).unwrap_or(u64::MAX);
            Ok(Replayed { replayed: count(open.len()), already: count(already.len()) })
        })
        .await?
    }

    /// A producer of transactions; an unfinished one of a predecessor is undone.
    async fn begin(&self, config: ClientConfig) -> Result<ThreadedProducer<Deliveries>, KafkaError> {
        let kafka = self.clone();
        blocking(move || {
            let producer: ThreadedProducer<Deliveries> =
                config.create_with_context(Deliveries::new(0)).map_err(unsettled)?;
            producer.init_transactions(STEP).map_err(|error| kafka.not_replayed(&producer, &error))?;
            Ok(producer)
        })
        .await?
    }

    /// Produces letters again and notes it, all or nothing. It blocks.
    fn replay_together(
        &self,
        producer: &ThreadedProducer<Deliveries>,
        topic: &Topic,
        letters: &[Replay],
    ) -> Result<(), KafkaError> {
        let notes = topic.dead_letters();
        let attempt = || {
            producer.begin_transaction()?;
            for letter in letters {
                let Place { partition, offset } = letter.place;
                let record = BaseRecord::to(&topic.name)
                    .partition(signed(partition))
                    .payload(letter.value.as_slice())
                    .headers(OwnedHeaders::new().insert(Header {
                        key: REPLAYED_HEADER,
                        value: Some(&format!("{partition}/{offset}")),
                    }));
                let record = BaseRecord { key: letter.key.as_deref(), ..record };
                producer.send(record).map_err(|(error, _)| error)?;
                let note: BaseRecord<'_, [u8], [u8]> =
                    BaseRecord::to(&notes).partition(0).headers(note(topic, letter.place));
                producer.send(note).map_err(|(error, _)| error)?;
            }
            producer.commit_transaction(STEP)
        };
        attempt().map_err(|error| {
            let words = self.not_replayed(producer, &error);
            // Where this fails too, the next replay undoes it.
            let _ = producer.abort_transaction(STEP);
            words
        })
    }

    fn not_replayed(&self, producer: &ThreadedProducer<Deliveries>, error: &ClientError) -> KafkaError {
        explain(self.connection(), producer.context().health(), "replay dead letters", error)
    }
}

/// The headers of a note that a record was replayed.
fn note(topic: &Topic, place: Place) -> OwnedHeaders {
    OwnedHeaders::new()
        .insert(Header {
            key: REPLAYED_HEADER,
            value: Some(&format!("{}/{}", place.partition, place.offset)),
        })
        .insert(Header { key: TOPIC_HEADER, value: Some(&topic.name) })
        .insert(Header { key: PARTITION_HEADER, value: Some(&place.partition.to_string()) })
        .insert(Header { key: OFFSET_HEADER, value: Some(&place.offset.to_string()) })
}
