//! `topic/`: the topic that carries the rows, one partition beside the other, each in order.

pub mod memory;
mod partition;

use crate::message::Message;

pub use partition::partition;

/// A message in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The partition that it is in.
    pub partition: u32,
    /// Its place in the partition, from 0.
    pub offset: u64,
    /// What it carries.
    pub message: Message,
}
