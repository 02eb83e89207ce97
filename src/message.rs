//! A message: one row on its way from the source to the graph, as Kafka carries it.

mod event;

use std::fmt;
use std::sync::Arc;

pub use event::{Event, EventReader};

/// The name of the header that says which row a message is: [`RowId`] as it is shown, `FILE:ORDINAL`.
pub const ROW_HEADER: &str = "runner.row";
/// The name of the header that says what stream it is of: `DIGEST/LINEAGE`, which all rows of a file share. Each header costs a producer
/// about 0.3 µs, so there are no more than these two.
pub const STREAM_HEADER: &str = "runner.stream";

/// Which row a message is: the file, and the row's number in it from 0, counted before the filter.
///
/// Files are read in name order and rows in file order, so identities of one partition only ever grow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// The file, as the source lists it.
    pub file: Arc<str>,
    /// The row's number in the file, from 0.
    pub ordinal: u64,
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.ordinal)
    }
}

/// Where a message comes from: what its headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Which row it is.
    pub row: RowId,
    /// The hash chain over the source's files up to this row's own: it changes when one of them is changed, or another is put
    /// between them, but not when one is added after.
    pub lineage: Arc<str>,
    /// The digest of the stream's definition, hexadecimal.
    pub digest: Arc<str>,
}

impl Origin {
    /// What the rows of a file share, as their headers have it: `DIGEST/LINEAGE`.
    #[must_use]
    pub fn stream(&self) -> String {
        format!("{}/{}", self.digest, self.lineage)
    }
}

/// One row, encoded: what Kafka carries and what the in-process topic carries alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The key: the JSON text of the key column's value; `None` where the topic has no key or the value is null.
    pub key: Option<Vec<u8>>,
    /// The row as a JSON object, its columns in the order of `select`.
    pub value: Vec<u8>,
    /// Which row it is, and by which definition.
    pub origin: Origin,
}
