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
    assert_eq!(set(2, 2, "a", 3), Rollout { ready: 2, wanted: 3, done: false, of_before: false });
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

#[test]
fn pods_of_an_earlier_state_say_nothing_of_the_last_one() {
    let of_before = |kind: &str, generation: u64, strategy: &str, replicas: u32, updated: u32| {
        let status = json!({ "observedGeneration": 2, "replicas": replicas, "updatedReplicas": updated });
        let spec = json!({ "replicas": 1, "strategy": { "type": strategy } });
        let workload =
            json!({ "kind": kind, "metadata": { "generation": generation }, "spec": spec, "status": status });
        Rollout::of(&workload).of_before
    };
    assert!(of_before("StatefulSet", 3, "", 1, 1), "the controller has not seen the change");
    assert!(!of_before("StatefulSet", 2, "", 1, 0), "it has, and a pod that is stuck is replaced");
    assert!(of_before("Deployment", 2, "Recreate", 1, 0), "the old pod is still there");
    assert!(!of_before("Deployment", 2, "Recreate", 0, 0));
    assert!(!of_before("Deployment", 2, "Recreate", 1, 1));
    assert!(!of_before("Deployment", 2, "RollingUpdate", 2, 1), "the new pod is there, too");
}
