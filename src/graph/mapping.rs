//! The mapping, compiled: the statement that is run for each `event`, and what follows from it.
//!
//! `nodes` and `relationships` are turned into Cypher first; from there on both forms are one, since whatever else is
//! known of a mapping is read from its statement.
//!
//! # The made statement
//!
//! Nodes come first, by `MERGE` on their keys or by `CREATE`; then one `SET` for the further properties of merged nodes;
//! then the relationships. A property of a merged element has the value of the last row that met it, null included, which
//! removes it: what a plain `SET` does. A value is converted only where the column's own type is another: each conversion
//! has its price, `datetime` the highest.
//!
//! This flat form is the fastest on the embedded engine. Measured there, 42 nodes, batches of 1,000, debug build, rows/s:
//! flat 21,000; rows pointing into a list of distinct nodes 20,000; `MATCH` after a `MERGE` of the distinct keys 19,000; `SET n +=
//! {…}` instead of `SET n.a = …` costs a further fifth.

mod bind;
mod cast;
mod constraint;
mod declared;
pub mod dictionary;
mod lint;
mod reserved;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::cypher::{self, FaultKind, Made, Statement};
use super::{ElementSchema, GraphSchema};
use crate::message::Event;
use crate::spec::{Mapping, PropertyType};

pub use bind::bind;
pub use cast::{Cast, fits};
pub use dictionary::Dictionary;
pub use lint::{Finding, FindingKind, findings};
pub use reserved::{ID, sets_id};

/// A column of the rows, as a mapping sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its values are in an `event`.
    pub kind: ColumnKind,
}

/// What the values of a column are. Dates and times are ISO-8601 text in an `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A floating-point number; NaN and the infinities are text.
    Float,
    /// Text, and what is written as text for want of a better form: decimals with all their digits, times, binary values.
    Text,
    /// A date as text.
    Date,
    /// A date and time without a zone, as text.
    LocalDatetime,
    /// A date and time with a zone, as text.
    Datetime,
    /// Anything else, or nothing that is known.
    Other,
}

impl ColumnKind {
    /// The type of a property that is given the value as it is.
    const fn property(self) -> Option<PropertyType> {
        match self {
            Self::Boolean => Some(PropertyType::Boolean),
            Self::Integer => Some(PropertyType::Integer),
            Self::Float => Some(PropertyType::Float),
            Self::Text | Self::Date | Self::LocalDatetime | Self::Datetime => Some(PropertyType::String),
            Self::Other => None,
        }
    }
}

/// A mapping, ready to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledMapping {
    /// The statement, the constraints and what it writes, as [`super::GraphStore::prepare`] wants them.
    pub schema: GraphSchema,
    /// What the statement makes, for checks against it.
    pub made: Made,
    /// Columns without whose value a row cannot be written.
    pub required: Vec<Required>,
    statement: Statement,
}

/// A column that must have a value, since an element is told from others by it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Required {
    /// The column.
    pub column: String,
    /// The label or type of the element.
    pub element: String,
    /// The property that the column feeds.
    pub property: String,
}

/// Why a mapping cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// Neither form is there, or both are.
    #[error("a mapping is either `cypher`, or `nodes` and `relationships`")]
    Form,
    /// A relationship begins or ends at a node that is not there.
    #[error("relationship {kind} names the node {node}, which `nodes` does not have")]
    UnknownNode {
        /// The relationship's type.
        kind: String,
        /// The name.
        node: String,
    },
    /// Two nodes have the same name.
    #[error("two of the nodes are called {0}")]
    DuplicateNode(String),
    /// A merged node has no keys.
    #[error("node {0} is merged, but has no keys")]
    MergeWithoutKey(String),
    /// A property is a key as well as a further property, so that it has two values.
    #[error("{element} has {property} as a key and as a property")]
    PropertyTwice {
        /// The label or type.
        element: String,
        /// The property.
        property: String,
    },
    /// The Cypher is broken in any dialect.
    #[error("the Cypher cannot be read")]
    Malformed {
        /// What is wrong.
        fault: FaultKind,
        /// Where, in bytes of its text.
        range: Range<usize>,
    },
    /// The Cypher has a clause that a mapping cannot have.
    #[error("a mapping cannot have {clause}")]
    Clause {
        /// The clause's keyword.
        clause: &'static str,
        /// Where, in bytes of the text.
        range: Range<usize>,
    },
}

