//! The configuration of the Neo4j sink, for the Neo4j Connector for Kafka 5.1 and later.
//!
//! Its keys are those of <https://neo4j.com/docs/kafka/current/sink/configuration/>, those of dead letters Kafka Connect's own.

use super::config::{ConnectorConfig, Secret};
use crate::spec::{ExternalNeo4j, Stream, Tls, Topic};
use crate::topic::BROKERS_DEFAULT;

/// The class of the sink.
pub const NEO4J_SINK: &str = "org.neo4j.connectors.kafka.sink.Neo4jConnector";

/// What is left unbound: a mapping sees the row as `event` and nothing else of the message.
const UNBOUND: [&str; 4] = ["timestamp", "header", "key", "value"];

/// What a sink connector moves, and where to.
#[derive(Debug, Clone)]
pub struct Neo4jSink<'a> {
    /// The connector's name, one on the worker.
    pub name: &'a str,
    /// The topic.
    pub topic: &'a Topic,
    /// The statement that is run for each `event`.
    pub statement: &'a str,
    /// The server, as the worker reaches it.
    pub neo4j: &'a ExternalNeo4j,
    /// The password; none where the server asks for none.
    pub password: Option<Secret>,
    /// Batches, limits and how many tasks share the partitions.
    pub stream: &'a Stream,
}

impl Neo4jSink<'_> {
    /// The connector's configuration.
    ///
    /// A record that cannot be read or written goes to the dead letters, unless the pipeline takes no error at all. Paths of
    /// certificates are the worker's.
    #[must_use]
    pub fn config(&self) -> ConnectorConfig {
        let mut config = ConnectorConfig::new(self.name, NEO4J_SINK);
        config.set("tasks.max", &self.stream.loaders.min(self.topic.partitions).max(1));
        config.set("topics", &self.topic.name);
        config.set("key.converter", "org.apache.kafka.connect.storage.StringConverter");
        config.set("value.converter", "org.apache.kafka.connect.json.JsonConverter");
        config.set("value.converter.schemas.enable", &false);
        config.set("neo4j.batch-size", &self.stream.batch_rows);
        config.set(format!("neo4j.cypher.topic.{}", self.topic.name), self.statement);
        config.set("neo4j.cypher.bind-value-as-event", &true);
        for part in UNBOUND {
            config.set(format!("neo4j.cypher.bind-{part}-as"), "");
        }
        self.connection(&mut config);
        self.errors(&mut config);
        config
    }

    fn connection(&self, config: &mut ConnectorConfig) {
        let ExternalNeo4j { uri, database, user, tls, .. } = self.neo4j;
        config.set("neo4j.uri", uri);
        config.set("neo4j.database", database);
        match &self.password {
            Some(password) => {
                config.set("neo4j.authentication.type", "BASIC");
                config.set("neo4j.authentication.basic.username", user);
                config.set_secret("neo4j.authentication.basic.password", password.clone());
            }
            None => config.set("neo4j.authentication.type", "NONE"),
        }
        if let (Some(tls), Some((scheme, rest))) = (tls, uri.split_once("://")) {
            encryption(config, tls, scheme, rest);
        }
    }

    fn errors(&self, config: &mut ConnectorConfig) {
        if self.stream.max_errors == 0 {
            config.set("errors.tolerance", "none");
            return;
        }
        config.set("errors.tolerance", "all");
        config.set("errors.log.enable", &true);
        config.set("errors.deadletterqueue.topic.name", &self.topic.dead_letters());
        let replication = self.topic.replication.map_or(BROKERS_DEFAULT, i32::from);
        config.set("errors.deadletterqueue.topic.replication.factor", &replication);
        config.set("errors.deadletterqueue.context.headers.enable", &true);
    }
}

