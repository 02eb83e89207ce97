//! Values between JSON and the engine.

use std::collections::HashMap;

use kglite::api::param::kglite_value_to_json;
use kglite::api::{NodeValue, RelValue, Value as EngineValue};
use serde_json::{Map, Value, json};

use crate::graph::GraphError;

/// The parameters of a statement.
pub(super) type Parameters = HashMap<String, EngineValue>;

/// A JSON value for the engine, exactly: integers stay integers, and one that does not fit 64 bits is refused rather than
/// rounded.
pub(super) fn to_engine(value: &Value, place: &str) -> Result<EngineValue, GraphError> {
    Ok(match value {
        Value::Null => EngineValue::Null,
        Value::Bool(truth) => EngineValue::Boolean(*truth),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                EngineValue::Int64(integer)
            } else if number.is_u64() {
                return Err(GraphError::IntegerTooLarge {
                    place: place.to_owned(),
                    value: number.to_string(),
                });
            } else {
                EngineValue::Float64(number.as_f64().unwrap_or(f64::NAN))
            }
        }
        Value::String(text) => EngineValue::String(text.clone()),
        Value::Array(items) => EngineValue::List(
            items.iter().map(|item| to_engine(item, place)).collect::<Result<Vec<_>, GraphError>>()?,
        ),
        Value::Object(object) => EngineValue::Map(to_map(object)?),
    })
}

/// The entries of a JSON object for the engine: as a value of it, or as a statement's parameters.
pub(super) fn to_map<'a, M: FromIterator<(String, EngineValue)>>(
    entries: impl IntoIterator<Item = (impl AsRef<str>, &'a Value)>,
) -> Result<M, GraphError> {
    let entries = entries.into_iter().map(|(key, value)| {
        let key = key.as_ref();
        Ok((key.to_owned(), to_engine(value, key)?))
    });
    entries.collect()
}

/// A value of the engine as JSON. Date-times and the like become ISO-8601 text, NaN and the infinities null.
pub(super) fn to_json(value: &EngineValue) -> Value {
    match value {
        EngineValue::List(items) => Value::Array(items.iter().map(to_json).collect()),
        EngineValue::Map(map) => map.iter().map(|(key, value)| (key.to_owned(), to_json(value))).collect(),
        EngineValue::Node(node) => node_to_json(node),
        EngineValue::Relationship(relationship) => relationship_to_json(relationship),
        EngineValue::Path(path) => json!({
            "nodes": path.nodes.iter().map(node_to_json).collect::<Vec<_>>(),
            "relationships": path.rels.iter().map(relationship_to_json).collect::<Vec<_>>(),
        }),
        other => kglite_value_to_json(other),
    }
}

fn relationship_to_json(relationship: &RelValue) -> Value {
    let properties: Map<String, Value> =
        relationship.properties.iter().map(|(key, value)| (key.to_owned(), to_json(value))).collect();
    json!({ "type": relationship.rel_type, "properties": properties })
}

/// A node with its labels and the properties that were stored. The engine gives each node an `id`, a `title` and a `type`
/// besides, where it has none of its own.
fn node_to_json(node: &NodeValue) -> Value {
    let properties: Map<String, Value> = node
        .properties
        .iter()
        .filter(|(key, value)| !is_made_up(node, key, value))
        .map(|(key, value)| (key.to_owned(), to_json(value)))
        .collect();
    json!({ "labels": node.labels, "properties": properties })
}

fn is_made_up(node: &NodeValue, key: &str, value: &EngineValue) -> bool {
    let label = node.labels.first();
    match (key, value) {
        // `SET n = map` leaves a title without a value.
        (_, EngineValue::Null) | ("id", EngineValue::UniqueId(_)) => true,
        ("type", EngineValue::String(text)) => Some(text) == label,
        ("title" | "name", EngineValue::String(text)) if is_minted(text, label) => true,
        ("title", _) => node.properties.get("name") == Some(value),
        _ => false,
    }
}

/// Whether a title is the one that the engine makes up: the label and a number.
fn is_minted(title: &str, label: Option<&String>) -> bool {
    label
        .and_then(|label| title.strip_prefix(label.as_str()))
        .and_then(|rest| rest.strip_prefix('_'))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
