//! Where a secret is: never the secret itself.

use std::ops::Range;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Whether a key's name says that its value is a secret, as `password` does, and not where one is, as `passwordFrom` does.
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    const ENDINGS: [&str; 9] =
        ["password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "credentials"];
    let folded: String = key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ENDINGS.iter().any(|ending| folded.ends_with(ending))
}

/// The password in an address of the form `scheme://user:password@host`, by bytes of the text.
#[must_use]
pub fn userinfo(text: &str) -> Option<Range<usize>> {
    let start = text.find("://")? + "://".len();
    let authority = text.get(start..)?.split(['/', '?', '#', ' ', '\n']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    let password_start = start + name.len() + 1;
    (!password.is_empty()).then(|| password_start..password_start + password.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_hold_a_secret_are_told_from_those_that_name_its_place() {
        for key in ["password", "dbPassword", "api_key", "client-secret", "sasl.password", "TOKEN"] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in ["passwordFrom", "secretAccessKeyFrom", "key", "keys", "accessKeyId", "name"] {
            assert!(!is_secret_key(key), "{key}");
        }
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
