//! `topic/`: the topic that carries the rows, one partition beside the other, each in order.

pub mod connect;
pub mod kafka;
pub mod memory;
mod partition;

use crate::message::Origin;

pub use partition::partition;

/// The replication of a topic that leaves it to the brokers' `default.replication.factor` (KIP-464, brokers from 2.4 on).
pub(crate) const BROKERS_DEFAULT: i32 = -1;

/// A message as it stands in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition that it is in.
    pub partition: u32,
    /// Its place in the partition, from 0.
    pub offset: u64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// What it carries; empty where it carries nothing, as a tombstone does.
    pub value: Vec<u8>,
    /// Which row it is; none where somebody else produced it.
    pub origin: Option<Origin>,
}
