//! Rules for `infrastructure.kubernetes`.

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, did_you_mean};
use crate::infrastructure::manifests::{ManifestError, manifests};
use crate::spec::{Kubernetes, Pipeline, Resources, quantity};

/// A stateful set's name, an ordinal and a hash of 10 characters make a label of its pods, and a label ends at 63.
const LONGEST_SET: usize = 52;
/// The longest of what is put behind a pipeline's name.
const LONGEST_SUFFIX: &str = "-zookeeper";
/// Whoever asks for less has mostly left out the unit.
const LEAST_STORAGE: u64 = 1 << 20;
/// Less than this leaves Neo4j no page cache beside its heap.
const LEAST_NEO4J: u64 = 1 << 30;

pub(super) fn check(pipeline: &Pipeline, found: &mut Vec<Diagnostic>) {
    let Some(kubernetes) = &pipeline.spec.infrastructure.kubernetes else { return };
    let at = Path::of("spec.infrastructure.kubernetes");
    name(&pipeline.metadata.name, found);
    images(kubernetes, &at, found);
    plugins(kubernetes, &at, found);
    sizes(kubernetes, &at, found);
    volume(kubernetes, &at, found);
    ports(kubernetes, &at, found);
    overrides(pipeline, &at, found);
}

/// The pipeline's name is the first part of every object's.
fn name(name: &str, found: &mut Vec<Diagnostic>) {
    let longest = LONGEST_SET - LONGEST_SUFFIX.len();
    let is_label =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let what = if !is_label {
        "the name of a pipeline on Kubernetes has lower-case letters, digits and `-` only".to_owned()
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        "the name of a pipeline on Kubernetes begins with a letter, as that of a service must".to_owned()
    } else if name.len() > longest {
        format!("the name of a pipeline on Kubernetes has at most {longest} characters, not {}", name.len())
    } else {
        return;
    };
    found.push(
        Diagnostic::new(Code::InvalidValue, what)
            .at(Path::of("metadata.name"))
            .help("objects are called by it, such as `NAME-kafka-0`"),
    );
}

fn images(kubernetes: &Kubernetes, at: &Path, found: &mut Vec<Diagnostic>) {
    let connect = kubernetes.connect.as_ref().and_then(|connect| connect.image.as_ref());
    let images = [
        ("kafka", kubernetes.kafka.image.as_ref()),
        ("neo4j", kubernetes.neo4j.image.as_ref()),
        ("connect", connect),
        ("runner", kubernetes.runner.image.as_ref()),
    ];
    for (server, image) in images {
        let Some(image) = image else { continue };
        let last = image.rsplit('/').next().unwrap_or(image);
        let moves = !image.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
        if moves {
            found.push(
                Diagnostic::new(Code::MovingImage, format!("`{image}` is another image tomorrow"))
                    .at(at.key(server).key("image"))
                    .help("name a version, such as `neo4j:5.26.30`, or a digest"),
            );
        }
    }
}

/// What Kafka Connect's init container installs: a jar, or a version of a plugin.
fn plugins(kubernetes: &Kubernetes, at: &Path, found: &mut Vec<Diagnostic>) {
    let plugins = kubernetes.connect.iter().flat_map(|connect| connect.plugins.iter().enumerate());
    for (index, plugin) in plugins {
        let is_jar =
            plugin.starts_with("http") && plugin.contains("://") && plugin.rsplit('.').next() == Some("jar");
        let is_version = plugin.split_once('/').is_some_and(|(_, name)| name.contains(':'));
        if !(is_jar || is_version && !plugin.contains("://")) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("`{plugin}` is no plugin that can be installed"))
                    .at(at.key("connect").key("plugins").index(index))
                    .help("write `owner/name:version` of Confluent Hub, or the `https://` address of a jar"),
            );
        }
    }
}

fn sizes(kubernetes: &Kubernetes, at: &Path, found: &mut Vec<Diagnostic>) {
    let storages = [("kafka", &kubernetes.kafka.storage), ("neo4j", &kubernetes.neo4j.storage)];
    for (server, storage) in storages {
        if let Some(bytes) = quantity::bytes(storage).filter(|bytes| *bytes < LEAST_STORAGE) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("a volume of {bytes} bytes holds nothing"))
                    .at(at.key(server).key("storage"))
                    .help("write a size such as `2Gi`"),
            );
        }
    }
    let connect = kubernetes.connect.as_ref().map(|connect| &connect.resources);
    let all = [
        ("kafka", Some(&kubernetes.kafka.resources)),
        ("neo4j", Some(&kubernetes.neo4j.resources)),
        ("connect", connect),
        ("runner", Some(&kubernetes.runner.resources)),
    ];
    for (server, resources) in all {
        let Some(resources) = resources else { continue };
        requests_within_limits(resources, &at.key(server).key("resources"), found);
    }
    let neo4j = kubernetes.neo4j.resources.limits.get("memory");
    if neo4j.and_then(|limit| quantity::bytes(limit)).is_some_and(|limit| limit < LEAST_NEO4J) {
        found.push(
            Diagnostic::new(Code::InvalidValue, "Neo4j does not start with less than 1Gi of memory")
                .at(at.key("neo4j").key("resources").key("limits").key("memory"))
                .help("half of it is the heap, 768 MiB are the JVM's own; 2Gi is the default"),
        );
    }
}

