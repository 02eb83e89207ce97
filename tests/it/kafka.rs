//! The topic as Kafka, on real brokers.

mod connect;
mod letters;
mod past;
mod stream;
mod topics;

use std::collections::BTreeMap;
use std::time::Duration;

use runner::message::{Message, Origin, RowId};
use runner::share::Share;
use runner::spec::Topic;
use runner::topic::Record;
use runner::topic::kafka::{
    Connection, Consumer, ConsumerOptions, Kafka, KafkaError, Lane, Loaded, PATIENCE, Producer,
    ProducerOptions,
};

/// How long Kafka may be away in these tests.
const AWAY: Duration = Duration::from_mins(1);

fn connection(bootstrap: &str) -> Connection {
    Connection { bootstrap: bootstrap.to_owned(), ..Connection::default() }
}

async fn cluster(bootstrap: &str) -> Kafka {
    Kafka::connect(&connection(bootstrap), PATIENCE).await.unwrap()
}

fn topic(name: &str) -> Topic {
    Topic {
        name: name.to_owned(),
        partitions: 3,
        key: Some("id".to_owned()),
        replication: Some(1),
        config: [].into_iter().collect(),
    }
}

/// A row's message; its key is one of 97.
fn message(ordinal: u64) -> Message {
    Message {
        key: Some((ordinal % 97).to_string().into_bytes()),
        value: format!("{{\"id\":{},\"row\":{ordinal}}}", ordinal % 97).into_bytes(),
        origin: Origin {
            row: RowId { file: "a.parquet".into(), ordinal },
            lineage: "0123456789abcdef".into(),
            digest: "fedcba9876543210".into(),
        },
    }
}

/// A producer that goes on where the topic stands.
async fn producer(kafka: &Kafka, topic: &str) -> Result<Producer, KafkaError> {
    let last = kafka.last_rows(topic).await?;
    let last = last.into_iter().map(|(partition, origin)| (partition, origin.row)).collect();
    Producer::open(
        kafka,
        topic,
        (Share::WHOLE, 3),
        &last,
        &ProducerOptions { patience: AWAY, ..ProducerOptions::default() },
    )
}

/// Produces the rows that are not there yet, up to so many in all.
async fn produce(kafka: &Kafka, topic: &str, rows: u64) -> Result<(), KafkaError> {
    let mut producer = producer(kafka, topic).await?;
    for ordinal in 0..rows {
        producer.produce(message(ordinal)).await?;
    }
    producer.flush().await.map(drop)
}

fn consumer(
    kafka: &Kafka,
    topic: &str,
    starts: &BTreeMap<u32, u64>,
    patience: Duration,
) -> (Consumer, Vec<Lane>) {
    let options = ConsumerOptions { group: format!("runner.{topic}"), patience };
    Consumer::open(kafka, topic, starts, &options).unwrap()
}

/// Reads the topic from places on to its end of now: the records, and where each lane stands then.
async fn read(kafka: &Kafka, topic: &str, starts: &BTreeMap<u32, u64>) -> (Vec<Record>, BTreeMap<u32, u64>) {
    let (consumer, lanes) = consumer(kafka, topic, starts, AWAY);
    let marks = kafka.watermarks(topic).await.unwrap();
    consumer.end_at(marks.iter().map(|(partition, marks)| (*partition, marks.high)).collect());
    let (mut records, mut ends) = (Vec::new(), BTreeMap::new());
    for mut lane in lanes {
        let mut next = lane.position();
        while let Some(batch) = lane.batch(1_000, Duration::from_millis(50)).await.unwrap() {
            assert_eq!(batch.from, next, "batches follow on each other");
            assert!(batch.records.iter().all(|record| (batch.from..batch.next).contains(&record.offset)));
            next = batch.next;
            records.extend(batch.records);
        }
        ends.insert(lane.partition(), next);
    }
    (records, ends)
}

/// The rows that a loader writes: those beyond the last one of their partition, in the order of the rows.
fn loaded(records: &[Record]) -> Vec<u64> {
    let mut last = BTreeMap::<u32, u64>::new();
    let mut rows = Vec::new();
    for record in records {
        let Some(origin) = &record.origin else { continue };
        let row = origin.row.ordinal;
        if last.get(&record.partition).is_none_or(|last| row > *last) {
            last.insert(record.partition, row);
            rows.push(row);
        }
    }
    rows.sort_unstable();
    rows
}

fn checkpoint(offset: u64, row: u64) -> Loaded {
    Loaded { offset, row: Some(message(row).origin.row) }
}
