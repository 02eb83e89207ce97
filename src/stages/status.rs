//! How a pipeline stands: its topic, how far loading is, its graph, its last run. Nothing is changed.

mod cluster;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::run::Options;
use super::stream::resume;
use super::validate::Plan;
use super::{Fault, Target, deploy, report};
use crate::graph::{Checkpoint, GraphStore};
use crate::report::GraphCounts;
use crate::topic::kafka::{Kafka, Lag};
pub use cluster::{Job, Pod, Volume};

/// Between two looks at what is being loaded.
const BETWEEN: Duration = Duration::from_secs(1);

/// How a pipeline stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The pipeline's name.
    pub pipeline: String,
    /// Where it runs.
    pub target: String,
    /// The graph's engine, with its version.
    pub engine: String,
    /// The graph's counts.
    pub graph: GraphCounts,
    /// The topic's name.
    pub topic: String,
    /// How much of the source is still to come, on the embedded target; none where it changed since the graph was loaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The partitions of which something is known.
    pub partitions: Vec<Partition>,
    /// Records a second that come into the topic, and that are loaded; none where all is loaded.
    pub rates: Option<Rates>,
    /// How many records could not be written, in all runs.
    pub dead_letters: u64,
    /// The run inside the cluster that is under way, or was the last; none where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    /// The pods, on a cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<Pod>,
    /// The volumes, on a cluster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// The objects that are not as the file says, on a cluster; none where that could not be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Vec<String>>,
    /// Why the servers could not be asked; their part of the status is empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// The last run; none where its report is not on this machine.
    pub last_run: Option<LastRun>,
}

/// How much of the source is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// How many rows its files have.
    pub rows: u64,
    /// How many of them lie beyond the last one that is loaded; the filter may drop some.
    pub to_come: u64,
}

/// How far a partition is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Partition {
    /// Its number.
    pub partition: u32,
    /// The first offset that it holds; none for the topic in process, which keeps nothing.
    pub low: Option<u64>,
    /// The offset of the next record that comes in.
    pub high: Option<u64>,
    /// The offset of the next record to load, as the graph says.
    pub checkpoint: u64,
    /// The same, as committed to Kafka for others to see.
    pub committed: Option<u64>,
    /// How many records are still to be loaded; none for the topic in process.
    pub behind: Option<u64>,
    /// The last row that was loaded.
    pub row: Option<String>,
}

/// What moves in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rates {
    /// Records that came into the topic.
    pub produced: u64,
    /// Records that were loaded.
    pub loaded: u64,
}

/// What the last report says of its run.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastRun {
    /// When it began.
    pub started_at: String,
    /// How it ended.
    pub status: String,
    /// How long it took.
    pub seconds: f64,
    /// The folder of its report.
    pub report: String,
}

/// Looks how a pipeline stands.
///
/// # Errors
/// Where a server does not answer, or the embedded graph cannot be read.
pub async fn status(plan: &Plan, options: &Options) -> Result<Status, Fault> {
    let status = ask(plan, options).await;
    status.map_err(|fault| fault.in_cluster(&plan.pipeline.spec.infrastructure, &[]))
}

async fn ask(plan: &Plan, options: &Options) -> Result<Status, Fault> {
    let Some(spec) = plan
        .pipeline
        .spec
        .infrastructure
        .kubernetes
        .as_ref()
        .filter(|_| options.target(plan) == Target::Kubernetes)
    else {
        return of_servers(plan, options).await;
    };
    let deployed = cluster::look(plan, options, spec).await?;
    // What keeps the servers from being asked is seen at their pods.
    let status = match of_servers(plan, options).await {
        Ok(status) => status,
        Err(fault) if deployed.pods.is_empty() => return Err(fault),
        Err(fault) => Status { unknown: Some(fault.summary()), ..without_servers(plan, options) },
    };
    let cluster::Deployed { job, pods, volumes, drift } = deployed;
    Ok(Status { job, pods, volumes, drift, ..status })
}

/// What is known without the servers.
fn without_servers(plan: &Plan, options: &Options) -> Status {
    Status {
        pipeline: plan.pipeline.metadata.name.clone(),
        target: options.target(plan).to_string(),
        engine: String::new(),
        graph: GraphCounts::default(),
        topic: plan.pipeline.spec.topic.name.clone(),
        source: None,
        partitions: Vec::new(),
        rates: None,
        dead_letters: 0,
        job: None,
        pods: Vec::new(),
        volumes: Vec::new(),
        drift: None,
        unknown: None,
        last_run: last_run(plan, options),
    }
}

