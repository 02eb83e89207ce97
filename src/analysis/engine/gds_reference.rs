//! Runs every call of `bronx.json` on the Bronx graph and compares it with the answer of the real GDS
//! library.
//!
//! The call is read from the Cypher that was run on the server, so that what is compared is what was asked
//! there, and the test fails on a call or a column that it does not know.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::path::Path;

use serde_json::{Map, Value};

use super::{Answer, Call, Cell, Graph, GraphBuilder, run};
use crate::spec::gds::{self, Procedure};
use crate::spec::{Aggregation, Mode, Orientation};

const RELATIVE_TOLERANCE: f64 = 1e-9;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// The Bronx graph in both projections, with the zone of each node.
struct Bronx {
    zones: Vec<i64>,
    directed: Graph,
    undirected: Graph,
}

impl Bronx {
    fn load() -> Self {
        let trips = read("bronx-trips.csv");
        let trips: Vec<Vec<&str>> = trips.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let mut zones = Vec::new();
        for trip in &trips {
            for zone in &trip[..2] {
                let zone = zone.parse().unwrap();
                if !zones.contains(&zone) {
                    zones.push(zone);
                }
            }
        }
        let project = |orientation| {
            let mut builder = GraphBuilder::new(u32::try_from(zones.len()).unwrap())
                .orientation(orientation)
                .property("distance", Aggregation::None)
                .property("fare", Aggregation::None);
            for trip in &trips {
                let node = |column: usize| node_of(&zones, trip[column].parse().unwrap());
                let value = |column: usize| trip[column].parse().unwrap();
                builder.relationship(node(0), node(1), &[value(2), value(3)]).unwrap();
            }
            builder.build().unwrap()
        };
        Self { directed: project(Orientation::Natural), undirected: project(Orientation::Undirected), zones }
    }

    fn zone(&self, node: u32) -> Value {
        Value::from(self.zones[node as usize])
    }
}

fn node_of(zones: &[i64], zone: i64) -> u32 {
    u32::try_from(zones.iter().position(|candidate| *candidate == zone).unwrap()).unwrap()
}

/// A call as it was made on the server.
struct ReferenceCall {
    procedure: &'static Procedure,
    mode: Mode,
    is_directed: bool,
    config: Map<String, Value>,
    yields: Vec<String>,
}

impl ReferenceCall {
    /// Reads `[MATCH (a:Location {name:1}), …] CALL gds.name.mode('d'[, {key:value, …}]) YIELD column, …
    /// […]`.
    fn parse(cypher: &str, zones: &[i64]) -> Self {
        let (matched, call) = cypher.split_once("CALL gds.").unwrap();
        let nodes: HashMap<&str, u32> = matched
            .split('(')
            .skip(1)
            .map(|pattern| {
                let (variable, rest) = pattern.split_once(":Location {name:").unwrap();
                (variable, node_of(zones, rest.split_once('}').unwrap().0.parse().unwrap()))
            })
            .collect();
        let (name, rest) = call.split_once("('").unwrap();
        let (arguments, rest) = rest.split_once(") YIELD ").unwrap();
        let (graph, config) = arguments.split_once('\'').unwrap();
        let (name, mode) = name.rsplit_once('.').unwrap();
        let yields = rest.split(" RETURN ").next().unwrap();
        Self {
            procedure: gds::find(name).unwrap_or_else(|| panic!("no procedure {name}")),
            mode: mode.parse().unwrap(),
            is_directed: graph == "d",
            config: parse_config(config.trim_start_matches(','), &nodes),
            yields: yields.split(',').map(|column| column.trim().to_owned()).collect(),
        }
    }
}

/// Reads a flat Cypher map: keys become strings, single quotes double ones, and variables the nodes that they
/// stand for.
fn parse_config(cypher: &str, nodes: &HashMap<&str, u32>) -> Map<String, Value> {
    let inner = cypher.trim_start_matches('{').trim_end_matches('}');
    let entries = inner.split(',').filter(|entry| !entry.is_empty());
    entries
        .map(|entry| {
            let (key, value) = entry.split_once(':').unwrap();
            let variable = value.trim_matches(['[', ']']);
            let value = match nodes.get(variable) {
                Some(node) => value.replace(variable, &node.to_string()),
                None => value.replace('\'', "\""),
            };
            (key.to_owned(), serde_json::from_str(&value).unwrap())
        })
        .collect()
}

