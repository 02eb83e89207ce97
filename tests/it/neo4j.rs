//! The Neo4j store on a real server.

mod connecting;
mod forms;
mod surviving;
mod writing;

use std::sync::Arc;

use runner::graph::mapping::{self, CompiledMapping};
use runner::graph::neo4j::Connection;
use runner::graph::{Advance, Checkpoint, GraphStore as _, Neo4j, WriteBatch};
use runner::message::RowId;
use runner::spec::Mapping;
use runner::spec::Password;
use serde_json::{Value, json};

use crate::servers::{self, PASSWORD};

/// The mapping that people begin with.
const TRIPS: &str = "
MERGE (p:Location {name: toInteger(event.from)})
MERGE (d:Location {name: toInteger(event.to)})
MERGE (p)-[:TRIP {distance: toFloat(event.distance), at: datetime(event.at)}]->(d)";

fn connection(uri: &str) -> Connection {
    Connection {
        uri: uri.to_owned(),
        database: "neo4j".to_owned(),
        user: "neo4j".to_owned(),
        password: Some(Password::from(PASSWORD.to_owned())),
        tls: None,
    }
}

async fn connect(server: &servers::Neo4j) -> Neo4j {
    Neo4j::connect(&connection(&server.uri())).await.unwrap()
}

fn compiled(mapping: Value) -> CompiledMapping {
    let mapping: Mapping = serde_json::from_value(mapping).unwrap();
    mapping::compile(&mapping, None).unwrap()
}

fn trips() -> CompiledMapping {
    compiled(json!({ "cypher": TRIPS }))
}

fn trip(from: i64, to: i64, n: u64) -> Value {
    json!({ "from": from, "to": to, "distance": f64::from(u32::try_from(n).unwrap()), "at": "2022-03-01T00:10:00" })
}

/// A batch of one partition.
fn batch(mapping: &CompiledMapping, topic: &str, from: u64, events: Vec<Value>) -> WriteBatch {
    let offset = from + events.len() as u64;
    let checkpoint = Checkpoint {
        offset,
        row: Some(RowId { file: Arc::from("trips.parquet"), ordinal: offset }),
        lineage: "lineage".to_owned(),
        digest: "digest".to_owned(),
        dead_letters: 0,
    };
    WriteBatch {
        statement: mapping.schema.statement.clone(),
        dictionary: mapping.schema.dictionary.clone(),
        topic: topic.to_owned(),
        events: serde_json::from_value(events.into()).unwrap(),
        advances: vec![Advance { partition: 0, from, checkpoint }],
        must_write: false,
    }
}
