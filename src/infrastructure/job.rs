//! The job of a run inside the cluster: begun, looked at, listened to, ended.

mod place;

use futures::future::try_join_all;
use futures::io::AsyncBufReadExt as _;
use futures::{Stream, TryStreamExt as _};
use k8s_openapi::api::batch::v1::{Job, JobStatus};
use k8s_openapi::api::core::v1::{ConfigMap, ContainerState, Pod};
use kube::Api;
use kube::api::{ListParams, LogParams, Patch, PatchParams};
use serde::Serialize;
use serde_json::json;

pub use place::Place;

use super::apply::{Run, apply_one, delete};
use super::destroy::gone;
use super::manifests::job::{CONTAINER, REPORT_KEY};
use super::object::FIELD_MANAGER;
use super::request::ANSWERS_WITHIN;
use super::{Cluster, Conflicts, Id, Live, Names, Object, ObjectsError, Refusal, RequestError, Wave};

/// How a job stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "camelCase")]
pub enum JobState {
    /// Its pods are at work, or on their way.
    UnderWay,
    /// The run has come to its end.
    Done,
    /// It was given up.
    Failed {
        /// Kubernetes' word for the reason, such as `PodFailurePolicy`.
        reason: String,
        /// The reason at length.
        message: String,
        /// The loader that failed, where it is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        loader: Option<u32>,
    },
}

/// A job, as it is in the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunJob {
    /// How it stands.
    #[serde(flatten)]
    pub state: JobState,
    /// How many loaders it has.
    pub loaders: i32,
    /// How many of its pods are at work.
    pub active: i32,
    /// How many of its pods have failed, and were replaced.
    pub failed: i32,
    /// When it was begun (RFC 3339).
    pub started_at: Option<String>,
}

/// A pod of the job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobPod {
    /// Its name.
    pub name: String,
    /// Kubernetes' identity of it.
    pub uid: String,
    /// What its container does.
    pub state: Activity,
}

/// What the container of a pod does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// It has not begun, for this reason.
    Waiting(String),
    /// It is at work.
    Running,
    /// It has ended.
    Ended {
        /// Its exit code.
        code: i32,
    },
}

/// The runs of a pipeline inside a cluster.
#[derive(Clone, Copy)]
pub struct Jobs<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The names of the pipeline's objects.
    pub names: &'a Names,
}

