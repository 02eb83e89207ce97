//! What runner makes of a file, as the API server sees it.

use k8s_openapi::api::core::v1::Namespace as KubeNamespace;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, ValidationDirective};
use runner::infrastructure::manifests::manifests;
use runner::infrastructure::{Object, Wave};
use serde_json::{Value, json};

use super::bed::Namespace;
use crate::external::trips;

/// The objects of a few trips with this `infrastructure.kubernetes`.
fn objects(namespace: &Namespace, kubernetes: &Value) -> Vec<Object> {
    let mut pipeline = trips();
    pipeline["spec"]["infrastructure"] = json!({ "kubernetes": kubernetes });
    pipeline["spec"]["infrastructure"]["kubernetes"]["namespace"] = json!(namespace.name);
    manifests(&serde_json::from_value(pipeline).unwrap()).unwrap()
}

/// What the server says of an object that it is asked to take, and takes only in thought.
async fn dry_run(client: kube::Client, object: &Object) -> kube::Result<DynamicObject> {
    let id = object.id();
    let mut parameters = PatchParams::apply("runner").dry_run();
    parameters.field_validation = Some(ValidationDirective::Strict);
    let patch = Patch::Apply(object.manifest());
    if object.wave == Wave::Namespace {
        Api::all_with(client, &id.resource()).patch(&id.name, &parameters, &patch).await
    } else {
        let namespace = id.namespace.clone().unwrap();
        Api::namespaced_with(client, &namespace, &id.resource()).patch(&id.name, &parameters, &patch).await
    }
}

#[test]
fn every_manifest_passes_a_strict_dry_run() {
    let Some(namespace) = Namespace::make("dry") else { return };
    let cases = [
        json!({}),
        json!({ "kafka": { "brokers": 3, "storage": "10Gi", "resources": { "limits": { "memory": "2Gi", "cpu": "1" } } } }),
        json!({ "kafka": { "mode": "zookeeper" } }),
        json!({ "neo4j": { "plugins": ["apoc", "graph-data-science"], "resources": { "limits": { "memory": "4Gi" } } } }),
        json!({ "neo4j": { "passwordFrom": { "secret": { "name": "theirs", "key": "pass" } } } }),
        json!({ "connect": {} }),
    ];
    for case in cases {
        for object in objects(&namespace, &case) {
            let taken = namespace.cluster.with(async |client| dry_run(client, &object).await);
            assert!(taken.is_ok(), "{case}: {}: {taken:?}", object.id());
        }
    }
    let all: Vec<KubeNamespace> = namespace
        .cluster
        .with(async |client| Api::all(client).list(&ListParams::default()).await.unwrap().items);
    let pods = "pod-security.kubernetes.io/enforce";
    let own = all.iter().find(|one| one.metadata.name.as_deref() == Some(&namespace.name)).unwrap();
    assert!(!own.metadata.labels.as_ref().unwrap().contains_key(pods), "it was a dry run");
}
