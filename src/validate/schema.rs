//! The first tier: the file against its JSON Schema, each fault in our own words.
//!
//! The schema finds every fault at once, which serde's reader cannot; serde follows as a safety net. What is faulty is then
//! replaced by the least value that the schema allows, so that the rules can look at the rest of the file in the same go.

mod shape;
mod words;

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::LocationSegment;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path, Step, did_you_mean};
use crate::spec::load::Document;
use crate::spec::{Pipeline, secret};

use shape::Shapes;
pub(super) use shape::touches;
use words::Found;

/// What the first tier made of a file.
pub(super) struct Outcome {
    /// The pipeline, with the faulty places replaced; `None` where too much is wrong.
    pub pipeline: Option<Pipeline>,
    pub findings: Vec<Diagnostic>,
    /// The paths of what was replaced: what the rules say of these is of no use.
    pub replaced: Vec<Path>,
}

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

    let faults: Vec<Fault> = compiled.validator.iter_errors(&value).flat_map(|error| Fault::leaves(&error, &value)).collect();
    let reader = Reader { document, shapes: Shapes::new(&compiled.schema), value: &value };
    for fault in &faults {
        outcome.findings.extend(reader.explain(fault, &faults));
    }
    let mut repaired = value.clone();
    for fault in &faults {
        reader.shapes.repair(&mut repaired, fault);
        outcome.replaced.push(fault.path.clone());
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
        Value::Object(_) => "the file holds no pipeline: it has none of `apiVersion`, `kind`, `metadata` and `spec`".to_owned(),
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
            Diagnostic::new(Code::WrongType, format!("expected a whole number, found {float}")).at(path)
        }
        None => Diagnostic::new(Code::InvalidValue, message).at(Path::root()),
    }
}

fn find<'v>(value: &'v Value, path: &Path, wanted: &dyn Fn(&Value) -> bool) -> Option<(Path, &'v Value)> {
    match value {
        Value::Object(keys) => keys.iter().find_map(|(key, below)| find(below, &path.key(key), wanted)),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, below)| find(below, &path.index(at), wanted)),
        leaf if wanted(leaf) => Some((path.clone(), leaf)),
        _ => None,
    }
}

/// Environment variables hold texts; where a number or a truth value is wanted, a text from a variable that reads as one is it.
fn take_numbers_from_variables(document: &Document, compiled: &Compiled, value: &mut Value) {
    let faults: Vec<Fault> = compiled.validator.iter_errors(value).flat_map(|error| Fault::leaves(&error, value)).collect();
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

/// One fault that the schema found, without the alternatives around it.
#[derive(Debug, Clone)]
struct Fault {
    path: Path,
    keyword: String,
    /// The JSON pointer of the schema that holds the keyword.
    schema: String,
    /// Of `additionalProperties` the keys that are not known, of `required` the key that is missing.
    keys: Vec<String>,
}

impl Fault {
    /// The faults behind an error: where alternatives were tried (a mapping or nothing), those of the one that was meant.
    fn leaves(error: &ValidationError<'_>, value: &Value) -> Vec<Self> {
        let own = Self::new(error, value);
        let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
            return vec![own];
        };
        let meant = context
            .iter()
            .filter(|branch| !branch.iter().any(|inner| is_wrong_kind(inner, error)))
            .min_by_key(|branch| branch.len());
        match meant {
            Some(branch) => branch.iter().flat_map(|inner| Self::leaves(inner, value)).collect(),
            None => vec![own],
        }
    }

    fn new(error: &ValidationError<'_>, value: &Value) -> Self {
        let schema_path = error.schema_path().as_str();
        let schema = schema_path.rsplit_once('/').map_or("", |(schema, _)| schema).to_owned();
        let keys = match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => unexpected.clone(),
            ValidationErrorKind::Required { property } => {
                property.as_str().map(str::to_owned).into_iter().collect()
            }
            _ => Vec::new(),
        };
        Self { path: path_of(error, value), keyword: error.kind().keyword().to_owned(), schema, keys }
    }
}

