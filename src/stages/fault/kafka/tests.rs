use std::fmt::Write as _;
use std::time::Duration;

use super::*;

fn shown(findings: &[Diagnostic]) -> String {
    let mut text = String::new();
    for finding in findings {
        let _ =
            writeln!(text, "{}[{}] {}: {}", finding.severity, finding.code, finding.path(), finding.message);
        for help in &finding.help {
            let _ = writeln!(text, "  help: {help}");
        }
    }
    text
}

#[test]
fn each_fault_of_a_connection_says_where_it_is_mended() {
    let address = || "kafka:9092".to_owned();
    let last = Some("Disconnected".to_owned());
    let errors = [
        KafkaError::HostNotFound { address: address() },
        KafkaError::Refused { address: address() },
        KafkaError::NoAnswer { address: address(), waited: Duration::from_secs(5), last: None },
        KafkaError::NoAnswer { address: address(), waited: Duration::from_millis(400), last: last.clone() },
        KafkaError::NotKafka { address: address() },
        KafkaError::WantsTls { address: address() },
        KafkaError::SpeaksPlaintext { address: address() },
        KafkaError::WantsLogin { address: address() },
        KafkaError::TakesNoLogin { address: address() },
        KafkaError::Certificate { address: address(), fault: CertificateFault::Expired },
        KafkaError::Certificate {
            address: address(),
            fault: CertificateFault::OtherName(vec!["a".into(), "b".into()]),
        },
        KafkaError::ClientCertificate { address: address(), shown: true },
        KafkaError::LoginRefused { address: address(), user: "ann".into(), mechanism: "PLAIN" },
        KafkaError::MechanismNotOffered {
            address: address(),
            mechanism: "PLAIN",
            offered: "SCRAM-SHA-512".into(),
        },
        KafkaError::Gone { waited: Duration::from_mins(2), last },
        KafkaError::Unsettled {
            what: "asking how far topic `trips` reaches".into(),
            reason: "NotLeaderForPartition (Broker: Not leader for partition)".into(),
        },
    ];
    let at = Path::of("spec.infrastructure.external.kafka");
    let findings: Vec<_> = errors.iter().map(|error| finding(error, &at)).collect();
    insta::assert_snapshot!(shown(&findings));
}

#[test]
fn each_fault_of_a_topic_says_what_to_do() {
    let topic = || "trips".to_owned();
    let row = |ordinal| crate::message::RowId { file: "a.parquet".into(), ordinal };
    let errors = [
        KafkaError::Partitions { topic: topic(), wanted: 3, found: 1 },
        KafkaError::NotMade {
            topic: topic(),
            reason: "there are fewer brokers than `replication: 3` wants".into(),
        },
        KafkaError::NotAllowed { action: "create topic `trips`".into() },
        KafkaError::RecordsGone { topic: topic(), partition: 1, from: 10, low: 20 },
        KafkaError::MadeAnew { topic: topic(), partition: 1, from: 10, high: 5 },
        KafkaError::Deleted { topic: topic(), loaded: 10 },
        KafkaError::OtherRecord { topic: topic(), partition: 1, offset: 9, found: row(8), loaded: row(7) },
        KafkaError::TooLarge { topic: topic(), row: "a.parquet:7".into(), bytes: 2_000_000 },
        KafkaError::NotDelivered {
            topic: topic(),
            delivered: 90,
            lost: 10,
            reason: "Broker: Not enough replicas".into(),
        },
    ];
    let at = Path::of("spec.infrastructure.external.kafka");
    let findings: Vec<_> = errors.iter().map(|error| finding(error, &at)).collect();
    insta::assert_snapshot!(shown(&findings));
}

#[test]
fn what_is_doubtful_in_a_topic_is_a_warning() {
    let difference = |name: &str, wanted: &str, found: Option<&str>| Difference {
        name: name.to_owned(),
        wanted: wanted.to_owned(),
        found: found.map(str::to_owned),
    };
    let state = TopicState {
        existed: true,
        partitions: 3,
        replicas: 1,
        differences: vec![
            difference("replication", "3", Some("1")),
            difference("retention.ms", "1000", Some("604800000")),
            difference("retention", "1000", None),
        ],
        risks: vec![
            Risk::Compacted,
            Risk::KeptFor(Duration::from_mins(1)),
            Risk::KeptBytes(1_000_000),
            Risk::NeverAcknowledged { wanted: 2, replicas: 1 },
        ],
        max_message_bytes: None,
    };
    insta::assert_snapshot!(shown(&topic(&state)));
}
