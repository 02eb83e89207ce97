//! `source:` the rows. Parquet files are read by `DataFusion`, with the filter and the columns pushed into the reader, and each
//! row becomes a message.

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
