//! How a Kafka cluster is reached: the caller's words, and librdkafka's.

use std::fmt;
use std::fs::File;
use std::path::PathBuf;

use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

use super::error::KafkaError;
use crate::spec::{SaslMechanism, SecurityProtocol};

/// How a Kafka cluster is reached; secrets are resolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// `host:port`, several joined by commas.
    pub bootstrap: String,
    /// Kafka's `security.protocol`.
    pub protocol: SecurityProtocol,
    /// Who logs in, with the SASL protocols.
    pub login: Option<Login>,
    /// Certificates, with the SSL protocols.
    pub tls: Tls,
}

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// Kafka's `sasl.mechanism`.
    pub mechanism: SaslMechanism,
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Certificates for a TLS connection, all PEM files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// The authority that signed the servers' certificates; without it, the system's.
    pub ca: Option<PathBuf>,
    /// The client's certificate.
    pub certificate: Option<PathBuf>,
    /// The client's key.
    pub key: Option<PathBuf>,
    /// Accepts any certificate: for tests only.
    pub insecure: bool,
}

impl Connection {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        matches!(self.protocol, SecurityProtocol::Ssl | SecurityProtocol::SaslSsl)
    }

    /// Whether the client logs in.
    #[must_use]
    pub fn logs_in(&self) -> bool {
        matches!(self.protocol, SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl)
    }

    /// The settings that every client of this cluster has, by librdkafka's names.
    ///
    /// # Errors
    /// Where a certificate or key cannot be opened: librdkafka would not say which.
    pub(super) fn client_config(&self) -> Result<ClientConfig, KafkaError> {
        let mut config = ClientConfig::new();
        // Its lines are heard by `Health`, never printed; why a connection was lost is only in those of this level.
        config.set_log_level(RDKafkaLogLevel::Info);
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("client.id", "runner")
            .set("security.protocol", protocol(self.protocol))
            // A connection that was cut must be noticed while nothing is sent.
            .set("socket.keepalive.enable", "true")
            .set("socket.nagle.disable", "true")
            .set("reconnect.backoff.max.ms", "2000");
        if self.is_encrypted() {
            let files = [
                ("ssl.ca.location", "caFile", &self.tls.ca),
                ("ssl.certificate.location", "certFile", &self.tls.certificate),
                ("ssl.key.location", "keyFile", &self.tls.key),
            ];
            for (name, key, path) in files {
                let Some(path) = path else { continue };
                File::open(path).map_err(|source| KafkaError::TlsFile { key, path: path.clone(), source })?;
                config.set(name, path.to_string_lossy());
            }
            if self.tls.insecure {
                config.set("enable.ssl.certificate.verification", "false");
                config.set("ssl.endpoint.identification.algorithm", "none");
            }
        }
        if let Some(login) = self.login.as_ref().filter(|_| self.logs_in()) {
            config
                .set("sasl.mechanism", mechanism(login.mechanism))
                .set("sasl.username", &login.user)
                .set("sasl.password", &login.password);
        }
        Ok(config)
    }
}

/// Kafka's own name of a protocol.
fn protocol(protocol: SecurityProtocol) -> &'static str {
    match protocol {
        SecurityProtocol::Plaintext => "PLAINTEXT",
        SecurityProtocol::Ssl => "SSL",
        SecurityProtocol::SaslPlaintext => "SASL_PLAINTEXT",
        SecurityProtocol::SaslSsl => "SASL_SSL",
    }
}

/// Kafka's own name of a mechanism.
pub(super) fn mechanism(mechanism: SaslMechanism) -> &'static str {
    match mechanism {
        SaslMechanism::Plain => "PLAIN",
        SaslMechanism::ScramSha256 => "SCRAM-SHA-256",
        SaslMechanism::ScramSha512 => "SCRAM-SHA-512",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use super::*;

    fn connection(protocol: SecurityProtocol) -> Connection {
        let login = Login {
            mechanism: SaslMechanism::ScramSha512,
            user: "ann".to_owned(),
            password: "hunter2".to_owned(),
        };
        Connection { bootstrap: "a:1,b:2".to_owned(), protocol, login: Some(login), tls: Tls::default() }
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", connection(SecurityProtocol::SaslSsl));
        assert!(shown.contains("ann") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_login_goes_only_where_the_protocol_has_one() {
        let config = connection(SecurityProtocol::Plaintext).client_config().unwrap();
        assert_eq!(config.get("sasl.password"), None);
        let config = connection(SecurityProtocol::SaslPlaintext).client_config().unwrap();
        assert_eq!(config.get("sasl.mechanism"), Some("SCRAM-SHA-512"));
        assert_eq!(config.get("sasl.password"), Some("hunter2"));
    }

    #[test]
    fn a_certificate_that_is_not_there_is_named() {
        let mut connection = connection(SecurityProtocol::Ssl);
        connection.tls.ca = Some("/nowhere/ca.pem".into());
        let error = connection.client_config().unwrap_err();
        insta::assert_snapshot!(error, @"`caFile` /nowhere/ca.pem cannot be read");
    }
}
