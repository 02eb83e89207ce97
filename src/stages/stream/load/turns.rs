//! Lanes that write side by side, and one after the other for a while where they have met in a deadlock.
//!
//! Rows of different partitions touch the same nodes. Where two transactions wait for each other's locks, one of them loses all that it
//! did, so lanes that meet again and again are better off alone. But many meet only at the beginning, while the nodes come about:
//! for how many batches they keep apart doubles with each deadlock, and shrinks with each batch that went well beside others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// For how many batches lanes keep apart at most. A deadlock costs up to a batch, so it takes this share of the time at most, even of
/// lanes that always meet.
const LONGEST: u32 = 256;

/// Who writes beside others, and who alone.
#[derive(Debug, Default)]
pub(super) struct Turns {
    way: RwLock<()>,
    pace: Mutex<Pace>,
}

/// A lane's leave to write a batch.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    Beside { _way: RwLockReadGuard<'a, ()> },
    Alone { _way: RwLockWriteGuard<'a, ()> },
}

impl Turns {
    /// Waits for a turn.
    pub async fn next(&self) -> Turn<'_> {
        if self.pace().alone > 0 {
            Turn::Alone { _way: self.way.write().await }
        } else {
            Turn::Beside { _way: self.way.read().await }
        }
    }

    /// A batch met nobody in its turn.
    pub fn passed(&self, turn: &Turn<'_>) {
        self.pace().passed(matches!(turn, Turn::Alone { .. }));
    }

    /// A batch met another one in a deadlock. Says whether that was a lane of these: who was alone has met somebody else.
    pub fn met(&self, turn: &Turn<'_>) -> bool {
        let was_beside = matches!(turn, Turn::Beside { .. });
        if was_beside {
            self.pace().met();
        }
        was_beside
    }

    /// A thread that broke down while it held the lock left nothing half done.
    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how long lanes keep apart.
#[derive(Debug)]
struct Pace {
    /// How many batches are still written alone.
    alone: u32,
    /// How many will be after the next deadlock.
    next: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self { alone: 0, next: 1 }
    }
}

impl Pace {
    fn met(&mut self) {
        self.alone = self.alone.max(self.next);
        self.next = (self.next * 2).min(LONGEST);
    }

    fn passed(&mut self, alone: bool) {
        if alone {
            self.alone = self.alone.saturating_sub(1);
        } else {
            self.next = self.next.saturating_sub(1).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lanes_write_side_by_side_until_they_meet_and_again_after_one_was_alone() {
        let turns = Turns::default();
        let (one, other) = (turns.next().await, turns.next().await);
        assert!(turns.met(&one));
        drop((one, other));
        let alone = turns.next().await;
        assert!(matches!(alone, Turn::Alone { .. }));
        assert!(!turns.met(&alone), "it has met somebody who takes no turns");
        turns.passed(&alone);
        drop(alone);
        assert!(matches!(turns.next().await, Turn::Beside { .. }));
    }

    #[test]
    fn lanes_that_meet_again_and_again_keep_apart_for_longer_and_longer() {
        let mut pace = Pace::default();
        let mut met = 0;
        for _ in 0..2_000 {
            if pace.alone == 0 {
                pace.met();
                met += 1;
            }
            pace.passed(true);
        }
        assert_eq!(met, 15, "1, 2, 4, …, 256, and then once in 256 batches");
    }

    #[test]
    fn lanes_that_seldom_meet_do_not_keep_apart_for_long() {
        let mut pace = Pace::default();
        let mut alone = 0;
        for batch in 0..2_000 {
            if pace.alone > 0 {
                alone += 1;
                pace.passed(true);
            } else if batch % 100 == 0 {
                pace.met();
            } else {
                pace.passed(false);
            }
        }
        assert_eq!(alone, 20);
    }
}
