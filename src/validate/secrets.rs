//! Rules for secrets: where they are said to be, and where they should not be.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path};
use crate::spec::load::Document;
use crate::spec::{SecretSource, Spec, secret};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    for (path, source) in sources(spec) {
        exactly_one(&path, source, found);
        let in_cluster = path.steps().starts_with(Path::of("spec.infrastructure.kubernetes").steps());
        if source.secret.is_some() && !in_cluster {
            found.push(
                Diagnostic::new(Code::InvalidValue, "a Kubernetes Secret can only be named under `infrastructure.kubernetes`, whose namespace it is in")
                    .at_key(path.key("secret"))
                    .help("use `env` or `file`"),
            );
        }
    }
}

/// Every place where the file says where a secret is.
#[must_use]
pub fn sources(spec: &Spec) -> Vec<(Path, &SecretSource)> {
    let at = Path::of("spec.infrastructure");
    let mut found: Vec<(Path, Option<&SecretSource>)> = Vec::new();
    if let Some(external) = &spec.infrastructure.external {
        let at = at.key("external");
        let sasl = external.kafka.security.sasl.as_ref();
        found.push((at.key("kafka").key("security").key("sasl"), sasl.map(|sasl| &sasl.password_from)));
        found.push((at.key("neo4j"), external.neo4j.password_from.as_ref()));
    }
    if let Some(kubernetes) = &spec.infrastructure.kubernetes {
        let at = at.key("kubernetes");
        let sasl = kubernetes.kafka.existing.as_ref().and_then(|kafka| kafka.security.sasl.as_ref());
        let existing = kubernetes.neo4j.existing.as_ref().and_then(|neo4j| neo4j.password_from.as_ref());
        found.push((
            at.key("kafka").key("existing").key("security").key("sasl"),
            sasl.map(|sasl| &sasl.password_from),
        ));
        found.push((at.key("neo4j"), kubernetes.neo4j.password_from.as_ref()));
        found.push((at.key("neo4j").key("existing"), existing));
    }
    let passwords = found.into_iter().filter_map(|(at, source)| Some((at.key("passwordFrom"), source?)));
    let store = spec.source.as_ref().and_then(|source| source.object_store.as_ref());
    let access_key = store.and_then(|store| store.secret_access_key_from.as_ref());
    let access_key =
        access_key.map(|source| (Path::of("spec.source.objectStore.secretAccessKeyFrom"), source));
    passwords.chain(access_key).collect()
}

fn exactly_one(at: &Path, source: &SecretSource, found: &mut Vec<Diagnostic>) {
    let given =
        [("env", source.env.is_some()), ("file", source.file.is_some()), ("secret", source.secret.is_some())];
    let mut given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name);
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => found.push(super::exclude(at, first, second)),
        (None, _) => found.push(placeless(at)),
        _ => {}
    }
}

/// The finding for a source of a secret that names no place of it.
pub(super) fn placeless(at: &Path) -> Diagnostic {
    Diagnostic::new(Code::OneOf, "this needs one of `env`, `file` and `secret`")
        .at_key(at.clone())
        .help("`{ env: NAME }`, `{ file: path }` or `{ secret: { name: …, key: … } }` says where the secret is; the secret itself is never written in the file")
}

/// Secrets that stand in the file itself.
pub(super) fn in_clear_text(document: &Document, found: &mut Vec<Diagnostic>) {
    if let Some(value) = &document.value {
        walk(document, value, &Path::root(), found);
    }
}

fn walk(document: &Document, value: &Value, path: &Path, found: &mut Vec<Diagnostic>) {
    match value {
        Value::Object(keys) => {
            let text = |key: &str| keys.get(key).and_then(Value::as_str);
            let entry = secret::secret_entry(text("name"), text("value"));
            for (key, below) in keys {
                let at = path.key(key);
                let is_text = matches!(below, Value::String(text) if !text.is_empty()) || below.is_number();
                // What comes from a variable does not stand in the file.
                let is_written = document.places.variables(&at).is_empty();
                let name = entry
                    .filter(|_| key == "value")
                    .or_else(|| secret::is_secret_key(key).then_some(key.as_str()));
                if let Some(name) = name.filter(|_| is_text && is_written && secret::may_hold_secrets(&at)) {
                    found.push(clear_text(Location::At(at, Part::Value), name));
                } else {
                    walk(document, below, &at, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(document, item, &path.index(index), found);
            }
        }
        Value::String(text) => {
            let is_written = document.places.variables(path).is_empty();
            for (name, range) in secret::within_at(path, text).into_iter().filter(|_| is_written) {
                found.push(clear_text(Location::At(path.clone(), Part::Within(range)), name));
            }
        }
        _ => {}
    }
}

fn clear_text(location: Location, key: &str) -> Diagnostic {
    Diagnostic::new(Code::SecretInFile, format!("a secret stands in the file in clear text (`{key}`)"))
        .located(location)
        .help("name its place: `passwordFrom: { env: NAME }`; where a text is needed, `${NAME}` takes it from the environment")
        .help("if the file was ever committed, change the secret: it is in the history")
}
