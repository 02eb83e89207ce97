//! The cluster that tests share, and a namespace for each of them.

use std::fmt::Debug;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Once};
use std::thread;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::{Namespace as KubeNamespace, ServiceAccount};
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::servers::{Server, unique, wait_for};

/// One Kubernetes, under its supervisor.
pub struct Cluster {
    server: Server,
}

impl Cluster {
    /// The cluster of all tests, started by the first one that asks and ended with this process. None, with a loud word of the
    /// reason, where this machine cannot have one.
    pub fn shared() -> Option<&'static Self> {
        static SHARED: LazyLock<Result<Cluster, String>> = LazyLock::new(|| {
            possible()?;
            Ok(Cluster { server: Server::start("cluster", Vec::new()) })
        });
        let cluster = SHARED.as_ref();
        cluster
            .inspect_err(|reason| {
                let test = thread::current().name().unwrap_or("a test").to_owned();
                // Not by `eprintln`, which the test harness captures.
                let word = format!("\nNOT TESTED: {test}: {reason}\n");
                io::stderr().write_all(word.as_bytes()).unwrap();
            })
            .ok()
    }

    /// The kubeconfig of one who may do everything.
    pub fn kubeconfig(&self) -> PathBuf {
        PathBuf::from(self.server.fact("kubeconfig"))
    }

    /// `127.0.0.1:PORT` of the API server.
    pub fn address(&self) -> &str {
        self.server.fact("address")
    }

    /// The folder of `helm` and other programs.
    pub fn programs(&self) -> PathBuf {
        PathBuf::from(self.server.fact("programs"))
    }

    /// Writes a kubeconfig beside the own one, changed, and gives its path.
    pub fn kubeconfig_with(&self, change: impl FnOnce(&mut Value)) -> PathBuf {
        let mut config: Value =
            serde_yaml::from_str(&fs::read_to_string(self.kubeconfig()).unwrap()).unwrap();
        change(&mut config);
        let path = self.server.folder().join(unique("kubeconfig"));
        fs::write(&path, config.to_string()).unwrap();
        path
    }

    /// The name of an image with the program in it that these tests are of.
    pub fn runner_image(&self) -> &'static str {
        const NAME: &str = concat!("ghcr.io/runner-dev/runner:", env!("CARGO_PKG_VERSION"));
        static IMPORTED: Once = Once::new();
        IMPORTED.call_once(|| {
            let archive = self.server.folder().join("runner.tar");
            succeeds(
                Command::new(testbed("cluster/image"))
                    .args([env!("CARGO_BIN_EXE_runner"), env!("CARGO_PKG_VERSION")])
                    .arg(&archive),
            );
            succeeds(script().arg("import").arg(self.server.folder()).arg(&archive));
            fs::remove_file(archive).unwrap();
        });
        NAME
    }

    /// Runs something with a client, to its end.
    pub fn with<T: Send, F: Future<Output = T> + Send>(&self, work: impl FnOnce(Client) -> F + Send) -> T {
        as_of(&self.kubeconfig(), work)
    }
}

/// Runs something with a client of this kubeconfig, to its end.
pub fn as_of<T: Send, F: Future<Output = T> + Send>(
    kubeconfig: &Path,
    work: impl FnOnce(Client) -> F + Send,
) -> T {
    wait_for(async move {
        let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        work(Client::try_from(config).unwrap()).await
    })
}

fn testbed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed").join(path)
}

fn script() -> Command {
    Command::new(testbed("cluster/cluster"))
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Whether this machine can have a node; the reason, where it cannot.
fn possible() -> Result<(), String> {
    let output = script().arg("possible").output().unwrap();
    let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(reason) }
}

/// What lives in a namespace.
pub trait Kind:
    Resource<Scope = NamespaceResourceScope, DynamicType = ()>
    + Clone
    + Debug
    + DeserializeOwned
    + Serialize
    + Send
    + Sync
    + 'static
{
}

impl<K> Kind for K where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Serialize
        + Send
        + Sync
        + 'static
{
}

/// A namespace that no other test has, deleted with all that is in it when this is dropped.
pub struct Namespace {
    pub cluster: &'static Cluster,
    pub name: String,
}