/// The columns of an answer by name, nodes as zones.
fn named_columns(bronx: &Bronx, answer: Answer) -> Vec<HashMap<&'static str, Value>> {
    let columns = answer.columns;
    let json = |cell| match cell {
        Cell::Node(node) => bronx.zone(node),
        Cell::Nodes(nodes) => nodes.into_iter().map(|node| bronx.zone(node)).collect(),
        Cell::Integer(value) => Value::from(value),
        Cell::Integers(values) => Value::from(values),
        Cell::Float(value) => Value::from(value),
        Cell::Floats(values) => Value::from(values),
        Cell::Boolean(value) => Value::from(value),
        Cell::Map(value) => Value::from(value),
        Cell::Null => Value::Null,
    };
    let rows = answer.rows.into_iter();
    rows.map(|row| columns.iter().copied().zip(row.into_iter().map(json)).collect()).collect()
}

/// The rows as the reference returns them: in the columns of its `RETURN`, by name if it has names.
fn reference_rows(bronx: &Bronx, call: &ReferenceCall, columns: &[&str], answer: Answer) -> Vec<Vec<Value>> {
    let column = |row: &HashMap<&'static str, Value>, name: &str| match name {
        "name" if call.yields[0] == "targetNode" => row["targetNode"].clone(),
        "name" => row["nodeId"].clone(),
        "a" => row["node1"].clone(),
        "b" => row["node2"].clone(),
        "visited" | "path" => row["nodeIds"].clone(),
        "nodes" => Value::from(row["nodeIds"].as_array().unwrap().len()),
        other => row.get(other).unwrap_or_else(|| panic!("no column {other}")).clone(),
    };
    let rows = named_columns(bronx, answer);
    let mut rows: Vec<Vec<Value>> =
        rows.iter().map(|row| columns.iter().map(|name| column(row, name)).collect()).collect();
    match columns[0] {
        "name" => rows.sort_by_key(|row| row[0].as_i64()),
        "a" => rows.sort_by(|one, other| by_similarity(one).partial_cmp(&by_similarity(other)).unwrap()),
        _ => {}
    }
    rows
}

/// The order of the rows of node similarity: by the first node, the highest similarity, and the second node.
fn by_similarity(row: &[Value]) -> (Option<i64>, Option<f64>, Option<i64>) {
    (row[0].as_i64(), row[2].as_f64().map(|similarity| -similarity), row[1].as_i64())
}

/// Whether two values are the same, numbers with a decimal point to nine digits.
fn agree(actual: &Value, expected: &Value) -> bool {
    match (actual, expected) {
        (Value::Array(actual), Value::Array(expected)) => {
            actual.len() == expected.len()
                && actual.iter().zip(expected).all(|(one, other)| agree(one, other))
        }
        (Value::Number(actual), Value::Number(expected)) if actual.is_f64() || expected.is_f64() => {
            let (actual, expected) = (actual.as_f64().unwrap(), expected.as_f64().unwrap());
            (actual - expected).abs() <= RELATIVE_TOLERANCE * actual.abs().max(expected.abs())
        }
        _ => actual == expected,
    }
}

#[test]
fn every_answer_agrees_with_the_real_library() {
    let bronx = Bronx::load();
    let reference: Value = serde_json::from_str(&read("gds-reference/bronx.json")).unwrap();
    assert_eq!(Value::from(bronx.zones.clone()), reference["node_creation_order"]);

    let answers = reference["results"].as_object().unwrap();
    assert_eq!(answers.len(), 90);
    let mut failures = Vec::new();
    for (name, expected) in answers {
        let call = ReferenceCall::parse(expected["call"].as_str().unwrap(), &bronx.zones);
        let graph = if call.is_directed { &bronx.directed } else { &bronx.undirected };
        let engine_call = Call { procedure: call.procedure, mode: call.mode, config: &call.config };
        let answer = run(&engine_call, graph).unwrap_or_else(|error| panic!("{name}: {error}"));
        let columns: Vec<&str> =
            expected["columns"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let actual = Value::from(reference_rows(&bronx, &call, &columns, answer));
        if !agree(&actual, &expected["rows"]) {
            failures.push(format!("{name}\n  expected {}\n  actual   {actual}", expected["rows"]));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
