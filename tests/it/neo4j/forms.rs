//! The forms of a mapping make one and the same graph: raw Cypher, declared nodes and relationships, the embedded engine.

use futures::TryStreamExt as _;
use runner::graph::mapping::{Column, ColumnKind, compile};
use runner::graph::{Embedded, GraphStore, ProjectedGraph};
use runner::source::{self, Encoder};
use serde_json::Map;

use super::*;
use crate::harness::examples;
use crate::servers::unique;

/// The Bronx trips of an example, as events.
async fn bronx() -> Vec<Value> {
    let file = examples().join("bronx-taxi.yaml");
    let pipeline: Value = serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let spec = serde_json::from_value(pipeline["spec"]["source"].clone()).unwrap();
    let dataset = source::open(&spec, &examples(), &|_| Err(String::new())).await.unwrap();
    let encoder = Encoder::new(&dataset.columns(), None, Arc::from("digest")).unwrap();
    let batches: Vec<_> = dataset.scan(None, None).try_collect().await.unwrap();
    let messages = batches.iter().flat_map(|batch| encoder.encode(batch).unwrap());
    messages.map(|message| serde_json::from_slice(&message.value).unwrap()).collect()
}

fn columns() -> Vec<Column> {
    let column = |name: &str, kind| Column { name: name.to_owned(), kind };
    vec![
        column("PULocationID", ColumnKind::Integer),
        column("DOLocationID", ColumnKind::Integer),
        column("trip_distance", ColumnKind::Float),
        column("fare_amount", ColumnKind::Float),
        column("tpep_pickup_datetime", ColumnKind::LocalDatetime),
        column("tpep_dropoff_datetime", ColumnKind::LocalDatetime),
    ]
}

