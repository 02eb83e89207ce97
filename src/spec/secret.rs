//! Where a secret is: never the secret itself.

use std::fmt;
use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Path, Step};

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

impl SecretSource {
    /// Whether it names one place, and one that is not in a cluster.
    #[must_use]
    pub const fn is_outside(&self) -> bool {
        self.secret.is_none() && self.env.is_some() != self.file.is_some()
    }
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

/// Whether the name of an entry `{ name: …, value: … }`, or of a query's parameter, says that its value is a secret.
#[must_use]
pub fn names_secret(name: &str) -> bool {
    let folded = name.to_ascii_lowercase();
    is_secret_key(name) || folded == "sig" || folded.ends_with("signature") || folded.ends_with("auth")
}

/// The name of an entry `{ name: APP_PASSWORD, value: … }`, as containers have variables, whose value is a secret.
#[must_use]
pub fn secret_entry<'v>(name: Option<&'v str>, value: Option<&str>) -> Option<&'v str> {
    // `NEO4J_AUTH: none` is how a server is told to have no password.
    name.filter(|name| names_secret(name) && value.is_some_and(|value| !matches!(value, "" | "none")))
}

/// Whether a value stands below a secret's key and does not say where the secret is: it may be the secret itself.
#[must_use]
pub fn is_misplaced(path: &Path) -> bool {
    let keys: Vec<&str> = path
        .steps()
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    let Some((_, above)) = keys.split_last() else { return false };
    // `secret: { … }` names a Secret of Kubernetes.
    let Some(place) = above.iter().position(|key| is_secret_key(key) && *key != "secret") else {
        return false;
    };
    !matches!(keys.get(place + 1..), Some(["env" | "file"] | ["secret", "name" | "key"]))
}

/// The secrets that a text holds among other things, each by its name and its bytes; what an environment variable gives is none.
#[must_use]
pub fn within(text: &str) -> Vec<(&str, Range<usize>)> {
    let addresses = text.match_indices("://").map(|(at, mark)| at + mark.len());
    let users = addresses.filter_map(|start| {
        let authority = text.get(start..)?.split(['/', '?', '#', ' ', '\n']).next()?;
        user_password(authority, start)
    });
    let passwords = users.chain(jaas_password(text)).map(|range| ("password", range));
    written(text, passwords.chain(query_secrets(text)).collect())
}

/// Those of a text at a path: Kafka's addresses have no scheme.
#[must_use]
pub fn within_at<'t>(path: &Path, text: &'t str) -> Vec<(&'t str, Range<usize>)> {
    let is_bootstrap = matches!(path.steps().last(), Some(Step::Key(key)) if key == "bootstrap");
    if !is_bootstrap || text.contains("://") {
        return within(text);
    }
    let mut start = 0;
    let passwords = text.split(',').filter_map(|server| {
        let at = start;
        start += server.len() + 1;
        Some(("password", user_password(server, at)?))
    });
    written(text, passwords.collect())
}

/// Those of the secrets that are written there, in their order.
fn written<'t>(text: &str, mut found: Vec<(&'t str, Range<usize>)>) -> Vec<(&'t str, Range<usize>)> {
    found.retain(|(_, range)| text.get(range.clone()).is_some_and(|secret| !secret.starts_with("${")));
    found.sort_by_key(|(_, range)| (range.start, range.end));
    found.dedup_by(|later, earlier| later.1.start < earlier.1.end);
    found
}

/// A text as it may be shown: with asterisks for the secrets in it.
#[must_use]
pub fn masked(text: &str, secrets: &[(&str, Range<usize>)]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for (_, secret) in secrets {
        shown.push_str(text.get(at..secret.start).unwrap_or_default());
        shown.push_str("***");
        at = secret.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// An address as it may be shown: without a user and without a query, which often holds a secret.
#[must_use]
pub fn shown_address(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None if user_password(address, 0).is_some() => (String::new(), address),
        None => return address.to_owned(),
    };
    let without_query = rest.split(['?', '#']).next().unwrap_or_default();
    let (authority, path) =
        without_query.find('/').map_or((without_query, ""), |slash| without_query.split_at(slash));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}…@{host}{path}"),
        None => format!("{scheme}{without_query}"),
    }
}

