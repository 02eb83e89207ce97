//! What may go wrong with Kafka.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use super::certificate::CertificateFault;
use super::complaint::{Cause, Complaint, telling};
use super::connection::{Connection, mechanism};
use crate::message::RowId;

/// What went wrong with Kafka. None of the texts holds a secret.
#[derive(Debug, Error)]
pub enum KafkaError {
    /// The name in an address means nothing.
    #[error("the host of `{address}` cannot be found")]
    HostNotFound {
        /// `host:port`.
        address: String,
    },
    /// Nobody listens at an address.
    #[error("nothing listens on `{address}`")]
    Refused {
        /// `host:port`.
        address: String,
    },
    /// Nothing answered in time.
    #[error("Kafka at `{address}` did not answer{}{}", within(*waited), said(last.as_ref()))]
    NoAnswer {
        /// `host:port`, several joined by commas.
        address: String,
        /// How long it was waited for.
        waited: Duration,
        /// What librdkafka said last.
        last: Option<String>,
    },
    /// What answers does not speak Kafka's protocol.
    #[error("what answers on `{address}` is not Kafka")]
    NotKafka {
        /// `host:port`.
        address: String,
    },
    /// The client speaks in clear, the server ends the talk at once, as one does that wants TLS.
    #[error("`{address}` ends a connection without TLS at once: it wants TLS, or is not Kafka")]
    WantsTls {
        /// `host:port`.
        address: String,
    },
    /// The client speaks TLS, the server does not.
    #[error("`{address}` does not speak TLS")]
    SpeaksPlaintext {
        /// `host:port`.
        address: String,
    },
    /// The server wants a login.
    #[error("`{address}` wants a login")]
    WantsLogin {
        /// `host:port`.
        address: String,
    },
    /// The client logs in, the server does not ask for it.
    #[error("`{address}` takes no login")]
    TakesNoLogin {
        /// `host:port`.
        address: String,
    },
    /// The server's certificate does not hold.
    #[error("the certificate of `{address}` {fault}")]
    Certificate {
        /// `host:port`.
        address: String,
        /// What is wrong with it.
        fault: CertificateFault,
    },
    /// The server wants a client's certificate, or not the one that it got.
    #[error("`{address}` {}", if *shown { "does not take the client's certificate" } else { "wants a client's certificate" })]
    ClientCertificate {
        /// `host:port`.
        address: String,
        /// Whether one was shown.
        shown: bool,
    },
    /// User or password are wrong.
    #[error("`{address}` refuses the login of `{user}` ({mechanism})")]
    LoginRefused {
        /// `host:port`.
        address: String,
        /// The user.
        user: String,
        /// The mechanism.
        mechanism: &'static str,
    },
    /// The servers do not have the mechanism.
    #[error("`{address}` does not offer the mechanism {mechanism}, only {offered}")]
    MechanismNotOffered {
        /// `host:port`.
        address: String,
        /// The mechanism asked for.
        mechanism: &'static str,
        /// Those that there are.
        offered: String,
    },
    /// A certificate or key cannot be read.
    #[error("`{key}` {} cannot be read", path.display())]
    TlsFile {
        /// The key of the file's `tls`.
        key: &'static str,
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// librdkafka does not take the settings.
    #[error("the connection cannot be set up: {reason}")]
    Settings {
        /// Its words.
        reason: String,
    },
    /// The user may not do it.
    #[error("the user is not allowed to {action}")]
    NotAllowed {
        /// What: "write to topic trips".
        action: String,
    },
    /// A topic is not there.
    #[error("there is no topic `{topic}`")]
    NoTopic {
        /// Its name.
        topic: String,
    },
    /// A topic that is there has another number of partitions.
    #[error("topic `{topic}` has {} instead of {wanted}", if *found == 1 { "1 partition".to_owned() } else { format!("{found} partitions") })]
    Partitions {
        /// Its name.
        topic: String,
        /// As the file says.
        wanted: u32,
        /// As it is.
        found: u32,
    },
    /// A topic cannot be made.
    #[error("topic `{topic}` cannot be made: {reason}")]
    NotMade {
        /// Its name.
        topic: String,
        /// Why.
        reason: String,
    },
    /// A topic is there, but a partition has no leader.
    #[error("partition {partition} of topic `{topic}` has no leader")]
    NoLeader {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
    },
    /// Records that were not loaded yet are gone from the topic.
    #[error("records {from} to {} of partition {partition} of topic `{topic}` are gone before they were loaded", low.saturating_sub(1))]
    RecordsGone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The next record to load.
        from: u64,
        /// The first record that there is.
        low: u64,
    },
    /// The topic ends before the place up to which it was loaded: it was deleted and made again.
    #[error(
        "topic `{topic}` was made anew: partition {partition} ends at {high}, and the graph was loaded up to {from}"
    )]
    MadeAnew {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The next record to load.
        from: u64,
        /// Where the partition ends.
        high: u64,
    },
    /// The topic is not there any more, and the graph was loaded from it.
    #[error(
        "topic `{topic}` is gone, and {loaded} of its records are loaded: one made anew would hold others"
    )]
    Deleted {
        /// The topic.
        topic: String,
        /// How many records were loaded.
        loaded: u64,
    },
    /// The record before the place where loading goes on is another than the one that was loaded.
    #[error(
        "topic `{topic}` was made anew: record {offset} of partition {partition} is row {found}, and row {loaded} was loaded from there"
    )]
    OtherRecord {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// The record.
        offset: u64,
        /// The row that it is.
        found: RowId,
        /// The row that was loaded.
        loaded: RowId,
    },
    /// A message is larger than the topic takes.
    #[error("row {row} is a message of {bytes} bytes, more than topic `{topic}` takes")]
    TooLarge {
        /// The topic.
        topic: String,
        /// The row, or the offset of the record.
        row: String,
        /// Its size.
        bytes: usize,
    },
    /// Messages could not be delivered.
    #[error(
        "topic `{topic}` did not take all messages: {reason}; {delivered} were delivered, {lost} were not"
    )]
    NotDelivered {
        /// The topic.
        topic: String,
        /// How many the servers acknowledged.
        delivered: u64,
        /// How many they did not.
        lost: u64,
        /// The first failure.
        reason: String,
    },
    /// Kafka went away and did not come back in time.
    #[error("Kafka has not answered for {} s{}", waited.as_secs(), said(last.as_ref()))]
    Gone {
        /// How long it was waited for.
        waited: Duration,
        /// What librdkafka said last.
        last: Option<String>,
    },
    /// A broker does not have what it is asked for, not yet or not any more: it has just started, or another was elected.
    #[error("{what}: Kafka is not ready to answer ({reason})")]
    Unsettled {
        /// What was asked.
        what: String,
        /// The answer.
        reason: String,
    },
    /// A request failed otherwise.
    #[error("{what}: {reason}")]
    Request {
        /// What was asked.
        what: String,
        /// The answer.
        reason: String,
    },
}

