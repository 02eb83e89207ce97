//! Rules for `topic:`.

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path};
use crate::spec::{Loader, Spec};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.topic");
    name(spec, &at, found);
    replication(spec, &at, found);
    compaction(spec, &at, found);
    divided(spec, ("producers", "producer", spec.stream.producers), found);
    divided(spec, ("loaders", "loader", spec.stream.loaders), found);
    loaders(spec, found);
}

/// Producers and loaders divide the partitions; one without a partition would have nothing to do.
fn divided(spec: &Spec, (key, one, workers): (&str, &str, u32), found: &mut Vec<Diagnostic>) {
    let partitions = spec.topic.partitions;
    if workers > partitions {
        let plural = if partitions == 1 { "" } else { "s" };
        let message =
            format!("{workers} {key} cannot divide {partitions} partition{plural} among themselves");
        found.push(
            Diagnostic::new(Code::InvalidValue, message)
                .at(Path::of("spec.stream").key(key))
                .related(Location::At(Path::of("spec.topic.partitions"), Part::Value), "the partitions")
                .help(format!("a {one} has one partition or more: raise `topic.partitions`, which cannot be changed later, or lower this")),
        );
    }
}

/// Where Kafka Connect loads, runner does not.
fn loaders(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.stream.loaders");
    if spec.stream.loaders > 1 && spec.mapping.loader == Loader::Connect {
        found.push(
            Diagnostic::new(
                Code::InvalidValue,
                "with `mapping.loader: connect`, Kafka Connect loads the topic",
            )
            .at(at)
            .help("leave `loaders` out"),
        );
    }
}

fn name(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    let name = spec.topic.name.as_str();
    let reason = match name {
        "." | ".." => "Kafka refuses the names `.` and `..`",
        _ if name.rsplit_once('.').is_some_and(|(_, last)| last == "dlq") => {
            "names that end in `.dlq` are kept for records that cannot be written to the graph"
        }
        _ if name.starts_with("__") => "names that begin with `__` are Kafka's own",
        _ => return,
    };
    found.push(Diagnostic::new(Code::TopicName, reason).at(at.key("name")));
}

fn replication(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(replication) = spec.topic.replication.map(u32::from) else { return };
    let kafka = spec.infrastructure.kubernetes.as_ref().map(|kubernetes| &kubernetes.kafka);
    if let Some(kafka) = kafka.filter(|kafka| kafka.existing.is_none() && replication > kafka.brokers) {
        let brokers = kafka.brokers;
        found.push(
            Diagnostic::new(
                Code::Replication,
                format!(
                    "{replication} copies of each partition need as many brokers, and there are {brokers}"
                ),
            )
            .at(at.key("replication"))
            .related(
                Location::At(Path::of("spec.infrastructure.kubernetes.kafka.brokers"), Part::Value),
                "the brokers",
            )
            .help(format!("set `replication: {brokers}`"))
            .help(format!("or `brokers: {replication}`, where Kafka is not deployed yet: the number is fixed from then on")),
        );
    }
    let in_sync = spec.topic.config.get("min.insync.replicas").and_then(|value| value.parse::<u32>().ok());
    if let Some(in_sync) = in_sync.filter(|in_sync| *in_sync > replication) {
        found.push(
            Diagnostic::new(Code::Replication, format!("{in_sync} copies must be in sync, and there are only {replication}: no row could be written"))
                .at(at.key("config").key("min.insync.replicas"))
                .help(format!("set `replication: {in_sync}`, or lower `min.insync.replicas`")),
        );
    }
}

fn compaction(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    let policy = spec.topic.config.get("cleanup.policy").map_or("", String::as_str);
    if policy.split(',').any(|policy| policy.trim() == "compact") {
        found.push(
            Diagnostic::new(Code::CompactedTopic, "a compacted topic keeps only the last row of each key")
                .at(at.key("config").key("cleanup.policy"))
                .help("use `cleanup.policy: delete`: each row is an event of its own"),
        );
    }
}
