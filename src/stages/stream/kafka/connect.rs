//! A Kafka Connect worker as the loader: runner fills the topic, hands the mapping to the worker's Neo4j sink, and follows the
//! sink until it has read the topic to its end. The connector stays, and goes on loading what comes.
//!
//! Connect delivers at least once: its offsets are committed behind the graph's transactions, in transactions of their own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::intake::{Intakes, Stop};
use super::{Way, high};
use crate::progress::{Event, Stage};
use crate::stages::Fault;
use crate::stages::deploy::Worker;
use crate::stages::patience::Waits;
use crate::stages::stream::{LettersAt, Reach, Streamed, check};
use crate::topic::connect::{self, Connect, ConnectError, ConnectorConfig, Look, Neo4jSink, Patience};
use crate::topic::kafka::{KafkaError, Watermarks};

/// For how long a connector may get no further, at least: what a lost worker did rests for 5 minutes before another takes it over
/// (`scheduled.rebalance.max.delay.ms`), and workers tell Kafka once a minute how far they are (`offset.flush.interval.ms`).
const STILL: Duration = Duration::from_mins(7);

impl Way<'_> {
    /// Produces the rows and has them loaded by the worker.
    pub(super) async fn by_connect(
        &self,
        intakes: Option<Intakes>,
        worker: &Worker,
    ) -> Result<Streamed, Fault> {
        let reach = intakes.as_ref().map(Intakes::reach);
        if let Some(intakes) = intakes {
            let stop = Stop::new();
            tokio::select! {
                done = intakes.run(&stop) => done?,
                never = stop.follow(self.watch.interrupt) => match never {},
            }
        }
        let config = self.connector(worker);
        let before = self.letters().await?;
        let ends = high(&self.record_marks().await?);
        let begun = self.left(config.name(), &ends).await?;
        let run = self.run_connector(&worker.connect, &config, &ends, begun);
        // Asked to stop, it begins nothing new; the connector goes on by itself.
        self.watch.interrupt.or(run).await.unwrap_or(Ok(()))?;
        self.conclude_connect(config.name(), begun, before, reach).await
    }

    /// Sees the connector through until it has read the topic up to `ends`.
    async fn run_connector(
        &self,
        worker: &Connect,
        config: &ConnectorConfig,
        ends: &BTreeMap<u32, u64>,
        begun: u64,
    ) -> Result<(), Fault> {
        let name = config.name();
        let submit = async || {
            worker.validate(config).await?;
            let submitted = worker.submit(config).await?;
            worker.begin(name, submitted).await.map(|_| submitted)
        };
        let submitted = self.wait_out(submit).await?;
        self.note(format!("connector `{name}` on {}: {submitted}", worker.address()));
        let (kafka, topic) = (&self.topic.kafka, self.name());
        let left = async || connect::left(kafka, topic, name, ends).await;
        let mut is_away = false;
        let tell = |look: Look<'_>| match look {
            Look::Left(left) => {
                is_away = false;
                let done = begun.saturating_sub(left);
                let (stage, unit, total) = (Stage::Stream, "records".into(), Some(begun));
                self.watch.progress.tell(Event::StageProgress { stage, unit, done, total });
            }
            Look::Away(error) => {
                self.watch.counters.retries.add(1);
                if !std::mem::replace(&mut is_away, true) {
                    self.note(format!("{error}; asking again for up to {} s", self.patience.as_secs()));
                }
            }
        };
        let patience = Patience { away: self.patience, still: self.patience.max(STILL) };
        Ok(worker.follow(name, patience, left, tell).await?)
    }

    /// Asks the worker for what may be done twice, and again while it is away.
    async fn wait_out<T>(&self, ask: impl AsyncFn() -> Result<T, ConnectError>) -> Result<T, ConnectError> {
        let mut waits = None;
        loop {
            match ask().await {
                Err(error)
                    if error.may_pass()
                        && waits
                            .get_or_insert_with(|| Waits::new(self.patience))
                            .another(&error.to_string(), *self.watch, Stage::Stream)
                            .await => {}
                outcome => return outcome,
            }
        }
    }

    fn note(&self, note: String) {
        self.watch.progress.tell(Event::StageNote { stage: Stage::Stream, note });
    }

    /// The connector's configuration.
    fn connector(&self, worker: &Worker) -> ConnectorConfig {
        let spec = &self.plan.pipeline.spec;
        let sink = Neo4jSink {
            name: &self.plan.pipeline.metadata.name,
            topic: &spec.topic,
            statement: &self.plan.mapping.schema.statement,
            neo4j: &worker.neo4j,
            password: worker.password.clone(),
            stream: &spec.stream,
        };
        sink.config()
    }

    async fn left(&self, connector: &str, ends: &BTreeMap<u32, u64>) -> Result<u64, Fault> {
        let left = async || connect::left(&self.topic.kafka, self.name(), connector, ends).await;
        Ok(self.patiently(left).await?)
    }

    /// How far the topic's records reach: a sink never tells that it has read what stands behind them.
    async fn record_marks(&self) -> Result<BTreeMap<u32, Watermarks>, KafkaError> {
        self.patiently(async || self.topic.kafka.record_marks(self.name()).await).await
    }

    /// How many dead letters there are.
    async fn letters(&self) -> Result<u64, Fault> {
        let topic = self.plan.pipeline.spec.topic.dead_letters();
        let (kafka, topic) = (&self.topic.kafka, &topic);
        if !self.patiently(async || kafka.has_topic(topic).await).await? {
            return Ok(0);
        }
        let marks = self.patiently(async || kafka.watermarks(topic).await).await?;
        Ok(marks.values().map(|Watermarks { low, high }| high - low).sum())
    }

    /// What was moved, as the topic, the worker's group and the dead letters say.
    async fn conclude_connect(
        &self,
        connector: &str,
        begun: u64,
        letters_before: u64,
        source: Option<Reach>,
    ) -> Result<Streamed, Fault> {
        let counters = self.watch.counters;
        let marks = self.record_marks().await?;
        let left = self.left(connector, &high(&marks)).await?;
        let letters = self.letters().await?.saturating_sub(letters_before);
        let consumed = begun.saturating_sub(left);
        counters.consumed.add(consumed);
        counters.dead_letters.add(letters);
        counters.written.add(consumed.saturating_sub(letters));
        let loaded_before =
            marks.values().map(|marks| marks.high - marks.low).sum::<u64>().saturating_sub(begun);
        let rows = counters.rows(loaded_before);
        let cut_short = self.watch.interrupt.requested() || self.extent.limit.is_some();
        let mut checks = self.source_checks(&rows, source, cut_short);
        if !cut_short {
            checks.push(check("records that the connector has not read = none", 0, left));
        }
        Ok(Streamed {
            rows,
            checks,
            dead_letters: Vec::new(),
            earlier_dead_letters: letters_before,
            dead_letters_at: Some(LettersAt::Topic(self.plan.pipeline.spec.topic.dead_letters())),
            cut_short,
            interrupted: false,
        })
    }
}
