//! Waiting until what was applied runs: every pod of the last state, and ready. What cannot get better is not waited for.

use std::time::Duration;

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::api::{Api, DeleteParams, ListParams, LogParams, ObjectMeta, Preconditions};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::apply::{ObjectEvent, ObjectState};
use super::diagnose::{self, Cause, CauseKind, Finding, Seen};
use super::{Cluster, Id, Live, Object, RequestError, Wave};

/// How long is waited where nobody says otherwise.
pub const PATIENCE: Duration = Duration::from_mins(5);
/// Between two looks.
const BETWEEN: Duration = Duration::from_millis(300);
/// How many events are shown of what is not ready.
const EVENTS: usize = 5;
/// How many lines of the log are read, stack traces included.
const LINES: i64 = 200;
/// How many are shown.
const LAST_WORDS: usize = 8;

/// Why a workload is not ready, with what it and its pods have said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The workload.
    pub workload: Id,
    /// What is wrong, and where.
    pub finding: Finding,
    /// The latest events, the latest last.
    pub events: Vec<String>,
    /// The last lines of the container's log.
    pub log: Vec<String>,
}

/// Why what was applied does not run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotReady {
    /// It cannot get better by itself.
    #[error("{} workloads cannot start", .0.len())]
    Hopeless(Vec<Trouble>),
    /// It was waited for in vain.
    #[error("{} workloads are not ready after {} s", .troubles.len(), patience.as_secs())]
    TimedOut {
        /// How long.
        patience: Duration,
        /// What is not ready.
        troubles: Vec<Trouble>,
    },
    /// It was applied and is gone.
    #[error("{0} was deleted while it was waited for")]
    Deleted(Id),
    /// The API server does not answer, or does not let us look.
    #[error(transparent)]
    Request(#[from] RequestError),
}

/// How far a workload has come, by its own status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rollout {
    ready: u32,
    wanted: u32,
    done: bool,
    /// Whether its pods are still those of an earlier state, whose faults say nothing of the last one.
    of_before: bool,
}

impl Rollout {
    /// Reads the status as `kubectl rollout status` does: the controller has seen the last state, and every pod is of it and ready.
    fn of(workload: &Value) -> Self {
        let number = |pointer: &str| workload.pointer(pointer).and_then(Value::as_u64).unwrap_or(0);
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let text = |pointer: &str| workload.pointer(pointer).and_then(Value::as_str);
        let wanted = workload.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or(1);
        let ready = number("/status/readyReplicas");
        let seen = number("/status/observedGeneration") >= number("/metadata/generation");
        let of_last_state = if workload.get("kind").and_then(Value::as_str) == Some("StatefulSet") {
            let all = text("/status/currentRevision") == text("/status/updateRevision");
            all || number("/status/updatedReplicas") == wanted
        } else {
            number("/status/updatedReplicas") == wanted && number("/status/replicas") == wanted
        };
        // Told to end the pods of an earlier state first, a deployment makes none before it has.
        let ends_first = text("/spec/strategy/type") == Some("Recreate")
            && number("/status/replicas") > number("/status/updatedReplicas");
        Self {
            ready: small(ready),
            wanted: small(wanted),
            done: seen && of_last_state && ready == wanted,
            of_before: !seen || ends_first,
        }
    }
}

/// How many pods of a workload are ready, of how many; none where it is not there.
///
/// # Errors
/// Where the API server does not answer, or does not let us look.
pub async fn pods_ready(cluster: &Cluster, id: &Id) -> Result<Option<(u32, u32)>, RequestError> {
    let live = cluster.find(id, Wave::Servers).await?;
    Ok(live.map(|live| Rollout::of(&live.value)).map(|Rollout { ready, wanted, .. }| (ready, wanted)))
}

/// A workload that is waited for.
struct Waited {
    object: Object,
    /// What is wrong with it, and since when.
    trouble: Option<(CauseKind, Instant)>,
    told: Option<ObjectState>,
}

