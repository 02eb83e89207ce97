//! Trying again: a passing fault is waited out, each wait longer than the one before, up to a limit.

use std::time::{Duration, Instant};

use super::Counters;
use crate::graph::{GraphStore, WriteBatch, WriteError, Written};
use crate::progress::{Event, Interrupt, Progress, Stage};

/// How long the first wait between two tries is; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How long a wait is at most.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// An outage that lasts this long is told.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// How long passing faults are waited out, and who hears of it.
pub(in super::super) struct Patience<'a> {
    /// How long a batch is tried.
    pub longest: Duration,
    /// Where an outage is told.
    pub progress: &'a Progress,
    /// Ends the waiting.
    pub interrupt: &'a Interrupt,
}

impl Patience<'_> {
    /// Writes a batch, trying again what may succeed then.
    pub async fn write(
        &self,
        store: &dyn GraphStore,
        batch: &WriteBatch,
        counters: &Counters,
    ) -> Result<Written, WriteError> {
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        let mut is_told = false;
        loop {
            let message = match store.write(batch).await {
                Err(WriteError::Transient { message }) => message,
                outcome => return outcome,
            };
            if begun.elapsed() + wait > self.longest || self.interrupt.requested() {
                return Err(WriteError::Transient { message });
            }
            counters.retries.add(1);
            if !is_told && begun.elapsed() > TOLD_AFTER {
                self.tell(&message);
                is_told = true;
            }
            tokio::time::sleep(jittered(wait)).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn tell(&self, message: &str) {
        let note = format!("{message}; trying again for up to {} s", self.longest.as_secs());
        self.progress.tell(Event::StageNote { stage: Stage::Stream, note });
    }
}

/// Between half a wait and the whole of it, so that lanes that failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + fastrand::f64() / 2.0)
}
