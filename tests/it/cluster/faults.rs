//! What can go wrong in a cluster, provoked for real, and what is said of it.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, ResourceQuota};
use serde_json::{Value, json};

use super::bed::Namespace;
use super::deployment::Deployment;
use crate::external::trips;
use crate::harness::{Outcome, outcome};
use crate::kills::interrupt;
use crate::proxy::{Proxy, Way};
use crate::servers::until;

/// Within what a fault is told, on a machine that has much else to do: others take a second, that of memory some restarts.
const PATIENCE: Duration = Duration::from_mins(5);

/// A few trips, to be deployed as this says.
fn deploying(mut deployment: Deployment) -> Deployment {
    // One server is enough to go wrong.
    deployment.infrastructure["neo4j"] = json!({ "existing": { "uri": "bolt://graph:7687" } });
    deployment.desk.trips("data/1.parquet", 0, 100, i64::MAX);
    deployment.write(trips());
    deployment
}

/// The same in a namespace that is there, with these settings of Kafka's.
fn deployment(name: &str, kafka: &Value) -> Option<Deployment> {
    Some(deploying(Deployment::of(Namespace::make(name)?, kafka)))
}

/// The finding, without what is another in each run: names, the length of what is underlined, how often an event came.
fn told(deployment: &Deployment, outcome: &Outcome) -> String {
    let lines = outcome.stderr.lines().skip_while(|line| !line.starts_with("error"));
    let lines =
        lines.take_while(|line| !line.starts_with("report:") && !line.ends_with("the latest events:"));
    let lines = lines.map(|line| match line.split_once('^') {
        Some((before, _)) if before.trim() == "|" => format!("{before}^"),
        _ => line.replace(deployment.name(), "NAME"),
    });
    lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

/// A run that fails long before anybody would lose patience, and what is told.
fn fails(deployment: &Deployment) -> String {
    let begun = Instant::now();
    let outcome = deployment.runner(&["run"]).exits(1);
    let took = begun.elapsed();
    assert!(took < PATIENCE, "{took:?}: {outcome:?}");
    told(deployment, &outcome)
}

#[test]
fn an_image_that_cannot_be_pulled() {
    let Some(deployment) = deployment("image", &json!({ "image": "apache/kafka:0.0.0" })) else { return };
    // The pod's state and its events tell the same, the latter with a few words before it.
    let before = "Failed to pull image \"apache/kafka:0.0.0\": ";
    insta::assert_snapshot!(fails(&deployment).replace(before, ""));
}

#[test]
fn a_request_that_no_node_can_give() {
    let kafka = json!({ "resources": { "requests": { "cpu": "64" } } });
    let Some(deployment) = deployment("request", &kafka) else { return };
    insta::assert_snapshot!(fails(&deployment));
}

#[test]
fn a_limit_in_which_kafka_cannot_live() {
    let memory = json!({ "memory": "100Mi" });
    let kafka = json!({ "resources": { "requests": memory, "limits": memory } });
    let Some(deployment) = deployment("limit", &kafka) else { return };
    insta::assert_snapshot!(fails(&deployment));
}

#[test]
fn a_storage_class_that_is_not_there() {
    let Some(mut deployment) = deployment("storage", &json!({})) else { return };
    let claim = json!({ "metadata": { "name": "data" }, "spec": { "storageClassName": "fast" } });
    deployment.infrastructure["overrides"] = json!([{
        "kind": "StatefulSet", "name": deployment.object("kafka"), "patch": { "spec": { "volumeClaimTemplates": [claim] } },
    }]);
    deployment.write(trips());
    insta::assert_snapshot!(fails(&deployment));
}

#[test]
fn a_stop_is_heard_while_pods_are_awaited_and_one_who_may_not_change_the_namespace_goes_on() {
    let Some(namespace) = Namespace::reserve("stopped") else { return };
    let kafka = json!({ "resources": { "requests": { "cpu": "64" } } });
    let mut deployment = deploying(Deployment::of(namespace, &kafka));
    let child = deployment.start(&["run"]);
    until(Duration::from_mins(1), "there is a pod", || !deployment.all::<Pod>().is_empty());
    interrupt(&child);
    let begun = Instant::now();
    let outcome = outcome(child).exits(130);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}: {outcome:?}", begun.elapsed());
    assert_eq!(deployment.report()["status"], "interrupted");
    assert!(!deployment.all::<StatefulSet>().is_empty(), "what was applied stands");

    // Runner made the namespace, and this one may not make or change any.
    deployment.be_bound_to_the_role();
    let plan = deployment.runner(&["plan", "--output", "json"]).exits(0);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    let namespace = plan["objects"].as_array().unwrap().iter().find(|object| object["kind"] == "Namespace");
    assert_eq!(namespace.unwrap()["action"], "leave");
    let told = fails(&deployment);
    assert!(!told.contains("permission-missing"), "{told}");
}

