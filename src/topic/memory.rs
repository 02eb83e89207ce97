//! The topic in this process: a bounded queue for each partition.
//!
//! It keeps nothing between runs. It is opened from the checkpoints of the graph instead: offsets go on where each
//! partition stands, and a row that is not beyond the partition's last one is there already.

use std::collections::BTreeMap;

use thiserror::Error;
use tokio::sync::mpsc;

use super::{Record, partition};
use crate::message::{Message, RowId};

/// Where a partition goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// The offset of the next message.
    pub offset: u64,
    /// The last row that went through it.
    pub row: Option<RowId>,
}

/// The reader of a partition is gone; messages to it would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("partition {partition} has no reader any more")]
pub struct ReaderGone {
    /// The partition.
    pub partition: u32,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Produced {
    /// It was put at the end of a partition.
    Appended {
        /// The partition.
        partition: u32,
        /// Its place in the partition.
        offset: u64,
    },
    /// Its row went through the partition in an earlier run.
    AlreadyThere {
        /// The partition.
        partition: u32,
    },
}

/// Opens a topic: the end where messages go in, and one where they come out for each partition, in order.
///
/// A partition holds at most `capacity` messages (at least one); a producer waits while it is full. Partitions that
/// `starts` does not name begin at offset 0.
#[must_use]
pub fn open(partitions: u32, capacity: usize, starts: &BTreeMap<u32, Start>) -> (Producer, Vec<Consumer>) {
    let (lanes, consumers) = (0..partitions.max(1))
        .map(|partition| {
            let (sender, receiver) = mpsc::channel(capacity.max(1));
            let start = starts.get(&partition).cloned().unwrap_or_default();
            (Lane { next: start.offset, last: start.row, sender }, Consumer { partition, receiver })
        })
        .unzip();
    (Producer { lanes }, consumers)
}

/// Where messages go in. Dropping it closes the topic: its readers come to an end once they have read what is there.
#[derive(Debug)]
pub struct Producer {
    /// One for each partition, at least one.
    lanes: Vec<Lane>,
}

#[derive(Debug)]
struct Lane {
    next: u64,
    last: Option<RowId>,
    sender: mpsc::Sender<Record>,
}

impl Producer {
    /// Puts a message into its partition; waits while that is full.
    ///
    /// Messages must come in the order of their rows. If the future is dropped before it is done, the message is not in
    /// the topic, and it is as if it had never been produced.
    ///
    /// # Errors
    ///
    /// Where the partition's reader is gone.
    pub async fn produce(&mut self, message: Message) -> Result<Produced, ReaderGone> {
        let partitions = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let partition = partition(message.key.as_deref(), message.row.ordinal, partitions);
        let gone = ReaderGone { partition };
        let lane = self.lanes.get_mut(partition as usize).ok_or(gone)?;
        if lane.last.as_ref().is_some_and(|last| message.row <= *last) {
            return Ok(Produced::AlreadyThere { partition });
        }
        let room = lane.sender.reserve().await.map_err(|_| gone)?;
        let offset = lane.next;
        lane.next += 1;
        lane.last = Some(message.row.clone());
        room.send(Record { partition, offset, message });
        Ok(Produced::Appended { partition, offset })
    }
}

/// Where the messages of one partition come out.
#[derive(Debug)]
pub struct Consumer {
    partition: u32,
    receiver: mpsc::Receiver<Record>,
}

impl Consumer {
    /// The partition that it reads.
    #[must_use]
    pub const fn partition(&self) -> u32 {
        self.partition
    }

