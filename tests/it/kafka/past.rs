//! What stands in a topic, and whether it is still the one it was.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::util::Timeout;
use runner::topic::kafka::{KafkaError, Lag, Watermarks};

use super::{AWAY, checkpoint, cluster, consumer, message, produce, producer, read, topic};
use crate::servers::{Kafka, Received, Transaction, unique};

/// Deletes the records of a partition up to an offset, as retention does.
async fn retain(address: &str, topic: &str, partition: i32, up_to: i64) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", address).create().unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(topic, partition, rdkafka::Offset::Offset(up_to)).unwrap();
    admin.delete_records(&offsets, &AdminOptions::new()).await.unwrap();
}

#[tokio::test]
async fn the_last_row_is_found_behind_messages_of_others() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let name = unique("others");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    assert_eq!(kafka.last_rows(&name).await.unwrap(), BTreeMap::new());
    server.produce(&name, 2, [b"somebody else's".as_slice()]);
    produce(&kafka, &name, 200).await.unwrap();
    let last = kafka.last_rows(&name).await.unwrap();
    assert_eq!(last.values().map(|origin| origin.row.ordinal).max(), Some(199));
    let foreign: Vec<Vec<u8>> = (0..500).map(|n: u32| n.to_string().into_bytes()).collect();
    server.produce(&name, 0, foreign.iter().map(Vec::as_slice));
    let odd = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    // Not a row of runner's: the ordinal is no number.
    let headers = vec![odd("runner.row", b"a:x"), odd("runner.stream", b"s/l")];
    server.put(&name, &Received { partition: 1, offset: 0, key: None, value: None, headers });
    assert_eq!(kafka.last_rows(&name).await.unwrap(), last);
}

#[tokio::test]
async fn the_marks_of_transactions_and_what_was_given_up_are_no_records() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let name = unique("marks");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", server.address()).set("transactional.id", &name);
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(AWAY).unwrap();
    for is_kept in [true, false] {
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<(), str>::to(&name).partition(0).payload("row")).unwrap();
        producer.flush(AWAY).unwrap();
        let end = if is_kept { BaseProducer::commit_transaction } else { BaseProducer::abort_transaction };
        end(&producer, Timeout::After(AWAY)).unwrap();
    }
    // The coordinator writes the marks after it has answered.
    let begun = Instant::now();
    while kafka.watermarks(&name).await.unwrap()[&0].high < 4 {
        assert!(begun.elapsed() < AWAY, "the last mark does not come");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let marks = kafka.record_marks(&name).await.unwrap();
    assert_eq!(marks[&0], Watermarks { low: 0, high: 1 });
    assert_eq!(marks[&1], Watermarks::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_that_follows_passes_what_a_transaction_left_behind() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let name = unique("gap");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    Transaction::begin(server, &name).abort();
    let (_consumer, mut lanes) = consumer(&kafka, &name, &BTreeMap::from([(0, 0)]), AWAY);
    let batch = lanes[0].batch(10, Duration::from_millis(50));
    let batch = tokio::time::timeout(AWAY, batch).await.unwrap().unwrap().unwrap();
    assert_eq!((batch.records.len(), batch.next), (0, 2), "the record that was given up, and the mark");
    produce(&kafka, &name, 10).await.unwrap();
    let batch = lanes[0].batch(10, Duration::from_millis(50)).await.unwrap().unwrap();
    assert_eq!(batch.from, 2);
    assert!(!batch.records.is_empty());
}

#[tokio::test]
async fn records_that_retention_took_before_they_were_loaded_are_missed() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let name = unique("retained");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    produce(&kafka, &name, 1_000).await.unwrap();
    let marks = kafka.watermarks(&name).await.unwrap();
    let high = i64::try_from(marks[&1].high).unwrap();
    retain(server.address(), &name, 1, 100).await;

    let error = kafka.starts(&name, &BTreeMap::new(), false).await.unwrap_err();
    assert!(matches!(error, KafkaError::RecordsGone { partition: 1, from: 0, low: 100, .. }), "{error:?}");
    assert_eq!(kafka.starts(&name, &BTreeMap::new(), true).await.unwrap()[&1], 100);
    let error = kafka.starts(&name, &BTreeMap::from([(1, checkpoint(50, 0))]), true).await.unwrap_err();
    assert!(matches!(error, KafkaError::RecordsGone { partition: 1, from: 50, low: 100, .. }), "{error:?}");

    // Loading has begun when they go.
    let (_consumer, mut lanes) = super::consumer(&kafka, &name, &BTreeMap::from([(1, 50)]), AWAY);
    let error = lanes[0].batch(10, super::PATIENCE).await.unwrap_err();
    assert!(matches!(error, KafkaError::RecordsGone { partition: 1, from: 50, low: 100, .. }), "{error:?}");

    // All of them are gone, after they were loaded: what comes next is produced and loaded.
    retain(server.address(), &name, 1, high).await;
    let loaded = read(&kafka, &name, &BTreeMap::from([(0, 0), (2, 0)])).await.0;
    let last = |partition| loaded.iter().rfind(|record| record.partition == partition).unwrap().clone();
    let of = |partition: u32| {
        let record = last(partition);
        (partition, checkpoint(record.offset + 1, record.origin.unwrap().row.ordinal))
    };
    let gone = (1, checkpoint(marks[&1].high, 999));
    let starts = kafka.starts(&name, &BTreeMap::from([of(0), gone, of(2)]), false).await.unwrap();
    assert_eq!(starts.values().sum::<u64>(), 1_000);
}