fn raw() -> Value {
    json!({ "cypher": "
        MERGE (p:Location {name: toInteger(event.PULocationID)})
        MERGE (d:Location {name: toInteger(event.DOLocationID)})
        MERGE (p)-[:TRIP {distance: toFloat(event.trip_distance), fare: toFloat(event.fare_amount),
                          pickup_dt: datetime(event.tpep_pickup_datetime),
                          dropoff_dt: datetime(event.tpep_dropoff_datetime)}]->(d)" })
}

fn declared() -> Value {
    json!({
        "nodes": [
            { "name": "from", "label": "Location", "keys": { "name": { "column": "PULocationID" } } },
            { "name": "to", "label": "Location", "keys": { "name": { "column": "DOLocationID" } } },
        ],
        "relationships": [{
            "type": "TRIP", "from": "from", "to": "to", "mode": "merge",
            "keys": {
                "distance": { "column": "trip_distance" },
                "fare": { "column": "fare_amount" },
                "pickup_dt": { "column": "tpep_pickup_datetime", "type": "datetime" },
                "dropoff_dt": { "column": "tpep_dropoff_datetime", "type": "datetime" },
            },
        }],
    })
}

fn compiled_with(mapping: Value, columns: Option<&[Column]>) -> CompiledMapping {
    compile(&serde_json::from_value(mapping).unwrap(), columns).unwrap()
}

/// Writes events in batches of a size; a batch that is refused is left out, and counted.
async fn written(store: &dyn GraphStore, mapping: &CompiledMapping, events: &[Value], size: usize) -> usize {
    store.prepare(&mapping.schema).await.unwrap();
    let topic = unique("forms");
    let (mut from, mut refused) = (0, 0);
    for events in events.chunks(size) {
        match store.write(&batch(mapping, &topic, from, events.to_vec())).await {
            Ok(written) => {
                assert_eq!(written.rows, events.len() as u64);
                from += events.len() as u64;
            }
            Err(runner::graph::WriteError::Record { .. }) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    refused
}

/// Everything in the graph, sorted; on a server with the types of the values.
async fn dump(store: &dyn GraphStore, question: &str) -> Vec<String> {
    let table = store.query(question, Map::new()).await.unwrap();
    // A server keeps properties in an order of its own.
    let in_order = |mut value: Value| {
        if let Value::Array(items) = &mut value {
            items.sort_by_key(ToString::to_string);
        }
        value
    };
    let row = |row: Vec<Value>| row.into_iter().map(in_order).collect::<Value>().to_string();
    let mut rows: Vec<String> = table.rows.into_iter().map(row).collect();
    rows.sort();
    rows
}

/// Without the whole of both in the message.
#[track_caller]
fn expect_same(ours: &[String], theirs: &[String]) {
    let difference = ours.iter().zip(theirs).find(|(ours, theirs)| ours != theirs);
    assert!(
        ours.len() == theirs.len() && difference.is_none(),
        "{} {} {difference:?}",
        ours.len(),
        theirs.len()
    );
}

/// The trips of a projection. A server gives the ids of what was deleted to what comes next, so on one that others have used, the
/// order is not that of the rows.
fn projected(graph: &ProjectedGraph) -> Vec<String> {
    let trips = &graph.relationships["TRIP"];
    let name = |node: &u32| &graph.names[*node as usize];
    let ends = trips.sources.iter().zip(&trips.targets).zip(&trips.properties["distance"]);
    let mut trips: Vec<String> =
        ends.map(|((from, to), distance)| format!("{} {} {distance:?}", name(from), name(to))).collect();
    trips.sort();
    trips
}

const TRIPS_IN_WORDS: &str = "MATCH (a:Location)-[t:TRIP]->(b:Location) \
    RETURN a.name AS a, b.name AS b, t.distance AS distance, t.fare AS fare, \
           t.pickup_dt AS pickup, t.dropoff_dt AS dropoff";

const ALL_WITH_TYPES: &str = "\
    MATCH (n) WHERE NOT n:RunnerCheckpoint \
    RETURN labels(n) AS kind, '' AS a, '' AS b, [k IN keys(n) | [k, toStringOrNull(n[k]), valueType(n[k])]] AS properties \
    UNION ALL MATCH (a)-[r]->(b) \
    RETURN [type(r)] AS kind, toStringOrNull(coalesce(a.id, a.name)) AS a, toStringOrNull(coalesce(b.id, b.name)) AS b, \
           [k IN keys(r) | [k, toStringOrNull(r[k]), valueType(r[k])]] AS properties";

#[tokio::test]
async fn the_bronx_is_the_same_in_all_forms_and_on_both_engines() {
    let events = bronx().await;
    let columns = columns();
    let forms = [compiled_with(raw(), Some(&columns)), compiled_with(declared(), Some(&columns))];
    assert!(forms[1].schema.dictionary.is_some());
    let embedded = Embedded::in_memory().unwrap();
    assert_eq!(written(&embedded, &forms[0], &events, 400).await, 0);
    let expected = dump(&embedded, TRIPS_IN_WORDS).await;
    assert_eq!(expected.len(), 1_530);

    let mut types = Vec::new();
    let server = servers::Neo4j::shared();
    for form in &forms {
        server.clear();
        let store = connect(&server).await;
        assert_eq!(written(&store, form, &events, 400).await, 0);
        let counts = store.counts().await.unwrap();
        assert_eq!((counts.nodes["Location"], counts.relationships["TRIP"]), (42, 1_530));
        expect_same(&dump(&store, TRIPS_IN_WORDS).await, &expected);
        types.push(dump(&store, ALL_WITH_TYPES).await);
        let projection = serde_json::from_value(
            json!({ "nodes": ["Location"], "relationships": { "TRIP": { "properties": ["distance"] } } }),
        )
        .unwrap();
        let ours = store.project(&projection, Some("name")).await.unwrap();
        let theirs = embedded.project(&projection, Some("name")).await.unwrap();
        expect_same(&projected(&ours), &projected(&theirs));
    }
    expect_same(&types[0], &types[1]);
}

/// Mappings in which something is peculiar.
fn mappings() -> Vec<Value> {
    let zones = json!([
        { "name": "from", "label": "Zone", "keys": { "id": { "column": "a" } }, "properties": { "seen": { "column": "v" } } },
        { "name": "to", "label": "Zone", "keys": { "id": { "column": "b" } }, "properties": { "mark": { "column": "t" } } },
    ]);
    vec![
        // Properties by the last row, of one node by two names, null among them.
        json!({ "nodes": zones, "relationships": [
            { "type": "TRIP", "from": "from", "to": "to", "properties": { "v": {}, "f": { "type": "float" } } },
            { "type": "BACK", "from": "to", "to": "from" },
        ] }),
        // Relationships that are merged, with a key and without.
        json!({ "nodes": zones, "relationships": [
            { "type": "DAILY", "from": "from", "to": "to", "mode": "merge",
              "keys": { "day": { "type": "date" } }, "properties": { "last": { "column": "v" } } },
            { "type": "EVER", "from": "from", "to": "to", "mode": "merge" },
        ] }),
        // A node for each row, beside those that are met; two keys.
        json!({ "nodes": [
            { "label": "Event", "mode": "create", "properties": { "id": { "column": "v" }, "at": { "type": "datetime" } } },
            { "label": "Place", "keys": { "id": { "column": "a" }, "part": { "column": "t", "type": "string" } } },
        ], "relationships": [{ "type": "IN", "from": "Event", "to": "Place" }] }),
        // Nodes alone.
        json!({ "nodes": zones }),
        // Conversions that may fail, or may only be done by the server.
        json!({ "nodes": [{ "label": "Odd", "keys": { "id": { "column": "a", "type": "string" } }, "properties": {
            "integer": { "column": "t", "type": "integer" }, "float": { "column": "t", "type": "float" },
            "text": { "column": "f", "type": "string" }, "local": { "column": "at", "type": "localDatetime" },
        } }] }),
    ]
}

fn odd_events() -> Vec<Value> {
    let texts =
        [json!("x"), json!("007"), json!("12"), json!("-3"), json!("1.5"), json!(null), json!("true")];
    let times = ["2022-03-01T00:10:00", "2022-03-01T00:10:00.25", "2022-03-01T00:10:00+05:30", "2022-03-01"];
    let pick = |n: u64, of: u64| n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40 ^ of;
    let place = |n: u64, of: u64| usize::try_from(pick(n, of)).unwrap();
    (0..120)
        .map(|n| {
            let text = &texts[place(n, 1) % texts.len()];
            let at = times[place(n, 2) % if n > 60 { times.len() } else { 2 }];
            let a = if n == 77 { Value::Null } else { json!(pick(n, 3) % 7) };
            json!({ "a": a, "b": pick(n, 4) % 7, "v": if n % 5 == 0 { Value::Null } else { json!(n) },
                    "f": f64::from(u32::try_from(n).unwrap()) / 4.0, "t": text, "at": at, "day": format!("2022-03-{:02}", 1 + pick(n, 5) % 3) })
        })
        .collect()
}

#[tokio::test]
async fn the_statement_for_a_batch_does_what_the_one_for_each_row_does() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    let mut by_dictionary = 0;
    for mapping in mappings() {
        let with = compiled_with(mapping.clone(), None);
        by_dictionary += usize::from(with.schema.dictionary.is_some());
        let mut without = with.clone();
        without.schema.dictionary = None;
        let mut outcomes = Vec::new();
        for form in [&without, &with] {
            server.clear();
            let refused = written(&store, form, &odd_events(), 6).await;
            outcomes.push((refused, dump(&store, ALL_WITH_TYPES).await));
        }
        assert_eq!(outcomes[0].0, outcomes[1].0, "{mapping}");
        expect_same(&outcomes[0].1, &outcomes[1].1);
        assert!(outcomes[0].1.len() > 5, "{mapping}");
    }
    assert_eq!(by_dictionary, 5);
}
