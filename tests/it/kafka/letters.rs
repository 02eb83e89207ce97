//! Dead letters: kept, listed, replayed.

use std::collections::BTreeMap;
use std::sync::mpsc;

use runner::spec::Topic;
use runner::topic::kafka::{
    DeadLetter, DeadLetters, Kafka as Cluster, Place, ProducerOptions, Refused, Replay, Replayed,
};

use super::{cluster, produce, read, topic};
use crate::servers::{Kafka, unique};

async fn list(kafka: &Cluster, topic: &Topic) -> Vec<DeadLetter> {
    let (sender, letters) = mpsc::channel();
    kafka.dead_letters(topic, move |letter| sender.send(letter).unwrap()).await.unwrap();
    letters.iter().collect()
}

#[tokio::test]
async fn a_dead_letter_is_kept_with_its_reason_and_replayed_once() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let topic = topic(&unique("letters"));
    let made = kafka.ensure_topic(&topic).await.unwrap();
    server.produce(&topic.name, 2, [b"no JSON at all \xff".as_slice()]);
    produce(&kafka, &topic.name, 100).await.unwrap();
    assert_eq!(list(&kafka, &topic).await, []);

    let starts = kafka.starts(&topic.name, &BTreeMap::new(), false).await.unwrap();
    let (records, ends) = read(&kafka, &topic.name, &starts).await;
    let at_fault: Vec<_> =
        [0, 2].map(|partition| records.iter().find(|record| record.partition == partition).unwrap()).into();
    let options = ProducerOptions { max_message_bytes: made.max_message_bytes, ..ProducerOptions::default() };
    let mut letters = DeadLetters::of(&kafka, &topic, &options);
    let long = "é".repeat(5_000);
    let refused = [
        Refused { record: at_fault[0], code: "missing-key-value", message: "`id` has no value" },
        Refused { record: at_fault[1], code: "dead-letters", message: &long },
    ];
    letters.append(&refused[..1]).await.unwrap();
    // A crash behind it, before the checkpoint moved: the records come again, one of them more.
    letters.append(&refused).await.unwrap();

    let listed = list(&kafka, &topic).await;
    let places: Vec<_> = listed.iter().map(|letter| letter.place).collect();
    assert_eq!(places, [Place { partition: 0, offset: 0 }, Place { partition: 2, offset: 0 }]);
    assert_eq!((&*listed[0].code, &*listed[0].message), ("missing-key-value", "`id` has no value"));
    assert_eq!((&listed[0].key, &listed[0].origin), (&at_fault[0].key, &at_fault[0].origin));
    assert_eq!((&*listed[1].value, &listed[1].origin), (b"no JSON at all \xff".as_slice(), &None));
    assert_eq!(listed[1].message.len(), 4_096);

    let mend =
        |letter: &DeadLetter| Replay { place: letter.place, key: letter.key.clone(), value: b"{}".to_vec() };
    let mended: Vec<_> = listed.iter().map(mend).collect();
    assert_eq!(
        kafka.replay(&topic, mended[..1].to_vec()).await.unwrap(),
        Replayed { replayed: 1, already: 0 }
    );
    assert_eq!(kafka.replay(&topic, mended).await.unwrap(), Replayed { replayed: 1, already: 1 });
    assert!(list(&kafka, &topic).await.iter().all(|letter| letter.replayed));

    // Only the replayed ones come, as messages of nobody; a lane goes over the transactions' marks.
    let (records, new_ends) = read(&kafka, &topic.name, &ends).await;
    assert_eq!(
        records.iter().map(|record| (&*record.value, &record.origin)).collect::<Vec<_>>(),
        [(b"{}".as_slice(), &None); 2]
    );
    assert_eq!(new_ends.values().sum::<u64>() - ends.values().sum::<u64>(), 4);
    let high = kafka.watermarks(&topic.name).await.unwrap();
    assert_eq!(new_ends, high.iter().map(|(partition, marks)| (*partition, marks.high)).collect());
}

#[tokio::test]
async fn a_record_as_large_as_the_topic_takes_still_has_room_as_a_dead_letter() {
    let server = Kafka::shared();
    let kafka = cluster(server.address()).await;
    let mut topic = topic(&unique("large"));
    topic.config.insert("max.message.bytes".to_owned(), "100000".to_owned());
    let made = kafka.ensure_topic(&topic).await.unwrap();
    let options = ProducerOptions { max_message_bytes: made.max_message_bytes, ..ProducerOptions::default() };
    let value: Vec<u8> =
        (0..99_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(99_000).collect();
    let record = runner::topic::Record { partition: 1, offset: 7, key: None, value, origin: None };
    let refused = Refused { record: &record, code: "dead-letters", message: &"x".repeat(10_000) };
    DeadLetters::of(&kafka, &topic, &options).append(&[refused]).await.unwrap();
    assert_eq!(list(&kafka, &topic).await[0].value, record.value);
}
