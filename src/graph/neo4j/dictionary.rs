//! The parameters of a batch's [`Dictionary`]: each node once, and rows that point at them.

use std::collections::HashMap;

use neo4rs::{BoltMap, BoltType};
use serde_json::Value;

use super::convert::convert;
use super::value::{list, to_json};
use crate::graph::mapping::Dictionary;
use crate::graph::mapping::dictionary::{Cell, Input, Member, NodeList};
use crate::message::Event;

/// Makes the parameters; none where a value cannot be converted here with certainty, or cannot be a key.
pub(super) fn parameters(dictionary: &Dictionary, events: &[&Event], is_utc: bool) -> Option<BoltMap> {
    let mut places = Vec::with_capacity(dictionary.lists.len());
    let mut parameters = BoltMap::with_capacity(dictionary.lists.len() + 1);
    for (number, nodes) in dictionary.lists.iter().enumerate() {
        let (entries, of_rows) = distinct(nodes, events, is_utc)?;
        parameters.put(format!("n{number}").into(), list(entries));
        places.push(of_rows);
    }
    if !dictionary.cells.is_empty() {
        let mut rows = Vec::with_capacity(events.len());
        for (row, event) in events.iter().enumerate() {
            // Values are large, so each list has its room from the start.
            let mut cells = Vec::with_capacity(dictionary.cells.len());
            for cell in &dictionary.cells {
                cells.push(match cell {
                    Cell::Node { list, member } => place(&places, *list, *member, row)?,
                    Cell::Value(input) => value(event, input, is_utc)?,
                    Cell::Key(input) => {
                        value(event, input, is_utc).filter(|value| Key::of(value).is_some())?
                    }
                });
            }
            rows.push(list(cells));
        }
        parameters.put("rows".into(), list(rows));
    }
    Some(parameters)
}

/// The places of the nodes of rows in their list: row by row, each by member.
struct Places {
    members: usize,
    places: Vec<usize>,
}

fn place(places: &[Places], list: usize, member: usize, row: usize) -> Option<BoltType> {
    let of_list = places.get(list)?;
    let place = of_list.places.get(row * of_list.members + member)?;
    i64::try_from(*place).ok().map(BoltType::from)
}

fn value(event: &Event, input: &Input, is_utc: bool) -> Option<BoltType> {
    convert(event.get(&input.column).unwrap_or(&Value::Null), input.cast, is_utc)
}

/// A value by which elements are told apart. Floats are none: 1.0 and 1 are the same to the server, and NaN is not even itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Boolean(bool),
    Integer(i64),
    Text(String),
    /// By its text, with its kind: a date and a text that looks like one are two.
    Temporal(String),
}

