//! The graph: where rows become nodes and relationships.

pub mod cypher;
pub mod mapping;

use std::sync::Arc;

/// What a mapping writes, as far as the engine must know it beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphSchema {
    /// The statement that is run for each `event`; see `batch`.
    pub statement: Arc<str>,
    /// The constraints and indexes that keep it correct and fast.
    pub constraints: Vec<Constraint>,
    /// The labels that it writes, each with the properties.
    pub nodes: Vec<ElementSchema>,
    /// The relationship types that it writes, each with the properties.
    pub relationships: Vec<ElementSchema>,
}

/// A label or a relationship type, and the properties that are written on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElementSchema {
    /// The label or type.
    pub name: String,
    /// The names of the properties.
    pub properties: Vec<String>,
}

/// What kind of constraint or index it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstraintKind {
    /// No two nodes of the label have the same values.
    NodeUnique,
    /// No two relationships of the type have the same values.
    RelationshipUnique,
    /// Nodes of the label are found by the values.
    NodeIndex,
    /// Relationships of the type are found by the values.
    RelationshipIndex,
}

/// A constraint or an index that a mapping needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint {
    /// The label or the relationship type.
    pub label: String,
    /// The properties, in order.
    pub properties: Vec<String>,
    /// What it is.
    pub kind: ConstraintKind,
}

impl Constraint {
    /// Its name in the database: `runner_Location_name_unique`. What is no letter, digit or underscore becomes one.
    #[must_use]
    pub fn name(&self) -> String {
        let suffix = match self.kind {
            ConstraintKind::NodeUnique => "unique",
            ConstraintKind::RelationshipUnique => "rel_unique",
            ConstraintKind::NodeIndex => "index",
            ConstraintKind::RelationshipIndex => "rel_index",
        };
        let parts = format!("runner_{}_{}_{suffix}", self.label, self.properties.join("_"));
        parts.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
    }

    /// The statement that makes it, where it does not stand already.
    #[must_use]
    pub fn cypher(&self) -> String {
        let name = self.name();
        let label = quoted(&self.label);
        let properties = |variable: &str| -> Vec<String> {
            self.properties.iter().map(|property| format!("{variable}.{}", quoted(property))).collect()
        };
        match self.kind {
            ConstraintKind::NodeUnique => format!(
                "CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE {} IS UNIQUE",
                tuple(&properties("n"))
            ),
            ConstraintKind::RelationshipUnique => format!(
                "CREATE CONSTRAINT {name} IF NOT EXISTS FOR ()-[r:{label}]-() REQUIRE {} IS UNIQUE",
                tuple(&properties("r"))
            ),
            ConstraintKind::NodeIndex => {
                format!(
                    "CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({})",
                    properties("n").join(", ")
                )
            }
            ConstraintKind::RelationshipIndex => format!(
                "CREATE INDEX {name} IF NOT EXISTS FOR ()-[r:{label}]-() ON ({})",
                properties("r").join(", ")
            ),
        }
    }
}

/// A single expression as it is, several in parentheses.
fn tuple(expressions: &[String]) -> String {
    match expressions {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    }
}

/// A name as Cypher wants it: in backticks where it is no plain identifier.
#[must_use]
pub fn quoted(name: &str) -> String {
    let starts_plainly = name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    if starts_plainly && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("`{}`", name.replace('`', "``"))
    }
}
