//! Rules for `metadata:`.

use super::words::short;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::infrastructure::Owner;
use crate::spec::Metadata;

/// The longest name or value of a label.
const LONGEST: usize = 63;
/// The longest prefix of a label's name.
const LONGEST_PREFIX: usize = 253;
/// What names and values of labels are made of.
const FORM: &str = "has letters, digits, `-`, `_` and `.`, begins and ends with a letter or digit, and has at most 63 characters";

/// Labels are those of Kubernetes' objects, which the API server takes or refuses in the middle of a deployment.
pub(super) fn check(metadata: &Metadata, found: &mut Vec<Diagnostic>) {
    let at = Path::of("metadata.labels");
    let own = Owner { pipeline: metadata.name.clone() }.labels();
    for (key, value) in &metadata.labels {
        if !is_key(key) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("`{key}` is no name of a label"))
                    .at_key(at.key(key))
                    .help(format!("it {FORM}"))
                    .help("a domain and `/` may stand before it, such as `example.com/team`"),
            );
        } else if !value.is_empty() && !is_name(value) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("`{}` is no value of a label", short(value)))
                    .at(at.key(key))
                    .help(format!("a value {FORM}; or it is empty"))
                    .help("what is longer, or has blanks, belongs under `annotations`"),
            );
        } else if own.contains_key(key) {
            found.push(
                Diagnostic::new(Code::UnusedKey, format!("label `{key}` is runner's own"))
                    .at_key(at.key(key))
                    .help("remove it: objects bear it with runner's value"),
            );
        }
    }
}

/// A name, or one with the prefix of whoever gives it its meaning.
fn is_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_domain(prefix) && is_name(name),
        None => is_name(key),
    }
}

fn is_name(name: &str) -> bool {
    let is_end = |end: Option<char>| end.is_some_and(|end| end.is_ascii_alphanumeric());
    let is_inner = |one: char| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.');
    name.len() <= LONGEST
        && name.chars().all(is_inner)
        && is_end(name.chars().next())
        && is_end(name.chars().next_back())
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        label.bytes().all(is_inner) && !label.is_empty() && !label.starts_with('-') && !label.ends_with('-')
    };
    domain.len() <= LONGEST_PREFIX && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_labels_are_those_that_the_api_server_takes() {
        for key in ["team", "a", "A_b.c-9", "example.com/team", "a-b.example/T"] {
            assert!(is_key(key), "{key}");
        }
        let long = "a".repeat(LONGEST + 1);
        for key in ["", "-a", "a.", "a b", "ä", "/a", "a/", "Example.com/a", "a..b/c", "a/b/c", &long] {
            assert!(!is_key(key), "{key}");
        }
    }
}
