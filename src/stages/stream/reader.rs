//! Reads a lane ahead of its loader: while a batch is written, the next one is fetched, decoded and made ready for the store
//! on another thread.
//!
//! With the one that was peeked at, up to three batches wait in memory beside the one that is written. This is most of the program's own work on a row, and the server
//! would wait for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::load::{Attempt, Next, read};
use crate::graph::mapping::CompiledMapping;
use crate::graph::{GraphStore, ReadyRows};
use crate::message::Event;
use crate::topic::kafka::{KafkaError, Lane};

/// How long a batch waits for more records behind its first.
const LINGER: Duration = Duration::from_millis(100);

/// How many batches wait: the next one must be there already when one is begun to be written, to be sent behind its commit.
const AHEAD: usize = 2;

/// Records of a lane, decoded.
pub(super) struct ReadBatch {
    pub attempts: Vec<Attempt>,
    /// Their events, made ready.
    pub ready: Option<ReadyRows>,
    /// Where the lane stands behind them.
    pub next: u64,
}

impl ReadBatch {
    /// Whether the lane stands right behind the last record, with no gap between.
    pub(super) fn ends_with_a_record(&self) -> bool {
        self.attempts.last().is_some_and(|last| last.record.offset + 1 == self.next)
    }

    /// What may be sent ahead of its turn: nothing where it is but a gap.
    pub(super) fn as_next(&self) -> Option<Next<'_>> {
        let ready = self.ready.as_ref().filter(|_| !self.attempts.is_empty())?;
        Some(Next { attempts: &self.attempts, ready })
    }
}

/// Where the records of a lane go.
#[derive(Clone)]
pub(super) struct Destination {
    pub mapping: Arc<CompiledMapping>,
    pub store: Arc<dyn GraphStore>,
    /// How many rows a batch has at most.
    pub batch_rows: usize,
}

/// A lane that is read ahead.
pub(super) struct Reader {
    batches: mpsc::Receiver<Result<ReadBatch, KafkaError>>,
    /// What was looked at and not taken yet.
    peeked: Option<Result<ReadBatch, KafkaError>>,
    reading: JoinHandle<()>,
}

impl Reader {
    /// Begins to read a lane. It ends when the reader is dropped.
    pub(super) fn new(lane: Lane, destination: Destination) -> Self {
        let (read, batches) = mpsc::channel(AHEAD);
        Self { batches, peeked: None, reading: tokio::spawn(read_ahead(lane, destination, read)) }
    }

    /// A look at the next batch, where it has been read already.
    pub(super) fn peek(&mut self) -> Option<&ReadBatch> {
        if self.peeked.is_none() {
            self.peeked = self.batches.try_recv().ok();
        }
        self.peeked.as_ref()?.as_ref().ok()
    }

    /// The next batch; `None` at the lane's end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`Lane::batch`].
    pub(super) async fn batch(&mut self) -> Result<Option<ReadBatch>, KafkaError> {
        let batch = match self.peeked.take() {
            Some(batch) => Some(batch),
            None => self.batches.recv().await,
        };
        if let Some(batch) = batch {
            return batch.map(Some);
        }
        // A panic there must not pass for the lane's end.
        match (&mut self.reading).await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            _ => Ok(None),
        }
    }
}

async fn read_ahead(
    mut lane: Lane,
    destination: Destination,
    read_batches: mpsc::Sender<Result<ReadBatch, KafkaError>>,
) {
    // Only when there is room for it is the next one fetched.
    while let Ok(place) = read_batches.reserve().await {
        let batch = tokio::select! {
            batch = lane.batch(destination.batch_rows, LINGER) => batch,
            () = read_batches.closed() => return,
        };
        match batch {
            Ok(Some(batch)) => {
                let attempts = read(batch.records, &destination.mapping);
                let events: Vec<&Event> =
                    attempts.iter().filter_map(|attempt| attempt.fate.event()).collect();
                let ready = destination.store.make_ready(&destination.mapping.schema, &events);
                place.send(Ok(ReadBatch { attempts, ready, next: batch.next }));
            }
            Ok(None) => return,
            Err(error) => return place.send(Err(error)),
        }
    }
}
