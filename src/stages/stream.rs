//! The stream stage: rows go from the source through the topic into the graph.
//!
//! Exactly once, on the embedded target, rests on three facts. A row has an identity, its file and its number in it,
//! which is the same on every run ([`crate::source`]). A transaction writes rows together with the checkpoint that says
//! which row was the last and which offset comes next ([`crate::graph`]). And a run begins after the checkpoint's row
//! (`resume`). So whatever moment a run is killed at, the next one goes on with the first row that is not in the graph.

mod counters;
mod dead_letters;
mod kafka;
mod load;
mod produce;
mod reader;
pub(super) mod resume;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;

pub use counters::{Counter, Counters};
pub use dead_letters::DeadLetterError;
pub(super) use kafka::loaded;
pub use load::LoadError;
pub(super) use load::{Reason, decode};
pub use resume::{Digest, Resume, ResumeError};

use super::Fault;
use super::deploy::{Endpoints, Topic};
use super::journal::Summary;
use super::validate::Plan;
use crate::graph::{self, Checkpoint};
use crate::progress::{Event, Interrupt, Outcome, Progress, Stage};
use crate::report::{Check, Rows};
use crate::share::Share;
use crate::source::{Batch, Encoder, SourceError};
use crate::topic::memory;
use dead_letters::{DeadLetters, LetterFile};

/// How many messages wait in the topic at most: the stream's memory is bounded by this and one batch.
const TOPIC_CAPACITY: usize = 4_096;
/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// How far the stream goes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    /// How many rows at most are produced.
    pub limit: Option<u64>,
    /// Whether it goes on with what comes into the topic, until it is asked to stop.
    pub follow: bool,
    /// What of the topic it loads.
    pub share: Share,
}

/// Who looks on while rows are moved, and may stop it.
#[derive(Clone, Copy)]
pub(super) struct Watch<'a> {
    /// What is done so far.
    pub counters: &'a Arc<Counters>,
    /// Where progress is told.
    pub progress: &'a Progress,
    /// The request to stop.
    pub interrupt: &'a Interrupt,
}

/// Where dead letters stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LettersAt {
    /// In a file of JSON lines.
    File(PathBuf),
    /// In a topic on Kafka.
    Topic(String),
}

/// What the stream stage did.
#[derive(Debug, Clone, Default)]
pub struct Streamed {
    /// The rows, hop by hop.
    pub rows: Rows,
    /// The comparisons of counts between the hops.
    pub checks: Vec<Check>,
    /// The first few records that could not be written, in words.
    pub dead_letters: Vec<String>,
    /// How many records could not be written in earlier runs.
    pub earlier_dead_letters: u64,
    /// Where all of them stand.
    pub dead_letters_at: Option<LettersAt>,
    /// Whether Ctrl-C or `--limit` ended it before the last row.
    pub cut_short: bool,
    /// Whether it was Ctrl-C.
    pub interrupted: bool,
}

impl Summary for Streamed {
    fn outcome(&self) -> Outcome {
        match (self.interrupted, self.rows.moved() == 0 && !self.cut_short) {
            (true, _) => Outcome::Interrupted,
            (false, true) => Outcome::Unchanged,
            (false, false) => Outcome::Done,
        }
    }

    fn summary(&self) -> String {
        let Rows { read, filtered_out, already_loaded, written, dead_letters, .. } = self.rows;
        let Rows { other_producers, other_loaders, .. } = self.rows;
        if self.rows.moved() == 0 && already_loaded > 0 {
            return format!("nothing new; {already_loaded} rows are in the graph already");
        }
        let mut summary = format!("{written} rows written of {read} read, {filtered_out} filtered out");
        if already_loaded > 0 {
            let _ = write!(summary, ", {already_loaded} were there already");
        }
        if other_producers > 0 {
            let _ = write!(summary, ", {other_producers} in the topic from the other producers");
        }
        if other_loaders > 0 {
            let _ = write!(summary, ", {other_loaders} loaded by the other loaders");
        }
        if dead_letters > 0 {
            let _ = write!(summary, ", {dead_letters} dead letters");
        }
        summary
    }

    fn rows(&self) -> Option<u64> {
        Some(self.rows.read)
    }
}

/// Moves all rows that are not in the graph yet.
///
/// # Errors
/// Faults of the source, of the graph, or of too many records; a source or definition that changed since the last run.
pub(super) async fn stream(
    plan: &Plan,
    endpoints: &Endpoints,
    extent: Extent,
    watch: &Watch<'_>,
) -> Result<Streamed, Fault> {
    let mut streamed = match &endpoints.topic {
        Topic::Kafka(topic) => kafka::stream(plan, endpoints, topic, extent, watch).await?,
        Topic::Memory { .. } => in_process(plan, endpoints, extent.limit, watch).await?,
    };
    // To be stopped is the only end of a stream that follows the topic.
    streamed.interrupted = watch.interrupt.requested() && !extent.follow;
    Ok(streamed)
}

