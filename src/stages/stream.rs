//! The stream stage: rows go from the source through the topic into the graph.
//!
//! Exactly once, on the embedded target, rests on three facts. A row has an identity, its file and its number in it,
//! which is the same on every run ([`crate::source`]). A transaction writes rows together with the checkpoint that says
//! which row was the last and which offset comes next ([`crate::graph`]). And a run begins after the checkpoint's row
//! ([`resume`]). So whatever moment a run is killed at, the next one goes on with the first row that is not in the graph.

mod dead_letters;
mod load;
mod produce;
mod resume;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use load::LoadError;
pub(super) use load::{WROTE_NOTHING, decode};
pub use resume::{Digest, Resume, ResumeError};

use super::Fault;
use super::deploy::Endpoints;
use super::journal::Summary;
use super::validate::Plan;
use crate::progress::{Event, Interrupt, Outcome, Progress, Stage};
use crate::report::{Check, Rows};
use crate::source::Dataset;
use crate::topic::memory;

/// The in-process topic has one partition: partitions are for parallel loaders, and the embedded graph has one writer.
pub(super) const PARTITION: u32 = 0;
/// How many messages wait in the topic at most: the stream's memory is bounded by this and one batch.
const TOPIC_CAPACITY: usize = 4_096;
/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// What the stream stage did.
#[derive(Debug, Clone, Default)]
pub struct Streamed {
    /// The rows, hop by hop.
    pub rows: Rows,
    /// The comparisons of counts between the hops.
    pub checks: Vec<Check>,
    /// The first few records that could not be written, in words.
    pub dead_letters: Vec<String>,
    /// The file where all of them stand.
    pub dead_letters_file: Option<PathBuf>,
    /// Whether Ctrl-C or `--limit` ended it before the last row.
    pub cut_short: bool,
}

impl Summary for Streamed {
    fn outcome(&self) -> Outcome {
        if self.rows.produced == 0 && !self.cut_short { Outcome::Unchanged } else { Outcome::Done }
    }

    fn summary(&self) -> String {
        let Rows { read, filtered_out, already_loaded, written, dead_letters, .. } = self.rows;
        if self.rows.produced == 0 && already_loaded > 0 {
            return format!("nothing new; {already_loaded} rows are in the graph already");
        }
        let mut summary = format!("{written} rows written of {read} read, {filtered_out} filtered out");
        if already_loaded > 0 {
            summary.push_str(&format!(", {already_loaded} were there already"));
        }
        if dead_letters > 0 {
            summary.push_str(&format!(", {dead_letters} dead letters"));
        }
        summary
    }

    fn rows(&self) -> Option<u64> {
        Some(self.rows.read)
    }
}

/// How far the hops have come; shared by the tasks, read by the progress ticker.
#[derive(Debug, Default)]
struct Meter {
    read: AtomicU64,
    loaded: AtomicU64,
}

/// Moves all rows that are not in the graph yet.
///
/// # Errors
/// Faults of the source, of the graph, or of too many records; a source or definition that changed since the last run.
pub async fn stream(
    plan: &Plan,
    dataset: &Dataset,
    endpoints: &Endpoints,
    limit: Option<u64>,
    progress: &Progress,
    interrupt: &Interrupt,
) -> Result<Streamed, Fault> {
    let checkpoint = endpoints.checkpoint.as_ref();
    let resume = resume::decide(checkpoint, dataset.files(), &plan.stream_digest)?;
    let start = memory::Start { offset: resume.offset, row: resume.after.clone() };
    let starts = BTreeMap::from([(PARTITION, start)]);
    let (producer, mut consumers) = memory::open(1, TOPIC_CAPACITY, &starts);
    let consumer = consumers.remove(0);
    let loader = load::Loader::new(plan, endpoints, &resume)?;
    let meter = Meter::default();

    let total = dataset.rows().saturating_sub(resume.passed);
    let ticker = tick(&meter, total, progress);
    let produce = produce::produce(plan, dataset, &resume, limit, producer, &meter, interrupt);
    let load = loader.run(consumer, &meter);
    let (produced, loaded) = tokio::select! {
        both = async { tokio::join!(produce, load) } => both,
        never = ticker => match never {},
    };
    // A loader that gives up drops its end of the topic, so its fault is the cause and the producer's end the consequence.
    let loaded = loaded?;
    let produced = produced?;

    let cut_short = interrupt.requested() || limit.is_some();
    let rows = Rows {
        read: produced.read,
        filtered_out: produced.read.saturating_sub(produced.messages),
        already_loaded: resume.offset,
        produced: produced.messages,
        consumed: loaded.consumed,
        written: loaded.written,
        dead_letters: loaded.dead_letters,
    };
    let checks = reconcile(&rows, (!cut_short).then_some(total), loaded.next_offset);
    Ok(Streamed {
        rows,
        checks,
        dead_letters: loaded.examples,
        dead_letters_file: endpoints.dead_letters.clone(),
        cut_short,
    })
}

/// Compares the counts of neighbouring hops; each was counted on its own side.
fn reconcile(rows: &Rows, total: Option<u64>, next_offset: u64) -> Vec<Check> {
    let check = |what: &str, expected: u64, actual: u64| Check {
        what: what.to_owned(),
        expected,
        actual,
        ok: expected == actual,
    };
    let mut checks = Vec::new();
    if let Some(total) = total {
        checks.push(check("rows of the files = rows read", total, rows.read));
    }
    checks.push(check("rows read = filtered out + produced", rows.read, rows.filtered_out + rows.produced));
    checks.push(check("messages produced = consumed", rows.produced, rows.consumed));
    checks.push(check(
        "messages consumed = written + dead letters",
        rows.consumed,
        rows.written + rows.dead_letters,
    ));
    checks.push(check(
        "already loaded + consumed = the checkpoint in the graph",
        rows.already_loaded + rows.consumed,
        next_offset,
    ));
    checks
}

/// Tells progress until it is dropped.
async fn tick(meter: &Meter, total: u64, progress: &Progress) -> std::convert::Infallible {
    let mut interval = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        interval.tick().await;
        progress.tell(Event::StageProgress {
            stage: Stage::Stream,
            unit: "rows",
            done: meter.read.load(Ordering::Relaxed),
            total: Some(total),
        });
    }
}
