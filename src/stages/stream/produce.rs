//! The producing half: batches of rows are encoded and put into the topic.

use std::ops::ControlFlow;

use futures::{Stream, StreamExt as _};

use super::Counters;
use crate::message::Message;
use crate::progress::Interrupt;
use crate::source::{Batch, Encoder, SourceError};
use crate::stages::Fault;
use crate::topic::memory::{Produced, Producer, ReaderGone};

/// Encodes and produces all rows of the batches; an interrupt ends it behind a batch. The topic is closed at the end.
pub(super) async fn produce(
    batches: impl Stream<Item = Result<Batch, SourceError>>,
    encoder: &Encoder,
    mut producer: Producer,
    counters: &Counters,
    interrupt: &Interrupt,
) -> Result<(), Fault> {
    let put = async |message| {
        counters.passed.add(1);
        match producer.produce(message).await {
            Ok(Produced::Appended { .. }) => counters.produced.add(1),
            Ok(Produced::AlreadyThere { .. }) => counters.there_already.add(1),
            // The loader has gone; its own fault says why.
            Err(ReaderGone) => return Ok(ControlFlow::Break(())),
        }
        Ok(ControlFlow::Continue(()))
    };
    each(batches, encoder, counters, interrupt, put).await
}

/// Encodes the rows of the batches and hands each message on; an interrupt ends it behind a batch, and whoever takes the
/// messages may end it at any.
pub(super) async fn each(
    batches: impl Stream<Item = Result<Batch, SourceError>>,
    encoder: &Encoder,
    counters: &Counters,
    interrupt: &Interrupt,
    mut put: impl AsyncFnMut(Message) -> Result<ControlFlow<()>, Fault>,
) -> Result<(), Fault> {
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for message in encoder.encode(&batch)? {
            if put(message).await?.is_break() {
                return Ok(());
            }
        }
        counters.read.add(batch.read);
        if interrupt.requested() {
            break;
        }
    }
    Ok(())
}
