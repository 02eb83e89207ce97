//! The embedded store, with the mission's own mapping.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;
mod projection;

use serde_json::{Value, json};

use super::*;
use crate::graph::{Advance, Constraint, ConstraintKind, ElementSchema};
use crate::message::RowId;

const TRIPS: &str = "\
MERGE (p:Location {name: toInteger(event.from)})
MERGE (d:Location {name: toInteger(event.to)})
MERGE (p)-[:TRIP {distance: toFloat(event.distance), pickup_dt: datetime(event.pickup)}]->(d)";

fn schema(statement: &str) -> GraphSchema {
    let element = |name: &str, properties: &[&str]| ElementSchema {
        name: name.to_owned(),
        properties: properties.iter().map(ToString::to_string).collect(),
    };
    GraphSchema {
        statement: statement.into(),
        dictionary: None,
        constraints: vec![Constraint {
            label: "Location".to_owned(),
            properties: vec!["name".to_owned()],
            kind: ConstraintKind::NodeUnique,
        }],
        nodes: vec![element("Location", &["name"])],
        relationships: vec![element("TRIP", &["distance", "pickup_dt"])],
    }
}

fn trip(from: u64, to: u64, number: u64) -> Value {
    json!({ "from": from, "to": to, "distance": number, "pickup": format!("2022-03-01T00:00:{:02}", number % 60) })
}

fn advance(partition: u32, from: u64, rows: u64) -> Advance {
    let offset = from + rows;
    let row = offset.checked_sub(1).map(|ordinal| RowId { file: "a.parquet".into(), ordinal });
    let (lineage, digest) = ("lineage".to_owned(), "digest".to_owned());
    Advance { partition, from, checkpoint: Checkpoint { offset, row, lineage, digest, dead_letters: 0 } }
}

fn batch(statement: &str, from: u64, events: Vec<Value>) -> WriteBatch {
    let advances = vec![advance(0, from, events.len() as u64)];
    WriteBatch {
        statement: statement.into(),
        dictionary: None,
        topic: "trips".to_owned(),
        events: serde_json::from_value(events.into()).unwrap(),
        advances,
        must_write: false,
    }
}

#[tokio::test]
async fn a_panic_of_the_engine_is_told_with_its_words_and_ends_it() {
    let store = Embedded::in_memory().unwrap();
    let done: Result<(), GraphError> = store.engine.run(|_| panic!("no node 7\nbacktrace")).await;
    assert_eq!(done.unwrap_err().to_string(), "the graph engine has stopped: no node 7");
    let after = store.counts().await.unwrap_err();
    assert!(matches!(after, GraphError::Stopped { .. }), "{after}");
}

async fn rows(store: &Embedded, cypher: &str) -> Vec<Vec<Value>> {
    store.query(cypher, Map::new()).await.unwrap().rows
}

async fn prepared(statement: &str) -> Embedded {
    let store = Embedded::in_memory().unwrap();
    store.prepare(&schema(statement)).await.unwrap();
    store
}

#[test]
fn the_engine_is_named_as_it_is_pinned() {
    let store = Embedded::in_memory().unwrap();
    let version = store.engine().replace("kglite ", "=");
    assert!(include_str!("../../../Cargo.toml").contains(&format!("kglite = {{ version = \"{version}\"")));
}

#[tokio::test]
async fn a_batch_and_its_checkpoint_are_written_together() {
    let store = prepared(TRIPS).await;
    let events = vec![trip(1, 2, 10), trip(2, 2, 11), trip(1, 2, 10)];
    let batch = batch(TRIPS, 0, events);
    let written = store.write(&batch).await.unwrap();
    assert_eq!(written.rows, 3);
    assert_eq!(written.wrote_nothing, Vec::<usize>::new());
    assert_eq!(
        store.checkpoints("trips").await.unwrap(),
        BTreeMap::from([(0, batch.advances[0].checkpoint.clone())])
    );
    assert_eq!(store.checkpoints("other").await.unwrap(), BTreeMap::new());
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.nodes, BTreeMap::from([("Location".to_owned(), 2)]));
    // The third row repeats the first, and the mapping merges.
    assert_eq!(counts.relationships, BTreeMap::from([("TRIP".to_owned(), 2)]));
}

