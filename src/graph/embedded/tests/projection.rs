//! What analyses see.

use proptest::prelude::*;

use super::*;

fn projection(nodes: &[&str], properties: &[&str]) -> Projection {
    serde_json::from_value(
        json!({ "nodes": nodes, "relationships": { "TRIP": { "properties": properties } } }),
    )
    .unwrap()
}

#[tokio::test]
async fn nodes_and_parallel_relationships_come_in_the_order_of_their_creation() {
    let store = prepared(TRIPS).await;
    let events = vec![trip(9, 3, 5), trip(3, 3, 6), trip(9, 3, 4), trip(1, 9, 7)];
    store.write(&batch(TRIPS, 0, events)).await.unwrap();
    let graph = store.project(&projection(&["Location"], &["distance"]), Some("name")).await.unwrap();
    assert_eq!(graph.names, [json!(9), json!(3), json!(1)]);
    let trips = &graph.relationships["TRIP"];
    assert_eq!((trips.sources.as_slice(), trips.targets.as_slice()), (&[0, 1, 0, 2][..], &[1, 1, 1, 0][..]));
    assert_eq!(trips.properties["distance"], [Some(5.0), Some(6.0), Some(4.0), Some(7.0)]);
}

#[tokio::test]
async fn the_order_does_not_depend_on_how_rows_are_cut_into_batches() {
    let trips: Vec<Value> = (0..40).map(|n| trip(n * 7 % 11, n * 5 % 13, n)).collect();
    let mut graphs = Vec::new();
    for size in [1, 7, 40] {
        let store = prepared(TRIPS).await;
        let mut from = 0;
        for events in trips.chunks(size) {
            store.write(&batch(TRIPS, from, events.to_vec())).await.unwrap();
            from += events.len() as u64;
        }
        let graph = store.project(&projection(&["Location"], &["distance"]), Some("name")).await.unwrap();
        graphs.push((graph.names, graph.relationships));
    }
    assert_eq!(graphs[0], graphs[1]);
    assert_eq!(graphs[0], graphs[2]);
}

#[tokio::test]
async fn only_the_labels_asked_for_are_projected_with_what_lies_between_them() {
    let statement =
        "CREATE (a:A {n: event.n})-[:TRIP]->(b:B)-[:TRIP {n: event.n}]->(:C)-[:OTHER]->(a) SET a:Extra";
    let store = prepared(statement).await;
    store.write(&batch(statement, 0, vec![json!({"n": 1})])).await.unwrap();
    let graph = store.project(&projection(&["C", "Extra"], &[]), Some("n")).await.unwrap();
    assert_eq!(graph.labels, ["Extra".into(), "C".into()]);
    assert_eq!(graph.names, [json!(1), Value::Null]);
    assert!(graph.relationships["TRIP"].sources.is_empty());
    let graph = store.project(&projection(&["*"], &["n"]), None).await.unwrap();
    assert_eq!(graph.labels, ["A".into(), "B".into(), "C".into()]);
    assert_eq!(graph.names, graph.ids.iter().map(|id| json!(id)).collect::<Vec<_>>());
    assert_eq!(graph.relationships["TRIP"].properties["n"], [None, Some(1.0)]);
}

#[tokio::test]
async fn a_weight_that_is_no_number_is_refused() {
    let store = prepared(TRIPS).await;
    store.write(&batch(TRIPS, 0, vec![trip(9, 3, 5)])).await.unwrap();
    let error = store.project(&projection(&["Location"], &["pickup_dt"]), None).await.unwrap_err();
    assert!(matches!(&error, GraphError::NotANumber { property, .. } if property == "pickup_dt"), "{error}");
}

#[tokio::test]
async fn a_property_is_written_back_to_the_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    store.prepare(&schema(TRIPS)).await.unwrap();
    store.write(&batch(TRIPS, 0, vec![trip(9, 3, 5), trip(4, 3, 5)])).await.unwrap();
    store.persist().await.unwrap();
    let graph = store.project(&projection(&["Location"], &[]), Some("name")).await.unwrap();
    assert_eq!(graph.names, [json!(9), json!(3), json!(4)]);
    let set = async |values: [Value; 3]| {
        let values: Vec<(u64, Value)> = graph.ids.iter().copied().zip(values).collect();
        store.set_node_property("page rank", &values).await.unwrap()
    };
    assert_eq!(set([json!(0.5), json!(1), json!("x")]).await, 3);
    assert_eq!(set([json!(0.5), json!(1.5), Value::Null]).await, 3);
    store.persist().await.unwrap();
    drop(store);
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    let ranks = rows(&store, "MATCH (l:Location) RETURN l.name, l.`page rank` ORDER BY l.name").await;
    assert_eq!(ranks, [[json!(3), json!(1.5)], [json!(4), Value::Null], [json!(9), json!(0.5)]]);
    assert!(store.set_node_property("rank", &[(999, json!(1))]).await.is_err());
}

