//! The manifests as they were reviewed.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::*;

/// The manifests of a pipeline with this `infrastructure.kubernetes`, as YAML.
fn rendered(kubernetes: &serde_json::Value) -> String {
    let pipeline = pipeline(kubernetes);
    documents(&manifests(&pipeline).unwrap())
}

fn documents(objects: &[Object]) -> String {
    let documents: Vec<String> =
        objects.iter().map(|object| serde_yaml::to_string(object.manifest()).unwrap()).collect();
    documents.join("---\n")
}

fn pipeline(kubernetes: &serde_json::Value) -> Pipeline {
    serde_json::from_value(json!({
        "apiVersion": "runner.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": { "name": "trips" },
        "spec": {
            "infrastructure": { "kubernetes": kubernetes },
            "topic": { "name": "trips" },
            "mapping": { "cypher": "MERGE (:A {b: event.c})" },
        },
    }))
    .unwrap()
}

#[test]
fn one_broker_and_neo4j() {
    insta::assert_snapshot!(rendered(&json!({ "namespace": "taxis" })));
}

#[test]
fn three_brokers_know_each_other_and_may_go_one_by_one() {
    let kubernetes = json!({
        "namespace": "taxis",
        "kafka": { "brokers": 3, "storage": "10Gi", "resources": { "limits": { "memory": "4Gi" } } },
        "neo4j": { "existing": { "uri": "bolt://graph:7687" } },
        "forward": { "kafka": 20000 },
    });
    insta::assert_snapshot!(rendered(&kubernetes));
}

#[test]
fn brokers_of_zookeeper_mode_have_one() {
    let kubernetes = json!({
        "namespace": "taxis",
        "kafka": { "mode": "zookeeper" },
        "neo4j": { "existing": { "uri": "bolt://graph:7687" } },
    });
    insta::assert_snapshot!(rendered(&kubernetes));
}

#[test]
fn what_is_there_already_is_not_made() {
    let kubernetes = json!({
        "namespace": "taxis",
        "kafka": { "existing": { "bootstrap": "kafka.strimzi:9092" } },
        "neo4j": { "existing": { "uri": "bolt://graph:7687" } },
    });
    let objects = manifests(&pipeline(&kubernetes)).unwrap();
    assert_eq!(objects.iter().map(|object| object.id().to_string()).collect::<Vec<_>>(), ["Namespace taxis"]);
}

#[test]
fn a_password_is_referred_to_and_never_written() {
    let kubernetes = json!({
        "namespace": "taxis",
        "kafka": { "existing": { "bootstrap": "kafka.strimzi:9092" } },
        "neo4j": { "passwordFrom": { "secret": { "name": "graph", "key": "word" } }, "plugins": ["graph-data-science"] },
    });
    let yaml = rendered(&kubernetes);
    assert!(yaml.contains("secretKeyRef"), "{yaml}");
    insta::assert_snapshot!(yaml);
}

#[test]
fn a_worker_has_the_sink_installed_and_reads_the_password_from_its_secret() {
    let kubernetes = json!({
        "namespace": "taxis",
        "kafka": { "existing": { "bootstrap": "kafka.strimzi:9092" } },
        "neo4j": { "existing": {
            "uri": "bolt://graph:7687", "passwordFrom": { "secret": { "name": "graph", "key": "word" } },
        } },
        "connect": {},
    });
    insta::assert_snapshot!(rendered(&kubernetes));
}

#[test]
fn an_image_that_has_the_sink_is_given_none() {
    let kubernetes = json!({
        "namespace": "taxis",
        "connect": { "image": "ours/connect:1", "plugins": [] },
    });
    let yaml = rendered(&kubernetes);
    assert!(!yaml.contains("initContainers") && !yaml.contains("/plugins,"), "{yaml}");
    assert!(yaml.contains("image: ours/connect:1"), "{yaml}");
}

#[test]
fn a_run_in_the_cluster_has_a_pod_for_each_loader_and_few_rights() {
    let mut pipeline = pipeline(&json!({
        "namespace": "taxis",
        "runner": {
            "resources": { "limits": { "memory": "2Gi" } },
            "volume": { "claim": "trips", "path": "data" },
        },
    }));
    pipeline.spec.stream.loaders = 3;
    let files = [("pipelines/trips.yaml", "a: 1"), ("zones.csv", "id\n1\n")];
    let baggage = job::Baggage {
        folder: "pipelines".to_owned(),
        file: "trips.yaml".to_owned(),
        files: files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into(),
        private: [("pipelines/client.key".to_owned(), "a key".to_owned().into())].into(),
        arguments: vec!["--limit".to_owned(), "10".to_owned()],
        environment: [("TOKEN".to_owned(), "s3cret".to_owned().into())].into(),
    };
    let objects = job::run(&pipeline, &baggage).unwrap();
    insta::assert_snapshot!(documents(&objects));
}

#[test]
fn an_override_may_be_of_the_runs_own_job() {
    let patch = |kind: &str| {
        let spec = json!({ "template": { "spec": { "imagePullSecrets": [{ "name": "mine" }] } } });
        json!([{ "kind": kind, "name": "trips-run", "patch": { "spec": spec } }])
    };
    let patched = pipeline(&json!({ "namespace": "taxis", "overrides": patch("Job") }));
    manifests(&patched).unwrap();
    let objects = job::run(&patched, &job::Baggage::default()).unwrap();
    let job = objects.iter().find(|object| object.id().kind == "Job").unwrap();
    assert_eq!(job.manifest()["spec"]["template"]["spec"]["imagePullSecrets"][0]["name"], "mine");
    let unknown = pipeline(&json!({ "namespace": "taxis", "overrides": patch("CronJob") }));
    assert!(matches!(manifests(&unknown), Err(ManifestError::NoSuchObject { index: 0, .. })));
}

#[test]
fn the_pipelines_labels_are_on_every_object_and_pod_beside_runners_own() {
    let mut pipeline =
        pipeline(&json!({ "namespace": "taxis", "kafka": { "mode": "zookeeper" }, "connect": {} }));
    let labels = [("team", "graphs"), ("runner.dev/pipeline", "another")];
    pipeline.metadata.labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let mut objects = manifests(&pipeline).unwrap();
    objects.extend(job::run(&pipeline, &job::Baggage::default()).unwrap());
    for object in objects {
        let manifest = serde_json::Value::from(object.manifest().clone());
        for pointer in ["/metadata", "/spec/template/metadata"] {
            let Some(metadata) = manifest.pointer(pointer) else { continue };
            let labels = [&metadata["labels"]["team"], &metadata["labels"]["runner.dev/pipeline"]];
            assert_eq!(labels, ["graphs", "trips"], "{} {pointer}", object.id());
        }
        for pointer in ["/spec/selector", "/spec/volumeClaimTemplates", "/spec/podSelector"] {
            let selected = manifest.pointer(pointer).map(ToString::to_string).unwrap_or_default();
            assert!(!selected.contains("team"), "{}: {selected}", object.id());
        }
    }
}
