//! Runs inside the cluster: a job that is begun from here, and followed.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, ServiceAccount};
use serde_json::{Map, Value, json};

use super::deployment::{Deployment, main_example};
use super::run::counted_trips;
use super::tests::{pod, says};
use crate::external::trips;
use crate::harness::{Outcome, outcome};
use crate::servers::until;

impl Deployment {
    /// With the main example, which three loaders load.
    fn write_shared_example(&self) {
        self.write_main_example();
        let mut pipeline = main_example();
        pipeline["spec"]["stream"]["loaders"] = json!(3);
        self.write(pipeline);
    }

    /// From now on as one who may do what `k8s/role.yaml` lists, and nothing else, in a namespace that is there.
    pub fn be_bound_to_the_role(&mut self) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/role.yaml");
        let role: Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        let kubeconfig = self.namespace.kubeconfig_of("bound", &role["rules"]);
        self.be(kubeconfig);
    }

    /// Begins a run in the cluster, and follows it to its end.
    fn detached(&self) -> Outcome {
        self.runner(&["run", "--detach"]).exits(0).says("runner logs");
        self.runner(&["logs", "--follow"])
    }

    /// Puts the files of a folder of the desk on a volume.
    fn fill_volume(&self, claim: &str, folder: &str) {
        let files = fs::read_dir(self.desk.path(folder)).unwrap().map(|file| file.unwrap().path());
        let files = files.map(|file| {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            (name, json!(STANDARD.encode(fs::read(file).unwrap())))
        });
        let files = json!({ "metadata": { "name": claim }, "binaryData": files.collect::<Map<_, _>>() });
        self.namespace.apply::<ConfigMap>(&files).unwrap();
        let spec =
            json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Mi" } } });
        let volume = json!({ "metadata": { "name": claim }, "spec": spec });
        self.namespace.apply::<PersistentVolumeClaim>(&volume).unwrap();
        let mut pod = pod("fill", &["sh", "-c", "cp /files/* /volume/ && echo copied"]);
        pod["spec"]["volumes"] = json!([
            { "name": "files", "configMap": { "name": claim } },
            { "name": "volume", "persistentVolumeClaim": { "claimName": claim } },
        ]);
        pod["spec"]["containers"][0]["volumeMounts"] = json!([
            { "name": "files", "mountPath": "/files" },
            { "name": "volume", "mountPath": "/volume" },
        ]);
        assert_eq!(says(&self.namespace, &pod), "copied\n");
    }

    /// Another pipeline that uses this one's servers, as it would use those of an operator: names that only the cluster knows. Its rows
    /// lie on a volume.
    fn write_another_on_its_servers(&self) {
        let Self { namespace, desk, .. } = self;
        let host = |part: &str| format!("{}.{}.svc", self.object(part), namespace.name);
        let password = json!({ "secret": { "name": self.object("neo4j-auth"), "key": "password" } });
        let kubernetes = json!({
            "namespace": namespace.name,
            "kafka": { "existing": { "bootstrap": format!("{}:9092", host("kafka")) } },
            "neo4j": { "existing": { "uri": format!("bolt://{}:7687", host("neo4j")), "passwordFrom": password } },
            "runner": { "volume": { "claim": "trips", "path": "more" } },
        });
        desk.trips("more/1.parquet", 0, 100, i64::MAX);
        self.fill_volume("trips", "more");
        let mut pipeline = trips();
        pipeline["spec"]["source"]["parquet"] = json!("more/*.parquet");
        pipeline["spec"]["topic"] = json!({ "name": "others" });
        let cypher = pipeline["spec"]["mapping"]["cypher"].as_str().unwrap().replace("TRIP", "RIDE");
        pipeline["spec"]["mapping"]["cypher"] = json!(cypher);
        self.write_as("another", &kubernetes, pipeline);
    }

    /// How many messages are in the graph, as `status` says; none while the servers start.
    fn loaded(&self) -> u64 {
        let status = self.runner(&["status", "--output", "json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        let partitions = status["partitions"].as_array().into_iter().flatten();
        partitions.filter_map(|partition| partition["checkpoint"].as_u64()).sum()
    }

    /// The pods of a loader that are there.
    fn loader(&self, index: u32) -> Vec<Pod> {
        let job = self.object("run");
        self.namespace.list(&format!(
            "batch.kubernetes.io/job-name={job},batch.kubernetes.io/job-completion-index={index}"
        ))
    }

    /// Kills the pod of a loader once it is at work.
    fn kill_loader(&self, index: u32) {
        let running =
            |pod: &&Pod| pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running");
        let mut name = None;
        until(Duration::from_mins(1), "the loader is at work", || {
            name = self.loader(index).iter().find(running).and_then(|pod| pod.metadata.name.clone());
            name.is_some()
        });
        self.namespace.kill::<Pod>(&name.unwrap());
    }
}

fn reference(report: &Value) {
    assert_eq!(report["graph"], json!({ "nodes": { "Location": 42 }, "relationships": { "TRIP": 1530 } }));
    let ranks = report["analyses"][0]["rows"].as_array().unwrap();
    assert_eq!((&ranks[0][0], ranks.len()), (&json!(159), 42));
    assert!((ranks[0][1].as_f64().unwrap() - 3.228_248_647_841_576).abs() < 1e-9, "{}", ranks[0]);
}

#[test]
fn three_loaders_in_the_cluster_give_the_reference_and_the_report_comes_back() {
    let Some(mut deployment) = Deployment::new("detached", &json!({})) else { return };
    deployment.namespace.cluster.runner_image();
    deployment.namespace.create();
    deployment.be_bound_to_the_role();
    deployment.write_shared_example();
    deployment.runner(&["logs"]).exits(1);
    deployment.detached().exits(0).says("loaded by the other loaders");
    let report = deployment.report();
    reference(&report);
    let rows = &report["rows"];
    assert_eq!((&rows["produced"], &rows["deadLetters"]), (&json!(1_530), &json!(0)));
    let loaded = rows["written"].as_u64().unwrap() + rows["otherLoaders"].as_u64().unwrap();
    assert_eq!(loaded, 1_530, "{rows}");

    let status = deployment.runner(&["status", "--output", "json"]).exits(0);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&status["job"]["state"], &status["job"]["loaders"]), (&json!("done"), &json!(3)));

    // What is somebody else's is not overwritten.
    let private = deployment.object("run-private");
    deployment.namespace.apply::<Secret>(&json!({ "metadata": { "name": private } })).unwrap();
    deployment.runner(&["run", "--detach"]).exits(1).says("foreign-object").says(&private);
    deployment.namespace.kill::<Secret>(&private);

    deployment.detached().exits(0).says("nothing new; 1530 rows are in the graph already");
    let again = deployment.report();
    reference(&again);
    assert_eq!((&again["rows"]["produced"], &again["rows"]["otherLoaders"]), (&json!(0), &json!(0)));

    deployment.write_another_on_its_servers();
    deployment.detached().exits(0);
    let another = deployment.desk.report("another");
    assert_eq!((&another["target"], &another["rows"]["written"]), (&json!("kubernetes"), &json!(90)));
    deployment.write_shared_example();

    // A deployment from here leaves the job and its report alone; a destruction does not.
    deployment.runner(&["run"]).exits(0);
    assert_eq!(deployment.all::<Job>().len(), 1);
    deployment.runner(&["destroy", "--yes"]).exits(0);
    assert_eq!(deployment.all::<Job>().len(), 0);
    assert_eq!(deployment.all::<ServiceAccount>().len(), 0);
    assert!(deployment.namespace.get::<ConfigMap>(&deployment.object("report")).is_none());
    assert_eq!(deployment.all::<Secret>().len(), 1, "the password stays with the volumes");
}

