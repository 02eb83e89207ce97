//! Batches, checkpoints, questions.

use futures::future::{join_all, try_join_all};
use runner::graph::{Ahead, GraphError, WriteError};
use serde_json::Map;

use super::*;
use crate::servers::unique;

#[tokio::test]
async fn a_batch_and_its_checkpoint_are_written_once() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let (mapping, topic) = (trips(), unique("trips"));
    let prepared = store.prepare(&mapping.schema).await.unwrap();
    assert_eq!(prepared.made.len(), 2, "{prepared:?}");
    assert_eq!(store.prepare(&mapping.schema).await.unwrap().made, Vec::<String>::new());
    assert!(store.checkpoints(&topic).await.unwrap().is_empty());

    let events = vec![trip(9, 3, 5), trip(3, 3, 6), trip(9, 3, 5)];
    let first = batch(&mapping, &topic, 0, events);
    let written = store.write(&first).await.unwrap();
    assert_eq!((written.rows, written.nodes_created, written.relationships_created), (3, 2, 2));
    assert!(written.wrote_nothing.is_empty());
    let checkpoints = store.checkpoints(&topic).await.unwrap();
    assert_eq!(checkpoints[&0], first.advances[0].checkpoint);

    let again = store.write(&first).await.unwrap_err();
    assert!(matches!(again, WriteError::Fenced { partition: 0, expected: 0, found: 3, .. }), "{again:?}");
    let second = batch(&mapping, &topic, 3, vec![trip(9, 3, 7)]);
    store.write(&second).await.unwrap();
    let counts = store.counts().await.unwrap();
    assert_eq!((counts.nodes["Location"], counts.relationships["TRIP"]), (2, 3));
    assert_eq!(counts.nodes.len(), 1);
}

#[tokio::test]
async fn rows_that_were_made_ready_are_written_unless_some_were_left_out_since() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let keys = |column: &str| json!({ "id": { "column": column } });
    let declared = compiled(json!({
        "nodes": [
            { "name": "a", "label": "Ready", "keys": keys("from") },
            { "name": "b", "label": "Ready", "keys": keys("to") },
        ],
        "relationships": [
            { "type": "READY", "from": "a", "to": "b", "mode": "create", "properties": { "distance": {} } },
        ],
    }));
    let mut relationships = 0;
    for mapping in [declared, trips()] {
        store.prepare(&mapping.schema).await.unwrap();
        let topic = unique("ready");
        let first = batch(&mapping, &topic, 0, vec![trip(1, 2, 1), trip(2, 3, 2), trip(3, 1, 3)]);
        let ready = |batch: &WriteBatch| {
            let events: Vec<_> = batch.events.iter().collect();
            store.make_ready(&mapping.schema, &events).unwrap()
        };
        let written = store.write_ready(&first, ready(&first), None).await.unwrap();
        assert_eq!((written.rows, written.relationships_created), (3, 3));

        let mut second = batch(&mapping, &topic, 3, vec![trip(1, 2, 4), trip(2, 3, 5)]);
        let of_both = ready(&second);
        second.events.remove(0);
        let written = store.write_ready(&second, of_both, None).await.unwrap();
        assert_eq!((written.rows, written.relationships_created), (1, 1));
        relationships += 4;
    }
    let counts = store.counts().await.unwrap();
    assert_eq!(counts.relationships.values().sum::<u64>(), relationships);
}

#[tokio::test]
async fn loaders_that_begin_at_once_make_the_schema_once() {
    let server = servers::Neo4j::shared();
    let stores = join_all((0..4).map(|_| connect(&server))).await;
    for round in 0..5 {
        let mapping = TRIPS.replace("Location", &format!("Location{round}"));
        let mapping = compiled(json!({ "cypher": mapping.replace("TRIP", &format!("TRIP{round}")) }));
        let prepared = try_join_all(stores.iter().map(|store| store.prepare(&mapping.schema))).await.unwrap();
        assert_eq!(prepared.iter().map(|prepared| prepared.made.len()).sum::<usize>(), 2, "{prepared:?}");
    }
}

#[tokio::test]
async fn a_row_at_fault_leaves_nothing_of_its_batch_and_locks_nobody_out() {
    let server = servers::Neo4j::shared();
    let (store, other) = (connect(&server).await, connect(&server).await);
    let (mapping, topic) = (trips(), unique("trips"));
    store.prepare(&mapping.schema).await.unwrap();
    let mut broken = trip(1, 2, 1);
    broken["at"] = json!("yesterday");
    let error = store.write(&batch(&mapping, &topic, 0, vec![trip(1, 2, 1), broken])).await.unwrap_err();
    assert!(matches!(error, WriteError::Record { .. }), "{error:?}");
    let null_key = json!({ "to": 3, "distance": 1.0, "at": "2022-03-01" });
    let error = store.write(&batch(&mapping, &topic, 0, vec![null_key])).await.unwrap_err();
    assert!(matches!(error, WriteError::Record { .. }), "{error:?}");
    let good = batch(&mapping, &topic, 0, vec![trip(1, 2, 1)]);
    let written = tokio::time::timeout(std::time::Duration::from_secs(5), other.write(&good)).await;
    assert_eq!(written.unwrap().unwrap().relationships_created, 1);
}

