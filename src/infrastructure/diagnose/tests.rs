use super::recorded::{CASES, trouble, trouble_with};
use super::*;

#[test]
fn each_failure_is_read_as_what_it_is() {
    use CauseKind as K;
    let kinds = CASES.map(|case| (case, CauseKind::from(&trouble(case).finding.cause)));
    assert_eq!(
        kinds,
        [
            ("crash", K::Crash),
            ("image", K::ImagePull),
            ("no-such-command", K::Crash),
            ("oom", K::OutOfMemory),
            ("pod-security", K::Refused),
            ("probe-kills", K::Crash),
            ("quota-memory", K::Quota),
            ("quota-pods", K::Quota),
            ("secret", K::Settings),
            ("storage", K::VolumePending),
            ("unschedulable-cpu", K::Unschedulable),
            ("unschedulable-memory", K::Unschedulable),
        ]
    );
}

#[test]
fn a_container_that_waits_for_another_may_end_twice() {
    let crash = |restarts| Cause::Crash { exit_code: 1, restarts, reason: None }.hopeless_after();
    assert_eq!(crash(2), None);
    assert_eq!(crash(3), Some(Duration::ZERO));
}

#[test]
fn what_is_tried_again_is_given_time_and_what_is_not_is_told_at_once() {
    let after = |case, word, other| {
        trouble_with(case, word, other).finding.cause.hopeless_after().map(|after| after.as_secs())
    };
    assert_eq!(after("image", "", ""), Some(45));
    assert_eq!(after("image", "ImagePullBackOff", "ErrImageNeverPull"), Some(0));
    assert_eq!(after("image", "ImagePullBackOff", "InvalidImageName"), Some(0));
    assert_eq!(after("storage", "", ""), Some(10), "there is no such class");
    assert_eq!(after("storage", "\"fast\\\" not found", "\"fast\\\": timed out"), Some(45));
}

#[test]
fn a_pod_that_a_node_was_asked_for_is_waited_for() {
    let scaling = |reason| trouble_with("unschedulable-cpu", "FailedScheduling", reason).finding.cause;
    assert_eq!(scaling("FailedScheduling").hopeless_after(), Some(Duration::from_secs(20)));
    for reason in ["TriggeredScaleUp", "Nominated"] {
        assert_eq!(scaling(reason).hopeless_after(), None, "{reason}");
    }
}

#[test]
fn what_says_nothing_yet_is_no_finding() {
    let workload = trouble("crash").workload;
    let seen = Seen { workload: &workload, pods: &[], claims: &[], events: &[] };
    assert_eq!(diagnose(seen), None);
}

#[test]
fn the_frames_of_a_stack_trace_do_not_push_out_what_it_says() {
    let log = "starts\nException: no such key\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\t... 3 more\n\n";
    assert_eq!(last_words(log, 8), ["starts", "Exception: no such key"]);
    assert_eq!(last_words(log, 1), ["Exception: no such key"]);
}