#[test]
fn killed_pods_of_the_job_do_not_change_the_graph() {
    let Some(deployment) = Deployment::new("restarted", &json!({})) else { return };
    deployment.namespace.cluster.runner_image();
    let (files, in_each) = (4, 5_000);
    let rows = files * in_each;
    for number in 0..files {
        deployment.desk.trips(&format!("data/{number}.parquet"), number * in_each, in_each, i64::MAX);
    }
    let mut pipeline = counted_trips(rows);
    // The first two pods produce.
    pipeline["spec"]["stream"] = json!({ "batchRows": 50, "producers": 2, "loaders": 3 });
    deployment.write(pipeline);
    deployment.runner(&["run", "--detach"]).exits(0);
    deployment.runner(&["run", "--detach"]).exits(1).says("is under way");
    let following = deployment.start(&["logs", "--follow"]);
    for loader in [1, 0] {
        deployment.kill_loader(loader);
    }
    until(Duration::from_mins(3), "rows are loaded", || deployment.loaded() > 0);
    for loader in [0, 2] {
        deployment.kill_loader(loader);
    }
    outcome(following).exits(0);
    let report = deployment.report();
    let right = json!(rows / 10 * 9);
    assert_eq!(report["analyses"][0]["rows"][0], json!([right, right, right]), "{}", report["rows"]);
    // What a killed pod had sent may arrive beside what its successor sends.
    assert!(report["rows"]["otherProducers"].as_i64() >= Some(rows / 10 * 9 / 2), "{}", report["rows"]);
}

#[test]
fn a_run_that_cannot_succeed_is_given_up_at_once_with_its_report() {
    let Some(deployment) = Deployment::new("hopeless", &json!({})) else { return };
    deployment.namespace.cluster.runner_image();
    deployment.write_main_example();
    let mut pipeline = main_example();
    pipeline["spec"]["expect"]["nodes"]["Location"] = json!(43);
    deployment.write(pipeline);
    deployment.detached().exits(1).says("expected 43");
    assert_eq!(deployment.report()["status"], "failed");
    deployment.desk.trips("more/large.parquet", 0, 200_000, i64::MAX);
    let mut pipeline = counted_trips(200_000);
    pipeline["spec"]["source"]["parquet"] = json!("more/*.parquet");
    deployment.write(pipeline);
    deployment.runner(&["run", "--detach"]).exits(1).says("not-in-cluster");
}