/// `: words`, or nothing.
fn said(words: Option<&String>) -> String {
    words.map(|words| format!(": {words}")).unwrap_or_default()
}

/// ` within 5 s`, or nothing where it did not take that long to know.
fn within(waited: Duration) -> String {
    match waited.as_secs() {
        0 => String::new(),
        seconds => format!(" within {seconds} s"),
    }
}

impl KafkaError {
    /// Whether it may be over when the same is asked again, of a cluster that has answered before.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Refused { .. }
                | Self::NoAnswer { .. }
                | Self::NoLeader { .. }
                | Self::WantsTls { .. }
                | Self::Unsettled { .. }
        )
    }

    /// Why a cluster cannot be reached, from what librdkafka complained about; `None` where it said nothing telling.
    pub(super) fn of_complaints(connection: &Connection, complaints: &[Complaint]) -> Option<Self> {
        let complaint = telling(complaints)?;
        let address = match complaint.address() {
            none if none.is_empty() => connection.bootstrap.clone(),
            address => address,
        };
        let login = connection.login.as_ref();
        let mechanism = login.map_or("", |login| mechanism(login.mechanism));
        Some(match complaint.cause() {
            Cause::LoginRefused => {
                let user = login.map(|login| login.user.clone()).unwrap_or_default();
                Self::LoginRefused { address, user, mechanism }
            }
            Cause::MechanismNotOffered(offered) if offered.is_empty() => Self::TakesNoLogin { address },
            Cause::MechanismNotOffered(offered) => Self::MechanismNotOffered { address, mechanism, offered },
            Cause::Certificate => Self::Certificate { address, fault: CertificateFault::Unknown },
            Cause::ClientCertificate => {
                Self::ClientCertificate { address, shown: connection.tls.certificate.is_some() }
            }
            Cause::CutAtHello if connection.is_encrypted() => Self::NotKafka { address },
            Cause::CutAtHello => Self::WantsTls { address },
            Cause::CutWhenUp if !connection.logs_in() => Self::WantsLogin { address },
            Cause::SpeaksPlaintext => Self::SpeaksPlaintext { address },
            Cause::NotKafka => Self::NotKafka { address },
            Cause::Refused => Self::Refused { address },
            Cause::HostNotFound => Self::HostNotFound { address },
            Cause::CutWhenUp | Cause::Other => return None,
        })
    }
}
