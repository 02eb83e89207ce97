//! How the shares of a run that each have producers meet, so that the one that leads knows when all rows are in the topic.
//!
//! A producer of which nothing comes may be done, or have filtered all rows out; so each share says again and again how far it is, by a
//! note beside the offsets that it commits for a group of their own. The note begins with what the share reads: the definition of the
//! rows, and the lineage of all files. Shares that have listed other files than the one that leads would wait for each other for ever.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::intake::Stop;
use super::{Way, high};
use crate::progress::{Event, Stage};
use crate::share::Share;
use crate::stages::deploy::group;
use crate::stages::{Fault, fault};
use crate::topic::kafka::{Consumer, Note, Notebook};

/// How often the shares say how far they are, and look.
const LOOKING: Duration = Duration::from_millis(500);
/// What a share says when all rows of its files are in the topic.
const DONE: &str = "done";

type Notes = BTreeMap<u32, Note>;

/// One share's part in it.
pub(super) struct Meeting<'a> {
    way: &'a Way<'a>,
    notebook: Notebook,
    /// What the share reads.
    reads: String,
    /// Whether all rows of its files are in the topic.
    is_done: AtomicBool,
    /// Told once those of all others are.
    all_done: Notify,
    fault: Mutex<Option<Fault>>,
}

impl Way<'_> {
    /// Whether the run has producers in other shares than this one.
    pub(super) fn has_other_producers(&self) -> bool {
        let spec = &self.plan.pipeline.spec;
        self.extent.share.has_others() && spec.stream.producers > 1 && self.plan.dataset.is_some()
    }

    /// How many of the records before these offsets are in the partitions of other shares' producers.
    pub(super) fn of_other_producers(&self, ends: &BTreeMap<u32, u64>) -> u64 {
        ends.iter().filter(|(partition, _)| !self.produces_to(**partition)).map(|(_, end)| end).sum()
    }

    /// Whether the rows of a partition come from a producer of this share.
    fn produces_to(&self, partition: u32) -> bool {
        let producer = Share::of(partition, self.plan.pipeline.spec.stream.producers);
        self.extent.share.owns(producer.index())
    }
}

impl<'a> Meeting<'a> {
    /// The part of a share of a run that has producers in others.
    pub(super) fn of(way: &'a Way<'a>) -> Result<Option<Self>, Fault> {
        let Some(dataset) = way.plan.dataset.as_ref().filter(|_| way.has_other_producers()) else {
            return Ok(None);
        };
        let group = format!("{}.producers", group(&way.plan.pipeline));
        let lineage = dataset.files().last().map_or("", |file| &file.lineage);
        Ok(Some(Self {
            way,
            notebook: Notebook::open(&way.topic.kafka, way.name(), &group)?,
            reads: format!("{} {lineage}", way.plan.stream_digest.rows),
            is_done: AtomicBool::new(false),
            all_done: Notify::new(),
            fault: Mutex::default(),
        }))
    }

    /// Says that all rows of this share's files are in the topic; where it leads, waits until the others have said so, or a stop is
    /// asked for.
    pub(super) async fn done(&self, stop: &Stop) {
        self.is_done.store(true, Ordering::Release);
        if self.way.extent.share.leads() {
            let note = "waiting for the other producers".to_owned();
            self.way.watch.progress.tell(Event::StageNote { stage: Stage::Stream, note });
            stop.asked().or(self.all_done.notified()).await;
        }
    }

    /// Says how far this share is, and looks how far the others are, until it is dropped. A fault of that ends producing and loading.
    pub(super) async fn hold(&self, stop: &Stop, consumer: &Consumer) -> Infallible {
        let Err(fault) = self.look_on().await;
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        stop.ask();
        consumer.end_at(BTreeMap::new());
        std::future::pending().await
    }

    /// What has ended it before its time.
    pub(super) fn outcome(&self) -> Result<(), Fault> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), Err)
    }

    async fn look_on(&self) -> Result<Infallible, Fault> {
        let way = self.way;
        let (mut before, mut moved_at) = (None, Instant::now());
        loop {
            let asked_at = Instant::now();
            let is_done = self.is_done.load(Ordering::Acquire);
            let ends = high(&way.watermarks().await?);
            let own = self.own_notes(is_done, &ends);
            way.patiently(async || self.notebook.write(own.clone()).await).await?;
            let partitions = way.plan.pipeline.spec.topic.partitions;
            let mut notes = way.patiently(async || self.notebook.read(partitions).await).await?;
            if way.extent.share.leads() {
                notes.retain(|partition, _| !way.produces_to(*partition));
                if are_all_done(&notes, &self.reads, ends.iter().filter(|(one, _)| !way.produces_to(**one))) {
                    self.all_done.notify_one();
                }
                // While Kafka did not answer, the others could say nothing either.
                moved_at += asked_at.elapsed();
                if !is_done || before.as_ref() != Some(&notes) {
                    (before, moved_at) = (Some(notes), Instant::now());
                } else if moved_at.elapsed() >= way.patience {
                    return Err(fault::producers_stand_still(way.patience));
                }
            } else {
                notes.retain(|partition, _| *partition == 0);
                let first = before.get_or_insert_with(|| notes.clone());
                if *first != notes && notes.values().any(|note| !note.text.starts_with(&self.reads)) {
                    return Err(fault::other_files());
                }
            }
            tokio::time::sleep(LOOKING).await;
        }
    }

    /// What this share says beside each partition of its producers.
    fn own_notes(&self, is_done: bool, ends: &BTreeMap<u32, u64>) -> Notes {
        let read = self.way.watch.counters.read.get();
        let far = if is_done { DONE.to_owned() } else { format!("{read} rows read") };
        let text = format!("{} {far}", self.reads);
        let own = ends.iter().filter(|(partition, _)| self.way.produces_to(**partition));
        own.map(|(partition, end)| (*partition, Note { offset: *end, text: text.clone() })).collect()
    }
}

/// Whether all of these partitions' producers have said that they are done with what is read here, of a topic that reached no farther
/// than it does now.
fn are_all_done<'e>(notes: &Notes, reads: &str, mut ends: impl Iterator<Item = (&'e u32, &'e u64)>) -> bool {
    ends.all(|(partition, end)| {
        let note = notes.get(partition).filter(|note| note.offset <= *end);
        note.and_then(|note| note.text.strip_prefix(reads)).is_some_and(|far| far.trim_start() == DONE)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_notes_of_the_same_stream_and_topic_count() {
        let note = |offset, text: &str| Note { offset, text: text.into() };
        let are_done =
            |notes: &Notes| are_all_done(notes, "rows files", [(1, 7), (3, 0)].iter().map(|(a, b)| (a, b)));
        let done: Notes = [(1, note(7, "rows files done")), (3, note(0, "rows files done"))].into();
        assert!(are_done(&done));
        for other in ["rows files 7 rows read", "rows more done", "others files done", ""] {
            let mut notes = done.clone();
            notes.insert(1, note(7, other));
            assert!(!are_done(&notes), "{other}");
        }
        let mut beyond = done.clone();
        beyond.insert(3, note(1, "rows files done"));
        assert!(!are_done(&beyond), "the topic was made anew");
        assert!(!are_done(&Notes::new()));
    }
}
