//! How the shares of a run that each have producers meet, so that they read the same files, and the one that leads knows when all rows
//! are in the topic.
//!
//! A producer of which nothing comes may be done, or have filtered all rows out; so each share says again and again how far it is, by a
//! note beside the offsets that it commits for a group of their own. A note that changes is that of a share at work: it has a count that
//! goes on. It begins with what the share reads. Shares that read different files would send rows of one file to two partitions, and
//! wait for each other for ever; so nobody sends before the leading share is heard, nor reads more files than that one does.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::intake::Stop;
use super::{Way, high};
use crate::progress::{Event, Stage};
use crate::share::Share;
use crate::source::Dataset;
use crate::stages::deploy::group;
use crate::stages::{Fault, fault};
use crate::topic::kafka::{Consumer, Note, Notebook};

/// How often the shares say how far they are, and look.
const LOOKING: Duration = Duration::from_millis(500);
/// The word of a share all of whose rows are in the topic.
const DONE: &str = "done";

type Notes = BTreeMap<u32, Note>;

/// What a share reads: the definition of its rows, and all files of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reads {
    digest: String,
    files: usize,
    /// That of the last file: a hash chain over all.
    lineage: String,
}

/// What a share says: `DIGEST FILES LINEAGE done|reading PROCESS COUNT`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    reads: Reads,
    is_done: bool,
}

impl Said {
    /// The note's text; `beat` is another each time.
    fn text(&self, beat: &str) -> String {
        let Reads { digest, files, lineage } = &self.reads;
        let word = if self.is_done { DONE } else { "reading" };
        format!("{digest} {files} {lineage} {word} {beat}")
    }
}

impl FromStr for Said {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.split(' ');
        let mut next = || words.next().ok_or(());
        let (digest, files, lineage) =
            (next()?.to_owned(), next()?.parse().map_err(|_| ())?, next()?.to_owned());
        let is_done = next()? == DONE;
        Ok(Self { reads: Reads { digest, files, lineage }, is_done })
    }
}

/// The notes of others, and when each was another than before.
#[derive(Debug, Default)]
struct Heard {
    notes: BTreeMap<u32, (Note, Option<Instant>)>,
}

impl Heard {
    /// Takes what is noted now. A note that was there at the first look may be left over from an earlier run, until it changes.
    /// `asking` is how long Kafka took to answer: meanwhile the others could say nothing either.
    fn look(&mut self, notes: Notes, asking: Duration, now: Instant) {
        for heard_at in self.notes.values_mut().filter_map(|(_, heard_at)| heard_at.as_mut()) {
            *heard_at += asking;
        }
        for (partition, note) in notes {
            match self.notes.get_mut(&partition) {
                Some((known, _)) if *known == note => {}
                Some(known) => *known = (note, Some(now)),
                None => drop(self.notes.insert(partition, (note, None))),
            }
        }
    }

    /// What a share that is at work says beside a partition, and the offset there.
    fn says(&self, partition: u32) -> Option<(Said, u64)> {
        let (note, heard_at) = self.notes.get(&partition)?;
        heard_at.and_then(|_| Some((note.text.parse().ok()?, note.offset)))
    }

    /// When a partition's share was last heard.
    fn heard_at(&self, partition: u32) -> Option<Instant> {
        self.notes.get(&partition)?.1
    }
}

/// One share's part in it.
pub(super) struct Meeting<'a> {
    way: &'a Way<'a>,
    notebook: Notebook,
    dataset: &'a Dataset,
    /// What all read: what the share that leads has listed.
    agreed: OnceLock<Reads>,
    /// Told once it is known.
    gathered: Notify,
    /// Tells this process from others.
    process: u32,
    /// Where the topic ended when all rows of this share's files were in it.
    done_at: OnceLock<BTreeMap<u32, u64>>,
    /// Told once those of all others are.
    all_done: Notify,
    fault: Mutex<Option<Fault>>,
}