/// Compiles a mapping. `columns` are those of an `event`, where they are known.
///
/// # Errors
///
/// Everything because of which no statement can be made.
pub fn compile(mapping: &Mapping, columns: Option<&[Column]>) -> Result<CompiledMapping, Vec<MappingError>> {
    let declared = !mapping.nodes.is_empty() || !mapping.relationships.is_empty();
    match &mapping.cypher {
        Some(text) if !declared => written(mapping, text, columns),
        None if declared => {
            let made = declared::statement(mapping, columns)?;
            let statement = cypher::read(&made.text);
            let mut compiled = assemble(made.text, statement, columns);
            compiled.required = made.required;
            compiled.schema.dictionary = dictionary::dictionary(mapping, columns).map(Arc::new);
            if mapping.indexes == crate::spec::Indexes::Auto {
                compiled.schema.constraints = made.constraints;
            }
            Ok(compiled)
        }
        _ => Err(vec![MappingError::Form]),
    }
}

/// The user's own Cypher.
fn written(
    mapping: &Mapping,
    text: &str,
    columns: Option<&[Column]>,
) -> Result<CompiledMapping, Vec<MappingError>> {
    let read = cypher::read(text);
    let malformed = read
        .faults
        .iter()
        .map(|fault| MappingError::Malformed { fault: fault.kind.clone(), range: fault.range.clone() });
    let refused =
        lint::refused(&read).into_iter().map(|(clause, range)| MappingError::Clause { clause, range });
    let errors: Vec<MappingError> = malformed.chain(refused).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let plain = read.plain_text(text);
    // The text lost its comments only, each byte at its place: what was read of it still holds.
    let mut compiled = assemble(plain, read, columns);
    compiled.required = constraint::required(&compiled.statement);
    if mapping.indexes == crate::spec::Indexes::Auto {
        compiled.schema.constraints = constraint::of_statement(&compiled.statement, text);
    }
    Ok(compiled)
}

fn assemble(text: String, statement: Statement, columns: Option<&[Column]>) -> CompiledMapping {
    let column_type = |name: &str| column(columns, name).and_then(|column| column.kind.property());
    let made = statement.made(&column_type);
    let elements = |of: &std::collections::BTreeMap<String, cypher::MadeProperties>| {
        of.iter()
            .map(|(name, properties)| ElementSchema {
                name: name.clone(),
                properties: properties.known.keys().cloned().collect(),
            })
            .collect()
    };
    let schema = GraphSchema {
        statement: Arc::from(text),
        dictionary: None,
        constraints: Vec::new(),
        nodes: elements(&made.nodes),
        relationships: elements(&made.relationships),
    };
    CompiledMapping { schema, made, required: Vec::new(), statement }
}

fn column<'a>(columns: Option<&'a [Column]>, name: &str) -> Option<&'a Column> {
    columns?.iter().find(|column| column.name == name)
}

impl CompiledMapping {
    /// The first column that a row must have a value in and has none: such a row is at fault, and the engine would say so
    /// in less helpful words.
    #[must_use]
    pub fn missing(&self, event: &Event) -> Option<&Required> {
        self.required.iter().find(|required| event.get(&required.column).is_none_or(Value::is_null))
    }

    /// The statement for one row, its values written into the text: for reading, not for running.
    #[must_use]
    pub fn bind(&self, event: &Value) -> String {
        bind(&self.schema.statement, &self.statement, event)
    }
}