/// A look at a workload.
struct Look {
    rollout: Rollout,
    /// The revision that a stateful set's pods are to be of.
    revision: Option<String>,
    finding: Option<Finding>,
    pods: Vec<Pod>,
    events: Vec<Event>,
    claims: Vec<PersistentVolumeClaim>,
}

/// Waits until the stateful sets and deployments among the objects run as they are to be. Each state that is new is told.
///
/// # Errors
/// Where one of them cannot start, or is not ready after the patience; where it was deleted meanwhile.
pub async fn wait(
    cluster: &Cluster,
    objects: &[Object],
    patience: Duration,
    tell: &mut impl FnMut(ObjectEvent),
) -> Result<(), NotReady> {
    let began = Instant::now();
    let workloads = objects.iter().filter(|object| is_workload(&object.id()));
    let mut waited: Vec<Waited> =
        workloads.map(|object| Waited { object: object.clone(), trouble: None, told: None }).collect();
    loop {
        let looks = try_join_all(waited.iter().map(|one| look(cluster, &one.object))).await?;
        let (mut hopeless, mut late) = (Vec::new(), Vec::new());
        for (one, look) in waited.iter_mut().zip(looks) {
            one.tell(&look, tell);
            if look.rollout.done {
                continue;
            }
            if replace_stuck(cluster, &look).await? {
                late.push((one.object.id(), look));
            } else if one.is_hopeless(look.finding.as_ref()) {
                hopeless.push((one.object.id(), look));
            } else {
                late.push((one.object.id(), look));
            }
        }
        if !hopeless.is_empty() {
            return Err(NotReady::Hopeless(troubles(cluster, hopeless).await));
        }
        if late.is_empty() {
            return Ok(());
        }
        if began.elapsed() >= patience {
            return Err(NotReady::TimedOut { patience, troubles: troubles(cluster, late).await });
        }
        sleep(BETWEEN).await;
    }
}

/// Whether an object has pods that run for good.
#[must_use]
pub fn is_workload(id: &Id) -> bool {
    id.api_version == "apps/v1" && matches!(id.kind.as_str(), "StatefulSet" | "Deployment")
}

impl Waited {
    /// Tells a state that was not told before.
    fn tell(&mut self, look: &Look, tell: &mut impl FnMut(ObjectEvent)) {
        let Rollout { ready, wanted, done, .. } = look.rollout;
        let because = look.finding.as_ref().map(|finding| finding.cause.brief());
        let state = if done {
            ObjectState::Ready { pods: ready }
        } else {
            ObjectState::Waiting { ready, wanted, because: because.unwrap_or_else(|| "is made".to_owned()) }
        };
        if self.told.as_ref() != Some(&state) {
            tell(ObjectEvent { id: self.object.id(), state: state.clone() });
            self.told = Some(state);
        }
    }

    /// Whether a cause has lasted so long that it will not get better.
    fn is_hopeless(&mut self, finding: Option<&Finding>) -> bool {
        let Some(Finding { cause, .. }) = finding else {
            self.trouble = None;
            return false;
        };
        let kind = CauseKind::from(cause);
        let since = match self.trouble {
            Some((known, since)) if known == kind => since,
            _ => self.trouble.insert((kind, Instant::now())).1,
        };
        cause.hopeless_after().is_some_and(|after| since.elapsed() >= after)
    }
}

/// Looks at a workload, and where it is not done, at what keeps it.
async fn look(cluster: &Cluster, object: &Object) -> Result<Look, NotReady> {
    let id = object.id();
    let live = cluster.find(&id, object.wave).await?.ok_or_else(|| NotReady::Deleted(id.clone()))?;
    let rollout = Rollout::of(&live.value);
    let revision = live.value.pointer("/status/updateRevision").and_then(Value::as_str).map(str::to_owned);
    let mut look =
        Look { rollout, revision, finding: None, pods: Vec::new(), events: Vec::new(), claims: Vec::new() };
    if rollout.done {
        return Ok(look);
    }
    let (all, selector) = (ListParams::default(), ListParams::default().labels(&selector(&live)));
    let (pods, claims, events) = tokio::try_join!(
        list::<Pod>(cluster, &selector),
        list::<PersistentVolumeClaim>(cluster, &all),
        list::<Event>(cluster, &all),
    )?;
    look.finding = if rollout.of_before {
        Some(Finding::starting("waits for its controller"))
    } else {
        diagnose::diagnose(Seen { workload: &id, pods: &pods, claims: &claims, events: &events })
    };
    Ok(Look { pods, events, claims, ..look })
}