#[tokio::test]
async fn a_topic_that_was_made_anew_is_told_from_its_predecessor() {
    let kafka = cluster(Kafka::shared().address()).await;
    let name = unique("anew");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    produce(&kafka, &name, 1_000).await.unwrap();
    let (records, _) =
        read(&kafka, &name, &kafka.starts(&name, &BTreeMap::new(), false).await.unwrap()).await;
    let last = records.iter().rfind(|record| record.partition == 0).unwrap();
    let (offset, row) = (last.offset + 1, last.origin.as_ref().unwrap().row.ordinal);
    let loaded = BTreeMap::from([(0, checkpoint(offset, row))]);
    kafka.starts(&name, &loaded, false).await.unwrap();

    kafka.delete_topic(&name).await.unwrap();
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    let error = kafka.starts(&name, &loaded, false).await.unwrap_err();
    assert!(matches!(error, KafkaError::MadeAnew { partition: 0, high: 0, .. }), "{error:?}");

    // Other rows stand in it now, and more of them.
    let mut other = producer(&kafka, &name).await.unwrap();
    for ordinal in 0..3_000 {
        other.produce(message(5_000 + ordinal)).await.unwrap();
    }
    other.flush().await.unwrap();
    let error = kafka.starts(&name, &loaded, false).await.unwrap_err();
    assert!(matches!(error, KafkaError::OtherRecord { partition: 0, .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_behind_is_told_by_partition() {
    let kafka = cluster(Kafka::shared().address()).await;
    let name = unique("behind");
    kafka.ensure_topic(&topic(&name)).await.unwrap();
    produce(&kafka, &name, 300).await.unwrap();
    let high = kafka.watermarks(&name).await.unwrap()[&0].high;
    let group = format!("runner.{name}");
    let (consumer, _lanes) = super::consumer(&kafka, &name, &BTreeMap::from([(0, 0)]), AWAY);
    consumer.commit_and_wait(BTreeMap::from([(0, 7)])).await;
    let lag = kafka.lag(&name, &group, &BTreeMap::from([(0, 10)])).await.unwrap();
    assert_eq!((lag[0].behind(), lag[0].committed, lag[0].gone()), (high - 10, Some(7), 0));
    assert_eq!(lag.iter().map(Lag::behind).sum::<u64>(), 290);
}
