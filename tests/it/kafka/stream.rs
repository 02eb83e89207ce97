//! Rows through a topic, while things are killed.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use runner::share::Share;
use runner::topic::kafka::{Kafka as Cluster, KafkaError, PATIENCE, Produced};

use super::{AWAY, cluster, consumer, loaded, message, produce, producer, read, topic};
use crate::servers::{Kafka, KafkaOptions, unique, until};

const ROWS: u64 = 100_000;

async fn made(kafka: &Kafka, name: &str) -> (Cluster, String) {
    let cluster = cluster(kafka.address()).await;
    let name = unique(name);
    cluster.ensure_topic(&topic(&name)).await.unwrap();
    (cluster, name)
}

/// All that stands in a topic, as a loader takes it.
async fn rows(kafka: &Cluster, name: &str) -> (Vec<u64>, u64) {
    let starts = kafka.starts(name, &BTreeMap::new(), true).await.unwrap();
    let (records, ends) = read(kafka, name, &starts).await;
    (loaded(&records), ends.values().sum())
}

fn all(rows: u64) -> Vec<u64> {
    (0..rows).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_loaded_while_they_are_produced() {
    let (kafka, name) = made(Kafka::shared(), "beside").await;
    let starts = kafka.starts(&name, &BTreeMap::new(), false).await.unwrap();
    let (consumer, lanes) = consumer(&kafka, &name, &starts, AWAY);
    let read = lanes.into_iter().map(|mut lane| {
        tokio::spawn(async move {
            let mut records = Vec::new();
            while let Some(batch) = lane.batch(5_000, Duration::from_millis(20)).await.unwrap() {
                assert!(batch.records.len() <= 5_000);
                records.extend(batch.records);
            }
            records
        })
    });
    let read: Vec<_> = read.collect();
    produce(&kafka, &name, ROWS).await.unwrap();
    let marks = kafka.watermarks(&name).await.unwrap();
    consumer.end_at(marks.iter().map(|(partition, marks)| (*partition, marks.high)).collect());
    let mut records = Vec::new();
    for lane in read {
        records.extend(lane.await.unwrap());
    }
    assert_eq!(records.len() as u64, ROWS);
    assert_eq!(loaded(&records), all(ROWS));
    assert!(records.iter().all(|record| {
        let row = record.origin.as_ref().unwrap().row.ordinal;
        record.key == message(row).key && record.value == message(row).value
    }));
}

#[tokio::test]
async fn rows_that_are_there_are_not_produced_again() {
    let (kafka, name) = made(Kafka::shared(), "again").await;
    produce(&kafka, &name, 500).await.unwrap();
    let mut producer = producer(&kafka, &name).await.unwrap();
    let mut there = 0;
    for ordinal in 0..600 {
        if let Produced::AlreadyThere { .. } = producer.produce(message(ordinal)).await.unwrap() {
            there += 1;
        }
    }
    assert_eq!(there, 500);
    assert_eq!(producer.flush().await.unwrap().values().sum::<u64>(), 100);
    assert_eq!(rows(&kafka, &name).await, (all(600), 600));
}

/// Produces in a process of its own; see [`child`].
#[test]
#[ignore = "started by other tests"]
fn produce_as_told() {
    let Ok(address) = std::env::var("RUNNER_TEST_KAFKA") else { return };
    let name = std::env::var("RUNNER_TEST_TOPIC").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { produce(&cluster(&address).await, &name, ROWS).await.unwrap() });
}