#[tokio::test]
async fn a_loader_that_is_not_where_the_checkpoint_stands_is_fenced() {
    let store = prepared(TRIPS).await;
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10)])).await.unwrap();
    for from in [0, 2] {
        let error = store.write(&batch(TRIPS, from, vec![trip(5, 6, 10)])).await.unwrap_err();
        assert!(
            matches!(error, WriteError::Fenced { found: 1, expected, .. } if expected == from),
            "{error}"
        );
    }
    assert_eq!(rows(&store, "MATCH (l:Location) RETURN count(l)").await, [[json!(2)]]);
}

#[tokio::test]
async fn a_batch_over_several_partitions_moves_all_checkpoints_or_none() {
    let store = prepared(TRIPS).await;
    let mut both = batch(TRIPS, 0, vec![trip(1, 2, 10), trip(2, 3, 11), trip(3, 4, 12)]);
    both.advances = vec![advance(0, 0, 1), advance(7, 0, 2)];
    let written = store.write(&both).await.unwrap();
    assert_eq!((written.nodes_created, written.properties_set), (4, 0));
    both.advances = vec![advance(0, 1, 1), advance(7, 1, 2)];
    let error = store.write(&both).await.unwrap_err();
    assert!(matches!(error, WriteError::Fenced { partition: 7, expected: 1, found: 2, .. }), "{error}");
    let checkpoints = store.checkpoints("trips").await.unwrap();
    let offsets: Vec<(u32, u64)> =
        checkpoints.iter().map(|(partition, at)| (*partition, at.offset)).collect();
    assert_eq!(offsets, [(0, 1), (7, 2)]);
}

/// The store tests the checkpoints before it runs the statement; a server has only the statement.
#[test]
fn the_statement_itself_writes_no_event_where_a_checkpoint_stands_elsewhere() {
    let graph = OpenGraph::in_memory();
    let mut first = batch(TRIPS, 0, vec![trip(1, 2, 10)]);
    first.advances.push(advance(1, 0, 1));
    write::Write::new(&first).unwrap().execute(&graph).unwrap();
    let mut second = batch(TRIPS, 1, vec![trip(3, 4, 10)]);
    second.advances.push(advance(1, 0, 1));
    let result = write::Write::new(&second).unwrap().execute(&graph).unwrap();
    assert_eq!(result.stats.unwrap_or_default().nodes_created, 0);
    assert_eq!(write::checkpoints(&graph, "trips").unwrap()[&0].offset, 1);
}

#[tokio::test]
async fn a_faulty_record_takes_the_whole_batch_with_it() {
    let store = prepared(TRIPS).await;
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10)])).await.unwrap();
    let mut faulty = trip(7, 8, 12);
    faulty["pickup"] = json!("yesterday");
    let events = vec![trip(3, 4, 11), faulty, trip(9, 9, 13)];
    let error = store.write(&batch(TRIPS, 1, events)).await.unwrap_err();
    assert!(matches!(&error, WriteError::Record { message, .. } if message.contains("yesterday")), "{error}");
    assert_eq!(
        rows(&store, "MATCH (l:Location) RETURN l.name ORDER BY l.name").await,
        [[json!(1)], [json!(2)]]
    );
    assert_eq!(store.checkpoints("trips").await.unwrap()[&0].offset, 1);
}

#[tokio::test]
async fn the_checkpoint_moves_past_a_record_that_is_set_aside() {
    let store = prepared(TRIPS).await;
    let mut empty = batch(TRIPS, 0, Vec::new());
    empty.advances[0].checkpoint = Checkpoint { offset: 1, dead_letters: 1, ..Checkpoint::default() };
    assert_eq!(store.write(&empty).await.unwrap(), Written::default());
    assert_eq!(store.checkpoints("trips").await.unwrap()[&0], empty.advances[0].checkpoint);
    assert_eq!(store.counts().await.unwrap(), Counts::default());
}

