//! An object of Kubernetes before it is applied: what it is, whose it is and when its turn is.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use k8s_openapi::Resource;
use kube::api::{ApiResource, GroupVersionKind};
use serde::Serialize;
use serde_json::{Map, Value};

/// The field manager that runner applies objects as.
pub const FIELD_MANAGER: &str = "runner";

/// The label that names the pipeline an object belongs to: inventory and pruning go by it.
pub const PIPELINE_LABEL: &str = "runner.dev/pipeline";

/// The label that names the pipeline's namespace, where an object stands outside of it: in another one, a pipeline may have the same
/// name.
pub const NAMESPACE_LABEL: &str = "runner.dev/namespace";

/// The label that says who looks after an object; Kubernetes' own recommended labels have it.
pub const MANAGED_BY_LABEL: &str = "app.kubernetes.io/managed-by";

/// The annotation of an object that no manifest names and that stays all the same, until the pipeline is destroyed: `disabled`, as Flux has it.
pub const PRUNE_ANNOTATION: &str = "runner.dev/prune";

/// The annotations that say what an object's volumes are written for, and the keys of the file that they are from. Whoever reads the
/// volumes as something else loses what is in them.
pub const WRITTEN_FOR: [(&str, &str); 2] = [(KAFKA_BROKERS, "brokers"), (KAFKA_MODE, "mode")];

/// The annotation with the number of brokers of a Kafka cluster: each of them knows the others by it.
pub const KAFKA_BROKERS: &str = "runner.dev/kafka-brokers";

/// The annotation with the mode of a Kafka cluster: each has its own form of metadata.
pub const KAFKA_MODE: &str = "runner.dev/kafka-mode";

/// The pipeline that objects belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// `metadata.name` of the pipeline: a DNS label.
    pub pipeline: String,
}

impl Owner {
    /// The labels that every object of the pipeline bears.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        [
            (MANAGED_BY_LABEL, FIELD_MANAGER),
            ("app.kubernetes.io/part-of", self.pipeline.as_str()),
            (PIPELINE_LABEL, self.pipeline.as_str()),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
    }

    /// The selector of everything that belongs to the pipeline.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{MANAGED_BY_LABEL}={FIELD_MANAGER},{PIPELINE_LABEL}={}", self.pipeline)
    }
}

/// When an object's turn is: what stands in an earlier wave is there before, and goes after. Argo CD's sync waves are the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, strum::EnumIter)]
#[repr(u8)]
pub enum Wave {
    /// The namespace.
    Namespace,
    /// What others refer to: secrets, config maps, service accounts, network policies.
    Settings,
    /// Names and rules: services, disruption budgets.
    Network,
    /// `ZooKeeper`, which a broker waits for.
    Quorum,
    /// Kafka and Neo4j.
    Servers,
    /// Kafka Connect, which waits for the brokers.
    Workers,
    /// Jobs of the pipeline itself.
    Jobs,
}

/// What an object is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Id {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// The kind, such as `StatefulSet`.
    pub kind: String,
    /// The namespace; none for what stands outside of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Id {
    /// What an object of a kind is called, in a namespace or outside of all.
    #[must_use]
    pub fn new(api_version: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
        }
    }

    /// The name of a Secret.
    #[must_use]
    pub fn secret(namespace: &str, name: &str) -> Self {
        Self::new("v1", "Secret", Some(namespace), name)
    }

    /// Where the API server keeps objects of this kind.
    ///
    /// The plural is guessed from the kind by English rules, as kube does; that holds for every kind that runner makes.
    #[must_use]
    pub fn resource(&self) -> ApiResource {
        let (group, version) = self.api_version.split_once('/').unwrap_or(("", &self.api_version));
        ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &self.kind))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// An object of Kubernetes, as it is to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// When its turn is.
    pub wave: Wave,
    /// Its manifest.
    value: Map<String, Value>,
}

