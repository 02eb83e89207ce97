//! Names and values written into Cypher text.

use std::fmt::Write as _;

use serde_json::Value;

/// A name as Cypher text: in back quotes unless it is a plain one, so that no name can become something else.
#[must_use]
pub fn quoted(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !is_reserved(name);
    if plain {
        return name.to_owned();
    }
    // Neo4j reads `\u0060` as a back quote before it reads names, even inside back quotes; so the backslash must not
    // stand before a `u`. A back quote that ends the escaped form is written as its own double.
    format!("`{}`", name.replace('`', "``").replace("\\u", "\\u005Cu"))
}

/// Whether a word may be a keyword.
pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| word.eq_ignore_ascii_case(reserved))
}

/// Words that some parser refuses as a name somewhere. Quoting one too many costs nothing.
const RESERVED: [&str; 68] = [
    "ALL",
    "AND",
    "ANY",
    "AS",
    "ASC",
    "ASCENDING",
    "BY",
    "CALL",
    "CASE",
    "CONTAINS",
    "COUNT",
    "CREATE",
    "CSV",
    "DELETE",
    "DESC",
    "DESCENDING",
    "DETACH",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ENDS",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FINISH",
    "FOREACH",
    "FROM",
    "HAVING",
    "IN",
    "INSERT",
    "INTERSECT",
    "IS",
    "LIMIT",
    "LOAD",
    "MATCH",
    "MERGE",
    "NODETACH",
    "NONE",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OPTIONAL",
    "OR",
    "ORDER",
    "OVER",
    "PARTITION",
    "PROFILE",
    "REMOVE",
    "RETURN",
    "SET",
    "SHORTESTPATH",
    "SINGLE",
    "SKIP",
    "STARTS",
    "THEN",
    "TRUE",
    "UNION",
    "UNWIND",
    "USE",
    "WHEN",
    "WHERE",
    "WITH",
    "XOR",
    "YIELD",
];

/// A JSON value as a Cypher literal.
#[must_use]
pub fn literal(value: &Value) -> String {
    let mut text = String::new();
    write_literal(&mut text, value);
    text
}

fn write_literal(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                write_literal(out, item);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (position, (key, item)) in entries.iter().enumerate() {
                out.push_str(if position == 0 { "" } else { ", " });
                out.push_str(&quoted(key));
                out.push_str(": ");
                write_literal(out, item);
            }
            out.push('}');
        }
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('\'');
}