#[tokio::test]
async fn rows_that_bind_nothing_are_named() {
    let statement = "MATCH (l:Location {name: event.from}) WITH l, event WHERE event.to > 1 \
                     CREATE (l)-[:TRIP {distance: event.distance}]->(l)";
    let store = prepared(statement).await;
    store.query("MATCH (n) RETURN n", Map::new()).await.unwrap();
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10)])).await.unwrap();
    let events = vec![trip(1, 2, 1), trip(5, 2, 2), trip(2, 2, 3), trip(1, 1, 4)];
    let written = store.write(&batch(statement, 1, events)).await.unwrap();
    assert_eq!(written.wrote_nothing, [1, 3]);
    assert_eq!(written.relationships_created, 2);
}

#[tokio::test]
async fn an_aggregation_counts_within_the_event() {
    let statement = "UNWIND event.tags AS tag WITH event, count(tag) AS tags MERGE (:Article {name: event.name, tags: tags})";
    let store = prepared(statement).await;
    let events = vec![json!({"name": "a", "tags": [1, 2, 3]}), json!({"name": "b", "tags": [1]})];
    store.write(&batch(statement, 0, events)).await.unwrap();
    let articles = rows(&store, "MATCH (a:Article) RETURN a.name, a.tags ORDER BY a.name").await;
    assert_eq!(articles, [[json!("a"), json!(3)], [json!("b"), json!(1)]]);
}

#[tokio::test]
async fn a_query_may_only_read() {
    let store = prepared(TRIPS).await;
    for cypher in
        ["CREATE (n:Location {name: 1})", "MATCH (n) DETACH DELETE n", "CREATE INDEX FOR (n:A) ON (n.b)"]
    {
        let error = store.query(cypher, Map::new()).await.unwrap_err();
        assert!(matches!(error, GraphError::NotReadOnly), "{cypher}: {error}");
    }
    let error = store.query("MATCH (n) RETRUN n", Map::new()).await.unwrap_err();
    assert!(matches!(error, GraphError::Statement { position: Some(_), .. }), "{error}");
}

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let statement = "CREATE (:Thing {integer: event.integer, float: event.float, text: event.text, truth: event.truth, \
        nothing: event.nothing, list: event.list, at: datetime(event.at), local: localdatetime(event.at), day: date(event.day)})";
    let store = prepared(statement).await;
    let event = json!({
        "integer": 9_007_199_254_740_993_i64, "float": 0.1, "text": "Żółw \"quoted\"", "truth": true, "nothing": null,
        "list": [1, 2], "at": "2022-03-01T00:12:13.000250", "day": "2022-03-01",
    });
    store.write(&batch(statement, 0, vec![event])).await.unwrap();
    let thing = rows(&store, "MATCH (n:Thing) RETURN n").await;
    insta::assert_json_snapshot!(thing);
}

#[tokio::test]
async fn an_integer_that_does_not_fit_is_the_records_fault() {
    let store = prepared(TRIPS).await;
    let error = store.write(&batch(TRIPS, 0, vec![trip(1, 1, 1), trip(1, u64::MAX, 1)])).await.unwrap_err();
    assert!(matches!(error, WriteError::Record { position: Some(1), .. }), "{error}");
}

#[tokio::test]
async fn properties_that_the_mapping_names_are_taken_on_any_row() {
    let statement = "CREATE (n:Location {name: event.a}) SET n.seen = true";
    let store = Embedded::in_memory().unwrap();
    let mut schema = schema(statement);
    schema.nodes[0].properties.extend(["b".to_owned(), "c".to_owned()]);
    store.prepare(&schema).await.unwrap();
    store.write(&batch(statement, 0, vec![json!({"a": 1})])).await.unwrap();
    let later = "CREATE (n:Location {name: event.a, b: event.b, c: event.c})";
    store.write(&batch(later, 1, vec![json!({"a": 2, "b": 1, "c": "x"})])).await.unwrap();
}

