//! The end of the topic where rows go in.
//!
//! # What stands in a partition
//!
//! Always a beginning of the rows that were produced to it: librdkafka's idempotent producer sends the batches of a
//! partition in their order, without gaps, and repeats one until the broker has it once. The first message that fails for
//! good ends everything, so that no later one can stand where it is missing. So the last row of a partition says what is
//! there, and a run that is killed at any moment is gone on with from there.

use std::collections::BTreeMap;
use std::fmt;

use super::cluster::{Kafka, blocking};
use super::error::KafkaError;
use super::headers::Stamp;
use super::health::Health;
use super::sender::{Outgoing, ProducerOptions, Sender};
use crate::message::{Message, RowId};
use crate::share::Share;
use crate::topic::partition;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Produced {
    /// It is on its way to a partition.
    Queued {
        /// The partition.
        partition: u32,
    },
    /// Its row is in the partition already.
    AlreadyThere {
        /// The partition.
        partition: u32,
    },
}

/// Where rows go in.
pub struct Producer {
    /// The last row of each partition.
    last: Vec<Option<RowId>>,
    share: Share,
    sender: Sender,
    stamp: Stamp,
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer")
            .field("topic", &self.sender.topic())
            .field("queued", &self.sender.sent())
            .finish_non_exhaustive()
    }
}

impl Producer {
    /// Opens a topic for rows of the files that fall to a share; they go to the share's partitions, which are its own. `last` are
    /// the last rows of the partitions: those not beyond them are there already.
    ///
    /// # Errors
    /// Where the settings do not hold.
    pub fn open(
        kafka: &Kafka,
        topic: &str,
        (share, partitions): (Share, u32),
        last: &BTreeMap<u32, RowId>,
        options: &ProducerOptions,
    ) -> Result<Self, KafkaError> {
        Ok(Self {
            share,
            last: (0..partitions.max(1)).map(|partition| last.get(&partition).cloned()).collect(),
            sender: Sender::new(kafka, topic, partitions, options)?,
            stamp: Stamp::default(),
        })
    }

    /// Puts a message into its partition; waits while too many are on their way.
    ///
    /// Messages must come in the order of their rows. If the future is dropped before it is done, the message is not in
    /// the topic, and it is as if it had never been produced.
    ///
    /// # Errors
    /// Where a message could not be delivered, this one or one before it; where Kafka is away for too long.
    pub async fn produce(&mut self, message: Message) -> Result<Produced, KafkaError> {
        let partitions = u32::try_from(self.last.len()).unwrap_or(u32::MAX);
        let partition = partition(message.key.as_deref(), message.origin.row.ordinal, partitions, self.share);
        let last = self.last.get(partition as usize).and_then(Option::as_ref);
        if last.is_some_and(|last| message.origin.row <= *last) {
            return Ok(Produced::AlreadyThere { partition });
        }
        // A queue with room never waits; the others must get their turn all the same.
        tokio::task::coop::consume_budget().await;
        let outgoing = Outgoing {
            partition,
            key: message.key.as_deref(),
            value: &message.value,
            headers: self.stamp.headers(&message.origin),
        };
        let row = message.origin.row;
        self.sender.send(outgoing, || row.to_string()).await?;
        if let Some(last) = self.last.get_mut(partition as usize) {
            *last = Some(row);
        }
        Ok(Produced::Queued { partition })
    }

    /// Waits until every message is acknowledged, and says how many each partition took.
    ///
    /// # Errors
    /// Where a message could not be delivered; where Kafka is away for too long.
    pub async fn flush(&mut self) -> Result<BTreeMap<u32, u64>, KafkaError> {
        self.sender.flush().await?;
        Ok(self.delivered())
    }

    /// How many messages each partition has acknowledged so far.
    #[must_use]
    pub fn delivered(&self) -> BTreeMap<u32, u64> {
        self.sender.delivered()
    }

    /// How the connections are doing.
    #[must_use]
    pub fn health(&self) -> &Health {
        self.sender.health()
    }

    /// Lets go of the connections; messages that were not acknowledged may or may not be delivered.
    pub async fn close(self) {
        // Dropping it waits for its threads.
        let _ = blocking(move || drop(self)).await;
    }
}

#[cfg(test)]
mod tests;