    /// The next records, in order: what is there, but at most `most` (at least one); waits while nothing is.
    ///
    /// `None` once the topic is closed and everything was read. Dropping the future loses nothing.
    pub async fn batch(&mut self, most: usize) -> Option<Vec<Record>> {
        let mut records = Vec::new();
        match self.receiver.recv_many(&mut records, most.max(1)).await {
            0 => None,
            _ => Some(records),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn message(key: Option<u8>, ordinal: u64) -> Message {
        Message {
            key: key.map(|key| key.to_string().into_bytes()),
            value: ordinal.to_string().into_bytes(),
            row: RowId { file: "a.parquet".into(), ordinal },
            lineage: "lineage".into(),
            digest: "digest".into(),
        }
    }

    /// Produces all keys' messages while each partition is read, and returns what each partition gave.
    async fn run(
        keys: &[Option<u8>],
        (partitions, capacity, most): (u32, usize, usize),
        starts: &BTreeMap<u32, Start>,
    ) -> Vec<Vec<Record>> {
        let (mut producer, consumers) = open(partitions, capacity, starts);
        let readers: Vec<_> = consumers
            .into_iter()
            .map(|mut consumer| {
                tokio::spawn(async move {
                    let mut read = Vec::new();
                    while let Some(batch) = consumer.batch(most).await {
                        assert!(!batch.is_empty() && batch.len() <= most);
                        read.extend(batch);
                    }
                    read
                })
            })
            .collect();
        for (ordinal, key) in (0..).zip(keys) {
            producer.produce(message(*key, ordinal)).await.unwrap();
        }
        drop(producer);
        let mut read = Vec::new();
        for reader in readers {
            read.push(reader.await.unwrap());
        }
        read
    }

    fn block_on<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .unwrap()
            .block_on(async { tokio::time::timeout(Duration::from_mins(1), work).await.unwrap() })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn nothing_is_lost_or_doubled_and_keys_stay_in_order(
            keys in prop::collection::vec(prop::option::of(0_u8..6), 0..300),
            partitions in 1_u32..6,
            capacity in 1_usize..40,
            most in 1_usize..50,
        ) {
            let read = block_on(run(&keys, (partitions, capacity, most), &BTreeMap::new()));
            let mut ordinals: Vec<u64> = Vec::new();
            for (number, records) in (0..).zip(&read) {
                for (offset, record) in (0..).zip(records) {
                    prop_assert_eq!(record.offset, offset);
                    prop_assert_eq!(record.partition, number);
                    prop_assert_eq!(
                        partition(record.message.key.as_deref(), record.message.row.ordinal, partitions),
                        number
                    );
                }
                prop_assert!(records.is_sorted_by_key(|record| record.message.row.ordinal));
                ordinals.extend(records.iter().map(|record| record.message.row.ordinal));
            }
            ordinals.sort_unstable();
            prop_assert_eq!(ordinals, (0..keys.len() as u64).collect::<Vec<_>>());
        }

        #[test]
        fn a_run_cut_off_anywhere_and_run_again_reads_each_message_once(
            keys in prop::collection::vec(prop::option::of(0_u8..6), 1..200),
            partitions in 1_u32..5,
            cuts in prop::collection::vec(0_usize..200, 5),
        ) {
            let whole = block_on(run(&keys, (partitions, 8, 16), &BTreeMap::new()));
            // What each partition had written when it was cut off, as the graph's checkpoints would say.
            let mut starts = BTreeMap::new();
            let mut kept: Vec<Vec<Record>> = Vec::new();
            for ((number, records), cut) in (0..).zip(&whole).zip(&cuts) {
                let written: Vec<Record> = records.iter().take(*cut).cloned().collect();
                if let Some(last) = written.last() {
                    let row = Some(last.message.row.clone());
                    starts.insert(number, Start { offset: last.offset + 1, row });
                }
                kept.push(written);
            }
            let rest = block_on(run(&keys, (partitions, 8, 16), &starts));
            for (written, rest) in kept.iter_mut().zip(rest) {
                written.extend(rest);
            }
            prop_assert_eq!(kept, whole);
        }
    }

    #[tokio::test]
    async fn a_full_partition_makes_the_producer_wait() {
        let (mut producer, mut consumers) = open(1, 2, &BTreeMap::new());
        producer.produce(message(None, 0)).await.unwrap();
        producer.produce(message(None, 1)).await.unwrap();
        let third = tokio::time::timeout(Duration::from_millis(20), producer.produce(message(None, 2))).await;
        assert!(third.is_err(), "there was room for a third message");
        let batch = consumers[0].batch(10).await.unwrap();
        assert_eq!(batch.len(), 2);
        // The one that did not fit was not put in, so that it can be produced again.
        let again = producer.produce(message(None, 2)).await.unwrap();
        assert_eq!(again, Produced::Appended { partition: 0, offset: 2 });
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_is_told_to_the_producer() {
        let (mut producer, consumers) = open(1, 2, &BTreeMap::new());
        drop(consumers);
        assert_eq!(producer.produce(message(None, 0)).await, Err(ReaderGone { partition: 0 }));
    }

    #[tokio::test]
    async fn rows_not_beyond_the_last_one_are_there_already() {
        let row = Some(RowId { file: "a.parquet".into(), ordinal: 4 });
        let starts = BTreeMap::from([(0, Start { offset: 3, row })]);
        let (mut producer, _consumers) = open(1, 9, &starts);
        assert_eq!(producer.produce(message(None, 4)).await, Ok(Produced::AlreadyThere { partition: 0 }));
        let next = producer.produce(message(None, 5)).await;
        assert_eq!(next, Ok(Produced::Appended { partition: 0, offset: 3 }));
    }
}
