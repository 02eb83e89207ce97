//! Neo4j by a chart: the user's own `helm` renders it, and what it renders goes the way of runner's own manifests.
//!
//! The release is called as runner would call Neo4j, so that the official chart's stateful set, service and pods have the names
//! that everything else looks for.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::endpoints::Names;
use super::manifests::password;
use super::object::{NAMESPACE_LABEL, NoObject};
use super::{Object, Wave};
use crate::spec::{Helm, Neo4j};

/// What renders charts.
const PROGRAM: &str = "helm";
/// A chart that has not been downloaded and rendered within this time will not be.
const PATIENCE: Duration = Duration::from_mins(2);
/// How many of helm's last lines are told.
const LINES: usize = 8;
/// The kinds that stand outside of namespaces, among those that charts have.
const WITHOUT_NAMESPACE: [&str; 9] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingWebhookConfiguration",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];

/// Why a chart gives no manifests.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// There is no `helm` on the path.
    #[error("`helm` is not installed")]
    NoHelm,
    /// It cannot be run, or its output not be read.
    #[error("`helm` cannot be run")]
    NotRun(#[source] io::Error),
    /// It ended with an error.
    #[error("`helm template` fails: {said}")]
    Failed {
        /// The last lines that it wrote.
        said: String,
    },
    /// It did not end.
    #[error("`helm template` has not ended within {} s", PATIENCE.as_secs())]
    NoEnd,
    /// What it wrote is no YAML.
    #[error("what `helm template` wrote is no YAML")]
    NoYaml(#[from] serde_yaml::Error),
    /// One of its documents is no object.
    #[error("a document that `helm template` wrote is no object")]
    NoObject(#[from] NoObject),
    /// The chart makes a Secret, which would be rendered and compared in clear.
    #[error("the chart makes Secret `{0}`, and runner writes no secret to a manifest")]
    Secret(String),
}

/// The objects of a chart; a folder is looked for from `base`.
///
/// # Errors
/// Where helm is not there or refuses, or the chart makes something that is no object or a Secret.
pub async fn template(
    names: &Names,
    neo4j: &Neo4j,
    helm: &Helm,
    base: &Path,
) -> Result<Vec<Object>, HelmError> {
    let values = values(names, neo4j, &helm.values);
    objects(&run(PROGRAM.as_ref(), names, helm, values, base).await?, names)
}

/// Runs `helm template`. The values go to its input: an argument can be read by everybody on the machine.
async fn run(
    program: &OsStr,
    names: &Names,
    helm: &Helm,
    values: Map<String, Value>,
    base: &Path,
) -> Result<String, HelmError> {
    let release = names.neo4j();
    let mut command = Command::new(program);
    command.args(["template", &release, &helm.chart, "--namespace", &names.namespace]);
    // A hook is something that helm does at its own time, and here it only renders.
    command.args(["--include-crds", "--no-hooks", "--values", "-"]);
    if let Some(version) = &helm.version {
        command.args(["--version", version]);
    }
    if !base.as_os_str().is_empty() {
        command.current_dir(base);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => HelmError::NoHelm,
        _ => HelmError::NotRun(error),
    })?;
    let input = child.stdin.take();
    let values = Value::from(values).to_string();
    let wrote = async move {
        if let Some(mut input) = input {
            // It may end before it has read them, and says itself why.
            let _ = input.write_all(values.as_bytes()).await;
        }
    };
    let both = async { tokio::join!(wrote, child.wait_with_output()).1 };
    let output = tokio::time::timeout(PATIENCE, both).await.map_err(|_| HelmError::NoEnd)?;
    let Output { status, stdout, stderr } = output.map_err(HelmError::NotRun)?;
    if status.success() {
        Ok(String::from_utf8_lossy(&stdout).into_owned())
    } else {
        Err(HelmError::Failed { said: last_lines(&stderr) })
    }
}

fn last_lines(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    last.join("\n").trim_start_matches("Error: ").to_owned()
}

/// The values of the file, over those that the official chart needs to fit in: its name, the Secret that holds the password
/// (`lookup` finds nothing where a chart is only rendered), no door to the world, no report of its usage, and what Pod Security's `restricted` asks for.
fn values(names: &Names, neo4j: &Neo4j, given: &Map<String, Value>) -> Map<String, Value> {
    let own = json!({
        "neo4j": { "name": names.neo4j(), "passwordFromSecret": password(names, neo4j).name },
        "disableLookups": true,
        "config": { "dbms.usage_report.enabled": "false" },
        "services": { "neo4j": { "enabled": false } },
        "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
        "containerSecurityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
    });
    let Value::Object(mut values) = own else { return given.clone() };
    lay_over(&mut values, given);
    values
}

/// Lays values over others, map by map, as helm does.
fn lay_over(values: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(key), value) {
            (Some(Value::Object(values)), Value::Object(over)) => lay_over(values, over),
            _ => {
                values.insert(key.clone(), value.clone());
            }
        }
    }
}

