use super::*;

fn topic(config: &[(&str, &str)]) -> Topic {
    let config = config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Topic {
        name: "trips".to_owned(),
        partitions: 3,
        key: None,
        replication: Some(1),
        config: config.collect(),
    }
}

fn config(config: &[(&str, &str)]) -> BTreeMap<String, String> {
    config.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const SHAPE: Shape = Shape { partitions: 3, replicas: 1, leaderless: None };

#[test]
fn settings_that_mean_the_same_are_no_difference() {
    let wanted = topic(&[
        ("cleanup.policy", "delete, compact"),
        ("retention.ms", "86400000"),
        ("min.cleanable.dirty.ratio", "0.50"),
    ]);
    let found = config(&[
        ("cleanup.policy", "compact,delete"),
        ("retention.ms", "86400000"),
        ("min.cleanable.dirty.ratio", "0.5"),
    ]);
    assert_eq!(judge(&wanted, SHAPE, &found).differences, []);
}

#[test]
fn settings_that_differ_are_named_with_both_values() {
    let wanted = topic(&[("retention.ms", "1000"), ("no.such.setting", "1")]);
    let found = config(&[("retention.ms", "604800000")]);
    let shape = Shape { replicas: 3, ..SHAPE };
    let differences = judge(&wanted, shape, &found).differences;
    let shown: Vec<_> = differences
        .iter()
        .map(|difference| format!("{}: {} / {:?}", difference.name, difference.wanted, difference.found))
        .collect();
    assert_eq!(
        shown,
        [
            "replication: 1 / Some(\"3\")",
            "retention.ms: 1000 / Some(\"604800000\")",
            "no.such.setting: 1 / None"
        ]
    );
}

#[test]
fn settings_that_the_user_may_not_see_are_no_difference() {
    assert_eq!(judge(&topic(&[("retention.ms", "1")]), SHAPE, &config(&[])).differences, []);
}

#[test]
fn what_may_cost_records_is_said() {
    let found = |settings: &[(&str, &str)]| risks(1, &config(settings));
    assert_eq!(
        found(&[("retention.ms", "604800000"), ("retention.bytes", "-1"), ("min.insync.replicas", "1")]),
        []
    );
    assert_eq!(found(&[("cleanup.policy", "compact")]), [Risk::Compacted]);
    assert_eq!(found(&[("retention.ms", "60000")]), [Risk::KeptFor(Duration::from_mins(1))]);
    assert_eq!(
        found(&[("retention.ms", "-1"), ("retention.bytes", "1048576")]),
        [Risk::KeptBytes(1_048_576)]
    );
    assert_eq!(found(&[("cleanup.policy", "compact"), ("retention.ms", "1")]), [Risk::Compacted]);
    let never = Risk::NeverAcknowledged { wanted: 2, replicas: 1 };
    assert_eq!(found(&[("min.insync.replicas", "2")]), [never]);
}
