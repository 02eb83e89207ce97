//! The loading half: batches of records are taken from the topic and written to the graph.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use thiserror::Error;

use super::dead_letters::DeadLetters;
use crate::diagnostic::Code;
use crate::graph::mapping::{CompiledMapping, Required};
use crate::graph::{Advance, Checkpoint, GraphError, GraphStore, WriteBatch, WriteError, Written};
use crate::spec::Topic;
use crate::stages::deploy::Endpoints;
use crate::stages::validate::Plan;
use crate::topic::Record;
use crate::topic::memory::Consumer;

/// Between two saves lies at least this many times what the last one took, so that saving a large graph never dominates.
const PERSIST_SHARE: u32 = 10;
/// How often a batch is tried that fails for a passing reason.
const TRIES: u32 = 6;
/// How long the first wait between two tries is; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How many dead letters are told in words.
const EXAMPLES: usize = 5;
/// Why a row that the graph took is set aside all the same.
pub(in crate::stages) const WROTE_NOTHING: &str =
    "the mapping's statement bound nothing for this row, so it wrote nothing (row-wrote-nothing)";

/// Why loading ended before the topic's end.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The graph refused a batch for a reason that is not in the data.
    #[error(transparent)]
    Write(WriteError),
    /// The graph could not be made durable.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The dead letters could not be kept.
    #[error("the dead letters cannot be written to `{}`: {source}", path.display())]
    DeadLetters {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// More records failed than `stream.maxErrors` allows.
    #[error("{failed} records could not be written, and `stream.maxErrors` is {limit}")]
    TooManyErrors {
        /// How many failed.
        failed: u64,
        /// How many may.
        limit: u64,
        /// The first few, in words.
        examples: Vec<String>,
    },
}

/// What was loaded.
#[derive(Debug, Clone, Default)]
pub(super) struct Loaded {
    /// Records taken from the topic.
    pub consumed: u64,
    /// Rows written.
    pub written: u64,
    /// Records that could not be written.
    pub dead_letters: u64,
    /// The first few of them, in words.
    pub examples: Vec<String>,
    /// The sum of the checkpoints' offsets at the end, read back from the graph.
    pub next_offset: u64,
}

/// Writes records to the graph, batch by batch.
pub(super) struct Loader<'a> {
    store: &'a dyn GraphStore,
    topic: &'a Topic,
    may_write_nothing: bool,
    mapping: &'a CompiledMapping,
    digest: String,
    batch_rows: usize,
    max_errors: u64,
    dead_letters: DeadLetters,
    dead_letters_path: Option<&'a Path>,
    /// How many records of each partition were set aside, in earlier runs too.
    set_aside: BTreeMap<u32, u64>,
    loaded: Loaded,
    persist_after: Duration,
    last_persist: Instant,
    persist_took: Duration,
}

impl<'a> Loader<'a> {
    /// A loader that goes on where the graph's checkpoints stand.
    pub(super) fn new(plan: &'a Plan, endpoints: &'a Endpoints) -> Result<Self, LoadError> {
        let spec = &plan.pipeline.spec;
        let path = endpoints.dead_letters.as_deref();
        let dead_letters = path.map_or_else(
            || Ok(DeadLetters::default()),
            |path| DeadLetters::open(path, &endpoints.checkpoints).map_err(|source| unkept(path, source)),
        )?;
        Ok(Self {
            store: &*endpoints.store,
            topic: &spec.topic,
            may_write_nothing: spec.allow.contains(&Code::RowWroteNothing.to_string()),
            mapping: &plan.mapping,
            digest: plan.stream_digest.to_string(),
            batch_rows: usize::try_from(spec.stream.batch_rows).unwrap_or(usize::MAX),
            max_errors: spec.stream.max_errors,
            dead_letters,
            dead_letters_path: path,
            set_aside: endpoints
                .checkpoints
                .iter()
                .map(|(partition, checkpoint)| (*partition, checkpoint.dead_letters))
                .collect(),
            loaded: Loaded::default(),
            persist_after: Duration::from_millis(spec.stream.persist_millis.into()),
            last_persist: Instant::now(),
            persist_took: Duration::ZERO,
        })
    }