async fn of_servers(plan: &Plan, options: &Options) -> Result<Status, Fault> {
    let spec = &plan.pipeline.spec;
    let looked = deploy::look(plan, options).await?;
    let store = &*looked.store;
    let checkpoints = store.checkpoints(&spec.topic.name).await?;
    let (partitions, rates, source) = match &looked.kafka {
        Some(kafka) => {
            let (partitions, rates) = on_kafka(plan, kafka, store, &checkpoints).await?;
            (partitions, rates, None)
        }
        None => (in_process(&checkpoints), None, to_come(plan, &checkpoints)),
    };
    Ok(Status {
        engine: store.engine(),
        graph: report::counts(store).await?,
        source,
        partitions,
        rates,
        dead_letters: checkpoints.values().map(|checkpoint| checkpoint.dead_letters).sum(),
        ..without_servers(plan, options)
    })
}

fn row(checkpoint: Option<&Checkpoint>) -> Option<String> {
    checkpoint?.row.as_ref().map(ToString::to_string)
}

fn in_process(checkpoints: &BTreeMap<u32, Checkpoint>) -> Vec<Partition> {
    let partition = |(&partition, checkpoint): (&u32, &Checkpoint)| Partition {
        partition,
        low: None,
        high: None,
        checkpoint: checkpoint.offset,
        committed: None,
        behind: None,
        row: row(Some(checkpoint)),
    };
    checkpoints.iter().map(partition).collect()
}

/// How much of the source a run would still read, by the files' footers.
fn to_come(plan: &Plan, checkpoints: &BTreeMap<u32, Checkpoint>) -> Option<Source> {
    let dataset = plan.dataset.as_ref()?;
    let resume = resume::decide(checkpoints, dataset.files(), &plan.stream_digest).ok()?;
    let rows = dataset.rows();
    Some(Source { rows, to_come: rows.saturating_sub(resume.passed) })
}

async fn on_kafka(
    plan: &Plan,
    kafka: &Kafka,
    store: &dyn GraphStore,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> Result<(Vec<Partition>, Option<Rates>), Fault> {
    let lags = lags(plan, kafka, checkpoints).await?;
    let partition = |lag: &Lag| Partition {
        partition: lag.partition,
        low: Some(lag.marks.low),
        high: Some(lag.marks.high),
        checkpoint: lag.checkpoint.unwrap_or_default(),
        committed: lag.committed,
        behind: Some(lag.behind()),
        row: row(checkpoints.get(&lag.partition)),
    };
    let partitions = lags.iter().map(partition).collect();
    if lags.iter().all(|lag| lag.behind() == 0) {
        return Ok((partitions, None));
    }
    tokio::time::sleep(BETWEEN).await;
    let checkpoints = store.checkpoints(&plan.pipeline.spec.topic.name).await?;
    let later = self::lags(plan, kafka, &checkpoints).await?;
    let grown = |of: &dyn Fn(&Lag) -> u64| {
        let sum = |lags: &[Lag]| lags.iter().map(of).sum::<u64>();
        sum(&later).saturating_sub(sum(&lags))
    };
    let rates =
        Rates { produced: grown(&|lag| lag.marks.high), loaded: grown(&|lag| lag.checkpoint.unwrap_or(0)) };
    Ok((partitions, Some(rates)))
}

/// How far loading is behind; nothing where the topic is not there yet.
async fn lags(
    plan: &Plan,
    kafka: &Kafka,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> Result<Vec<Lag>, Fault> {
    let topic = &plan.pipeline.spec.topic;
    if kafka.inspect_topic(topic).await?.is_none() {
        return Ok(Vec::new());
    }
    let offsets = checkpoints.iter().map(|(partition, one)| (*partition, one.offset)).collect();
    Ok(kafka.lag(&topic.name, &deploy::group(&plan.pipeline), &offsets).await?)
}

/// What the last report on this machine says.
fn last_run(plan: &Plan, options: &Options) -> Option<LastRun> {
    let folder = options.report_dir.clone().or_else(|| Some(deploy::state(plan, options).ok()?.report()))?;
    let text = std::fs::read(folder.join("report.json")).ok()?;
    let report: Value = serde_json::from_slice(&text).ok()?;
    let text = |key: &str| report.get(key).and_then(Value::as_str).map(str::to_owned);
    let target = text("target")?;
    (target == options.target(plan).to_string()).then_some(LastRun {
        started_at: text("startedAt")?,
        status: text("status")?,
        seconds: report.get("seconds")?.as_f64()?,
        report: folder.display().to_string(),
    })
}
