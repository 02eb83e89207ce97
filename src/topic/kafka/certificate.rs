//! What is wrong with a server's certificate. librdkafka only says that it does not hold, so another handshake asks: one
//! that ends before anything is sent.

use std::fmt;
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, RootCertStore};

/// What is wrong with a server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateFault {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It is signed by an authority that is not trusted.
    UnknownIssuer,
    /// It is made out to other names than the address.
    OtherName(Vec<String>),
    /// It cannot be told.
    Unknown,
}

impl fmt::Display for CertificateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expired => f.write_str("has expired"),
            Self::NotYetValid => f.write_str("is not valid yet"),
            Self::UnknownIssuer => f.write_str("is signed by an authority that is not trusted"),
            Self::OtherName(names) if names.is_empty() => f.write_str("is made out to another name"),
            Self::OtherName(names) => write!(f, "is made out to another name: {}", names.join(", ")),
            Self::Unknown => f.write_str("does not hold"),
        }
    }
}

/// Asks a server for its certificate and says what is wrong with it. `ca` are the authorities to trust, else the system's.
///
/// It blocks, for not much longer than `patience`.
pub(super) fn diagnose(address: &str, ca: Option<&Path>, patience: Duration) -> CertificateFault {
    let fault = match handshake(address, ca, patience) {
        Err(error) => error.downcast::<Error>().ok(),
        Ok(()) => None,
    };
    let Some(Error::InvalidCertificate(error)) = fault else { return CertificateFault::Unknown };
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => CertificateFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateFault::NotYetValid
        }
        CertificateError::UnknownIssuer => CertificateFault::UnknownIssuer,
        CertificateError::NotValidForName => CertificateFault::OtherName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            CertificateFault::OtherName(presented.iter().map(|name| plain(name)).collect())
        }
        _ => CertificateFault::Unknown,
    }
}

/// A name of a certificate as people write it: rustls shows `DnsName("kafka.example")`.
fn plain(name: &str) -> String {
    name.split('"').nth(1).unwrap_or(name).to_owned()
}

/// A TLS handshake, trusting the authorities. Its errors hold rustls' own.
fn handshake(address: &str, ca: Option<&Path>, patience: Duration) -> io::Result<()> {
    let (host, _) = address.rsplit_once(':').ok_or(io::ErrorKind::InvalidInput)?;
    let host = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(authorities(ca)?)
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), host).map_err(io::Error::other)?;
    let address = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut socket = TcpStream::connect_timeout(&address, patience)?;
    socket.set_read_timeout(Some(patience))?;
    socket.set_write_timeout(Some(patience))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(())
}

/// The authorities of a PEM file, or the system's.
fn authorities(ca: Option<&Path>) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let certificates = match ca {
        None => rustls_native_certs::load_native_certs().certs,
        Some(path) => {
            CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(io::Error::other)?
        }
    };
    roots.add_parsable_certificates(certificates);
    Ok(roots)
}
