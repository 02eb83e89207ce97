//! The socket under a session, encrypted or not.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::graph::neo4j::connection::{Address, Connection, Encryption, KEEP_ALIVE};

/// A server that does not answer so many questions of TCP, this far apart, is gone: as the driver has it.
const PROBED_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// What a session reads from and writes to.
pub(super) trait Socket: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Socket for T {}

/// Connects, and agrees on the encryption.
pub(super) async fn connect(address: &Address, connection: &Connection) -> io::Result<Box<dyn Socket>> {
    let stream = TcpStream::connect((address.plain_host(), address.port)).await?;
    // A transaction's last bytes would wait for the acknowledgement of those before them: some 45 ms each time.
    stream.set_nodelay(true)?;
    let keep_alive =
        TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(PROBED_EVERY).with_retries(PROBES);
    SockRef::from(&stream).set_tcp_keepalive(&keep_alive)?;
    let encryption = address.encryption_of(connection);
    if encryption == Encryption::None {
        return Ok(Box::new(stream));
    }
    let name = ServerName::try_from(address.plain_host().to_owned()).map_err(io::Error::other)?;
    let connector = TlsConnector::from(Arc::new(configuration(encryption, connection)?));
    Ok(Box::new(connector.connect(name, stream).await?))
}

fn configuration(encryption: Encryption, connection: &Connection) -> io::Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let tls = connection.tls.as_ref();
    let builder = if encryption == Encryption::Unverified {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        let authority = tls.and_then(|tls| tls.ca_file.as_deref());
        builder.with_root_certificates(authorities(authority.map(Path::new))?)
    };
    match tls.and_then(|tls| tls.cert_file.as_ref().zip(tls.key_file.as_ref())) {
        None => Ok(builder.with_no_client_auth()),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::from_pem_file(key).map_err(io::Error::other)?;
            builder
                .with_client_auth_cert(certificates(Path::new(certificate))?, key)
                .map_err(io::Error::other)
        }
    }
}

/// The authorities of a PEM file, or the system's.
fn authorities(file: Option<&Path>) -> io::Result<RootCertStore> {
    let certificates = match file {
        Some(file) => certificates(file)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    Ok(roots)
}

/// The certificates of a PEM file; what else stands there is passed by, as the driver does at the login.
fn certificates(file: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let items = CertificateDer::pem_file_iter(file).map_err(io::Error::other)?;
    Ok(items.filter_map(Result::ok).collect())
}

/// Takes whatever certificate the server shows, as `+ssc` and `insecure` ask for; the server must have its key all the same.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
