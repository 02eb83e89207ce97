//! From an empty cluster to the results, and what stands there after.

use std::thread::sleep;
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::{Deployment as KubeDeployment, StatefulSet};
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::{Value, json};

use super::deployment::Deployment;
use crate::external::trips;

/// Runs the main example: its own assertions hold the scores, and `expect` the counts.
pub fn gives_the_reference(deployment: &Deployment) -> Value {
    deployment.write_main_example();
    deployment.runner(&["run"]).exits(0);
    let report = deployment.report();
    assert_eq!(report["graph"], json!({ "nodes": { "Location": 42 }, "relationships": { "TRIP": 1530 } }));
    let ranks = report["analyses"][0]["rows"].as_array().unwrap();
    assert_eq!((&ranks[0][0], ranks.len()), (&json!(159), 42));
    assert!((ranks[0][1].as_f64().unwrap() - 3.228_248_647_841_576).abs() < 1e-9, "{}", ranks[0]);
    assert_eq!((&report["target"], &report["status"]), (&json!("kubernetes"), &json!("done")));
    assert_eq!((&report["rows"]["produced"], &report["rows"]["written"]), (&json!(1_530), &json!(1_530)));
    report
}

/// Runs it again: no object changes, and no row is written.
fn changes_nothing_by_another_run(deployment: &Deployment, before: &Value) {
    let sets = ["kafka", "neo4j"].map(|part| deployment.generation(part));
    let pods = ["kafka-0", "neo4j-0"].map(|part| deployment.pod(part).metadata.uid);
    deployment.runner(&["run"]).exits(0).says("nothing new; 1530 rows are in the graph already");
    let again = deployment.report();
    for count in ["produced", "consumed", "written", "deadLetters", "duplicates"] {
        assert_eq!(again["rows"][count], 0, "{count}");
    }
    assert_eq!(again["graph"], before["graph"]);
    assert_eq!(again["analyses"][0]["rows"], before["analyses"][0]["rows"]);
    assert_eq!(["kafka", "neo4j"].map(|part| deployment.generation(part)), sets);
    assert_eq!(["kafka-0", "neo4j-0"].map(|part| deployment.pod(part).metadata.uid), pods);
}

/// Someone changes an object by hand, and deletes another: both is seen, and put right.
fn puts_changes_by_hand_right(deployment: &Deployment) {
    deployment.runner(&["plan", "--exit-code"]).exits(0);
    let service = deployment.object("kafka");
    deployment.namespace.kill::<Service>(&service);
    deployment.runner(&["plan", "--exit-code"]).exits(2).says(&service);
    let set = deployment.object("kafka");
    let change = json!({ "spec": { "template": { "spec": { "terminationGracePeriodSeconds": 7 } } } });
    deployment.namespace.edit::<StatefulSet>(&set, &change);
    let plan = deployment.runner(&["plan", "--exit-code"]).exits(2);
    plan.says("terminationGracePeriodSeconds").says("kubectl-edit");
    // What another has taken over is not taken back without a word.
    deployment.runner(&["run"]).exits(1).says("kubectl-edit");
    deployment.runner(&["run", "--force-conflicts"]).exits(0);
    let set: StatefulSet = deployment.namespace.get(&set).unwrap();
    let grace = set.spec.unwrap().template.spec.unwrap().termination_grace_period_seconds;
    assert_ne!(grace, Some(7));
    assert!(deployment.namespace.get::<Service>(&service).is_some());
    deployment.runner(&["plan", "--exit-code"]).exits(0);
}

/// Another number of brokers, or another mode, would throw the topics away.
fn keeps_its_brokers(deployment: &mut Deployment) {
    let generation = deployment.generation("kafka");
    refuses_other_brokers(deployment);
    assert_eq!(deployment.generation("kafka"), generation);
}

fn refuses_other_brokers(deployment: &mut Deployment) {
    let cases = [("plan", json!({ "brokers": 3 })), ("run", json!({ "mode": "zookeeper" }))];
    for (command, kafka) in cases {
        let as_it_is = std::mem::replace(&mut deployment.infrastructure["kafka"], kafka);
        deployment.write_main_example();
        deployment.runner(&[command]).exits(1).says("kafka-fixed").says("--delete-data");
        deployment.infrastructure["kafka"] = as_it_is;
    }
    deployment.write_main_example();
}

