//! Why pods are not ready: a reading of what the cluster says about them, without asking it anything.

use std::cmp::Reverse;
use std::time::Duration;

use k8s_openapi::api::core::v1::{
    ContainerState, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Event,
    PersistentVolumeClaim, Pod,
};
use strum::EnumDiscriminants;

use super::Id;

/// A container that was killed this often for want of memory will be again.
const KILLED_FOR_MEMORY: i32 = 2;
/// A container that ended this often ends by itself. Twice happens to one that waits for another in vain.
const CRASHED: i32 = 3;

/// Why pods are not ready, the worst last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, EnumDiscriminants)]
#[strum_discriminants(name(CauseKind))]
pub enum Cause {
    /// Nothing is wrong that could be seen: images are pulled, containers made, processes start.
    Starting {
        /// What it is at, in the kubelet's words.
        doing: String,
    },
    /// The process runs, and its probe fails.
    Probe {
        /// What the probe says.
        reason: String,
    },
    /// No node takes the pod.
    Unschedulable {
        /// The scheduler's words.
        reason: String,
        /// Whether a node was asked for.
        scaling: bool,
    },
    /// A volume is not there.
    VolumePending {
        /// The claim.
        claim: String,
        /// The storage class that the claim names.
        class: Option<String>,
        /// Why, in the words of who makes volumes.
        reason: String,
        /// Whether whoever makes volumes tries again.
        again: bool,
    },
    /// The container refers to what is not there, such as a Secret.
    Settings {
        /// The kubelet's words.
        reason: String,
    },
    /// The process ended by itself.
    Crash {
        /// How it ended.
        exit_code: i32,
        /// How often it was started again.
        restarts: i32,
        /// The kubelet's words, where it had a part in the end.
        reason: Option<String>,
    },
    /// The process was killed because it had used more memory than its limit.
    OutOfMemory {
        /// The limit.
        limit: Option<String>,
        /// How often it was killed so far.
        kills: i32,
    },
    /// The image cannot be pulled.
    ImagePull {
        /// The image.
        image: String,
        /// Why, in the words of who pulls it.
        reason: String,
        /// Whether it is tried again.
        again: bool,
    },
    /// The namespace's quota has no room for the pod or its volume.
    Quota {
        /// The API server's words.
        reason: String,
    },
    /// The namespace's rules refuse the pod: Pod Security, a limit range, a webhook.
    Refused {
        /// The API server's words.
        reason: String,
    },
}

impl Cause {
    /// After how long of this it will not get better by itself; none where it may at any time.
    #[must_use]
    pub fn hopeless_after(&self) -> Option<Duration> {
        let seconds = match self {
            Self::Starting { .. } | Self::Probe { .. } | Self::Unschedulable { scaling: true, .. } => {
                return None;
            }
            Self::Crash { restarts, .. } if *restarts < CRASHED => return None,
            Self::OutOfMemory { kills, .. } if *kills < KILLED_FOR_MEMORY => return None,
            Self::Crash { .. } | Self::OutOfMemory { .. } | Self::ImagePull { again: false, .. } => 0,
            // A registry, or whoever makes volumes, may be back: the next tries come after some 10 s and 30 s.
            Self::ImagePull { again: true, .. } | Self::VolumePending { again: true, .. } => 45,
            // A controller may hiccup; who made the namespace may still be at it.
            Self::Quota { .. } | Self::Refused { .. } => 5,
            Self::VolumePending { again: false, .. } | Self::Settings { .. } => 10,
            // Pods of another pipeline may be on their way out.
            Self::Unschedulable { .. } => 20,
        };
        Some(Duration::from_secs(seconds))
    }