impl Way<'_> {
    /// Whether the run has producers in other shares than this one. A try takes its rows from the leading share's.
    pub(super) fn has_other_producers(&self) -> bool {
        let spec = &self.plan.pipeline.spec;
        let is_divided = spec.stream.producers > 1 && self.plan.dataset.is_some();
        is_divided && self.extent.share.has_others() && self.extent.limit.is_none()
    }

    /// How many of the records before these offsets are in the partitions of other shares' producers.
    pub(super) fn of_other_producers(&self, ends: &BTreeMap<u32, u64>) -> u64 {
        ends.iter().filter(|(partition, _)| !self.produces_to(**partition)).map(|(_, end)| end).sum()
    }

    /// What is read of a source.
    fn reads(&self, dataset: &Dataset) -> Reads {
        let files = dataset.files();
        let lineage = files.last().map_or("", |file| &file.lineage).to_owned();
        Reads { digest: self.plan.stream_digest.rows.clone(), files: files.len(), lineage }
    }

    /// Whether the rows of a partition come from a producer of this share.
    fn produces_to(&self, partition: u32) -> bool {
        let producer = Share::of(partition, self.plan.pipeline.spec.stream.producers);
        self.extent.share.owns(producer.index())
    }
}

impl<'a> Meeting<'a> {
    /// The part of a share that has producers, of a run that has some in other shares.
    pub(super) fn of(way: &'a Way<'a>) -> Result<Option<Self>, Fault> {
        let is_part =
            way.has_other_producers() && way.extent.share.size(way.plan.pipeline.spec.stream.producers) > 0;
        let Some(dataset) = way.plan.dataset.as_ref().filter(|_| is_part) else { return Ok(None) };
        let group = format!("{}.producers", group(&way.plan.pipeline));
        let agreed = OnceLock::new();
        if way.extent.share.leads() {
            agreed.get_or_init(|| way.reads(dataset));
        }
        Ok(Some(Self {
            way,
            notebook: Notebook::open(&way.topic.kafka, way.name(), &group)?,
            dataset,
            agreed,
            gathered: Notify::new(),
            process: fastrand::u32(..),
            done_at: OnceLock::new(),
            all_done: Notify::new(),
            fault: Mutex::default(),
        }))
    }

    /// The files that all read: those that the leading share has listed, once it is heard; none where a stop is asked for before.
    pub(super) async fn gather(&self, stop: &Stop) -> Option<Dataset> {
        if self.agreed.get().is_none() {
            let note = "waiting for the first loader".to_owned();
            self.way.watch.progress.tell(Event::StageNote { stage: Stage::Stream, note });
            stop.asked().or(self.gathered.notified()).await?;
        }
        Some(self.dataset.first(self.agreed.get()?.files))
    }

    /// Says that all rows of this share's files are in the topic; where it leads, waits until the others have said so, or a stop is
    /// asked for.
    pub(super) async fn done(&self, stop: &Stop) -> Result<(), Fault> {
        let ends = high(&self.way.watermarks().await?);
        self.done_at.get_or_init(|| ends);
        if self.way.extent.share.leads() {
            let note = "waiting for the other producers".to_owned();
            self.way.watch.progress.tell(Event::StageNote { stage: Stage::Stream, note });
            stop.asked().or(self.all_done.notified()).await;
        }
        Ok(())
    }

    /// Says how far this share is, and looks how far the others are, until it is dropped. A fault of that ends producing and loading.
    pub(super) async fn hold(&self, stop: &Stop, consumer: &Consumer) -> Infallible {
        let Err(fault) = self.look_on().await;
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
        consumer.end_at(BTreeMap::new());
        stop.ask();
        std::future::pending().await
    }