impl Key {
    fn of(value: &BoltType) -> Option<Self> {
        match value {
            BoltType::Boolean(truth) => Some(Self::Boolean(truth.value)),
            BoltType::Integer(integer) => Some(Self::Integer(integer.value)),
            BoltType::String(text) => Some(Self::Text(text.value.clone())),
            BoltType::Date(_) | BoltType::DateTime(_) | BoltType::LocalDateTime(_) => match to_json(value) {
                Value::String(text) => Some(Self::Temporal(text)),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A node, met for the first time or again.
struct Node {
    keys: Vec<Key>,
    entry: Vec<BoltType>,
    properties: BoltMap,
}

/// The distinct nodes of a list, sorted, so that two loaders that make the same nodes never wait for each other in a circle; and
/// where in the list those of each row are.
fn distinct(nodes: &NodeList, events: &[&Event], is_utc: bool) -> Option<(Vec<BoltType>, Places)> {
    let mut found: Vec<Node> = Vec::new();
    let mut by_keys: HashMap<Vec<Key>, usize> = HashMap::new();
    let mut places = Vec::with_capacity(events.len() * nodes.members.len());
    // Filled anew for each node that a row names; most of them were met before.
    let (mut values, mut keys) = (Vec::new(), Vec::new());
    for event in events {
        for member in &nodes.members {
            values.clear();
            keys.clear();
            for input in &member.keys {
                let value = value(event, input, is_utc)?;
                keys.push(Key::of(&value)?);
                values.push(value);
            }
            let known = by_keys.get(keys.as_slice()).copied();
            let place = known.unwrap_or(found.len());
            if known.is_none() {
                let entry = std::mem::take(&mut values);
                found.push(Node { keys: keys.clone(), entry, properties: BoltMap::new() });
                by_keys.insert(std::mem::take(&mut keys), place);
            }
            set_properties(&mut found, place, member, event, is_utc)?;
            places.push(place);
        }
    }
    let sorted = sort(&mut found, &mut places)?;
    let entries = found.into_iter().zip(sorted).map(|(node, place)| {
        let mut entry = vec![BoltType::from(place)];
        entry.extend(node.entry);
        if nodes.has_properties {
            entry.push(BoltType::Map(node.properties));
        }
        list(entry)
    });
    Some((entries.collect(), Places { members: nodes.members.len(), places }))
}

/// The last row that meets a node says what its properties are.
fn set_properties(
    found: &mut [Node],
    place: usize,
    member: &Member,
    event: &Event,
    is_utc: bool,
) -> Option<()> {
    let node = found.get_mut(place)?;
    for (property, input) in &member.properties {
        node.properties.put(property.as_str().into(), value(event, input, is_utc)?);
    }
    Some(())
}

/// Sorts nodes by their keys, and lets the places point where they are then. Returns the new places, in order.
fn sort(found: &mut [Node], places: &mut [usize]) -> Option<Vec<i64>> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|one, other| {
        found.get(*one).map(|node| &node.keys).cmp(&found.get(*other).map(|node| &node.keys))
    });
    let mut moved = vec![0; found.len()];
    for (new, old) in order.iter().enumerate() {
        *moved.get_mut(*old)? = new;
    }
    for place in places {
        *place = *moved.get(*place)?;
    }
    found.sort_by(|one, other| one.keys.cmp(&other.keys));
    (0..found.len()).map(|place| i64::try_from(place).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;
    use crate::graph::mapping::compile;
    use crate::spec::Mapping;

    fn dictionary(mapping: Value) -> Dictionary {
        let mapping: Mapping = serde_json::from_value(mapping).unwrap();
        let compiled = compile(&mapping, None).unwrap();
        (*compiled.schema.dictionary.unwrap()).clone()
    }

    fn of(dictionary: &Dictionary, events: &[Value]) -> Option<Value> {
        let events: Vec<Event> = serde_json::from_value(events.into()).unwrap();
        let events: Vec<&Event> = events.iter().collect();
        parameters(dictionary, &events, true).map(|parameters| to_json(&BoltType::Map(parameters)))
    }

    fn trips() -> Dictionary {
        dictionary(json!({
            "nodes": [
                { "name": "from", "label": "Zone", "keys": { "id": { "column": "from" } },
                  "properties": { "seen": { "column": "n" } } },
                { "name": "to", "label": "Zone", "keys": { "id": { "column": "to" } } },
            ],
            "relationships": [
                { "type": "TRIP", "from": "from", "to": "to", "properties": { "n": {} } },
            ],
        }))
    }

    #[test]
    fn each_node_comes_once_sorted_and_rows_point_at_it() {
        let events = [
            json!({ "from": 9, "to": 3, "n": 1 }),
            json!({ "from": 3, "to": 9, "n": 2 }),
            json!({ "from": 9, "to": 9, "n": null }),
        ];
        let expected = json!({
            "n0": [[0, 3, { "seen": 2 }], [1, 9, { "seen": null }]],
            "rows": [[1, 0, 1], [0, 1, 2], [1, 1, null]],
        });
        assert_eq!(of(&trips(), &events), Some(expected));
    }

    #[test]
    fn keys_that_are_null_missing_or_floats_are_left_to_the_statement() {
        for from in [json!(null), json!(1.0), json!([1])] {
            assert_eq!(of(&trips(), &[json!({ "from": from, "to": 3, "n": 1 })]), None);
        }
        assert_eq!(of(&trips(), &[json!({ "to": 3, "n": 1 })]), None);
    }

    #[test]
    fn keys_of_two_types_are_two_nodes() {
        let events = [json!({ "from": 1, "to": "1", "n": 1 })];
        let expected = json!({ "n0": [[0, 1, { "seen": 1 }], [1, "1", {}]], "rows": [[0, 1, 1]] });
        assert_eq!(of(&trips(), &events), Some(expected));
    }
}
