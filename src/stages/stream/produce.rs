//! The producing half: batches of rows are encoded and put into the topic.

use std::ops::ControlFlow;
use std::sync::Arc;

use futures::{Stream, StreamExt as _};

use super::Counters;
use crate::message::Message;
use crate::progress::Interrupt;
use crate::share::Share;
use crate::source::{Batch, Encoder, SourceError};
use crate::stages::Fault;
use crate::stages::validate::Plan;
use crate::topic::memory::{Produced, Producer, ReaderGone};

/// Takes messages, one by one, in the order of their rows; may end it at any.
pub(super) trait Put {
    /// Puts a message where it belongs.
    fn put(&mut self, message: Message) -> impl Future<Output = Result<ControlFlow<()>, Fault>> + Send;
}

/// The topic in process, for the files of all producers in their order.
pub(super) struct InProcess<'a> {
    producer: Producer,
    plan: &'a Plan,
    counters: &'a Counters,
    /// The file whose rows come now, and the share that it falls to.
    file: (Arc<str>, Share),
}

impl<'a> InProcess<'a> {
    pub(super) fn new(producer: Producer, plan: &'a Plan, counters: &'a Counters) -> Self {
        Self { producer, plan, counters, file: ("".into(), Share::WHOLE) }
    }
}

impl Put for InProcess<'_> {
    async fn put(&mut self, message: Message) -> Result<ControlFlow<()>, Fault> {
        self.counters.passed.add(1);
        let file = &message.origin.row.file;
        if self.file.0 != *file {
            self.file = (Arc::clone(file), self.plan.producer_of(file));
        }
        match self.producer.produce(message, self.file.1).await {
            Ok(Produced::Appended { .. }) => self.counters.produced.add(1),
            Ok(Produced::AlreadyThere { .. }) => self.counters.there_already.add(1),
            // The loader has gone; its own fault says why.
            Err(ReaderGone) => return Ok(ControlFlow::Break(())),
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Encodes the rows of the batches and hands each message on; an interrupt ends it behind a batch, and whoever takes the
/// messages may end it at any.
pub(super) async fn each(
    batches: impl Stream<Item = Result<Batch, SourceError>>,
    encoder: &Encoder,
    counters: &Counters,
    interrupt: &Interrupt,
    to: &mut impl Put,
) -> Result<(), Fault> {
    let mut batches = std::pin::pin!(batches);
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        for message in encoder.encode(&batch)? {
            if to.put(message).await?.is_break() {
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
