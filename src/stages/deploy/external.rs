//! Servers that exist already.

use super::reach::{Reach, Secrets, WorkerReach, both, connect_kafka};
use crate::diagnostic::Path;
use crate::spec::{External, Loader};
use crate::stages::Fault;
use crate::stages::validate::Plan;
use crate::topic::connect::Secret;
use crate::topic::kafka::Kafka;

/// How the servers that the file names are reached.
pub(super) async fn reach(plan: &Plan, external: &External) -> Result<Reach, Fault> {
    let (secrets, at) = (Secrets { base: &plan.base, cluster: None }, at());
    let kafka = secrets.kafka(&external.kafka, &at.key("kafka")).await;
    let password = secrets.password(&external.neo4j, &at.key("neo4j")).await;
    let (kafka, password) = both(kafka, password)?;
    let loader = plan.pipeline.spec.mapping.loader;
    let worker = external.connect.as_ref().filter(|_| loader == Loader::Connect);
    let worker = worker.map(|connect| WorkerReach {
        url: connect.url.clone(),
        neo4j: external.neo4j.clone(),
        password: password.clone().map(Secret::Inline),
    });
    let neo4j = secrets.neo4j(&external.neo4j, password);
    Ok(Reach { kafka, neo4j, worker, forwards: None })
}

/// Reaches the Kafka cluster alone.
pub(super) async fn kafka(plan: &Plan, external: &External) -> Result<Kafka, Fault> {
    let secrets = Secrets { base: &plan.base, cluster: None };
    connect_kafka(&secrets.kafka(&external.kafka, &at().key("kafka")).await?).await
}

fn at() -> Path {
    Path::of("spec.infrastructure.external")
}
