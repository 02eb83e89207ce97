//! Configuration keys: what they are called, what their values must be, and what the built-in engine does
//! with them.

use std::fmt;

use serde_json::Value;

use crate::spec::Mode;

/// A configuration key of a procedure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfigKey {
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub kind: ConfigKind,
    /// Whether it must be there in the modes that accept it.
    pub required: bool,
    /// The value that stands for an absent one.
    pub default: Option<DefaultValue>,
    /// What it does, in a line.
    pub meaning: &'static str,
    /// What the built-in engine does with it.
    pub support: Support,
    /// The modes in which GDS accepts it.
    pub modes: &'static [Mode],
}

/// What the built-in engine does with a configuration key that GDS accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Support {
    /// It does what GDS does.
    Honoured,
    /// It is accepted and changes nothing, because it tunes a server (such as `concurrency`).
    NoEffect,
    /// Only the default is accepted, because any other value would change the result in a way that the engine
    /// lacks.
    OnlyDefault,
}

/// The value that stands for an absent one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum DefaultValue {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A truth value.
    Boolean(bool),
    /// A name.
    Text(&'static str),
    /// The list `['*']`: all labels or all types.
    Star,
}

impl DefaultValue {
    /// The same value as it would be written in a configuration.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Integer(value) => Value::from(value),
            Self::Number(value) => Value::from(value),
            Self::Boolean(value) => Value::from(value),
            Self::Text(value) => Value::from(value),
            Self::Star => Value::from(vec!["*"]),
        }
    }
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(formatter),
            Self::Number(value) => value.fmt(formatter),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Text(value) => value.fmt(formatter),
            Self::Star => formatter.write_str("['*']"),
        }
    }
}

/// What the value of a configuration key must be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ConfigKind {
    /// A whole number between `min` and `max`, both allowed.
    Integer {
        /// The lowest value allowed.
        min: i64,
        /// The highest value allowed.
        max: i64,
    },
    /// A number in a range.
    Number(Range),
    /// `true` or `false`.
    Boolean,
    /// Any text.
    Text,
    /// One of the names, in upper or lower case.
    OneOf(&'static [&'static str]),
    /// One of the scalers of [`SCALERS`], or a map such as `{type: 'log', offset: 1}`.
    Scaler,
    /// A node of the projected graph.
    Node,
    /// A node of the projected graph or a list of them.
    Nodes,
    /// The name of a projected relationship property.
    RelationshipProperty,
    /// The name of a projected node property.
    NodeProperty,
    /// A list of texts.
    Strings,
}

/// A range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The lower end.
    pub min: f64,
    /// Whether the lower end is itself allowed.
    pub min_allowed: bool,
    /// The upper end.
    pub max: f64,
    /// Whether the upper end is itself allowed.
    pub max_allowed: bool,
}

impl Range {
    fn contains(&self, value: f64) -> bool {
        let above = if self.min_allowed { value >= self.min } else { value > self.min };
        let below = if self.max_allowed { value <= self.max } else { value < self.max };
        above && below
    }
}

impl fmt::Display for Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.min_allowed { '[' } else { '(' };
        let close = if self.max_allowed { ']' } else { ')' };
        write!(formatter, "{open}{}, {}{close}", self.min, self.max)
    }
}

/// The names that `scaler` may have. The last two are deprecated in GDS, where they are accepted but not
/// documented.
pub const SCALERS: &[&str] =
    &["None", "MinMax", "Max", "Mean", "Log", "StdScore", "Center", "L1Norm", "L2Norm"];

impl ConfigKind {
    /// Whether the value is of this kind. A node may be written as a number or as a map that tells it from
    /// others; whether that node or that property exists is for others to find out.
    #[must_use]
    pub fn accepts(&self, value: &Value) -> bool {
        match self {
            Self::Integer { min, max } => {
                value.as_i64().is_some_and(|number| (*min..=*max).contains(&number))
            }
            Self::Number(range) => value.as_f64().is_some_and(|number| range.contains(number)),
            Self::Boolean => value.is_boolean(),
            Self::Text | Self::RelationshipProperty | Self::NodeProperty => {
                value.as_str().is_some_and(|text| !text.trim().is_empty())
            }
            Self::OneOf(names) => value.as_str().is_some_and(|text| is_one_of(text, names)),
            Self::Scaler => scaler_name(value).is_some_and(|name| is_one_of(name, SCALERS)),
            Self::Node => is_node(value),
            Self::Nodes => is_node(value) || value.as_array().is_some_and(|nodes| nodes.iter().all(is_node)),
            Self::Strings => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        }
    }
}

/// The name in a scaler that is written as a name or as a map with `type`.
#[must_use]
pub fn scaler_name(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("type").and_then(Value::as_str))
}

fn is_one_of(text: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(text))
}

fn is_node(value: &Value) -> bool {
    value.is_u64() || value.is_object()
}

impl fmt::Display for ConfigKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer { min, max: i64::MAX } => write!(formatter, "an integer of at least {min}"),
            Self::Integer { min, max } => write!(formatter, "an integer from {min} to {max}"),
            Self::Number(range) => write!(formatter, "a number in {range}"),
            Self::Boolean => formatter.write_str("true or false"),
            Self::Text => formatter.write_str("a text"),
            Self::OneOf(names) => write!(formatter, "one of {}", names.join(", ")),
            Self::Scaler => write!(formatter, "one of {}", SCALERS.join(", ")),
            Self::Node => formatter.write_str("a node"),
            Self::Nodes => formatter.write_str("a node or a list of nodes"),
            Self::RelationshipProperty => {
                formatter.write_str("the name of a projected relationship property")
            }
            Self::NodeProperty => formatter.write_str("the name of a projected node property"),
            Self::Strings => formatter.write_str("a list of texts"),
        }
    }
}
