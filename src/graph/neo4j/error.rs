//! What the driver's and the server's errors mean.
//!
//! The server's are told apart by their status codes (<https://neo4j.com/docs/status-codes/current/errors/all-errors/>), the
//! driver's by their kind. By its words only where there is nothing else: the driver keeps no code of a failed login.

use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};

use super::bolt::BoltError;
use super::connection::{Connection, Encryption};
use crate::graph::{ConnectFault, GraphError, WriteError};

/// What an error of the server says about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// The statement cannot be read, or names what is not there.
    Statement,
    /// A statement that writes was refused where only reading is allowed.
    ReadOnly,
    /// The data is at fault.
    Data,
    /// A smaller transaction may succeed.
    TooLarge,
    /// The same may succeed later.
    Transient,
    /// The user may not do that, or not any more.
    Security,
    /// The database is not there.
    NoDatabase,
    /// Anything else.
    Other,
}

/// The class of a status code. Some codes stand for several things, which the message tells.
pub(super) fn class(code: &str, message: &str) -> Class {
    let mut parts = code.split('.').skip(1);
    let (kind, area, title) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    match (kind, area, title) {
        // A key too long for the index is found at the row that has it.
        _ if message.contains("too large to index") => Class::Data,
        // A text that is no date, by a function at run time: what is wrong with the statement itself comes with its place.
        ("ClientError", "Statement", "SyntaxError") if !message.contains(" (line ") => Class::Data,
        (_, "General", "TransactionMemoryLimit" | "StackOverFlowError")
        | (_, "Transaction", "TransactionTimedOut" | "TransactionTimedOutClientConfiguration") => {
            Class::TooLarge
        }
        ("TransientError", ..)
        | (_, "Transaction" | "Cluster", _)
        | ("ClientError", "General", "ForbiddenOnReadOnlyDatabase")
        | ("ClientError", "Security", "AuthorizationExpired") => Class::Transient,
        ("ClientError", "Database", "DatabaseNotFound") => Class::NoDatabase,
        ("ClientError", "Security", _) => Class::Security,
        ("ClientError", "Statement", "AccessMode") => Class::ReadOnly,
        ("ClientError", "Schema", "ConstraintValidationFailed" | "ConstraintViolation")
        | (
            "ClientError",
            "Statement",
            // A null key of a MERGE is a semantic error; those of the statement itself are found before it is run.
            "TypeError"
            | "ArgumentError"
            | "ArithmeticError"
            | "SemanticError"
            | "EntityNotFound"
            | "ConstraintVerificationFailed"
            | "PropertyNotFound"
            | "RuntimeUnsupportedError",
        )
        | ("ClientError", "Procedure", "ProcedureCallFailed") => Class::Data,
        ("ClientError", "Statement" | "Procedure", _) => Class::Statement,
        _ => Class::Other,
    }
}

/// What an error of the driver is.
enum Kind<'a> {
    /// The server answered with a status code.
    Server { code: &'a str, message: &'a str },
    /// The server refused the login.
    Login(&'a str),
    /// The connection ended, or what came over it was no answer.
    Lost,
    /// The driver could not do its part.
    Driver,
}

fn kind(error: &neo4rs::Error) -> Kind<'_> {
    use neo4rs::Error as Driver;
    match error {
        // An IGNORED comes without a code; the server ignores what follows a failure.
        Driver::Neo4j(server) if server.code().is_empty() => Kind::Lost,
        Driver::Neo4j(server) => Kind::Server { code: server.code(), message: server.message() },
        Driver::AuthenticationError(message) => Kind::Login(message),
        Driver::IOError { .. }
        | Driver::ConnectionError
        | Driver::IncompleteBoltExchange
        | Driver::ConnectionClosed(_)
        | Driver::ConnectionTimedOut
        | Driver::UnexpectedMessage(_)
        | Driver::UnknownMessage(_)
        | Driver::Ignored(_)
        | Driver::RequestIgnoredError
        | Driver::ServerUnavailableError(_) => Kind::Lost,
        _ => Kind::Driver,
    }
}

/// What an error means for whoever asked a question.
pub(super) fn graph_error(error: &neo4rs::Error) -> GraphError {
    match kind(error) {
        Kind::Server { code, message } => server_error(code, message),
        Kind::Login(message) => GraphError::Execution { message: message.to_owned() },
        Kind::Lost => GraphError::Unavailable { message: lost(error) },
        Kind::Driver => GraphError::Engine { message: error.to_string() },
    }
}

fn server_error(code: &str, message: &str) -> GraphError {
    match class(code, message) {
        Class::Statement => {
            let (message, position) = placed(message);
            GraphError::Statement { message, position }
        }
        Class::ReadOnly => GraphError::NotReadOnly,
        Class::Transient => GraphError::Unavailable { message: worded(code, message) },
        _ => GraphError::Execution { message: worded(code, message) },
    }
}

