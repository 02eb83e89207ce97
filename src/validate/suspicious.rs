//! Texts that look like environment variables and are none.

use std::ops::Range;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::spec::load::Document;

/// The parts of the file where texts name things of the world, so that braces and dollars have no meaning of their own.
const PLAIN_TEXTS: [&str; 5] = [
    "spec.infrastructure",
    "spec.source.parquet",
    "spec.source.tables",
    "spec.source.objectStore",
    "spec.topic",
];

pub(super) fn check(document: &Document, found: &mut Vec<Diagnostic>) {
    for part in PLAIN_TEXTS.map(Path::of) {
        let value = part.steps().iter().try_fold(document.value.as_ref(), |value, step| {
            let crate::diagnostic::Step::Key(key) = step else { return None };
            Some(value.and_then(|value| value.get(key)))
        });
        if let Some(value) = value.flatten() {
            walk(document, value, &part, found);
        }
    }
}

fn walk(document: &Document, value: &Value, path: &Path, found: &mut Vec<Diagnostic>) {
    match value {
        Value::Object(keys) => {
            for (key, below) in keys {
                walk(document, below, &path.key(key), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(document, item, &path.index(index), found);
            }
        }
        Value::String(text) if document.places.variables(path).is_empty() => {
            if let Some((range, name)) = look_alike(text) {
                let shown = text.get(range.clone()).unwrap_or_default();
                found.push(
                    Diagnostic::new(
                        Code::SuspiciousVariable,
                        format!("`{shown}` stays as it is: it is not an environment variable"),
                    )
                    .within(path.clone(), range)
                    .help(format!("did you mean `${{{name}}}`?")),
                );
            }
        }
        _ => {}
    }
}

/// The first part of a text that looks like a variable, and the name in it.
fn look_alike(text: &str) -> Option<(Range<usize>, &str)> {
    text.char_indices().find_map(|(start, character)| {
        let rest = text.get(start..)?;
        let (before, closing) = match character {
            '{' if !text.get(..start)?.ends_with('$') => (1, Some('}')),
            '$' if rest.starts_with("$(") => (2, Some(')')),
            '$' if !rest.starts_with("${") => (1, None),
            _ => return None,
        };
        let inner = rest.get(before..)?;
        let length = inner
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .unwrap_or(inner.len());
        let name =
            inner.get(..length).filter(|name| name.starts_with(|first: char| first.is_ascii_uppercase()))?;
        let after = inner.get(length..)?;
        let closed = closing.is_none_or(|closing| after.starts_with(closing));
        let end = start + before + length + closing.map_or(0, char::len_utf8);
        (closed && length > 1).then_some((start..end, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_in_capitals_look_like_variables() {
        let seen = |text: &'static str| look_alike(text).map(|(_, name)| name);
        assert_eq!(seen("{KAFKA}:9092"), Some("KAFKA"));
        assert_eq!(seen("$HOME/x"), Some("HOME"));
        assert_eq!(seen("$(NAME)"), Some("NAME"));
        assert_eq!(seen("data/{a,b}.parquet"), None);
        assert_eq!(seen("data/{A,B}.parquet"), None);
        assert_eq!(seen("a$b"), None);
    }
}