    /// Loads until the topic ends, then makes the graph durable.
    pub(super) async fn run(mut self, mut consumer: Consumer) -> Result<Loaded, LoadError> {
        while let Some(records) = consumer.batch(self.batch_rows).await {
            self.load(records).await?;
            self.persist_when_due().await?;
        }
        if self.loaded.consumed > 0 {
            self.persist().await?;
        }
        let checkpoints = self.store.checkpoints(&self.topic.name).await?;
        self.loaded.next_offset = checkpoints.values().map(|checkpoint| checkpoint.offset).sum();
        Ok(self.loaded)
    }

    /// Writes records; a batch that the graph refuses for its data is halved until the record at fault stands alone.
    async fn load(&mut self, records: Vec<Record>) -> Result<(), LoadError> {
        let mut pending = vec![self.decode(records)];
        while let Some(mut attempts) = pending.pop() {
            match self.write(&mut attempts).await {
                Ok(written) => {
                    if self.set_aside(&mut attempts, &written) {
                        self.correct(&attempts).await?;
                    }
                    self.count(&attempts)?;
                }
                Err(WriteError::Record { position, message }) => {
                    if let Some(event) = event_at_fault(&mut attempts, position) {
                        *event = Err(message);
                        pending.push(attempts);
                    } else {
                        let later = attempts.split_off(attempts.len() / 2);
                        pending.extend([later, attempts]);
                    }
                }
                Err(error) => return Err(LoadError::Write(error)),
            }
            if self.loaded.dead_letters > self.max_errors {
                self.persist().await?;
                return Err(self.too_many_errors());
            }
        }
        Ok(())
    }

    /// Reads the messages of records; what is no JSON object, or lacks a key that the mapping needs, cannot be written.
    fn decode(&self, records: Vec<Record>) -> Vec<Attempt> {
        let decode = |record: Record| {
            let event = decode(&record.value, self.mapping);
            Attempt { record, event }
        };
        records.into_iter().map(decode).collect()
    }

    /// Writes the events of a batch and moves the checkpoints beyond all its records, in one transaction.
    async fn write(&self, attempts: &mut [Attempt]) -> Result<Written, WriteError> {
        let advances = self.advances(attempts);
        let events = attempts.iter_mut().filter_map(|attempt| attempt.event.as_mut().ok());
        let batch = WriteBatch {
            statement: self.mapping.schema.statement.clone(),
            topic: self.topic.name.clone(),
            events: events.map(Value::take).collect(),
            advances,
        };
        let outcome = self.write_patiently(&batch).await;
        if outcome.is_err() {
            let events = attempts.iter_mut().filter_map(|attempt| attempt.event.as_mut().ok());
            for (event, taken) in events.zip(batch.events) {
                *event = taken;
            }
        }
        outcome
    }

    /// How the checkpoints of the batch's partitions move.
    fn advances(&self, attempts: &[Attempt]) -> Vec<Advance> {
        let mut advances = BTreeMap::<u32, Advance>::new();
        for Attempt { record, event } in attempts {
            let partition = record.partition;
            let advance = advances.entry(partition).or_insert_with(|| Advance {
                partition,
                from: record.offset,
                checkpoint: Checkpoint {
                    digest: self.digest.clone(),
                    dead_letters: self.set_aside.get(&partition).copied().unwrap_or_default(),
                    ..Checkpoint::default()
                },
            });
            let checkpoint = &mut advance.checkpoint;
            checkpoint.offset = record.offset + 1;
            if let Some(origin) = &record.origin {
                checkpoint.row = Some(origin.row.clone());
                checkpoint.lineage = origin.lineage.to_string();
            }
            checkpoint.dead_letters += u64::from(event.is_err());
        }
        advances.into_values().collect()
    }