/// What the server says of transactions that wait for each other.
const DEADLOCK: &str = "Neo.TransientError.Transaction.DeadlockDetected";

/// What an error means for a batch.
pub(super) fn write_error(error: &BoltError) -> WriteError {
    let (code, message) = match error {
        BoltError::Server { code, message } => (code, message),
        BoltError::Version => {
            return WriteError::Fatal(GraphError::Engine { message: error.to_string() });
        }
        BoltError::Ignored | BoltError::Lost(_) | BoltError::Torn => {
            return WriteError::Transient { message: lost(error) };
        }
    };
    match class(code, message) {
        Class::Data => WriteError::Record { position: None, message: worded(code, message) },
        Class::TooLarge => WriteError::TooLarge { message: worded(code, message) },
        Class::Transient if code == DEADLOCK => WriteError::Deadlock { message: worded(code, message) },
        Class::Transient => WriteError::Transient { message: worded(code, message) },
        _ => WriteError::Fatal(server_error(code, message)),
    }
}

/// The first line of a message, with its code.
fn worded(code: &str, message: &str) -> String {
    let first = message.lines().next().unwrap_or_default().trim_end_matches('.');
    format!("{first} ({code})")
}

fn lost(error: &dyn std::error::Error) -> String {
    format!("the connection to Neo4j was lost: {error}")
}

/// The first line of a message without the place at its end, and that place: `… (line 2, column 8 (offset: 27))`.
pub(super) fn placed(message: &str) -> (String, Option<(usize, usize)>) {
    let first = message.lines().next().unwrap_or_default();
    let Some((words, place)) = first.rsplit_once(" (line ") else {
        return (first.trim_end_matches('.').to_owned(), None);
    };
    let mut numbers = place.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    let position = numbers.next().zip(numbers.next());
    (words.trim_end_matches('.').to_owned(), position)
}

/// What an error says about why a server cannot be used.
pub(super) fn connect_fault(
    error: &neo4rs::Error,
    encryption: Encryption,
    connection: &Connection,
) -> ConnectFault {
    use neo4rs::Error as Driver;
    let user = connection.user.clone();
    match (error, kind(error)) {
        (Driver::IOError { detail }, _) => io_fault(detail, encryption),
        // To a greeting that is not TLS, a server of TLS answers with an alert.
        (Driver::ProtocolMismatch(answer), _) if answer >> 16 == TLS_ALERT => ConnectFault::TlsWanted,
        (Driver::ProtocolMismatch(_), _) => ConnectFault::NotBolt,
        (Driver::UnsupportedVersion(major, minor), _) => {
            if *major == 0 {
                ConnectFault::NotBolt
            } else {
                ConnectFault::BoltVersion { major: *major, minor: *minor }
            }
        }
        (_, Kind::Login(message)) if message.contains("too many times") => ConnectFault::RateLimit { user },
        (_, Kind::Login(message)) if message.contains("unauthorized") => ConnectFault::Credentials { user },
        (_, Kind::Server { code, message }) => server_fault(code, message, connection),
        _ => ConnectFault::Other(error.to_string()),
    }
}

/// The first two bytes of a TLS alert.
const TLS_ALERT: u32 = 0x1503;

fn server_fault(code: &str, message: &str, connection: &Connection) -> ConnectFault {
    let (user, database) = (connection.user.clone(), connection.database.clone());
    match code {
        "Neo.ClientError.Security.CredentialsExpired" => ConnectFault::PasswordExpired { user },
        "Neo.ClientError.Security.Unauthorized" => ConnectFault::Credentials { user },
        "Neo.ClientError.Security.AuthenticationRateLimit" => ConnectFault::RateLimit { user },
        "Neo.TransientError.Database.DatabaseUnavailable" => {
            ConnectFault::DatabaseUnavailable { database, message: worded(code, message) }
        }
        _ => match class(code, message) {
            Class::NoDatabase => ConnectFault::NoSuchDatabase { database },
            Class::Security => ConnectFault::Forbidden { user, message: worded(code, message) },
            _ => ConnectFault::Other(worded(code, message)),
        },
    }
}

fn io_fault(error: &io::Error, encryption: Encryption) -> ConnectFault {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    let ended = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    );
    match tls {
        Some(tls) => tls_fault(tls),
        None if ended && encryption == Encryption::None => ConnectFault::TlsWanted,
        None if ended => ConnectFault::TlsNotOffered,
        None => ConnectFault::Unreachable(error.to_string()),
    }
}

