//! What somebody else puts into a topic never ends a run: it is written, or a dead letter, or a row that is there already.

use serde_json::json;

use super::Bed;
use crate::servers::{Kafka, Received};

/// How many messages somebody else puts into the topic.
const MESSAGES: usize = 100_000;
/// Of so many, one is a row as it should be, and one in a hundred of those is refused by the graph alone.
const GOOD: usize = 20;

/// A message as runner makes it.
fn good(n: usize) -> Vec<u8> {
    format!(r#"{{"id":{n},"note":"row {n}","distance":{n}.5}}"#).into_bytes()
}

fn bytes(most: usize, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = vec![0; random.usize(0..most)];
    random.fill(&mut bytes);
    bytes
}

/// Some bytes are changed, taken out or doubled.
fn mutated(mut value: Vec<u8>, random: &mut fastrand::Rng) -> Vec<u8> {
    for _ in 0..random.usize(1..4) {
        let start = random.usize(..=value.len());
        let end = (start + random.usize(0..3)).min(value.len());
        value.splice(start..end, bytes(3, random));
    }
    value
}

fn value(n: usize, random: &mut fastrand::Rng) -> Option<Vec<u8>> {
    Some(match random.u8(0..8) {
        0 => return None,
        1 => Vec::new(),
        2 => bytes(200, random),
        3 => (*random
            .choice([&b"null"[..], b"[]", b"7", b"\"id\"", b"{}", b"{\"id\":null}", b"1e999"].iter())
            .unwrap())
        .to_vec(),
        4 => b"{\"id\":".repeat(random.usize(1..300)),
        // No mutation of such a number is that of a good row.
        _ => mutated(good(n + 1_000_000_000_000_000), random),
    })
}

/// Headers that say whose row it is, or nearly so.
fn headers(random: &mut fastrand::Rng) -> Vec<(String, Vec<u8>)> {
    let ordinal = match random.u8(0..4) {
        0 => u64::MAX.to_string(),
        1 => "9223372036854775808".to_owned(),
        _ => random.u64(..).to_string(),
    };
    let whole = [
        ("runner.row", format!("data/1.parquet:{ordinal}")),
        ("runner.stream", format!("{:016x}/{:016x}", random.u64(..), random.u64(..))),
    ];
    let mut headers: Vec<(String, Vec<u8>)> =
        whole.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let at = random.usize(..headers.len());
    match random.u8(0..4) {
        0 => headers[at].1 = mutated(headers[at].1.clone(), random),
        1 => drop(headers.remove(at)),
        2 => headers.push(headers[at].clone()),
        _ => {}
    }
    headers
}

#[test]
fn a_hundred_thousand_messages_of_somebody_else_neither_end_nor_stop_a_run() {
    let bed = Bed::new("foreign");
    Kafka::shared().create(&bed.topic, 3);
    let mut random = fastrand::Rng::with_seed(4);
    let (mut messages, mut rows) = (Vec::new(), 0);
    for n in 0..MESSAGES {
        let is_good = n % GOOD == 0;
        let is_refused = n % (GOOD * 100) == 0;
        rows += u64::from(is_good && !is_refused);
        messages.push(Received {
            partition: i32::try_from(n % 3).unwrap(),
            offset: 0,
            key: random.bool().then(|| mutated(b"key".to_vec(), &mut random)),
            value: match (is_good, is_refused) {
                (_, true) => Some(br#"{"id":{"no":"property"}}"#.to_vec()),
                (true, _) => Some(good(n)),
                _ => value(n, &mut random),
            },
            headers: if is_good || random.bool() { Vec::new() } else { headers(&mut random) },
        });
    }
    Kafka::shared().put_all(&bed.topic, &messages);
    bed.write(json!({
        "apiVersion": "runner.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": { "name": "foreign" },
        "spec": {
            "topic": { "name": "foreign", "partitions": 3 },
            "mapping": { "cypher": "MERGE (r:Row {id: event.id}) SET r.note = event.note, r.distance = event.distance" },
            "stream": { "maxErrors": MESSAGES },
            "allow": ["dead-letters"],
        },
    }));
    bed.run().exits(0);
    let report = bed.report();
    let count = |name: &str| report["rows"][name].as_u64().unwrap();
    assert_eq!(count("consumed"), MESSAGES as u64, "{report:#}");
    assert_eq!(count("written") + count("deadLetters") + count("duplicates"), MESSAGES as u64);
    assert!(
        report["reconciliation"].as_array().unwrap().iter().all(|check| check["ok"] == true),
        "{report:#}"
    );
    let good = format!(
        "UNWIND range(0, {}) AS n MATCH (r:Row {{id: n * {GOOD}}}) WHERE r.note = 'row ' + (n * {GOOD}) AND r.distance = n * {GOOD} + 0.5 RETURN count(r) AS n",
        MESSAGES / GOOD - 1
    );
    assert_eq!(bed.neo4j.value(&good), json!(rows));
    let letters = Kafka::shared().watermarks(&format!("{}.dlq", bed.topic));
    let letters: i64 = letters.iter().map(|(low, high)| high - low).sum();
    assert_eq!(u64::try_from(letters).unwrap(), count("deadLetters"));
    bed.run().exits(0);
    assert_eq!(bed.report()["rows"]["consumed"], 0);
}
