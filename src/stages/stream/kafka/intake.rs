//! How rows come into the topic: a producer for each share of the files, side by side, each into the partitions of its share.

use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::Way;
use crate::message::Message;
use crate::progress::Interrupt;
use crate::source::{Dataset, Encoder};
use crate::stages::Fault;
use crate::stages::stream::produce::{Put, each};
use crate::stages::stream::{Counters, Reach, Resume, resume};
use crate::topic::kafka::{Produced, Producer};

/// The producers of a run that have rows to send, not yet begun.
pub(super) struct Intakes(Vec<Intake>);

/// The files of a share on their way into its partitions.
struct Intake {
    dataset: Dataset,
    resume: Resume,
    limit: Option<u64>,
    encoder: Encoder,
    producer: Producer,
    counters: Arc<Counters>,
}

impl Way<'_> {
    /// The producers of this share of the run, and where each goes on; none where others fill the topic.
    pub(super) async fn intakes(&self) -> Result<Option<Intakes>, Fault> {
        let mut divided = self.plan.divided();
        divided.retain(|(producer, _)| self.extent.share.owns(producer.index()));
        let Some((_, dataset)) = divided.first() else { return Ok(None) };
        let spec = &self.plan.pipeline.spec;
        let digest = self.plan.stream_digest.rows.as_str().into();
        let encoder = Encoder::new(&dataset.columns(), spec.topic.key.as_deref(), digest)?;
        let last = self.last_rows().await?;
        let rows = last.iter().map(|(partition, origin)| (*partition, origin.row.clone())).collect();
        let options = self.producer_options();
        let mut intakes = Vec::new();
        for (share, dataset) in divided {
            let partitions = (share, spec.topic.partitions);
            let resume = resume::after_all(&last, partitions, dataset.files(), &self.plan.stream_digest)?;
            let producer = Producer::open(&self.topic.kafka, self.name(), partitions, &rows, &options)?;
            // A try takes its rows from the first files.
            let limit = self.extent.limit.map(|limit| if share.leads() { limit } else { 0 });
            let (encoder, counters) = (encoder.clone(), Arc::clone(self.watch.counters));
            intakes.push(Intake { dataset, resume, limit, encoder, producer, counters });
        }
        Ok(Some(Intakes(intakes)))
    }
}

impl Intakes {
    /// How many rows there are, and how many of them earlier runs have passed.
    pub(super) fn reach(&self) -> Reach {
        self.0.iter().fold(Reach::default(), |sum, intake| Reach {
            rows: sum.rows + intake.dataset.rows(),
            passed: sum.passed + intake.resume.passed,
        })
    }

    /// Encodes and produces all rows, until they are acknowledged; an interrupt ends it behind a batch, and the fault of one producer
    /// ends the others so.
    pub(super) async fn run(self, interrupt: &Interrupt) -> Result<(), Fault> {
        let (stop, stopped) = Interrupt::channel();
        let mut running: JoinSet<_> = self.0.into_iter().map(|intake| intake.run(stopped.clone())).collect();
        let mut outcome = Ok(());
        loop {
            let ended = tokio::select! {
                ended = running.join_next() => ended,
                () = interrupt.made(), if !stopped.requested() => {
                    stop.request();
                    continue;
                }
            };
            match ended {
                None => return outcome,
                Some(Ok(ended)) => outcome = outcome.and(ended),
                // Nobody else ends one.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
            if outcome.is_err() {
                stop.request();
            }
        }
    }
}

impl Intake {
    async fn run(mut self, interrupt: Interrupt) -> Result<(), Fault> {
        let outcome = self.put_all(&interrupt).await;
        self.counters.retries.add(self.producer.health().outages());
        self.producer.close().await;
        outcome
    }

    async fn put_all(&mut self, interrupt: &Interrupt) -> Result<(), Fault> {
        let batches = self.dataset.scan(self.resume.after.as_ref(), self.limit);
        let mut put = Counted { producer: &mut self.producer, counters: &self.counters };
        each(batches, &self.encoder, &self.counters, interrupt, &mut put).await?;
        let delivered = self.producer.flush().await?;
        self.counters.delivered.add(delivered.values().sum());
        Ok(())
    }
}

/// A producer that counts.
struct Counted<'a> {
    producer: &'a mut Producer,
    counters: &'a Counters,
}

impl Put for Counted<'_> {
    async fn put(&mut self, message: Message) -> Result<ControlFlow<()>, Fault> {
        self.counters.passed.add(1);
        match self.producer.produce(message).await? {
            Produced::Queued { .. } => self.counters.produced.add(1),
            Produced::AlreadyThere { .. } => self.counters.there_already.add(1),
        }
        Ok(ControlFlow::Continue(()))
    }
}