fn tls_fault(error: &TlsError) -> ConnectFault {
    match error {
        TlsError::InvalidMessage(_) => ConnectFault::TlsNotOffered,
        TlsError::InvalidCertificate(reason) => match reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                ConnectFault::CertificateExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                ConnectFault::CertificateNotYetValid
            }
            CertificateError::UnknownIssuer => ConnectFault::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ConnectFault::CertificateName(reason.to_string())
            }
            _ => ConnectFault::Certificate(reason.to_string()),
        },
        TlsError::AlertReceived(
            alert @ (AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::AccessDenied),
        ) => ConnectFault::ClientCertificate(format!("{alert:?}")),
        _ => ConnectFault::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_apart_by_what_helps() {
        for (code, expected) in [
            ("Neo.ClientError.Schema.ConstraintValidationFailed", Class::Data),
            ("Neo.ClientError.Statement.TypeError", Class::Data),
            ("Neo.ClientError.Statement.ArgumentError", Class::Data),
            ("Neo.ClientError.Statement.ArithmeticError", Class::Data),
            ("Neo.ClientError.Statement.SemanticError", Class::Data),
            ("Neo.ClientError.Procedure.ProcedureCallFailed", Class::Data),
            ("Neo.ClientError.Statement.ParameterMissing", Class::Statement),
            ("Neo.ClientError.Procedure.ProcedureNotFound", Class::Statement),
            ("Neo.ClientError.Statement.AccessMode", Class::ReadOnly),
            ("Neo.TransientError.Transaction.DeadlockDetected", Class::Transient),
            ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", Class::Transient),
            ("Neo.TransientError.Transaction.LockAcquisitionTimeout", Class::Transient),
            ("Neo.TransientError.Database.DatabaseUnavailable", Class::Transient),
            ("Neo.ClientError.Transaction.LockClientStopped", Class::Transient),
            ("Neo.ClientError.Transaction.Terminated", Class::Transient),
            ("Neo.ClientError.Cluster.NotALeader", Class::Transient),
            ("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", Class::Transient),
            ("Neo.DatabaseError.Transaction.TransactionStartFailed", Class::Transient),
            ("Neo.TransientError.General.TransactionMemoryLimit", Class::TooLarge),
            ("Neo.ClientError.Transaction.TransactionTimedOut", Class::TooLarge),
            ("Neo.ClientError.Security.Unauthorized", Class::Security),
            ("Neo.ClientError.Security.Forbidden", Class::Security),
            ("Neo.ClientError.Security.AuthorizationExpired", Class::Transient),
            ("Neo.ClientError.Database.DatabaseNotFound", Class::NoDatabase),
            ("Neo.DatabaseError.General.UnknownError", Class::Other),
            ("", Class::Other),
        ] {
            assert_eq!(class(code, ""), expected, "{code}");
        }
    }

    #[test]
    fn a_key_too_long_for_the_index_is_the_fault_of_its_row() {
        let message = "Property value is too large to index, please see index documentation for limitations.";
        assert_eq!(class("Neo.DatabaseError.Statement.ExecutionFailed", message), Class::Data);
    }

    #[test]
    fn a_text_that_cannot_be_read_is_the_fault_of_its_row() {
        let code = "Neo.ClientError.Statement.SyntaxError";
        assert_eq!(class(code, "Text cannot be parsed to a DateTime\n\"yesterday\"\n ^"), Class::Data);
        assert_eq!(class(code, "Invalid input 'X' (line 1, column 2 (offset: 1))"), Class::Statement);
    }

    #[test]
    fn the_place_of_a_syntax_error_is_taken_from_its_message() {
        let message =
            "Invalid input 'MREGE': expected 'MERGE' (line 2, column 8 (offset: 27))\n\"MREGE (n)\"\n ^";
        assert_eq!(placed(message), ("Invalid input 'MREGE': expected 'MERGE'".to_owned(), Some((2, 8))));
        assert_eq!(placed("There is no place."), ("There is no place".to_owned(), None));
    }

    #[test]
    fn faults_of_tls_are_told_apart() {
        let fault = |error: TlsError| io_fault(&io::Error::other(error), Encryption::Verified);
        let invalid = TlsError::InvalidCertificate;
        assert_eq!(fault(invalid(CertificateError::Expired)), ConnectFault::CertificateExpired);
        assert_eq!(fault(invalid(CertificateError::NotValidYet)), ConnectFault::CertificateNotYetValid);
        assert_eq!(fault(invalid(CertificateError::UnknownIssuer)), ConnectFault::UnknownAuthority);
        assert!(matches!(
            fault(invalid(CertificateError::NotValidForName)),
            ConnectFault::CertificateName(_)
        ));
        assert!(matches!(
            fault(TlsError::AlertReceived(AlertDescription::CertificateRequired)),
            ConnectFault::ClientCertificate(_)
        ));
        let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
        assert_eq!(io_fault(&ended(), Encryption::None), ConnectFault::TlsWanted);
        assert_eq!(io_fault(&ended(), Encryption::Unverified), ConnectFault::TlsNotOffered);
    }
}
