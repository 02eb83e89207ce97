//! Reaching a cluster, and what keeps from it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use runner::spec::{SaslMechanism, SecurityProtocol};
use runner::topic::kafka::{Connection, Kafka as Cluster, KafkaError, Login, PATIENCE, Tls};

use super::{cluster, connection, produce, topic};
use crate::servers::{Kafka, KafkaOptions, PASSWORD, unique};

fn secured() -> Kafka {
    Kafka::start(&KafkaOptions { secured: true, ..KafkaOptions::default() })
}

fn login(mechanism: SaslMechanism, password: &str) -> Login {
    Login { mechanism, user: "runner".to_owned(), password: password.to_owned() }
}

fn encrypted(kafka: &Kafka, listener: &str) -> Connection {
    let ca = Some(kafka.server.certificates().join("ca.crt"));
    Connection {
        protocol: SecurityProtocol::Ssl,
        tls: Tls { ca, ..Tls::default() },
        ..connection(kafka.server.fact(listener))
    }
}

fn with_login(kafka: &Kafka, mechanism: SaslMechanism, password: &str) -> Connection {
    Connection {
        protocol: SecurityProtocol::SaslPlaintext,
        login: Some(login(mechanism, password)),
        ..connection(kafka.server.fact("sasl_plaintext"))
    }
}

#[tokio::test]
async fn rows_go_through_each_secured_listener() {
    let kafka = secured();
    let folder = kafka.server.certificates();
    let file = |name: &str| Some(Path::new(&folder).join(name));
    let mut with_certificate = encrypted(&kafka, "ssl_client");
    with_certificate.tls.certificate = file("client.crt");
    with_certificate.tls.key = file("client.key");
    let with_both = Connection {
        protocol: SecurityProtocol::SaslSsl,
        login: Some(login(SaslMechanism::ScramSha512, PASSWORD)),
        ..encrypted(&kafka, "sasl_ssl")
    };
    for connection in [
        encrypted(&kafka, "ssl"),
        with_certificate,
        with_login(&kafka, SaslMechanism::Plain, PASSWORD),
        with_login(&kafka, SaslMechanism::ScramSha256, PASSWORD),
        with_login(&kafka, SaslMechanism::ScramSha512, PASSWORD),
        with_both,
    ] {
        let cluster = Cluster::connect(&connection, PATIENCE).await.unwrap();
        let name = unique("secured");
        cluster.ensure_topic(&topic(&name)).await.unwrap();
        produce(&cluster, &name, 100).await.unwrap();
        let high: u64 = cluster.watermarks(&name).await.unwrap().values().map(|marks| marks.high).sum();
        assert_eq!(high, 100, "{connection:?}");
    }
}

/// A server that answers everybody with the same words, or with silence.
fn stranger(words: Option<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut held = Vec::new();
        for mut stream in listener.incoming().map_while(Result::ok) {
            if let Some(words) = words {
                let _ = stream.read(&mut [0; 4]);
                let _ = stream.write_all(words);
            }
            held.push(stream);
        }
    });
    address
}

