//! The others of a run that is divided, seen from the share that leads it.
//!
//! All that is known of other loaders is how far their checkpoints stand. A producer of which nothing comes may be done or have
//! filtered all rows out, so it says when it is done: by a note beside an offset that it commits.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Way;
use crate::graph::Checkpoint;
use crate::progress::{Event, Stage};
use crate::share::Share;
use crate::source::Dataset;
use crate::stages::deploy::group;
use crate::stages::stream::Reach;
use crate::stages::{Fault, fault};
use crate::topic::kafka::Note;

/// How often it is looked how far the others are.
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

    /// Whether the run has producers in other shares than this one.
    pub(super) fn has_other_producers(&self) -> bool {
        let spec = &self.plan.pipeline.spec;
        self.extent.share.has_others() && spec.stream.producers > 1 && self.plan.dataset.is_some()
    }

    /// Tells the leading share that all rows of this one's files are in the topic; there, waits until all others have told so.
    pub(super) async fn meet_other_producers(&self, reach: Reach) -> Result<(), Fault> {
        let is_whole = self.watch.counters.read.get() == reach.left() && self.extent.limit.is_none();
        match (self.has_other_producers() && is_whole, self.extent.share.leads()) {
            (false, _) => Ok(()),
            (true, true) => self.all_produced().await,
            (true, false) => self.note_produced().await,
        }
    }

    /// Notes, at the end of each partition of this share's producers, up to which file the rows are there.
    async fn note_produced(&self) -> Result<(), Fault> {
        let mut notes = BTreeMap::new();
        let marks = self.watermarks().await?;
        for (producer, dataset) in self.producers(|producer| self.extent.share.owns(producer.index())) {
            for (&partition, marks) in marks.iter().filter(|(partition, _)| producer.owns(**partition)) {
                notes.insert(partition, Note { offset: marks.high, text: self.up_to(&dataset) });
            }
        }
        let group = self.producers_group();
        Ok(self.patiently(async || self.topic.kafka.note(self.name(), &group, notes.clone()).await).await?)
    }

    /// Waits until all rows of the others' files are in the topic. Where nothing comes for longer than an outage is waited out, they
    /// are given up.
    async fn all_produced(&self) -> Result<(), Fault> {
        let note = "waiting for the other producers".to_owned();
        self.watch.progress.tell(Event::StageNote { stage: Stage::Stream, note });
        let others = self.producers(|producer| !self.extent.share.owns(producer.index()));
        let (group, partitions) = (self.producers_group(), self.plan.pipeline.spec.topic.partitions);
        let (mut moved_at, mut before) = (Instant::now(), 0);
        while !self.watch.interrupt.requested() {
            let asked_at = Instant::now();
            let notes = async || self.topic.kafka.notes(self.name(), &group, partitions).await;
            let notes = self.patiently(notes).await?;
            let ends = super::high(&self.watermarks().await?);
            // While Kafka did not answer, the others could not produce either.
            moved_at += asked_at.elapsed();
            let is_done = |(producer, dataset): &(Share, Dataset)| {
                let up_to = self.up_to(dataset);
                let mut own = ends.iter().filter(|(partition, _)| producer.owns(**partition));
                own.all(|(partition, end)| is_up_to(notes.get(partition), &up_to, *end))
            };
            if others.iter().all(is_done) {
                break;
            }
            let produced = self.of_other_producers(&ends);
            if produced > before {
                (moved_at, before) = (Instant::now(), produced);
            } else if moved_at.elapsed() >= self.patience {
                return Err(fault::producers_stand_still(self.patience));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOKING) => {}
                () = self.watch.interrupt.made() => {}
            }
        }
        Ok(())
    }

    /// The producers of which it is said so, each with its files.
    fn producers(&self, which: impl Fn(Share) -> bool) -> Vec<(Share, Dataset)> {
        let mut producers = self.plan.divided();
        producers.retain(|(producer, _)| which(*producer));
        producers
    }

    /// What a producer notes when all rows of its files are in the topic: by which definition, and the lineage of the last file.
    fn up_to(&self, dataset: &Dataset) -> String {
        let lineage = dataset.files().last().map_or("", |file| &file.lineage);
        format!("{} {lineage}", self.plan.stream_digest.rows)
    }

    /// The group that producers commit their notes for.
    fn producers_group(&self) -> String {
        format!("{}.producers", group(&self.plan.pipeline))
    }

    /// How many of the records before these offsets are in the partitions of other shares' producers.
    pub(super) fn of_other_producers(&self, ends: &BTreeMap<u32, u64>) -> u64 {
        let producers = self.plan.pipeline.spec.stream.producers;
        let is_theirs = |partition: u32| !self.extent.share.owns(Share::of(partition, producers).index());
        ends.iter().filter(|(partition, _)| is_theirs(**partition)).map(|(_, end)| end).sum()
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

/// Whether a producer has noted this, of a topic that reaches as far as it did then.
fn is_up_to(note: Option<&Note>, up_to: &str, end: u64) -> bool {
    note.is_some_and(|note| note.text == up_to && note.offset <= end)
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
    fn a_note_of_another_stream_or_of_a_topic_that_is_gone_does_not_count() {
        let note = Note { offset: 7, text: "digest lineage".into() };
        let is_up_to = |up_to, end| is_up_to(Some(&note), up_to, end);
        assert!(is_up_to("digest lineage", 7) && is_up_to("digest lineage", 9));
        assert!(!is_up_to("digest longer lineage", 7) && !is_up_to("digest lineage", 6));
    }

    #[test]
    fn what_lies_beyond_an_end_does_not_count() {
        let checkpoint = |offset| Checkpoint { offset, ..Checkpoint::default() };
        let checkpoints = [(0, checkpoint(5)), (1, checkpoint(12))].into();
        assert_eq!(reached(&checkpoints, &[(0, 9), (1, 10), (2, 3)].into()), 15);
    }
}
