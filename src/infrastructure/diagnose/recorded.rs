//! What a Kubernetes 1.34 said about failures that were provoked in it.

use std::path::Path;

use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use serde::Deserialize;

use super::{Seen, diagnose, events, last_words};
use crate::infrastructure::Id;
use crate::infrastructure::readiness::Trouble;

/// The failures, by the names of their files.
pub const CASES: [&str; 12] = [
    "crash",
    "image",
    "no-such-command",
    "oom",
    "pod-security",
    "probe-kills",
    "quota-memory",
    "quota-pods",
    "secret",
    "storage",
    "unschedulable-cpu",
    "unschedulable-memory",
];

#[derive(Deserialize)]
struct Recorded {
    pods: Vec<Pod>,
    claims: Vec<PersistentVolumeClaim>,
    events: Vec<Event>,
    log: String,
}

/// What is read from a failure.
pub fn trouble(case: &str) -> Trouble {
    trouble_with(case, "", "")
}

/// What is read from a failure where the cluster has another word for one of its own.
pub fn trouble_with(case: &str, word: &str, other: &str) -> Trouble {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pods").join(format!("{case}.json"));
    let text = std::fs::read_to_string(file).unwrap();
    let text = if word.is_empty() { text } else { text.replace(word, other) };
    let Recorded { pods, claims, events: said, log } = serde_json::from_str(&text).unwrap();
    let workload = Id {
        api_version: "apps/v1".to_owned(),
        kind: "StatefulSet".to_owned(),
        namespace: Some(case.to_owned()),
        name: "kafka".to_owned(),
    };
    let seen = Seen { workload: &workload, pods: &pods, claims: &claims, events: &said };
    let finding = diagnose(seen).unwrap();
    let events = events(seen, 3);
    Trouble { workload, finding, events, log: last_words(&log, 8) }
}
