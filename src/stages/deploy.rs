//! The deploy stage: the engines, and later the servers, are made ready.

mod external;
pub(super) mod kubernetes;
mod reach;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use futures::FutureExt as _;
use serde_json::{Map, Value};

pub use kubernetes::Deployed;
pub(super) use kubernetes::Site;
pub(super) use reach::Servers;
pub use reach::Worker;

use super::journal::Summary;
use super::patience::{Outages, PatientStore};
use super::run::Options;
use super::state::StateDir;
use super::validate::Plan;
use super::{Fault, Target};
use crate::diagnostic::Diagnostic;
use crate::graph::{self, CHECKPOINT_LABEL, Checkpoint, Embedded, GraphStore, Neo4j, Prepared};
use crate::infrastructure::Forwards;
use crate::spec::{Loader, Pipeline, Spec};
use crate::topic::kafka::{Kafka, KafkaError, TopicState};

/// What a run talks to.
pub struct Endpoints {
    /// The graph.
    pub store: Arc<dyn GraphStore>,
    /// Where the graph stands, by partition; empty for a graph that nothing was loaded into.
    pub checkpoints: BTreeMap<u32, Checkpoint>,
    /// The topic.
    pub topic: Topic,
    /// The constraints and indexes that were made.
    pub prepared: Prepared,
    /// The Kafka Connect worker that loads the topic; none where runner does.
    pub worker: Option<Worker>,
    /// What is doubtful about the servers, and does not stand in the way.
    pub findings: Vec<Diagnostic>,
    /// What was deployed; none where the servers were there before.
    pub deployed: Option<Deployed>,
    /// What leads to servers in a cluster: they cannot be reached any more when it is dropped.
    pub forwards: Option<Forwards>,
}

/// A topic on a Kafka that answers.
#[derive(Debug, Clone)]
pub struct KafkaTopic {
    /// The cluster.
    pub kafka: Kafka,
    /// How the topic was found, or made.
    pub state: TopicState,
}

/// The topic that a run goes over.
pub enum Topic {
    /// In this process.
    Memory {
        /// The file that takes records which cannot be written; none where nobody will read it.
        dead_letters: Option<PathBuf>,
    },
    /// On Kafka.
    Kafka(Box<KafkaTopic>),
}

impl Topic {
    /// The file that takes records which cannot be written.
    pub(super) fn dead_letters_file(&self) -> Option<&PathBuf> {
        match self {
            Self::Memory { dead_letters } => dead_letters.as_ref(),
            Self::Kafka(_) => None,
        }
    }
}

/// The folder of a pipeline's state: the embedded graph, and the last report.
///
/// # Errors
/// Where the platform names no folder.
pub(super) fn state(plan: &Plan, options: &Options) -> Result<StateDir, Fault> {
    let spec = &plan.pipeline.spec;
    let named = spec.infrastructure.embedded.as_ref().and_then(|embedded| embedded.state_dir.as_ref());
    let named = named.map(|folder| plan.base.join(folder));
    let folder = options.state_dir.clone().or(named);
    Ok(StateDir::locate(folder.as_deref(), &plan.pipeline.metadata.name)?)
}

/// Makes ready what a run talks to: the servers, which are deployed first where the file says so, or the graph in the state
/// folder; and in it the constraints that the mapping needs. `folder` is told the state folder as soon as the run may write to it.
///
/// # Errors
/// Where a stop is asked for before the servers are reached, a server cannot be deployed or reached, the folder cannot be used,
/// another process holds it, or a constraint cannot be made.
pub(super) async fn deploy(
    plan: &Plan,
    options: &Options,
    outages: &Outages,
    folder: &mut Option<StateDir>,
) -> Result<Endpoints, Fault> {
    refuse(plan, options)?;
    let state = state(plan, options)?;
    if options.target(plan) == Target::Embedded {
        return embedded(plan, options, state, folder).await;
    }
    *folder = Some(state);
    match (options.target(plan), &plan.pipeline.spec.infrastructure.kubernetes) {
        _ if options.share.is_some() => {
            let prepare = async || {
                let servers = outages.until_stopped(Box::pin(servers(plan, options))).await?;
                on_servers(plan, options, servers, None, outages).await
            };
            // A pod of a job begins whether or not the servers are there.
            outages.wait_out(prepare).await
        }
        (Target::Kubernetes, Some(spec)) => {
            let deploying = Box::pin(kubernetes::deploy(plan, options, spec, &outages.progress));
            let (servers, deployed) = outages.until_stopped(deploying).await?;
            on_servers(plan, options, servers, Some(deployed), outages).await
        }
        _ => {
            let servers = outages.until_stopped(Box::pin(servers(plan, options))).await?;
            on_servers(plan, options, servers, None, outages).await
        }
    }
}

