//! The cluster itself.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod};
use kube::api::{Api, DeleteParams, ListParams, LogParams};
use serde_json::{Value, json};

use super::bed::{Namespace, as_of};
use crate::proxy::{Proxy, Way};
use crate::servers::until;

/// A pod that passes Pod Security `restricted`, and runs a command once.
pub fn pod(name: &str, command: &[&str]) -> Value {
    json!({
        "metadata": { "name": name },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 0,
            "securityContext": { "runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{
                "name": "one",
                "image": "busybox:1.35",
                "command": command,
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true,
                    "capabilities": { "drop": ["ALL"] },
                },
            }],
        },
    })
}

/// What a pod has said when it has ended.
pub fn says(namespace: &Namespace, pod: &Value) -> String {
    namespace.apply::<Pod>(pod).unwrap();
    let name = pod["metadata"]["name"].as_str().unwrap();
    let phase = || namespace.get::<Pod>(name).unwrap().status.unwrap().phase.unwrap();
    until(Duration::from_mins(3), "the pod has ended", || ["Succeeded", "Failed"].contains(&&*phase()));
    namespace.cluster.with(async |client| {
        Api::<Pod>::namespaced(client, &namespace.name).logs(name, &LogParams::default()).await.unwrap()
    })
}

#[test]
fn a_pod_with_a_volume_knows_the_names_inside_and_has_no_way_out() {
    let Some(namespace) = Namespace::make("one-pod") else { return };
    let claim = json!({ "metadata": { "name": "data" }, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "1Mi" } },
    } });
    namespace.apply::<PersistentVolumeClaim>(&claim).unwrap();
    let line = "touch /data/mine && until nslookup kubernetes.default.svc.cluster.local; do sleep 1; done && ! nslookup example.com \
        && ! nc -w 2 1.1.1.1 53 </dev/null && echo as it should be";
    let mut pod = pod("shell", &["sh", "-c", line]);
    pod["spec"]["volumes"] = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "data" } }]);
    pod["spec"]["containers"][0]["volumeMounts"] = json!([{ "name": "data", "mountPath": "/data" }]);
    let said = says(&namespace, &pod);
    assert!(said.ends_with("as it should be\n"), "{said}");
}

#[test]
fn the_program_runs_in_a_pod() {
    let Some(namespace) = Namespace::make("program") else { return };
    let mut pod = pod("runner", &["runner", "--version"]);
    pod["spec"]["containers"][0]["image"] = json!(namespace.cluster.runner_image());
    pod["spec"]["securityContext"]["runAsUser"] = Value::Null;
    assert_eq!(says(&namespace, &pod), format!("runner {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_pod_that_is_not_restricted_is_refused() {
    let Some(namespace) = Namespace::make("refused") else { return };
    let mut loose = pod("loose", &["true"]);
    loose["spec"]["securityContext"] = json!({});
    let refused = namespace.apply::<Pod>(&loose).unwrap_err().to_string();
    assert!(refused.contains("violates PodSecurity \"restricted:latest\""), "{refused}");
}

#[test]
fn a_namespace_goes_with_its_test() {
    let Some(namespace) = Namespace::make("gone") else { return };
    assert!(namespace.exists());
    let Some(mut same) = Namespace::reserve("other") else { return };
    same.name.clone_from(&namespace.name);
    drop(namespace);
    until(Duration::from_secs(30), "the namespace is gone", || !same.exists());
}

#[test]
fn a_service_account_may_do_what_its_role_says_and_nothing_else() {
    let Some(namespace) = Namespace::make("restricted") else { return };
    let rules = json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"] }]);
    let kubeconfig = namespace.kubeconfig_of("reader", &rules);
    namespace.apply::<ConfigMap>(&json!({ "metadata": { "name": "one" }, "data": { "a": "1" } })).unwrap();
    namespace.edit::<ConfigMap>("one", &json!({ "data": { "a": "2" } }));
    let (seen, refused) = as_of(&kubeconfig, async |client| {
        let api: Api<ConfigMap> = Api::namespaced(client, &namespace.name);
        let seen = api.get("one").await.unwrap().data.unwrap();
        (seen["a"].clone(), api.delete("one", &DeleteParams::default()).await.unwrap_err().to_string())
    });
    assert_eq!(seen, "2");
    assert!(refused.contains("cannot delete resource \"configmaps\""), "{refused}");
    namespace.kill::<ConfigMap>("one");
    assert_eq!(namespace.list::<ConfigMap>("").len(), 1, "the authority's");
}

#[test]
fn an_api_server_can_go_and_come_back_for_one_client_alone() {
    let Some(namespace) = Namespace::make("cut") else { return };
    let proxy = Proxy::to(namespace.cluster.address());
    let server = format!("https://{}", proxy.address());
    let kubeconfig = namespace
        .cluster
        .kubeconfig_with(|config| config["clusters"][0]["cluster"]["server"] = json!(server));
    let reads = || {
        as_of(&kubeconfig, async |client| {
            Api::<Pod>::namespaced(client, &namespace.name).list(&ListParams::default()).await.is_ok()
        })
    };
    assert!(reads());
    proxy.set(Way::Refuse);
    assert!(!reads());
    proxy.set(Way::Pass);
    assert!(reads());
}