#[tokio::test]
async fn rows_that_bind_nothing_are_told() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let mapping = compiled(json!({ "cypher": "MATCH (a:Location {name: event.from}) SET a.seen = event.n" }));
    store.prepare(&trips().schema).await.unwrap();
    store.prepare(&mapping.schema).await.unwrap();
    let topic = unique("seen");
    store.write(&batch(&trips(), &unique("trips"), 0, vec![trip(1, 2, 1)])).await.unwrap();
    let events = vec![json!({"from": 7, "n": 1}), json!({"from": 1, "n": 2}), json!({"from": 8, "n": 3})];
    let written = store.write(&batch(&mapping, &topic, 0, events)).await.unwrap();
    assert_eq!((written.rows, written.wrote_nothing, written.properties_set), (3, vec![0, 2], 1));
}

#[tokio::test]
async fn a_question_is_answered_in_order_and_may_not_write() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    store.write(&batch(&trips(), &unique("trips"), 0, vec![trip(1, 2, 1)])).await.unwrap();
    let cypher = "MATCH p = (a:Location)-[t:TRIP]->(b) WHERE a.name = $name \
                  RETURN b.name AS z, a, t.at AS y, t, p, duration('P1DT2H') AS d, point({x: 1, y: 2}) AS x";
    let parameters = json!({ "name": 1 }).as_object().unwrap().clone();
    let table = store.query(cypher, parameters).await.unwrap();
    assert_eq!(table.columns, ["z", "a", "y", "t", "p", "d", "x"]);
    let at = "2022-03-01T00:10Z";
    let node = |name: u8| json!({ "labels": ["Location"], "properties": { "name": name } });
    let trip = json!({ "type": "TRIP", "properties": { "at": at, "distance": 1.0 } });
    let path = json!({ "nodes": [node(1), node(2)], "relationships": [trip] });
    let point = json!({ "srid": 7203, "x": 1.0, "y": 2.0 });
    assert_eq!(table.rows, [vec![json!(2), node(1), json!(at), trip.clone(), path, json!("P1DT2H"), point]]);
    for cypher in ["CREATE (:X)", "MATCH (n) SET n.x = 1 RETURN n", "CREATE INDEX x FOR (n:X) ON (n.y)"] {
        let error = store.query(cypher, serde_json::Map::default()).await.unwrap_err();
        assert!(matches!(error, GraphError::NotReadOnly), "{cypher}: {error:?}");
    }
    let error = store.query("MATCH (n)\nRETRUN n", serde_json::Map::default()).await.unwrap_err();
    let GraphError::Statement { position, message } = error else { panic!("{error:?}") };
    assert_eq!(position, Some((2, 1)), "{message}");
}

#[tokio::test]
async fn what_is_wrong_with_a_statement_is_placed_in_the_users_text() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    for (cypher, place) in [
        ("MERGE (a:A {n: event.n})\nSET a.x = nofunction(event.n)", Some((2, 11))),
        ("MERGE (a:A {n: event.n})\nSET b.x = 1", Some((2, 5))),
        ("MERGE (a:A {n: event.n}) RETURN a", Some((1, 26))),
    ] {
        let error = store.explain_mapping(cypher).await.unwrap_err();
        let GraphError::Statement { position, message } = error else { panic!("{error:?}") };
        assert_eq!(position, place, "{message}");
    }
    let product = "MATCH (a:A), (b:B) CREATE (a)-[:R {n: event.n}]->(b)";
    let notices = store.explain_mapping(product).await.unwrap().notices;
    let notice = notices.iter().find(|notice| notice.code.ends_with("CartesianProduct")).unwrap();
    assert!(notice.message.contains("cartesian product"), "{notice:?}");
    let error = store.explain("RETURN nofunction(1)").await.unwrap_err();
    assert!(matches!(error, GraphError::Statement { position: Some((1, 8)), .. }), "{error:?}");
}

#[tokio::test]
async fn a_constraint_that_the_data_breaks_is_a_fault_of_its_own() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    server.rows("UNWIND [1, 1] AS n CREATE (:Location {name: n})");
    let error = store.prepare(&trips().schema).await.unwrap_err();
    let GraphError::Constraint { constraint, message } = error else { panic!("{error:?}") };
    assert!(constraint.contains("runner_Location_name_unique"), "{constraint}");
    assert!(message.contains("Location"), "{message}");
}