/// Nothing of the pipeline is left but what was said; what is not runner's stays.
fn destroys_what_is_its_own(deployment: &mut Deployment) {
    let others = json!({ "metadata": { "name": "somebodys" }, "data": { "a": "1" } });
    deployment.namespace.apply::<ConfigMap>(&others).unwrap();
    deployment.runner(&["destroy", "--yes"]).exits(0);
    assert_eq!(deployment.all::<StatefulSet>().len(), 0);
    assert_eq!(deployment.all::<KubeDeployment>().len(), 0);
    assert_eq!(deployment.all::<Service>().len(), 0);
    assert_eq!(deployment.all::<PodDisruptionBudget>().len(), 0);
    assert_eq!(deployment.namespace.list::<Pod>("").len(), 0);
    assert_eq!(deployment.namespace.list::<PersistentVolumeClaim>("").len(), 2, "volumes are kept");
    refuses_other_brokers(deployment);
    assert!(deployment.namespace.get::<ConfigMap>("somebodys").is_some());
    deployment.runner(&["destroy", "--yes", "--delete-data"]).exits(0);
    assert_eq!(deployment.namespace.list::<PersistentVolumeClaim>("").len(), 0);
    assert_eq!(deployment.all::<Secret>().len(), 0);
    assert!(deployment.namespace.get::<ConfigMap>("somebodys").is_some());
}

#[test]
fn the_main_example_comes_from_an_empty_cluster_to_the_reference_is_stable_and_goes() {
    let Some(mut deployment) = Deployment::new("bronx", &json!({ "mode": "kraft" })) else { return };
    assert!(!deployment.namespace.exists());
    let report = gives_the_reference(&deployment);
    changes_nothing_by_another_run(&deployment, &report);
    puts_changes_by_hand_right(&deployment);
    keeps_its_brokers(&mut deployment);
    destroys_what_is_its_own(&mut deployment);
}

#[test]
fn the_main_example_gives_the_reference_on_zookeeper() {
    let Some(deployment) = Deployment::new("zoo", &json!({ "mode": "zookeeper" })) else { return };
    let report = gives_the_reference(&deployment);
    changes_nothing_by_another_run(&deployment, &report);
}

#[test]
fn the_main_example_gives_the_reference_on_three_brokers() {
    if !all() {
        return;
    }
    let Some(deployment) = Deployment::new("three", &json!({ "brokers": 3 })) else { return };
    let report = gives_the_reference(&deployment);
    changes_nothing_by_another_run(&deployment, &report);
}

/// Whether the long tests are wanted, too (`make cluster-test`).
fn all() -> bool {
    std::env::var_os("CLUSTER").is_some()
}

/// Many trips, and an analysis that counts those that are as they should be.
pub fn counted_trips(rows: i64) -> Value {
    let mut pipeline = trips();
    let right = "a.id = t.n * 7 % 53 AND b.id = t.n * 11 % 59 AND t.distance = t.n / 7.0 AND t.n % 10 < 9";
    pipeline["spec"]["analyses"] = json!([{ "name": "whole", "cypher": format!(
        "MATCH (a:Zone)-[t:TRIP]->(b:Zone)
         RETURN count(t) AS trips, count(DISTINCT t.n) AS numbers, sum(CASE WHEN {right} THEN 1 ELSE 0 END) AS right"
    ) }]);
    pipeline["spec"]["stream"] = json!({ "batchRows": rows / 50 });
    pipeline["spec"]["expect"] = json!({ "relationships": { "TRIP": rows / 10 * 9 } });
    pipeline
}

/// A run whose pod is killed so long after its servers were ready, and the graph after it.
fn survives(deployment: &Deployment, part: &str, rows: i64, after: Duration) {
    let mut pipeline = counted_trips(rows);
    pipeline["spec"]["topic"]["name"] = json!(format!("{part}-dies-{}", after.as_millis()));
    deployment.write(pipeline);
    let begun = Instant::now();
    let mut run = deployment.follow(&["run", "--fresh", "--yes"]);
    assert!(run.until("deploy"), "{:#?}", run.said);
    sleep(after);
    let killed = deployment.pod(part).metadata.uid;
    deployment.namespace.kill::<Pod>(&deployment.object(part));
    assert!(run.is_alive(), "it was too late: {:#?}", run.said);
    assert_eq!(run.end(), Some(0), "{:#?}", run.said);
    assert_ne!(deployment.pod(part).metadata.uid, killed);
    let report = deployment.report();
    let right = json!(rows / 10 * 9);
    assert_eq!(report["analyses"][0]["rows"][0], json!([right, right, right]), "{part}");
    println!("{part} killed: {:.1} s, {}", begun.elapsed().as_secs_f64(), report["rows"]);
}

#[test]
fn killed_pods_of_kafka_and_neo4j_do_not_change_the_graph() {
    let Some(deployment) = Deployment::new("killed", &json!({})) else { return };
    let (rows, moments) =
        if all() { (500_000, &[0, 1_000, 3_000, 5_000][..]) } else { (50_000, &[1_000][..]) };
    deployment.desk.trips("data/1.parquet", 0, rows, i64::MAX);
    deployment.write(counted_trips(rows));
    deployment.runner(&["run"]).exits(0);
    for after in moments.iter().copied().map(Duration::from_millis) {
        survives(&deployment, "kafka-0", rows, after);
        survives(&deployment, "neo4j-0", rows, after);
    }
}
