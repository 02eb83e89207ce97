//! Making topics, and looking at those that are there.

use runner::topic::kafka::{KafkaError, Risk};

use super::{cluster, topic};
use crate::servers::{Kafka, unique};

#[tokio::test]
async fn a_topic_is_made_as_the_file_says_and_found_again() {
    let kafka = cluster(Kafka::shared().address()).await;
    let mut wanted = topic(&unique("made"));
    wanted.config = [("retention.ms", "3600000"), ("cleanup.policy", "delete")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(kafka.inspect_topic(&wanted).await.unwrap(), None, "looking at a topic does not make it");
    let made = kafka.ensure_topic(&wanted).await.unwrap();
    assert!(!made.existed);
    assert_eq!((made.partitions, made.replicas), (3, 1));
    assert_eq!((made.differences.len(), made.risks.len()), (0, 0), "{made:?}");
    let found = kafka.ensure_topic(&wanted).await.unwrap();
    assert!(found.existed);

    wanted.config.insert("retention.ms".to_owned(), "7200000".to_owned());
    let found = kafka.inspect_topic(&wanted).await.unwrap().unwrap();
    let different: Vec<_> =
        found.differences.iter().map(|one| (&*one.name, &*one.wanted, one.found.as_deref())).collect();
    assert_eq!(different, [("retention.ms", "7200000", Some("3600000"))]);

    wanted.partitions = 5;
    let error = kafka.ensure_topic(&wanted).await.unwrap_err();
    assert!(matches!(error, KafkaError::Partitions { wanted: 5, found: 3, .. }), "{error:?}");
    assert!(kafka.delete_topic(&wanted.name).await.unwrap());
    assert!(!kafka.delete_topic(&wanted.name).await.unwrap());
}

#[tokio::test]
async fn a_topic_that_may_lose_rows_is_told() {
    let kafka = cluster(Kafka::shared().address()).await;
    let mut short = topic(&unique("short"));
    short.config.insert("retention.ms".to_owned(), "60000".to_owned());
    short.config.insert("min.insync.replicas".to_owned(), "2".to_owned());
    let risks = kafka.ensure_topic(&short).await.unwrap().risks;
    assert!(
        matches!(risks.as_slice(), [Risk::KeptFor(_), Risk::NeverAcknowledged { wanted: 2, replicas: 1 }]),
        "{risks:?}"
    );
}

#[tokio::test]
async fn why_a_topic_cannot_be_made_is_told() {
    let kafka = cluster(Kafka::shared().address()).await;
    let mut many = topic(&unique("many"));
    many.replication = Some(3);
    let error = kafka.ensure_topic(&many).await.unwrap_err();
    assert!(
        error.to_string().ends_with("cannot be made: there are fewer brokers than `replication: 3` wants"),
        "{error}"
    );
    let mut odd = topic(&unique("odd"));
    odd.config.insert("retention.ms".to_owned(), "a week".to_owned());
    let error = kafka.ensure_topic(&odd).await.unwrap_err();
    assert!(error.to_string().ends_with("cannot be made: Kafka does not take its `config`"), "{error}");
}