    /// What it is, in a few words, for a line that is shown while it lasts.
    #[must_use]
    pub fn brief(&self) -> String {
        match self {
            Self::Starting { doing } => doing.clone(),
            Self::Probe { .. } => "runs, not ready yet".to_owned(),
            Self::Unschedulable { scaling: true, .. } => "waits for a new node".to_owned(),
            Self::Unschedulable { .. } => "no node takes it".to_owned(),
            Self::VolumePending { claim, .. } => format!("waits for volume {claim}"),
            Self::Settings { .. } => "refers to what is not there".to_owned(),
            Self::Crash { restarts, .. } => format!("ended, {restarts} restarts"),
            Self::OutOfMemory { kills, .. } => format!("out of memory, killed {kills} times"),
            Self::ImagePull { image, .. } => format!("cannot pull {image}"),
            Self::Quota { .. } => "the quota is used up".to_owned(),
            Self::Refused { .. } => "refused by the namespace".to_owned(),
        }
    }
}

/// What the cluster says about a workload that is not ready.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The workload.
    pub workload: &'a Id,
    /// Its pods.
    pub pods: &'a [Pod],
    /// The claims of the namespace.
    pub claims: &'a [PersistentVolumeClaim],
    /// The events of the namespace.
    pub events: &'a [Event],
}

/// A cause, and the pod and container that it was seen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The pod; none where there is none.
    pub pod: Option<String>,
    /// The container; none where it is about the whole pod.
    pub container: Option<String>,
    /// The cause.
    pub cause: Cause,
}

impl Finding {
    /// Nothing that could be seen at a pod: the workload is at something.
    pub(super) fn starting(doing: &str) -> Self {
        Self { pod: None, container: None, cause: Cause::Starting { doing: doing.to_owned() } }
    }
}

/// The worst that can be read from what the cluster says; none where it says nothing yet.
#[must_use]
pub fn diagnose(seen: Seen<'_>) -> Option<Finding> {
    let pods = seen.pods.iter().filter(|pod| !is_ready(pod)).filter_map(|pod| of_pod(seen, pod));
    pods.chain(not_created(seen)).max_by(|one, other| one.cause.cmp(&other.cause))
}

/// The latest events about a workload, its pods and their claims, the latest last.
#[must_use]
pub fn events(seen: Seen<'_>, most: usize) -> Vec<String> {
    let names: Vec<String> = seen.pods.iter().filter_map(name_of).collect();
    let claims = seen.pods.iter().flat_map(claims_of);
    let names: Vec<String> = names.into_iter().chain(claims).collect();
    let about = |event: &&Event| {
        let name = event.involved_object.name.clone().unwrap_or_default();
        names.contains(&name) || is_of(event, seen.workload)
    };
    let mut events: Vec<&Event> = seen.events.iter().filter(about).collect();
    events.sort_by_key(|event| time(event));
    let line = |event: &&Event| {
        let reason = event.reason.as_deref().unwrap_or_default();
        format!("{reason}: {}", event.message.as_deref().unwrap_or_default())
    };
    events.iter().skip(events.len().saturating_sub(most)).map(line).collect()
}

/// The last lines of a log that say something: a stack trace's frames do not, and push out what does.
#[must_use]
pub fn last_words(log: &str, most: usize) -> Vec<String> {
    let is_frame = |line: &str| {
        let line = line.trim_start();
        line.starts_with("at ") || (line.starts_with("... ") && line.ends_with(" more"))
    };
    let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty() && !is_frame(line)).collect();
    lines.iter().skip(lines.len().saturating_sub(most)).map(|line| (*line).to_owned()).collect()
}

fn name_of(pod: &Pod) -> Option<String> {
    pod.metadata.name.clone()
}

/// Whether a pod's containers are ready, as the kubelet says.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    condition(pod, "Ready").is_some_and(|(status, _, _)| status == "True")
        && pod.metadata.deletion_timestamp.is_none()
}

/// Status, reason and message of a condition.
fn condition(pod: &Pod, kind: &str) -> Option<(String, String, String)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| condition.type_ == kind)?;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Some((condition.status.clone(), text(&condition.reason), text(&condition.message)))
}

