//! Row groups side by side: while one is handed on, the ones behind it are read on other threads.
//!
//! Rows come out in their order all the same. What is read ahead waits in memory, so there is a bound on it, in bytes, for each of
//! the stretches; a file of any size takes no more. Measured: see `docs/benchmarks.md`.

use std::collections::VecDeque;
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::cache::default_cache::DefaultCache;
use futures::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::{Part, Scan};
use crate::source::dataset::{Batch, DataFile};
use crate::source::error::SourceError;

/// The most stretches that are read at a time: each holds the compressed columns of a row group in memory.
pub(in crate::source) const MOST_AT_ONCE: usize = 4;
/// How many rows a stretch has at least, unless its file ends: opening one should not be felt.
pub(super) const STRETCH_ROWS: u64 = 128 * 1024;
/// How much of a stretch may wait to be handed on, in KiB.
const AHEAD_KIB: u32 = 8 * 1024;
/// How much of a footer is kept, in bytes.
const FOOTER_BYTES: usize = 16 * 1024 * 1024;

/// The batches of a scan, in its order; `at_once` stretches of `rows` rows or more are read at a time.
pub(super) fn read(
    scan: Scan,
    at_once: usize,
    rows: u64,
) -> impl Stream<Item = Result<Batch, SourceError>> + Send + use<> {
    let ahead = Ahead { stretches: stretches(scan, rows).into(), running: VecDeque::new(), at_once };
    futures::stream::try_unfold(ahead, |mut ahead| async move {
        let batch = ahead.next().await?;
        Ok(batch.map(|batch| (batch, ahead)))
    })
}

struct Ahead {
    /// What has not begun, in order.
    stretches: VecDeque<Scan>,
    /// What is read, in order: the first is handed on.
    running: VecDeque<Running>,
    at_once: usize,
}

/// A stretch that is read.
struct Running {
    batches: mpsc::UnboundedReceiver<(Result<Batch, SourceError>, OwnedSemaphorePermit)>,
    /// Ended when it is dropped.
    reading: SpawnedTask<()>,
}

impl Ahead {
    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        loop {
            while self.running.len() < self.at_once
                && let Some(stretch) = self.stretches.pop_front()
            {
                self.running.push_back(Running::new(stretch));
            }
            let Some(first) = self.running.front_mut() else { return Ok(None) };
            if let Some((batch, _room)) = first.batches.recv().await {
                return batch.map(Some);
            }
            // A panic there must not pass for the stretch's end. It is cancelled only when the runtime goes, and nobody asks then.
            let _ = first.reading.join_unwind_mut().await;
            self.running.pop_front();
        }
    }
}

impl Running {
    fn new(stretch: Scan) -> Self {
        let (send, batches) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(AHEAD_KIB as usize));
        let reading = SpawnedTask::spawn(async move {
            let mut read = std::pin::pin!(stretch.in_turn());
            while let Some(batch) = read.next().await {
                let size = batch.as_ref().map_or(1, kib);
                let Ok(room) = Arc::clone(&room).acquire_many_owned(size).await else { return };
                if send.send((batch, room)).is_err() {
                    return;
                }
            }
        });
        Self { batches, reading }
    }
}

/// How much room a batch takes, at most all that there is.
fn kib(batch: &Batch) -> u32 {
    let kib = batch.rows.get_array_memory_size() / 1024 + 1;
    u32::try_from(kib).unwrap_or(AHEAD_KIB).min(AHEAD_KIB)
}

/// The stretches of a scan: consecutive row groups of a file, of so many rows or more together.
fn stretches(scan: Scan, least: u64) -> Vec<Scan> {
    let mut stretches = Vec::new();
    for part in scan.parts {
        let Some(file) = scan.files.get(part.file) else { continue };
        let cut = cut(&part, file, least);
        let footer =
            (cut.len() > 1).then(|| Arc::new(DefaultCache::new(FOOTER_BYTES)) as Arc<FileMetadataCache>);
        stretches.extend(cut.into_iter().map(|part| Scan {
            plan: Arc::clone(&scan.plan),
            files: Arc::clone(&scan.files),
            context: Arc::clone(&scan.context),
            left: None,
            parts: VecDeque::from([part]),
            reader: None,
            footer: footer.clone(),
        }));
    }
    stretches
}

