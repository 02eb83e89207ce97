//! Reaching the server: where it is, who logs in, and what is in the way.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use neo4rs::{ConfigBuilder, Graph};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpStream, lookup_host};

use super::error;
use crate::graph::{ConnectFault, GraphError};
use crate::spec::{Password, Tls, secret};

/// A server is reached within this time, or not at all.
const REACHED_WITHIN: Duration = Duration::from_secs(5);
/// How long a statement may be silent. Whoever runs one has a shorter limit of his own where there is one.
const SILENT_AT_MOST: Duration = Duration::from_hours(24);
/// After this silence, TCP asks whether the server is still there; it gives up half a minute later.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many questions are asked at the same time; batches have connections of their own.
const QUESTIONS_AT_ONCE: usize = 8;
/// How many rows come in one go.
const FETCH_SIZE: usize = 2_000;

/// Where a server is, and who logs in.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The Bolt address: `neo4j://`, `bolt://`, or with `+s` or `+ssc` for TLS. The port is 7687 where none is given.
    pub uri: String,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
    /// The password; none where the server asks for none.
    pub password: Option<Password>,
    /// Certificates, their paths from the working folder.
    pub tls: Option<Tls>,
}

/// A Bolt address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub host: String,
    pub port: u16,
    /// `neo4j://`: of several servers of a cluster, the one that writes is looked for.
    pub routed: bool,
    pub encryption: Encryption,
}

/// Whether the connection is encrypted, and whose certificate is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Not at all.
    None,
    /// With a certificate that an authority vouches for (`+s`).
    Verified,
    /// With any certificate (`+ssc`).
    Unverified,
}

impl Address {
    /// Reads an address.
    pub(super) fn parse(uri: &str) -> Result<Self, GraphError> {
        let fault = |reason: &str| GraphError::Connect {
            address: secret::shown_address(uri),
            fault: ConnectFault::Address(reason.to_owned()),
        };
        let url = url::Url::parse(uri).map_err(|error| fault(&error.to_string()))?;
        let (scheme, encryption) = match url.scheme().split_once('+') {
            None => (url.scheme(), Encryption::None),
            Some((scheme, "s")) => (scheme, Encryption::Verified),
            Some((scheme, "ssc")) => (scheme, Encryption::Unverified),
            Some(_) => return Err(fault("after the `+` of the scheme comes `s` or `ssc`")),
        };
        let routed = match scheme {
            "bolt" => false,
            "neo4j" => true,
            _ => return Err(fault("its scheme is neither `bolt` nor `neo4j`")),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| fault("it names no host"))?;
        Ok(Self { host: host.to_owned(), port: url.port().unwrap_or(DEFAULT_PORT), routed, encryption })
    }

    /// The same way to another server, given as `host:port`.
    pub(super) fn beside(&self, host_and_port: &str) -> Option<Self> {
        let (host, port) = host_and_port.rsplit_once(':')?;
        Some(Self { host: host.to_owned(), port: port.parse().ok()?, ..self.clone() })
    }

