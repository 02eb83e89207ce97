//! Neo4j: one server with its volume, plugins and memory.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{Container, EnvVar, HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ManifestError;
use super::parts::{self, Component, ServiceKind, env};
use crate::infrastructure::endpoints::{BOLT_PORT, HTTP_PORT, Names};
use crate::infrastructure::{Object, Wave};
use crate::spec::{Neo4j, Plugin, SecretKey, quantity};

/// The image where the file names none.
const IMAGE: &str = "neo4j:5.26.30";
/// The user of the image.
const USER: i64 = 7474;
/// The key of the password in the Secret that runner makes.
pub(crate) const PASSWORD_KEY: &str = "password";
const REQUESTS: [(&str, &str); 2] = [("cpu", "250m"), ("memory", "1536Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "2Gi")];
const MEBIBYTE: u64 = 1 << 20;

/// Where the password is in the cluster: the Secret that the file names, else the one that runner makes.
#[must_use]
pub fn password(names: &Names, spec: &Neo4j) -> SecretKey {
    let given = spec.password_from.as_ref().and_then(|source| source.secret.clone());
    given.unwrap_or_else(|| SecretKey { name: names.neo4j_auth(), key: PASSWORD_KEY.to_owned() })
}

pub(super) fn objects(names: &Names, spec: &Neo4j) -> Result<Vec<Object>, ManifestError> {
    let component = Component { names, name: "neo4j" };
    let ports = [("bolt", BOLT_PORT), ("http", HTTP_PORT)];
    let service = component.service(names.neo4j(), ServiceKind::Balanced, &ports);
    Ok(vec![
        Object::typed(Wave::Network, &service)?,
        Object::typed(Wave::Servers, &server(component, spec, &ports))?,
    ])
}

fn server(component: Component<'_>, spec: &Neo4j, ports: &[(&str, u16)]) -> StatefulSet {
    let names = component.names;
    let answers = HTTPGetAction {
        path: Some("/".to_owned()),
        port: IntOrString::String("http".to_owned()),
        ..HTTPGetAction::default()
    };
    let answers = Probe { http_get: Some(answers), timeout_seconds: Some(5), ..Probe::default() };
    let container = Container {
        name: "neo4j".to_owned(),
        image: Some(spec.image.clone().unwrap_or_else(|| IMAGE.to_owned())),
        env: Some(environment(names, spec)),
        ports: Some(parts::container_ports(ports)),
        // After a crash under heavy writes the recovery takes minutes: whoever kills it then begins it anew.
        startup_probe: Some(parts::every(parts::connects("bolt"), 1, 600)),
        readiness_probe: Some(parts::every(answers, 5, 3)),
        // A long collection of garbage is no death.
        liveness_probe: Some(parts::every(parts::connects("bolt"), 10, 12)),
        resources: Some(parts::resources(&spec.resources, &REQUESTS, &LIMITS)),
        security_context: Some(parts::container_security()),
        volume_mounts: Some(vec![
            parts::data("/data", "data"),
            parts::data("/logs", "logs"),
            parts::scratch("/plugins", "plugins"),
            parts::scratch("/var/lib/neo4j/conf", "conf"),
            parts::scratch("/var/lib/neo4j/run", "run"),
            parts::scratch("/tmp", "tmp"),
        ]),
        ..Container::default()
    };
    let set = StatefulSetSpec {
        service_name: Some(names.neo4j()),
        replicas: Some(1),
        selector: component.label_selector(),
        // Its last checkpoint takes a while, and saves the recovery after it.
        template: component.pod(USER, 120, container, vec![parts::scratch_volume()]),
        volume_claim_templates: Some(vec![parts::data_claim(component, &spec.storage)]),
        ..StatefulSetSpec::default()
    };
    StatefulSet { metadata: component.metadata(names.neo4j()), spec: Some(set), ..StatefulSet::default() }
}

/// `NEO4J_a_b__c` sets `a.b_c`.
fn environment(names: &Names, spec: &Neo4j) -> Vec<EnvVar> {
    let SecretKey { name, key } = password(names, spec);
    let memory = Memory::of(spec);
    let mebibytes = |bytes: u64| format!("{}m", bytes / MEBIBYTE);
    let mut variables = vec![
        parts::env_from_secret("RUNNER_PASSWORD", name, key),
        // The kubelet puts the password in; the manifest holds its name.
        env("NEO4J_AUTH", "neo4j/$(RUNNER_PASSWORD)"),
        env("NEO4J_server_memory_heap_initial__size", mebibytes(memory.heap)),
        env("NEO4J_server_memory_heap_max__size", mebibytes(memory.heap)),
        env("NEO4J_server_memory_pagecache_size", mebibytes(memory.page_cache)),
        // The image's own bound is in the configuration that the scratch volume hides; without one the volume fills up.
        env("NEO4J_db_tx__log_rotation_retention__policy", format!("{}M size", transaction_logs(spec))),
        env("NEO4J_dbms_usage__report_enabled", "false"),
    ];
    if !spec.plugins.is_empty() {
        let plugins: Vec<&str> = spec.plugins.iter().map(|plugin| name_of(*plugin)).collect();
        variables.push(env("NEO4J_PLUGINS", format!("[\"{}\"]", plugins.join("\",\""))));
    }
    variables
}

/// How much of the volume is for transaction logs that are not needed any more, in MiB: a quarter, but not less than the server writes
/// to one of them.
fn transaction_logs(spec: &Neo4j) -> u64 {
    const ONE: u64 = 256;
    let storage = quantity::bytes(&spec.storage).unwrap_or_default();
    (storage / 4 / MEBIBYTE).max(ONE)
}

const fn name_of(plugin: Plugin) -> &'static str {
    match plugin {
        Plugin::GraphDataScience => "graph-data-science",
        Plugin::Apoc => "apoc",
    }
}

/// How Neo4j shares the memory that its limit allows, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    heap: u64,
    page_cache: u64,
}

impl Memory {
    /// Half for the heap, but not beyond where the JVM's pointers grow; then 768 MiB, or an eighth, for the JVM's own (threads, code,
    /// buffers: 300 to 700 MiB were measured); the rest for the page cache.
    fn of(spec: &Neo4j) -> Self {
        const COMPRESSED_POINTERS: u64 = 31 << 30;
        let limit = parts::memory_limit(&spec.resources, &REQUESTS, &LIMITS);
        let heap = (limit / 2).min(COMPRESSED_POINTERS);
        let own = (768 * MEBIBYTE).max(limit / 8);
        Self { heap, page_cache: limit.saturating_sub(heap + own).max(64 * MEBIBYTE) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transaction_logs_leave_most_of_the_volume_to_the_data() {
        let of = |storage: &str| transaction_logs(&Neo4j { storage: storage.to_owned(), ..Neo4j::default() });
        assert_eq!(of("2Gi"), 512);
        assert_eq!(of("1.5T"), 357_627);
        assert_eq!(of("500Mi"), 256);
    }

    #[test]
    fn heap_and_page_cache_fit_in_the_limit_beside_the_jvm() {
        let of = |limit: &str| {
            let mut spec = Neo4j::default();
            spec.resources.limits.insert("memory".to_owned(), limit.to_owned());
            let Memory { heap, page_cache } = Memory::of(&spec);
            (heap / MEBIBYTE, page_cache / MEBIBYTE)
        };
        assert_eq!(of("2Gi"), (1024, 256));
        assert_eq!(of("4Gi"), (2048, 1280));
        assert_eq!(of("128Gi"), (31744, 82944));
    }
}
