//! The other loaders of a run, seen from the one that leads it: all that is known of them is how far their checkpoints stand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Way;
use crate::graph::Checkpoint;
use crate::progress::{Event, Stage};
use crate::stages::{Fault, fault};

/// How often the checkpoints are looked at.
const LOOKING: Duration = Duration::from_millis(300);

/// What other loaders have done since the run began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Others {
    /// Records taken from the topic.
    pub records: u64,
    /// Of these, those that could not be written.
    pub dead_letters: u64,
}

impl Way<'_> {
    /// Where the checkpoints stand, once those of all loaders of the run have reached the topic's ends. Loaders that stand still
    /// for longer than an outage is waited out are given up.
    pub(super) async fn settled(
        &self,
        ends: &BTreeMap<u32, u64>,
    ) -> Result<BTreeMap<u32, Checkpoint>, Fault> {
        let total: u64 = ends.values().sum();
        let (mut moved_at, mut before) = (Instant::now(), 0);
        loop {
            let asked_at = Instant::now();
            let checkpoints = self.endpoints.store.checkpoints(self.name()).await?;
            // While the graph did not answer, the others could not write either.
            moved_at += asked_at.elapsed();
            let done = reached(&checkpoints, ends);
            if done >= total || !self.awaits_others() {
                return Ok(checkpoints);
            }
            if done > before {
                (moved_at, before) = (Instant::now(), done);
            } else if moved_at.elapsed() >= self.patience {
                return Err(fault::loaders_stand_still(total - done, self.patience));
            }
            let (stage, unit) = (Stage::Stream, "records loaded by all".into());
            self.watch.progress.tell(Event::StageProgress { stage, unit, done, total: Some(total) });
            tokio::select! {
                () = tokio::time::sleep(LOOKING) => {}
                () = self.watch.interrupt.made() => {}
            }
        }
    }

    /// Whether the run ends with its last loader, rather than with this one.
    fn awaits_others(&self) -> bool {
        let share = self.extent.share;
        share.leads() && share.has_others() && !self.extent.follow && !self.watch.interrupt.requested()
    }

    /// What the other loaders have done since this one began.
    pub(super) fn by_others(&self, checkpoints: &BTreeMap<u32, Checkpoint>) -> Others {
        let others = checkpoints.iter().filter(|(partition, _)| !self.extent.share.owns(**partition));
        others.fold(Others::default(), |sum, (partition, now)| {
            let before = self.endpoints.checkpoints.get(partition).cloned().unwrap_or_default();
            Others {
                records: sum.records + now.offset.saturating_sub(before.offset),
                dead_letters: sum.dead_letters + now.dead_letters.saturating_sub(before.dead_letters),
            }
        })
    }
}

/// How many records before the ends of the partitions are loaded.
pub(super) fn reached(checkpoints: &BTreeMap<u32, Checkpoint>, ends: &BTreeMap<u32, u64>) -> u64 {
    let reached = |(partition, end): (&u32, &u64)| {
        checkpoints.get(partition).map_or(0, |checkpoint| checkpoint.offset.min(*end))
    };
    ends.iter().map(reached).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beyond_an_end_does_not_count() {
        let checkpoint = |offset| Checkpoint { offset, ..Checkpoint::default() };
        let checkpoints = [(0, checkpoint(5)), (1, checkpoint(12))].into();
        assert_eq!(reached(&checkpoints, &[(0, 9), (1, 10), (2, 3)].into()), 15);
    }
}
