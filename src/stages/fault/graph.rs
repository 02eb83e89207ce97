//! What went wrong with a graph, in words, and what to do.

use super::{Fault, with_causes};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::{ConnectFault, GraphError, WriteError};

/// What can be done where the embedded engine has met a fault of its own.
pub(super) const ENGINE_STOPPED: &str =
    "write the statement in another way, or run on a Neo4j; what was saved before stands";

impl From<GraphError> for Fault {
    fn from(error: GraphError) -> Self {
        graph(&error).into()
    }
}

/// The finding of an error of the graph store.
fn graph(error: &GraphError) -> Diagnostic {
    let code = match error {
        GraphError::InUse { .. } => Code::StateInUse,
        GraphError::OtherPipeline { .. }
        | GraphError::OtherFormat { .. }
        | GraphError::NotOurs { .. }
        | GraphError::Open { .. }
        | GraphError::Save { .. }
        | GraphError::Checkpoint { .. }
        | GraphError::Io { .. } => Code::StateFolder,
        GraphError::Constraint { .. } => Code::ConstraintFailed,
        GraphError::Statement { .. }
        | GraphError::NotReadOnly
        | GraphError::Execution { .. }
        | GraphError::NotANumber { .. }
        | GraphError::IntegerTooLarge { .. } => Code::StatementFailed,
        GraphError::Connect { fault, .. } => connect_code(fault),
        GraphError::Unavailable { .. } | GraphError::Stopped { .. } | GraphError::Engine { .. } => {
            Code::EngineFailed
        }
    };
    let finding = Diagnostic::new(code, with_causes(error));
    match error {
        GraphError::InUse { .. } => {
            finding.help("wait for the other run to end, or name another folder with `--state-dir DIR`")
        }
        GraphError::OtherPipeline { .. } => finding.help("give each pipeline a `metadata.name` of its own"),
        GraphError::OtherFormat { .. } | GraphError::Open { .. } | GraphError::Checkpoint { .. } => {
            finding.help("`runner run FILE --fresh` throws the stored graph away and loads it anew")
        }
        GraphError::NotOurs { .. } => finding.help("name an empty or new folder with `--state-dir DIR`"),
        GraphError::Constraint { .. } => finding
            .at_key(Path::of("spec.mapping"))
            .help("the graph holds elements with equal keys; `--fresh` loads it anew"),
        GraphError::Connect { fault, .. } => connect(finding, fault),
        GraphError::Stopped { .. } => finding.help(ENGINE_STOPPED),
        _ => finding,
    }
}

/// What kind of fault keeps a server from being used.
fn connect_code(fault: &ConnectFault) -> Code {
    match fault {
        ConnectFault::Address(_) => Code::InvalidValue,
        ConnectFault::UnknownHost { .. }
        | ConnectFault::Refused
        | ConnectFault::Unreachable(_)
        | ConnectFault::TimedOut { .. }
        | ConnectFault::NotBolt
        | ConnectFault::BoltVersion { .. }
        | ConnectFault::Other(_) => Code::ServerUnreachable,
        ConnectFault::TlsWanted
        | ConnectFault::TlsNotOffered
        | ConnectFault::NotEncrypted
        | ConnectFault::CertificateExpired
        | ConnectFault::CertificateNotYetValid
        | ConnectFault::UnknownAuthority
        | ConnectFault::CertificateName(_)
        | ConnectFault::Certificate(_)
        | ConnectFault::ClientCertificate(_)
        | ConnectFault::CertificateFile { .. } => Code::TlsFailed,
        ConnectFault::Credentials { .. }
        | ConnectFault::RateLimit { .. }
        | ConnectFault::PasswordExpired { .. }
        | ConnectFault::Forbidden { .. } => Code::LoginRefused,
        ConnectFault::NoSuchDatabase { .. } | ConnectFault::DatabaseUnavailable { .. } => {
            Code::DatabaseNotFound
        }
    }
}