impl Jobs<'_> {
    fn jobs(&self) -> Api<Job> {
        Api::namespaced(self.cluster.client(), self.cluster.namespace())
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.cluster.client(), self.cluster.namespace())
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.cluster.client(), self.cluster.namespace())
    }

    /// The job that is there, or was there last.
    ///
    /// # Errors
    /// Where the API server does not answer, or refuses.
    pub async fn look(&self) -> Result<Option<RunJob>, RequestError> {
        let (api, name) = (self.jobs(), self.names.run());
        let job = self.cluster.ask(|| api.get_opt(&name)).await?;
        Ok(job.as_ref().map(read))
    }

    /// Begins a run: what was left of the last one goes first.
    ///
    /// # Errors
    /// Where one of the names is taken by what is not the pipeline's, an object is refused, or the API server does not answer.
    pub async fn begin(&self, objects: &[Object], conflicts: Conflicts) -> Result<(), ObjectsError> {
        self.clear(objects).await?;
        for object in objects {
            if let Err(error) = apply_one(self.cluster, object, conflicts, Run::Real).await {
                return Err(ObjectsError::Refused(vec![Refusal::read(&object.id(), error)?]));
            }
        }
        Ok(())
    }

    /// Removes a job that has ended, with its pods, its report and its variables, and waits until they are gone; unless something that
    /// is not the pipeline's has one of the names.
    async fn clear(&self, objects: &[Object]) -> Result<(), ObjectsError> {
        let once = self.of_one_run();
        let others = objects.iter().map(|object| (object.id(), object.wave));
        let others = others.filter(|(id, _)| !once.iter().any(|(one, _)| one == id));
        let looks =
            once.iter().cloned().chain(others).map(async |(id, wave)| self.cluster.find(&id, wave).await);
        let found: Vec<Live> = try_join_all(looks).await?.into_iter().flatten().collect();
        let owner = self.names.owner();
        let foreign = found.iter().filter(|live| !live.belongs_to(&owner)).map(Live::foreign);
        let foreign: Vec<Refusal> = foreign.collect();
        if !foreign.is_empty() {
            return Err(ObjectsError::Refused(foreign));
        }
        let goes: Vec<Live> =
            found.into_iter().filter(|live| once.iter().any(|(id, _)| *id == live.id)).collect();
        for live in &goes {
            delete(self.cluster, live).await?;
        }
        // Also what has no pods: an object on its way out takes an apply, and is gone a moment later.
        gone(self.cluster, &goes, &mut |_| {}).await
    }

    /// What is of one run alone.
    fn of_one_run(&self) -> [(Id, Wave); 4] {
        let id = |api_version: &str, kind: &str, name: String| {
            Id::new(api_version, kind, Some(&self.names.namespace), &name)
        };
        [
            (id("v1", "ConfigMap", self.names.report()), Wave::Settings),
            (id("v1", "Secret", self.names.run_environment()), Wave::Settings),
            (id("v1", "Secret", self.names.run_private()), Wave::Settings),
            (id("batch/v1", "Job", self.names.run()), Wave::Jobs),
        ]
    }

    /// The pods of a loader, the oldest first.
    ///
    /// # Errors
    /// Where the API server does not answer, or refuses.
    pub async fn loader(&self, index: u32) -> Result<Vec<JobPod>, RequestError> {
        let labels = format!(
            "batch.kubernetes.io/job-name={},batch.kubernetes.io/job-completion-index={index}",
            self.names.run()
        );
        let (api, params) = (self.pods(), ListParams::default().labels(&labels));
        let mut pods = self.cluster.ask(|| api.list(&params)).await?.items;
        pods.sort_by_key(|pod| pod.metadata.creation_timestamp.clone());
        Ok(pods.iter().map(pod).collect())
    }

    /// What a pod says, line by line, each with its moment, from where it was left: to what it has said so far, or until it ends.
    ///
    /// # Errors
    /// Where the API server does not answer, or refuses. Who follows is asked once, and asks again at the next look.
    pub async fn lines(
        &self,
        pod: &str,
        follow: bool,
        place: &mut Place,
    ) -> Result<impl Stream<Item = std::io::Result<String>> + use<>, RequestError> {
        let params = LogParams {
            follow,
            container: Some(CONTAINER.to_owned()),
            timestamps: true,
            since_time: place.resume(),
            ..LogParams::default()
        };
        let api = self.pods();
        let reader = if follow {
            self.cluster.ask_once(api.log_stream(pod, &params), ANSWERS_WITHIN).await?
        } else {
            self.cluster.ask(|| api.log_stream(pod, &params)).await?
        };
        Ok(reader.lines().into_stream())
    }

    /// Keeps the report, for whoever looks from outside.
    ///
    /// # Errors
    /// Where the API server does not answer, or refuses.
    pub async fn keep_report(&self, report: &str) -> Result<(), RequestError> {
        let data = json!({ "data": { REPORT_KEY: report } });
        let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
        let (api, name, patch) = (self.config_maps(), self.names.report(), Patch::Merge(data));
        self.cluster.ask(|| api.patch(&name, &params, &patch)).await.map(drop)
    }

    /// The report of the last run that came to its end.
    ///
    /// # Errors
    /// Where the API server does not answer, or refuses.
    pub async fn report(&self) -> Result<Option<String>, RequestError> {
        let (api, name) = (self.config_maps(), self.names.report());
        let found = self.cluster.ask(|| api.get_opt(&name)).await?;
        Ok(found.and_then(|map| map.data?.remove(REPORT_KEY)))
    }
}

fn read(job: &Job) -> RunJob {
    let status = job.status.clone().unwrap_or_default();
    RunJob {
        state: state(&status, job.metadata.name.as_deref().unwrap_or_default()),
        loaders: job.spec.as_ref().and_then(|spec| spec.completions).unwrap_or(1),
        active: status.active.unwrap_or(0),
        failed: status.failed.unwrap_or(0),
        started_at: status.start_time.map(|time| time.0.to_string()),
    }
}

/// A job has ended when one of these conditions holds; until then its pods may still be on their way out.
fn state(status: &JobStatus, name: &str) -> JobState {
    for condition in status.conditions.iter().flatten().filter(|condition| condition.status == "True") {
        match condition.type_.as_str() {
            "Complete" => return JobState::Done,
            "Failed" => {
                let message = condition.message.clone().unwrap_or_default();
                let loader = failed_loader(status.failed_indexes.as_deref(), &message, name);
                return JobState::Failed {
                    reason: condition.reason.clone().unwrap_or_default(),
                    message,
                    loader,
                };
            }
            _ => {}
        }
    }
    JobState::UnderWay
}