/// Whether a branch of alternatives is for a value of another kind altogether.
fn is_wrong_kind(inner: &ValidationError<'_>, outer: &ValidationError<'_>) -> bool {
    matches!(inner.kind(), ValidationErrorKind::Type { .. } | ValidationErrorKind::Constant { .. })
        && inner.instance_path() == outer.instance_path()
}

/// The schema's library tells keys from list entries by their looks; only the value knows whether `0` is a key.
fn path_of(error: &ValidationError<'_>, value: &Value) -> Path {
    let mut path = Path::root();
    let mut current = Some(value);
    for segment in error.instance_path() {
        let step = match (segment, current) {
            (LocationSegment::Index(index), Some(Value::Array(_))) => Step::Index(index),
            (segment, _) => Step::Key(segment.to_string()),
        };
        current = current.and_then(|value| match &step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.get(index),
        });
        path = path.then(step);
    }
    path
}

/// Puts faults into words.
struct Reader<'a> {
    document: &'a Document,
    shapes: Shapes<'a>,
    value: &'a Value,
}

impl Reader<'_> {
    fn explain(&self, fault: &Fault, all: &[Fault]) -> Vec<Diagnostic> {
        match fault.keyword.as_str() {
            "additionalProperties" => fault.keys.iter().map(|key| self.unknown_key(fault, key)).collect(),
            "required" => fault.keys.iter().filter_map(|key| self.missing_key(fault, key, all)).collect(),
            "type" => vec![self.wrong_type(fault)],
            "anyOf" | "oneOf" => vec![self.no_alternative(fault)],
            _ => vec![self.limit(fault)],
        }
    }

    fn unknown_key(&self, fault: &Fault, key: &str) -> Diagnostic {
        let known = self.shapes.known_keys(&fault.schema);
        let parent = match fault.path.steps().last() {
            Some(Step::Key(parent)) => format!(" in `{parent}`"),
            Some(Step::Index(_)) => " in this entry".to_owned(),
            None => String::new(),
        };
        let finding = Diagnostic::new(Code::UnknownKey, format!("unknown key `{key}`{parent}")).at_key(fault.path.key(key));
        if secret::is_secret_key(key) {
            let place = known.iter().find(|known| known.ends_with("From"));
            let form = place.map_or("passwordFrom", |known| *known);
            return finding.help(format!("a secret is never written in the file: `{form}: {{ env: NAME }}` names where it is"));
        }
        if let Some(meant) = did_you_mean(key, known.iter().copied()) {
            return finding.help(meant);
        }
        let homes = self.shapes.homes(key);
        if let [home] = homes.as_slice() {
            return finding.help(format!("`{key}` belongs under `{home}`"));
        }
        if known.is_empty() {
            return finding.help("this mapping takes no keys: write `{}`");
        }
        finding.help(format!("known here: {}", words::list(known.iter().copied())))
    }

    /// `None` where an unknown key beside it is the missing one, misspelt: that is one fault, and it is told already.
    fn missing_key(&self, fault: &Fault, key: &str, all: &[Fault]) -> Option<Diagnostic> {
        let is_misspelt = all
            .iter()
            .filter(|other| other.keyword == "additionalProperties" && other.path == fault.path)
            .flat_map(|other| &other.keys)
            .any(|unknown| crate::diagnostic::nearest(unknown, self.shapes.known_keys(&fault.schema)).first() == Some(&key));
        if is_misspelt {
            return None;
        }
        let parent = match fault.path.steps().last() {
            Some(Step::Key(parent)) => format!("`{parent}` lacks the key `{key}`"),
            Some(Step::Index(_)) => format!("this entry lacks the key `{key}`"),
            None => format!("the file lacks the key `{key}`"),
        };
        let mut finding = Diagnostic::new(Code::MissingKey, parent).at_key(fault.path.clone());
        if let Some(meaning) = self.shapes.meaning(&fault.schema, key) {
            finding = finding.help(format!("`{key}`: {meaning}"));
        }
        Some(finding)
    }

    fn wrong_type(&self, fault: &Fault) -> Diagnostic {
        let expected = self.shapes.types(&fault.schema);
        self.mistyped(fault, &expected)
    }

    fn no_alternative(&self, fault: &Fault) -> Diagnostic {
        let names = self.shapes.names(&fault.schema);
        if names.is_empty() {
            return self.mistyped(fault, &self.shapes.alternative_types(&fault.schema));
        }
        let Some(Value::String(text)) = at(self.value, &fault.path) else {
            let found = self.found(fault);
            let message = format!("expected {}, found {found}", words::either(names.iter().copied()));
            return Diagnostic::new(Code::WrongType, message).at(fault.path.clone());
        };
        let shown = if self.is_private(fault) { "this value".to_owned() } else { format!("`{}`", words::short(text)) };
        let finding = Diagnostic::new(Code::InvalidValue, format!("{shown} is not allowed here")).at(fault.path.clone());
        let allowed = format!("allowed: {}", words::list(names.iter().copied()));
        match did_you_mean(text, names.iter().copied()) {
            Some(meant) if names.len() > 1 => finding.help(meant).help(allowed),
            _ => finding.help(allowed),
        }
    }

    fn mistyped(&self, fault: &Fault, expected: &[&str]) -> Diagnostic {
        let value = at(self.value, &fault.path).unwrap_or(&Value::Null);
        let found = self.found(fault);
        let message = format!("expected {}, found {found}", words::types(expected));
        let mut finding = Diagnostic::new(Code::WrongType, message).at(fault.path.clone());
        if let Some(help) = words::type_help(expected, value, &self.written(fault)) {
            finding = finding.help(help);
        }
        finding
    }

    /// A length, a range or a form.
    fn limit(&self, fault: &Fault) -> Diagnostic {
        let limit = self.shapes.limit(&fault.schema, &fault.keyword);
        let message = match fault.keyword.as_str() {
            "minimum" => format!("{} is too small: the least is {limit}", self.shown(fault)),
            "maximum" => format!("{} is too large: the most is {limit}", self.shown(fault)),
            "minLength" => "the text is empty".to_owned(),
            "maxLength" => format!("the text is longer than {limit} characters"),
            "minItems" => "the list is empty".to_owned(),
            "pattern" => format!("{} has not the form that is wanted here", self.shown(fault)),
            keyword => format!("{} breaks the rule `{keyword}: {limit}`", self.shown(fault)),
        };
        let mut finding = Diagnostic::new(Code::InvalidValue, message).at(fault.path.clone());
        if let Some(meaning) = self.shapes.description(&fault.schema) {
            finding = finding.help(meaning);
        }
        finding
    }

    /// Whether a value must not be shown: a secret, or what an environment variable holds.
    fn is_private(&self, fault: &Fault) -> bool {
        let last_key = fault.path.steps().iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        });
        last_key.is_some_and(|key| secret::is_secret_key(key)) || !self.document.places.variables(&fault.path).is_empty()
    }

    fn found(&self, fault: &Fault) -> String {
        let value = at(self.value, &fault.path).unwrap_or(&Value::Null);
        match self.document.places.variables(&fault.path) {
            [] if self.is_private(fault) => Found::kind_of(value).to_owned(),
            [] => Found::of(value).to_string(),
            names => format!("a text from {}", words::variables(names)),
        }
    }

    fn shown(&self, fault: &Fault) -> String {
        match (self.document.places.variables(&fault.path), at(self.value, &fault.path)) {
            (names @ [_, ..], _) => format!("the value of {}", words::variables(names)),
            (_, Some(Value::String(text))) if !self.is_private(fault) => format!("`{}`", words::short(text)),
            (_, Some(Value::Number(number))) => number.to_string(),
            _ => "this value".to_owned(),
        }
    }

    /// The value as it is written in the file, quotes and all.
    fn written(&self, fault: &Fault) -> String {
        use crate::diagnostic::render::SourceText as _;
        use crate::diagnostic::{Location, Part};
        if self.is_private(fault) {
            return String::new();
        }
        let range = self.document.locate(&Location::At(fault.path.clone(), Part::Value)).unwrap_or_default();
        self.document.file.text.get(range).unwrap_or_default().to_owned()
    }
}
