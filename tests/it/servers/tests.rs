//! The test bed itself.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use neo4rs::{ConfigBuilder, Graph};
use rdkafka::ClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext};
use rdkafka::error::KafkaError;

use super::{
    Certificate, Connect, EmptyNeo4j, Kafka, KafkaOptions, KafkaVersion, Neo4j, Neo4jOptions, Neo4jVersion,
    PASSWORD, Received, Server, unique, until, wait_for,
};
use crate::proxy::{Proxy, Way};

fn a_message_comes_back(kafka: &Kafka) {
    let topic = unique("there-and-back");
    kafka.create(&topic, 3);
    let sent = Received {
        partition: 1,
        offset: 0,
        key: Some(b"key".to_vec()),
        value: None,
        headers: vec![("runner.row".to_owned(), b"a:7".to_vec())],
    };
    kafka.put(&topic, &sent);
    kafka.produce(&topic, 2, [b"a".as_slice(), b"b"]);
    let found = kafka.messages(&topic);
    assert_eq!(found[0], sent);
    assert_eq!(found[1..].iter().map(|one| one.value.clone().unwrap()).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(kafka.watermarks(&topic), [(0, 0), (0, 1), (0, 2)]);
}

#[test]
fn a_broker_gives_back_what_it_got() {
    a_message_comes_back(Kafka::shared());
}

#[test]
fn a_broker_behind_a_proxy_keeps_its_clients_there_and_has_its_topics_after_a_kill() {
    let proxy = Proxy::new();
    let options = KafkaOptions {
        version: KafkaVersion::V3_9,
        proxy: Some(proxy.port()),
        settings: vec![("num.partitions", "5".to_owned())],
        ..KafkaOptions::default()
    };
    let mut kafka = Kafka::start(&options);
    proxy.lead_to(kafka.server.fact("proxied"));
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", proxy.address());
    let consumer: BaseConsumer = config.create().unwrap();
    let metadata = consumer.fetch_metadata(None, Duration::from_secs(20)).unwrap();
    assert_eq!(metadata.brokers()[0].port(), i32::from(proxy.port()));
    a_message_comes_back(&kafka);
    let before = kafka.address().to_owned();
    let topic = unique("kept");
    kafka.create(&topic, 1);
    kafka.produce(&topic, 0, [b"kept".as_slice()]);
    kafka.kill();
    kafka.restart();
    assert_eq!(kafka.address(), before);
    assert_eq!(kafka.messages(&topic).len(), 1);
}

/// Keeps what the client says of its connections.
#[derive(Default)]
struct Complaints(Mutex<Vec<String>>);

impl ClientContext for Complaints {
    fn error(&self, _error: KafkaError, reason: &str) {
        self.0.lock().unwrap().push(reason.to_owned());
    }
}

impl ConsumerContext for Complaints {}

/// Asks a listener of the broker for its topics: the first complaint, where there is one.
fn ask(kafka: &Kafka, listener: &str, settings: &[(&str, &str)]) -> Result<(), String> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", kafka.server.fact(listener));
    let of_protocol = if listener.starts_with("ssl") { "ssl" } else { listener };
    config.set("security.protocol", of_protocol).set("log_level", "0");
    let certificates = kafka.server.certificates();
    for (key, value) in settings {
        let value = if key.ends_with("location") {
            certificates.join(value).display().to_string()
        } else {
            (*value).to_owned()
        };
        config.set(*key, value);
    }
    let consumer: BaseConsumer<Complaints> = config.create_with_context(Complaints::default()).unwrap();
    for _ in 0..20 {
        if consumer.fetch_metadata(None, Duration::from_secs(1)).is_ok() {
            return Ok(());
        }
        drop(consumer.poll(Duration::ZERO));
        if let Some(complaint) = consumer.context().0.lock().unwrap().first() {
            return Err(complaint.clone());
        }
    }
    Err("no answer".to_owned())
}

