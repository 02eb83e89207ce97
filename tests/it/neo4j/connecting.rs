//! What is in the way of a connection.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use neo4rs::query;
use runner::graph::{ConnectFault, GraphError};
use runner::spec::Tls;

use super::*;
use crate::servers::{Certificate, Neo4jOptions};

async fn fault(connection: &Connection) -> ConnectFault {
    let begun = Instant::now();
    let outcome = Neo4j::connect(connection).await;
    assert!(begun.elapsed() < Duration::from_millis(5_500), "{:?}", begun.elapsed());
    match outcome {
        Err(error @ GraphError::Connect { .. }) => {
            let shown = format!("{error} {error:?} {connection:?}");
            assert!(!shown.contains(PASSWORD) && !shown.contains("wrong-password"), "{shown}");
            let GraphError::Connect { fault, .. } = error else { unreachable!() };
            fault
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was reached"),
    }
}

/// A server that takes connections, and says the same to whatever it is told; nothing at all where there is nothing to say.
fn listener(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            if !answer.is_empty() {
                let mut greeting = [0; 16];
                let _ = stream.read(&mut greeting);
                let _ = stream.write_all(answer.as_bytes());
            }
            open.push(stream);
        }
    });
    address
}

fn with_tls(server: &servers::Neo4j, host: &str, authority: Option<&Path>) -> Connection {
    let port = server.address().rsplit_once(':').unwrap().1;
    let mut connection = connection(&format!("bolt+s://{host}:{port}"));
    connection.tls =
        Some(Tls { ca_file: authority.map(|path| path.display().to_string()), ..Tls::default() });
    connection
}

#[tokio::test]
async fn a_server_says_what_it_is() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    assert!(store.engine().starts_with("Neo4j 5.26."), "{}", store.engine());
    assert_eq!(store.edition(), "community");
    assert_eq!(store.gds_version().await.unwrap(), None);
    assert!(store.procedures("apoc.").await.unwrap().len() > 50);
    assert!(store.free_heap().await.unwrap() > 1_000_000);
    let routed = connection(&server.uri().replace("bolt://", "neo4j://"));
    assert_eq!(Neo4j::connect(&routed).await.unwrap().version(), store.version());
}

#[tokio::test]
async fn each_fault_of_an_address_is_told_from_the_others() {
    let unknown = connection("bolt://no-such-host.invalid:7687");
    assert_eq!(fault(&unknown).await, ConnectFault::UnknownHost { host: "no-such-host.invalid".to_owned() });
    assert_eq!(fault(&connection("bolt://127.0.0.1:1")).await, ConnectFault::Refused);
    assert!(matches!(fault(&connection("http://127.0.0.1:1")).await, ConnectFault::Address(_)));
    let http = listener("HTTP/1.1 400 Bad Request\r\n\r\n");
    assert_eq!(fault(&connection(&format!("bolt://{http}"))).await, ConnectFault::NotBolt);
    assert_eq!(fault(&connection(&format!("bolt+ssc://{http}"))).await, ConnectFault::TlsNotOffered);
    let silent = listener("");
    assert!(matches!(fault(&connection(&format!("bolt://{silent}"))).await, ConnectFault::TimedOut { .. }));
}

#[tokio::test]
async fn each_fault_of_a_login_is_told_from_the_others() {
    let server = servers::Neo4j::shared();
    let user = |name: &str, password: &str| {
        let mut connection = connection(&server.uri());
        name.clone_into(&mut connection.user);
        connection.password = Some(Password::from(password.to_owned()));
        connection
    };
    let system = server.graph();
    for cypher in [
        "CREATE USER expired IF NOT EXISTS SET PASSWORD 'long-enough' CHANGE REQUIRED",
        "CREATE USER limited IF NOT EXISTS SET PASSWORD 'long-enough' CHANGE NOT REQUIRED",
    ] {
        system.run_on("system", query(cypher)).await.unwrap();
    }
    let expired = ConnectFault::PasswordExpired { user: "expired".to_owned() };
    assert_eq!(fault(&user("expired", "long-enough")).await, expired);
    let wrong = ConnectFault::Credentials { user: "limited".to_owned() };
    for _ in 0..3 {
        assert_eq!(fault(&user("limited", "wrong-password")).await, wrong);
    }
    let limited = ConnectFault::RateLimit { user: "limited".to_owned() };
    assert_eq!(fault(&user("limited", "wrong-password")).await, limited);
    let mut other = connection(&server.uri());
    "other".clone_into(&mut other.database);
    assert_eq!(fault(&other).await, ConnectFault::NoSuchDatabase { database: "other".to_owned() });
}

