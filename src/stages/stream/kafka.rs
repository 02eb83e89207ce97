//! The stream stage on Kafka: producers, and a lane with a loader of its own for each partition, side by side.
//!
//! The producers go on after the last rows that the topic holds, the loaders after the checkpoints in the graph; either may be
//! killed, and neither knows of the other. When the producers are done, the ends of the partitions are known, and the lanes
//! end there; without a producer they end at Ctrl-C.

mod connect;
mod intake;
mod meeting;
mod others;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{join_all, try_join_all};

use super::dead_letters::DeadLetters;
use super::load::{Job, LoadError, Loader};
use super::reader::{Destination, ReadBatch, Reader};
use super::{Counters, Extent, Reach, Streamed, Watch, all_read, check, resume, tick};
use crate::graph::Checkpoint;
use crate::report::{Check, Rows};
use crate::stages::deploy::{Endpoints, KafkaTopic, group};
use crate::stages::validate::Plan;
use crate::stages::{Fault, judge};
use crate::topic::kafka::{
    self, Consumer, ConsumerOptions, KafkaError, Lane, Loaded, ProducerOptions, Watermarks,
};
use intake::{Intakes, Stop};
use meeting::Meeting;

/// How often it is looked where the topic ends.
const LOOKING: Duration = Duration::from_secs(5);

/// Moves all rows that are not in the topic yet into it, and all records that are not in the graph yet into that.
pub(super) async fn stream(
    plan: &Plan,
    endpoints: &Endpoints,
    topic: &KafkaTopic,
    extent: Extent,
    watch: &Watch<'_>,
) -> Result<Streamed, Fault> {
    resume::same_digest(&endpoints.checkpoints, &plan.stream_digest)?;
    let way = Way::new(plan, endpoints, topic, extent, watch);
    let meeting = Meeting::of(&way)?;
    let intakes = match &plan.dataset {
        Some(dataset) if extent.share.leads() => Some(way.intakes(dataset).await?),
        _ => None,
    };
    if let Some(worker) = &endpoints.worker {
        return way.by_connect(intakes, worker).await;
    }
    let loaded = loaded(&endpoints.checkpoints);
    let mut starts =
        way.patiently(async || topic.kafka.starts(way.name(), &loaded, plan.dataset.is_none()).await).await?;
    starts.retain(|partition, _| extent.share.owns(*partition));
    let (consumer, lanes) = Consumer::open(&topic.kafka, way.name(), &starts, &way.consumer_options())?;
    let stop = Stop::new();
    let reach = intakes.as_ref().map(Intakes::reach);
    let produce = way.produce(intakes, &consumer, &stop, meeting.as_ref());
    let load = async {
        let loading = way.load(&consumer, lanes).await;
        if loading.is_err() {
            stop.ask();
        }
        loading
    };
    let (producing, loading) = tokio::select! {
        both = async { tokio::join!(produce, load) } => both,
        never = tick(watch.counters, reach.map(Reach::left), watch.progress) => match never {},
        never = stop.follow(watch.interrupt) => match never {},
        never = way.hold(meeting.as_ref(), &stop, &consumer) => match never {},
    };
    loading?;
    meeting.as_ref().map_or(Ok(()), Meeting::outcome)?;
    producing?;
    let mut streamed = way.conclude(reach, &consumer).await?;
    if extent.share.leads() && way.has_other_producers() {
        streamed.rows.other_producers = way.of_other_producers(&consumer.ends());
    }
    Ok(streamed)
}

/// What moving rows over Kafka needs to know.
struct Way<'a> {
    plan: &'a Plan,
    endpoints: &'a Endpoints,
    topic: &'a KafkaTopic,
    extent: Extent,
    patience: Duration,
    watch: &'a Watch<'a>,
}

impl<'a> Way<'a> {
    fn new(
        plan: &'a Plan,
        endpoints: &'a Endpoints,
        topic: &'a KafkaTopic,
        extent: Extent,
        watch: &'a Watch<'a>,
    ) -> Self {
        let patience = Duration::from_secs(plan.pipeline.spec.stream.patience_seconds.into());
        Self { plan, endpoints, topic, extent, patience, watch }
    }

    /// Asks Kafka, and asks again while it is away: an outage between two steps is waited out like one within them.
    async fn patiently<T>(&self, ask: impl AsyncFn() -> Result<T, KafkaError>) -> Result<T, KafkaError> {
        let goes_on = || {
            let goes_on = !self.watch.interrupt.requested();
            self.watch.counters.retries.add(goes_on.into());
            goes_on
        };
        kafka::patiently(self.patience, goes_on, ask).await
    }

    /// How far the topic's partitions reach.
    async fn watermarks(&self) -> Result<BTreeMap<u32, Watermarks>, KafkaError> {
        self.patiently(async || self.topic.kafka.watermarks(self.name()).await).await
    }