/// Certificates of one's own. The driver takes them only beside an address without `+s`, which stands for its own defaults.
fn encryption(config: &mut ConnectorConfig, tls: &Tls, scheme: &str, rest: &str) {
    let strategy = match &tls.ca_file {
        _ if tls.insecure || scheme.ends_with("+ssc") => "TRUST_ALL_CERTIFICATES",
        Some(file) => {
            config.set("neo4j.security.cert-files", file);
            "TRUST_CUSTOM_CA_SIGNED_CERTIFICATES"
        }
        None => return,
    };
    let (plain, _) = scheme.split_once('+').unwrap_or((scheme, ""));
    config.set("neo4j.uri", &format!("{plain}://{rest}"));
    config.set("neo4j.security.encrypted", &true);
    config.set("neo4j.security.trust-strategy", strategy);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(topic: &Value, neo4j: &Value, stream: &Value, password: Option<Secret>) -> ConnectorConfig {
        Neo4jSink {
            name: "bronx-taxi",
            topic: &serde_json::from_value(topic.clone()).unwrap(),
            statement: "MERGE (:Location {name: event.PULocationID})",
            neo4j: &serde_json::from_value(neo4j.clone()).unwrap(),
            password,
            stream: &serde_json::from_value(stream.clone()).unwrap(),
        }
        .config()
    }

    #[test]
    fn the_sink_of_a_pipeline() {
        let topic = json!({ "name": "trips", "partitions": 3, "replication": 2 });
        let neo4j = json!({ "uri": "neo4j://db:7687", "passwordFrom": { "env": "PASSWORD" } });
        let password = Some(Secret::Inline("hunter2".to_owned()));
        let config = config(&topic, &neo4j, &json!({ "loaders": 8, "batchRows": 5000 }), password);
        insta::assert_json_snapshot!(config.shown(), @r#"
        {
          "connector.class": "org.neo4j.connectors.kafka.sink.Neo4jConnector",
          "errors.deadletterqueue.context.headers.enable": "true",
          "errors.deadletterqueue.topic.name": "trips.dlq",
          "errors.deadletterqueue.topic.replication.factor": "2",
          "errors.log.enable": "true",
          "errors.tolerance": "all",
          "key.converter": "org.apache.kafka.connect.storage.StringConverter",
          "name": "bronx-taxi",
          "neo4j.authentication.basic.password": "***",
          "neo4j.authentication.basic.username": "neo4j",
          "neo4j.authentication.type": "BASIC",
          "neo4j.batch-size": "5000",
          "neo4j.cypher.bind-header-as": "",
          "neo4j.cypher.bind-key-as": "",
          "neo4j.cypher.bind-timestamp-as": "",
          "neo4j.cypher.bind-value-as": "",
          "neo4j.cypher.bind-value-as-event": "true",
          "neo4j.cypher.topic.trips": "MERGE (:Location {name: event.PULocationID})",
          "neo4j.database": "neo4j",
          "neo4j.uri": "neo4j://db:7687",
          "tasks.max": "3",
          "topics": "trips",
          "value.converter": "org.apache.kafka.connect.json.JsonConverter",
          "value.converter.schemas.enable": "false"
        }
        "#);
    }

    #[test]
    fn a_pipeline_that_takes_no_error_stops_at_the_first_and_a_server_may_ask_for_no_password() {
        let neo4j = json!({ "uri": "bolt://db:7687" });
        let config = config(&json!({ "name": "trips" }), &neo4j, &json!({ "maxErrors": 0 }), None);
        let shown = config.shown();
        assert_eq!((shown["errors.tolerance"], shown["neo4j.authentication.type"]), ("none", "NONE"));
        assert!(!shown.keys().any(|key| key.starts_with("errors.deadletterqueue")));
    }

    #[test]
    fn certificates_of_ones_own_go_with_an_address_without_a_scheme_for_encryption() {
        let encryption = |uri: &str, tls: Value| {
            let neo4j = json!({ "uri": uri, "tls": tls });
            let config = config(&json!({ "name": "trips" }), &neo4j, &json!({}), None);
            let shown = config.shown();
            let of = |key: &str| shown.get(key).map(|value| (*value).to_owned()).unwrap_or_default();
            [of("neo4j.uri"), of("neo4j.security.trust-strategy"), of("neo4j.security.cert-files")]
        };
        let own = encryption("neo4j+s://db:7687", json!({ "caFile": "/etc/ca.crt" }));
        assert_eq!(own, ["neo4j://db:7687", "TRUST_CUSTOM_CA_SIGNED_CERTIFICATES", "/etc/ca.crt"]);
        let any = encryption("bolt+s://db:7687", json!({ "insecure": true }));
        assert_eq!(any, ["bolt://db:7687", "TRUST_ALL_CERTIFICATES", ""]);
        assert_eq!(encryption("bolt+s://db:7687", json!({})), ["bolt+s://db:7687", "", ""]);
    }
}