#[tokio::test]
async fn each_fault_of_a_certificate_is_told_from_the_others() {
    let server = servers::Neo4j::shared();
    let authority = server.authority();
    for scheme in ["bolt+ssc", "neo4j+ssc"] {
        Neo4j::connect(&connection(&server.uri().replace("bolt", scheme))).await.unwrap();
    }
    for host in ["localhost", "127.0.0.1"] {
        Neo4j::connect(&with_tls(&server, host, Some(&authority))).await.unwrap();
    }
    assert_eq!(fault(&with_tls(&server, "localhost", None)).await, ConnectFault::UnknownAuthority);
    let missing = fault(&with_tls(&server, "localhost", Some(Path::new("/no/such.crt")))).await;
    assert!(matches!(missing, ConnectFault::CertificateFile { .. }), "{missing:?}");
    let no_certificate = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let empty = fault(&with_tls(&server, "localhost", Some(&no_certificate))).await;
    assert!(matches!(empty, ConnectFault::CertificateFile { .. }), "{empty:?}");
    let mut plain = with_tls(&server, "localhost", Some(&authority));
    plain.uri = server.uri();
    assert_eq!(fault(&plain).await, ConnectFault::NotEncrypted);
    drop(server);

    for certificate in [Certificate::Expired, Certificate::Foreign, Certificate::Elsewhere] {
        let server = servers::Neo4j::start(&Neo4jOptions { certificate, ..Neo4jOptions::default() });
        let found = fault(&with_tls(&server, "localhost", Some(&server.authority()))).await;
        match certificate {
            Certificate::Expired => assert_eq!(found, ConnectFault::CertificateExpired),
            Certificate::Foreign => assert_eq!(found, ConnectFault::UnknownAuthority),
            _ => assert!(matches!(found, ConnectFault::CertificateName(_)), "{found:?}"),
        }
    }
}

/// Connects, and writes a batch: lanes have connections of their own.
async fn writes_over(connection: &Connection, from: u64) {
    let store = Neo4j::connect(connection).await.unwrap();
    let mapping = trips();
    let trips = batch(&mapping, "over-tls", from, vec![trip(1, 2, from)]);
    assert_eq!(store.write(&trips).await.unwrap().relationships_created, 1);
}

#[tokio::test]
async fn batches_are_written_over_tls_whomever_one_trusts() {
    let server = servers::Neo4j::shared();
    connect(&server).await.prepare(&trips().schema).await.unwrap();
    writes_over(&connection(&server.uri().replace("bolt", "bolt+ssc")), 0).await;
    writes_over(&with_tls(&server, "localhost", Some(&server.authority())), 1).await;
    let mut insecure = with_tls(&server, "localhost", None);
    insecure.tls = Some(Tls { insecure: true, ..Tls::default() });
    writes_over(&insecure, 2).await;
}

#[tokio::test]
async fn batches_are_written_where_the_server_wants_a_certificate_of_its_clients() {
    let options = Neo4jOptions { client_certificates: true, ..Neo4jOptions::default() };
    let server = servers::Neo4j::start(&options);
    let mut connection = with_tls(&server, "localhost", Some(&server.authority()));
    let found = fault(&connection).await;
    assert!(matches!(found, ConnectFault::ClientCertificate(_)), "{found:?}");
    let of_client = |name: &str| Some(server.server.certificates().join(name).display().to_string());
    let tls = connection.tls.as_mut().unwrap();
    (tls.cert_file, tls.key_file) = (of_client("client.crt"), of_client("client.key"));
    Neo4j::connect(&connection).await.unwrap().prepare(&trips().schema).await.unwrap();
    writes_over(&connection, 0).await;
    connection.uri = connection.uri.replace("bolt+s", "bolt+ssc");
    writes_over(&connection, 1).await;
}
