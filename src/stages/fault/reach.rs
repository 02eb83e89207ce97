//! What keeps servers in a cluster from being reached, in words, and what to do.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Location, Part, Path};
use crate::infrastructure::ForwardError;
use crate::spec::{Forward, Infrastructure};

/// The keys of the servers, below `external` and below `kubernetes`.
const SERVERS: [&str; 3] = ["kafka", "neo4j", "connect"];

/// The fault of a server that is not there yet; `key` is its own below `kubernetes`.
pub(in crate::stages) fn not_deployed(key: &str, object: &str, namespace: &str) -> Fault {
    Diagnostic::new(Code::NotDeployed, format!("{object} is not deployed to namespace `{namespace}`"))
        .at_key(kubernetes().key(key))
        .help("`runner run FILE` deploys it")
        .into()
}

/// The fault of a server without a pod that is ready; `key` is its own below `kubernetes`.
pub(in crate::stages) fn not_ready(key: &str, object: &str, (ready, wanted): (u32, u32)) -> Fault {
    Diagnostic::new(Code::NotReady, format!("{object} has {ready} of {wanted} pods ready"))
        .at_key(kubernetes().key(key))
        .help("wait until it has started; `runner status FILE` shows its pods")
        .into()
}

/// The fault of a secret that is not where the file says.
pub(in crate::stages) fn missing_secret(reason: String) -> Fault {
    Diagnostic::new(Code::MissingSecret, reason).into()
}

/// The fault of a port of this machine.
pub(in crate::stages) fn forward(error: &ForwardError, ports: &Forward) -> Fault {
    let (ForwardError::Taken { port, .. } | ForwardError::Refused { port, .. }) = error;
    let key = match *port {
        port if port == ports.neo4j => "neo4j",
        port if port == ports.connect => "connect",
        _ => "kafka",
    };
    let finding =
        Diagnostic::new(Code::PortTaken, with_causes(error)).at(kubernetes().key("forward").key(key));
    match (error, key) {
        (ForwardError::Taken { .. }, "kafka") => finding
            .help("end what uses it, or name another port: `kubernetes: { forward: { kafka: PORT } }`; the brokers restart then")
            .into(),
        (ForwardError::Taken { .. }, key) => {
            finding.help(format!("end what uses it, or leave `forward.{key}` out: any free port will do")).into()
        }
        (ForwardError::Refused { .. }, _) => finding.help("name a port from 1024 on").into(),
    }
}

impl Fault {
    /// Says of servers in a cluster where the file speaks of them: faults of Kafka, Neo4j and Kafka Connect are told as those of
    /// servers under `external`. What was in the way of the forwards to them is told beside.
    pub(in crate::stages) fn in_cluster(
        mut self,
        infrastructure: &Infrastructure,
        troubles: &[String],
    ) -> Self {
        let Some(spec) = &infrastructure.kubernetes else { return self };
        let existing =
            [spec.kafka.existing.is_some(), spec.neo4j.existing.is_some(), connect_exists(infrastructure)];
        for finding in &mut self.0 {
            move_finding(finding, existing, troubles);
        }
        self
    }
}

fn connect_exists(infrastructure: &Infrastructure) -> bool {
    let connect = infrastructure.kubernetes.as_ref().and_then(|kubernetes| kubernetes.connect.as_ref());
    connect.is_some_and(|connect| connect.existing.is_some())
}

fn move_finding(finding: &mut Diagnostic, existing: [bool; 3], troubles: &[String]) {
    let Location::At(path, part) = &finding.location else { return };
    let (external, path) = (Path::of("spec.infrastructure.external"), path.clone());
    for (server, exists) in SERVERS.into_iter().zip(existing) {
        let Some(below) = path.steps().strip_prefix(external.key(server).steps()) else { continue };
        let at = kubernetes().key(server);
        if exists {
            let path = below.iter().cloned().fold(at.key("existing"), |path, step| path.then(step));
            finding.location = Location::At(path, part.clone());
            return;
        }
        finding.location = Location::At(at, Part::Key);
        // What is said of an address or a port is none of the file's: runner knows both.
        if finding.code == Code::ServerUnreachable {
            let troubles = troubles.iter().map(|trouble| format!("the port-forward to {trouble}"));
            finding.help = troubles.chain(["`runner status FILE` shows its pods".to_owned()]).collect();
        }
        if finding.code == Code::LoginRefused {
            finding.help = vec![
                "the volume keeps the password that the server was first started with".to_owned(),
                "give that one in `passwordFrom`, or throw the data away: `runner destroy FILE --delete-data`".to_owned(),
            ];
        }
        return;
    }
}

fn kubernetes() -> Path {
    Path::of("spec.infrastructure.kubernetes")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;

    fn moved(key: &str, code: Code, kubernetes: &Value) -> Diagnostic {
        let infrastructure: Infrastructure =
            serde_json::from_value(json!({ "kubernetes": kubernetes })).unwrap();
        let at = Path::of("spec.infrastructure.external").key(key).key("uri");
        let finding = Diagnostic::new(code, "no answer").at(at).help("correct the port");
        let Fault(mut findings) = Fault::from(finding)
            .in_cluster(&infrastructure, &["pod a-neo4j-0:7687: nothing listens there yet".to_owned()]);
        findings.remove(0)
    }

    #[test]
    fn a_server_that_runner_deploys_has_no_address_to_correct() {
        let finding = moved("neo4j", Code::ServerUnreachable, &json!({ "namespace": "a" }));
        assert_eq!(finding.path().to_string(), "spec.infrastructure.kubernetes.neo4j");
        assert_eq!(
            finding.help,
            [
                "the port-forward to pod a-neo4j-0:7687: nothing listens there yet",
                "`runner status FILE` shows its pods"
            ]
        );
    }

    #[test]
    fn an_existing_server_has_the_keys_of_an_external_one() {
        let existing = json!({ "namespace": "a", "neo4j": { "existing": { "uri": "bolt://b" } } });
        let finding = moved("neo4j", Code::ServerUnreachable, &existing);
        assert_eq!(finding.path().to_string(), "spec.infrastructure.kubernetes.neo4j.existing.uri");
        assert_eq!(finding.help, ["correct the port"]);
    }

    #[test]
    fn a_port_that_is_taken_names_its_key() {
        let ports = Forward { kafka: 39092, neo4j: 7687, connect: 0 };
        let taken = |port| forward(&ForwardError::Taken { port, holder: None }, &ports);
        let at = |Fault(findings): Fault| findings.first().map(|finding| finding.path().to_string());
        assert_eq!(at(taken(39094)).unwrap(), "spec.infrastructure.kubernetes.forward.kafka");
        assert_eq!(at(taken(7687)).unwrap(), "spec.infrastructure.kubernetes.forward.neo4j");
    }
}