/// The password of `user:password@host`, which begins at a byte of a longer text.
fn user_password(authority: &str, start: usize) -> Option<Range<usize>> {
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let password_start = start + name.len() + 1;
    (!password.is_empty()).then(|| password_start..password_start + password.len())
}

/// The secrets in an address's query: `?X-Amz-Signature=…`.
fn query_secrets(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let query = text.find("://").and_then(|scheme| Some(scheme + text.get(scheme..)?.find('?')? + 1));
    let mut start = query.unwrap_or(text.len());
    text.get(start..).unwrap_or_default().split('&').filter_map(move |parameter| {
        let at = start;
        start += parameter.len() + 1;
        let (name, value) = parameter.split_once('=')?;
        let ends = |end: char| end.is_whitespace() || matches!(end, '#' | '\'' | '"');
        let length = value.find(ends).unwrap_or(value.len());
        let begin = at + name.len() + 1;
        (length > 0 && names_secret(name)).then(|| (name, begin..begin + length))
    })
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
    fn the_secrets_of_an_address_are_found() {
        let secrets = |text: &'static str| -> Vec<_> {
            within(text).into_iter().filter_map(|(_, range)| text.get(range)).collect()
        };
        assert_eq!(secrets("bolt://neo4j:hunter2@db:7687"), ["hunter2"]);
        assert_eq!(secrets("bolt://neo4j:p@ss@db:7687/x"), ["p@ss"]);
        assert_eq!(secrets("bolt://a:b@c,bolt://d:e@f"), ["b", "e"]);
        assert_eq!(secrets("https://a:b@c/d?X-Amz-Signature=e&x=1&token=f#g"), ["b", "e", "f"]);
        assert_eq!(secrets("https://c/d?password=a&sig=b"), ["a", "b"]);
        for text in
            ["bolt://neo4j@db:7687", "https://host/a:b@c", "neo4j:hunter2@db", "bolt://a:${B}@c", "a?token=b"]
        {
            assert!(secrets(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn an_address_of_kafka_needs_no_scheme() {
        let at = |path: &str, text: &str| masked(text, &within_at(&Path::of(path), text));
        assert_eq!(at("a.bootstrap", "u:hunter2@a:1,b:2,v:p@ss@c:3"), "u:***@a:1,b:2,v:***@c:3");
        assert_eq!(at("a.bootstrap", "a:1, b:2"), "a:1, b:2");
        assert_eq!(at("a.filter", "u:hunter2@a:1"), "u:hunter2@a:1");
    }

    #[test]
    fn addresses_are_shown_without_users_and_queries() {
        assert_eq!(shown_address("https://u:p@host/a@b.csv?sig=x"), "https://…@host/a@b.csv");
        assert_eq!(shown_address("s3://bucket/a.parquet"), "s3://bucket/a.parquet");
        assert_eq!(shown_address("u:p@host:1/x"), "…@host:1/x");
        assert_eq!(shown_address("data/what?.csv"), "data/what?.csv");
    }

    #[test]
    fn what_stands_below_a_key_of_a_secret_is_one_unless_it_says_where() {
        for path in ["a.passwordFrom.value", "a.passwordFrom.secret.value", "a.credentials.b.c"] {
            assert!(is_misplaced(&Path::of(path)), "{path}");
        }
        for path in
            ["a.passwordFrom", "a.passwordFrom.env", "a.passwordFrom.secret.name", "a.secret.secretName"]
        {
            assert!(!is_misplaced(&Path::of(path)), "{path}");
        }
    }

    #[test]
    fn the_name_of_a_containers_variable_says_that_it_is_a_secret() {
        assert_eq!(secret_entry(Some("APP_PASSWORD"), Some("hunter2")), Some("APP_PASSWORD"));
        assert_eq!(secret_entry(Some("NEO4J_AUTH"), Some("none")), None);
        assert_eq!(secret_entry(Some("HEAP"), Some("1g")), None);
        assert_eq!(secret_entry(Some("APP_PASSWORD"), None), None);
    }
}
