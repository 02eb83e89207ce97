//! What went wrong with Kafka, in words, and what to do.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Path, Severity};
use crate::topic::kafka::{CertificateFault, Difference, KafkaError, Risk, TopicState};

impl From<KafkaError> for Fault {
    fn from(error: KafkaError) -> Self {
        finding(&error, &Path::of("spec.infrastructure.external.kafka")).into()
    }
}

/// The finding of an error. `at` is the path of the cluster in the file.
fn finding(error: &KafkaError, at: &Path) -> Diagnostic {
    use KafkaError as E;
    let say = |code: Code| Diagnostic::new(code, with_causes(error));
    let (bootstrap, protocol) = (at.key("bootstrap"), at.key("security").key("protocol"));
    let (sasl, tls) = (at.key("security").key("sasl"), at.key("security").key("tls"));
    let topic = Path::of("spec.topic");
    match error {
        E::HostNotFound { .. } => {
            say(Code::ServerUnreachable).at(bootstrap).help("correct the name, or run where it is known")
        }
        E::Refused { .. } => say(Code::ServerUnreachable)
            .at(bootstrap)
            .help("start Kafka, or correct the port; Kafka's own example has 9092"),
        E::NoAnswer { .. } => say(Code::ServerUnreachable)
            .at(bootstrap)
            .help("look for a firewall or a VPN between here and Kafka, and whether the port is a broker's"),
        E::NotKafka { .. } => {
            say(Code::ServerUnreachable).at(bootstrap).help("name a broker of Kafka: `host:9092`")
        }
        E::WantsTls { .. } => say(Code::TlsFailed)
            .at(protocol)
            .help("write `protocol: SSL`, or `SASL_SSL` where it wants a login too"),
        E::SpeaksPlaintext { .. } => say(Code::TlsFailed)
            .at(protocol)
            .help("name the port of its TLS listener, or write `PLAINTEXT` or `SASL_PLAINTEXT`"),
        E::Certificate { fault, .. } => certificate(say(Code::TlsFailed), fault, at),
        E::ClientCertificate { .. } => {
            say(Code::TlsFailed).at(tls).help("give `tls.certFile` and `tls.keyFile`")
        }
        E::TlsFile { key, .. } => {
            say(Code::TlsFailed).at(tls.key(*key)).help("correct the path; the file has to be PEM")
        }
        E::WantsLogin { .. } => say(Code::LoginRefused)
            .at(protocol)
            .help("write `SASL_PLAINTEXT` or `SASL_SSL`, and who logs in under `sasl`"),
        E::TakesNoLogin { .. } => say(Code::LoginRefused)
            .at(protocol)
            .help("name the port of its SASL listener, or write `PLAINTEXT` or `SSL`"),
        E::LoginRefused { .. } => say(Code::LoginRefused)
            .at(sasl)
            .help("correct the user, the password or the mechanism; it was tried once and not again"),
        E::MechanismNotOffered { .. } => {
            say(Code::LoginRefused).at(sasl.key("mechanism")).help("write one that it offers")
        }
        E::NotAllowed { .. } => {
            say(Code::NotAllowed).at(topic).help("let Kafka's administrator allow it to the user")
        }
        E::Partitions { found, .. } => say(Code::PartitionsDiffer)
            .at(topic.key("partitions"))
            .help(format!("write `partitions: {found}`, or name another topic")),
        E::NotMade { .. } => say(Code::TopicNotMade).at(topic),
        E::NoTopic { .. } | E::NoLeader { .. } => say(Code::KafkaFailed).at(topic.key("name")),
        E::Unsettled { .. } => say(Code::KafkaFailed)
            .help("ask again when Kafka's brokers have settled, and look into their logs where they do not"),
        E::RecordsGone { .. } => say(Code::RecordsGone).at(topic.key("name")).help(
            "delete the topic, raise its `retention.ms` and `retention.bytes`, and load anew with `--fresh`",
        ),
        E::MadeAnew { .. } | E::Deleted { .. } | E::OtherRecord { .. } => say(Code::RecordsGone)
            .at(topic.key("name"))
            .help("`--fresh` throws the graph away and loads the topic as it is now"),
        E::TooLarge { .. } => say(Code::RowTooLarge)
            .at(topic)
            .help("raise the topic's `max.message.bytes`, or select fewer columns"),
        E::NotDelivered { .. } => say(Code::NotDelivered)
            .at(topic.key("name"))
            .help("run again: it goes on behind what was delivered"),
        E::Gone { .. } => say(Code::ServerUnreachable)
            .at(bootstrap)
            .help("run again when Kafka is back: it goes on where it stopped"),
        E::Settings { .. } => say(Code::KafkaFailed).at(at.clone()),
        E::Request { .. } => say(Code::KafkaFailed),
    }
}

/// Where it is mended that a certificate does not hold, and how.
fn certificate(finding: Diagnostic, fault: &CertificateFault, at: &Path) -> Diagnostic {
    let tls = at.key("security").key("tls");
    match fault {
        CertificateFault::Expired | CertificateFault::NotYetValid => {
            finding.at(at.key("bootstrap")).help("Kafka needs a new certificate; also compare the clocks")
        }
        CertificateFault::UnknownIssuer => {
            finding.at(tls).help("name the authority's certificate: `tls: { caFile: ca.crt }`")
        }
        CertificateFault::OtherName(_) => {
            finding.at(at.key("bootstrap")).help("use a name that the certificate has")
        }
        CertificateFault::Unknown => finding.at(tls).help("ask those who run Kafka for its certificate"),
    }
}

/// What is doubtful in a topic that is there.
pub(in crate::stages) fn topic(state: &TopicState) -> Vec<Diagnostic> {
    let at = Path::of("spec.topic");
    let differences = state.differences.iter().map(|difference| {
        let Difference { name, wanted, found } = difference;
        let words = match found {
            Some(found) => format!("the topic's `{name}` is {found}, not {wanted}"),
            None => format!("topics have no setting `{name}`"),
        };
        let place = if name == "replication" { at.key(name) } else { at.key("config").key(name) };
        Diagnostic::new(Code::TopicSettingsDiffer, words)
            .at(place)
            .help("runner leaves a topic that is there as it is")
    });
    let risks = state.risks.iter().map(|risk| {
        let code = if *risk == Risk::Compacted { Code::CompactedTopic } else { Code::TopicRetention };
        let mut finding = Diagnostic::new(code, format!("the topic's {risk}")).at(at.key("name"));
        if matches!(risk, Risk::NeverAcknowledged { .. }) {
            finding.severity = Severity::Error;
        }
        finding
    });
    differences.chain(risks).collect()
}

#[cfg(test)]
mod tests;
