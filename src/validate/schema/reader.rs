//! Puts faults into words.

use serde_json::Value;

use crate::diagnostic::render::SourceText as _;
use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, Step, did_you_mean, nearest};
use crate::spec::load::Document;
use crate::spec::secret;

use super::super::secrets;
use super::super::words::{self, Found};
use super::at;
use super::fault::Fault;
use super::shape::Shapes;

/// Puts faults into words.
pub(super) struct Reader<'a> {
    pub document: &'a Document,
    pub shapes: Shapes<'a>,
    pub value: &'a Value,
}

impl Reader<'_> {
    pub fn explain(&self, fault: &Fault, all: &[Fault]) -> Vec<Diagnostic> {
        match fault.keyword.as_str() {
            "additionalProperties" if self.is_placeless(fault) => vec![secrets::placeless(&fault.path)],
            "additionalProperties" => fault.keys.iter().map(|key| self.unknown_key(fault, key)).collect(),
            "required" => fault.keys.iter().filter_map(|key| self.missing_key(fault, key, all)).collect(),
            "type" => vec![self.wrong_type(fault)],
            "anyOf" | "oneOf" => vec![self.no_alternative(fault)],
            _ => vec![self.limit(fault)],
        }
    }

    /// The paths that mean nothing to the rules because of a fault.
    pub fn replaced(&self, fault: &Fault) -> Vec<Path> {
        match fault.keyword.as_str() {
            "additionalProperties" => {
                let known = self.shapes.known_keys(&fault.schema);
                let meant =
                    fault.keys.iter().filter_map(|key| nearest(key, known.iter().copied()).first().copied());
                meant.map(|key| fault.path.key(key)).collect()
            }
            "required" => fault.keys.iter().map(|key| fault.path.key(key)).collect(),
            _ => vec![fault.path.clone()],
        }
    }

    /// Whether a place that says where a secret is has keys, and none that could: the secret itself is mostly one of them.
    fn is_placeless(&self, fault: &Fault) -> bool {
        let known = self.shapes.known_keys(&fault.schema);
        let is_near = |key: &String| !nearest(key, known.iter().copied()).is_empty();
        known == ["env", "file", "secret"]
            && at(self.value, &fault.path)
                .is_some_and(|value| known.iter().all(|key| value.get(*key).is_none()))
            && !fault.keys.iter().any(is_near)
    }

    fn unknown_key(&self, fault: &Fault, key: &str) -> Diagnostic {
        let known = self.shapes.known_keys(&fault.schema);
        let parent = match fault.path.steps().last() {
            Some(Step::Key(parent)) => format!(" in `{parent}`"),
            Some(Step::Index(_)) => " in this entry".to_owned(),
            None => String::new(),
        };
        let finding = Diagnostic::new(Code::UnknownKey, format!("unknown key `{key}`{parent}"))
            .at_key(fault.path.key(key));
        if secret::is_secret_key(key) {
            let place = known.iter().find(|known| known.ends_with("From"));
            let form = place.map_or("passwordFrom", |known| *known);
            return finding.help(format!(
                "a secret is never written in the file: `{form}: {{ env: NAME }}` names where it is"
            ));
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
            .any(|unknown| nearest(unknown, self.shapes.known_keys(&fault.schema)).first() == Some(&key));
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
            finding = finding.help(format!("`{key}`: {}", words::clause(meaning)));
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
        if text == "mutate" && fault.path.steps().last() == Some(&Step::Key("mode".to_owned())) {
            return mutate(&fault.path);
        }
        let shown = if self.is_private(fault) {
            "this value".to_owned()
        } else {
            format!("`{}`", words::short(text))
        };
        let finding = Diagnostic::new(Code::InvalidValue, format!("{shown} is not allowed here"))
            .at(fault.path.clone());
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
        if let Some(form) =
            self.secret_form(fault).filter(|_| expected.contains(&"object") && value.is_string())
        {
            return finding.help(form);
        }
        if let Some(help) = size_help(fault, value) {
            return finding.help(help);
        }
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
            "pattern" => format!("{} does not have the form that is wanted here", self.shown(fault)),
            keyword => format!("{} breaks the rule `{keyword}: {limit}`", self.shown(fault)),
        };
        let mut finding = Diagnostic::new(Code::InvalidValue, message).at(fault.path.clone());
        if let Some(meaning) = self.shapes.description(&fault.schema) {
            finding = finding.help(words::clause(meaning));
        }
        finding
    }

    /// How a secret is given at a place that says where one is.
    fn secret_form(&self, fault: &Fault) -> Option<String> {
        let Some(Step::Key(key)) = fault.path.steps().last() else { return None };
        let form =
            format!("a secret is never written in the file: `{key}: {{ env: NAME }}` names where it is");
        (key.ends_with("From") && self.is_private(fault)).then_some(form)
    }

    /// Whether a value must not be shown: a secret, or what an environment variable holds.
    fn is_private(&self, fault: &Fault) -> bool {
        let last_key = fault.path.steps().iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key),
            Step::Index(_) => None,
        });
        last_key.is_some_and(|key| secret::is_secret_key(key))
            || !self.document.places.variables(&fault.path).is_empty()
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
        if self.is_private(fault) {
            return String::new();
        }
        let range = self.document.locate(&Location::At(fault.path.clone(), Part::Value)).unwrap_or_default();
        self.document.file.text.get(range).unwrap_or_default().to_owned()
    }
}

/// A size is a text, but a number in quotes would count bytes.
fn size_help(fault: &Fault, value: &Value) -> Option<String> {
    let Some(Step::Key(key)) = fault.path.steps().last() else { return None };
    (matches!(key.as_str(), "storage" | "memory") && value.is_number())
        .then(|| format!("write it with its unit: `{value}Gi`"))
}

/// The one mode of GDS that is left out on purpose.
fn mutate(path: &Path) -> Diagnostic {
    Diagnostic::new(Code::UnsupportedMode, "`mutate` changes a projection that nothing after it can see")
        .at(path.clone())
        .help("`write` keeps the result in the graph, `stream` shows it, `stats` sums it up")
}