/// A value that is no object of Kubernetes.
#[derive(Debug, thiserror::Error)]
pub enum NoObject {
    /// It lacks one of the fields that name an object.
    #[error("the manifest has no `{0}`")]
    Lacks(&'static str),
    /// It is no mapping.
    #[error("the manifest is no mapping")]
    NoMapping,
    /// It cannot be written as JSON.
    #[error("the manifest cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

impl Object {
    /// An object of one of Kubernetes' own types.
    ///
    /// # Errors
    /// Where it has no name.
    pub fn typed<K: Resource + Serialize>(wave: Wave, object: &K) -> Result<Self, NoObject> {
        Self::new(wave, serde_json::to_value(object)?)
    }

    /// An object from its manifest.
    ///
    /// # Errors
    /// Where the value is no mapping, or lacks `apiVersion`, `kind` or `metadata.name`.
    pub fn new(wave: Wave, value: Value) -> Result<Self, NoObject> {
        let Value::Object(value) = value else { return Err(NoObject::NoMapping) };
        let object = Self { wave, value };
        for field in ["apiVersion", "kind"] {
            object.value.get(field).and_then(Value::as_str).ok_or(NoObject::Lacks(field))?;
        }
        object.metadata("name").ok_or(NoObject::Lacks("metadata.name"))?;
        Ok(object)
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> Id {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        Id {
            api_version: text(self.value.get("apiVersion")),
            kind: text(self.value.get("kind")),
            namespace: self.metadata("namespace").map(str::to_owned),
            name: self.metadata("name").unwrap_or_default().to_owned(),
        }
    }

    /// Its manifest.
    #[must_use]
    pub fn manifest(&self) -> &Map<String, Value> {
        &self.value
    }

    /// Puts labels on it, and on the pods that are made of it. What is labelled already stays so; selectors and claims, which nobody can
    /// change later, are left as they are.
    pub fn add_labels(&mut self, labels: &IndexMap<String, String>) {
        add_labels(self.value.get_mut("metadata"), labels);
        let template = self.value.get_mut("spec").and_then(|spec| spec.get_mut("template"));
        add_labels(template.and_then(|template| template.get_mut("metadata")), labels);
    }

    /// An annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.value.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    fn metadata(&self, field: &str) -> Option<&str> {
        self.value.get("metadata")?.get(field)?.as_str()
    }
}

fn add_labels(metadata: Option<&mut Value>, labels: &IndexMap<String, String>) {
    let Some(metadata) = metadata.and_then(Value::as_object_mut) else { return };
    let known = metadata.entry("labels").or_insert_with(|| Map::new().into());
    let Some(known) = known.as_object_mut() else { return };
    for (key, value) in labels {
        known.entry(key.as_str()).or_insert_with(|| value.clone().into());
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use k8s_openapi::api::apps::v1::StatefulSet;
    use kube::api::ObjectMeta;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_is_known_by_kind_and_name() {
        let metadata = ObjectMeta { name: Some("a-kafka".into()), ..ObjectMeta::default() };
        let object = StatefulSet { metadata, ..StatefulSet::default() };
        let id = Object::typed(Wave::Servers, &object).unwrap().id();
        assert_eq!(id.to_string(), "StatefulSet a-kafka");
        assert_eq!((id.resource().group.as_str(), id.resource().plural.as_str()), ("apps", "statefulsets"));
    }

    #[test]
    fn the_plurals_of_what_runner_makes_are_the_servers_own() {
        let plurals = [
            ("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
            ("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
            ("v1", "Namespace", "namespaces"),
        ];
        for (api_version, kind, plural) in plurals {
            let object = json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": "a" } });
            assert_eq!(Object::new(Wave::Network, object).unwrap().id().resource().plural, plural);
        }
    }

    #[test]
    fn labels_go_on_an_object_and_its_pods_and_change_nothing_that_is_there() {
        let labels = || json!({ "app": "graph" });
        let mut object = Object::new(
            Wave::Servers,
            json!({
                "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "a" },
                "spec": {
                    "selector": { "matchLabels": labels() },
                    "template": { "metadata": { "labels": labels() } },
                    "volumeClaimTemplates": [{ "metadata": { "name": "data", "labels": labels() } }],
                },
            }),
        )
        .unwrap();
        let given = [("app", "taxis"), ("team", "a")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        object.add_labels(&given.into());
        let at = |pointer: &str| Value::from(object.manifest().clone()).pointer(pointer).cloned();
        assert_eq!(at("/metadata/labels"), Some(json!({ "app": "taxis", "team": "a" })));
        assert_eq!(at("/spec/template/metadata/labels"), Some(json!({ "app": "graph", "team": "a" })));
        assert_eq!(at("/spec/selector/matchLabels"), Some(labels()));
        assert_eq!(at("/spec/volumeClaimTemplates/0/metadata/labels"), Some(labels()));
    }

    #[test]
    fn what_has_no_name_is_no_object() {
        let nameless = json!({ "apiVersion": "v1", "kind": "Service", "metadata": {} });
        let error = Object::new(Wave::Network, nameless).unwrap_err();
        assert_eq!(error.to_string(), "the manifest has no `metadata.name`");
    }
}
