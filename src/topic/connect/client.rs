//! The requests to a worker.

use std::time::Duration;

use reqwest::{Client, Method, StatusCode, Url, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::answer::{Plugin, Problem, Refusal, Status, Validation};
use super::config::ConnectorConfig;
use super::error::ConnectError;
use crate::spec::secret;

/// A worker answers within this time whether it is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// A worker gives up its own requests to others after 90 s, and a connector may connect to its server while it is checked.
const ANSWERS_WITHIN: Duration = Duration::from_secs(100);
/// How a connector is, a worker knows by itself.
const KNOWS_WITHIN: Duration = Duration::from_secs(10);
/// While the workers share the connectors out anew they refuse changes, for as long as a worker takes to be missed.
const REBALANCED_WITHIN: Duration = Duration::from_mins(1);
/// How long to wait before a refused request is repeated.
const PAUSE: Duration = Duration::from_millis(500);

/// A Kafka Connect worker.
#[derive(Debug, Clone)]
pub struct Connect {
    client: Client,
    /// Ends with a slash.
    base: Url,
    /// The address without a password.
    address: String,
}

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Worker {
    /// The version of Kafka.
    pub version: String,
    /// The id of the Kafka cluster that it works for.
    #[serde(default)]
    pub kafka_cluster_id: Option<String>,
}

/// What became of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "lowercase")]
pub enum Submitted {
    /// There was no such connector.
    Created,
    /// It had another configuration.
    Updated,
    /// It had this configuration already.
    Unchanged,
}

impl Connect {
    /// The worker at an address, which is asked what it is.
    ///
    /// # Errors
    /// Where nothing answers there within 5 seconds, or what answers is no worker.
    pub async fn open(address: &str) -> Result<(Self, Worker), ConnectError> {
        let connect = Self::at(address)?;
        let asked = connect.request(Method::GET, &[], &[], None, PATIENCE);
        let body = match tokio::time::timeout(PATIENCE, asked).await {
            Ok(answer) => match answer {
                Err(ConnectError::Refused { status, message, .. }) => {
                    let message = format!("{message} (HTTP {status})");
                    return Err(ConnectError::NoWorker { address: connect.address, message });
                }
                answer => answer?,
            },
            Err(_) => return Err(connect.unreachable("it does not answer".to_owned())),
        };
        let worker = connect.read(&body)?;
        Ok((connect, worker))
    }

    fn at(address: &str) -> Result<Self, ConnectError> {
        let wrong =
            |shown: &str, message: String| ConnectError::Address { address: shown.to_owned(), message };
        // An address that cannot be read may hold a password all the same.
        let shown = &secret::shown_address(address);
        let mut base = Url::parse(address).map_err(|error| wrong(shown, error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong(shown, "it must begin with http:// or https://".to_owned()));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let mut clean = base.clone();
        // An http address always has a place for them, so neither call fails.
        let _ = clean.set_username("").and_then(|()| clean.set_password(None));
        let client = Client::builder().connect_timeout(PATIENCE).build();
        let client = client.map_err(|error| wrong(shown, with_causes(&error)))?;
        Ok(Self { client, base, address: clean.as_str().trim_end_matches('/').to_owned() })
    }

    /// The worker's address, without a password.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Checks that the worker has a connector's class.
    ///
    /// # Errors
    /// Where it has not.
    pub async fn require(&self, class: &str) -> Result<(), ConnectError> {
        let plugins: Vec<Plugin> = self.read(&self.get(&["connector-plugins"]).await?)?;
        if plugins.iter().any(|plugin| plugin.class == class) {
            return Ok(());
        }
        Err(ConnectError::NoPlugin {
            address: self.address.clone(),
            class: class.to_owned(),
            installed: plugins.into_iter().map(|plugin| plugin.class).collect(),
        })
    }

    /// Lets the connector check its configuration; nothing is changed. The Neo4j sink connects to its server for that.
    ///
    /// # Errors
    /// Where it refuses it.
    pub async fn validate(&self, config: &ConnectorConfig) -> Result<(), ConnectError> {
        let path = ["connector-plugins", config.class(), "config", "validate"];
        let answer = self.send(Method::PUT, &path, &[], Some(config), ANSWERS_WITHIN).await?;
        let problems: Vec<Problem> = self.read::<Validation>(&answer)?.problems();
        if problems.is_empty() {
            return Ok(());
        }
        let redacted = |problem: Problem| Problem { message: config.redact(&problem.message), ..problem };
        Err(ConnectError::Invalid { problems: problems.into_iter().map(redacted).collect() })
    }

    /// Makes the connector, or gives it the configuration where it has another.
    ///
    /// # Errors
    /// Where the worker refuses it.
    pub async fn submit(&self, config: &ConnectorConfig) -> Result<Submitted, ConnectError> {
        let path = ["connectors", config.name(), "config"];
        let found = match self.get(&path).await {
            Ok(found) => Some(self.read::<Value>(&found)?),
            Err(ConnectError::Refused { status: 404, .. }) => None,
            Err(error) => return Err(error),
        };
        if found.as_ref() == Some(&config.to_json()) {
            return Ok(Submitted::Unchanged);
        }
        self.send(Method::PUT, &path, &[], Some(config), ANSWERS_WITHIN).await?;
        Ok(if found.is_some() { Submitted::Updated } else { Submitted::Created })
    }

    /// How a connector is; none where there is no such connector, or the worker has not heard of it yet.
    ///
    /// # Errors
    /// Where the worker does not say.
    pub async fn status(&self, name: &str) -> Result<Option<Status>, ConnectError> {
        let path = ["connectors", name, "status"];
        match self.send(Method::GET, &path, &[], None, KNOWS_WITHIN).await {
            Ok(status) => self.read(&status).map(Some),
            Err(ConnectError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Starts the connector again, or those of its parts that have failed.
    ///
    /// # Errors
    /// Where there is no such connector, or the worker refuses.
    pub async fn restart(&self, name: &str) -> Result<(), ConnectError> {
        let query = [("includeTasks", "true"), ("onlyFailed", "true")];
        self.about(name, Method::POST, &["connectors", name, "restart"], &query).await
    }

    /// Lets the connector and its tasks rest.
    ///
    /// # Errors
    /// Where there is no such connector, or the worker refuses.
    pub async fn pause(&self, name: &str) -> Result<(), ConnectError> {
        self.about(name, Method::PUT, &["connectors", name, "pause"], &[]).await
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// Where there is no such connector, or the worker refuses.
    pub async fn resume(&self, name: &str) -> Result<(), ConnectError> {
        self.about(name, Method::PUT, &["connectors", name, "resume"], &[]).await
    }

    /// Deletes the connector. What its group has read stays known to Kafka. Says whether there was one.
    ///
    /// # Errors
    /// Where the worker refuses.
    pub async fn delete(&self, name: &str) -> Result<bool, ConnectError> {
        match self.about(name, Method::DELETE, &["connectors", name], &[]).await {
            Ok(()) => Ok(true),
            Err(ConnectError::Gone { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A request about a connector that is there.
    async fn about(
        &self,
        name: &str,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<(), ConnectError> {
        match self.send(method, path, query, None, ANSWERS_WITHIN).await {
            Err(ConnectError::Refused { status: 404, .. }) => {
                Err(ConnectError::Gone { name: name.to_owned() })
            }
            answer => answer.map(|_| ()),
        }
    }

    async fn get(&self, path: &[&str]) -> Result<Vec<u8>, ConnectError> {
        self.send(Method::GET, path, &[], None, ANSWERS_WITHIN).await
    }

    /// Sends a request, and again while the workers share the connectors out.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        config: Option<&ConnectorConfig>,
        patience: Duration,
    ) -> Result<Vec<u8>, ConnectError> {
        let until = Instant::now() + REBALANCED_WITHIN;
        loop {
            match self.request(method.clone(), path, query, config, patience).await {
                Err(error) if is_rebalancing(&error) && Instant::now() < until => {
                    sleep(PAUSE).await;
                }
                answer => return answer,
            }
        }
    }

    async fn request(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        config: Option<&ConnectorConfig>,
        patience: Duration,
    ) -> Result<Vec<u8>, ConnectError> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.client.request(method.clone(), url).timeout(patience);
        if let Some(config) = config {
            let body = config.to_json().to_string();
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let lost = |error: reqwest::Error| self.unreachable(with_causes(&error.without_url()));
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(lost)?.to_vec();
        if status.is_success() {
            return Ok(body);
        }
        let request = format!("{method} /{}", path.join("/"));
        Err(refusal(request, status, &body, config))
    }

    fn read<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ConnectError> {
        serde_json::from_slice(body).map_err(|error| ConnectError::NoWorker {
            address: self.address.clone(),
            message: format!("its answer cannot be read: {error}"),
        })
    }

    fn unreachable(&self, message: String) -> ConnectError {
        ConnectError::Unreachable { address: self.address.clone(), message }
    }
}

/// Whether a request was refused only because the workers are sharing the connectors out. Some of these refusals have a status of
/// their own, and some that of any failure.
fn is_rebalancing(error: &ConnectError) -> bool {
    match error {
        ConnectError::Refused { status: 409, .. } => true,
        ConnectError::Refused { status: 500, message, .. } => message.contains("rebalance"),
        _ => false,
    }
}

/// What a worker says that refuses.
fn refusal(
    request: String,
    status: StatusCode,
    body: &[u8],
    config: Option<&ConnectorConfig>,
) -> ConnectError {
    let said = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.message);
    let message =
        said.unwrap_or_else(|_| status.canonical_reason().unwrap_or("it does not say why").to_owned());
    let message = config.map_or_else(|| message.clone(), |config| config.redact(&message));
    ConnectError::Refused { request, status: status.as_u16(), message }
}

/// An error's words with those of its causes, of which the last is the one that tells.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        words = format!("{words}: {deeper}");
        cause = deeper.source();
    }
    words
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        let shown =
            |address| Connect::at(address).map(|connect| connect.address).map_err(|error| error.to_string());
        assert_eq!(shown("http://connect:8083"), Ok("http://connect:8083".to_owned()));
        assert_eq!(shown("https://me:hunter2@connect/base/"), Ok("https://connect/base".to_owned()));
        for wrong in ["ftp://me:hunter2@connect", "me:hunter2@connect", ""] {
            let error = shown(wrong).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_refusal_that_will_pass_is_told_from_one_that_will_not() {
        let refused = |status, message: &str| {
            let body = format!("{{\"error_code\":{status},\"message\":\"{message}\"}}");
            let status = StatusCode::from_u16(status).unwrap();
            is_rebalancing(&refusal("GET /connectors".to_owned(), status, body.as_bytes(), None))
        };
        assert!(refused(409, "Cannot complete request momentarily due to stale configuration"));
        assert!(refused(500, "Request cannot be completed because a rebalance is expected"));
        assert!(!refused(500, "Connector configuration is invalid"));
        assert!(!refused(404, "Connector x not found"));
    }

    #[tokio::test]
    async fn a_worker_that_is_not_there_is_a_fault_at_once() {
        let error = Connect::open("http://127.0.0.1:1").await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
        assert!(
            error.to_string().starts_with("no Kafka Connect worker answers at `http://127.0.0.1:1`: "),
            "{error}"
        );
    }
}
