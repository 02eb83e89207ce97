//! What an apply would change, field by field: the live object against the answer of a server-side dry run.
//!
//! The file itself is never compared: the server fills in defaults and writes quantities its own way (`1Gi` for `1024Mi`), and
//! the answer of a dry run has both.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};

/// What stands for a secret value.
const REDACTED: &str = "(secret)";
/// What the server keeps for itself.
const OF_THE_SERVER: [&str; 6] =
    ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"];
/// What tells the entries of Kubernetes' lists apart, the likeliest first (the merge keys of its types).
const KEYS: [&str; 7] = ["name", "mountPath", "containerPort", "port", "devicePath", "topologyKey", "ip"];

/// A field whose value would be another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where it is, such as `spec.template.spec.containers[kafka].image`.
    pub path: String,
    /// What it is; none where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it would be; none where it would go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The fields in which two states of an object differ. What the server keeps for itself is no difference; the values of a
/// `Secret` are not shown.
#[must_use]
pub fn differences(live: &Value, after: &Value) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(
        &mut String::new(),
        Some(&without_servers_own(live)),
        Some(&without_servers_own(after)),
        &mut found,
    );
    if after.get("kind").and_then(Value::as_str) == Some("Secret") {
        found.iter_mut().for_each(redact);
    }
    found
}

fn without_servers_own(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !OF_THE_SERVER.contains(&key.as_str()));
    }
    object
}

/// Hides the values of a secret: its data, and the annotation in which `kubectl apply` keeps a copy of them.
fn redact(change: &mut FieldChange) {
    let secret = ["data", "stringData", "metadata.annotations"];
    if secret.iter().any(|path| change.path.starts_with(path)) {
        for value in [&mut change.before, &mut change.after].into_iter().flatten() {
            *value = Value::from(REDACTED);
        }
    }
}

fn compare(path: &mut String, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => fields(path, before, after, found),
        (Some(Value::Array(before)), Some(Value::Array(after))) => entries(path, before, after, found),
        (before, after) => {
            found.push(FieldChange { path: path.clone(), before: before.cloned(), after: after.cloned() });
        }
    }
}

fn fields(
    path: &mut String,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    found: &mut Vec<FieldChange>,
) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let step = if key.contains(['.', '/', '[']) { format!("[{key}]") } else { format!(".{key}") };
        below(path, &step, before.get(key), after.get(key), found);
    }
}

/// Entries that have a name are compared by it, so that a removed one shows as one change and not as the whole list.
fn entries(path: &mut String, before: &[Value], after: &[Value], found: &mut Vec<FieldChange>) {
    let known = found.len();
    if let Some(key) = KEYS.iter().find(|key| tells_apart(key, before) && tells_apart(key, after)) {
        let names =
            |entries: &[Value]| entries.iter().filter_map(|entry| name(entry, key)).collect::<Vec<_>>();
        let entry = |entries: &'_ [Value], wanted: &str| {
            entries.iter().find(|entry| name(entry, key).as_deref() == Some(wanted)).cloned()
        };
        let (old, new) = (names(before), names(after));
        let added = new.iter().filter(|name| !old.contains(name));
        for name in old.iter().chain(added) {
            let (before, after) = (entry(before, name), entry(after, name));
            below(path, &format!("[{name}]"), before.as_ref(), after.as_ref(), found);
        }
    } else if before.len() == after.len() {
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            below(path, &format!("[{index}]"), Some(before), Some(after), found);
        }
    }
    if found.len() == known {
        // Entries without a name that came or went, or the same ones in another order.
        let list = |entries: &[Value]| Some(Value::from(entries.to_vec()));
        found.push(FieldChange { path: path.clone(), before: list(before), after: list(after) });
    }
}

fn below(
    path: &mut String,
    step: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<FieldChange>,
) {
    let length = path.len();
    let step = if path.is_empty() { step.trim_start_matches('.') } else { step };
    // Writing to a text does not fail.
    let _ = path.write_str(step);
    compare(path, before, after, found);
    path.truncate(length);
}

fn tells_apart(key: &str, entries: &[Value]) -> bool {
    let names: BTreeSet<String> = entries.iter().filter_map(|entry| name(entry, key)).collect();
    names.len() == entries.len()
}

fn name(entry: &Value, key: &str) -> Option<String> {
    match entry.get(key)? {
        Value::String(name) => Some(name.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
