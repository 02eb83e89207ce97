//! `report:` how the report draws the graph.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the report draws the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportSettings {
    /// Draws nodes where they lie on the earth; without it, a force-directed layout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<Map>,
}

/// Where the nodes lie: properties of theirs, or columns of a look-up table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The node property or table column with the longitude in degrees.
    pub longitude: String,
    /// The node property or table column with the latitude in degrees.
    pub latitude: String,
    /// A table of `source.tables`; without it, the two above are node properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The table's column that holds the same values as `identify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The node property or table column with a name to show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
