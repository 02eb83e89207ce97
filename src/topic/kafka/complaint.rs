//! What librdkafka's complaints mean.
//!
//! It tells most causes apart only in words. They are those of librdkafka 2.12, `rdkafka_broker.c`, `rdkafka_ssl.c`,
//! `rdkafka_transport.c` and `rdkafka_request.c`; what is not recognised is passed on as it is.

use rdkafka::error::RDKafkaErrorCode as Code;

/// What librdkafka said about a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The kind of failure; none for a log line.
    pub code: Option<Code>,
    /// `protocol://host:port/id: what went wrong (after so long in some state)`.
    pub words: String,
}

/// Why a connection failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// The user or the password is wrong.
    LoginRefused,
    /// The servers do not have the mechanism; those that they have, as they list them.
    MechanismNotOffered(String),
    /// The server's certificate does not hold.
    Certificate,
    /// The server asks for a client's certificate, or does not take the one it got.
    ClientCertificate,
    /// The client speaks TLS, the server does not.
    SpeaksPlaintext,
    /// What answers is no Kafka.
    NotKafka,
    /// Nobody listens there.
    Refused,
    /// The name means nothing.
    HostNotFound,
    /// The server ended the talk at the client's first words.
    CutAtHello,
    /// The server ended the talk at the client's first request.
    CutWhenUp,
    /// Something else.
    Other,
}

impl Cause {
    /// Whether trying again cannot help, and may do harm: servers lock out who fails to log in too often.
    pub(super) fn is_final(&self) -> bool {
        !self.is_cut() && !matches!(self, Self::Refused | Self::HostNotFound | Self::NotKafka | Self::Other)
    }

    /// Whether it only says that a connection ended: of a new one that is telling, of an old one it is not.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self, Self::CutAtHello | Self::CutWhenUp)
    }
}

impl Complaint {
    /// The `host:port` that it is about; empty where it names none.
    pub(super) fn address(&self) -> String {
        let head = self.words.split(": ").next().unwrap_or_default();
        let head = head.split_once("://").map_or(head, |(_, rest)| rest);
        let address = head.split('/').next().unwrap_or_default();
        if address.contains(':') { address.to_owned() } else { String::new() }
    }

    /// What went wrong, without the address and without librdkafka's state.
    pub(super) fn reason(&self) -> String {
        let reason = self.words.split_once(": ").map_or(&*self.words, |(_, reason)| reason);
        reason.split(" (after ").next().unwrap_or_default().to_owned()
    }

    /// Why the connection failed.
    pub(super) fn cause(&self) -> Cause {
        let has = |words: &str| self.words.contains(words);
        if let Some((_, offered)) = self.words.split_once("broker's supported mechanisms: ") {
            let offered = offered.split(" (after ").next().unwrap_or_default();
            return Cause::MechanismNotOffered(offered.trim().to_owned());
        }
        if has("connecting to a PLAINTEXT broker listener")
            || has("wrong version number")
            || has("packet length too long")
        {
            return Cause::SpeaksPlaintext;
        }
        if has("certificate verify failed") || has("Failed to verify broker certificate") {
            return Cause::Certificate;
        }
        if has("certificate required")
            || has("bad certificate")
            || has("client SSL authentication might be required")
        {
            return Cause::ClientCertificate;
        }
        if has("Invalid frame size") || has("Invalid response size") || has("Protocol parse failure") {
            return Cause::NotKafka;
        }
        if self.code == Some(Code::Authentication) || has("SASL authentication error") {
            return Cause::LoginRefused;
        }
        if self.code == Some(Code::Resolve) || has("Failed to resolve") {
            return Cause::HostNotFound;
        }
        if has("Connection refused") {
            return Cause::Refused;
        }
        match self.words.contains("Disconnected").then(|| self.state()) {
            Some("APIVERSION_QUERY") => Cause::CutAtHello,
            Some("UP") => Cause::CutWhenUp,
            _ => Cause::Other,
        }
    }

    /// librdkafka's name for what it was doing: `… (after 3ms in state UP)`.
    fn state(&self) -> &str {
        let state = self.words.rsplit_once(" in state ").map_or("", |(_, state)| state);
        state.split([')', ',']).next().unwrap_or_default()
    }
}

/// The complaint that says most: a final one before a passing one, an early one before a late one.
pub(super) fn telling(complaints: &[Complaint]) -> Option<&Complaint> {
    complaints.iter().min_by_key(|complaint| complaint.cause())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(words: &str) -> Complaint {
        Complaint { code: None, words: words.to_owned() }
    }

    #[test]
    fn an_address_is_found_in_every_form() {
        for words in [
            "sasl_ssl://kafka.example:9093/bootstrap: Disconnected",
            "kafka.example:9093/1: Connect to ipv4#10.0.0.1:9093 failed: Connection refused",
            "kafka.example:9093/bootstrap: Failed to resolve 'kafka.example:9093': Name or service not known",
        ] {
            assert_eq!(complaint(words).address(), "kafka.example:9093", "{words}");
        }
        assert_eq!(complaint("GroupCoordinator: Disconnected").address(), "");
    }

    #[test]
    fn a_connection_that_was_cut_is_told_by_what_it_was_doing() {
        let cut = |state: &str| {
            complaint(&format!(
                "a:1/bootstrap: Disconnected: connection closed by peer (after 2ms in state {state})"
            ))
            .cause()
        };
        assert_eq!(cut("APIVERSION_QUERY"), Cause::CutAtHello);
        assert_eq!(cut("UP, 3 identical error(s) suppressed"), Cause::CutWhenUp);
        assert_eq!(cut("CONNECT"), Cause::Other);
    }

    #[test]
    fn the_most_telling_complaint_is_found() {
        let refused = complaint(
            "a:1/bootstrap: Connect to ipv6#[::1]:1 failed: Connection refused (after 0ms in state CONNECT)",
        );
        let login = complaint(
            "b:2/bootstrap: SASL authentication error: Authentication failed (after 3ms in state AUTH_REQ)",
        );
        let complaints = [refused.clone(), login.clone(), refused];
        assert_eq!(telling(&complaints), Some(&login));
        assert_eq!(login.reason(), "SASL authentication error: Authentication failed");
        assert!(login.cause().is_final());
    }
}