/// Where in the file it is mended that a server cannot be used, and how.
fn connect(finding: Diagnostic, fault: &ConnectFault) -> Diagnostic {
    let at = Path::of("spec.infrastructure.external.neo4j");
    let (key, help) = match fault {
        ConnectFault::Address(_) => {
            ("uri", "write `neo4j://host:7687` or `bolt://host:7687`, with `+s` for TLS")
        }
        ConnectFault::UnknownHost { .. } => ("uri", "correct the name, or run where it is known"),
        ConnectFault::Refused => ("uri", "start the server, or correct the port; Bolt's is 7687"),
        ConnectFault::Unreachable(_) | ConnectFault::TimedOut { .. } => {
            ("uri", "look for a firewall or a VPN between here and the server; it may also be starting")
        }
        ConnectFault::NotBolt => ("uri", "name the port of Bolt, 7687; that of the browser is 7474"),
        ConnectFault::BoltVersion { .. } => {
            ("uri", "Neo4j 4.1 to 5 and the later calendar versions speak them")
        }
        ConnectFault::TlsWanted => {
            ("uri", "write `bolt+s://`, or `bolt+ssc://` for a certificate that signs itself")
        }
        ConnectFault::TlsNotOffered => {
            ("uri", "write `bolt://`, or turn `server.bolt.tls_level` on at the server")
        }
        ConnectFault::NotEncrypted => ("uri", "write `bolt+s://` or `neo4j+s://`, or leave `tls` out"),
        ConnectFault::CertificateExpired | ConnectFault::CertificateNotYetValid => {
            ("uri", "the server needs a new certificate; also compare the clocks")
        }
        ConnectFault::UnknownAuthority => {
            ("tls", "name the authority's certificate: `tls: { caFile: ca.crt }`")
        }
        ConnectFault::CertificateName(_) => ("uri", "use a name that the certificate has"),
        ConnectFault::Certificate(_) => ("tls", "ask those who run the server for its certificate"),
        ConnectFault::ClientCertificate(_) => ("tls", "give `tls.certFile` and `tls.keyFile`"),
        ConnectFault::CertificateFile { .. } => ("tls", "correct the path; the file has to be PEM"),
        ConnectFault::Credentials { .. } => ("passwordFrom", "correct the user or the password"),
        ConnectFault::RateLimit { .. } => ("passwordFrom", "correct the password, and wait five seconds"),
        ConnectFault::PasswordExpired { .. } => {
            ("passwordFrom", "log in once with cypher-shell: `ALTER CURRENT USER SET PASSWORD …`")
        }
        ConnectFault::Forbidden { .. } => ("user", "give the user the right to read and write the database"),
        ConnectFault::NoSuchDatabase { .. } => ("database", "correct the name, or create the database first"),
        ConnectFault::DatabaseUnavailable { .. } => {
            ("database", "wait until the server has recovered, or start it")
        }
        ConnectFault::Other(_) => return finding.at(at.key("uri")),
    };
    finding.at(at.key(key)).help(help)
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        write(error).into()
    }
}

/// The finding of a batch that could not be written.
fn write(error: WriteError) -> Diagnostic {
    match error {
        WriteError::Fatal(error) => {
            let finding = graph(&error);
            let is_of_statement = matches!(
                error,
                GraphError::Statement { .. }
                    | GraphError::Execution { .. }
                    | GraphError::Stopped { .. }
                    | GraphError::Engine { .. }
            );
            if is_of_statement { finding.at_key(Path::of("spec.mapping.cypher")) } else { finding }
        }
        WriteError::Fenced { .. } => Diagnostic::new(Code::Fenced, error.to_string())
            .help("let one run at a time load a topic; what it wrote stands, and nothing is doubled"),
        WriteError::Record { .. } => {
            Diagnostic::new(Code::DeadLetters, error.to_string()).at_key(Path::of("spec.mapping"))
        }
        WriteError::WroteNothing { .. } => {
            Diagnostic::new(Code::RowWroteNothing, error.to_string()).at_key(Path::of("spec.mapping"))
        }
        WriteError::TooLarge { .. } => Diagnostic::new(Code::EngineFailed, error.to_string())
            .at_key(Path::of("spec.stream.batchRows"))
            .help("a single row is too much for one transaction: give the server more memory, or its transactions more time"),
        WriteError::Transient { .. } | WriteError::Deadlock { .. } => Diagnostic::new(Code::EngineFailed, error.to_string())
            .help("it was tried several times; run again to go on from the checkpoint"),
    }
}
