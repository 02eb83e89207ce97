//! What can be wrong with a source, with all that validation needs to place it and to give advice.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The key of `source:` that a fault is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// An entry of `parquet`, from 0; a single text is entry 0.
    Parquet(usize),
    /// A look-up table of `tables`.
    Table(String),
    /// `filter`.
    Filter,
    /// An entry of `select`, from 0.
    Select(usize),
    /// `objectStore`.
    ObjectStore,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parquet(index) => write!(f, "parquet[{index}]"),
            Self::Table(name) => write!(f, "tables.{name}"),
            Self::Filter => f.write_str("filter"),
            Self::Select(index) => write!(f, "select[{index}]"),
            Self::ObjectStore => f.write_str("objectStore"),
        }
    }
}

/// What is wrong with a source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// An entry of `parquet` leads to no file.
    #[error("{looked_for}")]
    NoFile {
        /// The entry.
        key: Key,
        /// What was looked for, and where.
        looked_for: String,
        /// The files that lie beside it.
        near: Vec<String>,
    },
    /// An entry of `parquet`, or a look-up table, cannot be taken as it is written.
    #[error("`{text}` {why}")]
    Address {
        /// The entry.
        key: Key,
        /// The entry's text.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file is there and cannot be read.
    #[error("cannot read `{name}`: {why}")]
    Unreadable {
        /// The key that names it; none while rows are read.
        key: Option<Key>,
        /// The file, as the source lists it.
        name: String,
        /// The cause.
        why: String,
    },
    /// A file is not what it should be: parquet, or a look-up table's format.
    #[error("`{name}` is no valid {format} file: {why}")]
    Malformed {
        /// The key that names it.
        key: Key,
        /// The file, as the source lists it.
        name: String,
        /// `parquet`, `CSV` or `JSON lines`.
        format: &'static str,
        /// The cause.
        why: String,
    },
    /// A look-up table is larger than look-up tables may be.
    #[error("the look-up table is too large: {size}, at most {limit}")]
    TableTooLarge {
        /// The table.
        key: Key,
        /// Its size, with the unit.
        size: String,
        /// The limit, with the unit.
        limit: String,
    },
    /// The secret for the object store cannot be had.
    #[error("the secret access key cannot be had: {why}")]
    Secret {
        /// What was tried.
        why: String,
    },
    /// A column that is used has types in two files that do not go together.
    #[error(transparent)]
    ColumnConflict(Box<ColumnConflict>),
    /// Something in an SQL text.
    #[error("{fault}")]
    Sql {
        /// The text's key.
        key: Key,
        /// The bytes of the text that are at fault.
        range: Range<usize>,
        /// What is wrong.
        fault: SqlFault,
    },
    /// Two entries of `select` give the same name.
    #[error("two entries of `select` are named `{name}`")]
    DuplicateOutput {
        /// The later entry.
        key: Key,
        /// The name.
        name: String,
        /// The earlier entry.
        first: usize,
    },
    /// A column's type has no form in JSON.
    #[error("column `{column}` has type {data_type}, which has no form in a message")]
    Unencodable {
        /// The entry of `select`; none where `select` is left out.
        key: Option<Key>,
        /// The column of `select`.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// The key column is not one of the columns.
    #[error("there is no column `{column}` for the key")]
    NoKeyColumn {
        /// The column.
        column: String,
    },
    /// A file is not the one that was looked at when the source was opened.
    #[error("`{name}` was changed while it was being used")]
    Changed {
        /// The file.
        name: Arc<str>,
    },
    /// The row after which to go on is not in the source.
    #[error("cannot go on after row {ordinal} of `{file}`: {why}")]
    NoSuchRow {
        /// The file.
        file: Arc<str>,
        /// The row.
        ordinal: u64,
        /// Why it is not there.
        why: &'static str,
    },
    /// The planner fails for a reason of its own.
    #[error("filter and columns cannot be planned: {why}")]
    Planner {
        /// The cause.
        why: String,
    },
    /// A row's value breaks an expression of `filter` or `select`, such as a cast of a text that is no number.
    #[error("{place}: {why}")]
    Row {
        /// The expression; none where it is not one of them alone.
        key: Option<Key>,
        /// The file and the row, or the rows being read.
        place: String,
        /// The cause.
        why: String,
    },
    /// A row of a test does not fit the source's columns.
    #[error("row {row}: {why}")]
    TestRow {
        /// The row's number in the test, from 0.
        row: usize,
        /// The column at fault, where it is one that the row gives.
        column: Option<String>,
        /// The cause.
        why: String,
        /// The columns there are, where the row names another.
        known: Vec<String>,
    },
}

/// A column that is used and has types in two files that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` is {other_type} in `{other}` but {first_type} in `{first}`")]
pub struct ColumnConflict {
    /// Where the column is used; none where `select` is left out and so every column is used.
    pub used: Option<(Key, Range<usize>)>,
    /// The column.
    pub column: String,
    /// The first file that has it.
    pub first: Arc<str>,
    /// Its type there, in SQL's words.
    pub first_type: String,
    /// The file that disagrees.
    pub other: Arc<str>,
    /// Its type there.
    pub other_type: String,
}

/// What is wrong in an SQL text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SqlFault {
    /// It is not SQL.
    #[error("{0}")]
    Syntax(String),
    /// A column that is not there.
    #[error("there is no column `{name}`")]
    UnknownColumn {
        /// The name as it is written.
        name: String,
        /// The columns there are.
        known: Vec<String>,
        /// Whether it stands in double quotes, as a text must not.
        quoted: bool,
    },
    /// A function that is not there.
    #[error("there is no function `{name}`")]
    UnknownFunction {
        /// The name as it is written.
        name: String,
        /// The functions there are.
        known: Vec<String>,
    },
    /// A table that is not declared.
    #[error("there is no look-up table `{name}`")]
    UnknownTable {
        /// The name as it is written.
        name: String,
        /// The tables of `source.tables`.
        known: Vec<String>,
    },
    /// A subquery that depends on the row; it could not be resolved before the rows are read.
    #[error("a subquery may name look-up tables only: `{column}` is a column of the source")]
    Correlated {
        /// The column.
        column: String,
    },
    /// A subquery with more values than a filter may hold.
    #[error("the subquery gives more than {limit} values")]
    TooManyValues {
        /// How many are allowed.
        limit: usize,
    },
    /// Something that is allowed in SQL but not here.
    #[error("{what}: {why}")]
    NotAllowed {
        /// What stands there.
        what: String,
        /// Why it may not.
        why: &'static str,
    },
    /// Types that do not go together.
    #[error("{0}")]
    Type(String),
    /// A select entry that is an expression and has no name.
    #[error("an expression needs a name: `… AS name`")]
    Unnamed,
}

