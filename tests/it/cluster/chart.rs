//! Neo4j by a chart, which a real helm renders.

use std::os::unix::fs::symlink;
use std::path::Path;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::deployment::Deployment;
use super::run::gives_the_reference;
use crate::harness::Desk;

/// What stands outside of the namespace.
fn cluster_roles(deployment: &Deployment) -> usize {
    let labels = format!("runner.dev/pipeline={}", deployment.name());
    deployment.namespace.cluster.with(async |client| {
        Api::<ClusterRole>::all(client)
            .list(&ListParams::default().labels(&labels))
            .await
            .unwrap()
            .items
            .len()
    })
}

#[test]
fn neo4j_by_a_chart_gives_the_reference_is_known_again_and_goes() {
    let Some(mut deployment) = Deployment::new("chart", &json!({})) else { return };
    let path = format!(
        "{}:{}",
        deployment.namespace.cluster.programs().display(),
        std::env::var("PATH").unwrap_or_default()
    );
    deployment.desk = Desk::new().with_variable("PATH", &path);
    let chart = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cluster/chart");
    symlink(chart, deployment.desk.path("chart")).unwrap();
    deployment.infrastructure["neo4j"] =
        json!({ "helm": { "chart": "./chart", "values": { "image": "neo4j:5.26.30" } } });
    gives_the_reference(&deployment);
    assert_eq!(cluster_roles(&deployment), 1);
    deployment.runner(&["plan", "--exit-code"]).exits(0);

    deployment.runner(&["destroy", "--yes", "--delete-data"]).exits(0);
    assert_eq!(cluster_roles(&deployment), 0);
    assert_eq!(deployment.all::<StatefulSet>().len(), 0);
    assert_eq!(deployment.namespace.list::<PersistentVolumeClaim>("").len(), 0);
}