#[test]
fn a_port_of_this_machine_that_is_taken() {
    let Some(deployment) = deployment("port", &json!({})) else { return };
    let port = deployment.infrastructure["forward"]["kafka"].as_u64().unwrap();
    let _taken = TcpListener::bind(("127.0.0.1", u16::try_from(port).unwrap())).unwrap();
    let told = fails(&deployment);
    insta::assert_snapshot!(told.replace(&port.to_string(), "PORT"));
}

#[test]
fn a_quota_that_admits_no_pod() {
    let Some(deployment) = deployment("quota", &json!({})) else { return };
    let quota = json!({ "metadata": { "name": "none" }, "spec": { "hard": { "pods": "0" } } });
    deployment.namespace.apply::<ResourceQuota>(&quota).unwrap();
    insta::assert_snapshot!(fails(&deployment));
}

#[test]
fn a_right_that_is_missing() {
    let Some(mut deployment) = deployment("rights", &json!({})) else { return };
    let rules = json!([{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"] }]);
    let kubeconfig = deployment.namespace.kubeconfig_of("reader", &rules);
    deployment.be(kubeconfig);
    insta::assert_snapshot!(fails(&deployment));
}

#[test]
fn a_namespace_that_is_being_deleted() {
    let Some(deployment) = deployment("terminating", &json!({})) else { return };
    let held = json!({ "metadata": { "name": "held", "finalizers": ["runner.dev/test"] } });
    deployment.namespace.apply::<ConfigMap>(&held).unwrap();
    deployment.namespace.delete();
    until(Duration::from_secs(10), "it is terminating", || deployment.namespace.is_terminating());
    let told = fails(&deployment);
    deployment.namespace.edit::<ConfigMap>("held", &json!({ "metadata": { "finalizers": null } }));
    insta::assert_snapshot!(told);
}

#[test]
fn an_api_server_that_goes_half_way() {
    let Some(mut deployment) = deployment("gone", &json!({})) else { return };
    let cluster = deployment.namespace.cluster;
    let proxy = Proxy::to(cluster.address());
    let server = format!("https://{}", proxy.address());
    deployment
        .be(cluster.kubeconfig_with(|config| config["clusters"][0]["cluster"]["server"] = json!(server)));
    let child = deployment.start(&["run"]);
    until(Duration::from_mins(1), "there is a pod", || !deployment.all::<Pod>().is_empty());
    proxy.set(Way::Refuse);
    proxy.cut();
    let begun = Instant::now();
    let outcome = outcome(child).exits(1);
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
    // What exactly a cut connection ends with is the moment's.
    let told = told(&deployment, &outcome).replace(&proxy.address(), "ADDRESS");
    let lines = told.lines().map(|line| match line.split_once(" cannot be reached: ") {
        Some((what, _)) => format!("{what} cannot be reached"),
        None => line.to_owned(),
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}
