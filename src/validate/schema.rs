//! The first tier: the file against its JSON Schema, each fault in our own words.
//!
//! The schema finds every fault at once, which serde's reader cannot; serde follows as a safety net. What is faulty is then
//! replaced by the least value that the schema allows, so that the rules can look at the rest of the file in the same go.

mod fault;
mod reader;
mod shape;

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path, Step};
use crate::spec::Pipeline;
use crate::spec::load::Document;

use super::words::Found;
use fault::Fault;
use reader::Reader;
use shape::Shapes;

/// What the first tier made of a file.
pub(super) struct Outcome {
    /// The pipeline, with the faulty places replaced; `None` where too much is wrong.
    pub pipeline: Option<Pipeline>,
    pub findings: Vec<Diagnostic>,
    /// The paths of what was replaced: what the rules say of these is of no use.
    pub replaced: Vec<Path>,
}

/// How many faults are told of one file, and how many unknown keys of one mapping: a file with more is something else, and
/// would keep a reader and this program busy for long.
const MOST_FAULTS: usize = 1_000;

struct Compiled {
    schema: Value,
    validator: Validator,
}

/// The schema, compiled once; `None` cannot happen, as a test shows, but is no reason to panic.
fn compiled() -> Option<&'static Compiled> {
    static COMPILED: OnceLock<Option<Compiled>> = OnceLock::new();
    COMPILED
        .get_or_init(|| {
            let schema = crate::spec::schema::pipeline().to_value();
            let validator = jsonschema::validator_for(&schema).ok()?;
            Some(Compiled { schema, validator })
        })
        .as_ref()
}

pub(super) fn check(document: &Document) -> Outcome {
    let mut outcome = Outcome { pipeline: None, findings: Vec::new(), replaced: Vec::new() };
    let Some(value) = &document.value else { return outcome };
    if let Some(finding) = not_a_pipeline(value) {
        outcome.findings.push(finding);
        return outcome;
    }
    let Some(compiled) = compiled() else { return outcome };
    let mut value = value.clone();
    take_numbers_from_variables(document, compiled, &mut value);

    let faults: Vec<Fault> = compiled
        .validator
        .iter_errors(&value)
        .take(MOST_FAULTS)
        .flat_map(|error| Fault::leaves(&error, &value))
        .collect();
    let reader = Reader { document, shapes: Shapes::new(&compiled.schema), value: &value };
    for fault in &faults {
        outcome.findings.extend(reader.explain(fault, &faults));
    }
    let mut repaired = value.clone();
    for fault in &faults {
        reader.shapes.repair(&mut repaired, fault);
        outcome.replaced.extend(reader.replaced(fault));
    }
    match serde_json::from_value::<Pipeline>(repaired.clone()) {
        Ok(pipeline) => outcome.pipeline = Some(pipeline),
        Err(error) if faults.is_empty() => outcome.findings.push(refused(&repaired, &error)),
        Err(_) => {}
    }
    outcome
}

/// One finding for a file that is something else altogether, rather than one for each key that it lacks.
fn not_a_pipeline(value: &Value) -> Option<Diagnostic> {
    const TOP: [&str; 4] = ["apiVersion", "kind", "metadata", "spec"];
    let message = match value {
        Value::Object(keys) if TOP.iter().any(|key| keys.contains_key(*key)) => return None,
        Value::Object(_) => {
            "the file holds no pipeline: it has none of `apiVersion`, `kind`, `metadata` and `spec`"
                .to_owned()
        }
        other => format!("the file holds no pipeline: expected a mapping, found {}", Found::of(other)),
    };
    let help = "a pipeline begins with `apiVersion: runner.dev/v1alpha1` and `kind: Pipeline`; `runner init` writes one to start from";
    Some(Diagnostic::new(Code::NotAPipeline, message).at(Path::root()).help(help))
}

/// What serde refuses although the schema allows it: a whole number that is written as `3.0`.
fn refused(value: &Value, error: &serde_json::Error) -> Diagnostic {
    let message = error.to_string();
    let float = |value: &Value| value.is_f64() && message.contains(&format!("`{value}`"));
    match find(value, &Path::root(), &float) {
        Some((path, float)) => {
            Diagnostic::new(Code::WrongType, format!("expected a whole number, found the number {float}"))
                .at(path)
        }
        None => Diagnostic::new(Code::InvalidValue, message).at(Path::root()),
    }
}

fn find<'v>(value: &'v Value, path: &Path, wanted: &dyn Fn(&Value) -> bool) -> Option<(Path, &'v Value)> {
    match value {
        Value::Object(keys) => keys.iter().find_map(|(key, below)| find(below, &path.key(key), wanted)),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(at, below)| find(below, &path.index(at), wanted))
        }
        leaf if wanted(leaf) => Some((path.clone(), leaf)),
        _ => None,
    }
}

/// Environment variables hold texts; where a number or a truth value is wanted, a text from a variable that reads as one is it.
fn take_numbers_from_variables(document: &Document, compiled: &Compiled, value: &mut Value) {
    let faults: Vec<Fault> = compiled
        .validator
        .iter_errors(value)
        .take(MOST_FAULTS)
        .flat_map(|error| Fault::leaves(&error, value))
        .collect();
    for fault in faults {
        if fault.keyword != "type" || document.places.variables(&fault.path).is_empty() {
            continue;
        }
        let Some(place) = at_mut(value, &fault.path) else { continue };
        let read = place.as_str().and_then(|text| serde_json::from_str::<Value>(text.trim()).ok());
        if let Some(read) = read.filter(|read| read.is_number() || read.is_boolean()) {
            *place = read;
        }
    }
}

fn at_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.steps().iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::Index(index) => value.get_mut(*index),
    })
}

fn at<'v>(value: &'v Value, path: &Path) -> Option<&'v Value> {
    path.steps().iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Index(index) => value.get(index),
    })
}
