//! The producing half: batches of rows are encoded and put into the topic.

use std::sync::atomic::{AtomicU64, Ordering};

use futures::{Stream, StreamExt as _};

use crate::progress::Interrupt;
use crate::source::{Batch, Encoder, SourceError};
use crate::topic::memory::{Produced, Producer, ReaderGone};

/// How much was put into the topic.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amount {
    /// Rows of the source that were passed, filtered ones included.
    pub read: u64,
    /// Rows that passed the filter.
    pub rows: u64,
    /// Messages that were appended to the topic.
    pub messages: u64,
}

/// Encodes and produces all rows of the batches; an interrupt ends it behind a batch. The topic is closed at the end.
pub(super) async fn produce(
    batches: impl Stream<Item = Result<Batch, SourceError>>,
    encoder: &Encoder,
    mut producer: Producer,
    read: &AtomicU64,
    interrupt: &Interrupt,
) -> Result<Amount, SourceError> {
    let mut batches = std::pin::pin!(batches);
    let mut amount = Amount::default();
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for message in encoder.encode(&batch)? {
            amount.rows += 1;
            match producer.produce(message).await {
                Ok(Produced::Appended { .. }) => amount.messages += 1,
                Ok(Produced::AlreadyThere { .. }) => {}
                // The loader has gone; its own fault says why.
                Err(ReaderGone) => return Ok(amount),
            }
        }
        amount.read += batch.read;
        read.store(amount.read, Ordering::Relaxed);
        if interrupt.requested() {
            break;
        }
    }
    Ok(amount)
}
