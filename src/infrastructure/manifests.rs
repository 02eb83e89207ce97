//! From the file to the objects of a cluster: pure functions, with nothing secret in what they make.

mod connect;
pub mod job;
mod kafka;
mod neo4j;
mod network;
mod overrides;
mod parts;
#[cfg(test)]
mod tests;
mod zookeeper;

use std::path::Path;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::ObjectMeta;

pub use connect::password_reference;
pub(crate) use neo4j::PASSWORD_KEY;
pub use neo4j::password;

use super::endpoints::{
    BOLT_PORT, CONNECT_PORT, CONTROLLER_PORT, HTTP_PORT, KAFKA_PORT, Names, ZOOKEEPER_PORT,
};
use super::helm::{self, HelmError};
use super::object::NoObject;
use super::{Object, Wave};
use crate::spec::{KafkaMode, Kubernetes, Pipeline};

/// Why a pipeline has no manifests.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The pipeline is not one for Kubernetes.
    #[error("the pipeline has no `infrastructure.kubernetes`")]
    NotKubernetes,
    /// An override names an object that is not made.
    #[error("`overrides[{index}]` names an object that the pipeline does not have")]
    NoSuchObject {
        /// Which override, from 0.
        index: usize,
        /// Kind and name of each object that there is.
        known: Vec<(String, String)>,
    },
    /// An override changes what an object is known by.
    #[error("`overrides[{index}]` would make another object of it")]
    AnotherObject {
        /// Which override, from 0.
        index: usize,
    },
    /// The chart of Neo4j gives no manifests.
    #[error(transparent)]
    Helm(#[from] HelmError),
    /// A manifest is no object.
    #[error(transparent)]
    NoObject(#[from] NoObject),
}

/// What the names of the volume claims begin with that a set makes.
pub(super) fn claims_begin(set: &str) -> String {
    format!("{}-{set}-", parts::DATA)
}

/// The objects of a pipeline, in the order in which they are applied; those of a chart are not among them: see [`rendered`].
///
/// The Secret with Neo4j's password is not among them either: see [`password`].
///
/// # Errors
/// Where the pipeline is not one for Kubernetes, or an override does not fit.
pub fn manifests(pipeline: &Pipeline) -> Result<Vec<Object>, ManifestError> {
    assembled(pipeline, None)
}

/// The objects of a pipeline with those of its chart, which `helm` renders; a chart's folder is looked for from `base`.
///
/// # Errors
/// As [`manifests`], and where the chart cannot be rendered.
pub async fn rendered(pipeline: &Pipeline, base: &Path) -> Result<Vec<Object>, ManifestError> {
    let kubernetes = pipeline.spec.infrastructure.kubernetes.as_ref().ok_or(ManifestError::NotKubernetes)?;
    let Some(chart) = kubernetes.neo4j.helm.as_ref().filter(|_| kubernetes.neo4j.existing.is_none()) else {
        return manifests(pipeline);
    };
    let chart = helm::template(&Names::of(pipeline, kubernetes), &kubernetes.neo4j, chart, base).await?;
    assembled(pipeline, Some(chart))
}

fn assembled(pipeline: &Pipeline, chart: Option<Vec<Object>>) -> Result<Vec<Object>, ManifestError> {
    let kubernetes = pipeline.spec.infrastructure.kubernetes.as_ref().ok_or(ManifestError::NotKubernetes)?;
    let names = Names::of(pipeline, kubernetes);
    // Without its objects, nobody knows what an override of a chart's names.
    let is_whole = kubernetes.neo4j.helm.is_none() || chart.is_some();
    let of_runs = job::ids(pipeline)?;
    let mut objects = vec![Object::typed(Wave::Namespace, &namespace(&names))?];
    if kubernetes.kafka.existing.is_none() {
        objects.extend(kafka::objects(&names, &kubernetes.kafka, &kubernetes.forward)?);
    }
    if kubernetes.neo4j.existing.is_none() && kubernetes.neo4j.helm.is_none() {
        objects.extend(neo4j::objects(&names, &kubernetes.neo4j)?);
    }
    objects.extend(chart.unwrap_or_default());
    if let Some(connect) = kubernetes.connect.as_ref().filter(|connect| connect.existing.is_none()) {
        objects.extend(connect::objects(&names, connect, kubernetes)?);
    }
    objects.extend(policies(&names, kubernetes)?);
    for object in &mut objects {
        object.add_labels(&pipeline.metadata.labels);
    }
    let owner = names.owner();
    overrides::apply(&mut objects, &kubernetes.overrides, &owner, is_whole.then_some(&of_runs))?;
    objects.sort_by_key(|object| (object.wave, object.id()));
    Ok(objects)
}

/// The namespace, where it is not there yet: pods that could harm the node are refused in it.
fn namespace(names: &Names) -> Namespace {
    let mut labels = names.owner().labels();
    for mode in ["enforce", "warn"] {
        labels.insert(format!("pod-security.kubernetes.io/{mode}"), "restricted".to_owned());
    }
    let metadata =
        ObjectMeta { name: Some(names.namespace.clone()), labels: Some(labels), ..ObjectMeta::default() };
    Namespace { metadata, ..Namespace::default() }
}

fn policies(names: &Names, kubernetes: &Kubernetes) -> Result<Vec<Object>, ManifestError> {
    let mut policies = Vec::new();
    if kubernetes.kafka.existing.is_none() {
        let ports = [KAFKA_PORT, CONTROLLER_PORT];
        policies.push(network::policy(names, "kafka", names.kafka(), &ports)?);
        if kubernetes.kafka.mode == KafkaMode::Zookeeper {
            policies.push(network::policy(names, "zookeeper", names.zookeeper(), &[ZOOKEEPER_PORT])?);
        }
    }
    if kubernetes.neo4j.existing.is_none() && kubernetes.neo4j.helm.is_none() {
        policies.push(network::policy(names, "neo4j", names.neo4j(), &[BOLT_PORT, HTTP_PORT])?);
    }
    if kubernetes.connect.as_ref().is_some_and(|connect| connect.existing.is_none()) {
        policies.push(network::policy(names, "connect", names.connect(), &[CONNECT_PORT])?);
    }
    Ok(policies)
}
