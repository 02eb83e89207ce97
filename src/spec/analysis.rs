//! `analyses:` what is asked of the finished graph.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One question to the graph: a Graph Data Science procedure on a projection (`gds`), or a query (`cypher`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Analysis {
    /// The heading of the result in the report; unique in the file.
    #[schemars(length(min = 1))]
    pub name: String,
    /// A read-only query; its columns are the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cypher: Option<String>,
    /// The procedure without `gds.` and mode: `pageRank`, `shortestPath.dijkstra`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gds: Option<String>,
    /// What part of the graph the procedure sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Projection>,
    /// The procedure's own configuration, by GDS's names. A node is written as `{ label: Location, name: 159 }`.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub config: serde_json::Map<String, Value>,
    /// How the procedure answers: rows, a summary, or a property on the nodes.
    #[serde(default)]
    pub mode: Mode,
    /// The node property that names a node in results; without it, the engine's own node id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identify: Option<String>,
    /// How many rows the terminal and the pictures show.
    #[serde(default = "Analysis::default_top")]
    #[schemars(range(min = 1))]
    pub top: usize,
    /// How many rows `report.json` keeps.
    #[serde(default = "Analysis::default_keep")]
    #[schemars(range(min = 1))]
    pub keep: usize,
    /// Which engine computes it: the server's GDS, the built-in one, or whichever is there.
    #[serde(default)]
    pub engine: Engine,
    /// What must be true of the result; a false one fails the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assert: Vec<Assertion>,
}

impl Analysis {
    const fn default_top() -> usize {
        10
    }

    const fn default_keep() -> usize {
        10_000
    }
}

/// The part of the graph that a procedure sees, as in `gds.graph.project`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Projection {
    /// The labels of the nodes.
    #[schemars(length(min = 1))]
    pub nodes: Vec<String>,
    /// The types of the relationships, each with its properties and direction.
    pub relationships: IndexMap<String, RelationshipProjection>,
}

/// How relationships of one type are projected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipProjection {
    /// Numeric properties that algorithms may use as weights.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub properties: Vec<String>,
    /// The direction in which algorithms follow them.
    #[serde(default)]
    pub orientation: Orientation,
    /// What becomes of parallel relationships.
    #[serde(default)]
    pub aggregation: Aggregation,
}

/// The direction in which relationships are followed, by GDS's names.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE", ascii_case_insensitive)]
pub enum Orientation {
    /// As stored.
    #[default]
    Natural,
    /// Against the stored direction.
    Reverse,
    /// Both ways. A self-loop is then in its node's list twice, as in GDS.
    Undirected,
}

/// What becomes of parallel relationships, by GDS's names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Aggregation {
    /// Each is kept.
    #[default]
    None,
    /// One is kept, whichever comes first.
    Single,
    /// One, with the sum of the properties.
    Sum,
    /// One, with the least of the properties.
    Min,
    /// One, with the greatest of the properties.
    Max,
    /// One, with how many there were; a relationship that lacks the property does not count.
    Count,
}

/// How a procedure answers.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::EnumString,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Mode {
    /// A row per node, pair or path.
    #[default]
    Stream,
    /// One row that sums the result up.
    Stats,
    /// The result becomes a node property, named by `config.writeProperty`.
    Write,
}

/// Which engine computes an analysis.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The server's GDS where it has one, else the built-in engine; the report says which.
    #[default]
    Auto,
    /// The built-in engine.
    Builtin,
    /// The server's GDS, or a fault.
    Server,
}

/// Something that must be true of a result: exactly one of the keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Assertion {
    /// The number of rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The first column of the first row: for a ranking, the top node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<Value>,
    /// A single value, within a tolerance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<ValueAssertion>,
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueAssertion {
    /// The first column of the row that is meant; without it, the first row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<Value>,
    /// The column that holds the value.
    pub column: String,
    /// What it must be.
    pub is: Value,
    /// By how much a number may differ.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub tolerance: f64,
}
