//! `source:` the rows. Parquet files are read by `DataFusion`, with the filter and the columns pushed into the reader, and each
//! row becomes a message.
//!
//! - Files are read one after the other in the order of their names, in one partition, so that row n of a file is the same row
//!   on each run: what [`Batch::ordinals`] says. Memory is bounded by a batch and a row group's pages, not by the file.
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
