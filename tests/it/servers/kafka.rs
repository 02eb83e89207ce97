//! Kafka brokers, and a client to look at them with.

use std::sync::LazyLock;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};

use super::{Server, wait_for};

/// What an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which Kafka, and who keeps its metadata.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KafkaVersion {
    /// 4.1, with its own quorum.
    #[default]
    V4_1,
    /// 3.9, with its own quorum.
    V3_9,
    /// 3.9 on `ZooKeeper`.
    V3_9OnZooKeeper,
}

/// How a broker is started.
#[derive(Debug, Default)]
pub struct KafkaOptions {
    pub version: KafkaVersion,
    /// With a listener for each way to log in and for each certificate: facts `ssl`, `ssl_client`, `ssl_expired`,
    /// `ssl_foreign`, `ssl_elsewhere`, `sasl_plaintext` and `sasl_ssl`; user `runner`, password [`super::PASSWORD`].
    pub secured: bool,
    /// The port of a [`crate::proxy::Proxy`]: clients that come by it are told to stay there. Fact `proxied`.
    pub proxy: Option<u16>,
    /// The broker's own settings.
    pub settings: Vec<(&'static str, String)>,
}

/// One broker.
pub struct Kafka {
    pub server: Server,
    zookeeper: Option<Server>,
}

/// A message as it lies in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Kafka {
    /// The Kafka 4.1 of all tests that neither stop it nor set it up: each with topics of its own ([`super::unique`]).
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Kafka> = LazyLock::new(|| Kafka::start(&KafkaOptions::default()));
        &SHARED
    }

    pub fn start(options: &KafkaOptions) -> Self {
        let mut words: Vec<String> =
            options.settings.iter().map(|(key, value)| format!("set.{key}={value}")).collect();
        words.extend(options.secured.then(|| "secured=yes".to_owned()));
        words.extend(options.proxy.map(|port| format!("proxy={port}")));
        let on_zookeeper = options.version == KafkaVersion::V3_9OnZooKeeper;
        let zookeeper = on_zookeeper.then(|| Server::start("zookeeper", Vec::new()));
        words.extend(zookeeper.as_ref().map(|server| format!("zookeeper={}", server.fact("client"))));
        let kind = if options.version == KafkaVersion::V4_1 { "kafka-4.1" } else { "kafka-3.9" };
        Self { server: Server::start(kind, words), zookeeper }
    }

    /// The address for `bootstrap`.
    pub fn address(&self) -> &str {
        self.server.fact("plaintext")
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    /// Makes a topic.
    pub fn create(&self, topic: &str, partitions: i32) {
        let client: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        for result in wait_for(client.create_topics([&new], &options)).unwrap() {
            result.unwrap();
        }
    }

    /// Puts values without keys in a partition.
    pub fn produce<'a>(&self, topic: &str, partition: i32, values: impl IntoIterator<Item = &'a [u8]>) {
        let producer: BaseProducer = self.config().create().unwrap();
        for value in values {
            let record = BaseRecord::<[u8], [u8]>::to(topic).partition(partition).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// Puts one message with all its parts in a topic.
    pub fn put(&self, topic: &str, message: &Received) {
        self.put_all(topic, std::slice::from_ref(message));
    }

    /// Puts messages with all their parts in a topic.
    pub fn put_all(&self, topic: &str, messages: &[Received]) {
        let producer: BaseProducer = self.config().create().unwrap();
        for message in messages {
            let mut headers = OwnedHeaders::new();
            for (key, value) in &message.headers {
                headers = headers.insert(Header { key, value: Some(value) });
            }
            let mut record: BaseRecord<'_, [u8], [u8]> =
                BaseRecord::to(topic).partition(message.partition).headers(headers);
            record.key = message.key.as_deref();
            record.payload = message.value.as_deref();
            while let Err((error, again)) = producer.send(record) {
                assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull));
                producer.poll(Duration::from_millis(50));
                record = again;
            }
        }
        producer.flush(PATIENCE).unwrap();
    }

    /// The first and the next offset of a topic's partitions; nothing, where there is no such topic.
    pub fn watermarks(&self, topic: &str) -> Vec<(i64, i64)> {
        let consumer: BaseConsumer = self.config().create().unwrap();
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).unwrap();
        let partitions = metadata.topics().first().map_or(0, |topic| topic.partitions().len());
        let numbers = 0..i32::try_from(partitions).unwrap();
        numbers.map(|number| consumer.fetch_watermarks(topic, number, PATIENCE).unwrap()).collect()
    }

    /// All that lies in a topic, by partition and offset.
    pub fn messages(&self, topic: &str) -> Vec<Received> {
        let consumer: BaseConsumer =
            self.config().set("group.id", "looking").set("enable.partition.eof", "true").create().unwrap();
        let watermarks = self.watermarks(topic);
        let mut places = TopicPartitionList::new();
        for number in 0..i32::try_from(watermarks.len()).unwrap() {
            places.add_partition_offset(topic, number, Offset::Beginning).unwrap();
        }
        consumer.assign(&places).unwrap();
        let mut found = Vec::new();
        let mut ended = 0;
        while ended < watermarks.len() {
            match consumer.poll(PATIENCE).unwrap() {
                Ok(message) => found.push(received(&message)),
                Err(rdkafka::error::KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("{error}"),
            }
        }
        found.sort_by_key(|message| (message.partition, message.offset));
        found
    }

    /// Kills the broker; `ZooKeeper`, where it is on one, goes on.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts it again: the same ports, the same topics.
    pub fn restart(&mut self) {
        self.server.restart();
    }

    /// The `ZooKeeper` that it is on.
    pub fn zookeeper(&self) -> Option<&Server> {
        self.zookeeper.as_ref()
    }
}

fn received(message: &rdkafka::message::BorrowedMessage<'_>) -> Received {
    let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
    Received {
        partition: message.partition(),
        offset: message.offset(),
        key: message.key().map(<[u8]>::to_vec),
        value: message.payload().map(<[u8]>::to_vec),
        headers: headers
            .map(|header| (header.key.to_owned(), header.value.unwrap_or_default().to_vec()))
            .collect(),
    }
}

/// A transaction that is open: what stands behind its record in partition 0 is not read before it ends.
pub struct Transaction(BaseProducer);

impl Transaction {
    pub fn begin(kafka: &Kafka, topic: &str) -> Self {
        let producer: BaseProducer = kafka.config().set("transactional.id", topic).create().unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        producer.send(BaseRecord::<(), str>::to(topic).partition(0).payload("never")).unwrap();
        producer.flush(PATIENCE).unwrap();
        Self(producer)
    }

    pub fn abort(self) {
        self.0.abort_transaction(PATIENCE).unwrap();
    }
}
