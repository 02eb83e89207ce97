//! The loading half: batches of records are taken from the topic and written to the graph.

mod attempt;
mod patience;
mod turns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Watch;
use super::counters::Counters;
use super::dead_letters::{DeadLetterError, DeadLetters};
use crate::diagnostic::Code;
use crate::graph::{
    Advance, Ahead, Checkpoint, GraphError, GraphStore, ReadyRows, WriteBatch, WriteError, Written,
    mapping::CompiledMapping,
};
use crate::message::Event;
use crate::stages::deploy::Endpoints;
use crate::stages::validate::Plan;
use crate::topic::kafka::KafkaError;
use crate::topic::memory::Consumer;

pub(super) use attempt::{Attempt, Fate, read};
pub(in crate::stages) use attempt::{Reason, decode};
use patience::Patience;

/// Between two saves lies at least this many times what the last one took, so that saving a large graph never dominates.
const PERSIST_SHARE: u32 = 10;
/// Why loading ended before the topic's end.
#[derive(Debug, Error)]
pub enum LoadError {
    /// The graph refused a batch for a reason that is not in the data.
    #[error(transparent)]
    Write(WriteError),
    /// The graph could not be made durable.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The topic could not be read.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// The dead letters could not be kept.
    #[error(transparent)]
    DeadLetters(#[from] DeadLetterError),
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

/// What all loaders of a run have in common.
pub(super) struct Job<'a> {
    store: &'a dyn GraphStore,
    topic: &'a str,
    mapping: &'a CompiledMapping,
    may_write_nothing: bool,
    digest: String,
    batch_rows: usize,
    max_errors: u64,
    persist_after: Duration,
    patience: Patience<'a>,
    counters: &'a Arc<Counters>,
}

impl<'a> Job<'a> {
    pub(super) fn new(plan: &'a Plan, endpoints: &'a Endpoints, watch: &Watch<'a>) -> Self {
        let Watch { counters, progress, interrupt } = *watch;
        let spec = &plan.pipeline.spec;
        let longest = Duration::from_secs(spec.stream.patience_seconds.into());
        Self {
            store: &*endpoints.store,
            topic: &spec.topic.name,
            mapping: &plan.mapping,
            may_write_nothing: spec.allow.contains(&Code::RowWroteNothing.to_string()),
            digest: plan.stream_digest.to_string(),
            batch_rows: usize::try_from(spec.stream.batch_rows).unwrap_or(usize::MAX),
            max_errors: spec.stream.max_errors,
            persist_after: Duration::from_millis(spec.stream.persist_millis.into()),
            patience: Patience::new(longest, progress, interrupt),
            counters,
        }
    }

    /// How many rows a batch has at most.
    pub(super) fn batch_rows(&self) -> usize {
        self.batch_rows
    }
}

/// The records behind a batch, where they were read already, and their rows made ready.
#[derive(Clone, Copy)]
pub(super) struct Next<'a> {
    pub attempts: &'a [Attempt],
    pub ready: &'a ReadyRows,
}

/// Writes records to the graph, batch by batch.
pub(super) struct Loader<'a> {
    job: &'a Job<'a>,
    /// Where the partitions stand that this loader has to do with.
    checkpoints: BTreeMap<u32, Checkpoint>,
    dead_letters: DeadLetters,
    last_persist: Instant,
    persist_took: Duration,
}

impl<'a> Loader<'a> {
    /// A loader that goes on where checkpoints stand.
    pub(super) fn new(
        job: &'a Job<'a>,
        checkpoints: BTreeMap<u32, Checkpoint>,
        dead_letters: DeadLetters,
    ) -> Self {
        Self { job, checkpoints, dead_letters, last_persist: Instant::now(), persist_took: Duration::ZERO }
    }

    /// Loads until the topic ends, then makes the graph durable.
    pub(super) async fn run(mut self, mut consumer: Consumer) -> Result<(), LoadError> {
        while let Some(records) = consumer.batch(self.job.batch_rows).await {
            self.load(read(records, self.job.mapping), None, None).await?;
            self.persist_when_due().await?;
        }
        if self.job.counters.consumed.get() > 0 {
            self.persist().await?;
        }
        Ok(())
    }