/// The first loader that failed: of those that the job lists (`1,3-5`), else by the name of a pod in the message (`NAME-1-x7k2p`).
fn failed_loader(listed: Option<&str>, message: &str, name: &str) -> Option<u32> {
    let number = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    let named = || number(message.split_once(&format!("{name}-"))?.1);
    listed.and_then(number).or_else(named)
}

fn pod(pod: &Pod) -> JobPod {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let status = pod.status.clone().unwrap_or_default();
    let container = status.container_statuses.unwrap_or_default().into_iter().next();
    let state = match container.and_then(|container| container.state) {
        Some(ContainerState { terminated: Some(ended), .. }) => Activity::Ended { code: ended.exit_code },
        Some(ContainerState { running: Some(_), .. }) => Activity::Running,
        Some(ContainerState { waiting: Some(waiting), .. }) => {
            let words = [waiting.reason, waiting.message].into_iter().flatten();
            Activity::Waiting(words.collect::<Vec<_>>().join(": "))
        }
        _ => {
            let conditions = status.conditions.into_iter().flatten();
            let mut unmet = conditions.filter(|condition| condition.status == "False");
            let words = unmet.find_map(|condition| condition.message);
            Activity::Waiting(words.unwrap_or_else(|| text(&status.phase)))
        }
    };
    JobPod { name: text(&pod.metadata.name), uid: text(&pod.metadata.uid), state }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn job(conditions: &serde_json::Value) -> RunJob {
        let status = json!({ "active": 2, "conditions": conditions });
        let job = json!({ "metadata": { "name": "trips-run" }, "spec": { "completions": 3, "template": {} }, "status": status });
        read(&serde_json::from_value(job).unwrap())
    }

    #[test]
    fn a_job_is_done_when_its_pods_are_gone_and_not_before() {
        let policy_met = json!([{ "type": "SuccessCriteriaMet", "status": "True" }]);
        assert_eq!(job(&policy_met).state, JobState::UnderWay);
        let complete = json!([
            { "type": "SuccessCriteriaMet", "status": "True" },
            { "type": "Complete", "status": "True" },
        ]);
        assert_eq!(job(&complete).state, JobState::Done);
    }

    #[test]
    fn a_job_that_was_given_up_says_why() {
        let failed = json!([
            { "type": "Failed", "status": "True", "reason": "PodFailurePolicy", "message": "pod taxis/trips-run-2-x7k2p failed" },
        ]);
        let RunJob { state, loaders, active, .. } = job(&failed);
        assert_eq!((loaders, active), (3, 2));
        assert_eq!(
            state,
            JobState::Failed {
                reason: "PodFailurePolicy".into(),
                message: "pod taxis/trips-run-2-x7k2p failed".into(),
                loader: Some(2),
            }
        );
    }

    #[test]
    fn the_loader_that_failed_is_listed_or_named() {
        assert_eq!(failed_loader(Some("1,3-5"), "", "trips-run"), Some(1));
        assert_eq!(failed_loader(Some(""), "pod taxis/trips-run-12-x7k2p failed", "trips-run"), Some(12));
        assert_eq!(failed_loader(None, "the job was active longer than its deadline", "trips-run"), None);
    }

    #[test]
    fn a_pod_that_cannot_begin_says_why() {
        let of = |status: serde_json::Value| {
            pod(&serde_json::from_value(json!({ "metadata": { "name": "a" }, "status": status })).unwrap())
                .state
        };
        let waiting = json!({ "containerStatuses": [{ "name": "runner", "image": "", "imageID": "", "ready": false, "restartCount": 0,
            "state": { "waiting": { "reason": "ErrImagePull", "message": "not found" } } }] });
        assert_eq!(of(waiting), Activity::Waiting("ErrImagePull: not found".into()));
        let unschedulable = json!({ "phase": "Pending", "conditions": [
            { "type": "PodScheduled", "status": "False", "message": "0/1 nodes are available" },
        ] });
        assert_eq!(of(unschedulable), Activity::Waiting("0/1 nodes are available".into()));
    }
}