#[tokio::test]
async fn each_fault_of_a_connection_is_told_within_five_seconds() {
    let kafka = secured();
    let at = |listener: &str| connection(kafka.server.fact(listener));
    let port = |listener: &str| kafka.server.fact(listener).rsplit(':').next().unwrap().to_owned();
    let http = stranger(Some(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
    let silent = stranger(None);
    let untrusted = Connection { tls: Tls::default(), ..encrypted(&kafka, "ssl") };
    let unreadable = Tls { ca: Some("/nowhere/ca.crt".into()), ..Tls::default() };
    let encrypted_login = |password| Connection {
        protocol: SecurityProtocol::SaslSsl,
        login: Some(login(SaslMechanism::Plain, password)),
        ..encrypted(&kafka, "sasl_ssl")
    };
    let cases = [
        (connection("no-such-host.invalid:9092"), "the host of `no-such-host.invalid:9092` cannot be found"),
        (connection("127.0.0.1:1"), "nothing listens on `127.0.0.1:1`"),
        (connection("localhost:1"), "nothing listens on `localhost:1`"),
        (connection(&http), "what answers on `ADDRESS` is not Kafka"),
        (connection(&silent), "Kafka at `ADDRESS` did not answer within 5 s"),
        (
            Connection { bootstrap: silent.clone(), ..encrypted(&kafka, "ssl") },
            "Kafka at `ADDRESS` did not answer within 5 s",
        ),
        (at("ssl"), "`ADDRESS` ends a connection without TLS at once: it wants TLS, or is not Kafka"),
        (encrypted(&kafka, "plaintext"), "`ADDRESS` does not speak TLS"),
        (at("sasl_plaintext"), "`ADDRESS` wants a login"),
        (encrypted(&kafka, "sasl_ssl"), "`ADDRESS` wants a login"),
        (
            Connection {
                bootstrap: kafka.address().to_owned(),
                ..with_login(&kafka, SaslMechanism::Plain, PASSWORD)
            },
            "`ADDRESS` takes no login",
        ),
        (encrypted(&kafka, "ssl_expired"), "the certificate of `ADDRESS` has expired"),
        (
            encrypted(&kafka, "ssl_foreign"),
            "the certificate of `ADDRESS` is signed by an authority that is not trusted",
        ),
        (untrusted, "the certificate of `ADDRESS` is signed by an authority that is not trusted"),
        (
            encrypted(&kafka, "ssl_elsewhere"),
            "the certificate of `ADDRESS` is made out to another name: elsewhere.example",
        ),
        (encrypted(&kafka, "ssl_client"), "`ADDRESS` wants a client's certificate"),
        (
            Connection { tls: unreadable, ..encrypted(&kafka, "ssl") },
            "`caFile` /nowhere/ca.crt cannot be read",
        ),
        (
            with_login(&kafka, SaslMechanism::Plain, "wrong"),
            "`ADDRESS` refuses the login of `runner` (PLAIN)",
        ),
        (
            with_login(&kafka, SaslMechanism::ScramSha256, "wrong"),
            "`ADDRESS` refuses the login of `runner` (SCRAM-SHA-256)",
        ),
        (encrypted_login("wrong"), "`ADDRESS` refuses the login of `runner` (PLAIN)"),
    ];
    for (connection, words) in cases {
        let begun = Instant::now();
        let error = Cluster::connect(&connection, PATIENCE).await.map(drop).unwrap_err();
        assert_eq!(
            error.to_string().replace(&connection.bootstrap, "ADDRESS"),
            words.replace(&connection.bootstrap, "ADDRESS")
        );
        assert!(begun.elapsed().as_millis() < 5_400, "{words}: {:?}", begun.elapsed());
        assert!(!format!("{error:?}").contains("wrong"), "a password is shown");
    }
    // By a name that has two addresses, and beside a server that is not there.
    cluster(&format!("localhost:{}", port("plaintext"))).await;
    cluster(&format!("127.0.0.1:1,{}", kafka.address())).await;
}

/// Passes connections on to an address, and counts them.
fn counted(address: &str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (own, address) = (listener.local_addr().unwrap().to_string(), address.to_owned());
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            counter.fetch_add(1, Ordering::Relaxed);
            let other = TcpStream::connect(&address).unwrap();
            for (mut from, mut to) in
                [(stream.try_clone().unwrap(), other.try_clone().unwrap()), (other, stream)]
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (own, count)
}

#[tokio::test]
async fn a_password_that_was_refused_is_not_tried_again() {
    let kafka = secured();
    let (address, connections) = counted(kafka.server.fact("sasl_plaintext"));
    for mechanism in [SaslMechanism::Plain, SaslMechanism::ScramSha512] {
        let connection = Connection { bootstrap: address.clone(), ..with_login(&kafka, mechanism, "wrong") };
        let error = Cluster::connect(&connection, PATIENCE).await.map(drop).unwrap_err();
        assert!(matches!(error, KafkaError::LoginRefused { .. }), "{error:?}");
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(connections.load(Ordering::Relaxed), 2);
}