    /// Moves a checkpoint beyond offsets that hold no record: gaps that transactions and compaction leave.
    pub(super) async fn pass(&mut self, partition: u32, next: u64) -> Result<(), LoadError> {
        let stands = self.checkpoints.get(&partition).cloned().unwrap_or_default();
        if stands.offset >= next {
            return Ok(());
        }
        let from = stands.offset;
        let checkpoint = Checkpoint { offset: next, digest: self.job.digest.clone(), ..stands };
        self.write_checkpoints(vec![Advance { partition, from, checkpoint }]).await
    }

    /// Lets go of what was sent ahead for a partition that is not loaded any further for now: others may wait for its locks.
    pub(super) async fn recall(&self, partition: u32) {
        self.job.store.recall(partition).await;
    }

    /// Writes checkpoints without a row.
    async fn write_checkpoints(&mut self, advances: Vec<Advance>) -> Result<(), LoadError> {
        let batch = self.batch(Vec::new(), advances);
        let outcome = self.job.patience.write(self.job.store, &batch, (None, None), self.job.counters).await;
        outcome.map_err(LoadError::Write)?;
        self.move_checkpoints(batch.advances);
        Ok(())
    }

    /// Writes records; a batch that the graph refuses for its data is halved until the record at fault stands alone. `ready` was
    /// made of their events as they were read; `next` is loaded right after, if it is given.
    pub(super) async fn load(
        &mut self,
        mut attempts: Vec<Attempt>,
        mut ready: Option<ReadyRows>,
        next: Option<Next<'_>>,
    ) -> Result<(), LoadError> {
        if attempts.is_empty() {
            return Ok(());
        }
        attempt::find_duplicates(&mut attempts, &self.checkpoints);
        let mut pending = vec![attempts];
        while let Some(mut attempts) = pending.pop() {
            self.dead_letters.keep_before(&mut attempts).await?;
            match self.write(&mut attempts, ready.take(), next).await {
                Ok(written) => {
                    self.set_aside(&mut attempts, &written).await?;
                    self.dead_letters.keep_after(self.job.topic, &mut attempts).await?;
                    self.count(&attempts);
                }
                Err(WriteError::Record { position, message }) => {
                    if let Some(fate) = attempt::at_fault(&mut attempts, position) {
                        *fate = Fate::set_aside(Reason::refused(message));
                        pending.push(attempts);
                    } else {
                        pending.extend(halves(attempts));
                    }
                }
                Err(WriteError::WroteNothing { positions }) => {
                    wrote_nothing(&mut attempts, &positions);
                    pending.push(attempts);
                }
                Err(WriteError::TooLarge { .. }) if attempts.len() > 1 => pending.extend(halves(attempts)),
                Err(error) => return Err(LoadError::Write(error)),
            }
            if self.job.counters.dead_letters.get() > self.job.max_errors {
                self.persist().await?;
                return Err(self.too_many_errors());
            }
        }
        Ok(())
    }

    /// Writes the events of a batch and moves the checkpoints beyond all its records, in one transaction.
    async fn write(
        &mut self,
        attempts: &mut [Attempt],
        ready: Option<ReadyRows>,
        next: Option<Next<'_>>,
    ) -> Result<Written, WriteError> {
        let advances = attempt::advances(attempts, &self.checkpoints, &self.job.digest);
        let ahead = next.filter(|_| ready.is_some() && all_are_rows(attempts));
        let ahead = ahead.and_then(|next| self.ahead(next, &advances));
        let events = attempts.iter_mut().filter_map(|attempt| attempt.fate.event_mut());
        let batch = self.batch(events.map(std::mem::take).collect(), advances);
        let outcome =
            self.job.patience.write(self.job.store, &batch, (ready, ahead), self.job.counters).await;
        if outcome.is_ok() {
            self.move_checkpoints(batch.advances);
        } else {
            let events = attempts.iter_mut().filter_map(|attempt| attempt.fate.event_mut());
            for (event, taken) in events.zip(batch.events) {
                *event = taken;
            }
        }
        outcome
    }

