//! `tests:` small cases for `runner test`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Assertion;

/// A case: rows of the source in; graph, analyses and queries out. It runs on an engine in memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestCase {
    /// What the case shows.
    #[schemars(length(min = 1))]
    pub name: String,
    /// Rows of the source, before the filter; a column left out is null.
    pub rows: Vec<Map<String, Value>>,
    /// Nodes by label.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub nodes: IndexMap<String, u64>,
    /// Relationships by type.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub relationships: IndexMap<String, u64>,
    /// How many rows the filter drops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filtered_out: Option<u64>,
    /// How many records cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<u64>,
    /// What the pipeline's analyses give on these rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub analyses: Vec<AnalysisTest>,
    /// Queries on the graph, with their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<QueryTest>,
}

/// What one of the pipeline's analyses gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnalysisTest {
    /// The analysis' name.
    pub name: String,
    /// What must be true of its result.
    pub assert: Vec<Assertion>,
}

/// A query and the rows that it must give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryTest {
    /// The query.
    pub cypher: String,
    /// Its rows, each a list in the order of the columns.
    pub rows: Vec<Vec<Value>>,
}
