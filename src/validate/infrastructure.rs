//! Rules for `infrastructure:`.

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path};
use crate::spec::load::Places;
use crate::spec::{ExternalKafka, Infrastructure, Loader, SaslMechanism, SecurityProtocol, Spec, Tls};

pub(super) fn check(spec: &Spec, places: &Places, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.infrastructure");
    exactly_one(&spec.infrastructure, &at, found);
    for (path, kafka) in kafkas(&spec.infrastructure, &at) {
        bootstrap(&path, kafka, found);
        security(&path.key("security"), kafka, found);
    }
    for (path, tls) in certificates(&spec.infrastructure, &at) {
        client_certificate(&path, tls, found);
    }
    existing_beside_deployed(&at.key("kubernetes"), places, found);
    chart_beside_manifests(&at.key("kubernetes").key("neo4j"), places, found);
    deployed_worker_of_secured_kafka(&spec.infrastructure, &at.key("kubernetes"), found);
    connect_worker(spec, &at, found);
}

fn exactly_one(infrastructure: &Infrastructure, at: &Path, found: &mut Vec<Diagnostic>) {
    let given = [
        ("embedded", infrastructure.embedded.is_some()),
        ("external", infrastructure.external.is_some()),
        ("kubernetes", infrastructure.kubernetes.is_some()),
    ];
    let mut given = given.into_iter().filter(|(_, is_given)| *is_given).map(|(name, _)| name);
    if let (Some(first), Some(second)) = (given.next(), given.next()) {
        found.push(
            super::exclude(at, first, second).help("`--target embedded` runs any file without servers"),
        );
    }
}

/// Kafka clusters that exist already.
fn kafkas<'s>(infrastructure: &'s Infrastructure, at: &Path) -> Vec<(Path, &'s ExternalKafka)> {
    let external =
        infrastructure.external.as_ref().map(|external| (at.key("external").key("kafka"), &external.kafka));
    let existing =
        infrastructure.kubernetes.as_ref().and_then(|kubernetes| kubernetes.kafka.existing.as_ref());
    let existing = existing.map(|kafka| (at.key("kubernetes").key("kafka").key("existing"), kafka));
    external.into_iter().chain(existing).collect()
}

fn bootstrap(at: &Path, kafka: &ExternalKafka, found: &mut Vec<Diagnostic>) {
    let mut start = 0;
    for server in kafka.bootstrap.split(',') {
        let range = start..start + server.len();
        start = range.end + 1;
        if let Some((message, help)) = no_address(server.trim()) {
            found.push(
                Diagnostic::new(Code::InvalidValue, message).within(at.key("bootstrap"), range).help(help),
            );
        }
    }
}

/// What is wrong with one address of Kafka, and what to do.
fn no_address(server: &str) -> Option<(String, &'static str)> {
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((scheme, _)) = server.split_once("://") {
        let message = format!("an address of Kafka has no `{scheme}://` before it");
        return Some((message, "write `host:9092`; `security.protocol` says how it is spoken to"));
    }
    if server.contains('@') {
        let message = "an address of Kafka has no user in it".to_owned();
        return Some((message, "write `host:9092`; `security.sasl` says who logs in"));
    }
    match server.rsplit_once(':').map(|(_, port)| port).filter(|port| is_number(port)) {
        None => {
            let message = "an address of Kafka needs a port".to_owned();
            Some((message, "write `host:9092`; several are joined by commas"))
        }
        Some(port) if !port.parse::<u16>().is_ok_and(|port| port > 0) => {
            Some((format!("`{port}` is no port"), "a port is a number from 1 to 65535"))
        }
        Some(_) => None,
    }
}

fn security(at: &Path, kafka: &ExternalKafka, found: &mut Vec<Diagnostic>) {
    let security = &kafka.security;
    let has_sasl = matches!(security.protocol, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl);
    let has_tls = matches!(security.protocol, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl);
    match &security.sasl {
        None if has_sasl => found.push(
            Diagnostic::new(
                Code::SecurityMismatch,
                "the protocol logs in by SASL, but `sasl` does not say who",
            )
            .at(at.key("protocol"))
            .help("add `sasl: { mechanism: …, username: …, passwordFrom: { env: NAME } }`"),
        ),
        Some(_) if !has_sasl => found.push(
            Diagnostic::new(Code::SecurityMismatch, "`sasl` is given, but the protocol does not log in")
                .at_key(at.key("sasl"))
                .help(format!(
                    "set `protocol: {}`",
                    if has_tls { "SASL_SSL" } else { "SASL_SSL` or `protocol: SASL_PLAINTEXT" }
                )),
        ),
        Some(sasl) if sasl.mechanism == SaslMechanism::Plain && !has_tls => found.push(
            Diagnostic::new(
                Code::UnencryptedPassword,
                "PLAIN sends the password readable over an unencrypted connection",
            )
            .at(at.key("sasl").key("mechanism"))
            .related(Location::At(at.key("protocol"), Part::Value), "not encrypted")
            .help("use `protocol: SASL_SSL`, or `mechanism: SCRAM-SHA-512`"),
        ),
        _ => {}
    }
    if security.tls.is_some() && !has_tls {
        found.push(
            Diagnostic::new(Code::SecurityMismatch, "`tls` is given, but the protocol does not encrypt")
                .at_key(at.key("tls"))
                .help(format!("set `protocol: {}`", if has_sasl { "SASL_SSL" } else { "SSL" })),
        );
    }
}