    /// The host without the brackets that an IPv6 address has in a URI.
    pub(super) fn plain_host(&self) -> &str {
        self.host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The encryption, where the file has a word in it, too.
    pub(super) fn encryption_of(&self, connection: &Connection) -> Encryption {
        let is_insecure = connection.tls.as_ref().is_some_and(|tls| tls.insecure);
        match self.encryption {
            Encryption::Verified if is_insecure => Encryption::Unverified,
            encryption => encryption,
        }
    }

    /// As the driver takes it. Its own routing is passed by: it follows the addresses that the server has of itself, which are
    /// often not the ones by which it is reached.
    fn driver_uri(&self, encryption: Encryption) -> String {
        let scheme = match encryption {
            Encryption::None => "bolt",
            Encryption::Verified => "bolt+s",
            Encryption::Unverified => "bolt+ssc",
        };
        format!("{scheme}://{self}")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

const DEFAULT_PORT: u16 = 7687;

/// A server that was reached.
pub(super) struct Reached {
    pub graph: Graph,
    /// Its version, such as `5.26.30`.
    pub version: String,
    /// `community` or `enterprise`.
    pub edition: String,
    /// Whether it reads date-times without a zone as UTC (`db.temporal.timezone`).
    pub is_utc: bool,
}

/// Reaches the server and logs in, once.
pub(super) async fn reach(address: &Address, connection: &Connection) -> Result<Reached, GraphError> {
    let fault = |fault| GraphError::Connect { address: address.to_string(), fault };
    let reaching = async {
        find(address).await?;
        let graph = driver(address, connection).map_err(fault)?;
        let described = log_in(&graph, address, connection).await?;
        let [version, edition, moment] = described;
        Ok(Reached { graph, version, edition, is_utc: moment.ends_with('Z') })
    };
    tokio::time::timeout(REACHED_WITHIN, reaching)
        .await
        .unwrap_or_else(|_| Err(fault(ConnectFault::TimedOut { after: REACHED_WITHIN })))
}

/// Whether the host is known, and takes connections.
async fn find(address: &Address) -> Result<(), GraphError> {
    let fault = |fault| GraphError::Connect { address: address.to_string(), fault };
    let found: Vec<SocketAddr> = lookup_host((address.plain_host(), address.port))
        .await
        .map_err(|_| fault(ConnectFault::UnknownHost { host: address.host.clone() }))?
        .collect();
    // Made and dropped: an error of the driver does not tell a refused connection from one that ended early.
    match TcpStream::connect(found.as_slice()).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(fault(ConnectFault::Refused)),
        Err(error) => Err(fault(ConnectFault::Unreachable(error.to_string()))),
    }
}

/// Logs in, opens the database, and asks the server what it is: version, edition, and what a date-time without a zone becomes.
async fn log_in(
    graph: &Graph,
    address: &Address,
    connection: &Connection,
) -> Result<[String; 3], GraphError> {
    const VERSION: &str = "CALL dbms.components() YIELD name, versions, edition \
                           WITH * WHERE name = 'Neo4j Kernel' RETURN versions[0] AS version, edition, \
                           toString(datetime('2000-01-01T00:00:00')) AS moment";
    let failed = |error: neo4rs::Error| GraphError::Connect {
        address: address.to_string(),
        fault: error::connect_fault(&error, address.encryption, connection),
    };
    let mut transaction = graph.start_txn().await.map_err(failed)?;
    let mut rows = transaction.execute(VERSION).await.map_err(failed)?;
    let row = rows.next(transaction.handle()).await.map_err(failed)?;
    let text = |name: &str| row.as_ref().and_then(|row| row.get::<String>(name).ok()).unwrap_or_default();
    let described = [text("version"), text("edition"), text("moment")];
    // Nothing was changed: an error here takes nothing away.
    let _ = transaction.rollback().await;
    Ok(described)
}

/// A driver for the address. It connects when it is first used; beyond so many connections, one waits for another.
fn driver(address: &Address, connection: &Connection) -> Result<Graph, ConnectFault> {
    let encryption = address.encryption_of(connection);
    let mut config = ConfigBuilder::default()
        .user(&connection.user)
        .password(connection.password.as_ref().map_or("", Password::reveal))
        .db(connection.database.as_str())
        .connection_timeout(SILENT_AT_MOST)
        .tcp_keepalive(KEEP_ALIVE)
        .fetch_size(FETCH_SIZE)
        .max_connections(QUESTIONS_AT_ONCE);
    if let Some(tls) = &connection.tls {
        if encryption == Encryption::None {
            return Err(ConnectFault::NotEncrypted);
        }
        let authority =
            tls.ca_file.as_ref().map(PathBuf::from).filter(|_| encryption == Encryption::Verified);
        if let Some(authority) = &authority {
            has_pem(authority, "certificate", |path| CertificateDer::pem_file_iter(path))?;
        }
        match (&tls.cert_file, &tls.key_file, authority) {
            (Some(certificate), Some(key), authority) => {
                has_pem(Path::new(certificate), "certificate", |path| CertificateDer::pem_file_iter(path))?;
                has_pem(Path::new(key), "private key", |path| PrivateKeyDer::pem_file_iter(path))?;
                config = config.with_mutual_tls_validation(authority, certificate, key);
            }
            (_, _, Some(authority)) => config = config.with_client_certificate(authority),
            _ => {}
        }
    }
    let config = config.uri(address.driver_uri(encryption)).build();
    let graph = config.and_then(Graph::connect);
    graph.map_err(|error| ConnectFault::Other(error.to_string()))
}

/// Whether a PEM file holds what it should: the driver does not say so where it does not.
fn has_pem<T, I>(
    path: &Path,
    what: &'static str,
    read: impl Fn(&Path) -> Result<I, rustls::pki_types::pem::Error>,
) -> Result<(), ConnectFault>
where
    I: Iterator<Item = Result<T, rustls::pki_types::pem::Error>>,
{
    let unusable = |reason: String| ConnectFault::CertificateFile { path: path.to_owned(), reason };
    let mut items = read(path).map_err(|error| unusable(error.to_string()))?;
    match items.next() {
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(unusable(error.to_string())),
        None => Err(unusable(format!("it holds no {what} in PEM form"))),
    }
}
