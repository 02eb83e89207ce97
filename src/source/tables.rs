//! Look-up tables: small, read whole.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Seek};
use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json;
use datafusion::object_store::ObjectStoreExt;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::file::reader::ChunkReader;
use indexmap::IndexMap;

use super::columns::Column;
use super::encode;
use super::error::{Key, SourceError};
use super::files::{self, Found};
use super::stores::{Stores, innermost, is_remote, words};
use crate::spec::secret;

/// How large a look-up table's file may be.
const MOST_MEBIBYTES: u64 = 64;
const MEBIBYTE: u64 = 1024 * 1024;
/// How many rows it may have.
const MOST_ROWS: usize = 1_000_000;

/// A look-up table.
#[derive(Debug, Clone)]
pub struct Lookup(RecordBatch);

impl Lookup {
    /// Its columns.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        Column::all(self.0.schema_ref())
    }

    /// How many rows it has.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The values of a column, as they would be in an `event`; none where there is no such column.
    #[must_use]
    pub fn values(&self, column: &str) -> Option<Vec<serde_json::Value>> {
        encode::values(self.0.column_by_name(column)?)
    }

    pub(super) fn batch(&self) -> &RecordBatch {
        &self.0
    }
}

#[derive(Clone, Copy)]
enum Format {
    Csv { delimiter: u8 },
    Parquet,
    JsonLines,
}

impl Format {
    fn of(text: &str) -> Option<Self> {
        let (_, extension) = text.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv { delimiter: b',' }),
            "tsv" => Some(Self::Csv { delimiter: b'\t' }),
            "parquet" => Some(Self::Parquet),
            "json" | "jsonl" | "ndjson" => Some(Self::JsonLines),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Csv { .. } => "CSV",
            Self::Parquet => "parquet",
            Self::JsonLines => "JSON lines",
        }
    }
}

/// The look-up tables of a source.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    pub loaded: BTreeMap<String, Lookup>,
    /// The names of those that could not be read.
    pub broken: Vec<String>,
}

/// Reads all look-up tables, and tells the faults of those that cannot be read.
///
/// The format goes by the extension: `csv` and `tsv` with a header (types are inferred from all rows, an empty field is null),
/// `parquet`, and `json`, `jsonl` or `ndjson` with an object a line.
pub(super) async fn load(
    tables: &IndexMap<String, String>,
    base: &Path,
    stores: &mut Stores<'_>,
) -> (Tables, Vec<SourceError>) {
    let mut found = Tables::default();
    let mut faults = Vec::new();
    for (name, text) in tables {
        match table(name, text, base, stores).await {
            Ok(table) => {
                found.loaded.insert(name.clone(), table);
            }
            Err(fault) => {
                found.broken.push(name.clone());
                faults.push(fault);
            }
        }
    }
    (found, faults)
}

async fn table(name: &str, text: &str, base: &Path, stores: &mut Stores<'_>) -> Result<Lookup, SourceError> {
    let key = Key::Table(name.to_owned());
    let too_large =
        |size: String, limit: String| SourceError::TableTooLarge { key: key.clone(), size, limit };
    // What is wrong with a query is told as that.
    let path = if is_remote(text) { text.split(['?', '#']).next().unwrap_or_default() } else { text };
    let format = Format::of(path).ok_or_else(|| SourceError::Address {
        key: key.clone(),
        text: secret::shown_address(text),
        why: "is none of .csv, .tsv, .parquet, .json, .jsonl and .ndjson".to_owned(),
    })?;
    let file = files::single(&key, text, base, stores).await?;
    if file.object.size > MOST_MEBIBYTES * MEBIBYTE {
        return Err(too_large(
            format!("{} MiB", file.object.size / MEBIBYTE),
            format!("{MOST_MEBIBYTES} MiB"),
        ));
    }
    let bytes = contents(&key, &file).await?;
    let batch = decode(format, bytes).map_err(|why| SourceError::Malformed {
        key: key.clone(),
        name: file.name.to_string(),
        format: format.name(),
        why,
    })?;
    if batch.num_rows() > MOST_ROWS {
        return Err(too_large(format!("{} rows", batch.num_rows()), format!("{MOST_ROWS} rows")));
    }
    Ok(Lookup(batch))
}

async fn contents(
    key: &Key,
    file: &Found,
) -> Result<impl Deref<Target = [u8]> + ChunkReader + use<>, SourceError> {
    let unreadable = |why| SourceError::Unreadable {
        key: Some(key.clone()),
        name: file.name.to_string(),
        why: words(why),
    };
    let object = file.store.objects.get(&file.object.location).await.map_err(unreadable)?;
    object.bytes().await.map_err(unreadable)
}

fn decode(
    format: Format,
    bytes: impl Deref<Target = [u8]> + ChunkReader + 'static,
) -> Result<RecordBatch, String> {
    let decoded = match format {
        Format::Csv { delimiter } => {
            let layout = csv::reader::Format::default().with_header(true).with_delimiter(delimiter);
            let mut text = Cursor::new(without_mark(&bytes));
            layout.infer_schema(&mut text, None).and_then(|(schema, _)| {
                text.rewind()?;
                let schema = Arc::new(schema);
                let rows = csv::ReaderBuilder::new(Arc::clone(&schema)).with_format(layout).build(text)?;
                together(&schema, rows)
            })
        }
        Format::JsonLines => {
            let mut text = BufReader::new(Cursor::new(without_mark(&bytes)));
            json::reader::infer_json_schema_from_seekable(&mut text, None).and_then(|(schema, _)| {
                let schema = Arc::new(schema);
                let rows = json::ReaderBuilder::new(Arc::clone(&schema)).build(text)?;
                together(&schema, rows)
            })
        }
        Format::Parquet => ParquetRecordBatchReaderBuilder::try_new(bytes)
            .and_then(|reader| {
                let schema = Arc::clone(reader.schema());
                let rows = reader.build()?;
                Ok(together(&schema, rows)?)
            })
            .map_err(|why| ArrowError::ParquetError(why.to_string())),
    };
    decoded.map_err(|why| innermost(&why))
}

/// A text without the byte order mark that spreadsheets put before it.
fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

fn together(
    schema: &SchemaRef,
    rows: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
) -> Result<RecordBatch, ArrowError> {
    let batches: Vec<RecordBatch> = rows.collect::<Result<_, _>>()?;
    concat_batches(schema, &batches)
}