/// What OpenSSL thinks of the certificate that is shown at an address.
fn verdict(address: &str, server: &Server) -> String {
    let authority = server.certificates().join("ca.crt");
    let mut command = Command::new("openssl");
    command.args(["s_client", "-verify_ip", "127.0.0.1", "-connect", address, "-CAfile"]).arg(authority);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Verify return code: "));
    line.unwrap_or_else(|| panic!("{text}")).to_owned()
}

#[test]
fn a_secured_broker_lets_in_who_may_and_shows_the_certificate_that_is_asked_for() {
    let kafka = Kafka::start(&KafkaOptions { secured: true, ..KafkaOptions::default() });
    let ca = ("ssl.ca.location", "ca.crt");
    assert_eq!(ask(&kafka, "ssl", &[ca]), Ok(()));
    let with_key = [ca, ("ssl.certificate.location", "client.crt"), ("ssl.key.location", "client.key")];
    assert_eq!(ask(&kafka, "ssl_client", &with_key), Ok(()));
    for listener in ["ssl_expired", "ssl_foreign", "ssl_elsewhere"] {
        let said = ask(&kafka, listener, &[ca]).unwrap_err();
        assert!(said.contains("certificate verify failed"), "{listener}: {said}");
    }
    assert!(ask(&kafka, "ssl", &[]).is_err(), "nobody knows the authority");
    let said = ask(&kafka, "ssl_client", &[ca]).unwrap_err();
    assert!(said.contains("alert bad certificate") || said.contains("certificate required"), "{said}");
    let verdict = |listener| verdict(kafka.server.fact(listener), &kafka.server);
    assert_eq!(verdict("ssl"), "0 (ok)");
    assert_eq!(verdict("ssl_expired"), "10 (certificate has expired)");
    assert!(["20", "21"].contains(&&verdict("ssl_foreign")[..2]), "no issuer");
    assert_eq!(verdict("ssl_elsewhere"), "64 (IP address mismatch)");
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let user = [("sasl.mechanism", mechanism), ("sasl.username", "runner")];
        for listener in ["sasl_plaintext", "sasl_ssl"] {
            let password = |password| [user[0], user[1], ("sasl.password", password), ca];
            assert_eq!(ask(&kafka, listener, &password(PASSWORD)), Ok(()), "{listener} {mechanism}");
            let said = ask(&kafka, listener, &password("wrong-password")).unwrap_err();
            assert!(said.contains("uthentication failed"), "{listener} {mechanism}: {said}");
        }
    }
}

#[test]
fn neo4j_answers_and_is_empty_for_each_test() {
    for _ in 0..2 {
        let neo4j = Neo4j::shared();
        assert_eq!(neo4j.value("MATCH (n) RETURN count(n)"), 0);
        assert_eq!(neo4j.rows("SHOW CONSTRAINTS").len(), 0);
        assert_eq!(neo4j.rows("SHOW INDEXES").len(), 2, "the look-up indexes");
        neo4j.rows("CREATE CONSTRAINT FOR (z:Zone) REQUIRE z.id IS UNIQUE");
        neo4j.rows("CREATE INDEX FOR (z:Zone) ON (z.name)");
        neo4j.rows("CREATE (:Zone {id: 1})-[:TRIP]->(:Zone {id: 2})");
    }
    let neo4j = Neo4j::shared();
    assert_eq!(neo4j.value("RETURN apoc.text.join(['a', 'b'], '-')"), "a-b");
    assert_eq!(by_tls(&neo4j, "bolt+s", true), Ok(1));
    assert_eq!(by_tls(&neo4j, "bolt+ssc", false), Ok(1));
}

#[test]
fn what_a_killed_neo4j_had_is_there_after_its_restart() {
    let mut neo4j: EmptyNeo4j = Neo4j::shared();
    let address = neo4j.address().to_owned();
    neo4j.rows("CREATE (:Zone {id: 1})");
    neo4j.kill();
    neo4j.restart();
    assert_eq!(neo4j.address(), address);
    assert_eq!(neo4j.value("MATCH (z:Zone) RETURN z.id"), 1);
}

