//! Writing a batch again that failed for now, and lanes that take turns.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::Counters;
use crate::graph::{GraphStore, ReadyRows, WriteBatch, WriteError, Written};
use crate::progress::{Interrupt, Progress, Stage};
use crate::stages::patience::Waits;
use crate::stages::stream::Watch;

/// How long passing faults are waited out, and who hears of it.
pub(in super::super) struct Patience<'a> {
    longest: Duration,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    /// Whether the lanes have met in a deadlock: from then on they write one after the other, since lanes whose rows touch
    /// the same nodes would meet again and again, and each time one of them loses all that it did.
    has_met: AtomicBool,
    turn: Mutex<()>,
}

impl<'a> Patience<'a> {
    /// Waits at most so long for each batch, tells outages and stops waiting at a request.
    pub fn new(longest: Duration, progress: &'a Progress, interrupt: &'a Interrupt) -> Self {
        Self { longest, progress, interrupt, has_met: AtomicBool::new(false), turn: Mutex::new(()) }
    }

    /// Writes a batch once, in its turn where lanes take turns.
    async fn write_once(
        &self,
        store: &dyn GraphStore,
        batch: &WriteBatch,
        ready: Option<ReadyRows>,
    ) -> Result<Written, WriteError> {
        let _turn = if self.has_met.load(Ordering::Relaxed) { Some(self.turn.lock().await) } else { None };
        match ready {
            Some(rows) => store.write_ready(batch, rows).await,
            None => store.write(batch).await,
        }
    }

    /// Writes a batch, with its rows ready or not, trying again what may succeed then.
    pub async fn write(
        &self,
        store: &dyn GraphStore,
        batch: &WriteBatch,
        mut ready: Option<ReadyRows>,
        counters: &Counters,
    ) -> Result<Written, WriteError> {
        let mut waits = Waits::new(self.longest);
        loop {
            let message = match self.write_once(store, batch, ready.take()).await {
                Err(WriteError::Deadlock { .. }) if !self.has_met.swap(true, Ordering::Relaxed) => {
                    counters.retries.add(1);
                    continue;
                }
                Err(WriteError::Transient { message } | WriteError::Deadlock { message }) => message,
                outcome => return outcome,
            };
            let watch = Watch { counters, progress: self.progress, interrupt: self.interrupt };
            if !waits.another(&message, watch, Stage::Stream).await {
                return Err(WriteError::Transient { message });
            }
        }
    }
}
