//! What is in the way of a run inside the cluster, in words, and what to do.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Path, Severity};
use crate::infrastructure::job::{JobState, RunJob};
use crate::report::Finding;

/// The fault of `--detach` where there is no cluster.
pub(in crate::stages) fn no_cluster() -> Fault {
    Diagnostic::new(Code::TargetNotAvailable, "only a pipeline on Kubernetes can be run in the cluster")
        .at_key(Path::of("spec.infrastructure"))
        .help("deploy it to a cluster (`infrastructure.kubernetes`), or run it here, without `--detach`")
        .into()
}

/// The fault of a file that the pods cannot have.
pub(in crate::stages) fn not_in_cluster(at: &Path, name: &str) -> Fault {
    Diagnostic::new(Code::NotInCluster, format!("`{name}` cannot be sent along into the cluster"))
        .at(at.clone())
        .help("name it by a path relative to the pipeline file, or by an address (`s3://`, `https://`)")
        .into()
}

/// The fault of files that are too much for a config map.
pub(in crate::stages) fn too_much_for_cluster(sizes: &[(&str, u64)], most: u64) -> Fault {
    let all: u64 = sizes.iter().map(|(_, size)| size).sum();
    let largest = sizes.iter().max_by_key(|(_, size)| *size).map_or("", |(name, _)| name);
    let message = format!(
        "the local files come to {} KiB, and {} KiB can be sent along; the largest is `{largest}`",
        all.div_ceil(1024),
        most / 1024
    );
    Diagnostic::new(Code::NotInCluster, message)
        .at(Path::of("spec.source.parquet"))
        .help("put it where the cluster can read it, and name its address (`s3://`, `https://`)")
        .help("or onto a volume: `kubernetes: { runner: { volume: { claim: NAME, path: data } } }`")
        .help("or run here, without `--detach`")
        .into()
}

/// The fault of a local file that cannot be read.
pub(in crate::stages) fn unreadable(name: &str, error: &std::io::Error) -> Fault {
    Diagnostic::new(Code::UnreadableData, format!("`{name}` cannot be read: {error}")).into()
}

/// The fault of a second run beside one that is under way.
pub(in crate::stages) fn job_under_way(name: &str, namespace: &str, job: &RunJob) -> Fault {
    let since = job.started_at.as_ref().map(|time| format!(" since {time}")).unwrap_or_default();
    Diagnostic::new(Code::JobUnderWay, format!("job `{name}` is under way{since}"))
        .help("`runner logs FILE --follow` follows it")
        .help(format!("`kubectl delete job {name} -n {namespace}` ends it; what it has loaded stands"))
        .into()
}

/// The fault of looking for a run that was never begun.
pub(in crate::stages) fn no_job(name: &str, namespace: &str) -> Fault {
    Diagnostic::new(Code::NoJob, format!("there is no job `{name}` in namespace `{namespace}`"))
        .help("`runner run --detach FILE` begins a run in the cluster")
        .into()
}

/// The fault of a job that was given up, or has left no report; `heard` is the loader that was listened to, `code` the exit code of
/// the one that failed, or of the first one where that is not known.
pub(in crate::stages) fn job_failed(name: &str, state: &JobState, heard: u32, code: Option<i32>) -> Fault {
    let (message, failed) = match state {
        JobState::Failed { reason, message, loader } => {
            (format!("job `{name}` was given up: {reason}: {message}"), *loader)
        }
        JobState::Done | JobState::UnderWay => (format!("job `{name}` has left no report"), None),
    };
    let ended = match (failed, code) {
        (Some(loader), Some(code)) => format!("; its loader {loader} ended with exit code {code}"),
        (Some(loader), None) => format!("; its loader {loader} failed"),
        (None, Some(code)) => format!("; its first pod ended with exit code {code}"),
        (None, None) => String::new(),
    };
    let finding = Diagnostic::new(Code::JobFailed, message + &ended);
    let finding = match failed.filter(|loader| *loader != heard) {
        Some(loader) => finding.help(format!("`runner logs FILE --share {loader}` shows its last words")),
        None => finding.help("its last words are above"),
    };
    finding.help("what is loaded stands; the next run goes on from there").into()
}

/// The fault of a report that cannot be written as text.
pub(in crate::stages) fn report_not_kept(error: &serde_json::Error) -> Fault {
    Diagnostic::new(Code::ReportNotWritten, with_causes(error)).into()
}

/// The finding of a report that does not hold all.
pub(in crate::stages) fn report_cut(what: &str) -> Finding {
    Finding {
        code: Code::ReportCut.to_string(),
        severity: Severity::Warning,
        message: format!("{what} was too large to come out of the cluster"),
        place: None,
        help: vec!["run here, without `--detach`, for the whole report".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_was_given_up_names_the_loader_and_how_to_hear_it() {
        let state = JobState::Failed {
            reason: "PodFailurePolicy".to_owned(),
            message: "pod taxis/trips-run-1-x7k2p failed".to_owned(),
            loader: Some(1),
        };
        let words = |heard: u32, code: Option<i32>| {
            let Fault(findings) = job_failed("trips-run", &state, heard, code);
            findings.into_iter().map(|finding| (finding.message, finding.help)).collect::<Vec<_>>()
        };
        let given_up = "job `trips-run` was given up: PodFailurePolicy: pod taxis/trips-run-1-x7k2p failed";
        let goes_on = "what is loaded stands; the next run goes on from there".to_owned();
        let look = "`runner logs FILE --share 1` shows its last words".to_owned();
        let message = format!("{given_up}; its loader 1 ended with exit code 78");
        assert_eq!(words(0, Some(78)), [(message, vec![look, goes_on.clone()])]);
        let above = "its last words are above".to_owned();
        let message = format!("{given_up}; its loader 1 failed");
        assert_eq!(words(1, None), [(message, vec![above, goes_on])]);
    }
}