#[tokio::test]
async fn preparing_again_makes_nothing() {
    let store = Embedded::in_memory().unwrap();
    let first = store.prepare(&schema(TRIPS)).await.unwrap();
    assert_eq!(
        first.made,
        [
            "CREATE CONSTRAINT runner_Location_name_unique IF NOT EXISTS FOR (n:Location) REQUIRE n.name IS UNIQUE"
        ]
    );
    assert_eq!(store.prepare(&schema(TRIPS)).await.unwrap(), Prepared::default());
}

#[tokio::test]
async fn labels_and_properties_of_any_script_have_constraints() {
    let store = Embedded::in_memory().unwrap();
    let unique = |label: &str, properties: &[&str]| Constraint {
        label: label.to_owned(),
        properties: properties.iter().map(ToString::to_string).collect(),
        kind: ConstraintKind::NodeUnique,
    };
    let constraints =
        vec![unique("駅", &["名前"]), unique("町", &["名前"]), unique("Taxi `zone`", &["a b", "c"])];
    let statement = "MERGE (:`駅` {`名前`: event.a}) CREATE (:`Taxi ``zone``` {`a b`: event.a, c: 1})";
    let schema = GraphSchema { statement: statement.into(), constraints, ..GraphSchema::default() };
    let prepared = store.prepare(&schema).await.unwrap();
    assert_eq!(prepared.made.len(), 3, "{prepared:?}");
    store.write(&batch(statement, 0, vec![json!({"a": 1})])).await.unwrap();
    let error = store.write(&batch(statement, 1, vec![json!({"a": 1})])).await.unwrap_err();
    assert!(matches!(error, WriteError::Record { .. }), "{error}");
}

#[tokio::test]
async fn a_faulty_statement_is_refused_before_the_first_row() {
    let store = Embedded::in_memory().unwrap();
    let cases = [
        ("MERGE (p:Location {name: event.from})\nMERG (d)", Some(2)),
        ("MERGE (p:Location {name: event.from})\nRETURN p", Some(2)),
        ("MERGE (p:Location {name: event.from}) WITH p SET p.x = event.x", None),
        ("MERGE (p:Location {name: event.from})\nCALL { CREATE (:A) }", Some(2)),
    ];
    for (statement, at_line) in cases {
        let error = store.prepare(&schema(statement)).await.unwrap_err();
        let GraphError::Statement { position, .. } = error else { panic!("{statement}: {error}") };
        assert_eq!(position.map(|(line, _)| line), at_line, "{statement}");
    }
}

#[tokio::test]
async fn what_only_running_shows_of_a_statement_is_no_records_fault() {
    for statement in ["CREATE (:A {n: timestamp()})", "CREATE (:A {n: $nobody})", "MERGE (:A)-[:R]->(:B)"] {
        let store = Embedded::in_memory().unwrap();
        let error = store.write(&batch(statement, 0, vec![trip(1, 2, 3)])).await.unwrap_err();
        assert!(matches!(error, WriteError::Fatal(GraphError::Statement { .. })), "{statement}: {error:?}");
    }
}

#[tokio::test]
async fn closing_breaks_off_a_question_without_end() {
    let store = prepared(TRIPS).await;
    let trips = (0..400).map(|number| trip(number, number + 1, number)).collect();
    store.write(&batch(TRIPS, 0, trips)).await.unwrap();
    let endless = "MATCH (a:Location), (b:Location), (c:Location), (d:Location) WHERE a.name + b.name + c.name = d.name - 9999 RETURN count(*)";
    let begun = std::time::Instant::now();
    let asked =
        tokio::time::timeout(std::time::Duration::from_millis(50), store.query(endless, Map::new())).await;
    assert!(asked.is_err(), "{asked:?}");
    drop(store);
    assert!(begun.elapsed().as_secs() < 5);
}
