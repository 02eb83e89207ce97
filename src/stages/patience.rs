//! Outages are waited out: what fails for now is tried again, each wait longer than the one before, up to a limit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::Fault;
use super::stream::{Counters, Watch};
use super::validate::Plan;
use crate::graph::{
    Ahead, Checkpoint, Counts, GraphError, GraphSchema, GraphStore, Prepared, ProjectedGraph, ReadyRows,
    Table, WriteBatch, WriteError, Written,
};
use crate::message::Event as Row;
use crate::progress::{Event, Interrupt, Progress, Stage};
use crate::spec::Projection;

/// How long the first wait between two tries is; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(50);
/// How long a wait is at most.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// An outage that lasts this long is told.
const TOLD_AFTER: Duration = Duration::from_secs(2);

/// The waits of one request that fails for now.
#[derive(Debug)]
pub(super) struct Waits {
    longest: Duration,
    begun: Instant,
    next: Duration,
    is_told: bool,
}

impl Waits {
    /// Waits for so long in all, at most.
    pub fn new(longest: Duration) -> Self {
        Self { longest, begun: Instant::now(), next: FIRST_WAIT, is_told: false }
    }

    /// Waits before another try; `false` where the limit is reached, or a stop is asked for. Each try is counted, and an outage
    /// that lasts is told with its reason.
    pub async fn another(
        &mut self,
        reason: &str,
        Watch { counters, progress, interrupt }: Watch<'_>,
        stage: Stage,
    ) -> bool {
        if self.begun.elapsed() + self.next > self.longest || interrupt.requested() {
            return false;
        }
        counters.retries.add(1);
        if !self.is_told && self.begun.elapsed() > TOLD_AFTER {
            self.is_told = true;
            let note = format!("{reason}; trying again for up to {} s", self.longest.as_secs());
            progress.tell(Event::StageNote { stage, note });
        }
        let is_over = tokio::select! {
            () = tokio::time::sleep(jittered(self.next)) => true,
            () = interrupt.made() => false,
        };
        self.next = (self.next * 2).min(LONGEST_WAIT);
        is_over
    }
}

/// Between half a wait and the whole of it, so that lanes that failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    wait.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// How a run waits outages out.
#[derive(Debug, Clone)]
pub(super) struct Outages {
    /// How long each request is tried.
    longest: Duration,
    /// Who counts the tries.
    counters: Arc<Counters>,
    /// Who hears of an outage that lasts.
    pub progress: Progress,
    /// What ends the waiting.
    interrupt: Interrupt,
    /// In which stage the run is.
    stage: Arc<Mutex<Stage>>,
}

impl Outages {
    /// As a pipeline's file says, for a run that is about to deploy.
    pub fn of(plan: &Plan, counters: &Arc<Counters>, progress: &Progress, interrupt: &Interrupt) -> Self {
        Self {
            longest: Duration::from_secs(plan.pipeline.spec.stream.patience_seconds.into()),
            counters: Arc::clone(counters),
            progress: progress.clone(),
            interrupt: interrupt.clone(),
            stage: Arc::new(Mutex::new(Stage::Deploy)),
        }
    }

    /// What is told from now on is of this stage.
    pub fn enter(&self, stage: Stage) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// The waits of a request.
    pub fn waits(&self) -> Waits {
        Waits::new(self.longest)
    }

    /// Waits before another try of a request, as [`Waits::another`].
    pub async fn another(&self, waits: &mut Waits, reason: &str) -> bool {
        let stage = *self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let Self { counters, progress, interrupt, .. } = self;
        waits.another(reason, Watch { counters, progress, interrupt }, stage).await
    }

    /// Asks a graph, and asks again while it is away.
    pub async fn patiently<'a, T>(
        &self,
        ask: impl Fn() -> BoxFuture<'a, Result<T, GraphError>> + Send,
    ) -> Result<T, GraphError> {
        let mut waits = self.waits();
        loop {
            match ask().await {
                Err(GraphError::Unavailable { message }) if self.another(&mut waits, &message).await => {}
                outcome => return outcome,
            }
        }
    }

    /// Does what may be given up at any moment, and stands as far as it has come, until a stop is asked for.
    pub async fn until_stopped<T>(&self, work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        self.interrupt.or(work).await.unwrap_or_else(|| Err(Fault::stopped()))
    }

    /// Does what takes several servers, and does it again from the start while one of them is not there yet, or away.
    pub async fn wait_out<T>(&self, attempt: impl AsyncFn() -> Result<T, Fault>) -> Result<T, Fault> {
        let mut waits = self.waits();
        loop {
            match Box::pin(attempt()).await {
                Err(fault) if fault.may_pass() && self.another(&mut waits, &fault.summary()).await => {}
                outcome => return outcome,
            }
        }
    }
}

/// A graph on a server that may be away for a while: what only reads, and what does nothing the second time, is tried again.
///
/// Batches are not: their loader does that, who knows the checkpoints. Nor are calls of procedures, since a projection that was
/// made in vain stands, and is gone with the server: the analysis as a whole is tried again.
pub(super) struct PatientStore<S> {
    store: S,
    outages: Outages,
}

impl<S: GraphStore> PatientStore<S> {
    /// Waits the outages of a store out.
    pub fn new(store: S, outages: Outages) -> Self {
        Self { store, outages }
    }
}

impl<S: GraphStore> GraphStore for PatientStore<S> {
    fn engine(&self) -> String {
        self.store.engine()
    }

    fn checkpoints<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<u32, Checkpoint>, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.checkpoints(topic)))
    }

    fn prepare<'a>(&'a self, schema: &'a GraphSchema) -> BoxFuture<'a, Result<Prepared, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.prepare(schema)))
    }

    fn write<'a>(&'a self, batch: &'a WriteBatch) -> BoxFuture<'a, Result<Written, WriteError>> {
        self.store.write(batch)
    }

    fn make_ready(&self, schema: &GraphSchema, events: &[&Row]) -> Option<ReadyRows> {
        self.store.make_ready(schema, events)
    }

    fn write_ready<'a>(
        &'a self,
        batch: &'a WriteBatch,
        rows: ReadyRows,
        ahead: Option<Ahead<'a>>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        self.store.write_ready(batch, rows, ahead)
    }

    fn recall(&self, partition: u32) -> BoxFuture<'_, ()> {
        self.store.recall(partition)
    }

    fn query<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.query(cypher, parameters.clone())))
    }

    fn gds_version(&self) -> BoxFuture<'_, Result<Option<String>, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.gds_version()))
    }

    fn call<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        self.store.call(cypher, parameters)
    }

    fn set_node_property<'a>(
        &'a self,
        property: &'a str,
        values: &'a [(u64, Value)],
    ) -> BoxFuture<'a, Result<u64, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.set_node_property(property, values)))
    }

    fn persist(&self) -> BoxFuture<'_, Result<(), GraphError>> {
        self.store.persist()
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.counts()))
    }

    fn project<'a>(
        &'a self,
        projection: &'a Projection,
        identify: Option<&'a str>,
    ) -> BoxFuture<'a, Result<ProjectedGraph, GraphError>> {
        Box::pin(self.outages.patiently(move || self.store.project(projection, identify)))
    }
}
