//! Rows as messages: each row a JSON object, its columns in the order of `select`.
//!
//! | type | in JSON |
//! |---|---|
//! | null, of any type | `null`, never left out |
//! | boolean, text | as JSON has them |
//! | integer | a number with all its digits, also beyond 2^53 |
//! | float | a number, the shortest that reads back to the same value; NaN and the infinities as `"NaN"`, `"Infinity"`, `"-Infinity"`, which Cypher's `toFloat` reads |
//! | decimal | a text with all its digits, `"12.30"`, since most readers take JSON's numbers for floats; Cypher's `toFloat` reads it |
//! | date | `"2022-03-01"` |
//! | time | `"08:30:00"`; 3, 6 or 9 digits of a second where they are not zero |
//! | timestamp | a local date-time, `"2022-03-01T00:13:08"` |
//! | timestamp with a zone | the time there with its offset, `"2022-03-01T00:13:08-05:00"`, or `Z` |
//! | duration, interval | ISO 8601, `"P1M2DT3.5S"`, as Cypher's `duration` reads it |
//! | binary | base64 |
//! | list | an array |
//! | struct, map | an object; a key that is no text becomes one |
//! | dictionary | as its values |
//!
//! Unions and run-end encoded columns, which parquet files do not hold, are refused.

mod time;
mod value;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::DataType;

pub(super) use self::value::is_encodable;

use self::value::Writer;
use super::columns::{Column, sql_type};
use super::dataset::Batch;
use super::error::SourceError;
use crate::message::{Message, Origin, RowId};

/// Makes messages of rows.
#[derive(Debug, Clone)]
pub struct Encoder {
    /// What stands before each value: `{"name":` or `,"name":`.
    prefixes: Vec<Vec<u8>>,
    key: Option<usize>,
    digest: Arc<str>,
}

impl Encoder {
    /// An encoder of rows with these columns. The key of a message is the JSON text of the key column's value; where that is
    /// null, there is none.
    ///
    /// # Errors
    ///
    /// Each column whose type has no form in JSON, and a key column that is not there.
    pub fn new(columns: &[Column], key: Option<&str>, digest: Arc<str>) -> Result<Self, Vec<SourceError>> {
        let mut faults: Vec<SourceError> = columns
            .iter()
            .filter(|column| !value::is_encodable(&column.data_type))
            .map(|column| SourceError::Unencodable {
                key: None,
                column: column.name.clone(),
                data_type: sql_type(&column.data_type),
            })
            .collect();
        let place = |name: &str| columns.iter().position(|column| column.name == name);
        let key_place = key.and_then(place);
        if let (Some(column), None) = (key, key_place) {
            faults.push(SourceError::NoKeyColumn { column: column.to_owned() });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let prefixes = value::prefixes(columns.iter().map(|column| column.name.as_str()));
        Ok(Self { prefixes, key: key_place, digest })
    }

    /// The rows of a batch as messages, in order.
    ///
    /// # Errors
    ///
    /// A batch with other columns than the encoder was made for.
    pub fn encode(&self, batch: &Batch) -> Result<Vec<Message>, SourceError> {
        /// More than the values of two rows in a row are likely to differ in length.
        const SLACK: usize = 16;
        let writers = self.writers(batch)?;
        let mut messages = Vec::with_capacity(batch.ordinals.len());
        let mut length = 0;
        for (row, ordinal) in batch.ordinals.iter().enumerate() {
            let mut value = Vec::with_capacity(length + SLACK);
            write_object(&self.prefixes, &writers, row, &mut value);
            length = value.len();
            messages.push(Message {
                key: self.key.and_then(|key| writers.get(key)).and_then(|key| write_key(key, row)),
                value,
                origin: Origin {
                    row: RowId { file: Arc::clone(&batch.file), ordinal: *ordinal },
                    lineage: Arc::clone(&batch.lineage),
                    digest: Arc::clone(&self.digest),
                },
            });
        }
        Ok(messages)
    }

    fn writers<'a>(&self, batch: &'a Batch) -> Result<Vec<Writer<'a>>, SourceError> {
        let unencodable = |column: usize, data_type: &DataType| SourceError::Unencodable {
            key: None,
            column: batch
                .rows
                .schema_ref()
                .fields()
                .get(column)
                .map(|field| field.name().clone())
                .unwrap_or_default(),
            data_type: sql_type(data_type),
        };
        if batch.rows.num_columns() != self.prefixes.len() {
            return Err(unencodable(self.prefixes.len(), &DataType::Null));
        }
        let columns = batch.rows.columns().iter().enumerate();
        columns
            .map(|(place, column)| {
                value::writer(column.as_ref()).ok_or_else(|| unencodable(place, column.data_type()))
            })
            .collect()
    }
}

/// The values of an array as JSON values; none where its type has no form in JSON.
pub(super) fn values(array: &ArrayRef) -> Option<Vec<serde_json::Value>> {
    let writer = value::writer(array.as_ref())?;
    let mut text = Vec::new();
    (0..array.len())
        .map(|row| {
            text.clear();
            writer.write(row, &mut text);
            serde_json::from_slice(&text).ok()
        })
        .collect()
}

fn write_object(prefixes: &[Vec<u8>], writers: &[Writer<'_>], row: usize, out: &mut Vec<u8>) {
    if prefixes.is_empty() {
        out.push(b'{');
    }
    for (prefix, writer) in prefixes.iter().zip(writers) {
        out.extend_from_slice(prefix);
        writer.write(row, out);
    }
    out.push(b'}');
}

fn write_key(writer: &Writer<'_>, row: usize) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    writer.write(row, &mut key);
    (key != b"null").then_some(key)
}

#[cfg(test)]
mod tests;
