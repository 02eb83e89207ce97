//! The parameters of a batch's [`Dictionary`]: each node once, and rows that point at them.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::Value;

use super::bolt::Pack;
use super::convert::{Converted, convert};
use crate::graph::mapping::Dictionary;
use crate::graph::mapping::dictionary::{Cell, Input, Member, NodeList};
use crate::message::Event;

/// Makes the parameters, a map; none where a value cannot be converted here with certainty, or cannot be a key.
pub(super) fn parameters(dictionary: &Dictionary, events: &[&Event], is_utc: bool) -> Option<Pack> {
    let has_rows = !dictionary.cells.is_empty();
    let mut parameters = Pack::default();
    parameters.map(dictionary.lists.len() + usize::from(has_rows));
    let mut places = Vec::with_capacity(dictionary.lists.len());
    for (number, nodes) in dictionary.lists.iter().enumerate() {
        parameters.text(&format!("n{number}"));
        places.push(pack_nodes(&mut parameters, nodes, events, is_utc)?);
    }
    if has_rows {
        parameters.text("rows");
        parameters.list(events.len());
        for (row, event) in events.iter().enumerate() {
            parameters.list(dictionary.cells.len());
            for cell in &dictionary.cells {
                match cell {
                    Cell::Node { list, member } => parameters.integer(place(&places, *list, *member, row)?),
                    Cell::Value(input) => value(event, input, is_utc)?.pack(&mut parameters)?,
                    Cell::Key(input) => {
                        let value = value(event, input, is_utc)?;
                        Key::of(&value)?;
                        value.pack(&mut parameters)?;
                    }
                }
            }
        }
    }
    Some(parameters)
}

/// The places of the nodes of rows in their list: row by row, each by member.
struct Places {
    members: usize,
    places: Vec<usize>,
}

fn place(places: &[Places], list: usize, member: usize, row: usize) -> Option<i64> {
    let of_list = places.get(list)?;
    let place = of_list.places.get(row * of_list.members + member)?;
    i64::try_from(*place).ok()
}

fn value<'a>(event: &'a Event, input: &Input, is_utc: bool) -> Option<Converted<'a>> {
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
    fn of(value: &Converted<'_>) -> Option<Self> {
        match value {
            Converted::Boolean(truth) => Some(Self::Boolean(*truth)),
            Converted::Integer(integer) => Some(Self::Integer(*integer)),
            Converted::Text(text) => Some(Self::Text(text.clone().into_owned())),
            Converted::Date(date) => Some(Self::Temporal(format!("{date:?}"))),
            Converted::Local(local) => Some(Self::Temporal(format!("{local:?}"))),
            Converted::Zoned(zoned) => Some(Self::Temporal(format!("{zoned:?}"))),
            Converted::Null | Converted::Float(_) | Converted::Json(_) => None,
        }
    }
}

/// A node, met for the first time or again.
struct Node<'a> {
    keys: Vec<Key>,
    key_values: Vec<Converted<'a>>,
    properties: IndexMap<&'a str, Converted<'a>>,
}

/// Packs the distinct nodes of a list, sorted, so that two loaders that make the same nodes never wait for each other in a circle; and
/// says where in the list those of each row are.
fn pack_nodes(pack: &mut Pack, nodes: &NodeList, events: &[&Event], is_utc: bool) -> Option<Places> {
    let (mut found, mut places) = distinct(nodes, events, is_utc)?;
    sort(&mut found, &mut places)?;
    pack.list(found.len());
    for (place, node) in found.iter().enumerate() {
        pack.list(1 + node.key_values.len() + usize::from(nodes.has_properties));
        pack.integer(i64::try_from(place).ok()?);
        for value in &node.key_values {
            value.pack(pack)?;
        }
        if nodes.has_properties {
            pack.map(node.properties.len());
            for (property, value) in &node.properties {
                pack.text(property);
                value.pack(pack)?;
            }
        }
    }
    Some(Places { members: nodes.members.len(), places })
}

/// The distinct nodes, and the place of each that a row names.
fn distinct<'a>(
    nodes: &'a NodeList,
    events: &[&'a Event],
    is_utc: bool,
) -> Option<(Vec<Node<'a>>, Vec<usize>)> {
    let mut found: Vec<Node<'a>> = Vec::new();
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
                let key_values = std::mem::take(&mut values);
                found.push(Node { keys: keys.clone(), key_values, properties: IndexMap::new() });
                by_keys.insert(std::mem::take(&mut keys), place);
            }
            set_properties(&mut found, place, member, event, is_utc)?;
            places.push(place);
        }
    }
    Some((found, places))
}

/// The last row that meets a node says what its properties are.
fn set_properties<'a>(
    found: &mut [Node<'a>],
    place: usize,
    member: &'a Member,
    event: &'a Event,
    is_utc: bool,
) -> Option<()> {
    let node = found.get_mut(place)?;
    for (property, input) in &member.properties {
        node.properties.insert(property, value(event, input, is_utc)?);
    }
    Some(())
}

/// Sorts nodes by their keys, and lets the places point where they are then.
fn sort(found: &mut [Node<'_>], places: &mut [usize]) -> Option<()> {
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
    Some(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::super::bolt::unpack;
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
        parameters(dictionary, &events, true).and_then(|parameters| unpack(&mut parameters.bytes()))
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
