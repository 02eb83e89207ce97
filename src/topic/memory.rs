//! The topic in this process: one bounded queue, in which each message has its partition and its offset.
//!
//! Messages come out in the order in which they went in, across partitions too, so that the graph comes about in the same
//! order on every run. Within a partition that is Kafka's promise; across partitions it is more.
//!
//! The topic keeps nothing between runs. It is opened from the checkpoints of the graph instead: offsets go on where each
//! partition stands, and a row that is not beyond the partition's last one is there already.

use std::collections::BTreeMap;

use thiserror::Error;
use tokio::sync::mpsc;

use super::{Record, partition};
use crate::message::{Message, RowId};
use crate::share::Share;

/// Where a partition goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// The offset of the next message.
    pub offset: u64,
    /// The last row that went through it.
    pub row: Option<RowId>,
}

/// Nobody reads the topic any more; the message would be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the topic has no reader any more")]
pub struct ReaderGone;

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

/// Opens a topic: the end where messages go in, and the one where they come out.
///
/// It holds at most `capacity` messages (at least one); a producer waits while it is full. Partitions that `starts` does
/// not name begin at offset 0.
#[must_use]
pub fn open(partitions: u32, capacity: usize, starts: &BTreeMap<u32, Start>) -> (Producer, Consumer) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    let lanes = (0..partitions.max(1)).map(|partition| starts.get(&partition).cloned().unwrap_or_default());
    (Producer { lanes: lanes.collect(), sender }, Consumer { receiver })
}

/// Where messages go in. Dropping it closes the topic: its reader comes to an end once it has read what is there.
#[derive(Debug)]
pub struct Producer {
    /// Where each partition goes on; at least one.
    lanes: Vec<Start>,
    sender: mpsc::Sender<Record>,
}

impl Producer {
    /// Puts a message into its partition, one of those of the share that its file falls to; waits while the topic is full.
    ///
    /// Messages must come in the order of their rows. If the future is dropped before it is done, the message is not in
    /// the topic, and it is as if it had never been produced.
    ///
    /// # Errors
    ///
    /// Where the reader is gone.
    pub async fn produce(&mut self, message: Message, share: Share) -> Result<Produced, ReaderGone> {
        let partitions = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let partition = partition(message.key.as_deref(), message.origin.row.ordinal, partitions, share);
        let lane = self.lanes.get_mut(partition as usize).ok_or(ReaderGone)?;
        if lane.row.as_ref().is_some_and(|last| message.origin.row <= *last) {
            return Ok(Produced::AlreadyThere { partition });
        }
        let room = self.sender.reserve().await.map_err(|_| ReaderGone)?;
        let offset = lane.offset;
        lane.offset += 1;
        lane.row = Some(message.origin.row.clone());
        let Message { key, value, origin } = message;
        room.send(Record { partition, offset, key, value, origin: Some(origin) });
        Ok(Produced::Appended { partition, offset })
    }
}

/// Where messages come out.
#[derive(Debug)]
pub struct Consumer {
    receiver: mpsc::Receiver<Record>,
}

impl Consumer {
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
    use crate::message::Origin;

    fn ordinal(record: &Record) -> u64 {
        record.origin.as_ref().unwrap().row.ordinal
    }

    fn message(key: Option<u8>, ordinal: u64) -> Message {
        Message {
            key: key.map(|key| key.to_string().into_bytes()),
            value: ordinal.to_string().into_bytes(),
            origin: Origin {
                row: RowId { file: "a.parquet".into(), ordinal },
                lineage: "lineage".into(),
                digest: "digest".into(),
            },
        }
    }