/// Refuses what cannot be run, as the file and the options say without a look at the world.
///
/// # Errors
/// Where the file names no servers for the target, or has no source for the embedded one; where others are to have a part in
/// what is done alone.
pub(super) fn refuse(plan: &Plan, options: &Options) -> Result<(), Fault> {
    let spec = &plan.pipeline.spec;
    match options.target(plan) {
        Target::Embedded if options.share.is_some() => Err(super::fault::nothing_to_share()),
        Target::Embedded if options.follow => Err(super::fault::nothing_to_follow()),
        Target::Embedded => plan.source().map(drop),
        Target::External if spec.infrastructure.external.is_none() => Err(super::fault::no_servers()),
        Target::Kubernetes if spec.infrastructure.kubernetes.is_none() => Err(super::fault::no_servers()),
        Target::External | Target::Kubernetes
            if options.share().has_others() && spec.mapping.loader == Loader::Connect =>
        {
            Err(super::fault::connect_loads_alone())
        }
        Target::External | Target::Kubernetes => Ok(()),
    }
}

/// Opens the graph in the state folder. A run that cannot open it leaves the last report there as it is.
async fn embedded(
    plan: &Plan,
    options: &Options,
    state: StateDir,
    folder: &mut Option<StateDir>,
) -> Result<Endpoints, Fault> {
    state.create()?;
    let dead_letters = state.dead_letters(&plan.pipeline.spec.topic.dead_letters());
    if options.fresh {
        Embedded::clear(&state.graph(), &plan.pipeline.metadata.name)?;
    }
    let store = Embedded::open(&state.graph(), &plan.pipeline.metadata.name)?;
    *folder = Some(state);
    prepare(plan, Arc::new(store), Topic::Memory { dead_letters: Some(dead_letters) }).await
}

/// What can be looked at without changing it.
pub(super) struct Looked {
    /// The graph.
    pub store: Box<dyn GraphStore>,
    /// The Kafka cluster; none on the embedded target.
    pub kafka: Option<Kafka>,
    /// What leads to servers in a cluster.
    pub _forwards: Option<Forwards>,
}

/// Opens what a run would talk to, and makes nothing.
///
/// # Errors
/// Where a server does not answer, or the embedded graph cannot be read.
pub(super) async fn look(plan: &Plan, options: &Options) -> Result<Looked, Fault> {
    if options.target(plan) == Target::Embedded {
        let state = state(plan, options)?;
        let store = Embedded::look(&state.graph(), &plan.pipeline.metadata.name)?;
        return Ok(Looked { store: Box::new(store), kafka: None, _forwards: None });
    }
    let Servers { kafka, neo4j, forwards, .. } = servers(plan, options).await?;
    Ok(Looked { store: Box::new(neo4j), kafka: Some(kafka), _forwards: forwards })
}

/// Reaches the servers that the file names, or that a run has deployed.
///
/// # Errors
/// Where one does not answer, or is not deployed yet.
pub(super) async fn servers(plan: &Plan, options: &Options) -> Result<Servers, Fault> {
    let infrastructure = &plan.pipeline.spec.infrastructure;
    match (options.target(plan), &infrastructure.external, &infrastructure.kubernetes) {
        (Target::Kubernetes, _, Some(kubernetes)) => {
            let reach = kubernetes::reach(plan, options, kubernetes).await?;
            kubernetes::connect(plan, reach, None).await
        }
        (Target::External, Some(external), _) => {
            let reach = external::reach(plan, external).await?;
            let connected = reach.connect().await?;
            Ok(reach.with(connected))
        }
        _ => Err(super::fault::no_servers()),
    }
}

/// Reaches the Kafka cluster that the file names, or that a run has deployed, and what leads there.
pub(super) async fn kafka(plan: &Plan, options: &Options) -> Result<(Kafka, Option<Forwards>), Fault> {
    let infrastructure = &plan.pipeline.spec.infrastructure;
    match (options.target(plan), &infrastructure.external, &infrastructure.kubernetes) {
        (Target::Kubernetes, _, Some(kubernetes)) => kubernetes::kafka(plan, options, kubernetes).await,
        (Target::External, Some(external), _) => Ok((external::kafka(plan, external).await?, None)),
        _ => Err(super::fault::no_servers()),
    }
}

/// Makes the topic and the constraints on servers that answer.
async fn on_servers(
    plan: &Plan,
    options: &Options,
    servers: Servers,
    deployed: Option<Deployed>,
    outages: &Outages,
) -> Result<Endpoints, Fault> {
    let spec = &plan.pipeline.spec;
    let Servers { kafka, neo4j, worker, forwards } = servers;
    if options.fresh {
        clear(plan, &kafka, &neo4j, outages).await?;
    }
    let store = PatientStore::new(neo4j, outages.clone());
    if !kafka.has_topic(&spec.topic.name).await? {
        let gone = refuse_gone_topic(spec, &store.checkpoints(&spec.topic.name).await?);
        if gone.is_err() && kafka.has_lost(&spec.topic.name).await? {
            gone?;
        }
    }
    let state = kafka.ensure_topic(&spec.topic).await?;
    let findings = super::fault::topic(&state);
    let worker = match worker {
        Some(worker) => Some(worker.open().await?),
        None => None,
    };
    let topic = Topic::Kafka(Box::new(KafkaTopic { kafka, state }));
    let endpoints = prepare(plan, Arc::new(store), topic).await?;
    Ok(Endpoints { worker, findings, deployed, forwards, ..endpoints })
}