    /// Writes a batch; what may succeed when tried again is tried again, a few times, each time after a longer wait.
    async fn write_patiently(&self, batch: &WriteBatch) -> Result<Written, WriteError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..TRIES {
            match self.store.write(batch).await {
                Err(WriteError::Transient { .. }) => tokio::time::sleep(wait).await,
                outcome => return outcome,
            }
            wait *= 2;
        }
        self.store.write(batch).await
    }

    /// Sets aside the rows of a written batch that the mapping's statement bound nothing for, unless that is meant; says
    /// whether there are any.
    fn set_aside(&self, attempts: &mut [Attempt], written: &Written) -> bool {
        if self.may_write_nothing || written.wrote_nothing.is_empty() {
            return false;
        }
        let events = attempts.iter_mut().map(|attempt| &mut attempt.event).filter(|event| event.is_ok());
        for (_, event) in events.enumerate().filter(|(place, _)| written.wrote_nothing.contains(place)) {
            *event = Err(WROTE_NOTHING.to_owned());
        }
        true
    }

    /// Writes the checkpoints of a written batch once more: that some of its rows wrote nothing is known only afterwards,
    /// and a later run must still find them counted as dead letters.
    async fn correct(&self, attempts: &[Attempt]) -> Result<(), LoadError> {
        let mut advances = self.advances(attempts);
        for advance in &mut advances {
            advance.from = advance.checkpoint.offset;
        }
        let batch = WriteBatch {
            statement: self.mapping.schema.statement.clone(),
            topic: self.topic.name.clone(),
            events: Vec::new(),
            advances,
        };
        self.write_patiently(&batch).await.map(drop).map_err(LoadError::Write)
    }

    /// Counts a batch that was written, and keeps its dead letters.
    fn count(&mut self, attempts: &[Attempt]) -> Result<(), LoadError> {
        for Attempt { record, event } in attempts {
            self.loaded.consumed += 1;
            let Err(reason) = event else {
                self.loaded.written += 1;
                continue;
            };
            self.loaded.dead_letters += 1;
            *self.set_aside.entry(record.partition).or_default() += 1;
            if self.loaded.examples.len() < EXAMPLES {
                self.loaded.examples.push(format!("{}: {reason}", named(record)));
            }
            self.dead_letters
                .append(&self.topic.name, record, reason)
                .map_err(|source| self.unkept(source))?;
        }
        Ok(())
    }

    /// Makes the graph durable when enough was written since the last time.
    async fn persist_when_due(&mut self) -> Result<(), LoadError> {
        let due = self.persist_after.max(self.persist_took * PERSIST_SHARE);
        if self.last_persist.elapsed() >= due { self.persist().await } else { Ok(()) }
    }

    /// Makes the graph and the dead letters durable, the dead letters first: the graph's checkpoint vouches for them.
    async fn persist(&mut self) -> Result<(), LoadError> {
        let begun = Instant::now();
        self.dead_letters.sync().map_err(|source| self.unkept(source))?;
        self.store.persist().await?;
        self.persist_took = begun.elapsed();
        self.last_persist = Instant::now();
        Ok(())
    }

    fn unkept(&self, source: io::Error) -> LoadError {
        unkept(self.dead_letters_path.unwrap_or(Path::new("")), source)
    }

    fn too_many_errors(&self) -> LoadError {
        LoadError::TooManyErrors {
            failed: self.loaded.dead_letters,
            limit: self.max_errors,
            examples: self.loaded.examples.clone(),
        }
    }
}

fn unkept(path: &Path, source: io::Error) -> LoadError {
    LoadError::DeadLetters { path: path.to_owned(), source }
}

/// What a record is called: by its row, or by its place in the topic where it has none.
fn named(record: &Record) -> String {
    match &record.origin {
        Some(origin) => origin.row.to_string(),
        None => format!("partition {} offset {}", record.partition, record.offset),
    }
}

/// A record on its way into the graph: its event, or why there is none.
#[derive(Debug)]
struct Attempt {
    record: Record,
    event: Result<Value, String>,
}

/// The event at fault: the one that the engine names, or the only one of the batch.
fn event_at_fault(attempts: &mut [Attempt], position: Option<usize>) -> Option<&mut Result<Value, String>> {
    let mut events = attempts.iter_mut().map(|attempt| &mut attempt.event).filter(|event| event.is_ok());
    if let Some(position) = position {
        return events.nth(position);
    }
    let first = events.next();
    if events.next().is_some() { None } else { first }
}

/// Reads a message: a JSON object with a value for each column that the mapping's keys need.
pub(in crate::stages) fn decode(value: &[u8], mapping: &CompiledMapping) -> Result<Value, String> {
    let event: Value = serde_json::from_slice(value).map_err(|error| format!("not JSON: {error}"))?;
    if !event.is_object() {
        return Err("not a JSON object".to_owned());
    }
    match mapping.missing(&event) {
        None => Ok(event),
        Some(Required { column, element, property }) => Err(format!(
            "`{column}` has no value, and `{property}` is what tells one `{element}` from another (missing-key-value)"
        )),
    }
}

#[cfg(test)]
mod tests;
