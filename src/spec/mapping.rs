//! `mapping:` how a row becomes nodes and relationships.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a row becomes graph: `cypher`, run for each `event`; or `nodes` and `relationships`, from which the Cypher is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// A statement that is run for each row, which it sees as `event`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cypher: Option<String>,
    /// The nodes that a row names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<NodeMapping>,
    /// The relationships that a row makes between those nodes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relationships: Vec<RelationshipMapping>,
    /// Who writes to the graph: runner itself, or a Kafka Connect worker with the Neo4j sink.
    #[serde(default)]
    pub loader: Loader,
    /// Whether the constraints and indexes that the mapping needs are made.
    #[serde(default)]
    pub indexes: Indexes,
}

/// One node that a row names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeMapping {
    /// What `relationships` call this node; without it, the label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The node's label.
    #[schemars(length(min = 1))]
    pub label: String,
    /// The properties that tell one node from another; a uniqueness constraint is made for them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub keys: IndexMap<String, PropertyMapping>,
    /// Further properties.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub properties: IndexMap<String, PropertyMapping>,
    /// `merge` by the keys, or `create` a node for each row.
    #[serde(default)]
    pub mode: MappingMode,
}

impl NodeMapping {
    /// What relationships call this node.
    #[must_use]
    pub fn reference(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.label)
    }
}

/// One relationship that a row makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RelationshipMapping {
    /// The relationship's type.
    #[serde(rename = "type")]
    #[schemars(length(min = 1))]
    pub kind: String,
    /// The node where it begins, by its `name` in `nodes`.
    pub from: String,
    /// The node where it ends.
    pub to: String,
    /// With `merge`: the properties that tell parallel relationships apart. None means one relationship a pair.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub keys: IndexMap<String, PropertyMapping>,
    /// Further properties.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub properties: IndexMap<String, PropertyMapping>,
    /// `create` one for each row, or `merge` by the keys.
    #[serde(default = "RelationshipMapping::default_mode")]
    pub mode: MappingMode,
}

impl RelationshipMapping {
    const fn default_mode() -> MappingMode {
        MappingMode::Create
    }
}

/// Where a property's value comes from, and its type in the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PropertyMapping {
    /// The column of `source.select`; without it, the property's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The type in the graph; without it, the column's own.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<PropertyType>,
}

impl PropertyMapping {
    /// The column that feeds the property called `property`.
    #[must_use]
    pub fn column<'a>(&'a self, property: &'a str) -> &'a str {
        self.column.as_deref().unwrap_or(property)
    }
}

/// The type of a property in the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "camelCase")]
#[strum(serialize_all = "camelCase")]
pub enum PropertyType {
    /// Text.
    String,
    /// A 64-bit integer.
    Integer,
    /// A 64-bit float.
    Float,
    /// True or false.
    Boolean,
    /// A zoned date-time, as `datetime('…')` makes it (UTC where the text has no zone).
    Datetime,
    /// A date-time without a zone.
    LocalDatetime,
    /// A date.
    Date,
}

/// Whether rows make new elements or meet those that are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MappingMode {
    /// Meet the element with the same keys, or make it.
    #[default]
    Merge,
    /// Make one for each row.
    Create,
}

/// Who writes to the graph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Loader {
    /// Runner, in transactions that hold the rows and their checkpoint.
    #[default]
    Runner,
    /// A Kafka Connect worker with the Neo4j sink.
    Connect,
}

/// Whether runner makes the constraints and indexes that the mapping needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Indexes {
    /// Made before the first row.
    #[default]
    Auto,
    /// Left to the user.
    None,
}
