//! What would become of the first rows: row → message → bound Cypher → nodes and relationships. Nothing is kept.

use futures::StreamExt as _;
use serde::Serialize;
use serde_json::{Map, Value};

use super::validate::Plan;
use super::{Fault, deploy, stream};
use crate::graph::{Advance, Checkpoint, GraphStore, WriteBatch, WriteError};
use crate::message::{Event, EventReader, Message, ROW_HEADER, STREAM_HEADER};
use crate::source::Encoder;
use crate::topic;

/// One row, all the way.
#[derive(Debug, Clone, Serialize)]
pub struct PreviewRow {
    /// The file and the row's number in it, from 0.
    pub row: String,
    /// The partition that Kafka would put it into.
    pub partition: u32,
    /// The message's key.
    pub key: Option<String>,
    /// The message's headers.
    pub headers: Map<String, Value>,
    /// The message's value.
    pub value: Value,
    /// The statement with this row's values in it, for reading.
    pub cypher: String,
    /// The nodes that the row alone would make.
    pub nodes: Vec<Value>,
    /// The relationships that the row alone would make.
    pub relationships: Vec<Value>,
    /// Why the row cannot be written.
    pub fault: Option<String>,
}

/// Takes the first `count` rows that pass the filter.
///
/// # Errors
/// Where the source cannot be read or the statement cannot be prepared; a row at fault is shown with its reason.
pub async fn preview(plan: &Plan, count: u64) -> Result<Vec<PreviewRow>, Fault> {
    let key = plan.pipeline.spec.topic.key.as_deref();
    let digest = plan.stream_digest.rows.as_str().into();
    let dataset = plan.source()?;
    let encoder = Encoder::new(&dataset.columns(), key, digest)?;
    let mut batches = std::pin::pin!(dataset.scan(None, Some(count)));
    let mut rows = Vec::new();
    while let Some(batch) = batches.next().await {
        for message in encoder.encode(&batch?)? {
            rows.push(one(plan, &message).await?);
        }
    }
    Ok(rows)
}

/// Follows one message into a graph of its own.
async fn one(plan: &Plan, message: &Message) -> Result<PreviewRow, Fault> {
    let decoded = stream::decode(&mut EventReader::default(), &message.value, &plan.mapping);
    let (value, event) = match decoded {
        Ok(event) => (Value::from(&event), Ok(event)),
        Err(reason) => (serde_json::from_slice(&message.value).unwrap_or_default(), Err(reason.to_string())),
    };
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut row = PreviewRow {
        row: message.origin.row.to_string(),
        partition: topic::partition(
            message.key.as_deref(),
            message.origin.row.ordinal,
            plan.pipeline.spec.topic.partitions,
            plan.producer_of(&message.origin.row.file),
        ),
        key: message.key.as_ref().map(text),
        headers: headers(message),
        cypher: plan.mapping.bind(&value),
        value,
        nodes: Vec::new(),
        relationships: Vec::new(),
        fault: None,
    };
    match event {
        Ok(event) => write(plan, message, event, &mut row).await?,
        Err(fault) => row.fault = Some(fault),
    }
    Ok(row)
}

/// Writes the row to an empty graph in memory and looks at what is there then.
async fn write(plan: &Plan, message: &Message, event: Event, row: &mut PreviewRow) -> Result<(), Fault> {
    let endpoints = deploy::in_memory(plan).await?;
    let checkpoint = Checkpoint { offset: 1, row: Some(message.origin.row.clone()), ..Checkpoint::default() };
    let batch = WriteBatch {
        statement: plan.mapping.schema.statement.clone(),
        dictionary: None,
        topic: plan.pipeline.spec.topic.name.clone(),
        events: vec![event],
        advances: vec![Advance { partition: row.partition, from: 0, checkpoint }],
        must_write: false,
    };
    match endpoints.store.write(&batch).await {
        Ok(written) if written.wrote_nothing.is_empty() => {}
        Ok(_) => row.fault = Some(stream::Reason::wrote_nothing().to_string()),
        Err(WriteError::Record { message, .. }) => row.fault = Some(message),
        Err(error) => return Err(error.into()),
    }
    row.nodes = elements(plan, &*endpoints.store, NODES).await?;
    row.relationships = elements(plan, &*endpoints.store, RELATIONSHIPS).await?;
    Ok(())
}

/// All nodes but runner's own.
const NODES: &str =
    "MATCH (n) WHERE NOT n:RunnerCheckpoint RETURN labels(n) AS labels, properties(n) AS properties";
/// All relationships with their ends.
const RELATIONSHIPS: &str = "MATCH (a)-[r]->(b) RETURN type(r) AS type, properties(a) AS from, properties(b) AS to, properties(r) AS properties";

/// The properties that the embedded engine shows on each element, whether or not anybody set them.
const SYNTHETIC: [&str; 3] = ["id", "title", "type"];

/// The rows of a query, each an object by its columns, without properties that the mapping does not set.
async fn elements(plan: &Plan, store: &dyn GraphStore, cypher: &str) -> Result<Vec<Value>, Fault> {
    let table = store.query(cypher, Map::new()).await?;
    let schema = &plan.mapping.schema;
    let elements = || schema.nodes.iter().chain(&schema.relationships);
    let is_set =
        |name: &str| elements().any(|element| element.properties.iter().any(|property| property == name));
    let unset: Vec<&str> = SYNTHETIC.into_iter().filter(|name| !is_set(name)).collect();
    let object = |row: Vec<Value>| {
        let mut object: Map<String, Value> = table.columns.iter().cloned().zip(row).collect();
        for properties in object.values_mut().filter_map(Value::as_object_mut) {
            properties.retain(|name, _| !unset.contains(&name.as_str()));
        }
        Value::from(object)
    };
    Ok(table.rows.into_iter().map(object).collect())
}

/// The headers as Kafka would carry them.
fn headers(message: &Message) -> Map<String, Value> {
    [(ROW_HEADER, message.origin.row.to_string()), (STREAM_HEADER, message.origin.stream())]
        .map(|(name, value)| (name.to_owned(), value.into()))
        .into_iter()
        .collect()
}