    /// Produces all keys' messages while the topic is read, and returns what came out.
    async fn run(
        keys: &[Option<u8>],
        (partitions, capacity, most): (u32, usize, usize),
        starts: &BTreeMap<u32, Start>,
    ) -> Vec<Record> {
        let (mut producer, mut consumer) = open(partitions, capacity, starts);
        let reader = tokio::spawn(async move {
            let mut read = Vec::new();
            while let Some(batch) = consumer.batch(most).await {
                assert!(!batch.is_empty() && batch.len() <= most);
                read.extend(batch);
            }
            read
        });
        for (ordinal, key) in (0..).zip(keys) {
            producer.produce(message(*key, ordinal), Share::WHOLE).await.unwrap();
        }
        drop(producer);
        reader.await.unwrap()
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
        fn nothing_is_lost_or_doubled_and_all_stays_in_order(
            keys in prop::collection::vec(prop::option::of(0_u8..6), 0..300),
            partitions in 1_u32..6,
            capacity in 1_usize..40,
            most in 1_usize..50,
        ) {
            let read = block_on(run(&keys, (partitions, capacity, most), &BTreeMap::new()));
            let ordinals: Vec<u64> = read.iter().map(ordinal).collect();
            prop_assert_eq!(ordinals, (0..keys.len() as u64).collect::<Vec<_>>());
            let mut next = vec![0; partitions as usize];
            for record in &read {
                let chosen = partition(record.key.as_deref(), ordinal(record), partitions, Share::WHOLE);
                prop_assert_eq!(record.partition, chosen);
                prop_assert_eq!(record.offset, next[chosen as usize]);
                next[chosen as usize] += 1;
            }
        }

        #[test]
        fn a_run_cut_off_in_each_partition_and_run_again_reads_each_message_once(
            keys in prop::collection::vec(prop::option::of(0_u8..6), 1..200),
            partitions in 1_u32..5,
            cuts in prop::collection::vec(0_u64..60, 5),
        ) {
            let whole = block_on(run(&keys, (partitions, 8, 16), &BTreeMap::new()));
            let is_kept = |record: &&Record| record.offset < cuts[record.partition as usize];
            // How far each partition was written when it was cut off, as the graph's checkpoints would say.
            let starts = whole.iter().filter(is_kept).map(|record| {
                let row = record.origin.clone().map(|origin| origin.row);
                (record.partition, Start { offset: record.offset + 1, row })
            });
            let rest = block_on(run(&keys, (partitions, 8, 16), &starts.collect()));
            let missing: Vec<Record> = whole.iter().filter(|record| !is_kept(record)).cloned().collect();
            prop_assert_eq!(rest, missing);
        }
    }

    #[tokio::test]
    async fn a_full_topic_makes_the_producer_wait() {
        let (mut producer, mut consumer) = open(1, 2, &BTreeMap::new());
        producer.produce(message(None, 0), Share::WHOLE).await.unwrap();
        producer.produce(message(None, 1), Share::WHOLE).await.unwrap();
        let third =
            tokio::time::timeout(Duration::from_millis(20), producer.produce(message(None, 2), Share::WHOLE))
                .await;
        assert!(third.is_err(), "there was room for a third message");
        let batch = consumer.batch(10).await.unwrap();
        assert_eq!(batch.len(), 2);
        // The one that did not fit was not put in, so that it can be produced again.
        let again = producer.produce(message(None, 2), Share::WHOLE).await.unwrap();
        assert_eq!(again, Produced::Appended { partition: 0, offset: 2 });
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_is_told_to_the_producer() {
        let (mut producer, consumer) = open(1, 2, &BTreeMap::new());
        drop(consumer);
        assert_eq!(producer.produce(message(None, 0), Share::WHOLE).await, Err(ReaderGone));
    }

    #[tokio::test]
    async fn rows_not_beyond_the_last_one_are_there_already() {
        let row = Some(RowId { file: "a.parquet".into(), ordinal: 4 });
        let starts = BTreeMap::from([(0, Start { offset: 3, row })]);
        let (mut producer, _consumer) = open(1, 9, &starts);
        assert_eq!(
            producer.produce(message(None, 4), Share::WHOLE).await,
            Ok(Produced::AlreadyThere { partition: 0 })
        );
        let next = producer.produce(message(None, 5), Share::WHOLE).await;
        assert_eq!(next, Ok(Produced::Appended { partition: 0, offset: 3 }));
    }
}