    /// What comes behind a batch that moves the checkpoints so, unless there is more to do about it than to write it.
    fn ahead<'n>(&self, next: Next<'n>, advances: &[Advance]) -> Option<Ahead<'n>> {
        let stand = |advance: &Advance| (advance.partition, advance.checkpoint.clone());
        let checkpoints = advances.iter().map(stand).collect();
        let ahead = || Ahead {
            advances: attempt::advances(next.attempts, &checkpoints, &self.job.digest),
            rows: next.ready,
        };
        all_are_rows(next.attempts).then(ahead)
    }

    fn batch(&self, events: Vec<Event>, advances: Vec<Advance>) -> WriteBatch {
        let schema = &self.job.mapping.schema;
        WriteBatch {
            statement: schema.statement.clone(),
            dictionary: schema.dictionary.clone(),
            topic: self.job.topic.to_owned(),
            events,
            advances,
            must_write: !self.job.may_write_nothing,
        }
    }

    fn move_checkpoints(&mut self, advances: Vec<Advance>) {
        self.checkpoints.extend(advances.into_iter().map(|advance| (advance.partition, advance.checkpoint)));
    }

    /// Sets aside the rows of a written batch that the mapping's statement bound nothing for, unless that is meant. This is
    /// known only afterwards, so the checkpoints are written once more: a later run must still find the dead letters counted.
    async fn set_aside(&mut self, attempts: &mut [Attempt], written: &Written) -> Result<(), LoadError> {
        if self.job.may_write_nothing || written.wrote_nothing.is_empty() {
            return Ok(());
        }
        let mut corrected = BTreeMap::new();
        for partition in wrote_nothing(attempts, &written.wrote_nothing) {
            let stands = self.checkpoints.get(&partition).cloned().unwrap_or_default();
            let advance = corrected.entry(partition).or_insert_with(|| Advance {
                partition,
                from: stands.offset,
                checkpoint: stands,
            });
            advance.checkpoint.dead_letters += 1;
        }
        self.write_checkpoints(corrected.into_values().collect()).await
    }

    /// Counts a batch that was written.
    fn count(&self, attempts: &[Attempt]) {
        let counters = self.job.counters;
        counters.consumed.add(attempts.len() as u64);
        for attempt in attempts {
            match &attempt.fate {
                Fate::Event(_) => counters.written.add(1),
                Fate::Duplicate => counters.duplicates.add(1),
                Fate::SetAside { reason, .. } => {
                    counters.dead_letter(|| format!("{}: {reason}", attempt.name()));
                }
            }
        }
    }

    /// Makes the graph durable when enough was written since the last time.
    async fn persist_when_due(&mut self) -> Result<(), LoadError> {
        let due = self.job.persist_after.max(self.persist_took * PERSIST_SHARE);
        if self.last_persist.elapsed() >= due { self.persist().await } else { Ok(()) }
    }

    /// Makes the graph and the dead letters durable, the dead letters first: the graph's checkpoint vouches for them.
    async fn persist(&mut self) -> Result<(), LoadError> {
        let begun = Instant::now();
        self.dead_letters.sync()?;
        self.job.store.persist().await?;
        self.persist_took = begun.elapsed();
        self.last_persist = Instant::now();
        Ok(())
    }

    fn too_many_errors(&self) -> LoadError {
        let counters = self.job.counters;
        LoadError::TooManyErrors {
            failed: counters.dead_letters.get(),
            limit: self.job.max_errors,
            examples: counters.examples(),
        }
    }
}

/// Whether all attempts are to be written.
fn all_are_rows(attempts: &[Attempt]) -> bool {
    attempts.iter().all(|attempt| attempt.fate.event().is_some())
}

/// Sets aside the events at places in the batch; the partitions that they came from, one for each.
fn wrote_nothing(attempts: &mut [Attempt], places: &[usize]) -> Vec<u32> {
    let is_event = |attempt: &&mut Attempt| matches!(attempt.fate, Fate::Event(_));
    let events = attempts.iter_mut().filter(is_event).enumerate();
    let at_places = events.filter(|(place, _)| places.contains(place));
    let set_aside = at_places.map(|(_, attempt)| {
        attempt.fate = Fate::set_aside(Reason::wrote_nothing());
        attempt.record.partition
    });
    set_aside.collect()
}

/// The halves of a batch, the first one last: that is the next to be written.
fn halves(mut attempts: Vec<Attempt>) -> [Vec<Attempt>; 2] {
    let later = attempts.split_off(attempts.len() / 2);
    [later, attempts]
}

#[cfg(test)]
mod tests;