/// The objects in the documents that helm wrote, with the marks of the pipeline's own.
fn objects(documents: &str, names: &Names) -> Result<Vec<Object>, HelmError> {
    let mut objects = Vec::new();
    for document in serde_yaml::Deserializer::from_str(documents) {
        let mut value = Value::deserialize(document)?;
        if value.is_null() {
            continue;
        }
        old_octals(&mut value);
        own(&mut value, names);
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let object = Object::new(wave(kind), value)?;
        let id = object.id();
        if id.kind == "Secret" {
            return Err(HelmError::Secret(id.name));
        }
        objects.push(object);
    }
    Ok(objects)
}

/// Charts are YAML 1.1, where a number that begins with 0 is octal; they write the modes of files so, and YAML 1.2 reads a text.
fn old_octals(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let octal = value.as_str().filter(|_| matches!(key.as_str(), "defaultMode" | "mode"));
                match octal.and_then(|text| u32::from_str_radix(text, 8).ok()) {
                    Some(mode) => *value = mode.into(),
                    None => old_octals(value),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(old_octals),
        _ => {}
    }
}

/// Says whose an object is, also of the pods and the claims that are made from it.
fn own(object: &mut Value, names: &Names) {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    let has_namespace = !WITHOUT_NAMESPACE.contains(&kind);
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && has_namespace
    {
        metadata.entry("namespace").or_insert_with(|| names.namespace.clone().into());
    }
    let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
    let is_outside = namespace != Some(names.namespace.as_str());
    let labels = names.owner().labels();
    let mark = |holder: &mut Value| {
        let Some(holder) = holder.as_object_mut() else { return };
        let metadata = holder.entry("metadata").or_insert_with(|| json!({}));
        let Some(metadata) = metadata.as_object_mut() else { return };
        let own = metadata.entry("labels").or_insert_with(|| json!({}));
        if !own.is_object() {
            *own = json!({});
        }
        if let Some(own) = own.as_object_mut() {
            own.extend(labels.iter().map(|(key, value)| (key.clone(), value.clone().into())));
        }
    };
    mark(object);
    if is_outside && let Some(labels) = object.pointer_mut("/metadata/labels").and_then(Value::as_object_mut)
    {
        labels.insert(NAMESPACE_LABEL.to_owned(), names.namespace.clone().into());
    }
    if let Some(template) = object.pointer_mut("/spec/template") {
        mark(template);
    }
    if let Some(Value::Array(claims)) = object.pointer_mut("/spec/volumeClaimTemplates") {
        claims.iter_mut().for_each(mark);
    }
}

/// When an object of a chart has its turn.
fn wave(kind: &str) -> Wave {
    match kind {
        "Service" | "Ingress" | "PodDisruptionBudget" | "ServiceMonitor" => Wave::Network,
        "StatefulSet" | "Deployment" | "DaemonSet" => Wave::Servers,
        "Job" | "CronJob" => Wave::Jobs,
        _ => Wave::Settings,
    }
}

#[cfg(test)]
mod tests;