    /// What has ended it before its time.
    pub(super) fn outcome(&self) -> Result<(), Fault> {
        let fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner).take();
        fault.map_or(Ok(()), Err)
    }

    async fn look_on(&self) -> Result<Infallible, Fault> {
        let (mut heard, mut waiting_since, mut are_done) = (Heard::default(), None, false);
        for beat in 0_u64.. {
            let asked_at = Instant::now();
            self.say_and_hear(beat, &mut heard).await?;
            if !self.way.extent.share.leads() {
                self.follow_leader(&heard)?;
            } else if !are_done && self.done_at.get().is_some() {
                let since = waiting_since.get_or_insert(asked_at);
                *since += asked_at.elapsed();
                are_done = self.have_others_done(&heard, *since).await?;
            }
            tokio::time::sleep(LOOKING).await;
        }
        std::future::pending().await
    }

    /// Notes how far this share is, and takes what the others have noted.
    async fn say_and_hear(&self, beat: u64, heard: &mut Heard) -> Result<(), Fault> {
        let (way, asked_at) = (self.way, Instant::now());
        let reads = self.agreed.get().cloned().unwrap_or_else(|| way.reads(self.dataset));
        let said = Said { reads, is_done: self.done_at.get().is_some() };
        let text = said.text(&format!("{:08x} {beat}", self.process));
        let partitions = way.plan.pipeline.spec.topic.partitions;
        let end =
            |partition| self.done_at.get().and_then(|ends| ends.get(&partition)).copied().unwrap_or_default();
        let note = |partition| (partition, Note { offset: end(partition), text: text.clone() });
        let own: Notes = (0..partitions).filter(|partition| way.produces_to(*partition)).map(note).collect();
        way.patiently(async || self.notebook.write(own.clone()).await).await?;
        let mut notes = way.patiently(async || self.notebook.read(partitions).await).await?;
        notes.retain(|partition, _| !way.produces_to(*partition));
        heard.look(notes, asked_at.elapsed(), Instant::now());
        Ok(())
    }

    /// Agrees with the leading share, or ends where that one reads what this one has not listed: to be started again.
    fn follow_leader(&self, heard: &Heard) -> Result<(), Fault> {
        let Some((said, _)) = heard.says(0) else { return Ok(()) };
        let is_known = |reads: &Reads| self.way.reads(&self.dataset.first(reads.files)) == *reads;
        match self.agreed.get() {
            Some(agreed) if *agreed == said.reads => Ok(()),
            None if is_known(&said.reads) => {
                self.agreed.get_or_init(|| said.reads);
                self.gathered.notify_one();
                Ok(())
            }
            _ => Err(fault::other_files()),
        }
    }

    /// Whether all others have said that they are done. One that is not heard for longer than an outage is waited out is given up.
    async fn have_others_done(&self, heard: &Heard, since: Instant) -> Result<bool, Fault> {
        let way = self.way;
        let others =
            || (0..way.plan.pipeline.spec.topic.partitions).filter(|partition| !way.produces_to(*partition));
        let says_done = |partition: &u32| {
            let said = heard.says(*partition);
            let said = said.filter(|(said, _)| said.is_done && self.agreed.get() == Some(&said.reads));
            said.map(|(_, offset)| (*partition, offset))
        };
        let done: BTreeMap<u32, u64> = others().filter_map(|partition| says_done(&partition)).collect();
        if done.len() == others().count() {
            // Of a topic that is gone meanwhile it may have been true.
            let ends = high(&way.watermarks().await?);
            return Ok(self.tell_all_done(&done, &ends));
        }
        let silent =
            |partition: u32| heard.heard_at(partition).unwrap_or(since).max(since).elapsed() >= way.patience;
        if others().any(|partition| !done.contains_key(&partition) && silent(partition)) {
            return Err(fault::producers_stand_still(way.patience));
        }
        Ok(false)
    }

    fn tell_all_done(&self, done: &BTreeMap<u32, u64>, ends: &BTreeMap<u32, u64>) -> bool {
        let reaches =
            |(partition, offset): (&u32, &u64)| ends.get(partition).is_some_and(|end| offset <= end);
        let are_done = done.iter().all(reaches);
        if are_done {
            self.all_done.notify_one();
        }
        are_done
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn said(is_done: bool) -> Said {
        let reads = Reads { digest: "d1".into(), files: 3, lineage: "l3".into() };
        Said { reads, is_done }
    }

    #[test]
    fn what_is_said_is_understood() {
        for is_done in [true, false] {
            assert_eq!(said(is_done).text("0000002a 7").parse(), Ok(said(is_done)));
        }
        for other in ["", "d1", "d1 three l3 done", "d1 3 l3"] {
            assert_eq!(other.parse::<Said>(), Err(()), "{other}");
        }
    }

    #[test]
    fn only_a_note_that_changes_is_that_of_a_share_at_work() {
        let mut heard = Heard::default();
        let note = |beat: &str| Notes::from([(1, Note { offset: 5, text: said(true).text(beat) })]);
        let now = Instant::now();
        let at_once = Duration::ZERO;
        heard.look(note("a 7"), at_once, now);
        heard.look(note("a 7"), at_once, now);
        assert_eq!((heard.says(1), heard.heard_at(1)), (None, None));
        heard.look(note("b 0"), at_once, now);
        assert_eq!((heard.says(1), heard.heard_at(1)), (Some((said(true), 5)), Some(now)));
        heard.look(note("b 0"), at_once, now + LOOKING);
        assert_eq!(heard.heard_at(1).unwrap(), now, "it has not said anything since");
        heard.look(note("b 0"), LOOKING, now + LOOKING);
        assert_eq!(heard.heard_at(1).unwrap(), now + LOOKING, "it could not");
    }
}
