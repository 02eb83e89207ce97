//! Writing a batch again that failed for now.

use std::sync::Arc;
use std::time::Duration;

use super::Counters;
use super::turns::{Turn, Turns};
use crate::graph::{Ahead, GraphStore, ReadyRows, WriteBatch, WriteError, Written};
use crate::progress::{Interrupt, Progress, Stage};
use crate::stages::patience::Waits;
use crate::stages::stream::Watch;

/// How long passing faults are waited out, and who hears of it.
pub(in super::super) struct Patience<'a> {
    longest: Duration,
    progress: &'a Progress,
    interrupt: &'a Interrupt,
    turns: Turns,
}

impl<'a> Patience<'a> {
    /// Waits at most so long for each batch, tells outages and stops waiting at a request.
    pub fn new(longest: Duration, progress: &'a Progress, interrupt: &'a Interrupt) -> Self {
        Self { longest, progress, interrupt, turns: Turns::default() }
    }

    /// Writes a batch, with its rows ready or not, trying again what may succeed then. What comes `ahead` is sent along with rows that
    /// are ready, once, and in no turn that is to be alone.
    pub async fn write(
        &self,
        store: &dyn GraphStore,
        batch: &WriteBatch,
        (mut ready, mut ahead): (Option<ReadyRows>, Option<Ahead<'_>>),
        counters: &Arc<Counters>,
    ) -> Result<Written, WriteError> {
        let mut waits = None;
        loop {
            let turn = self.turn(store, batch).await;
            let outcome = match ready.take() {
                Some(rows) => store.write_ready(batch, rows, ahead.take().filter(|_| !turn.is_alone())).await,
                None => store.write(batch).await,
            };
            let message = match outcome {
                Err(WriteError::Deadlock { .. }) if turn.met() => {
                    counters.retries.add(1);
                    continue;
                }
                Err(WriteError::Transient { message } | WriteError::Deadlock { message }) => message,
                outcome => {
                    turn.passed();
                    return outcome;
                }
            };
            drop(turn);
            let watch = Watch { counters, progress: self.progress, interrupt: self.interrupt };
            // Neither a turn that is waited for nor a batch that takes long is an outage.
            let waits = waits.get_or_insert_with(|| Waits::new(self.longest));
            if !waits.another(&message, watch, Stage::Stream).await {
                return Err(WriteError::Transient { message });
            }
        }
    }

    /// A turn to write the batch in. Who has to wait for it must not keep others from theirs by what was sent ahead; and in a turn alone
    /// that may have met somebody already.
    async fn turn(&self, store: &dyn GraphStore, batch: &WriteBatch) -> Turn<'_> {
        let at_once = self.turns.at_once();
        if at_once.as_ref().is_none_or(Turn::is_alone) {
            for advance in &batch.advances {
                store.recall(advance.partition).await;
            }
        }
        match at_once {
            Some(turn) => turn,
            None => self.turns.next().await,
        }
    }
}
