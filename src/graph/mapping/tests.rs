#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::HashMap;

use kglite::api::DirGraph;
use kglite::api::session::{ExecuteOptions, Session, execute_mut, execute_read};
use serde_json::json;

use super::*;
use crate::graph::{Advance, Checkpoint, ConstraintKind, Embedded, GraphStore as _, WriteBatch};

/// A mapping from YAML.
fn mapping(yaml: &str) -> Mapping {
    serde_yaml::from_str(yaml).unwrap()
}

/// Columns of the taxi file.
fn columns() -> Vec<Column> {
    [
        ("PULocationID", ColumnKind::Integer),
        ("DOLocationID", ColumnKind::Integer),
        ("trip_distance", ColumnKind::Float),
        ("fare amount", ColumnKind::Float),
        ("pickup", ColumnKind::LocalDatetime),
        ("day", ColumnKind::Date),
        ("zoned", ColumnKind::Datetime),
        ("vendor", ColumnKind::Text),
        ("stored", ColumnKind::Boolean),
    ]
    .map(|(name, kind)| Column { name: name.to_owned(), kind })
    .to_vec()
}

fn statement(yaml: &str, columns: Option<&[Column]>) -> String {
    compile(&mapping(yaml), columns).unwrap().schema.statement.to_string()
}

/// What an engine in memory holds after a statement was run for each event.
struct Run {
    session: Session,
}

impl Run {
    fn new(statement: &str, events: &serde_json::Value) -> Self {
        let session = Session::new(DirGraph::new());
        let mut parameters = HashMap::new();
        parameters.insert("events".to_owned(), kglite::api::param::json_value_to_kglite_value(events));
        let mut transaction = session.begin();
        let text = format!("UNWIND $events AS event\n{statement}");
        execute_mut(transaction.working_mut().unwrap(), &text, &ExecuteOptions::eager(&parameters))
            .expect(&text);
        session.commit(transaction, false);
        Self { session }
    }

    fn ask(&self, cypher: &str) -> serde_json::Value {
        let parameters = HashMap::new();
        let answer =
            execute_read(&self.session.snapshot(), cypher, &ExecuteOptions::eager(&parameters)).unwrap();
        let value = kglite::api::param::kglite_value_to_json;
        answer
            .result
            .rows
            .iter()
            .map(|row| row.iter().map(value).collect::<Vec<_>>())
            .collect::<Vec<_>>()
            .into()
    }
}

const TRIPS: &str = "
nodes:
  - { name: pickup, label: Location, keys: { name: { column: PULocationID } } }
  - { name: dropoff, label: Location, keys: { name: { column: DOLocationID } } }
relationships:
  - type: TRIP
    from: pickup
    to: dropoff
    properties:
      distance: { column: trip_distance }
      fare: { column: fare amount, type: integer }
      at: { column: pickup }
";

const HOSTILE: &str = "
nodes:
  - { name: 'a) DETACH DELETE (n', label: 'Odd `Label', keys: { 'k`1': { column: 'x y' } }, properties: { 'match': { column: 'it''s' } } }
  - { name: event, label: '1st', keys: { id: {} }, mode: create }
relationships:
  - { type: 'HAS-IT', from: 'a) DETACH DELETE (n', to: event, mode: merge, keys: { 'since {': { column: '`' } }, properties: { note: {} } }
  - { type: 'HAS-IT', from: event, to: event, mode: merge, properties: { note: {} } }
";

