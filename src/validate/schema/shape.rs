//! What the schema says of a place: its keys, types, names and limits, and the least value that it allows.

use serde_json::{Map, Value};

use super::{Fault, at_mut};

pub(super) struct Shapes<'a> {
    schema: &'a Value,
}

impl<'a> Shapes<'a> {
    pub const fn new(schema: &'a Value) -> Self {
        Self { schema }
    }

    /// The schema at a JSON pointer, with a reference followed.
    fn node(&self, pointer: &str) -> Option<&'a Value> {
        self.schema.pointer(pointer).map(|node| self.follow(node))
    }

    fn follow(&self, node: &'a Value) -> &'a Value {
        let target =
            node.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| self.schema.pointer(pointer)).unwrap_or(node)
    }

    fn properties(&self, pointer: &str) -> Option<&'a Map<String, Value>> {
        self.node(pointer)?.get("properties")?.as_object()
    }

    pub fn known_keys(&self, pointer: &str) -> Vec<&'a str> {
        self.properties(pointer).map(|keys| keys.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// What a key of a mapping means.
    pub fn meaning(&self, pointer: &str, key: &str) -> Option<&'a str> {
        self.properties(pointer)?.get(key)?.get("description")?.as_str()
    }

    pub fn description(&self, pointer: &str) -> Option<&'a str> {
        self.schema.pointer(pointer)?.get("description")?.as_str()
    }

    pub fn types(&self, pointer: &str) -> Vec<&'a str> {
        self.node(pointer).map(types_of).unwrap_or_default()
    }

    pub fn alternative_types(&self, pointer: &str) -> Vec<&'a str> {
        self.alternatives(pointer).flat_map(types_of).collect()
    }

    /// The names among which a value must be, where the schema is a choice of names.
    pub fn names(&self, pointer: &str) -> Vec<&'a str> {
        self.alternatives(pointer).flat_map(|node| self.names_of(node)).collect()
    }

    fn names_of(&self, node: &'a Value) -> Vec<&'a str> {
        if let Some(name) = node.get("const").and_then(Value::as_str) {
            return vec![name];
        }
        if let Some(names) = node.get("enum").and_then(Value::as_array) {
            return names.iter().filter_map(Value::as_str).collect();
        }
        alternatives_of(node).flat_map(|inner| self.names_of(self.follow(inner))).collect()
    }

    fn alternatives(&self, pointer: &str) -> impl Iterator<Item = &'a Value> {
        self.node(pointer).into_iter().flat_map(alternatives_of).map(|node| self.follow(node))
    }

    pub fn limit(&self, pointer: &str, keyword: &str) -> &'a Value {
        self.node(pointer).and_then(|node| node.get(keyword)).unwrap_or(&Value::Null)
    }

    /// The places of the file where a key is known, lists written as `analyses[]`.
    pub fn homes(&self, key: &str) -> Vec<String> {
        let mut homes = Vec::new();
        self.collect_homes(self.schema, key, &mut Vec::new(), &mut homes);
        homes
    }

    fn collect_homes(&self, node: &'a Value, key: &str, path: &mut Vec<String>, homes: &mut Vec<String>) {
        const DEEPEST: usize = 8;
        let node = self.follow(node);
        if path.len() > DEEPEST {
            return;
        }
        if let Some(properties) = node.get("properties").and_then(Value::as_object) {
            if properties.contains_key(key) && !path.is_empty() {
                homes.push(path.join("."));
            }
            for (name, below) in properties {
                path.push(name.clone());
                self.collect_homes(below, key, path, homes);
                path.pop();
            }
        }
        if let Some(items) = node.get("items")
            && let Some(last) = path.pop()
        {
            path.push(format!("{last}[]"));
            self.collect_homes(items, key, path, homes);
            path.pop();
            path.push(last);
        }
        for alternative in alternatives_of(node) {
            self.collect_homes(alternative, key, path, homes);
        }
    }

    /// Replaces what a fault is about by the least value that the schema allows there.
    pub fn repair(&self, value: &mut Value, fault: &Fault) {
        match fault.keyword.as_str() {
            "additionalProperties" => {
                if let Some(Value::Object(keys)) = at_mut(value, &fault.path) {
                    keys.retain(|key, _| !fault.keys.contains(key));
                }
            }
            "required" => {
                let Some(Value::Object(keys)) = at_mut(value, &fault.path) else { return };
                for key in &fault.keys {
                    let schema = self.properties(&fault.schema).and_then(|known| known.get(key));
                    let least = schema.map_or(Value::Null, |schema| self.least(schema));
                    keys.insert(key.clone(), least);
                }
            }
            _ => {
                let schema = self.schema.pointer(&fault.schema).filter(|_| !fault.is_optional);
                let least = schema.map_or(Value::Null, |schema| self.least(schema));
                if let Some(place) = at_mut(value, &fault.path) {
                    *place = least;
                }
            }
        }
    }

    fn least(&self, node: &'a Value) -> Value {
        let node = self.follow(node);
        if let Some(default) = node.get("default").or_else(|| node.get("const")) {
            return default.clone();
        }
        let types = types_of(node);
        let is_optional = alternatives_of(node).any(|alternative| types_of(alternative).contains(&"null"));
        if is_optional || types.contains(&"null") {
            return Value::Null;
        }
        match types.first().copied() {
            Some("string") => Value::from(""),
            Some("integer" | "number") => node.get("minimum").cloned().unwrap_or(Value::from(0)),
            Some("boolean") => Value::Bool(false),
            Some("array") => Value::Array(Vec::new()),
            Some("object") => Value::Object(self.least_keys(node)),
            _ => alternatives_of(node).next().map_or(Value::Null, |alternative| self.least(alternative)),
        }
    }

    fn least_keys(&self, node: &'a Value) -> Map<String, Value> {
        let required = node.get("required").and_then(Value::as_array).into_iter().flatten();
        required
            .filter_map(Value::as_str)
            .map(|key| {
                let schema = node.get("properties").and_then(|known| known.get(key));
                (key.to_owned(), schema.map_or(Value::Null, |schema| self.least(schema)))
            })
            .collect()
    }
}

fn types_of(node: &Value) -> Vec<&str> {
    match node.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn alternatives_of(node: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf"].into_iter().filter_map(|key| node.get(key).and_then(Value::as_array)).flatten()
}
