//! Charts, with helm where it is installed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

fn names() -> Names {
    Names { pipeline: "trips".to_owned(), namespace: "taxis".to_owned() }
}

fn helm(chart: &str) -> Helm {
    Helm { chart: chart.to_owned(), version: None, values: Map::new() }
}

#[test]
fn what_a_chart_makes_bears_the_marks_of_the_pipeline() {
    let documents = "\
---
# Source: neo4j/templates/empty.yaml
---
apiVersion: v1
kind: Service
metadata: { name: trips-neo4j }
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: trips-neo4j
  labels: { app: graph, app.kubernetes.io/managed-by: Helm }
spec:
  template:
    metadata: { labels: { app: graph } }
    spec: { volumes: [{ name: conf, projected: { defaultMode: 0440 } }] }
  volumeClaimTemplates: [{ metadata: { name: data } }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader, labels: }
";
    let objects = objects(documents, &names()).unwrap();
    let yaml: Vec<String> =
        objects.iter().map(|object| serde_yaml::to_string(object.manifest()).unwrap()).collect();
    insta::assert_snapshot!(yaml.join("---\n"));
}

#[test]
fn a_secret_in_a_chart_is_refused() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: { name: graph }\nstringData: { word: hunter22 }\n";
    let error = objects(secret, &names()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the chart makes Secret `graph`, and runner writes no secret to a manifest"
    );
}

#[test]
fn the_files_values_go_over_runners_map_by_map() {
    let given = json!({ "neo4j": { "edition": "enterprise" }, "services": { "neo4j": { "enabled": true } } });
    let values = values(&names(), &Neo4j::default(), given.as_object().unwrap());
    assert_eq!(values["neo4j"]["name"], "trips-neo4j");
    assert_eq!(values["neo4j"]["edition"], "enterprise");
    assert_eq!(values["services"]["neo4j"]["enabled"], true);
}

#[test]
fn only_the_last_lines_of_a_failure_are_told() {
    assert_eq!(last_lines(b"Error: path \"./none\" not found\n\n"), "path \"./none\" not found");
    let many: Vec<String> = (0..20).map(|line| format!("line {line}")).collect();
    assert_eq!(last_lines(many.join("\n").as_bytes()).lines().next(), Some("line 12"));
}

#[tokio::test]
async fn a_machine_without_helm_is_told_from_a_chart_that_fails() {
    let run = |program: &'static str| async move {
        run(program.as_ref(), &names(), &helm("./none"), Map::new(), Path::new("")).await.unwrap_err()
    };
    assert!(matches!(run("no-such-helm").await, HelmError::NoHelm));
    assert!(matches!(run("false").await, HelmError::Failed { .. }));
}

/// The values come by the input, and the arguments hold none of them.
#[tokio::test]
async fn values_are_no_arguments() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("helm");
    std::fs::write(&program, "#!/bin/sh\necho \"arguments: '$*'\"\necho \"values: '$(cat)'\"\n").unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut helm = helm("neo4j/neo4j");
    helm.version = Some("5.26.0".to_owned());
    let values: Map<String, Value> = [("word".to_owned(), "hunter22".into())].into_iter().collect();
    let said = run(program.as_os_str(), &names(), &helm, values, folder.path()).await.unwrap();
    let (arguments, values) = said.split_once("values: ").unwrap();
    assert_eq!(
        arguments.trim_end(),
        "arguments: 'template trips-neo4j neo4j/neo4j --namespace taxis --include-crds --no-hooks --values - --version 5.26.0'"
    );
    assert!(values.contains("\"word\":\"hunter22\""), "{values}");
}
