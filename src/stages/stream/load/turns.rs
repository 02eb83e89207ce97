//! Lanes that write side by side, and one after the other for a while where they have met in a deadlock.
//!
//! Rows of different partitions touch the same nodes. Where two transactions wait for each other's locks, one of them loses all that it
//! did, so lanes that meet again and again are better off alone. But many meet only at the beginning, while the nodes come about:
//! for how many batches they keep apart doubles with each deadlock, and shrinks with each batch that went well beside others.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// For how many batches lanes keep apart at most. Lanes that always meet lose up to a batch each in so many, but one.
const LONGEST: u32 = 256;

/// Who writes beside others, and who alone.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// Who waits comes in the order in which it came, and not again before those who wait.
    order: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// A turn has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How many write now.
    writing: u32,
    /// Whether the one that writes is to be alone.
    is_alone: bool,
    pace: Pace,
}

impl State {
    /// Begins a turn, if there may be one now; says whether it is one alone.
    fn begin(&mut self) -> Option<bool> {
        let alone = self.pace.alone > 0;
        if self.is_alone || (alone && self.writing > 0) {
            return None;
        }
        self.writing += 1;
        self.is_alone = alone;
        Some(alone)
    }
}

/// A lane's leave to write a batch; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    is_alone: bool,
}

impl Turns {
    /// A turn, if there may be one now.
    pub fn at_once(&self) -> Option<Turn<'_>> {
        let _order = self.order.try_lock().ok()?;
        let is_alone = self.state().begin()?;
        Some(Turn { turns: self, is_alone })
    }

    /// Waits for a turn.
    pub async fn next(&self) -> Turn<'_> {
        let _order = self.order.lock().await;
        loop {
            // Who waits has to be known before it is looked, or the end of a turn in between would be missed.
            let ended = self.ended.notified();
            if let Some(is_alone) = self.state().begin() {
                return Turn { turns: self, is_alone };
            }
            ended.await;
        }
    }

    /// A thread that broke down while it held the lock left nothing half done.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Whether nobody else may write in it.
    pub fn is_alone(&self) -> bool {
        self.is_alone
    }

    /// The batch met nobody.
    pub fn passed(&self) {
        self.turns.state().pace.passed(self.is_alone);
    }

    /// The batch met another one in a deadlock. Says whether that was a lane of these: who was alone has met somebody else.
    pub fn met(&self) -> bool {
        if !self.is_alone {
            self.turns.state().pace.met();
        }
        !self.is_alone
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.turns.state();
        state.writing = state.writing.saturating_sub(1);
        state.is_alone = false;
        drop(state);
        self.turns.ended.notify_waiters();
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
        assert!(one.met());
        drop((one, other));
        let alone = turns.next().await;
        assert!(alone.is_alone);
        assert!(!alone.met(), "it has met somebody who takes no turns");
        alone.passed();
        drop(alone);
        assert!(!turns.next().await.is_alone);
    }

    #[tokio::test]
    async fn those_who_waited_for_the_one_that_is_alone_go_on_side_by_side() {
        let turns = Turns::default();
        let lanes = [turns.next().await, turns.next().await, turns.next().await];
        assert!(lanes[0].met());
        let (first, second, third) = (turns.next(), turns.next(), turns.next());
        let waiting = async {
            let (mut first, mut second, mut third) = (Box::pin(first), Box::pin(second), Box::pin(third));
            assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
            assert!(futures::poll!(&mut third).is_pending());
            drop(lanes);
            let alone = first.await;
            assert!(alone.is_alone);
            assert!(futures::poll!(&mut second).is_pending() && futures::poll!(&mut third).is_pending());
            alone.passed();
            drop(alone);
            let (second, third) = (second.await, third.await);
            assert!(!second.is_alone && !third.is_alone);
        };
        waiting.await;
    }

    #[tokio::test]
    async fn the_lane_that_was_alone_is_not_alone_again_before_those_that_wait() {
        let turns = Turns::default();
        let (one, other) = (turns.next().await, turns.next().await);
        assert!(one.met() && other.met());
        drop((one, other));
        let first = turns.next().await;
        let mut second = Box::pin(turns.next());
        assert!(futures::poll!(&mut second).is_pending());
        first.passed();
        drop(first);
        let mut again = Box::pin(turns.next());
        assert!(futures::poll!(&mut again).is_pending());
        assert!(second.await.is_alone);
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