/// A process that produces all rows which are not in the topic.
fn child(address: &str, name: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kafka::stream::produce_as_told", "--ignored"])
        .env("RUNNER_TEST_KAFKA", address)
        .env("RUNNER_TEST_TOPIC", name)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Waits until a topic holds so many messages.
fn until_it_holds(kafka: &Kafka, name: &str, messages: i64) {
    until(AWAY, "messages come", || {
        kafka.watermarks(name).iter().map(|(_, high)| high).sum::<i64>() >= messages
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let server = Kafka::shared();
    let (kafka, name) = made(server, "killed").await;
    for messages in [1, 20_000, 50_000, 80_000] {
        let mut child = child(server.address(), &name);
        until_it_holds(server, &name, messages);
        child.kill().unwrap();
        child.wait().unwrap();
    }
    // Dropped in the middle, as by Ctrl-C.
    let mut dropped = producer(&kafka, &name).await.unwrap();
    for ordinal in 0..ROWS - 1_000 {
        dropped.produce(message(ordinal)).await.unwrap();
    }
    drop(dropped);
    produce(&kafka, &name, ROWS).await.unwrap();
    assert_eq!(rows(&kafka, &name).await.0, all(ROWS));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_wakes_up_beside_its_successor_doubles_nothing_for_the_loader() {
    let server = Kafka::shared();
    let (kafka, name) = made(server, "zombie").await;
    let mut zombies = Vec::new();
    for messages in [1, 10_000] {
        let zombie = child(server.address(), &name);
        until_it_holds(server, &name, messages);
        signal(&zombie, "-STOP");
        zombies.push(zombie);
    }
    let successor = tokio::spawn({
        let (kafka, name) = (kafka.clone(), name.clone());
        async move { produce(&kafka, &name, ROWS).await }
    });
    until_it_holds(server, &name, 30_000);
    for zombie in &zombies {
        signal(zombie, "-CONT");
    }
    successor.await.unwrap().unwrap();
    for mut zombie in zombies {
        assert!(zombie.wait().unwrap().success());
    }
    let (rows, messages) = rows(&kafka, &name).await;
    assert_eq!(rows, all(ROWS));
    assert!(messages > ROWS, "the zombies repeated nothing, so nothing was tested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_killed_and_restarted_costs_nothing() {
    let mut server = Kafka::start(&KafkaOptions::default());
    let (kafka, name) = made(&server, "restarted").await;
    let starts = kafka.starts(&name, &BTreeMap::new(), false).await.unwrap();
    let (consumer, lanes) = consumer(&kafka, &name, &starts, AWAY);
    let read = lanes.into_iter().map(|mut lane| {
        tokio::spawn(async move {
            let mut records = Vec::new();
            while let Some(batch) = lane.batch(1_000, Duration::from_millis(20)).await? {
                records.extend(batch.records);
            }
            Ok::<_, KafkaError>(records)
        })
    });
    let read: Vec<_> = read.collect();
    let producing = tokio::spawn({
        let (kafka, name) = (kafka.clone(), name.clone());
        async move { produce(&kafka, &name, ROWS).await }
    });
    for messages in [10_000, 50_000] {
        until_it_holds(&server, &name, messages);
        server.kill();
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(consumer.health().down_since().is_some(), "it is told that Kafka is away");
        server.restart();
    }
    producing.await.unwrap().unwrap();
    let marks = kafka.watermarks(&name).await.unwrap();
    consumer.end_at(marks.iter().map(|(partition, marks)| (*partition, marks.high)).collect());
    let mut records = Vec::new();
    for lane in read {
        records.extend(lane.await.unwrap().unwrap());
    }
    assert_eq!(loaded(&records), all(ROWS));
    assert_eq!(records.len() as u64, ROWS, "an idempotent producer does not repeat either");
    assert_eq!(consumer.health().down_since(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_does_not_come_back_is_given_up() {
    let mut server = Kafka::start(&KafkaOptions::default());
    let (kafka, name) = made(&server, "gone").await;
    produce(&kafka, &name, 10).await.unwrap();
    let patience = Duration::from_secs(3);
    let options = runner::topic::kafka::ProducerOptions { patience, ..Default::default() };
    let last = BTreeMap::new();
    let mut producer =
        runner::topic::kafka::Producer::open(&kafka, &name, (Share::WHOLE, 3), &last, &options).unwrap();
    let (_consumer, mut lanes) = consumer(&kafka, &name, &BTreeMap::from([(0, 0)]), patience);
    producer.produce(message(0)).await.unwrap();
    producer.flush().await.unwrap();
    server.kill();
    producer.produce(message(1)).await.unwrap();
    let error = producer.flush().await.unwrap_err();
    assert!(matches!(error, KafkaError::Gone { .. }), "{error:?}");
    let mut lane = lanes.remove(0);
    let error = loop {
        match lane.batch(100, PATIENCE).await {
            Ok(batch) => assert!(batch.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, KafkaError::Gone { .. }), "{error:?}");
    assert!(error.to_string().starts_with("Kafka has not answered for "), "{error}");
}

#[tokio::test]
async fn a_row_that_is_too_large_is_named() {
    let (kafka, name) = made(Kafka::shared(), "too-large").await;
    let mut producer = producer(&kafka, &name).await.unwrap();
    producer.produce(message(0)).await.unwrap();
    let mut large = message(1);
    large.value = vec![b'x'; 2_000_000];
    let error = producer.produce(large).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("row a.parquet:1 is a message of 2000001 bytes, more than topic `{name}` takes")
    );
}

#[tokio::test]
async fn a_topic_that_refuses_a_batch_ends_everything_and_says_what_was_delivered() {
    let kafka = cluster(Kafka::shared().address()).await;
    let mut small = topic(&unique("refuses"));
    // Smaller than what the producer believes the topic takes.
    small.config.insert("max.message.bytes".to_owned(), "2000".to_owned());
    kafka.ensure_topic(&small).await.unwrap();
    let mut producer = producer(&kafka, &small.name).await.unwrap();
    producer.produce(message(0)).await.unwrap();
    producer.flush().await.unwrap();
    let mut large = message(1);
    large.value = (0..5_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    producer.produce(large).await.unwrap();
    let mut ended = producer.flush().await.map(drop);
    for ordinal in 2..10 {
        ended = ended.and(producer.produce(message(ordinal)).await.map(drop));
    }
    let error = ended.unwrap_err();
    assert!(matches!(error, KafkaError::NotDelivered { delivered: 1, .. }), "{error:?}");
    drop(producer);
    assert_eq!(rows(&kafka, &small.name).await, (vec![0], 1));
}