impl SourceError {
    /// The key of `source:` that the fault is about, where there is one.
    #[must_use]
    pub fn key(&self) -> Option<&Key> {
        match self {
            Self::NoFile { key, .. }
            | Self::Address { key, .. }
            | Self::Malformed { key, .. }
            | Self::TableTooLarge { key, .. }
            | Self::Sql { key, .. }
            | Self::DuplicateOutput { key, .. } => Some(key),
            Self::Unreadable { key, .. } | Self::Unencodable { key, .. } | Self::Row { key, .. } => {
                key.as_ref()
            }
            Self::ColumnConflict(conflict) => conflict.used.as_ref().map(|(key, _)| key),
            Self::Secret { .. } => Some(&Key::ObjectStore),
            _ => None,
        }
    }

    /// The bytes of the key's text that are at fault, where it is only a part.
    #[must_use]
    pub fn range(&self) -> Option<Range<usize>> {
        match self {
            Self::Sql { range, .. } => Some(range.clone()),
            Self::ColumnConflict(conflict) => conflict.used.as_ref().map(|(_, range)| range.clone()),
            _ => None,
        }
    }

    /// The names that could have been meant.
    #[must_use]
    pub fn known(&self) -> &[String] {
        match self {
            Self::Sql {
                fault:
                    SqlFault::UnknownColumn { known, .. }
                    | SqlFault::UnknownFunction { known, .. }
                    | SqlFault::UnknownTable { known, .. },
                ..
            }
            | Self::TestRow { known, .. } => known,
            Self::NoFile { near, .. } => near,
            _ => &[],
        }
    }
}

/// What will hurt, though the source can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceWarning {
    /// The filter is the same for every row.
    #[error("the filter is {value} for every row")]
    ConstantFilter {
        /// `true`, `false` or `null`.
        value: &'static str,
    },
    /// A subquery gives nothing: an empty list, or null.
    #[error("the subquery gives no value")]
    EmptyLookup {
        /// The text's key.
        key: Key,
        /// The bytes of the subquery.
        range: Range<usize>,
    },
    /// A text is compared with a number, by a cast that nobody wrote.
    #[error("`{left}` ({left_type}) is compared with `{right}` ({right_type}) by a cast")]
    ImplicitCast {
        /// The text's key.
        key: Key,
        /// The bytes of the comparison.
        range: Range<usize>,
        /// The left side.
        left: String,
        /// Its type.
        left_type: String,
        /// The right side.
        right: String,
        /// Its type.
        right_type: String,
    },
}
