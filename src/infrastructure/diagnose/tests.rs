use super::recorded::{CASES, trouble};
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
