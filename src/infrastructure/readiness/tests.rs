use serde_json::json;

use super::*;

#[test]
fn a_stateful_set_is_done_when_every_pod_is_of_the_last_state_and_ready() {
    let set = |generation: u64, ready: u32, revision: &str, updated: u32| {
        let status = json!({ "observedGeneration": 2, "readyReplicas": ready, "currentRevision": "a", "updateRevision": revision, "updatedReplicas": updated });
        let set = json!({ "kind": "StatefulSet", "metadata": { "generation": generation }, "spec": { "replicas": 3 }, "status": status });
        Rollout::of(&set)
    };
    assert!(set(2, 3, "a", 3).done);
    assert!(set(2, 3, "b", 3).done, "the last revision becomes the current one a moment later");
    assert!(!set(3, 3, "a", 3).done, "the controller has not seen the change");
    assert!(!set(2, 2, "a", 3).done);
    assert!(!set(2, 3, "b", 1).done);
    assert_eq!(set(2, 2, "a", 3), Rollout { ready: 2, wanted: 3, done: false });
}

#[test]
fn a_deployment_is_done_when_no_pod_of_an_earlier_state_is_left() {
    let deployment = |replicas: u32, updated: u32| {
        let status = json!({ "observedGeneration": 1, "readyReplicas": 1, "replicas": replicas, "updatedReplicas": updated });
        Rollout::of(&json!({ "kind": "Deployment", "metadata": { "generation": 1 }, "spec": { "replicas": 1 }, "status": status })).done
    };
    assert!(deployment(1, 1));
    assert!(!deployment(2, 1));
    assert!(!deployment(1, 0));
}