#[tokio::test]
async fn results_are_written_to_nodes_by_their_ids() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    store.write(&batch(&trips(), &unique("trips"), 0, vec![trip(1, 2, 1), trip(3, 4, 1)])).await.unwrap();
    let projection =
        serde_json::from_value(json!({ "nodes": ["Location"], "relationships": { "TRIP": {} } }));
    let graph = store.project(&projection.unwrap(), Some("name")).await.unwrap();
    let ranks: Vec<(u64, Value)> = graph
        .ids
        .iter()
        .zip([json!(0.5), json!("x"), json!(null), json!([1])])
        .map(|(id, rank)| (*id, rank))
        .collect();
    assert_eq!(store.set_node_property("rank", &ranks).await.unwrap(), 4);
    let table = store
        .query("MATCH (n:Location) RETURN n.rank AS r ORDER BY n.name", serde_json::Map::default())
        .await;
    assert_eq!(table.unwrap().rows, [[json!(0.5)], [json!("x")], [json!(null)], [json!([1])]]);
}

/// Batches of three rows each, of a mapping that creates a relationship a row.
fn in_order(mapping: &CompiledMapping, topic: &str) -> [WriteBatch; 3] {
    [0, 3, 6].map(|from| {
        let events = (from..from + 3).map(|n| trip(1, 2, n)).collect();
        batch(mapping, topic, from, events)
    })
}

async fn relationships(store: &Neo4j) -> u64 {
    store.counts().await.unwrap().relationships.get("TRIP").copied().unwrap_or_default()
}

#[tokio::test]
async fn what_is_sent_ahead_is_written_when_its_turn_comes_and_not_before() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let (mapping, topic) = (trips(), unique("ahead"));
    store.prepare(&mapping.schema).await.unwrap();
    let [first, second, third] = in_order(&mapping, &topic);
    let ready = |batch: &WriteBatch| {
        let events: Vec<_> = batch.events.iter().collect();
        store.make_ready(&mapping.schema, &events).unwrap()
    };
    let of_second = ready(&second);
    let ahead = |rows| Some(Ahead { advances: second.advances.clone(), rows });
    store.write_ready(&first, ready(&first), ahead(&of_second)).await.unwrap();
    assert_eq!(relationships(&store).await, 3, "the second one waits for its turn");
    let of_third = ready(&third);
    let next = Ahead { advances: third.advances.clone(), rows: &of_third };
    assert_eq!(store.write_ready(&second, of_second, Some(next)).await.unwrap().relationships_created, 3);
    assert_eq!(relationships(&store).await, 6);

    // Taken back, its locks are free for others.
    store.recall(0).await;
    let other = connect(&server).await;
    let changed = other.call("MATCH (l:Location) SET l.seen = true RETURN count(l) AS n", Map::new());
    assert_eq!(changed.await.unwrap().rows, [[json!(2)]]);
    assert_eq!(store.write_ready(&third, of_third, None).await.unwrap().relationships_created, 3);
    assert_eq!(relationships(&store).await, 9);
}

#[tokio::test]
async fn what_is_sent_ahead_gives_way_to_a_batch_that_has_become_another() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let (mapping, topic) = (trips(), unique("ahead"));
    store.prepare(&mapping.schema).await.unwrap();
    let [first, mut second, third] = in_order(&mapping, &topic);
    let ready = |batch: &WriteBatch| {
        let events: Vec<_> = batch.events.iter().collect();
        store.make_ready(&mapping.schema, &events).unwrap()
    };
    let of_second = ready(&second);
    let ahead = Ahead { advances: second.advances.clone(), rows: &of_second };
    store.write_ready(&first, ready(&first), Some(ahead)).await.unwrap();
    // A row was set aside in the meantime.
    second.events.remove(1);
    assert_eq!(store.write_ready(&second, of_second, None).await.unwrap().relationships_created, 2);
    assert_eq!(relationships(&store).await, 5);

    // What follows a batch whose place another loader has taken is not written, either.
    let other = connect(&server).await;
    other.write(&third).await.unwrap();
    let of_third = ready(&third);
    let behind = batch(&mapping, &topic, 9, vec![trip(1, 2, 9)]);
    let of_behind = ready(&behind);
    let ahead = Ahead { advances: behind.advances.clone(), rows: &of_behind };
    let fenced = store.write_ready(&third, of_third, Some(ahead)).await.unwrap_err();
    assert!(matches!(fenced, WriteError::Fenced { .. }), "{fenced:?}");
    assert_eq!(relationships(&store).await, 8);
}
