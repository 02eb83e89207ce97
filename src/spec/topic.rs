//! `topic:` the Kafka topic that carries the rows.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The topic that carries the rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Topic {
    /// Letters, digits, `.`, `_` and `-`, at most 249.
    #[schemars(length(min = 1, max = 249), regex(pattern = r"^[a-zA-Z0-9._-]+$"))]
    pub name: String,
    /// How many partitions the topic has; rows of one key stay in order within one.
    #[serde(default = "Topic::default_partitions")]
    #[schemars(range(min = 1, max = 10_000))]
    pub partitions: u32,
    /// The column whose value is the message key and chooses the partition; without it, rows are dealt in turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// How many brokers hold each partition; without it, as many as the brokers' own `default.replication.factor` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 32))]
    pub replication: Option<u16>,
    /// Topic configuration by Kafka's own names, such as `retention.ms`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub config: IndexMap<String, String>,
}

impl Topic {
    const fn default_partitions() -> u32 {
        1
    }

    /// The topic that takes records which cannot be written to the graph.
    #[must_use]
    pub fn dead_letters(&self) -> String {
        format!("{}.dlq", self.name)
    }
}
