//! How rows come into the topic: a producer for each share of the files, side by side, each into the partitions of its share.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Way;
use crate::message::{Message, RowId};
use crate::progress::{Interrupt, Interrupter};
use crate::share::Share;
use crate::source::{Dataset, Encoder};
use crate::stages::Fault;
use crate::stages::stream::produce::{Put, each};
use crate::stages::stream::{Counters, Reach, Resume, resume};
use crate::topic::kafka::{Kafka, Produced, Producer, ProducerOptions};

/// How many producers are at work at a time: each has a queue, and reads ahead.
const MOST_AT_ONCE: u32 = 4;
/// How long a producer that is asked to stop may take to finish a batch, where Kafka is away.
const GRACE: Duration = Duration::from_secs(10);

/// The producers of a run that have rows to send, not yet begun.
pub(super) struct Intakes {
    intakes: Vec<Intake>,
    limit: Option<u64>,
}

/// The files of a share on their way into its partitions.
struct Intake {
    share: Share,
    dataset: Dataset,
    resume: Resume,
    common: Arc<Common>,
}

/// What the producers of a run have in common.
struct Common {
    kafka: Kafka,
    topic: String,
    partitions: u32,
    /// The last row of each partition.
    last: BTreeMap<u32, RowId>,
    options: ProducerOptions,
    encoder: Encoder,
    counters: Arc<Counters>,
}

/// What ends the producing before its end: Ctrl-C, the fault of a producer beside, of a loader, or of what is between the shares.
pub(super) struct Stop {
    asks: Interrupter,
    asked: Interrupt,
}

impl Stop {
    pub(super) fn new() -> Self {
        let (asks, asked) = Interrupt::channel();
        Self { asks, asked }
    }

    /// Asks for it.
    pub(super) fn ask(&self) {
        self.asks.request();
    }

    /// Who hears of it.
    pub(super) fn asked(&self) -> &Interrupt {
        &self.asked
    }

    /// Asks for it when the run is asked to stop, until it is dropped.
    pub(super) async fn follow(&self, interrupt: &Interrupt) -> Infallible {
        interrupt.made().await;
        self.ask();
        std::future::pending().await
    }
}

impl Way<'_> {
    /// The producers of a source's files in this share of the run, and where each goes on.
    pub(super) async fn intakes(&self, dataset: &Dataset) -> Result<Intakes, Fault> {
        let spec = &self.plan.pipeline.spec;
        let digest = self.plan.stream_digest.rows.as_str().into();
        let encoder = Encoder::new(&dataset.columns(), spec.topic.key.as_deref(), digest)?;
        let last = self.last_rows().await?;
        resume::same_rows(&last, dataset.files(), &self.plan.stream_digest)?;
        let mut divided = self.plan.divided(dataset);
        divided.retain(|(producer, _)| self.extent.share.owns(producer.index()));
        let at_once = u32::try_from(divided.len()).unwrap_or(MOST_AT_ONCE).min(MOST_AT_ONCE);
        let common = Arc::new(Common {
            kafka: self.topic.kafka.clone(),
            topic: self.name().to_owned(),
            partitions: spec.topic.partitions,
            last: last.iter().map(|(partition, origin)| (*partition, origin.row.clone())).collect(),
            options: ProducerOptions { beside: at_once, ..self.producer_options() },
            encoder,
            counters: Arc::clone(self.watch.counters),
        });
        let intake = |(share, dataset): (Share, Dataset)| {
            let resume = resume::after_all(&last, (share, spec.topic.partitions), dataset.files())?;
            Ok(Intake { share, dataset: dataset.beside(at_once), resume, common: Arc::clone(&common) })
        };
        let intakes = divided.into_iter().map(intake).collect::<Result<Vec<_>, Fault>>()?;
        Ok(Intakes { intakes, limit: self.extent.limit })
    }
}

impl Intakes {
    /// How many rows there are, and how many of them earlier runs have passed.
    pub(super) fn reach(&self) -> Reach {
        self.intakes.iter().fold(Reach::default(), |sum, intake| Reach {
            rows: sum.rows + intake.dataset.rows(),
            passed: sum.passed + intake.resume.passed,
        })
    }

    /// Encodes and produces all rows, until they are acknowledged, a few producers at a time; a stop ends it behind a batch, and the
    /// fault of one producer ends the others so. With a limit they take turns, each up to what is left of it.
    pub(super) async fn run(self, stop: &Stop) -> Result<(), Fault> {
        let mut waiting = self.intakes.into_iter();
        let mut running = JoinSet::new();
        let at_once = if self.limit.is_some() { 1 } else { MOST_AT_ONCE as usize };
        let mut outcome = Ok(());
        loop {
            while running.len() < at_once
                && !stop.asked().requested()
                && let Some(intake) = waiting.next()
            {
                let left = self.limit.map(|limit| limit.saturating_sub(intake.common.counters.passed.get()));
                running.spawn(intake.run(left, stop.asked().clone()));
            }
            match running.join_next().await {
                None => return outcome,
                Some(Ok(ended)) => outcome = outcome.and(ended),
                // Nobody else ends one.
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
            if outcome.is_err() {
                stop.ask();
            }
        }
    }
}

impl Intake {
    async fn run(self, limit: Option<u64>, stop: Interrupt) -> Result<(), Fault> {
        let Common { kafka, topic, partitions, last, options, counters, .. } = &*self.common;
        let mut producer = Producer::open(kafka, topic, (self.share, *partitions), last, options)?;
        let too_late = async {
            stop.made().await;
            tokio::time::sleep(GRACE).await;
        };
        let outcome = tokio::select! {
            outcome = self.put_all(&mut producer, limit, &stop) => outcome,
            // What is in a partition is the beginning of its rows, wherever it ends.
            () = too_late => Err(Fault::stopped()),
        };
        counters.retries.add(producer.health().outages());
        producer.close().await;
        outcome
    }

    async fn put_all(
        &self,
        producer: &mut Producer,
        limit: Option<u64>,
        stop: &Interrupt,
    ) -> Result<(), Fault> {
        let Common { encoder, counters, .. } = &*self.common;
        let batches = self.dataset.scan(self.resume.after.as_ref(), limit);
        each(batches, encoder, counters, stop, &mut Counted { producer, counters }).await?;
        let delivered = producer.flush().await?;
        counters.delivered.add(delivered.values().sum());
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
