//! `source:` the rows. Parquet files are read by `DataFusion`, with the filter and the columns pushed into the reader, and each
//! row becomes a message.
//!
//! - Rows come in the order of the files' names and of their places in them, so that row n of a file is the same row on each run:
//!   what [`Batch::ordinals`] says. Row groups, also of several files, are read side by side, and handed on in their order. Memory is
//!   bounded by a few row groups' pages and what waits to be handed on, not by the file.
//! - Row groups whose statistics rule them out are skipped, and so are those before the row that a scan goes on after.
//! - Columns are named as in the files, upper and lower case apart. An entry of `select` that is a column's bare name is that column,
//!   however odd the name; any other entry is SQL, and where it is more than a column it needs `AS name`. `*` is every column.
//! - A filter or a column is about one row: aggregates, window functions and functions whose value differs from run to run are refused.
//!   Subqueries may name look-up tables, not the row; they are run once, and their values take their place.
//! - What each type becomes in a message, [`Encoder`]'s module says.

mod blame;
mod columns;
mod dataset;
mod encode;
mod error;
mod files;
mod footer;
mod memory;
mod scan;
mod sql;
mod stores;
mod tables;

pub use columns::{Column, sql_type};
pub use dataset::{Batch, DataFile, Dataset, SecretReader, open};
pub use encode::Encoder;
pub use error::{ColumnConflict, Key, SourceError, SourceWarning, SqlFault};
pub use tables::Lookup;

#[cfg(test)]
mod tests;
