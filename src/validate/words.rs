//! Words for values and types.

use std::fmt;

use serde_json::Value;

use crate::graph::mapping::ColumnKind;

/// A value as a message names what was found.
pub(super) struct Found<'a>(&'a Value);

impl<'a> Found<'a> {
    pub const fn of(value: &'a Value) -> Self {
        Self(value)
    }

    /// What kind of value it is, without the value.
    pub const fn kind_of(value: &Value) -> &'static str {
        match value {
            Value::Null => "nothing",
            Value::Bool(_) => "a truth value",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "a mapping",
        }
    }
}

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Bool(value) => write!(f, "`{value}`"),
            Value::Number(number) => write!(f, "the number {number}"),
            Value::String(text) => write!(f, "the text \"{}\"", short(text)),
            other => f.write_str(Self::kind_of(other)),
        }
    }
}

/// What the values of a column are.
pub(super) const fn column_kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Boolean => "a truth value",
        ColumnKind::Integer => "a whole number",
        ColumnKind::Float => "a number",
        ColumnKind::Text => "a text",
        ColumnKind::Date => "a date",
        ColumnKind::LocalDatetime => "a date and time without a zone",
        ColumnKind::Datetime => "a date and time",
        ColumnKind::Other => "something else",
    }
}

/// What to do about a column that has another type than a property: one that is a date, or none.
pub(super) const fn column_type(is_date: bool) -> &'static str {
    if is_date {
        "take out of the date what is wanted in `select`, such as `date_part('hour', column) AS column`"
    } else {
        "convert the column in `select`, such as `to_timestamp(column) AS column`"
    }
}

/// A sentence of documentation as a clause of a message: without its capital and its full stop.
pub(super) fn clause(sentence: &str) -> String {
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut characters = sentence.chars();
    let second_is_small =
        sentence.chars().nth(1).is_some_and(|second| second.is_lowercase() || second == ' ');
    match characters.next() {
        Some(first) if second_is_small => first.to_lowercase().chain(characters).collect(),
        _ => sentence.to_owned(),
    }
}

/// The beginning of a text, where it is long or has several lines.
pub(super) fn short(text: &str) -> String {
    const MOST: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(MOST).collect();
    if shown.len() < text.trim_end().len() {
        shown.push('…');
    }
    shown
}

/// `a`, `b`, `c`
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// `columns: …` with all that there are.
pub(super) fn all<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names = list(names);
    if names.is_empty() { "there are none".to_owned() } else { format!("{what}: {names}") }
}

/// `a`, `b` or `c`
pub(super) fn either<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    join(names.into_iter().map(|name| format!("`{name}`")).collect(), "or")
}

/// `${A}` and `${B}`
pub(super) fn variables(names: &[String]) -> String {
    join(names.iter().map(|name| format!("`${{{name}}}`")).collect(), "and")
}

/// Types as JSON Schema names them, in words.
pub(super) fn types(types: &[&str]) -> String {
    let names = types.iter().filter(|name| **name != "null").map(|name| match *name {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a text",
        "boolean" => "`true` or `false`",
        "array" => "a list",
        "object" => "a mapping",
        other => other,
    });
    join(names.map(str::to_owned).collect(), "or")
}

fn join(mut words: Vec<String>, conjunction: &str) -> String {
    let Some(last) = words.pop() else { return String::new() };
    if words.is_empty() { last } else { format!("{} {conjunction} {last}", words.join(", ")) }
}

/// What to do about a value of the wrong type; `written` is how it stands in the file.
pub(super) fn type_help(expected: &[&str], value: &Value, written: &str) -> Option<String> {
    let expects = |name: &str| expected.contains(&name);
    match value {
        Value::Null => Some("give it a value, or remove the key".to_owned()),
        Value::Number(_) | Value::Bool(_) if expects("string") && !written.is_empty() => {
            Some(format!("put it in quotes: \"{written}\""))
        }
        Value::Number(_) | Value::Bool(_) if expects("string") => Some("put it in quotes".to_owned()),
        Value::Object(keys) if expects("string") => {
            let mut entries = keys.iter();
            let (name, inner) = entries.next()?;
            (inner.is_null() && entries.next().is_none())
                .then(|| format!("`{{{name}}}` is a mapping: an environment variable is `${{{name}}}`"))
        }
        Value::String(text) if expects("boolean") => truth(text),
        Value::String(text) if expects("integer") || expects("number") => number(text),
        Value::String(_) | Value::Object(_) if expects("array") => {
            Some("a list is written `[a, b]`, or as lines that begin with `- `".to_owned())
        }
        Value::Array(_) if expects("object") => {
            Some("a mapping is written `{ key: value }`, or as lines `key: value`".to_owned())
        }
        _ => None,
    }
}

fn truth(text: &str) -> Option<String> {
    let meant = match text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => true,
        "no" | "off" | "n" | "false" => false,
        _ => return None,
    };
    Some(format!("write `{meant}` without quotes: `yes`, `no`, `on` and `off` are texts in YAML 1.2"))
}

fn number(text: &str) -> Option<String> {
    let plain: String =
        text.chars().filter(|character| !matches!(character, '_' | ',' | '\'' | ' ')).collect();
    plain.parse::<f64>().ok().filter(|number| number.is_finite())?;
    let reason = if plain == text { "without quotes" } else { "without separators" };
    Some(format!("write `{plain}` {reason}"))
}
