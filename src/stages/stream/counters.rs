//! What a stream has done so far, hop by hop: counted where it happens, read while it runs and after it failed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::report::Rows;

/// How many dead letters are told in words.
const EXAMPLES: usize = 5;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts some more.
    pub(in crate::stages) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many there are by now.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counts of a stream, each taken on its own side of a hop.
#[derive(Debug, Default)]
pub struct Counters {
    /// Rows of the source that were passed, filtered ones included.
    pub read: Counter,
    /// Rows that passed the filter.
    pub passed: Counter,
    /// Rows that passed the filter and were in the topic from an earlier run.
    pub there_already: Counter,
    /// Messages that the topic took.
    pub produced: Counter,
    /// Messages that the topic's servers have acknowledged.
    pub delivered: Counter,
    /// Records taken from the topic.
    pub consumed: Counter,
    /// Rows written to the graph.
    pub written: Counter,
    /// Records that could not be written.
    pub dead_letters: Counter,
    /// Records of rows that were in the graph already: a producer that was stopped woke up beside its successor.
    pub duplicates: Counter,
    /// What was tried again after a passing fault: batches, questions, and connections to brokers that were all away.
    pub retries: Counter,
    examples: Mutex<Vec<String>>,
    partitions: Mutex<BTreeMap<u32, Place>>,
}

/// How far a partition is.
#[derive(Debug, Default)]
struct Place {
    /// The next record to load.
    loaded_to: u64,
    /// Where it ended when it was looked at last.
    end: u64,
}

impl Counters {
    /// Counts a dead letter; the first few are kept in words.
    pub(super) fn dead_letter(&self, words: impl FnOnce() -> String) {
        self.dead_letters.add(1);
        let mut examples = self.examples.lock().unwrap_or_else(PoisonError::into_inner);
        if examples.len() < EXAMPLES {
            examples.push(words());
        }
    }

    /// The first few dead letters in words.
    #[must_use]
    pub fn examples(&self) -> Vec<String> {
        self.examples.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes how far a partition is loaded.
    pub(in crate::stages) fn loaded_to(&self, partition: u32, next: u64) {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        partitions.entry(partition).or_default().loaded_to = next;
    }

    /// Notes where partitions end.
    pub(in crate::stages) fn ends_at(&self, ends: impl IntoIterator<Item = (u32, u64)>) {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, end) in ends {
            partitions.entry(partition).or_default().end = end;
        }
    }

    /// How many records of each partition were still to be loaded when its end was looked at last.
    #[must_use]
    pub fn lag(&self) -> BTreeMap<u32, u64> {
        let partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        let lag = |place: &Place| place.end.saturating_sub(place.loaded_to);
        partitions.iter().map(|(partition, place)| (*partition, lag(place))).collect()
    }

    /// The counts as the report has them; `already_loaded` is what earlier runs have brought.
    #[must_use]
    pub fn rows(&self, already_loaded: u64) -> Rows {
        let read = self.read.get();
        Rows {
            read,
            filtered_out: read.saturating_sub(self.passed.get()),
            already_loaded,
            produced: self.produced.get(),
            consumed: self.consumed.get(),
            written: self.written.get(),
            dead_letters: self.dead_letters.get(),
            duplicates: self.duplicates.get(),
            retries: self.retries.get(),
            other_producers: 0,
            other_loaders: 0,
        }
    }
}