/// What `RETURN 1` answers, with or without the authority of the server's certificate.
fn by_tls(neo4j: &Neo4j, scheme: &str, with_authority: bool) -> Result<i64, String> {
    let uri = format!("{scheme}://{}", neo4j.address());
    let mut config = ConfigBuilder::default().uri(uri).user("neo4j").password(PASSWORD);
    if with_authority {
        config = config.with_client_certificate(neo4j.authority());
    }
    wait_for(async {
        let graph = Graph::connect(config.build().unwrap()).map_err(|error| error.to_string())?;
        let mut rows = graph.execute("RETURN 1").await.map_err(|error| error.to_string())?;
        Ok(rows.next().await.unwrap().unwrap().to::<i64>().unwrap())
    })
}

#[test]
fn the_newest_neo4j_answers_and_shows_the_certificate_that_is_asked_for() {
    let options = Neo4jOptions {
        version: Neo4jVersion::V2026,
        certificate: Certificate::Expired,
        settings: vec![("db.transaction.timeout", "7s".to_owned())],
        ..Neo4jOptions::default()
    };
    let neo4j = Neo4j::start(&options);
    assert_eq!(neo4j.value("CYPHER 25 RETURN 1"), 1);
    assert_eq!(neo4j.value("SHOW SETTINGS 'db.transaction.timeout' YIELD value"), "7s");
    assert!(by_tls(&neo4j, "bolt+s", true).is_err());
    assert_eq!(by_tls(&neo4j, "bolt+ssc", false), Ok(1));
    assert_eq!(verdict(neo4j.address(), &neo4j.server), "10 (certificate has expired)");
}

#[test]
fn connect_works_for_a_broker_on_zookeeper() {
    let kafka =
        Kafka::start(&KafkaOptions { version: KafkaVersion::V3_9OnZooKeeper, ..KafkaOptions::default() });
    a_message_comes_back(&kafka);
    assert!(kafka.zookeeper().is_some());
    let connect = Connect::start(&kafka);
    let mut stream = TcpStream::connect(connect.url().trim_start_matches("http://")).unwrap();
    stream.write_all(b"GET /connector-plugins HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("org.apache.kafka.connect.file.FileStreamSinkConnector"), "{answer}");
}

#[test]
fn a_server_ends_with_the_process_that_started_it_and_with_its_supervisor() {
    let mut servers = [(); 2].map(|()| Server::start("zookeeper", Vec::new()));
    let processes = [0, 1].map(|n| format!("/proc/{}", servers[n].fact("pid")));
    let gone =
        |process| until(Duration::from_secs(5), "the server is gone", || !fs::exists(process).unwrap());
    let [first, second] = &mut servers;
    let folder = first.folder();
    // What the end of this process, however it comes, does to the pipe.
    drop(first.supervisor.take().map(|(_, stdin)| stdin));
    gone(&processes[0]);
    until(Duration::from_secs(5), "its folder is gone", || !folder.exists());
    second.supervisor.as_mut().unwrap().0.kill().unwrap();
    gone(&processes[1]);
}

#[test]
fn a_frozen_server_takes_connections_and_goes_on_later() {
    let mut server = Server::start("zookeeper", Vec::new());
    let proxy = Proxy::to(server.fact("client"));
    let ask = || {
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        stream.write_all(b"srvr").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer.contains("standalone"))
    };
    proxy.set(Way::Pass);
    assert!(ask().unwrap());
    server.freeze();
    assert!(ask().is_err());
    server.thaw();
    until(Duration::from_secs(5), "it answers again", || ask().unwrap_or(false));
    server.stop();
    assert_ne!(ask().ok(), Some(true), "it has ended");
}