    /// Keeps the shares that produce together, until it is dropped.
    async fn hold(&self, meeting: Option<&Meeting<'_>>, stop: &Stop, consumer: &Consumer) -> Infallible {
        match meeting {
            Some(meeting) => meeting.hold(stop, consumer).await,
            None => std::future::pending().await,
        }
    }

    /// Looks again and again where the topic ends, for those who watch the lag, until it is dropped.
    async fn look_at_ends(&self, counters: &Counters) -> Infallible {
        let mut interval = tokio::time::interval(LOOKING);
        loop {
            interval.tick().await;
            // Where Kafka is away, the lag stays what it was.
            if let Ok(marks) = self.topic.kafka.watermarks(self.name()).await {
                counters.ends_at(high(&marks));
            }
        }
    }

    /// Tells the lanes to end where the topic ends now, unless it is followed; after a fault, where what can be read ends.
    async fn end_lanes(&self, consumer: &Consumer, has_failed: bool) -> Result<(), KafkaError> {
        if self.extent.follow {
            return Ok(());
        }
        let ends = if has_failed {
            self.watermarks().await.map(|marks| high(&marks))
        } else {
            self.patiently(async || self.topic.kafka.ends(self.name()).await).await
        };
        // Where the topic does not answer, the lanes end where they stand, and the fault is told.
        consumer.end_at(ends.as_ref().cloned().unwrap_or_default());
        ends.map(drop)
    }

    fn name(&self) -> &'a str {
        &self.plan.pipeline.spec.topic.name
    }

    fn consumer_options(&self) -> ConsumerOptions {
        ConsumerOptions { group: group(&self.plan.pipeline), patience: self.patience }
    }

    fn producer_options(&self) -> ProducerOptions {
        ProducerOptions {
            compression: ProducerOptions::compression_for(&self.plan.pipeline.spec.topic),
            max_message_bytes: self.topic.state.max_message_bytes,
            patience: self.patience,
            beside: 1,
        }
    }

    /// The last row of each partition.
    async fn last_rows(&self) -> Result<BTreeMap<u32, crate::message::Origin>, KafkaError> {
        let in_topic = self.patiently(async || self.topic.kafka.last_rows(self.name()).await).await?;
        Ok(resume::last_rows(in_topic, &self.endpoints.checkpoints))
    }

    /// Produces all rows, if there are any here; then the lanes are told where they end, whatever came of it: what was delivered is
    /// loaded.
    async fn produce(
        &self,
        intakes: Option<Intakes>,
        consumer: &Consumer,
        stop: &Stop,
        meeting: Option<&Meeting<'_>>,
    ) -> Result<(), Fault> {
        let mut outcome = match (intakes, meeting) {
            (Some(intakes), _) => intakes.run(stop).await,
            (None, Some(meeting)) => self.put_gathered(meeting, stop).await,
            (None, None) => Ok(()),
        };
        if let Some(meeting) = meeting.filter(|_| outcome.is_ok() && !stop.asked().requested()) {
            outcome = meeting.done(stop).await;
        }
        if outcome.is_err() && self.extent.follow {
            consumer.end_at(BTreeMap::new());
        }
        let ended = self.end_lanes(consumer, outcome.is_err()).await;
        outcome?;
        Ok(ended?)
    }

    /// Produces all rows of a share that does not lead, once it knows the files. It makes no report, so its counts are judged here.
    async fn put_gathered(&self, meeting: &Meeting<'_>, stop: &Stop) -> Result<(), Fault> {
        let Some(dataset) = meeting.gather(stop).await else { return Ok(()) };
        let intakes = self.intakes(&dataset).await?;
        let reach = intakes.reach();
        intakes.run(stop).await?;
        let rows = self.watch.counters.rows(self.endpoints.loaded());
        let checks = self.source_checks(&rows, Some(reach), stop.asked().requested());
        let findings = judge::counts_between_hops(&checks);
        if findings.is_empty() { Ok(()) } else { Err(Fault(findings)) }
    }

    /// Loads all lanes, side by side; the first fault of one ends all.
    async fn load(&self, consumer: &Consumer, lanes: Vec<Lane>) -> Result<(), LoadError> {
        let job = Job::new(self.plan, self.endpoints, self.watch);
        let destination = Destination {
            mapping: Arc::new(self.plan.mapping.clone()),
            store: Arc::clone(&self.endpoints.store),
            batch_rows: job.batch_rows(),
        };
        let lane = |lane: Lane| {
            let partition = lane.partition();
            let checkpoint = self.endpoints.checkpoints.get(&partition).cloned();
            let checkpoints = checkpoint.map(|checkpoint| (partition, checkpoint)).into_iter().collect();
            let letters = kafka::DeadLetters::of(
                &self.topic.kafka,
                &self.plan.pipeline.spec.topic,
                &self.producer_options(),
            );
            let loader = Loader::new(&job, checkpoints, DeadLetters::Topic(Box::new(letters)));
            let from = lane.position();
            let reader = Reader::new(lane, destination.clone());
            run(loader, reader, (partition, from), consumer, self.watch)
        };
        for (partition, next) in lanes.iter().map(|lane| (lane.partition(), lane.position())) {
            self.watch.counters.loaded_to(partition, next);
        }
        let partitions: Vec<u32> = lanes.iter().map(Lane::partition).collect();
        let ended = tokio::select! {
            ended = try_join_all(lanes.into_iter().map(lane)) => ended,
            never = self.look_at_ends(self.watch.counters) => match never {},
        };
        // Those of the other lanes, where one has failed.
        join_all(partitions.into_iter().map(|partition| self.endpoints.store.recall(partition))).await;
        self.watch.counters.retries.add(consumer.health().outages());
        let ended = ended?;
        consumer.commit_and_wait(ended.into_iter().collect()).await;
        Ok(())
    }

    /// Compares the counts of the hops into the topic, where there is a source.
    fn source_checks(&self, rows: &Rows, source: Option<Reach>, cut_short: bool) -> Vec<Check> {
        let Some(reach) = source else { return Vec::new() };
        let accounted = rows.filtered_out + self.watch.counters.there_already.get() + rows.produced;
        let (read, produced, delivered) = (rows.read, rows.produced, self.watch.counters.delivered.get());
        let mut checks = vec![
            check("rows read = filtered out + in the topic already + produced", read, accounted),
            check("messages produced = acknowledged", produced, delivered),
        ];
        if !cut_short {
            checks.insert(0, all_read(reach, rows));
        }
        checks
    }

    /// Compares what was moved with what stands on both sides now.
    async fn conclude(&self, source: Option<Reach>, consumer: &Consumer) -> Result<Streamed, Fault> {
        let mut rows = self.watch.counters.rows(self.endpoints.loaded());
        let checkpoints = self.settled(&consumer.ends()).await?;
        let cut_short = self.watch.interrupt.requested() || self.extent.limit.is_some() || self.extent.follow;
        let mut checks = self.source_checks(&rows, source, cut_short);
        let seen = rows.written + rows.dead_letters + rows.duplicates;
        checks.push(check("messages consumed = written + dead letters + duplicates", rows.consumed, seen));
        if !cut_short {
            // Of what another run has produced or loaded meanwhile, beyond these ends, this one knows nothing.
            let ends = consumer.ends();
            let loaded = others::reached(&checkpoints, &ends);
            let ends = ends.values().sum();
            checks.push(check(
                "the ends of the topic's partitions = the checkpoints in the graph",
                ends,
                loaded,
            ));
        }
        if self.extent.share.leads() {
            let others = self.by_others(&checkpoints);
            rows.other_loaders = others.records;
            rows.dead_letters += others.dead_letters;
        }
        let letters = self.plan.pipeline.spec.topic.dead_letters();
        let earlier = self.endpoints.checkpoints.values().map(|checkpoint| checkpoint.dead_letters).sum();
        Ok(Streamed {
            rows,
            checks,
            dead_letters: self.watch.counters.examples(),
            earlier_dead_letters: earlier,
            dead_letters_at: Some(super::LettersAt::Topic(letters)),
            cut_short,
            interrupted: false,
        })
    }
}