/// The engine has ideas of its own about properties with these names.
#[tokio::test]
async fn properties_called_id_title_type_and_name_are_like_others() {
    let statement = "MERGE (a:Person {id: event.a}) MERGE (b:Person {id: event.b}) SET b.title = event.title, b.type = event.type \
                     MERGE (a)-[:TRIP {id: event.a, type: event.type, name: event.title}]->(b)";
    let store = Embedded::in_memory().unwrap();
    let constraint = Constraint {
        label: "Person".to_owned(),
        properties: vec!["id".to_owned()],
        kind: ConstraintKind::NodeUnique,
    };
    let names = ["id", "title", "type", "name"].map(str::to_owned).to_vec();
    let nodes = vec![ElementSchema { name: "Person".to_owned(), properties: names }];
    let schema = GraphSchema {
        statement: statement.into(),
        constraints: vec![constraint],
        nodes,
        ..schema(statement)
    };
    store.prepare(&schema).await.unwrap();
    let person = |a: Value, b: Value| json!({"a": a, "b": b, "title": "Dr", "type": "human"});
    let events =
        vec![person(json!(7), json!("x")), person(json!("x"), json!(7)), person(json!(7), json!("x"))];
    let written = store.write(&batch(statement, 0, events)).await.unwrap();
    assert_eq!((written.nodes_created, written.relationships_created), (2, 2));
    for identify in ["id", "title", "type"] {
        let graph = store.project(&projection(&["Person"], &[]), Some(identify)).await.unwrap();
        let expected = match identify {
            "id" => [json!(7), json!("x")],
            "title" => [json!("Dr"), json!("Dr")],
            _ => [json!("human"), json!("human")],
        };
        assert_eq!(graph.names, expected, "{identify}");
    }
    let graph = store.project(&projection(&["Person"], &[]), Some("name")).await.unwrap();
    assert_eq!(graph.names, [Value::Null, Value::Null]);
    let answer = rows(&store, "MATCH (p:Person)-[t]->(q) RETURN p, t ORDER BY p.id").await;
    insta::assert_json_snapshot!(answer);
}

/// A node's and a relationship's number in the engine is reused when a batch is undone. The order must not suffer.
async fn load_with_faults(faults: &[(u64, usize)], folder: &Path) -> ProjectedGraph {
    let mut store = Embedded::open(folder, "bronx").unwrap();
    store.prepare(&schema(TRIPS)).await.unwrap();
    for from in (0..200).step_by(20) {
        let good: Vec<Value> = (from..from + 20).map(|n| trip(n * 7 % 43, n * 5 % 41, n)).collect();
        for (_, place) in faults.iter().filter(|(at, _)| *at == from / 20) {
            let mut bad: Vec<Value> = (0..20).map(|n| trip(100 + n, 200 + n, n)).collect();
            bad[*place]["pickup"] = json!("never");
            store.write(&batch(TRIPS, from, bad)).await.unwrap_err();
        }
        store.write(&batch(TRIPS, from, good)).await.unwrap();
        if !faults.is_empty() && from % 60 == 0 {
            store.persist().await.unwrap();
            drop(store);
            store = Embedded::open(folder, "bronx").unwrap();
        }
    }
    store.project(&projection(&["Location"], &["distance"]), Some("name")).await.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn undone_batches_and_reopening_leave_the_order_as_it_was(
        faults in prop::collection::vec((0_u64..10, 0_usize..20), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let disturbed = runtime.block_on(load_with_faults(&faults, first.path()));
        let undisturbed = runtime.block_on(load_with_faults(&[], second.path()));
        prop_assert_eq!(disturbed.names, undisturbed.names);
        prop_assert_eq!(disturbed.relationships, undisturbed.relationships);
    }
}