impl Namespace {
    /// The name of a namespace that nobody has made yet.
    pub fn reserve(name: &str) -> Option<Self> {
        Some(Self { cluster: Cluster::shared()?, name: unique(name) })
    }

    /// An empty namespace.
    pub fn make(name: &str) -> Option<Self> {
        let namespace = Self::reserve(name)?;
        namespace.create();
        Some(namespace)
    }

    /// Makes it, as someone who is not runner.
    pub fn create(&self) {
        let object = json!({ "metadata": { "name": self.name } });
        self.cluster.with(async |client| {
            let all: Api<KubeNamespace> = Api::all(client);
            all.create(&PostParams::default(), &serde_json::from_value(object).unwrap()).await.unwrap();
        });
    }

    /// The kubeconfig of a service account that may do this in the namespace, and nothing else.
    pub fn kubeconfig_of(&self, name: &str, rules: &Value) -> PathBuf {
        self.apply::<ServiceAccount>(&json!({ "metadata": { "name": name } })).unwrap();
        self.apply::<Role>(&json!({ "metadata": { "name": name }, "rules": rules })).unwrap();
        let binding = json!({
            "metadata": { "name": name },
            "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": name, "namespace": self.name }],
        });
        self.apply::<RoleBinding>(&binding).unwrap();
        let request = TokenRequest::default();
        let answer = self.with(async |api: Api<ServiceAccount>| {
            api.create_token_request(name, &PostParams::default(), &request).await
        });
        let token = answer.status.unwrap().token;
        self.cluster.kubeconfig_with(|config| config["users"][0]["user"] = json!({ "token": token }))
    }

    fn object(&self) -> Option<KubeNamespace> {
        self.cluster.with(async |client| Api::all(client).get_opt(&self.name).await.unwrap())
    }

    /// Whether it is there.
    pub fn exists(&self) -> bool {
        self.object().is_some()
    }

    /// Whether it is on its way out.
    pub fn is_terminating(&self) -> bool {
        self.object().is_some_and(|namespace| namespace.metadata.deletion_timestamp.is_some())
    }

    /// Asks that it be deleted, if it is there, and does not wait for it.
    pub fn delete(&self) {
        self.cluster.with(async |client| {
            let all: Api<KubeNamespace> = Api::all(client);
            // It may never have been made.
            drop(all.delete(&self.name, &DeleteParams::background()).await);
        });
    }

    fn with<K: Kind, T: Send, F: Future<Output = kube::Result<T>> + Send>(
        &self,
        work: impl FnOnce(Api<K>) -> F + Send,
    ) -> T {
        self.cluster.with(async |client| work(Api::namespaced(client, &self.name)).await.unwrap())
    }

    pub fn get<K: Kind>(&self, name: &str) -> Option<K> {
        self.with(async |api: Api<K>| api.get_opt(name).await)
    }

    /// All of a kind that bear these labels; all, where it is empty.
    pub fn list<K: Kind>(&self, labels: &str) -> Vec<K> {
        self.with(async |api: Api<K>| api.list(&ListParams::default().labels(labels)).await).items
    }

    /// Makes an object, or changes it, as someone who is not runner.
    pub fn apply<K: Kind>(&self, object: &Value) -> kube::Result<K> {
        let mut object = object.clone();
        object["apiVersion"] = json!(K::api_version(&()));
        object["kind"] = json!(K::kind(&()));
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let parameters = PatchParams::apply("somebody").force();
        self.with(async |api: Api<K>| Ok(api.patch(&name, &parameters, &Patch::Apply(&object)).await))
    }

    /// Changes fields of an object by a merge patch, as `kubectl edit` does.
    pub fn edit<K: Kind>(&self, name: &str, change: &Value) {
        let parameters = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..Default::default() };
        self.with(async |api: Api<K>| api.patch(name, &parameters, &Patch::Merge(change)).await);
    }

    /// Deletes an object, a pod without any time to stop.
    pub fn kill<K: Kind>(&self, name: &str) {
        self.with(async |api: Api<K>| api.delete(name, &DeleteParams::default().grace_period(0)).await);
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.delete();
    }
}
