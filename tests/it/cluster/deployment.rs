//! A pipeline that is deployed to a namespace of its own.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};

use super::bed::{Kind, Namespace};
use crate::harness::{Desk, Outcome, Running, examples, outcome};

/// A namespace that runner is to make, a desk with pipeline files that name it, and the cluster for this test alone as far as
/// others wait for their turn, too: what is deployed takes most of the machine.
pub struct Deployment {
    pub namespace: Namespace,
    pub desk: Desk,
    /// `infrastructure.kubernetes`.
    pub infrastructure: Value,
    kubeconfig: PathBuf,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl Deployment {
    /// With these settings of Kafka's; for a test that deploys servers and waits for them.
    pub fn new(name: &str, kafka: &Value) -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let namespace = Namespace::reserve(name)?;
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Some(Self { _turn: Some(turn), ..Self::of(namespace, kafka) })
    }

    /// In this namespace; for a test whose servers do not come to much.
    pub fn of(namespace: Namespace, kafka: &Value) -> Self {
        let kubeconfig = namespace.cluster.kubeconfig();
        let brokers = kafka["brokers"].as_u64().unwrap_or(1);
        let infrastructure = json!({
            "namespace": namespace.name,
            "kafka": kafka,
            "forward": { "kafka": free_ports(u16::try_from(brokers).unwrap()) },
        });
        Self { namespace, desk: Desk::new(), infrastructure, kubeconfig, _turn: None }
    }

    /// From now on as who this kubeconfig says.
    pub fn be(&mut self, kubeconfig: PathBuf) {
        self.kubeconfig = kubeconfig;
    }

    /// The name of the pipeline, and what its objects' names begin with: that of the namespace.
    pub fn name(&self) -> &str {
        &self.namespace.name
    }

    /// Writes a pipeline that is deployed here.
    pub fn write(&self, pipeline: Value) {
        self.write_as(self.name(), &self.infrastructure, pipeline);
    }

    /// Writes a pipeline of another name.
    pub fn write_as(&self, name: &str, kubernetes: &Value, mut pipeline: Value) {
        pipeline["metadata"]["name"] = json!(name);
        pipeline["spec"]["infrastructure"] = json!({ "kubernetes": kubernetes });
        self.desk.write("pipeline.yaml", &serde_yaml::to_string(&pipeline).unwrap());
    }

    /// Writes the main example, as far as images without Graph Data Science can have it.
    pub fn write_main_example(&self) {
        let data = self.desk.path("data");
        if !data.exists() {
            symlink(examples().join("data"), data).unwrap();
        }
        self.write(main_example());
    }

    fn words<'a>(&'a self, words: &[&'a str]) -> Vec<&'a str> {
        let (command, rest) = words.split_first().unwrap();
        [&[command, "pipeline.yaml", "--kubeconfig", self.kubeconfig.to_str().unwrap()], rest].concat()
    }

    /// A command on the pipeline, such as `["run", "--fresh"]`.
    pub fn runner(&self, words: &[&str]) -> Outcome {
        outcome(self.start(words))
    }

    pub fn start(&self, words: &[&str]) -> Child {
        self.desk.start(&self.words(words))
    }

    /// The same, and hears what it says on the way.
    pub fn follow(&self, words: &[&str]) -> Running {
        self.desk.follow(&self.words(words))
    }

    pub fn report(&self) -> Value {
        self.desk.report(self.name())
    }

    /// The name of one of its objects: `kafka` is `trips-1-kafka`.
    pub fn object(&self, part: &str) -> String {
        format!("{}-{part}", self.name())
    }

    pub fn pod(&self, part: &str) -> Pod {
        self.namespace.get(&self.object(part)).unwrap()
    }

    /// All of a kind that bear the pipeline's label, by name.
    pub fn all<K: Kind>(&self) -> Vec<String> {
        let found = self.namespace.list::<K>(&format!("runner.dev/pipeline={}", self.name()));
        found.iter().filter_map(|object| object.meta().name.clone()).collect()
    }

    /// How often a stateful set has been changed since it was made.
    pub fn generation(&self, part: &str) -> i64 {
        let set: StatefulSet = self.namespace.get(&self.object(part)).unwrap();
        set.metadata.generation.unwrap()
    }
}

/// The main example without plugins, which the images of the test bed do not have.
pub fn main_example() -> Value {
    let text = fs::read_to_string(Path::new(&examples()).join("bronx-taxi.yaml")).unwrap();
    serde_yaml::from_str(&text).unwrap()
}

/// The first of so many free ports in a row, below those that outgoing connections get.
fn free_ports(count: u16) -> u16 {
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let first = fastrand::u16(20_000..30_000);
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}
