//! How the values of a column become those of a property.

use super::ColumnKind;
use crate::spec::PropertyType;

/// Whether the values of a column can become those of a property at all: a number is no date, and the text of a date no number.
#[must_use]
pub const fn fits(from: ColumnKind, to: PropertyType) -> bool {
    match to {
        PropertyType::String => true,
        PropertyType::Datetime | PropertyType::LocalDatetime | PropertyType::Date => {
            !matches!(from, ColumnKind::Boolean | ColumnKind::Integer | ColumnKind::Float)
        }
        PropertyType::Boolean | PropertyType::Integer | PropertyType::Float => {
            !matches!(from, ColumnKind::Date | ColumnKind::LocalDatetime | ColumnKind::Datetime)
        }
    }
}

/// What is done to a value, by the functions of Cypher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cast {
    /// Nothing.
    None,
    /// `toBoolean`.
    Boolean,
    /// `toInteger`.
    Integer,
    /// `toFloat`.
    Float,
    /// `toString`.
    Text,
    /// `datetime`.
    Datetime,
    /// `localdatetime`.
    LocalDatetime,
    /// `localdatetime(datetime(…))`: what the clocks there showed.
    LocalOfDatetime,
    /// `date`.
    Date,
    /// `date(localdatetime(…))`: the text of a date-time is no date's, so it is read as what it is, and cut.
    DateOfLocal,
    /// `date(datetime(…))`.
    DateOfDatetime,
}

impl Cast {
    /// From a column to a property of a type; of the column's own type where none is asked for.
    pub(super) const fn between(from: ColumnKind, to: Option<PropertyType>) -> Self {
        use ColumnKind as Of;
        use PropertyType as To;
        match (to, from) {
            (None, Of::Boolean | Of::Integer | Of::Text | Of::Other)
            | (Some(To::Boolean), Of::Boolean)
            | (Some(To::Integer), Of::Integer)
            | (Some(To::String), Of::Text | Of::Date | Of::LocalDatetime | Of::Datetime) => Self::None,
            (Some(To::Boolean), _) => Self::Boolean,
            (Some(To::Integer), _) => Self::Integer,
            // A float column holds NaN and the infinities as text.
            (None, Of::Float) | (Some(To::Float), _) => Self::Float,
            (Some(To::String), _) => Self::Text,
            (None, Of::Datetime) | (Some(To::Datetime), _) => Self::Datetime,
            (Some(To::LocalDatetime), Of::Datetime) => Self::LocalOfDatetime,
            (None, Of::LocalDatetime) | (Some(To::LocalDatetime), _) => Self::LocalDatetime,
            (Some(To::Date), Of::LocalDatetime) => Self::DateOfLocal,
            (Some(To::Date), Of::Datetime) => Self::DateOfDatetime,
            (None, Of::Date) | (Some(To::Date), _) => Self::Date,
        }
    }

    /// The expression for a value.
    pub(super) fn of(self, value: &str) -> String {
        let call = |function: &str| format!("{function}({value})");
        match self {
            Self::None => value.to_owned(),
            Self::Boolean => call("toBoolean"),
            Self::Integer => call("toInteger"),
            Self::Float => call("toFloat"),
            Self::Text => call("toString"),
            Self::Datetime => call("datetime"),
            Self::LocalDatetime => call("localdatetime"),
            Self::LocalOfDatetime => format!("localdatetime(datetime({value}))"),
            Self::Date => call("date"),
            Self::DateOfLocal => format!("date(localdatetime({value}))"),
            Self::DateOfDatetime => format!("date(datetime({value}))"),
        }
    }
}
