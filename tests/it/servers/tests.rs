//! The test bed itself.

use std::fs;
use std::time::Duration;

use super::{Connect, Kafka, KafkaOptions, KafkaVersion, Neo4j, Received, unique, until};

fn a_message_comes_back(kafka: &Kafka) {
    let topic = unique("there-and-back");
    kafka.create(&topic, 3);
    let sent = Received {
        partition: 1,
        offset: 0,
        key: Some(b"key".to_vec()),
        value: None,
        headers: vec![("runner.ordinal".to_owned(), b"7".to_vec())],
    };
    kafka.put(&topic, &sent);
    kafka.produce(&topic, 2, [b"a".as_slice(), b"b"]);
    let found = kafka.messages(&topic);
    assert_eq!(found[0], sent);
    assert_eq!(found[1..].iter().map(|one| one.value.clone().unwrap()).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(kafka.watermarks(&topic), [(0, 0), (0, 1), (0, 2)]);
}

#[test]
fn a_broker_gives_back_what_it_got() {
    a_message_comes_back(Kafka::shared());
}

#[test]
fn neo4j_answers_and_is_empty_for_each_test() {
    for _ in 0..2 {
        let neo4j = Neo4j::shared();
        assert_eq!(neo4j.value("MATCH (n) RETURN count(n)"), 0);
        assert_eq!(neo4j.rows("SHOW CONSTRAINTS").len(), 0);
        assert_eq!(neo4j.rows("SHOW INDEXES").len(), 2, "the look-up indexes");
        neo4j.rows("CREATE CONSTRAINT FOR (z:Zone) REQUIRE z.id IS UNIQUE");
        neo4j.rows("CREATE INDEX FOR (z:Zone) ON (z.name)");
        neo4j.rows("CREATE (:Zone {id: 1})-[:TRIP]->(:Zone {id: 2})");
    }
    let neo4j = Neo4j::shared();
    assert_eq!(neo4j.value("RETURN apoc.text.join(['a', 'b'], '-')"), "a-b");
}

#[test]
fn what_a_killed_server_had_is_there_after_its_restart() {
    let mut neo4j = Neo4j::shared();
    let address = neo4j.address().to_owned();
    neo4j.rows("CREATE (:Zone {id: 1})");
    neo4j.kill();
    neo4j.restart();
    assert_eq!(neo4j.address(), address);
    assert_eq!(neo4j.value("MATCH (z:Zone) RETURN z.id"), 1);
}

#[test]
fn connect_works_for_brokers_that_are_older_and_on_zookeeper() {
    let kafka =
        Kafka::start(&KafkaOptions { version: KafkaVersion::V3_9OnZooKeeper, ..KafkaOptions::default() });
    a_message_comes_back(&kafka);
    let connect = Connect::start(&kafka);
    assert_eq!(connect.url(), "");
}

#[test]
fn a_server_ends_with_the_process_that_started_it() {
    let kafka = Kafka::start(&KafkaOptions::default());
    let folder = kafka.server.folder();
    let process = format!("/proc/{}", kafka.server.fact("pid"));
    assert!(fs::exists(&process).unwrap() && folder.is_dir());
    drop(kafka);
    until(Duration::from_secs(5), "the server is gone", || {
        !fs::exists(&process).unwrap() && !folder.exists()
    });
}
