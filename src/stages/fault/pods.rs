//! Why what was deployed does not run, in words, and what to do.

use super::Fault;
use super::cluster::component;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::infrastructure::diagnose::{Cause, Finding};
use crate::infrastructure::readiness::{NotReady, Trouble};

impl From<NotReady> for Fault {
    fn from(error: NotReady) -> Self {
        match error {
            NotReady::Hopeless(troubles) => {
                Self(troubles.iter().map(|trouble| told(trouble, None)).collect())
            }
            NotReady::TimedOut { patience, troubles } => {
                Self(troubles.iter().map(|trouble| told(trouble, Some(patience.as_secs()))).collect())
            }
            NotReady::Deleted(id) => {
                Diagnostic::new(Code::NotReady, format!("{id} was deleted while it started"))
                    .at_key(component(&id))
                    .help("somebody else is at work in the namespace; run again")
                    .into()
            }
            NotReady::Request(error) => error.into(),
        }
    }
}

/// The finding of a workload that does not run; `after` is how many seconds it was waited for, where nothing is wrong that could not
/// pass.
fn told(trouble: &Trouble, after: Option<u64>) -> Diagnostic {
    let Trouble { workload, finding: Finding { pod, container, cause }, events, log } = trouble;
    let at = component(workload);
    let who = pod.clone().unwrap_or_else(|| workload.to_string());
    let words = words(cause);
    let message = match after {
        Some(seconds) => format!("{who} is not ready after {seconds} s: {words}"),
        None => format!("{who}: {words}"),
    };
    let finding = place(Diagnostic::new(code(cause), message), cause, &at);
    let mut finding = advice(cause, &at).into_iter().fold(finding, Diagnostic::help);
    // Where the cause has the cluster's own words already, the events say them once more.
    if said(cause).is_none() && !events.is_empty() {
        finding = finding.help(format!("the latest events:\n{}", events.join("\n")));
    }
    if let (Some(container), false) = (container, log.is_empty()) {
        finding = finding.help(format!("the last lines of container `{container}`:\n{}", log.join("\n")));
    }
    finding
}

const fn code(cause: &Cause) -> Code {
    match cause {
        Cause::Starting { .. } | Cause::Probe { .. } => Code::NotReady,
        Cause::Unschedulable { .. } => Code::Unschedulable,
        Cause::VolumePending { .. } => Code::VolumePending,
        Cause::Settings { .. } => Code::MissingReference,
        Cause::Crash { .. } => Code::PodCrash,
        Cause::OutOfMemory { .. } => Code::OutOfMemory,
        Cause::ImagePull { .. } => Code::ImagePull,
        Cause::Quota { .. } => Code::QuotaExceeded,
        Cause::Refused { .. } => Code::PodRefused,
    }
}

/// What is wrong, in one sentence.
fn words(cause: &Cause) -> String {
    match cause {
        Cause::Starting { doing } => format!("it {doing}"),
        Cause::Probe { reason } => format!("it runs, but does not answer: {}", tail(reason)),
        Cause::Unschedulable { reason, .. } => format!("no node takes it: {}", first_sentence(reason)),
        Cause::VolumePending { claim, class: Some(class), .. } => {
            format!("its volume `{claim}` of storage class `{class}` is not made")
        }
        Cause::VolumePending { claim, class: None, .. } => {
            format!("its volume `{claim}` is not made, and the cluster has no default storage class")
        }
        Cause::Settings { reason } => format!("it refers to what is not there: {reason}"),
        Cause::Crash { exit_code, restarts, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {}", tail(reason)));
            format!(
                "it ends with exit code {exit_code}, {restarts} times so far{}",
                reason.unwrap_or_default()
            )
        }
        Cause::OutOfMemory { limit: Some(limit), .. } => {
            format!("it was killed because it had used more than its memory limit of {limit}")
        }
        Cause::OutOfMemory { limit: None, .. } => {
            "it was killed because the node had no memory left".to_owned()
        }
        Cause::ImagePull { image, .. } => format!("the image `{image}` cannot be pulled"),
        Cause::Quota { .. } => "the namespace's quota has no room for it".to_owned(),
        Cause::Refused { .. } => "the namespace's rules refuse its pods".to_owned(),
    }
}

