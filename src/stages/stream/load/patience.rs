//! Trying again: a passing fault is waited out, each wait longer than the one before, up to a limit.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

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
    async fn write_once(&self, store: &dyn GraphStore, batch: &WriteBatch) -> Result<Written, WriteError> {
        let _turn = if self.has_met.load(Ordering::Relaxed) { Some(self.turn.lock().await) } else { None };
        store.write(batch).await
    }

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
            let message = match self.write_once(store, batch).await {
                Err(WriteError::Deadlock { .. }) if !self.has_met.swap(true, Ordering::Relaxed) => {
                    counters.retries.add(1);
                    continue;
                }
                Err(WriteError::Transient { message } | WriteError::Deadlock { message }) => message,
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
