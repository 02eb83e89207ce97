//! What a cluster says about a pipeline: pods with what they use, volumes, and what is not as the file says.

use serde::Serialize;

use crate::infrastructure::job::{Jobs, RunJob};
use crate::infrastructure::plan::{Action, plan as compare};
use crate::infrastructure::pods::{PodState, pods};
use crate::infrastructure::usage::usage;
use crate::infrastructure::{Inventory, Live, Names, manifests};
use crate::spec::Kubernetes;
use crate::stages::Fault;
use crate::stages::deploy::kubernetes;
use crate::stages::run::Options;
use crate::stages::validate::Plan;

/// A pod, with what it uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pod {
    /// The pod.
    #[serde(flatten)]
    pub state: PodState,
    /// How many cores it uses; none where nobody says so.
    pub cores: Option<f64>,
    /// How many bytes of memory it uses; none where nobody says so.
    pub memory: Option<u64>,
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// The name of its claim.
    pub claim: String,
    /// `Bound`, `Pending` or `Lost`.
    pub phase: String,
    /// Its size, as the cluster says it.
    pub size: Option<String>,
}

/// A run inside the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Job {
    /// The name of its job.
    pub name: String,
    /// How it stands.
    #[serde(flatten)]
    pub run: RunJob,
}

/// What is in the cluster.
pub(super) struct Deployed {
    pub job: Option<Job>,
    pub pods: Vec<Pod>,
    pub volumes: Vec<Volume>,
    pub drift: Option<Vec<String>>,
}

/// Looks what is in the cluster.
pub(super) async fn look(plan: &Plan, options: &Options, spec: &Kubernetes) -> Result<Deployed, Fault> {
    let cluster = kubernetes::cluster(options, spec).await?;
    let names = Names::of(&plan.pipeline, spec);
    let owner = names.owner();
    // Who may not look at jobs sees the rest.
    let job = Jobs { cluster: &cluster, names: &names }.look().await.ok().flatten();
    let job = job.map(|run| Job { name: names.run(), run });
    let states = pods(&cluster, &owner).await?;
    let mut used = usage(&cluster, &owner, &states).await;
    let with_usage = |state: PodState| {
        let usage = used.remove(&state.name);
        Pod { cores: usage.map(|usage| usage.cores), memory: usage.map(|usage| usage.memory), state }
    };
    let pods = states.into_iter().map(with_usage).collect();
    // Who may look at pods alone sees those.
    let volumes = Inventory::volumes(&cluster, &owner).await.unwrap_or_default();
    let volumes = volumes.iter().map(volume).collect();
    let changes = match manifests::rendered(&plan.pipeline, &plan.base).await {
        Ok(objects) => compare(&cluster, &owner, &objects).await.ok(),
        Err(_) => None,
    };
    let drift = changes.map(|changes| {
        let differs =
            changes.0.iter().filter(|change| !matches!(change.action, Action::Leave | Action::Keep));
        differs.map(|change| format!("{}: {}", change.id, words(&change.action))).collect()
    });
    Ok(Deployed { job, pods, volumes, drift })
}

fn volume(live: &Live) -> Volume {
    let text =
        |pointer: &str| live.value.pointer(pointer).and_then(serde_json::Value::as_str).map(str::to_owned);
    Volume {
        claim: live.id.name.clone(),
        phase: text("/status/phase").unwrap_or_default(),
        size: text("/status/capacity/storage").or_else(|| text("/spec/resources/requests/storage")),
    }
}

/// What a run would do about an object that is not as the file says.
fn words(action: &Action) -> String {
    match action {
        Action::Create => "is missing".to_owned(),
        Action::Change { fields, .. } => {
            let fields: Vec<String> = fields.iter().map(|field| field.path.clone()).collect();
            format!("differs at {}", fields.join(", "))
        }
        Action::Prune => "is not in the file any more".to_owned(),
        Action::Leave | Action::Keep => "stays as it is".to_owned(),
    }
}
