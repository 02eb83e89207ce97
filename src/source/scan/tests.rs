//! What the reader leaves unread.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::File;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Compression;
use datafusion::parquet::file::properties::WriterProperties;
use futures::TryStreamExt;

use super::*;
use crate::source::{Dataset, open};

const ROWS: usize = 10_000;
const ROWS_PER_GROUP: usize = 1_000;
/// The same as [`ROWS`].
const ALL: u64 = 10_000;

/// A file with a column `n` that counts up and a column `ballast` that is a hundred times as large.
async fn opened(filter: &str, select: &str) -> (tempfile::TempDir, Dataset) {
    let folder = tempfile::tempdir().unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values((0_i64..).take(ROWS)))),
        ("ballast", Arc::new(StringArray::from_iter_values((0..ROWS).map(|n| format!("{n:0>800}"))))),
    ];
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
        .set_compression(Compression::UNCOMPRESSED)
        .set_dictionary_enabled(false)
        .build();
    let file = File::create(folder.path().join("n.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
    writer.write(&rows).unwrap();
    writer.close().unwrap();
    std::fs::write(folder.path().join("wanted.csv"), "id\n2500\n2600\n9999\n").unwrap();

    let yaml = format!(
        "{{ parquet: n.parquet, tables: {{ wanted: wanted.csv }}, select: [{select}], filter: '{filter}' }}"
    );
    let source = serde_yaml::from_str(&yaml).unwrap();
    let dataset = open(&source, folder.path(), &|_| Err(String::new())).await.unwrap();
    (folder, dataset)
}

#[derive(Debug, Default)]
struct Read {
    rows: usize,
    bytes: usize,
    pruned: usize,
}

/// Reads rows of a file.
async fn read(dataset: &Dataset, rows: Range<u64>) -> Read {
    let reader = dataset.plan.reader(&dataset.files()[0], &rows, None).unwrap();
    let batches: Vec<RecordBatch> =
        reader.execute(0, Arc::clone(&dataset.context)).unwrap().try_collect().await.unwrap();
    let metrics = reader.metrics().unwrap();
    let pruned = metrics.sum_by_name("row_groups_pruned_statistics").unwrap().to_string();
    let value = |name: &str| metrics.sum_by_name(name).unwrap().as_usize();
    // Shown as `10 total → 3 matched`.
    let matched = pruned.split_whitespace().rev().nth(1).and_then(|count| count.parse::<usize>().ok());
    Read {
        rows: batches.iter().map(RecordBatch::num_rows).sum(),
        bytes: value("bytes_scanned"),
        pruned: ROWS / ROWS_PER_GROUP - matched.unwrap_or_else(|| panic!("{pruned}")),
    }
}

#[tokio::test]
async fn row_groups_that_statistics_rule_out_are_not_read() {
    let (_folder, dataset) = opened("n >= 4500 AND n < 5500", "n").await;
    let read = read(&dataset, 0..ALL).await;
    assert_eq!(read.pruned, 8, "{read:?}");
    assert!(read.rows <= 2 * ROWS_PER_GROUP, "{read:?}");
}

#[tokio::test]
async fn a_look_up_prunes_row_groups_as_literals_do() {
    let (_folder, dataset) = opened("n IN (SELECT id FROM wanted)", "n").await;
    let read = read(&dataset, 0..ALL).await;
    assert_eq!(read.pruned, 8, "{read:?}");
}

#[tokio::test]
async fn a_list_too_long_for_the_statistics_prunes_by_its_least_and_greatest_value() {
    let list: Vec<String> = (0..200).map(|n| (3_200 + 7 * n).to_string()).collect();
    let (_folder, dataset) = opened(&format!("n IN (null, {})", list.join(", ")), "n").await;
    let read = read(&dataset, 0..ALL).await;
    assert_eq!(read.pruned, 8, "{read:?}");
}

#[tokio::test]
async fn columns_that_nobody_asks_for_are_not_read() {
    let (_folder, narrow) = opened("n % 2 = 0", "n").await;
    let (_folder, wide) = opened("n % 2 = 0", "n, ballast").await;
    let (narrow, wide) = (read(&narrow, 0..ALL).await, read(&wide, 0..ALL).await);
    assert_eq!((narrow.rows, wide.rows), (ROWS, ROWS));
    assert!(narrow.bytes * 20 < wide.bytes, "{narrow:?} {wide:?}");
}

#[tokio::test]
async fn rows_before_and_behind_the_wanted_ones_are_not_read() {
    let (_folder, dataset) = opened("true", "n").await;
    let (whole, rest) = (read(&dataset, 0..ALL).await, read(&dataset, 8_500..ALL).await);
    assert_eq!((whole.rows, rest.rows), (ROWS, 1_500));
    assert!(rest.bytes * 3 < whole.bytes, "{rest:?} {whole:?}");
    let middle = read(&dataset, 4_500..6_000).await;
    assert_eq!(middle.rows, 1_500);
    assert!(middle.bytes * 3 < whole.bytes, "{middle:?} {whole:?}");
}