/// A part cut at the ends of row groups.
fn cut(part: &Part, file: &DataFile, least: u64) -> Vec<Part> {
    let (mut cut, mut begins, mut ends) = (Vec::new(), part.rows.start, 0);
    for rows in file.row_groups.iter() {
        ends += rows;
        if ends >= part.rows.end || ends.saturating_sub(begins) >= least {
            cut.push(Part { file: part.file, rows: begins..ends });
            begins = ends;
        }
    }
    cut.retain(|part| !part.rows.is_empty());
    cut
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use std::fs::File;
    use std::path::Path;

    use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
    use datafusion::arrow::datatypes::Int64Type;
    use datafusion::parquet::arrow::ArrowWriter;
    use datafusion::parquet::file::properties::WriterProperties;
    use futures::TryStreamExt;

    use super::*;
    use crate::message::RowId;
    use crate::source::{Dataset, open};

    /// Two files, of 95 and 30 rows in row groups of 10: `n` counts up through both.
    async fn opened(folder: &Path, filter: &str) -> Dataset {
        for (name, numbers) in [("a.parquet", 0..95_i64), ("b.parquet", 95..125)] {
            let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
            let rows = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
            let properties = WriterProperties::builder().set_max_row_group_row_count(Some(10)).build();
            let file = File::create(folder.join(name)).unwrap();
            let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).unwrap();
            writer.write(&rows).unwrap();
            writer.close().unwrap();
        }
        let source = serde_yaml::from_str(&format!("{{ parquet: ., filter: '{filter}' }}")).unwrap();
        open(&source, folder, &|_| Err(String::new())).await.unwrap()
    }

    fn scan(dataset: &Dataset, after: Option<&RowId>) -> Scan {
        let (plan, files) = (Arc::clone(&dataset.plan), Arc::clone(&dataset.files));
        Scan::new(plan, files, Arc::clone(&dataset.context), after, None).unwrap()
    }

    /// Each row's file, number and value; and how many rows were passed of each file.
    type Rows = (Vec<(String, u64, i64)>, Vec<u64>);

    async fn rows(batches: impl Stream<Item = Result<Batch, SourceError>>) -> Rows {
        let (mut rows, mut passed) = (Vec::new(), vec![0, 0]);
        for batch in batches.try_collect::<Vec<_>>().await.unwrap() {
            let numbers = batch.rows.column(0).as_primitive::<Int64Type>().values();
            let numbered = batch.ordinals.iter().zip(numbers);
            rows.extend(numbered.map(|(ordinal, n)| (batch.file.to_string(), *ordinal, *n)));
            passed[usize::from(&*batch.file == "b.parquet")] += batch.read;
        }
        (rows, passed)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn rows_read_side_by_side_come_out_as_those_read_in_turn() {
        let folder = tempfile::tempdir().unwrap();
        for filter in ["true", "n % 3 = 0", "n > 42 AND n < 99", "n = 124", "false"] {
            let dataset = opened(folder.path(), filter).await;
            for after in [None, Some(0), Some(14), Some(49), Some(94)] {
                let after = after.map(|ordinal| RowId { file: "a.parquet".into(), ordinal });
                let in_turn = rows(scan(&dataset, after.as_ref()).in_turn()).await;
                for (at_once, least) in [(1, 1), (2, 1), (4, 25), (3, 1_000)] {
                    let ahead = rows(read(scan(&dataset, after.as_ref()), at_once, least)).await;
                    assert_eq!(
                        ahead, in_turn,
                        "{filter} after {after:?}, {at_once} at once, {least} or more"
                    );
                }
            }
        }
    }

    #[tokio::test]
    async fn stretches_are_whole_row_groups_and_miss_no_row() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = opened(folder.path(), "true").await;
        let cut = |after: u64, least| {
            let after = RowId { file: "a.parquet".into(), ordinal: after };
            let stretches = stretches(scan(&dataset, Some(&after)), least);
            stretches.into_iter().map(|stretch| stretch.parts[0].rows.clone()).collect::<Vec<_>>()
        };
        assert_eq!(cut(14, 30), [15..50, 50..80, 80..95, 0..30]);
        assert_eq!(cut(94, 10), [0..10, 10..20, 20..30]);
        assert_eq!(cut(14, 1_000), [15..95, 0..30]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_waits_to_be_handed_on_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = opened(folder.path(), "true").await;
        let batch = scan(&dataset, None).next().await.unwrap().unwrap();
        assert!((1..AHEAD_KIB).contains(&kib(&batch)));
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(vec![0; 4 << 20]))];
        let large = RecordBatch::try_new(batch.rows.schema(), columns).unwrap();
        assert_eq!(kib(&Batch { rows: large, ..batch }), AHEAD_KIB);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_fault_comes_behind_the_rows_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let dataset = opened(folder.path(), "true").await;
        std::fs::write(folder.path().join("b.parquet"), "no parquet any more").unwrap();
        let mut read = std::pin::pin!(read(scan(&dataset, None), 4, 1));
        let mut passed = 0;
        let fault = loop {
            match read.next().await.unwrap() {
                Ok(batch) => passed += batch.read,
                Err(fault) => break fault,
            }
        };
        assert_eq!((passed, fault), (95, SourceError::Changed { name: "b.parquet".into() }));
        assert!(read.next().await.is_none());
    }
}