/// Moves the rows through the topic in process.
async fn in_process(
    plan: &Plan,
    endpoints: &Endpoints,
    limit: Option<u64>,
    watch: &Watch<'_>,
) -> Result<Streamed, Fault> {
    let dataset = plan.source()?;
    let resume = resume::decide(&endpoints.checkpoints, dataset.files(), &plan.stream_digest)?;
    let batches = dataset.scan(resume.after.as_ref(), limit);
    let reach = Reach { rows: dataset.rows(), passed: resume.passed };
    let mut streamed = carry(plan, endpoints, &resume, batches, reach.left(), watch).await?;
    streamed.cut_short = watch.interrupt.requested() || limit.is_some();
    if !streamed.cut_short {
        streamed.checks.insert(0, all_read(reach, &streamed.rows));
    }
    Ok(streamed)
}

/// Moves the rows of one batch into an empty graph: a case of `tests:`.
///
/// # Errors
/// As [`stream`].
pub(super) async fn batch(
    plan: &Plan,
    endpoints: &Endpoints,
    batch: Batch,
    watch: &Watch<'_>,
) -> Result<Streamed, Fault> {
    let total = batch.read;
    let batches = futures::stream::iter([Ok(batch)]);
    carry(plan, endpoints, &Resume::default(), batches, total, watch).await
}

/// Carries batches of rows through the topic into the graph: a producer and a loader side by side.
async fn carry(
    plan: &Plan,
    endpoints: &Endpoints,
    resume: &Resume,
    batches: impl Stream<Item = Result<Batch, SourceError>>,
    total: u64,
    watch: &Watch<'_>,
) -> Result<Streamed, Fault> {
    let Watch { counters, progress, interrupt } = watch;
    let partitions = plan.pipeline.spec.topic.partitions;
    let (producer, consumer) = memory::open(partitions, TOPIC_CAPACITY, &starts(endpoints));
    let encoder = Encoder::new(
        &plan.source()?.columns(),
        plan.pipeline.spec.topic.key.as_deref(),
        plan.stream_digest.rows.as_str().into(),
    )?;
    let path = endpoints.topic.dead_letters_file();
    let dead_letters = match path {
        Some(path) => {
            DeadLetters::File(LetterFile::open(path, &endpoints.checkpoints).map_err(LoadError::from)?)
        }
        None => DeadLetters::Nowhere,
    };
    let job = load::Job::new(plan, endpoints, watch);
    let produce = async {
        // Dropping it closes the topic.
        let mut into = produce::InProcess::new(producer, plan, counters);
        produce::each(batches, &encoder, counters, interrupt, &mut into).await
    };
    let load = load::Loader::new(&job, endpoints.checkpoints.clone(), dead_letters).run(consumer);
    let (producing, loading) = tokio::select! {
        both = async { tokio::join!(produce, load) } => both,
        never = tick(counters, Some(total), progress) => match never {},
    };
    // A loader that gives up drops its end of the topic, so its fault is the cause and the producer's end the consequence.
    loading?;
    producing?;
    let checkpoints = endpoints.store.checkpoints(&plan.pipeline.spec.topic.name).await?;
    let next_offset = graph::loaded(&checkpoints);
    let rows = counters.rows(resume.offset);
    Ok(Streamed {
        rows,
        checks: reconcile(&rows, next_offset),
        dead_letters: counters.examples(),
        earlier_dead_letters: endpoints.checkpoints.values().map(|checkpoint| checkpoint.dead_letters).sum(),
        dead_letters_at: path.cloned().map(LettersAt::File),
        ..Streamed::default()
    })
}

/// Where the topic's partitions go on.
fn starts(endpoints: &Endpoints) -> BTreeMap<u32, memory::Start> {
    let start =
        |checkpoint: &Checkpoint| memory::Start { offset: checkpoint.offset, row: checkpoint.row.clone() };
    endpoints.checkpoints.iter().map(|(partition, checkpoint)| (*partition, start(checkpoint))).collect()
}

/// Compares the counts of neighbouring hops; each was counted on its own side.
fn reconcile(rows: &Rows, next_offset: u64) -> Vec<Check> {
    vec![
        check("rows read = filtered out + produced", rows.read, rows.filtered_out + rows.produced),
        check("messages produced = consumed", rows.produced, rows.consumed),
        check("messages consumed = written + dead letters", rows.consumed, rows.written + rows.dead_letters),
        check(
            "already loaded + consumed = the checkpoints in the graph",
            rows.already_loaded + rows.consumed,
            next_offset,
        ),
    ]
}

/// How many rows files hold, filtered ones included.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    rows: u64,
    /// How many of them earlier runs have passed.
    passed: u64,
}

impl Reach {
    const fn left(self) -> u64 {
        self.rows.saturating_sub(self.passed)
    }
}

/// Compares the rows of the files with those that this run and the ones before it have passed.
fn all_read(reach: Reach, rows: &Rows) -> Check {
    check("rows of the files = passed by earlier runs + read", reach.rows, reach.passed + rows.read)
}

fn check(what: &str, expected: u64, actual: u64) -> Check {
    Check { what: what.to_owned(), expected, actual, ok: expected == actual }
}

/// Tells progress until it is dropped.
async fn tick(counters: &Counters, total: Option<u64>, progress: &Progress) -> std::convert::Infallible {
    let mut interval = tokio::time::interval(PROGRESS_INTERVAL);
    loop {
        interval.tick().await;
        progress.tell(Event::StageProgress {
            stage: Stage::Stream,
            unit: "rows".into(),
            done: if total.is_some() { counters.read.get() } else { counters.consumed.get() },
            total,
        });
    }
}