async fn list<K>(cluster: &Cluster, params: &ListParams) -> Result<Vec<K>, RequestError>
where
    K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + serde::de::DeserializeOwned,
{
    let api: Api<K> = Api::namespaced(cluster.client(), cluster.namespace());
    Ok(cluster.ask(|| api.list(params)).await?.items)
}

/// Deletes a pod of an earlier revision that cannot start: its controller waits for it to be ready before it makes one of the
/// last revision, for ever (Kubernetes' "forced rollback" of stateful sets). Whether there was one.
async fn replace_stuck(cluster: &Cluster, look: &Look) -> Result<bool, NotReady> {
    let Some(ObjectMeta { name: Some(name), uid, .. }) = stuck(look).map(|pod| &pod.metadata) else {
        return Ok(false);
    };
    let api: Api<Pod> = Api::namespaced(cluster.client(), cluster.namespace());
    let same = Preconditions { uid: uid.clone(), resource_version: None };
    let params = DeleteParams { preconditions: Some(same), ..DeleteParams::default() };
    match cluster.ask(|| api.delete(name, &params)).await {
        Ok(_) => Ok(true),
        // Gone already, or replaced by another of the same name.
        Err(RequestError::Refused(status)) if matches!(status.code, 404 | 409) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// The pod at fault, where it is of an earlier revision, and its fault is none that passes.
fn stuck(look: &Look) -> Option<&Pod> {
    const REVISION: &str = "controller-revision-hash";
    let finding = look.finding.as_ref()?;
    finding.cause.hopeless_after()?;
    let pod = look.pods.iter().find(|pod| pod.metadata.name == finding.pod)?;
    let of = pod.metadata.labels.as_ref()?.get(REVISION)?;
    (*of != *look.revision.as_ref()?).then_some(pod)
}

/// What finds the pods of a workload.
fn selector(workload: &Live) -> String {
    let labels = workload.value.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let labels =
        labels.into_iter().flatten().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    labels.collect::<Vec<_>>().join(",")
}

/// What is wrong with workloads, with the words of their pods.
async fn troubles(cluster: &Cluster, late: Vec<(Id, Look)>) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    for (workload, Look { finding, pods, events, claims, .. }) in late {
        let seen = Seen { workload: &workload, pods: &pods, claims: &claims, events: &events };
        let finding = finding.unwrap_or_else(|| Finding::starting("has no pods yet"));
        let events = diagnose::events(seen, EVENTS);
        let log = log(cluster, &finding).await;
        troubles.push(Trouble { workload, finding, events, log });
    }
    troubles
}

/// The last lines of a container: of the one that ended, where one has, else of the one that runs.
async fn log(cluster: &Cluster, Finding { pod, container, cause }: &Finding) -> Vec<String> {
    let (
        Some(pod),
        Cause::Crash { .. } | Cause::OutOfMemory { .. } | Cause::Probe { .. } | Cause::Starting { .. },
    ) = (pod, cause)
    else {
        return Vec::new();
    };
    let api: Api<Pod> = Api::namespaced(cluster.client(), cluster.namespace());
    let ended = matches!(cause, Cause::Crash { .. } | Cause::OutOfMemory { .. });
    for previous in [ended, false] {
        let params = LogParams {
            container: container.clone(),
            tail_lines: Some(LINES),
            previous,
            ..LogParams::default()
        };
        // A container that has never run has no log; the fault is told all the same.
        if let Ok(text) = cluster.ask(|| api.logs(pod, &params)).await {
            return diagnose::last_words(&text, LAST_WORDS);
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests;
