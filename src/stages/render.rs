//! The manifests of a pipeline as YAML, for whoever applies them: Flux, Argo CD, `kubectl`.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};

use super::Fault;
use super::validate::Plan;
use crate::infrastructure::endpoints::Names;
use crate::infrastructure::manifests::{password, rendered};
use crate::infrastructure::secrets::makes_auth;
use crate::infrastructure::{Id, Object, Owner};
use crate::spec::SecretKey;

/// The annotation that Argo CD takes the order of objects from.
const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";

/// A manifest as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The file's name: in the order of the files, objects come in the order in which they are needed.
    pub file: String,
    /// The manifest.
    pub yaml: String,
}

/// The manifests of a pipeline, in the order in which they are to be applied; the same bytes for the same file.
///
/// # Errors
/// Where the pipeline is not one for Kubernetes, or its chart cannot be rendered.
pub async fn render(plan: &Plan) -> Result<Vec<Rendered>, Fault> {
    let objects = rendered(&plan.pipeline, &plan.base).await?;
    objects.iter().map(file).collect()
}

fn file(object: &Object) -> Result<Rendered, Fault> {
    let wave = object.wave as u8;
    let Id { kind, name, .. } = object.id();
    let yaml = serde_yaml::to_string(&with_wave(object.manifest(), wave))
        .map_err(|error| super::fault::not_rendered(&error.to_string()))?;
    Ok(Rendered { file: format!("{wave}-{}-{name}.yaml", kind.to_lowercase()), yaml })
}

fn with_wave(manifest: &Map<String, Value>, wave: u8) -> Value {
    let mut manifest = manifest.clone();
    if let Some(metadata) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(SYNC_WAVE.to_owned(), wave.to_string().into());
        }
    }
    manifest.into()
}

/// Whether a file was rendered for a pipeline: every document in it bears the marks of one of its objects, and that of rendering.
#[must_use]
pub fn was_rendered(owner: &Owner, yaml: &str) -> bool {
    let documents = serde_yaml::Deserializer::from_str(yaml).map(Value::deserialize);
    let documents: Result<Vec<Value>, _> = documents.collect();
    let labels = owner.labels();
    let ours = |document: &Value| {
        let found = |kind: &str, key: &str| document.get("metadata")?.get(kind)?.get(key)?.as_str();
        let mut marks = labels.iter();
        marks.all(|(key, value)| found("labels", key) == Some(value))
            && found("annotations", SYNC_WAVE).is_some()
    };
    documents.is_ok_and(|documents| !documents.is_empty() && documents.iter().all(ours))
}

/// What the manifests need beside them: no secret is ever rendered.
#[must_use]
pub fn needs(plan: &Plan) -> Vec<String> {
    let Some(kubernetes) = &plan.pipeline.spec.infrastructure.kubernetes else { return Vec::new() };
    let neo4j = &kubernetes.neo4j;
    if neo4j.existing.is_some() {
        return Vec::new();
    }
    let names = Names::of(&plan.pipeline, kubernetes);
    let SecretKey { name, key } = password(&names, neo4j);
    let mut needs = vec![format!("Neo4j's password is in key {key} of Secret {name}, which is not rendered")];
    if makes_auth(neo4j) {
        needs.push("  `runner run` makes it; for one of your own, write in the file:".to_owned());
        needs.push("  neo4j: { passwordFrom: { secret: { name: NAME, key: KEY } } }".to_owned());
    } else {
        needs.push(format!(
            "  kubectl -n {} create secret generic {name} --from-file={key}=FILE",
            names.namespace
        ));
    }
    if neo4j.helm.is_some() {
        needs.push("  the official chart reads key NEO4J_AUTH of it, which holds neo4j/PASSWORD".to_owned());
    }
    needs
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::infrastructure::Wave;

    fn yaml(labels: &Value) -> String {
        let metadata = json!({ "name": "trips-kafka", "labels": labels });
        let object = json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata });
        file(&Object::new(Wave::Network, object).unwrap()).unwrap().yaml
    }

    #[test]
    fn what_was_rendered_for_a_pipeline_is_told_from_all_else() {
        let owner = |name: &str| Owner { pipeline: name.to_owned() };
        let trips = owner("trips");
        let rendered = yaml(&json!(trips.labels()));
        assert!(was_rendered(&trips, &rendered));
        assert!(!was_rendered(&owner("rides"), &rendered));
        // Others label a pod of theirs to be let in to the servers, and write down what is in the cluster.
        assert!(!was_rendered(&trips, &yaml(&json!({ "runner.dev/pipeline": "trips" }))));
        assert!(!was_rendered(&trips, &rendered.replace(SYNC_WAVE, "example.com/note")));
        assert!(!was_rendered(&trips, &format!("{rendered}---\nkind: Kustomization\n")));
        assert!(!was_rendered(&trips, ""));
        assert!(!was_rendered(&trips, "a: ["));
    }
}
