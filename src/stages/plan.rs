//! What a run would do, asked and not done: objects of a cluster, the topic, constraints, the connector, rows.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Map;

use super::deploy::{self, Servers, kubernetes};
use super::run::Options;
use super::stream::{self, resume};
use super::validate::Plan;
use super::{Fault, Target};
use crate::diagnostic::Code;
use crate::graph::{Checkpoint, Constraint, GraphStore, loaded};
use crate::infrastructure::access::{self, Undertaking};
use crate::infrastructure::manifests::rendered;
use crate::infrastructure::plan::{Action, Change};
use crate::infrastructure::{Changes, Id, Names, Wave, plan as objects, secrets};
use crate::spec::{Kubernetes, Loader};
use crate::topic::kafka::{Kafka, TopicState};

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// The pipeline's name.
    pub pipeline: String,
    /// Where it runs.
    pub target: String,
    /// What becomes of the objects in the cluster; empty on the other targets.
    pub objects: Changes,
    /// What becomes of the topic, the graph's constraints and the connector, as far as it is known.
    pub servers: Vec<Step>,
    /// Why it is not known what the servers hold, where they could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<String>,
    /// How many rows there are to load; none where others fill the topic.
    pub rows: Option<Rows>,
}

/// Something that a run makes in a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// `topic`, `constraint` or `connector`.
    pub kind: &'static str,
    /// Its name, or the statement that makes it.
    pub name: String,
    /// What becomes of it.
    pub action: StepAction,
    /// What is to be said beside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What becomes of something in a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum StepAction {
    /// It is made.
    Create,
    /// It is there, and stays as it is.
    Leave,
    /// It is made, unless it is there: nobody could be asked.
    Ensure,
}

/// How many rows there are to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// How many files they are in.
    pub files: usize,
    /// How many rows the files have, by their footers: at most so many pass the filter.
    pub at_most: u64,
    /// How many are loaded already; none where the graph could not be asked.
    pub loaded: Option<u64>,
}

impl Planned {
    /// Whether a run would make, change or prune anything; rows are no change of that kind.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.objects.is_empty() || self.servers.iter().any(|step| step.action != StepAction::Leave)
    }
}

/// Asks what a run would do.
///
/// # Errors
/// Where a run would be refused: what is loaded was loaded by another definition, or from other files; where the cluster cannot be
/// asked or would refuse objects, or an external server does not answer.
pub async fn plan(plan: &Plan, options: &Options) -> Result<Planned, Fault> {
    deploy::refuse(plan, options)?;
    let target = options.target(plan);
    let spec = &plan.pipeline.spec;
    let objects = match (target, &spec.infrastructure.kubernetes) {
        (Target::Kubernetes, Some(kubernetes)) => in_cluster(plan, options, kubernetes).await?,
        _ => Changes::default(),
    };
    let held = match held(plan, options, target).await {
        Ok(held) => held,
        Err(fault) if target == Target::Kubernetes => Held::unknown(&fault),
        Err(fault) => return Err(fault),
    };
    if let Some(fault) = held.refused {
        return Err(fault);
    }
    let rows = plan.dataset.as_ref().map(|dataset| Rows {
        files: dataset.files().len(),
        at_most: dataset.rows(),
        loaded: held.loaded,
    });
    Ok(Planned {
        pipeline: plan.pipeline.metadata.name.clone(),
        target: target.to_string(),
        objects,
        servers: held.steps(plan, target),
        unknown: held.unknown,
        rows,
    })
}

/// What becomes of the objects, and of the Secret that no manifest names.
async fn in_cluster(plan: &Plan, options: &Options, kubernetes: &Kubernetes) -> Result<Changes, Fault> {
    let cluster = kubernetes::cluster(options, kubernetes).await?;
    access::check(&cluster, Undertaking::Servers).await?;
    let manifests = rendered(&plan.pipeline, &plan.base).await?;
    let names = Names::of(&plan.pipeline, kubernetes);
    let owner = names.owner();
    let Changes(mut changes) = objects::plan(&cluster, &owner, &manifests).await?;
    if secrets::makes_auth(&kubernetes.neo4j) {
        let id = Id::secret(cluster.namespace(), &names.neo4j_auth());
        let is_there = changes.iter().any(|change| change.id == id);
        if !is_there {
            let secret = Change { id, wave: Wave::Settings, action: Action::Create };
            let place =
                changes.iter().position(|change| change.wave > Wave::Namespace).unwrap_or(changes.len());
            changes.insert(place, secret);
        }
    }
    Ok(Changes(changes))
}

/// What the servers hold.
#[derive(Debug, Default)]
struct Held {
    /// The topic; none where it is not there.
    topic: Option<TopicState>,
    /// The names of constraints and indexes.
    schema: Vec<String>,
    /// Whether the connector is there.
    connector: bool,
    /// How many records are loaded.
    loaded: Option<u64>,
    /// Why a run would not go on from there.
    refused: Option<Fault>,
    /// Why they could not be asked.
    unknown: Option<String>,
}

