//! What a run inside the cluster says, and what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::TryStreamExt as _;
use tokio::time::timeout;

use super::deploy::Site;
use super::run::Options;
use super::validate::Plan;
use super::{Fault, fault, report};
use crate::infrastructure::RequestError;
use crate::infrastructure::job::{Activity, JobPod, JobState, Jobs, Place, RunJob};
use crate::report::{Report, Status};

/// How often it is looked whether there is another pod, or the job has ended.
const LOOKING: Duration = Duration::from_secs(1);

/// A pod may have nothing to say for long, and a connection may be dead without a word: after so long it is looked again.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// What is heard of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line that a pod has written.
    Line(String),
    /// A pod is in another state.
    Pod {
        /// Its name.
        name: String,
        /// Its state, in a few words.
        state: String,
        /// Whether it has begun.
        begun: bool,
    },
}

/// How a job ended, or how it stands.
#[derive(Debug)]
pub struct Ended {
    /// The job as it was seen last.
    pub job: RunJob,
    /// Its report, once it has one.
    pub report: Option<Report>,
    /// Why it was given up, where the report does not say that.
    pub fault: Option<Fault>,
}

/// Hears what a loader of the pipeline's job says: all that it has said so far, or until the job ends.
///
/// # Errors
/// Where there is no job, the API server does not answer, or the job has ended without a report.
pub async fn logs(
    plan: &Plan,
    options: &Options,
    (loader, follow): (u32, bool),
    tell: &mut impl FnMut(Heard),
) -> Result<Ended, Fault> {
    let spec = plan.pipeline.spec.infrastructure.kubernetes.as_ref().ok_or_else(fault::no_cluster)?;
    let site = Site::open(plan, options, spec).await?;
    let jobs = Jobs { cluster: &site.cluster, names: &site.names };
    let mut ear = Ear { jobs, loader, follow, pods: BTreeMap::new() };
    let job = loop {
        // Looked at before the pods: what they said until then is heard.
        let job = jobs.look().await?.ok_or_else(|| fault::no_job(&site.names.run(), &spec.namespace))?;
        ear.listen(tell).await?;
        if !follow || job.state != JobState::UnderWay {
            break job;
        }
        tokio::time::sleep(LOOKING).await;
    };
    if job.state == JobState::UnderWay {
        return Ok(Ended { job, report: None, fault: None });
    }
    let text = jobs.report().await?;
    let report: Option<Report> = text.and_then(|text| serde_json::from_str(&text).ok());
    if report.as_ref().is_some_and(|report| tells_the_end(report.status, &job.state)) {
        return Ok(Ended { job, report, fault: None });
    }
    let failed = match &job.state {
        JobState::Failed { loader, .. } => loader.unwrap_or(0),
        JobState::Done | JobState::UnderWay => 0,
    };
    let code = match jobs.loader(failed).await?.pop() {
        Some(JobPod { state: Activity::Ended { code }, .. }) => Some(code),
        _ => None,
    };
    let fault = fault::job_failed(&site.names.run(), &job.state, loader, code);
    if report.is_none() { Err(fault) } else { Ok(Ended { job, report, fault: Some(fault) }) }
}

/// Whether a report tells how its job ended: the first loader's is done, or was stopped with the others, where another one has failed.
fn tells_the_end(report: Status, job: &JobState) -> bool {
    report == Status::Failed || !matches!(job, JobState::Failed { .. })
}

/// Writes a report to a folder, or to the pipeline's state folder.
///
/// # Errors
/// Where it cannot be written.
pub fn keep(plan: &Plan, options: &Options, report: &Report) -> Result<std::path::PathBuf, Fault> {
    let folder = match &options.report_dir {
        Some(folder) => folder.clone(),
        None => super::deploy::state(plan, options)?.report(),
    };
    report::write(report, &folder)?;
    Ok(folder)
}

/// Listens to the pods of a loader, one after the other, and to each from where it was left.
struct Ear<'a> {
    jobs: Jobs<'a>,
    loader: u32,
    follow: bool,
    /// What is known of each pod, by its identity.
    pods: BTreeMap<String, Known>,
}

/// What is known of a pod.
#[derive(Default)]
struct Known {
    /// What it was seen to do last.
    activity: Option<Activity>,
    /// How far its log was heard.
    place: Place,
    /// Why its log cannot be heard, as it was told last.
    deaf: Option<String>,
}

impl Ear<'_> {
    async fn listen(&mut self, tell: &mut impl FnMut(Heard)) -> Result<(), Fault> {
        for pod in self.jobs.loader(self.loader).await? {
            self.note(&pod, tell);
            if !matches!(pod.state, Activity::Waiting(_)) {
                self.hear(&pod, tell).await?;
            }
        }
        Ok(())
    }

    /// Tells that a pod is in another state.
    fn note(&mut self, pod: &JobPod, tell: &mut impl FnMut(Heard)) {
        let known = self.pods.entry(pod.uid.clone()).or_default();
        let before = known.activity.replace(pod.state.clone());
        if before.as_ref() == Some(&pod.state) {
            return;
        }
        let (state, begun) = match &pod.state {
            Activity::Waiting(why) if why.is_empty() => ("starting".to_owned(), false),
            Activity::Waiting(why) => (why.clone(), false),
            Activity::Running => ("at work".to_owned(), true),
            Activity::Ended { code } => (format!("ended with exit code {code}"), true),
        };
        tell(Heard::Pod { name: pod.name.clone(), state, begun });
    }

    async fn hear(&mut self, pod: &JobPod, tell: &mut impl FnMut(Heard)) -> Result<(), Fault> {
        let known = self.pods.entry(pod.uid.clone()).or_default();
        let lines = match self.jobs.lines(&pod.name, self.follow, &mut known.place).await {
            Ok(lines) => lines,
            // A pod that has gone meanwhile has nothing more to say.
            Err(RequestError::Refused(status)) if matches!(status.code, 400 | 404) => return Ok(()),
            // Its node may be away, or the API server for a moment; the job itself is looked at all the same.
            Err(error) if error.may_pass() => {
                known.cannot_be_heard(&pod.name, &error.to_string(), tell);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        known.deaf = None;
        let mut lines = std::pin::pin!(lines);
        loop {
            match timeout(SILENT_FOR, lines.try_next()).await {
                Ok(Ok(Some(line))) => {
                    if let Some(words) = known.place.news(&line) {
                        tell(Heard::Line(words.to_owned()));
                    }
                }
                Ok(Ok(None)) => return Ok(()),
                // What broke off, or went silent, is taken up again at the next look.
                _ if self.follow => return Ok(()),
                _ => {
                    known.cannot_be_heard(&pod.name, "the connection broke off", tell);
                    return Ok(());
                }
            }
        }
    }
}

impl Known {
    /// Tells why the log of a pod cannot be heard, unless that was told.
    fn cannot_be_heard(&mut self, pod: &str, why: &str, tell: &mut impl FnMut(Heard)) {
        if self.deaf.as_deref() != Some(why) {
            self.deaf = Some(why.to_owned());
            let state = format!("its log cannot be read: {why}");
            tell(Heard::Pod { name: pod.to_owned(), state, begun: true });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_ended_well_does_not_tell_why_the_job_was_given_up() {
        let given_up =
            JobState::Failed { reason: "PodFailurePolicy".into(), message: String::new(), loader: Some(1) };
        assert!(!tells_the_end(Status::Done, &given_up));
        assert!(!tells_the_end(Status::Interrupted, &given_up));
        assert!(tells_the_end(Status::Failed, &given_up));
        assert!(tells_the_end(Status::Done, &JobState::Done));
    }
}