#[test]
fn trips_become_one_statement() {
    insta::assert_snapshot!(statement(TRIPS, Some(&columns())), @r"
    MERGE (pickup:Location {name: event.PULocationID})
    MERGE (dropoff:Location {name: event.DOLocationID})
    CREATE (pickup)-[:TRIP {distance: toFloat(event.trip_distance), fare: toInteger(event.`fare amount`), at: localdatetime(event.pickup)}]->(dropoff)
    ");
    let compiled = compile(&mapping(TRIPS), Some(&columns())).unwrap();
    let constraint = &compiled.schema.constraints[0];
    assert_eq!((constraint.label.as_str(), constraint.kind), ("Location", ConstraintKind::NodeUnique));
    assert_eq!(compiled.schema.constraints.len(), 1);
    assert_eq!(compiled.schema.relationships[0].properties, ["at", "distance", "fare"]);
    assert_eq!(compiled.made.relationships["TRIP"].known["at"], Some(PropertyType::LocalDatetime));
    assert_eq!(compiled.made.relationships["TRIP"].known["distance"], Some(PropertyType::Float));
}

#[test]
fn hostile_names_stay_names() {
    let text = statement(HOSTILE, None);
    insta::assert_snapshot!(text, @r"
    MERGE (a__DETACH_DELETE__n:`Odd ``Label` {`k``1`: event.`x y`})
    CREATE (n_event:`1st` {id: event.id})
    SET a__DETACH_DELETE__n.`match` = event.`it's`
    MERGE (a__DETACH_DELETE__n)-[has_it:`HAS-IT` {`since {`: event.````}]->(n_event)
    SET has_it.note = event.note
    MERGE (n_event)-[has_it_2:`HAS-IT`]->(n_event)
    SET has_it_2.note = event.note
    ");
    let run = Run::new(&text, &json!([{"x y": 1, "it's": 2, "id": 3, "`": 4, "note": "5"}]));
    assert_eq!(run.ask("MATCH (a:`Odd ``Label`) RETURN a.`k``1`, a.`match`"), json!([[1, 2]]));
    // The engine's MATCH does not read a label such as `1st`, though its CREATE does: it is asked without.
    let question =
        "MATCH (a)-[r]->(b {id: 3}) RETURN labels(b), type(r), r.`since {`, r.note ORDER BY r.`since {`";
    assert_eq!(run.ask(question), json!([[["1st"], "HAS-IT", 4, "5"], [["1st"], "HAS-IT", null, "5"]]));
}

#[test]
fn values_become_what_they_are_declared_to_be() {
    let types = ["string", "integer", "float", "boolean", "datetime", "localDatetime", "date"];
    let mut lines = Vec::new();
    for column in columns() {
        let of = |kind: Option<&str>| {
            let kind = kind.map_or_else(String::new, |kind| format!(", type: {kind}"));
            let yaml = format!(
                "nodes: [{{ label: A, mode: create, properties: {{ p: {{ column: {}{kind} }} }} }}]",
                column.name
            );
            let text = statement(&yaml, Some(&columns()));
            text.trim_start_matches("CREATE (a:A {p: ").trim_end_matches("})").to_owned()
        };
        let all: Vec<String> = std::iter::once(of(None)).chain(types.map(|kind| of(Some(kind)))).collect();
        lines.push(format!("{:?}: {}", column.kind, all.join(" | ")));
    }
    lines.dedup();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_property_of_a_merged_node_has_the_last_rows_value() {
    let text = statement(
        "nodes: [{ label: Zone, keys: { id: {} }, properties: { title: { column: zone }, gone: {} } }]",
        None,
    );
    assert_eq!(
        text,
        "MERGE (zone:Zone {id: event.id})\nSET zone.title = event.zone,\n    zone.gone = event.gone"
    );
    let rows = json!([{"id": 1, "zone": "a", "gone": 1}, {"id": 1, "zone": "b", "gone": null}]);
    let run = Run::new(&text, &rows);
    assert_eq!(run.ask("MATCH (z:Zone) RETURN z.title, z.gone"), json!([["b", null]]));
}

#[test]
fn what_is_no_finite_number_stays_a_number() {
    let text = statement(
        "nodes: [{ label: A, keys: { id: {} }, properties: { far: { column: trip_distance } } }]",
        Some(&columns()),
    );
    let rows = json!([{"id": 1, "trip_distance": "NaN"}, {"id": 2, "trip_distance": "-Infinity"}, {"id": 3, "trip_distance": 2.5}]);
    let run = Run::new(&text, &rows);
    let small = run.ask("MATCH (a:A) WHERE a.far < 0 OR a.far > 2 RETURN a.id ORDER BY a.id");
    assert_eq!(small, json!([[2], [3]]));
    assert_eq!(
        run.ask("MATCH (a:A) WHERE valueType(a.far) STARTS WITH 'FLOAT' RETURN count(a)"),
        json!([[3]])
    );
}

#[test]
fn both_forms_of_a_mapping_give_the_same_graph() {
    let events = json!([
        {"PULocationID": 1, "DOLocationID": 2, "trip_distance": 1.5, "fare amount": 7.25, "pickup": "2022-03-01T00:12:13"},
        {"PULocationID": 1, "DOLocationID": 2, "trip_distance": 1.5, "fare amount": 7.25, "pickup": "2022-03-01T00:12:14"},
        {"PULocationID": 3, "DOLocationID": 3, "trip_distance": 0.5, "fare amount": 3.0, "pickup": "2022-03-01T00:12:13"},
    ]);
    let written = "
cypher: |
  MERGE (p:Location {name: toInteger(event.PULocationID)})
  MERGE (d:Location {name: toInteger(event.DOLocationID)}) /* a comment */
  CREATE (p)-[:TRIP {distance: toFloat(event.trip_distance), fare: toInteger(event.`fare amount`), at: localdatetime(event.pickup)}]->(d); // done
";
    let question = "MATCH (a:Location)-[t:TRIP]->(b:Location) RETURN a.name, b.name, t.distance, t.fare, toString(t.at) ORDER BY a.name, t.at";
    let answers =
        [TRIPS, written].map(|yaml| Run::new(&statement(yaml, Some(&columns())), &events).ask(question));
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][0], json!([1, 2, 1.5, 7, "2022-03-01T00:12:13"]));
    assert_eq!(answers[0].as_array().unwrap().len(), 3);
}

#[test]
fn what_cannot_be_made_is_refused_with_every_reason() {
    let of = |yaml: &str| -> Vec<String> {
        compile(&mapping(yaml), None).unwrap_err().iter().map(ToString::to_string).collect()
    };
    assert_eq!(of("{}"), ["a mapping is either `cypher`, or `nodes` and `relationships`"]);
    assert_eq!(of("{ cypher: 'MERGE (a)', nodes: [{ label: A }] }").len(), 1);
    let wrong = "
nodes: [{ label: A }, { label: A, keys: { k: {} }, properties: { k: {} } }]
relationships: [{ type: R, from: A, to: B }]";
    assert_eq!(
        of(wrong),
        [
            "node A is merged, but has no keys",
            "two of the nodes are called A",
            "A has k as a key and as a property",
            "relationship R names the node B, which `nodes` does not have",
        ]
    );
    assert_eq!(of("cypher: 'MERGE (a:A {x: 1}) RETURN a'"), ["a mapping cannot have RETURN"]);
    assert_eq!(of("cypher: 'MERGE (a:A {x: 1}'"), ["the Cypher cannot be read"]);
}

#[test]
fn constraints_follow_from_how_nodes_are_made() {
    use ConstraintKind::{NodeIndex, NodeUnique, RelationshipIndex};
    type Made<'a> = (&'a str, &'a str, ConstraintKind);
    let table: &[(&str, &[Made])] = &[
        ("MERGE (a:A {x: event.x})", &[("A", "x", NodeUnique)]),
        ("MERGE (a:A {x: event.x, y: event.y}) MERGE (b:A {x: 1, y: 2})", &[("A", "x y", NodeUnique)]),
        ("FOREACH (i IN event.l | MERGE (a:A {x: i}))", &[("A", "x", NodeUnique)]),
        ("MERGE (a:A {x: event.x}) SET a.x = event.x, a.y = 2", &[("A", "x", NodeUnique)]),
        ("MERGE (a:A {x: event.x}) SET a.x = event.y", &[("A", "x", NodeIndex)]),
        ("MERGE (a:A {x: event.x}) CREATE (:A {x: event.y})", &[("A", "x", NodeIndex)]),
        (
            "MERGE (a:A {x: event.x}) MERGE (b:A {y: event.y})",
            &[("A", "x", NodeIndex), ("A", "y", NodeIndex)],
        ),
        (
            "MERGE (a:A {x: event.x}) MERGE (b:B {y: 1}) SET b:A",
            &[("A", "x", NodeIndex), ("B", "y", NodeUnique)],
        ),
        ("MERGE (a:A:B {x: event.x})", &[("A", "x", NodeUnique)]),
        (
            "MERGE (a:A {x: event.x})-[:R]->(b:B {y: event.y})",
            &[("A", "x", NodeIndex), ("B", "y", NodeIndex)],
        ),
        ("MATCH (a:A {x: event.x}) SET a.y = 1", &[("A", "x", NodeIndex)]),
        ("MERGE (a:A) CREATE (:B {x: 1})", &[]),
        ("MERGE (a:$(event.l) {x: 1})", &[]),
        (
            "MERGE (a:A {x: event.x}) MERGE (a)-[:R {p: event.p, q: 1}]->(a) MERGE (a)-[:S]->(a)",
            &[("A", "x", NodeUnique), ("R", "p q", RelationshipIndex)],
        ),
    ];
    for (text, expected) in table {
        let mapping = Mapping { cypher: Some((*text).to_owned()), ..Mapping::default() };
        let made = compile(&mapping, None).unwrap().schema.constraints;
        let made: Vec<_> =
            made.iter().map(|of| (of.label.as_str(), of.properties.join(" "), of.kind)).collect();
        let made: Vec<_> =
            made.iter().map(|(label, properties, kind)| (*label, properties.as_str(), *kind)).collect();
        assert_eq!(&made, expected, "{text}");
        let none = Mapping { indexes: crate::spec::Indexes::None, ..mapping };
        assert_eq!(compile(&none, None).unwrap().schema.constraints, []);
    }
}

#[test]
fn a_row_without_a_key_is_told_by_its_column() {
    let compiled = compile(&mapping(TRIPS), None).unwrap();
    let event = |json: serde_json::Value| serde_json::from_value::<Event>(json).unwrap();
    assert_eq!(compiled.missing(&event(json!({"PULocationID": 1, "DOLocationID": 2}))), None);
    let null = event(json!({"PULocationID": 1, "DOLocationID": null}));
    let missing = compiled.missing(&null).unwrap();
    assert_eq!(
        (missing.column.as_str(), missing.element.as_str(), missing.property.as_str()),
        ("DOLocationID", "Location", "name")
    );
    let written = "cypher: |
  MERGE (a:A {x: toInteger(event.x)}) SET a.n = event.n
  MERGE (a)-[:R {w: event.w}]->(a)
  WITH a, event WHERE event.y IS NOT NULL
  MERGE (b:B {y: event.y})
  FOREACH (i IN event.l | MERGE (:C {z: event.z}))";
    let required = compile(&mapping(written), None).unwrap().required;
    let columns: Vec<&str> = required.iter().map(|of| of.column.as_str()).collect();
    assert_eq!(columns, ["x", "w"]);
}

#[test]
fn a_statement_is_bound_to_a_row_for_reading() {
    let yaml = "cypher: \"MERGE (p:P {id: event.id, s: event['a b'], none: event.none}) SET p += event {.id, n: event.n}, p.all = event // event.id\"";
    let compiled = compile(&mapping(yaml), None).unwrap();
    assert_eq!(
        compiled.bind(&json!({"id": 7, "a b": "it's", "n": [1]})),
        r"MERGE (p:P {id: 7, s: 'it\'s', none: null}) SET p += event {id: 7, n: [1]}, p.all = {id: 7, `a b`: 'it\'s', n: [1]}"
    );
}

/// The findings of a text: kind and marked text.
fn found(text: &str, constrained: bool) -> Vec<String> {
    findings(text, Some(&columns()), constrained)
        .into_iter()
        .map(|finding| {
            let kind = format!("{:?}", finding.kind);
            let kind = kind.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
            format!("{kind}: {}", &text[finding.range])
        })
        .collect()
}

#[test]
fn what_will_hurt_is_found_where_it_is() {
    let table: &[(&str, &[&str])] = &[
        (
            "MERGE (p:P {id: event.PULocationID}) MERGE (q:P {id: event.DOLocationID}) CREATE (p)-[:R]->(q)",
            &[],
        ),
        ("MERGE (p:P {id: event.PULocationId})", &["UnknownColumn: PULocationId"]),
        ("MERGE (p:P {id: event.`fare  amount`})", &["UnknownColumn: fare  amount"]),
        ("MERGE (p:P {id: evnt.vendor})", &["Unbound: evnt"]),
        ("MERGE (p:P {id: $id})", &["Parameter: $id"]),
        ("MERGE (p:P)", &["MergeWithoutKey: (p:P)"]),
        ("MERGE (p)", &["MergeWithoutKey: (p)"]),
        ("MERGE (p:P {})", &["MergeWithoutKey: (p:P {})"]),
        (
            "MERGE (p:P {id: event.vendor}) MERGE (q:Q {id: event.vendor}) MERGE (p)-[:R]->(q)",
            &["CollapsingRelationship: -[:R]->"],
        ),
        ("MERGE (p:P {id: event.vendor}) MERGE (p)-[r:R]->(p) SET r.n = coalesce(r.n, 0) + 1", &[]),
        (
            "MERGE (p:P {id: event.vendor})-[:R {x: 1}]->(q:Q {id: event.vendor})",
            &["MergedPath: (p:P {id: event.vendor})-[:R {x: 1}]->(q:Q {id: event.vendor})"],
        ),
        ("MATCH (a:P), (b:Q) CREATE (a)-[:R]->(b)", &["CartesianProduct: MATCH (a:P), (b:Q)"]),
        ("MATCH (a:P), (b:Q) WHERE a.x = event.vendor AND b.x = a.x CREATE (a)-[:R]->(b)", &[]),
        ("MATCH (a:P {x: event.vendor}), (b:Q {x: event.vendor}) CREATE (a)-[:R]->(b)", &[]),
        ("MATCH (a:P {x: event.vendor})", &["WritesNothing: MATCH (a:P {x: event.vendor})"]),
        ("MERGE (p:P {id: event.vendor}) WITH p SET p.x = event.stored", &["EventLost: event"]),
        ("MERGE (event:E {id: event.vendor})", &["EventAsPattern: event"]),
        ("MERGE (p:P {id: event.vendor}) RETURN p", &["Clause: RETURN"]),
        (
            "MERGE (p:P {id: event.vendor}) SET p.at = datetime(event.trip_distance), p.on = date(event.day)",
            &["WrongColumnType: datetime(event.trip_distance)"],
        ),
        (
            "MERGE (p:P {id: event.vendor}) SET p.on = toInteger (event.day), p.of = toIntegerOrNull(event.day)",
            &["WrongColumnType: toInteger (event.day)"],
        ),
        ("MERGE (p:P {id: event.vendor}", &["Malformed: ("]),
        (
            "MERGE (p:P {id: event.vendor}) CREATE (p)-[:A]->(q) CREATE (r) SET r:R CREATE (p)-[:B]->(r), (p)-[:C]->(q)",
            &["EmptyNode: (q)", "EmptyNode: (q)"],
        ),
        ("MERGE (p:P {id: event.vendor}) FOREACH (q IN [p] | CREATE (p)-[:A]->(q))", &[]),
        ("MERGE (p:P {id: event.vendor}) CREATE (p)-[:A]->(q) SET q.x = 1", &[]),
        ("CALL apoc.create.node([event.vendor], event) YIELD node AS n MERGE (n)-[:R {x: 1}]->(n)", &[]),
        ("MERGE (p:P {id: event.vendor}) WITH p AS q, event MERGE (q)-[:R {x: event.stored}]->(q)", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(&found(text, true), expected, "{text}");
    }
    assert_eq!(
        found("MERGE (p:P {id: event.vendor})", false),
        ["MergeWithoutConstraint: (p:P {id: event.vendor})"]
    );
}

/// A store in memory, prepared for a mapping, with one batch for each list of events.
async fn stored(yaml: &str, columns: Option<&[Column]>, batches: &[serde_json::Value]) -> Embedded {
    let compiled = compile(&mapping(yaml), columns).unwrap();
    let store = Embedded::in_memory().unwrap();
    store.prepare(&compiled.schema).await.unwrap();
    let mut from = 0;
    for events in batches {
        let events: Vec<Event> = serde_json::from_value(events.clone()).unwrap();
        let offset = from + events.len() as u64;
        let advance =
            Advance { partition: 0, from, checkpoint: Checkpoint { offset, ..Checkpoint::default() } };
        let topic = "rows".to_owned();
        let batch = WriteBatch {
            statement: compiled.schema.statement.clone(),
            dictionary: None,
            topic,
            events,
            advances: vec![advance],
            must_write: false,
        };
        let written = store.write(&batch).await.unwrap();
        assert_eq!(written.wrote_nothing, Vec::<usize>::new());
        from = offset;
    }
    store
}

async fn counts(store: &Embedded) -> (Vec<u64>, Vec<u64>) {
    let counts = store.counts().await.unwrap();
    (counts.nodes.into_values().collect(), counts.relationships.into_values().collect())
}

#[tokio::test]
async fn made_statements_run_on_the_store() {
    let trip = |from: u64, far: serde_json::Value| json!({"PULocationID": from, "DOLocationID": 2, "trip_distance": far, "fare amount": 7.5, "pickup": "2022-03-01T00:12:13"});
    // A column that is null throughout the first batch has values in the second.
    let batches = [
        json!([trip(1, json!(null)), trip(1, json!(null))]),
        json!([trip(2, json!(1.5)), trip(3, json!("NaN"))]),
    ];
    let store = stored(TRIPS, Some(&columns()), &batches).await;
    assert_eq!(counts(&store).await, (vec![3], vec![4]));

    let hostile = [
        json!([{"x y": 1, "it's": 2, "id": 3, "`": 4, "note": "5"}, {"x y": 1, "it's": 2, "id": 4, "`": 4, "note": "5"}]),
    ];
    let store = stored(HOSTILE, None, &hostile).await;
    assert_eq!(counts(&store).await, (vec![2, 1], vec![4]));

    let created = "nodes: [{ label: A, mode: create, properties: { x: {}, y: {}, at: { type: datetime } } }]";
    let rows =
        [json!([{"x": 1, "y": null, "at": null}]), json!([{"x": 1, "y": 2, "at": "2022-03-01T00:12:13"}])];
    assert_eq!(counts(&stored(created, None, &rows).await).await, (vec![2], vec![]));

    let written = "cypher: |
  /* the row's own */ WITH event, event.items AS items // items
  UNWIND items AS item
  MERGE (a:A {id: item.id}) ON CREATE SET a.first = event.n
  FOREACH (other IN item.others | MERGE (b:B {id: other}) MERGE (a)-[:HAS {n: event.n}]->(b));";
    let rows = [json!([{"n": 1, "items": [{"id": 1, "others": [1, 2]}, {"id": 2, "others": [2]}]}])];
    assert_eq!(counts(&stored(written, None, &rows).await).await, (vec![2, 2], vec![3]));
}

#[test]
fn the_statement_for_a_batch_meets_each_node_once() {
    let text = |yaml: &str| compile(&mapping(yaml), Some(&columns())).unwrap().schema.dictionary;
    insta::assert_snapshot!("dictionary of trips", text(TRIPS).unwrap().statement);
    let nodes_alone =
        "nodes: [{ label: Zone, keys: { id: { column: PULocationID } }, properties: { vendor: {} } }]";
    insta::assert_snapshot!("dictionary of nodes alone", text(nodes_alone).unwrap().statement);
    let mixed = "
nodes:
  - { label: Ride, mode: create, properties: { pickup: {} } }
  - { label: N0, keys: { id: { column: PULocationID }, day: {} } }
  - { label: Vendor, keys: { vendor: {} } }
relationships:
  - { type: FROM, from: Ride, to: N0 }
  - { type: BY, from: N0, to: Vendor, mode: merge, keys: { day: {} }, properties: { stored: {} } }
";
    insta::assert_snapshot!("dictionary of rides", text(mixed).unwrap().statement);
}

#[test]
fn where_the_order_of_rows_matters_there_is_no_statement_for_a_batch() {
    for yaml in [
        "nodes: [{ name: a, label: Z, keys: { id: {} } }, { name: b, label: Z, keys: { name: {} } }]",
        "nodes: [{ name: a, label: Z, keys: { id: {} } }, { name: b, label: Z, mode: create }]",
    ] {
        assert_eq!(compile(&mapping(yaml), None).unwrap().schema.dictionary, None, "{yaml}");
    }
}