fn requests_within_limits(resources: &Resources, at: &Path, found: &mut Vec<Diagnostic>) {
    for (side, quantities) in [("requests", &resources.requests), ("limits", &resources.limits)] {
        for (name, value) in quantities.iter().filter(|(name, _)| *name == "memory") {
            if quantity::bytes(value).is_none() {
                found.push(
                    Diagnostic::new(Code::InvalidValue, format!("`{value}` is no size of memory"))
                        .at(at.key(side).key(name.as_str()))
                        .help("write a quantity such as `2Gi` or `1500Mi`"),
                );
            }
        }
    }
    let memory = |side: &indexmap::IndexMap<String, String>| quantity::bytes(side.get("memory")?);
    if let (Some(request), Some(limit)) = (memory(&resources.requests), memory(&resources.limits))
        && request > limit
    {
        let limits = at.key("limits").key("memory");
        found.push(
            Diagnostic::new(Code::InvalidValue, "more memory is requested than the limit allows")
                .at(at.key("requests").key("memory"))
                .related(Location::At(limits, Part::Value), "the limit")
                .help("lower the request, or raise the limit"),
        );
    }
}

/// The volume of the source takes the place of a folder that the file's paths can lead to, and hides nothing else.
fn volume(kubernetes: &Kubernetes, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(volume) = &kubernetes.runner.volume else { return };
    if !is_below(&volume.path) {
        found.push(
            Diagnostic::new(
                Code::InvalidValue,
                format!("`{}` is no folder below the pipeline file's own", volume.path),
            )
            .at(at.key("runner").key("volume").key("path"))
            .help("write it as the paths of the source begin: with `data`, the volume holds `data/trips.parquet` as `trips.parquet`"),
        );
    }
}

/// Whether a path leads from a folder to one below it, and never out of it on the way.
fn is_below(path: &str) -> bool {
    let mut steps = path.split('/').filter(|step| !matches!(*step, "" | "."));
    let depth = steps.try_fold(0_usize, |depth, step| match step {
        ".." => depth.checked_sub(1),
        _ => Some(depth + 1),
    });
    !path.starts_with('/') && depth.is_some_and(|depth| depth > 0)
}

/// The brokers' ports on this machine are one after the other.
fn ports(kubernetes: &Kubernetes, at: &Path, found: &mut Vec<Diagnostic>) {
    let forward = &kubernetes.forward;
    let last = u32::from(forward.kafka) + kubernetes.kafka.brokers.saturating_sub(1);
    let brokers = u32::from(forward.kafka)..=last;
    for (key, port) in [("neo4j", forward.neo4j), ("connect", forward.connect)] {
        if brokers.contains(&u32::from(port)) {
            found.push(
                Diagnostic::new(Code::InvalidValue, format!("port {port} leads to a broker already"))
                    .at(at.key("forward").key(key))
                    .help(format!("the brokers have {} to {last}; 0 takes any that is free", forward.kafka)),
            );
        }
    }
    if forward.neo4j != 0 && forward.neo4j == forward.connect {
        found.push(
            Diagnostic::new(Code::InvalidValue, format!("port {} leads to Neo4j already", forward.connect))
                .at(at.key("forward").key("connect"))
                .help("0 takes any that is free"),
        );
    }
}

fn overrides(pipeline: &Pipeline, at: &Path, found: &mut Vec<Diagnostic>) {
    let at = |index: usize| at.key("overrides").index(index);
    match manifests(pipeline) {
        Err(ManifestError::NoSuchObject { index, known }) => {
            let kubernetes = pipeline.spec.infrastructure.kubernetes.as_ref();
            let Some(one) = kubernetes.and_then(|kubernetes| kubernetes.overrides.get(index)) else { return };
            let names: Vec<&str> =
                known.iter().filter(|(kind, _)| *kind == one.kind).map(|(_, name)| name.as_str()).collect();
            let kinds = known.iter().map(|(kind, _)| kind.as_str());
            let (key, help) = if names.is_empty() {
                ("kind", did_you_mean(&one.kind, kinds))
            } else {
                ("name", did_you_mean(&one.name, names.iter().copied()))
            };
            let all: Vec<String> = known.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
            found.push(
                Diagnostic::new(
                    Code::UnknownName,
                    format!("the pipeline makes no {} `{}`", one.kind, one.name),
                )
                .at(at(index).key(key))
                .help(help.unwrap_or_else(|| format!("there are: {}", all.join(", ")))),
            );
        }
        Err(ManifestError::AnotherObject { index }) => found.push(
            Diagnostic::new(Code::InvalidValue, "an override cannot change what an object is called")
                .at_key(at(index).key("patch"))
                .help("leave out `apiVersion`, `kind`, `metadata.name` and `metadata.namespace`"),
        ),
        Err(ManifestError::NotKubernetes | ManifestError::Helm(_) | ManifestError::NoObject(_)) | Ok(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_folder_below_is_told_from_one_beside_or_above() {
        for path in ["data", "./data/", "a/b", "a/../data", "..data"] {
            assert!(is_below(path), "{path}");
        }
        for path in ["", ".", "/data", "..", "../data", "a/../../data", "data/.."] {
            assert!(!is_below(path), "{path}");
        }
    }
}
