//! What a source gives, on the examples' files and on files made for the case.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod examples;
mod faults;
mod listing;
mod lookups;
mod memory;
mod remote;
mod scanning;
mod types;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use futures::TryStreamExt;

use super::*;
use crate::message::{Message, RowId};
use crate::spec;

/// The folder of the examples' pipelines.
fn pipelines() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines"))
}

/// A `source:` as it is written in a file.
fn source(yaml: &str) -> spec::Source {
    serde_yaml::from_str(yaml).unwrap()
}

fn no_secrets(_: &spec::SecretSource) -> Result<String, String> {
    Err("there are no secrets in tests".to_owned())
}

async fn opened(base: &Path, yaml: &str) -> Dataset {
    open(&source(yaml), base, &no_secrets).await.unwrap()
}

async fn refused(base: &Path, yaml: &str) -> Vec<SourceError> {
    open(&source(yaml), base, &no_secrets).await.unwrap_err()
}

async fn batches(dataset: &Dataset, after: Option<&RowId>, limit: Option<u64>) -> Vec<Batch> {
    dataset.scan(after, limit).try_collect().await.unwrap()
}

async fn messages(dataset: &Dataset, after: Option<&RowId>, limit: Option<u64>) -> Vec<Message> {
    let encoder = Encoder::new(&dataset.columns(), None, "digest".into()).unwrap();
    batches(dataset, after, limit).await.iter().flat_map(|batch| encoder.encode(batch).unwrap()).collect()
}

/// The values of messages as text.
fn values(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8(message.value.clone()).unwrap()).collect()
}

/// Writes a parquet file with so many rows to a row group.
fn write(path: &Path, columns: Vec<(&str, ArrayRef)>, rows_per_group: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(rows_per_group)).build();
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
}

/// A file with a column `n` that counts up.
fn counting(path: &Path, numbers: std::ops::Range<i64>) {
    use datafusion::arrow::array::Int64Array;
    write(path, vec![("n", Arc::new(Int64Array::from_iter_values(numbers)))], 10);
}
