//! Filling a topic: runner's own producer, and a bare loop with the same settings.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use runner::message::{Message, Origin, ROW_HEADER, RowId, STREAM_HEADER};
use runner::share::Share;
use runner::spec::Topic;
use runner::topic::kafka::{Connection, Kafka, PATIENCE, Producer, ProducerOptions};
use runner::topic::partition;
use serde::Deserialize;

use crate::{lines, measure};

const FILE: &str = "trips.parquet";
/// As long as what runner writes there.
const LINEAGE: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";
const DIGEST: &str = "0f1e2d3c4b5a6978";

/// The column that is the key.
#[derive(Deserialize)]
struct Keyed {
    #[serde(rename = "PULocationID")]
    key: i64,
}

/// A key and a value, as they are sent.
type Row<'a> = (Vec<u8>, &'a [u8]);

pub fn produce(case: &str, bootstrap: &str, topic: &str, partitions: u32, file: &[u8]) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let connection = Connection { bootstrap: bootstrap.to_owned(), ..Connection::default() };
    let kafka = runtime.block_on(Kafka::connect(&connection, PATIENCE)).unwrap();
    let wanted = serde_json::json!({ "name": topic, "partitions": partitions });
    let wanted: Topic = serde_json::from_value(wanted).unwrap();
    runtime.block_on(kafka.ensure_topic(&wanted)).unwrap();
    let key = |line| serde_json::from_slice::<Keyed>(line).unwrap().key.to_string().into_bytes();
    let rows: Vec<Row<'_>> = lines(file).map(|line| (key(line), line)).collect();
    measure(rows.len(), || match case {
        "runner" => runtime.block_on(ours(&kafka, topic, partitions, &rows)),
        "bare" => bare(bootstrap, topic, partitions, &rows, false),
        "headers" => bare(bootstrap, topic, partitions, &rows, true),
        other => unreachable!("`{other}` is none of runner, bare, headers"),
    });
}

/// runner's own producer, with all that it looks after.
async fn ours(kafka: &Kafka, topic: &str, partitions: u32, rows: &[Row<'_>]) {
    let options = ProducerOptions::default();
    let mut producer =
        Producer::open(kafka, topic, (Share::WHOLE, partitions), &BTreeMap::new(), &options).unwrap();
    let (file, lineage, digest): (Arc<str>, Arc<str>, Arc<str>) =
        (FILE.into(), LINEAGE.into(), DIGEST.into());
    for (ordinal, (key, value)) in (0..).zip(rows) {
        let row = RowId { file: Arc::clone(&file), ordinal };
        let origin = Origin { row, lineage: Arc::clone(&lineage), digest: Arc::clone(&digest) };
        let message = Message { key: Some(key.clone()), value: value.to_vec(), origin };
        producer.produce(message).await.unwrap();
    }
    let delivered = producer.flush().await.unwrap();
    assert_eq!(delivered.values().sum::<u64>(), rows.len() as u64);
    producer.close().await;
}

/// What one would write in an hour: the same settings, and no more than to wait where the queue is full.
fn bare(bootstrap: &str, topic: &str, partitions: u32, rows: &[Row<'_>], headers: bool) {
    let producer: ThreadedProducer<DefaultProducerContext> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("compression.type", "lz4")
        .set("linger.ms", "20")
        .create()
        .unwrap();
    let stream = format!("{DIGEST}/{LINEAGE}");
    for (ordinal, (key, value)) in (0..).zip(rows) {
        let partition = partition(Some(key), ordinal, partitions, Share::WHOLE).cast_signed();
        let mut record = BaseRecord::to(topic).partition(partition).key(key.as_slice()).payload(*value);
        if headers {
            record = record.headers(origin(&stream, ordinal));
        }
        while let Err((_, again)) = producer.send(record) {
            record = again;
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    producer.flush(Duration::from_mins(2)).unwrap();
}

/// The headers that runner's messages have.
fn origin(stream: &str, ordinal: u64) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(2)
        .insert(Header { key: STREAM_HEADER, value: Some(stream) })
        .insert(Header { key: ROW_HEADER, value: Some(&format!("{FILE}:{ordinal}")) })
}
