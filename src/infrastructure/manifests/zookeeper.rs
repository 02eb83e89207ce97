//! The `ZooKeeper` that brokers agree by, in that mode: one node, as the mode is there for what exists already.

use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::Container;

use super::ManifestError;
use super::kafka::USER;
use super::parts::{self, Component, ServiceKind, env};
use crate::infrastructure::endpoints::{Names, ZOOKEEPER_PORT};
use crate::infrastructure::{Object, Wave};
use crate::spec::Resources;

const IMAGE: &str = "confluentinc/cp-zookeeper:7.3.3";
/// Enough for the metadata of some thousand partitions and the transaction logs that are kept.
const STORAGE: &str = "1Gi";
const REQUESTS: [(&str, &str); 2] = [("cpu", "50m"), ("memory", "192Mi")];
const LIMITS: [(&str, &str); 1] = [("memory", "384Mi")];

pub(super) fn objects(names: &Names) -> Result<Vec<Object>, ManifestError> {
    let component = Component { names, name: "zookeeper" };
    let ports = [("client", ZOOKEEPER_PORT)];
    let service = component.service(names.zookeeper(), ServiceKind::Balanced, &ports);
    Ok(vec![Object::typed(Wave::Network, &service)?, Object::typed(Wave::Quorum, &node(component, &ports))?])
}

fn node(component: Component<'_>, ports: &[(&str, u16)]) -> StatefulSet {
    let container = Container {
        name: "zookeeper".to_owned(),
        image: Some(IMAGE.to_owned()),
        env: Some(vec![
            env("ZOOKEEPER_CLIENT_PORT", ZOOKEEPER_PORT.to_string()),
            env("ZOOKEEPER_TICK_TIME", "2000"),
            env("KAFKA_HEAP_OPTS", "-Xms64m -Xmx128m"),
            env("KAFKA_LOG4J_ROOT_LOGLEVEL", "WARN"),
        ]),
        ports: Some(parts::container_ports(ports)),
        startup_probe: Some(parts::every(parts::connects("client"), 1, 60)),
        readiness_probe: Some(parts::every(parts::connects("client"), 5, 3)),
        liveness_probe: Some(parts::every(parts::connects("client"), 10, 6)),
        resources: Some(parts::resources(&Resources::default(), &REQUESTS, &LIMITS)),
        security_context: Some(parts::container_security()),
        volume_mounts: Some(vec![
            parts::data("/var/lib/zookeeper/data", "data"),
            parts::data("/var/lib/zookeeper/log", "log"),
            parts::scratch("/etc/kafka", "etc"),
            parts::scratch("/var/log/kafka", "logs"),
            parts::scratch("/tmp", "tmp"),
        ]),
        ..Container::default()
    };
    let set = StatefulSetSpec {
        service_name: Some(component.names.zookeeper()),
        replicas: Some(1),
        selector: component.label_selector(),
        template: component.pod(USER, 30, container, vec![parts::scratch_volume()]),
        volume_claim_templates: Some(vec![parts::data_claim(component, STORAGE)]),
        ..StatefulSetSpec::default()
    };
    let metadata = component.metadata(component.names.zookeeper());
    StatefulSet { metadata, spec: Some(set), ..StatefulSet::default() }
}