/// Loads a partition from where its lane stands to its end, or to the batch at which it is asked to stop. Returns where it
/// stands then.
async fn run(
    mut loader: Loader<'_>,
    mut reader: Reader,
    (partition, from): (u32, u64),
    consumer: &Consumer,
    watch: &Watch<'_>,
) -> Result<(u32, u64), LoadError> {
    let mut next = from;
    while !watch.interrupt.requested() {
        let batch = tokio::select! {
            batch = reader.batch() => batch?,
            () = watch.interrupt.made() => None,
        };
        let Some(batch) = batch else { break };
        let peeked = if batch.ends_with_a_record() { reader.peek() } else { None };
        loader.load(batch.attempts, batch.ready, peeked.and_then(ReadBatch::as_next)).await?;
        loader.pass(partition, batch.next).await?;
        if batch.next > next {
            next = batch.next;
            watch.counters.loaded_to(partition, next);
            consumer.commit(&BTreeMap::from([(partition, next)]));
        }
    }
    loader.recall(partition).await;
    Ok((partition, next))
}

/// How far each partition was loaded.
pub(in crate::stages) fn loaded(checkpoints: &BTreeMap<u32, Checkpoint>) -> BTreeMap<u32, Loaded> {
    let loaded = |one: &Checkpoint| Loaded { offset: one.offset, row: one.row.clone() };
    checkpoints.iter().map(|(partition, one)| (*partition, loaded(one))).collect()
}

/// Where the partitions end.
fn high(marks: &BTreeMap<u32, Watermarks>) -> BTreeMap<u32, u64> {
    marks.iter().map(|(partition, marks)| (*partition, marks.high)).collect()
}