/// What the file says of the encryption of connections to servers that exist already.
pub(super) fn certificates<'s>(infrastructure: &'s Infrastructure, at: &Path) -> Vec<(Path, &'s Tls)> {
    let kafkas = kafkas(infrastructure, at)
        .into_iter()
        .filter_map(|(path, kafka)| Some((path.key("security").key("tls"), kafka.security.tls.as_ref()?)));
    let external =
        infrastructure.external.as_ref().map(|external| (at.key("external").key("neo4j"), &external.neo4j));
    let existing =
        infrastructure.kubernetes.as_ref().and_then(|kubernetes| kubernetes.neo4j.existing.as_ref());
    let existing = existing.map(|neo4j| (at.key("kubernetes").key("neo4j").key("existing"), neo4j));
    let neo4js = external.into_iter().chain(existing);
    kafkas.chain(neo4js.filter_map(|(path, neo4j)| Some((path.key("tls"), neo4j.tls.as_ref()?)))).collect()
}

fn client_certificate(at: &Path, tls: &Tls, found: &mut Vec<Diagnostic>) {
    let (given, missing) = match (&tls.cert_file, &tls.key_file) {
        (Some(_), None) => ("certFile", "keyFile"),
        (None, Some(_)) => ("keyFile", "certFile"),
        _ => return,
    };
    found.push(
        Diagnostic::new(Code::MissingKey, format!("`{given}` needs `{missing}` beside it"))
            .at_key(at.key(given))
            .help("a client's certificate and its key are used together"),
    );
}

/// What is said of a deployment has no effect where a server that exists already is named.
fn existing_beside_deployed(at: &Path, places: &Places, found: &mut Vec<Diagnostic>) {
    const DEPLOYED: [(&str, &[&str]); 3] = [
        ("kafka", &["mode", "brokers", "storage", "image", "resources"]),
        ("neo4j", &["plugins", "storage", "image", "resources", "passwordFrom", "helm"]),
        ("connect", &["image", "plugins", "resources"]),
    ];
    for (server, keys) in DEPLOYED {
        let at = at.key(server);
        if !places.has(&at.key("existing")) {
            continue;
        }
        for key in keys.iter().filter(|key| places.has(&at.key(**key))) {
            found.push(
                Diagnostic::new(Code::UnusedKey, format!("`{key}` has no effect beside `existing`"))
                    .at_key(at.key(*key))
                    .related(Location::At(at.key("existing"), Part::Key), "nothing is deployed")
                    .help("remove one of the two"),
            );
        }
    }
}

/// A chart takes its own values, not what is said of runner's manifests.
fn chart_beside_manifests(at: &Path, places: &Places, found: &mut Vec<Diagnostic>) {
    if !places.has(&at.key("helm")) || places.has(&at.key("existing")) {
        return;
    }
    for key in
        ["plugins", "storage", "image", "resources"].into_iter().filter(|key| places.has(&at.key(*key)))
    {
        found.push(
            Diagnostic::new(Code::UnusedKey, format!("`{key}` has no effect beside `helm`"))
                .at_key(at.key(key))
                .related(Location::At(at.key("helm"), Part::Key), "the chart has values of its own")
                .help("say it to the chart under `helm.values`"),
        );
    }
}

/// The worker that runner deploys has no certificates and no account.
fn deployed_worker_of_secured_kafka(infrastructure: &Infrastructure, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(kubernetes) = &infrastructure.kubernetes else { return };
    let deploys = kubernetes.connect.as_ref().is_some_and(|connect| connect.existing.is_none());
    let protocol = kubernetes.kafka.existing.as_ref().map(|kafka| kafka.security.protocol);
    if deploys && protocol.is_some_and(|protocol| protocol != SecurityProtocol::Plaintext) {
        let protocol = at.key("kafka").key("existing").key("security").key("protocol");
        found.push(
            Diagnostic::new(
                Code::SecurityMismatch,
                "the Kafka Connect that runner deploys cannot log in to a secured Kafka",
            )
            .at_key(at.key("connect"))
            .related(Location::At(protocol, Part::Value), "secured")
            .help(
                "name a worker that can, with `connect: { existing: { url: … } }`, or use `loader: runner`",
            ),
        );
    }
}

fn connect_worker(spec: &Spec, at: &Path, found: &mut Vec<Diagnostic>) {
    if spec.mapping.loader != Loader::Connect {
        return;
    }
    let infrastructure = &spec.infrastructure;
    let (has_worker, missing) = match (&infrastructure.external, &infrastructure.kubernetes) {
        (Some(external), _) => (external.connect.is_some(), format!("add `{at}.external.connect`")),
        (_, Some(kubernetes)) => (kubernetes.connect.is_some(), format!("add `{at}.kubernetes.connect`")),
        (None, None) => (false, "name one under `external` or `kubernetes`".to_owned()),
    };
    if !has_worker {
        found.push(
            Diagnostic::new(
                Code::MissingKey,
                "`loader: connect` needs a Kafka Connect worker, and the file names none",
            )
            .at(Path::of("spec.mapping.loader"))
            .help(format!("{missing}, or use `loader: runner`")),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::no_address;

    #[test]
    fn an_address_of_kafka_is_a_host_and_a_port() {
        for good in ["kafka:9092", "10.0.0.1:1", "[::1]:65535"] {
            assert_eq!(no_address(good), None);
        }
        let faults = [
            ("kafka", "needs a port"),
            ("kafka:", "needs a port"),
            ("kafka:x", "needs a port"),
            ("kafka:99999", "`99999` is no port"),
            ("kafka:0", "`0` is no port"),
            ("http://kafka:9092", "no `http://` before it"),
            ("me:hunter2@kafka:9092", "no user in it"),
        ];
        for (address, words) in faults {
            assert!(no_address(address).is_some_and(|(message, _)| message.contains(words)), "{address}");
        }
    }
}
