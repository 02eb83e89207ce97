//! A connector's configuration, with its secrets kept from sight.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

/// What stands for a secret wherever people may look.
const HIDDEN: &str = "***";

/// A secret of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The secret itself. The worker keeps it in its configuration topic, and shows it to whoever may ask for the
    /// connector's configuration.
    Inline(String),
    /// How the worker finds it by one of its own config providers: `${file:/etc/connect/neo4j.properties:password}`.
    Reference(String),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(_) => write!(f, "Inline({HIDDEN})"),
            Self::Reference(reference) => f.debug_tuple("Reference").field(reference).finish(),
        }
    }
}

/// A connector's configuration by Kafka Connect's keys.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectorConfig {
    name: String,
    entries: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
}

impl ConnectorConfig {
    /// The configuration of a connector of that name and class.
    #[must_use]
    pub fn new(name: &str, class: &str) -> Self {
        let mut config = Self { name: name.to_owned(), entries: BTreeMap::new(), secrets: BTreeMap::new() };
        config.set("name", name);
        config.set("connector.class", class);
        config
    }

    /// The connector's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The connector's class.
    #[must_use]
    pub fn class(&self) -> &str {
        self.entries.get("connector.class").map_or("", String::as_str)
    }

    /// Sets a key.
    pub fn set(&mut self, key: impl Into<String>, value: &(impl ToString + ?Sized)) {
        self.entries.insert(key.into(), value.to_string());
    }

    /// Sets a key to a secret.
    pub fn set_secret(&mut self, key: impl Into<String>, secret: Secret) {
        match secret {
            Secret::Inline(value) => {
                self.secrets.insert(key.into(), value);
            }
            Secret::Reference(reference) => self.set(key, &reference),
        }
    }

    /// The configuration as it may be shown: a secret is `***`.
    #[must_use]
    pub fn shown(&self) -> BTreeMap<&str, &str> {
        let secrets = self.secrets.keys().map(|key| (key.as_str(), HIDDEN));
        self.entries.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(secrets).collect()
    }

    /// The configuration as the worker gets it.
    pub(super) fn to_json(&self) -> Value {
        let entries = self.entries.iter().chain(&self.secrets);
        Value::from(
            entries.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>(),
        )
    }

    /// A text of the worker without the secrets that it may repeat.
    pub(super) fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.values().filter(|secret| !secret.is_empty());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), HIDDEN))
    }
}

impl fmt::Debug for ConnectorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_the_worker_and_is_shown_to_nobody() {
        let mut config = ConnectorConfig::new("trips", "Sink");
        config.set_secret("password", Secret::Inline("hunter2".to_owned()));
        config.set_secret("token", Secret::Reference("${file:/secrets:token}".to_owned()));
        assert_eq!(config.to_json()["password"], "hunter2");
        assert!(!format!("{config:?} {:?}", config.shown()).contains("hunter2"));
        assert!(!format!("{:?}", Secret::Inline("hunter2".to_owned())).contains("hunter2"));
        assert_eq!(config.shown()["token"], "${file:/secrets:token}");
        assert_eq!(config.redact("bad value hunter2 for password"), "bad value *** for password");
    }
}