fn of_pod(seen: Seen<'_>, pod: &Pod) -> Option<Finding> {
    let finding = |container: Option<&str>, cause: Cause| Finding {
        pod: name_of(pod),
        container: container.map(str::to_owned),
        cause,
    };
    if pod.metadata.deletion_timestamp.is_some() {
        return Some(finding(None, Cause::Starting { doing: "its predecessor ends".to_owned() }));
    }
    if let Some(cause) = volume(seen, pod).or_else(|| unschedulable(seen, pod)) {
        return Some(finding(None, cause));
    }
    let status = pod.status.as_ref()?;
    let containers = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let containers = containers.filter(|container| !container.ready);
    let causes = containers.filter_map(|one| Some(finding(Some(&one.name), of_container(seen, pod, one)?)));
    let worst = causes.max_by(|one, other| one.cause.cmp(&other.cause));
    Some(worst.unwrap_or_else(|| finding(None, Cause::Starting { doing: "is made".to_owned() })))
}

/// What keeps a container.
fn of_container(seen: Seen<'_>, pod: &Pod, status: &ContainerStatus) -> Option<Cause> {
    let ended = |state: &Option<ContainerState>| state.as_ref().and_then(|state| state.terminated.clone());
    let last = ended(&status.state).or_else(|| ended(&status.last_state));
    let waiting = status.state.as_ref().and_then(|state| state.waiting.clone());
    let runs = status.state.as_ref().is_some_and(|state| state.running.is_some());
    let memory = || Cause::OutOfMemory {
        limit: memory_limit(pod, &status.name),
        kills: status.restart_count + i32::from(!runs),
    };
    if last.as_ref().is_some_and(is_out_of_memory) {
        return Some(memory());
    }
    if let Some(ContainerStateWaiting { reason: Some(reason), message }) = waiting {
        let words = message.unwrap_or_else(|| reason.clone());
        match reason.as_str() {
            "ErrImagePull"
            | "ImagePullBackOff"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "RegistryUnavailable"
            | "ImageInspectError" => {
                // "Back-off pulling image" says nothing of why; the event before it does.
                let said =
                    latest(seen, pod, &["Failed"]).filter(|text| text.contains("pull")).unwrap_or(words);
                let again = !matches!(reason.as_str(), "InvalidImageName" | "ErrImageNeverPull");
                return Some(Cause::ImagePull { image: status.image.clone(), reason: said, again });
            }
            "CreateContainerConfigError" => return Some(Cause::Settings { reason: words }),
            "CreateContainerError" | "RunContainerError" if words.contains("OOM") => return Some(memory()),
            "CreateContainerError" | "RunContainerError" => {
                return Some(Cause::Crash {
                    exit_code: 128,
                    restarts: status.restart_count,
                    reason: Some(words),
                });
            }
            "PodInitializing" => return None,
            "ContainerCreating" => return Some(Cause::Starting { doing: "is made".to_owned() }),
            // CrashLoopBackOff: how it ended is in its last state.
            _ => {}
        }
    }
    match last {
        Some(last) if last.exit_code != 0 || status.restart_count > 0 => Some(Cause::Crash {
            exit_code: last.exit_code,
            restarts: status.restart_count,
            reason: latest(seen, pod, &["Killing"]).or(last.message),
        }),
        _ => Some(match latest(seen, pod, &["Unhealthy"]) {
            Some(reason) => Cause::Probe { reason },
            None => Cause::Starting { doing: "starts".to_owned() },
        }),
    }
}

/// The kernel killed it, or the limit is too small for it to be started at all.
fn is_out_of_memory(ended: &ContainerStateTerminated) -> bool {
    let too_small = ended.message.as_deref().is_some_and(|message| message.contains("OOM-killed"));
    ended.reason.as_deref() == Some("OOMKilled") || too_small
}

fn memory_limit(pod: &Pod, container: &str) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let mut containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let limits = containers.find(|one| one.name == container)?.resources.as_ref()?.limits.as_ref()?;
    limits.get("memory").map(|limit| limit.0.clone())
}

