//! The producing half: rows are read, encoded and put into the topic.

use std::sync::atomic::Ordering;

use futures::StreamExt as _;

use super::{Meter, Resume};
use crate::progress::Interrupt;
use crate::source::{Dataset, Encoder, SourceError};
use crate::stages::validate::Plan;
use crate::topic::memory::{Produced, Producer, ReaderGone};

/// How much was put into the topic.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Amount {
    /// Rows of the source that were passed, filtered ones included.
    pub read: u64,
    /// Messages.
    pub messages: u64,
}

/// Reads, encodes and produces all rows after the one that the run goes on from; the topic is closed at the end.
pub(super) async fn produce(
    plan: &Plan,
    dataset: &Dataset,
    resume: &Resume,
    limit: Option<u64>,
    mut producer: Producer,
    meter: &Meter,
    interrupt: &Interrupt,
) -> Result<Amount, SourceError> {
    let key = plan.pipeline.spec.topic.key.as_deref();
    let digest = plan.stream_digest.rows.as_str().into();
    let encoder = Encoder::new(&dataset.columns(), key, digest)?;
    let mut batches = std::pin::pin!(dataset.scan(resume.after.as_ref(), limit));
    let mut produced = Amount::default();
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for message in encoder.encode(&batch)? {
            match producer.produce(message).await {
                Ok(Produced::Appended { .. }) => produced.messages += 1,
                Ok(Produced::AlreadyThere { .. }) => {}
                // The loader has gone; its own fault says why.
                Err(ReaderGone { .. }) => return Ok(produced),
            }
        }
        produced.read += batch.read;
        meter.read.fetch_add(batch.read, Ordering::Relaxed);
        if interrupt.requested() {
            break;
        }
    }
    Ok(produced)
}
