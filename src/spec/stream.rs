//! `stream:` how the rows are moved.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the rows are moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stream {
    /// The most rows in one transaction.
    #[serde(default = "Stream::default_batch_rows")]
    #[schemars(range(min = 1, max = 100_000))]
    pub batch_rows: u32,
    /// How many records may fail, and go to the dead letters, before the run ends. The run fails if any did, unless
    /// `allow: [dead-letters]`.
    #[serde(default = "Stream::default_max_errors")]
    pub max_errors: u64,
    /// How many producers divide the files among themselves, and the topic's partitions with them: each sends the rows of its own files
    /// to its own partitions, so a key keeps to one partition within a file. It cannot be changed once rows are in the topic.
    #[serde(default = "Stream::default_producers")]
    #[schemars(range(min = 1, max = 1_000))]
    pub producers: u32,
    /// How many loaders share the partitions in a cluster.
    #[serde(default = "Stream::default_loaders")]
    #[schemars(range(min = 1, max = 1_000))]
    pub loaders: u32,
    /// How many milliseconds the embedded engine loads at most before it saves the graph; what was loaded since the last save is loaded
    /// again after a crash. 0 saves as often as saving takes no more than a tenth of the time. A server saves each transaction.
    #[serde(default = "Stream::default_persist_millis")]
    #[schemars(range(max = 3_600_000))]
    pub persist_millis: u32,
    /// How many seconds an outage of a server is waited out before the run ends; what was written until then stands.
    #[serde(default = "Stream::default_patience_seconds")]
    #[schemars(range(max = 86_400))]
    pub patience_seconds: u32,
}

impl Stream {
    const fn default_batch_rows() -> u32 {
        5_000
    }

    const fn default_max_errors() -> u64 {
        100
    }

    const fn default_producers() -> u32 {
        1
    }

    const fn default_loaders() -> u32 {
        1
    }

    const fn default_persist_millis() -> u32 {
        500
    }

    const fn default_patience_seconds() -> u32 {
        300
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            batch_rows: Self::default_batch_rows(),
            max_errors: Self::default_max_errors(),
            producers: Self::default_producers(),
            loaders: Self::default_loaders(),
            persist_millis: Self::default_persist_millis(),
            patience_seconds: Self::default_patience_seconds(),
        }
    }
}
