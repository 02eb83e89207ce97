//! Rows, their order and their numbers.

use datafusion::arrow::array::{Float64Array, Int32Array, Int64Array, StringArray};

use super::*;

/// Two files with 95 and 30 rows in row groups of 10: n counts up through both, t is a text.
fn two_files() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (file, numbers) in [("a.parquet", 0..95_i64), ("b.parquet", 95..125)] {
        let texts = numbers.clone().map(|n| (n % 7 != 0).then(|| format!("t{n}")));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("n", Arc::new(Int64Array::from_iter_values(numbers.clone()))),
            ("t", Arc::new(texts.collect::<StringArray>())),
        ];
        write(&folder.path().join(file), columns, 10);
    }
    folder
}

fn rows(messages: &[Message]) -> Vec<(String, u64)> {
    messages.iter().map(|message| (message.origin.row.file.to_string(), message.origin.row.ordinal)).collect()
}

#[tokio::test]
async fn ordinals_are_the_rows_numbers_in_their_file_whatever_is_pruned() {
    let folder = two_files();
    let dataset = opened(folder.path(), "{ parquet: ., filter: n >= 57 AND n <> 60 AND n < 110 }").await;
    let messages = messages(&dataset, None, None).await;
    let expected: Vec<(String, u64)> = (57..95)
        .filter(|n| *n != 60)
        .map(|n| ("a.parquet".to_owned(), n))
        .chain((0..15).map(|n| ("b.parquet".to_owned(), n)))
        .collect();
    assert_eq!(rows(&messages), expected);
    assert_eq!(values(&messages)[0], r#"{"n":57,"t":"t57"}"#);
}

#[tokio::test]
async fn read_counts_pruned_and_filtered_rows_and_is_exact_at_each_files_end() {
    let folder = two_files();
    for filter in ["n > 1000", "n < 3", "n = 94", "n % 2 = 0", "t IS NULL", "false", "null"] {
        let dataset = opened(folder.path(), &format!("{{ parquet: ., filter: '{filter}' }}")).await;
        let batches = batches(&dataset, None, None).await;
        let read = |file: &str| {
            batches.iter().filter(|batch| &*batch.file == file).map(|batch| batch.read).sum::<u64>()
        };
        assert_eq!((read("a.parquet"), read("b.parquet")), (95, 30), "{filter}");
    }
}

#[tokio::test]
async fn a_limit_ends_the_scan_at_the_last_row_taken() {
    let folder = two_files();
    let dataset = opened(folder.path(), "{ parquet: ., filter: n % 10 = 3 }").await;
    for (limit, read) in [(0, 0), (1, 4), (2, 14), (10, 94), (11, 104)] {
        let batches = batches(&dataset, None, Some(limit)).await;
        assert_eq!(batches.iter().map(|batch| batch.ordinals.len() as u64).sum::<u64>(), limit);
        assert_eq!(batches.iter().map(|batch| batch.read).sum::<u64>(), read, "limit {limit}");
    }
}

#[tokio::test]
async fn a_scan_after_any_row_is_the_rest_of_the_whole_scan() {
    let folder = two_files();
    for filter in ["true", "n % 3 = 0", "n > 42"] {
        let dataset = opened(folder.path(), &format!("{{ parquet: ., filter: '{filter}' }}")).await;
        let whole = messages(&dataset, None, None).await;
        assert_eq!(whole, messages(&dataset, None, None).await, "the same on each run");
        for file in dataset.files() {
            for ordinal in 0..file.rows {
                let after = RowId { file: Arc::clone(&file.name), ordinal };
                let rest: Vec<Message> =
                    whole.iter().filter(|message| message.origin.row > after).cloned().collect();
                assert_eq!(messages(&dataset, Some(&after), None).await, rest, "{filter} after {after}");
                let read: u64 =
                    batches(&dataset, Some(&after), None).await.iter().map(|batch| batch.read).sum();
                let before: u64 = dataset
                    .files()
                    .iter()
                    .take_while(|earlier| earlier.name != file.name)
                    .map(|earlier| earlier.rows)
                    .sum();
                assert_eq!(read, dataset.rows() - before - ordinal - 1);
            }
        }
    }
}

#[tokio::test]
async fn a_file_added_later_goes_on_where_the_rows_ended() {
    let folder = two_files();
    let first = opened(folder.path(), "{ parquet: ., filter: n % 3 = 0 }").await;
    let before = messages(&first, None, None).await;
    counting(&folder.path().join("c.parquet"), 200..240);
    let second = opened(folder.path(), "{ parquet: ., filter: n % 3 = 0 }").await;
    let after = messages(&second, None, None).await;
    assert_eq!(after[..before.len()], before[..]);
    let rest = messages(&second, before.last().map(|message| &message.origin.row), None).await;
    assert_eq!(rest, after[before.len()..]);
    assert_eq!(values(&rest)[0], r#"{"n":201,"t":null}"#);
}

#[tokio::test]
async fn going_on_after_a_row_that_is_not_there_is_a_fault() {
    let folder = two_files();
    let dataset = opened(folder.path(), "parquet: .").await;
    for (file, ordinal) in [("a.parquet", 95), ("z.parquet", 0)] {
        let after = RowId { file: file.into(), ordinal };
        let scanned: Result<Vec<Batch>, SourceError> = dataset.scan(Some(&after), None).try_collect().await;
        assert!(matches!(scanned, Err(SourceError::NoSuchRow { .. })), "{file} {ordinal}");
    }
}

#[tokio::test]
async fn a_file_that_is_changed_after_it_was_opened_is_a_fault() {
    let folder = two_files();
    let dataset = opened(folder.path(), "parquet: .").await;
    counting(&folder.path().join("b.parquet"), 0..31);
    let scanned: Result<Vec<Batch>, SourceError> = dataset.scan(None, None).try_collect().await;
    assert_eq!(scanned.unwrap_err(), SourceError::Changed { name: "b.parquet".into() });
}

#[tokio::test]
async fn a_nan_passes_a_filter_whether_or_not_statistics_would_prune_it() {
    let folder = tempfile::tempdir().unwrap();
    let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, f64::NAN, 3.0]));
    for rows_per_group in [1, 4] {
        let file = folder.path().join("nan.parquet");
        write(&file, vec![("x", Arc::clone(&values))], rows_per_group);
        let dataset = opened(folder.path(), "{ parquet: nan.parquet, filter: x > 2.5 }").await;
        assert_eq!(self::values(&messages(&dataset, None, None).await), [r#"{"x":"NaN"}"#, r#"{"x":3.0}"#]);
    }
}

#[tokio::test]
async fn columns_of_files_are_merged_by_name_and_widened() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("a.parquet"),
        vec![("id", Arc::new(Int32Array::from(vec![1]))), ("bad", Arc::new(Int32Array::from(vec![1])))],
        10,
    );
    write(
        &folder.path().join("b.parquet"),
        vec![
            ("bad", Arc::new(StringArray::from(vec!["x"]))),
            ("new", Arc::new(StringArray::from(vec!["y"]))),
            ("id", Arc::new(Int64Array::from(vec![1 << 60]))),
        ],
        10,
    );
    let dataset = opened(folder.path(), "{ parquet: ., select: [id, new] }").await;
    assert_eq!(
        values(&messages(&dataset, None, None).await),
        [r#"{"id":1,"new":null}"#, r#"{"id":1152921504606846976,"new":"y"}"#]
    );

    for (yaml, key) in [
        ("{ parquet: . }", None),
        ("{ parquet: ., select: [id, bad] }", Some("select[1]")),
        ("{ parquet: ., select: [id], filter: bad = 1 }", Some("filter")),
    ] {
        let faults = refused(folder.path(), yaml).await;
        assert_eq!(faults.len(), 1);
        assert_eq!(
            faults[0].to_string(),
            "column `bad` is VARCHAR in `b.parquet` but INTEGER in `a.parquet`"
        );
        assert_eq!(faults[0].key().map(ToString::to_string).as_deref(), key);
    }
}

#[tokio::test]
async fn an_empty_file_has_no_rows_and_no_batches() {
    let folder = tempfile::tempdir().unwrap();
    counting(&folder.path().join("a.parquet"), 0..0);
    counting(&folder.path().join("b.parquet"), 0..3);
    let dataset = opened(folder.path(), "parquet: .").await;
    assert_eq!(
        rows(&messages(&dataset, None, None).await),
        [("b.parquet".into(), 0), ("b.parquet".into(), 1), ("b.parquet".into(), 2)]
    );
}