/// The group whose committed offsets show others how far a pipeline is.
pub(super) fn group(pipeline: &Pipeline) -> String {
    format!("runner.{}", pipeline.metadata.name)
}

/// Throws away what earlier runs have loaded: the checkpoints, the nodes and relationships that the mapping writes, and the
/// topic with its dead letters, if the file's own rows fill it.
///
/// The checkpoints go first: whatever is cut off after that, the next run begins with the first row.
async fn clear(plan: &Plan, kafka: &Kafka, neo4j: &Neo4j, outages: &Outages) -> Result<(), Fault> {
    let topic = &plan.pipeline.spec.topic;
    if plan.dataset.is_some() {
        kafka.delete_topic(&topic.name).await?;
        kafka.delete_topic(&topic.dead_letters()).await?;
    }
    let clear = || neo4j.clear(&topic.name, &plan.mapping.schema).boxed();
    Ok(outages.patiently(clear).await?)
}

/// An empty graph in memory, for tests and previews.
///
/// # Errors
/// Where a constraint cannot be made.
pub(super) async fn in_memory(plan: &Plan) -> Result<Endpoints, Fault> {
    prepare(plan, Arc::new(Embedded::in_memory()?), Topic::Memory { dead_letters: None }).await
}

/// Prepares a graph that is open.
async fn prepare(plan: &Plan, store: Arc<dyn GraphStore>, topic: Topic) -> Result<Endpoints, Fault> {
    let name = &plan.pipeline.spec.topic.name;
    let checkpoints = store.checkpoints(name).await?;
    if matches!(topic, Topic::Memory { .. }) {
        refuse_other_topic(&*store, name, &checkpoints).await?;
    }
    let prepared = store.prepare(&plan.mapping.schema).await?;
    Ok(Endpoints {
        store,
        checkpoints,
        topic,
        prepared,
        worker: None,
        findings: Vec::new(),
        deployed: None,
        forwards: None,
    })
}

/// Refuses a graph that was loaded through another topic: under a new name every row would be loaded a second time.
pub(super) async fn refuse_other_topic(
    store: &dyn GraphStore,
    topic: &str,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> Result<(), Fault> {
    if !checkpoints.is_empty() {
        return Ok(());
    }
    let statement = format!("MATCH (c:{CHECKPOINT_LABEL}) RETURN DISTINCT c.topic AS topic ORDER BY topic");
    let others = store.query(&statement, Map::new()).await?;
    match others.rows.first().and_then(|row| row.first()).and_then(Value::as_str) {
        Some(other) if other != topic => Err(super::fault::other_topic(topic, other)),
        _ => Ok(()),
    }
}

/// Refuses a topic that is not there though the graph was loaded from it: one of its name would be made, and hold other records.
pub(super) fn refuse_gone_topic(
    spec: &Spec,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> Result<(), KafkaError> {
    match graph::loaded(checkpoints) {
        loaded if loaded > 0 && spec.mapping.loader == Loader::Runner => {
            Err(KafkaError::Deleted { topic: spec.topic.name.clone(), loaded })
        }
        _ => Ok(()),
    }
}

impl Endpoints {
    /// What the server's engine does not have, and the pipeline does without; the embedded engine's gaps are the README's.
    pub(super) fn notes(&self) -> Vec<String> {
        if matches!(self.topic, Topic::Memory { .. }) {
            return Vec::new();
        }
        let without = self.prepared.done_without.iter();
        without
            .map(|(constraint, reason)| format!("does without `{}`: {reason}", constraint.cypher()))
            .collect()
    }

    /// How many messages earlier runs have brought into the graph or to the dead letters.
    pub(super) fn loaded(&self) -> u64 {
        graph::loaded(&self.checkpoints)
    }
}

impl Summary for Endpoints {
    fn summary(&self) -> String {
        let engine = match &self.deployed {
            Some(deployed) => format!("{}; {}", deployed.summary(), self.store.engine()),
            None => self.store.engine(),
        };
        match (self.loaded(), self.prepared.made.len()) {
            (0, 0) => format!("{engine}, empty graph"),
            (0, 1) => format!("{engine}, empty graph, 1 constraint made"),
            (0, made) => format!("{engine}, empty graph, {made} constraints made"),
            (rows, _) => format!("{engine}, graph of {rows} rows"),
        }
    }
}