async fn held(plan: &Plan, options: &Options, target: Target) -> Result<Held, Fault> {
    let spec = &plan.pipeline.spec;
    if target == Target::Embedded {
        return embedded(plan, options).await;
    }
    // The forwards must live for as long as the servers are asked.
    let Servers { kafka, neo4j, worker, forwards: _forwards } = deploy::servers(plan, options).await?;
    let connector = match worker.filter(|_| spec.mapping.loader == Loader::Connect) {
        Some(worker) => worker.open().await?.connect.status(&plan.pipeline.metadata.name).await?.is_some(),
        None => false,
    };
    let topic = kafka.inspect_topic(&spec.topic).await?;
    let checkpoints = neo4j.checkpoints(&spec.topic.name).await?;
    let refused = match going_on(plan, topic.as_ref().map(|_| &kafka), &checkpoints).await {
        Err(fault) if fault.may_pass() => return Err(fault),
        outcome => outcome.err(),
    };
    Ok(Held {
        schema: schema(&neo4j).await?,
        connector,
        loaded: Some(loaded(&checkpoints)),
        refused,
        topic,
        unknown: None,
    })
}

/// Looks, as a run does, whether it could go on from what is loaded.
async fn going_on(
    plan: &Plan,
    topic: Option<&Kafka>,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> Result<(), Fault> {
    let spec = &plan.pipeline.spec;
    let name = &spec.topic.name;
    resume::same_digest(checkpoints, &plan.stream_digest)?;
    if let Some(dataset) = &plan.dataset {
        let in_topic = match topic {
            Some(kafka) => kafka.last_rows(name).await?,
            None => BTreeMap::new(),
        };
        let last = resume::last_rows(in_topic, checkpoints);
        resume::same_rows(&last, dataset.files(), &plan.stream_digest)?;
    }
    match (topic, spec.mapping.loader) {
        (Some(kafka), Loader::Runner) => {
            kafka.starts(name, &stream::loaded(checkpoints), plan.dataset.is_none()).await?;
        }
        (None, _) => deploy::refuse_gone_topic(spec, checkpoints)?,
        _ => {}
    }
    Ok(())
}

/// The embedded graph, if it was made already; making it is left to a run.
async fn embedded(plan: &Plan, options: &Options) -> Result<Held, Fault> {
    let looked = deploy::look(plan, options).await?;
    let topic = &plan.pipeline.spec.topic.name;
    let checkpoints = looked.store.checkpoints(topic).await?;
    deploy::refuse_other_topic(&*looked.store, topic, &checkpoints).await?;
    resume::decide(&checkpoints, plan.source()?.files(), &plan.stream_digest)?;
    let loaded = loaded(&checkpoints);
    // Constraints are made before the first row.
    let made = plan.mapping.schema.constraints.iter().filter(|_| loaded > 0).map(Constraint::name);
    Ok(Held { schema: made.collect(), loaded: Some(loaded), ..Held::default() })
}

/// The names of the constraints and indexes of a server.
async fn schema(store: &dyn GraphStore) -> Result<Vec<String>, Fault> {
    let table = store.query("SHOW INDEXES YIELD name RETURN name", Map::new()).await?;
    let names = table.rows.iter().filter_map(|row| row.first()?.as_str());
    Ok(names.map(str::to_owned).collect())
}

impl Held {
    /// Nothing is known: the servers are not there yet, or not ready.
    fn unknown(fault: &Fault) -> Self {
        let Fault(findings) = fault;
        let absent = findings.iter().all(|finding| finding.code == Code::NotDeployed);
        Self { unknown: (!absent).then(|| fault.summary()), loaded: absent.then_some(0), ..Self::default() }
    }

    /// What becomes of what a run needs in the servers.
    fn steps(&self, plan: &Plan, target: Target) -> Vec<Step> {
        let spec = &plan.pipeline.spec;
        let action = |is_there: bool| match (is_there, &self.unknown) {
            (_, Some(_)) => StepAction::Ensure,
            (true, None) => StepAction::Leave,
            (false, None) => StepAction::Create,
        };
        let mut steps = Vec::new();
        if target != Target::Embedded {
            let partitions = match spec.topic.partitions {
                1 => "1 partition".to_owned(),
                partitions => format!("{partitions} partitions"),
            };
            let differences = self.topic.iter().flat_map(|topic| &topic.differences).map(|difference| {
                let found = difference.found.as_deref().unwrap_or("not set");
                format!("`{}` is {found}, not {}: a run leaves it so", difference.name, difference.wanted)
            });
            steps.push(Step {
                kind: "topic",
                name: format!("{}, {partitions}", spec.topic.name),
                action: action(self.topic.is_some()),
                notes: differences.collect(),
            });
        }
        steps.extend(plan.mapping.schema.constraints.iter().map(|constraint| Step {
            kind: "constraint",
            name: constraint.cypher(),
            action: action(self.schema.contains(&constraint.name())),
            notes: Vec::new(),
        }));
        if target != Target::Embedded && spec.mapping.loader == Loader::Connect {
            steps.push(Step {
                kind: "connector",
                name: plan.pipeline.metadata.name.clone(),
                action: action(self.connector),
                notes: Vec::new(),
            });
        }
        steps
    }
}
