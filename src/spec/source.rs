//! `source:` the rows.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretSource;

/// Parquet files, the rows of them that are wanted, and the columns to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// A file, a folder, a glob (`*`, `?`, `[a-c]`, `**`), `s3://` or `https://`, or a list of these. Files are read one after the other
    /// in name order, each once. A folder gives each `*.parquet` in it and below it, but nothing that begins with `_` or `.`.
    pub parquet: OneOrMany,
    /// Small look-up tables that subqueries may name. The extension tells the format: `csv` and `tsv` with a header, `parquet`, `json`,
    /// `jsonl` and `ndjson` with an object a line.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub tables: IndexMap<String, String>,
    /// Columns by their bare names, SQL expressions with a name (`trip_distance * 1.609 AS km`), or `*` for every column; without it,
    /// every column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub select: Vec<String>,
    /// An SQL condition on the rows, on columns as they are named in the file, such as `PULocationID IN (SELECT LocationID FROM zones)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// How `s3://` and `https://` are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_store: Option<ObjectStore>,
}

/// One text, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several.
    Many(Vec<String>),
}

impl OneOrMany {
    /// All of them, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// How an object store is reached. What is left out comes from the usual `AWS_…` environment variables.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectStore {
    /// The address of a server that speaks S3's protocol, for stores that are not Amazon's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// The region.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether plain `http://` is allowed.
    #[serde(default)]
    pub allow_http: bool,
    /// Whether requests go unsigned, for public buckets.
    #[serde(default)]
    pub anonymous: bool,
    /// The access key's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Where the secret access key is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_access_key_from: Option<SecretSource>,
}
