//! A statement with the values of one row written into it.

use std::ops::Range;

use serde_json::Value;

use crate::graph::cypher::{Statement, literal};

/// The text with each use of the row replaced by its value. `statement` is what was read of the text.
#[must_use]
pub fn bind(text: &str, statement: &Statement, event: &Value) -> String {
    let columns = statement.event.columns.iter().map(|used| {
        let projected = text.get(used.range.clone()).is_some_and(|text| text.starts_with('.'));
        let value = literal(event.get(&used.column).unwrap_or(&Value::Null));
        // In `event {.column}` the column is an entry of a map.
        let value = if projected { format!("{}: {value}", &text[used.name_range.clone()]) } else { value };
        (used.range.clone(), value)
    });
    let whole = statement.event.whole.iter().map(|range| (range.clone(), literal(event)));
    let mut replaced: Vec<(Range<usize>, String)> = columns.chain(whole).collect();
    replaced.sort_by_key(|(range, _)| range.start);
    let mut bound = String::with_capacity(text.len());
    let mut at = 0;
    for (range, value) in replaced {
        if let Some(between) = text.get(at..range.start) {
            bound.push_str(between);
            bound.push_str(&value);
            at = range.end;
        }
    }
    bound.push_str(text.get(at..).unwrap_or_default());
    bound
}
