//! `report.json`: the whole report, and its schema.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Report;

/// Up to here an object or list that holds no other stands on one line.
const LINE: usize = 160;

/// The report as indented JSON. A row of a result, a stage or a node of the picture stands on one line.
///
/// # Errors
///
/// [`serde_json::Error`] where a value has no form in JSON; no field of a report has such a value.
pub fn render(report: &Report) -> serde_json::Result<String> {
    let mut out = String::new();
    write(&serde_json::to_value(report)?, 0, &mut out);
    out.push('\n');
    Ok(out)
}

/// The schema of `report.json` (JSON Schema, draft 2020-12), made from the types of the report.
#[must_use]
pub fn schema() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>()
}

fn write(value: &Value, depth: usize, out: &mut String) {
    if let Some(line) = on_one_line(value) {
        out.push_str(&line);
        return;
    }
    match value {
        Value::Array(members) => {
            out.push('[');
            for (position, member) in members.iter().enumerate() {
                begin(position, depth + 1, out);
                write(member, depth + 1, out);
            }
            end(']', depth, out);
        }
        Value::Object(members) => {
            out.push('{');
            for (position, (key, member)) in members.iter().enumerate() {
                begin(position, depth + 1, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push_str(": ");
                write(member, depth + 1, out);
            }
            end('}', depth, out);
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn begin(position: usize, depth: usize, out: &mut String) {
    out.push_str(if position == 0 { "\n" } else { ",\n" });
    out.extend(std::iter::repeat_n("  ", depth));
}

fn end(bracket: char, depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
    out.push(bracket);
}

/// A list or object of scalars, if it is short; anything that is empty or scalar itself.
fn on_one_line(value: &Value) -> Option<String> {
    let is_flat = |member: &Value| !member.is_array() && !member.is_object();
    let line = match value {
        Value::Array(members) if members.iter().all(is_flat) => {
            let members: Vec<_> = members.iter().map(Value::to_string).collect();
            format!("[{}]", members.join(", "))
        }
        Value::Object(members) if members.values().all(is_flat) => {
            let member =
                |(key, member): (&String, &Value)| format!("{}: {member}", Value::from(key.as_str()));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        _ => return None,
    };
    (line.len() <= LINE).then_some(line)
}

#[cfg(test)]
mod tests;