/// The cluster's own words, where the sentence leaves them out.
fn said(cause: &Cause) -> Option<&str> {
    match cause {
        Cause::VolumePending { reason, .. }
        | Cause::ImagePull { reason, .. }
        | Cause::Quota { reason }
        | Cause::Refused { reason } => Some(reason),
        _ => None,
    }
}

/// The key of the file that changes it.
fn place(finding: Diagnostic, cause: &Cause, at: &Path) -> Diagnostic {
    match cause {
        Cause::ImagePull { .. } => finding.at(at.key("image")),
        Cause::Unschedulable { .. } => finding.at(at.key("resources").key("requests")),
        Cause::OutOfMemory { .. } => finding.at(at.key("resources").key("limits").key("memory")),
        Cause::VolumePending { .. } => finding.at(at.key("storage")),
        Cause::Quota { .. } => finding.at(at.key("resources")),
        _ => finding.at_key(at.clone()),
    }
}

/// What to do.
fn advice(cause: &Cause, at: &Path) -> Vec<String> {
    let mut advice: Vec<String> =
        said(cause).map(|words| format!("the cluster says: {}", tail(words))).into_iter().collect();
    advice.push(match cause {
        Cause::Starting { .. } | Cause::Probe { .. } => {
            "give it more time with `--ready-within DURATION`; it goes on starting meanwhile".to_owned()
        }
        Cause::Unschedulable { .. } => {
            format!(
                "request less under `{}`, or give the cluster another node",
                at.key("resources").key("requests")
            )
        }
        Cause::VolumePending { class: Some(_), .. } => {
            "`kubectl get storageclass` shows those that there are".to_owned()
        }
        Cause::VolumePending { class: None, .. } => {
            "have a storage class made the default, or name one by an override of `volumeClaimTemplates`"
                .to_owned()
        }
        Cause::Settings { .. } => {
            "make it, or change what refers to it: `passwordFrom`, or an override".to_owned()
        }
        // The runtime found nothing to run: there is no log.
        Cause::Crash { exit_code: 128, .. } => {
            "look at what `overrides` say of its command, and at the image".to_owned()
        }
        Cause::Crash { .. } => "its log says more: `kubectl logs --previous`".to_owned(),
        Cause::OutOfMemory { .. } => format!("raise `{}`", at.key("resources").key("limits").key("memory")),
        Cause::ImagePull { .. } => format!(
            "correct `{}`, or see to it that the nodes can pull it: the name, the registry, its credentials",
            at.key("image")
        ),
        Cause::Quota { .. } => {
            format!(
                "ask for less under `{}`, or have the quota raised: `kubectl get resourcequota`",
                at.key("resources")
            )
        }
        Cause::Refused { .. } => {
            "look at what `overrides` say of the pod, or have the namespace allow it".to_owned()
        }
    });
    advice
}

/// The words after those that say again what was tried (`create Pod a-0 in StatefulSet a failed error: …`).
fn tail(reason: &str) -> &str {
    let after = |reason: &'_ str, mark: &str| reason.find(mark).map(|place| place + mark.len());
    let marks = ["failed error: ", ": ErrImagePull: "];
    let place = marks.into_iter().find_map(|mark| after(reason, mark));
    place.and_then(|place| reason.get(place..)).unwrap_or(reason).trim()
}

/// The scheduler's reasons, without what it thinks about preemption.
fn first_sentence(reason: &str) -> &str {
    reason.split(". ").next().unwrap_or(reason).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::infrastructure::diagnose::recorded;

    fn shown(cases: &[&str], error: fn(Vec<Trouble>) -> NotReady) -> String {
        let lines = cases.iter().flat_map(|case| {
            let Fault(findings) = error(vec![recorded::trouble(case)]).into();
            let lines = findings.into_iter().flat_map(|finding| {
                let first = format!("{} at {}\n  {}", finding.code, finding.path(), finding.message);
                std::iter::once(first).chain(finding.help.into_iter().map(|help| format!("  help: {help}")))
            });
            std::iter::once(format!("# {case}")).chain(lines).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_cannot_start_is_told_with_its_cause_and_the_key_that_changes_it() {
        insta::assert_snapshot!(shown(&recorded::CASES, NotReady::Hopeless));
    }

    #[test]
    fn what_took_too_long_is_told_with_how_long() {
        let late = |troubles| NotReady::TimedOut { patience: Duration::from_mins(1), troubles };
        insta::assert_snapshot!(shown(&["crash"], late));
    }
}