fn unschedulable(seen: Seen<'_>, pod: &Pod) -> Option<Cause> {
    let (status, reason, message) = condition(pod, "PodScheduled")?;
    (status == "False" && reason == "Unschedulable").then(|| Cause::Unschedulable {
        reason: message,
        // The words of the cluster autoscaler, and of Karpenter.
        scaling: latest(seen, pod, &["TriggeredScaleUp", "Nominated"]).is_some(),
    })
}

fn claims_of(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| Some(volume.persistent_volume_claim.as_ref()?.claim_name.clone())).collect()
}

/// A claim of the pod that nobody makes a volume for. One that waits for the pod itself is none.
fn volume(seen: Seen<'_>, pod: &Pod) -> Option<Cause> {
    let names = claims_of(pod);
    let pending = seen.claims.iter().filter(|claim| {
        let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
        phase == Some("Pending") && claim.metadata.name.as_ref().is_some_and(|name| names.contains(name))
    });
    pending.into_iter().find_map(|claim| {
        let name = claim.metadata.name.clone()?;
        let about = |event: &&Event| {
            event.involved_object.uid == claim.metadata.uid
                && matches!(event.reason.as_deref(), Some("FailedBinding" | "ProvisioningFailed"))
        };
        let event = seen.events.iter().filter(about).max_by_key(|event| time(event))?;
        let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
        let reason = event.message.clone()?;
        // Without a storage class, or with one that is not there, nobody is asked to make the volume.
        let is_asked = event.reason.as_deref() == Some("ProvisioningFailed");
        let again = is_asked && !(reason.starts_with("storageclass") && reason.ends_with("not found"));
        Some(Cause::VolumePending { claim: name, class, reason, again })
    })
}

/// Why a controller has made no pod.
fn not_created(seen: Seen<'_>) -> Option<Finding> {
    let about = |event: &&Event| {
        is_of(event, seen.workload)
            && matches!(event.reason.as_deref(), Some("FailedCreate" | "SuccessfulCreate"))
    };
    let latest = seen.events.iter().filter(about).max_by_key(|event| time(event))?;
    let reason = latest.message.clone().filter(|_| latest.reason.as_deref() == Some("FailedCreate"))?;
    let cause = if reason.contains("exceeded quota") || reason.contains("failed quota") {
        Cause::Quota { reason }
    } else {
        Cause::Refused { reason }
    };
    Some(Finding { pod: None, container: None, cause })
}

/// Whether an event is about a workload, or about the replica set that a deployment has made.
fn is_of(event: &Event, workload: &Id) -> bool {
    let name = event.involved_object.name.as_deref().unwrap_or_default();
    match event.involved_object.kind.as_deref() {
        Some("ReplicaSet") => {
            let made = name.rsplit_once('-').is_some_and(|(made_by, _)| made_by == workload.name);
            workload.kind == "Deployment" && made
        }
        Some(kind) => kind == workload.kind && name == workload.name,
        None => false,
    }
}

/// The words of the latest event about a pod, for one of the reasons.
fn latest(seen: Seen<'_>, pod: &Pod, reasons: &[&str]) -> Option<String> {
    let about = |event: &&Event| {
        event.involved_object.uid == pod.metadata.uid
            && event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason))
    };
    seen.events.iter().filter(about).max_by_key(|event| time(event))?.message.clone()
}

/// When an event was seen last. A pod's own clock is not asked: the order among events is what counts.
fn time(event: &Event) -> impl Ord + use<> {
    let last = event.last_timestamp.as_ref().map(|time| time.0);
    let series =
        event.series.as_ref().and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0);
    let first = event.event_time.as_ref().map(|time| time.0);
    (last.or(series).or(first), Reverse(event.metadata.name.clone()))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub(crate) mod recorded;
#[cfg(test)]
mod tests;
