//! Where a secret is: never the secret itself.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::Path;

/// Where a secret is: exactly one of `env`, `file` and `secret`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretSource {
    /// The name of an environment variable.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// The path of a file; a trailing line break is dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A key of a Kubernetes Secret in the pipeline's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretKey>,
}

/// A key of a Kubernetes Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    /// The Secret's name.
    pub name: String,
    /// The key in it.
    pub key: String,
}

/// A password: it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password, for whoever logs in with it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(password: String) -> Self {
        Self(password)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// Whether a key's name says that a text below it is a secret: `password`, and `passwordFrom` too, where a text would be the
/// secret itself in place of where it is.
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    const ENDINGS: [&str; 10] = [
        "password",
        "passwd",
        "pwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "credentials",
    ];
    let folded: String =
        key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let name = folded.strip_suffix("from").unwrap_or(&folded);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// The password that a text holds among other things, by bytes of the text; one that an environment variable gives is none.
#[must_use]
pub fn password_within(text: &str) -> Option<Range<usize>> {
    let password = userinfo(text).or_else(|| jaas_password(text))?;
    let is_variable = text.get(password.clone()).is_some_and(|password| password.starts_with("${"));
    (!is_variable).then_some(password)
}

/// The password in an address of the form `scheme://user:password@host`, by bytes of the text.
fn userinfo(text: &str) -> Option<Range<usize>> {
    let start = text.find("://")? + "://".len();
    let authority = text.get(start..)?.split(['/', '?', '#', ' ', '\n']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let password_start = start + name.len() + 1;
    (!password.is_empty()).then(|| password_start..password_start + password.len())
}

/// The password in a JAAS configuration, as Kafka's clients take it: `… password="secret";`, by bytes of the text.
fn jaas_password(text: &str) -> Option<Range<usize>> {
    let (before, after) = text.split_once("password=")?;
    let quote = after.chars().next().filter(|first| matches!(first, '"' | '\''));
    let value = quote.and_then(|quote| after.strip_prefix(quote)).unwrap_or(after);
    let end = value.find(|end: char| quote.map_or(matches!(end, ' ' | ';' | '&'), |quote| end == quote));
    let length = end.unwrap_or(value.len());
    let start = before.len() + "password=".len() + (after.len() - value.len());
    (length > 0).then(|| start..start + length)
}

/// Whether a key below a path of the file may be a secret's; in the sections whose keys are the user's own names (labels,
/// columns, tables) a `token` is none.
#[must_use]
pub fn may_hold_secrets(path: &Path) -> bool {
    const OWN_NAMES: [&str; 6] = ["expect", "tests", "mapping", "analyses", "report", "source.tables"];
    OWN_NAMES.iter().all(|section| {
        let section = Path::of(&format!("spec.{section}"));
        !path.steps().starts_with(section.steps())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hold_a_secret_are_told_from_others() {
        for key in
            ["password", "dbPassword", "api_key", "client-secret", "sasl.password", "TOKEN", "passwordFrom"]
        {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["key", "keys", "accessKeyId", "name"] {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn the_password_of_a_login_module_is_found() {
        let password = |text: &'static str| jaas_password(text).and_then(|range| text.get(range));
        assert_eq!(password("Module required username=\"a\" password=\"b c\";"), Some("b c"));
        assert_eq!(password("Module required password=b;"), Some("b"));
        assert_eq!(password("no password"), None);
    }

    #[test]
    fn the_password_of_an_address_is_found() {
        let password = |text: &'static str| userinfo(text).and_then(|range| text.get(range));
        assert_eq!(password("bolt://neo4j:hunter2@db:7687"), Some("hunter2"));
        assert_eq!(password("bolt://neo4j:p@ss@db:7687/x"), Some("p@ss"));
        assert_eq!(password("bolt://neo4j@db:7687"), None);
        assert_eq!(password("https://host/a:b@c"), None);
        assert_eq!(password("neo4j:hunter2@db"), None);
    }
}
