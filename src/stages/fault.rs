//! The one place where a run's errors become words for people: code, message, place, advice.

mod cluster;
mod connect;
mod job;
mod kafka;
mod manifest;
mod pods;
mod reach;

use std::io;
use std::net::SocketAddr;
use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use thiserror::Error;

use super::state::StateError;
use super::stream::{DeadLetterError, LoadError, ResumeError};
use crate::analysis::AnalysisError;
use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, Severity, did_you_mean};
use crate::graph::{ConnectFault, GraphError, WriteError};
use crate::progress::Outcome;
use crate::source::SourceError;
use crate::spec::Analysis;
use crate::topic::kafka::Place;
use crate::validate;

pub(super) use cluster::nothing_deployed;
pub(super) use job::{
    job_failed, job_under_way, no_cluster, no_job, not_in_cluster, report_cut, report_not_kept,
    too_much_for_cluster, unreadable,
};
pub(super) use kafka::topic;
pub(super) use manifest::not_rendered;
pub(super) use reach::{forward, missing_secret, not_deployed, not_ready};

/// What can be done where the embedded engine has met a fault of its own.
const ENGINE_STOPPED: &str =
    "write the statement in another way, or run on a Neo4j; what was saved before stands";

/// Why a run ended before its end: one finding or more; none where it was asked to stop.
#[derive(Debug, Clone)]
pub struct Fault(pub Vec<Diagnostic>);

impl Fault {
    /// What it is, in a line.
    #[must_use]
    pub fn summary(&self) -> String {
        match self.0.as_slice() {
            [] => "it was stopped".to_owned(),
            [only] => only.message.clone(),
            [first, others @ ..] => format!("{}, and {} more", first.message, others.len()),
        }
    }
}

impl Fault {
    /// The end of what was asked to stop, and may stop at any moment: nothing is at fault.
    pub(super) const fn stopped() -> Self {
        Self(Vec::new())
    }

    /// How what ended with it has ended.
    pub(super) const fn outcome(&self) -> Outcome {
        if self.0.is_empty() { Outcome::Interrupted } else { Outcome::Failed }
    }

    /// Whether the same may succeed a while later, or beside other loaders: an outage, a server on its way, another loader that was
    /// faster.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.0.iter().filter(|finding| finding.severity == Severity::Error).all(|finding| {
            matches!(
                finding.code,
                Code::ServerUnreachable
                    // A store that was away.
                    | Code::UnreadableData
                    | Code::ClusterUnreachable
                    | Code::NotDeployed
                    | Code::NotReady
                    // A Neo4j that has just started answers before its database does.
                    | Code::DatabaseNotFound
                    | Code::TopicNotMade
                    | Code::NotDelivered
                    | Code::KafkaFailed
                    | Code::EngineFailed
                    | Code::LoadersStandStill
                    | Code::Fenced
            )
        })
    }

    /// Places findings that have no place of their own at the name of a key.
    pub(super) fn at_key(mut self, path: &Path) -> Self {
        for finding in self.0.iter_mut().filter(|finding| finding.path() == Path::root()) {
            finding.location = Location::At(path.clone(), Part::Key);
        }
        self
    }
}

impl From<Diagnostic> for Fault {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl From<SourceError> for Fault {
    fn from(error: SourceError) -> Self {
        validate::source_finding(&error).into()
    }
}

impl From<Vec<SourceError>> for Fault {
    fn from(errors: Vec<SourceError>) -> Self {
        Self(errors.iter().map(validate::source_finding).collect())
    }
}

impl From<StateError> for Fault {
    fn from(error: StateError) -> Self {
        Diagnostic::new(Code::StateFolder, error.to_string())
            .help("name another folder with `--state-dir DIR`")
            .into()
    }
}

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

/// An error's words with those of its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = deeper.source();
    }
    words
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

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        let words = error.to_string();
        match error {
            LoadError::Write(error) => write(error).into(),
            LoadError::Graph(error) => error.into(),
            LoadError::Kafka(error) | LoadError::DeadLetters(DeadLetterError::Topic(error)) => error.into(),
            LoadError::DeadLetters(_) => Diagnostic::new(Code::StateFolder, words).into(),
            LoadError::TooManyErrors { examples, .. } => {
                let finding = Diagnostic::new(Code::TooManyErrors, words).at_key(Path::of("spec.mapping"));
                let finding = examples.into_iter().fold(finding, Diagnostic::help);
                finding.help("`runner preview` shows what becomes of the first rows").into()
            }
        }
    }
}

impl From<ResumeError> for Fault {
    fn from(error: ResumeError) -> Self {
        let words = error.to_string();
        let fresh = "`--fresh` throws the graph away and loads everything anew";
        let finding = match error {
            ResumeError::RowsChanged => Diagnostic::new(Code::DefinitionChanged, words)
                .at_key(Path::of("spec.source"))
                .help("rows of the old and of the new definition would stand mixed in one graph")
                .help("undo the change, or give the pipeline another `metadata.name`"),
            ResumeError::MappingChanged => Diagnostic::new(Code::DefinitionChanged, words)
                .at_key(Path::of("spec.mapping"))
                .help("rows that are loaded already would keep the old form")
                .help("undo the change, or give the pipeline another `metadata.name`"),
            ResumeError::FileGone { .. } => Diagnostic::new(Code::SourceChanged, words)
                .at(Path::of("spec.source.parquet"))
                .help("put the file back; new files may be added, with names that come after it"),
            ResumeError::FileChanged { .. } => Diagnostic::new(Code::SourceChanged, words)
                .at(Path::of("spec.source.parquet"))
                .help("put the file back; new rows belong into new files, with names that come after it"),
        };
        finding.help(fresh).into()
    }
}

/// The fault of `--share` where there are no servers.
pub(super) fn nothing_to_share() -> Fault {
    Diagnostic::new(Code::TargetNotAvailable, "the embedded engine has one loader, and no other can join it")
        .help("leave `--share` out, or run on servers: `infrastructure.external` or `kubernetes`")
        .into()
}

/// The fault of several loaders where Kafka Connect is the loader.
pub(super) fn connect_loads_alone() -> Fault {
    Diagnostic::new(
        Code::TargetNotAvailable,
        "with `mapping.loader: connect`, Kafka Connect loads the topic alone",
    )
    .at(Path::of("spec.mapping.loader"))
    .help("leave `--share` out, or `loader`")
    .into()
}

/// The fault of a run whose other loaders do not come to the topic's end.
pub(super) fn loaders_stand_still(left: u64, patience: Duration) -> Fault {
    let message = format!(
        "the other loaders have {left} records left, and have not moved for {} s",
        patience.as_secs()
    );
    Diagnostic::new(Code::LoadersStandStill, message)
        .at_key(Path::of("spec.stream.loaders"))
        .help("look at what they say: `runner logs FILE --share 1`, and so on")
        .help("what is loaded stands; the next run goes on from there")
        .into()
}

/// The report cannot be written.
#[derive(Debug, Error)]
#[error("the report cannot be written to `{}`: {source}", folder.display())]
pub(super) struct ReportError {
    /// The folder.
    pub folder: PathBuf,
    /// Whether the run has done all else.
    pub is_loaded: bool,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl From<ReportError> for Fault {
    fn from(error: ReportError) -> Self {
        let finding = Diagnostic::new(Code::ReportNotWritten, error.to_string())
            .help("name another folder with `--report-dir DIR`");
        if error.is_loaded { finding.help("the graph is loaded and kept all the same") } else { finding }
            .into()
    }
}

/// The fault of an analysis, at its place in the file.
pub(super) fn analysis(index: usize, wanted: &Analysis, error: &AnalysisError) -> Fault {
    let path = Path::of("spec.analyses").index(index);
    let path = match error {
        AnalysisError::Graph(GraphError::Connect { .. } | GraphError::Unavailable { .. }) => path,
        AnalysisError::Graph(_) if wanted.cypher.is_some() => path.key("cypher"),
        AnalysisError::Node(_) | AnalysisError::Engine(_) | AnalysisError::Server { .. } => {
            path.key("config")
        }
        AnalysisError::UnknownProcedure { .. }
        | AnalysisError::NoSuchProcedure { .. }
        | AnalysisError::Memory { .. }
        | AnalysisError::WritesRelationships { .. } => path.key("gds"),
        AnalysisError::NoSuchMode { .. } => path.key("mode"),
        AnalysisError::NoServer { .. } => path.key("engine"),
        _ => path,
    };
    let message = format!("{}: {}", wanted.name, with_causes(error));
    let finding = Diagnostic::new(Code::AnalysisFailed, message).at(path);
    let helps = analysis_helps(error);
    helps.into_iter().fold(finding, Diagnostic::help).into()
}

/// What can be done about an analysis that has no result.
fn analysis_helps(error: &AnalysisError) -> Vec<String> {
    match error {
        AnalysisError::NoServer { .. } => vec![
            "install Neo4j's plugin `graph-data-science` on the server, and run again".to_owned(),
            "`engine: auto` uses the built-in engine instead, for the procedures that it has".to_owned(),
        ],
        AnalysisError::NoSuchProcedure { name, known } => {
            did_you_mean(name, known.iter().map(String::as_str)).into_iter().collect()
        }
        AnalysisError::NoSuchMode { modes, .. } => vec![format!("modes: {}", modes.join(", "))],
        AnalysisError::Graph(GraphError::Stopped { .. }) => vec![ENGINE_STOPPED.to_owned()],
        AnalysisError::Memory { .. } => vec![
            "project less, or give the server more heap (`server.memory.heap.max_size`)".to_owned(),
            "`config: { sudo: true }` runs it all the same, at the server's risk".to_owned(),
        ],
        _ => Vec::new(),
    }
}

/// The fault of a test's rows.
pub(super) fn test_rows(path: &Path, errors: &[SourceError]) -> Fault {
    let finding = |error: &SourceError| {
        let finding = Diagnostic::new(Code::TestFailed, error.to_string());
        let rows = path.key("rows");
        match error {
            // A name that no column has.
            SourceError::TestRow { row, column: Some(column), known, .. } if !known.is_empty() => {
                finding.at_key(rows.index(*row).key(column))
            }
            SourceError::TestRow { row, column: Some(column), .. } => {
                finding.at(rows.index(*row).key(column))
            }
            SourceError::TestRow { row, column: None, .. } => finding.at(rows.index(*row)),
            _ => finding.at(rows),
        }
    };
    Fault(errors.iter().map(finding).collect())
}

/// The fault of a graph that was loaded through another topic.
pub(super) fn other_topic(topic: &str, other: &str) -> Fault {
    Diagnostic::new(
        Code::DefinitionChanged,
        format!(
            "the graph was loaded through topic `{other}`; through `{topic}` every row would be loaded again"
        ),
    )
    .at(Path::of("spec.topic.name"))
    .help(format!("call the topic `{other}` again, or give the pipeline another `metadata.name`"))
    .help("`--fresh` throws the graph away and loads everything anew")
    .into()
}

/// The fault of a run on servers that the file does not name.
pub(super) fn no_servers() -> Fault {
    Diagnostic::new(Code::TargetNotAvailable, "the file names no servers to run on")
        .at_key(Path::of("spec.infrastructure"))
        .help("name them under `infrastructure.external`: `kafka` with `bootstrap`, `neo4j` with `uri`")
        .help("or have them deployed: `infrastructure.kubernetes`")
        .into()
}

/// The fault of looking for dead letters in a topic where a file holds them.
pub(super) fn letters_in_file(file: &FilePath) -> Fault {
    let message = format!("the embedded target keeps its dead letters in a file: `{}`", file.display());
    let help = if file.exists() {
        "read it there: one JSON object a line for each record, with the reason"
    } else {
        "it is not there: nothing was loaded so far, or `--state-dir DIR` names the folder"
    };
    Diagnostic::new(Code::TargetNotAvailable, message)
        .at_key(Path::of("spec.infrastructure"))
        .help(help)
        .help("once the mapping or the data is mended, `runner run FILE --fresh` loads all rows anew")
        .into()
}

/// The fault of a dead letter that is not there.
pub(super) fn no_dead_letter(topic: &str, Place { partition, offset }: Place) -> Fault {
    Diagnostic::new(
        Code::NoSuchDeadLetter,
        format!("topic `{topic}` has no dead letter of the record {partition}/{offset}"),
    )
    .help("`runner dlq list FILE` shows those that there are")
    .into()
}

/// The fault of a mended value that is none.
pub(super) fn mended_value(path: &FilePath, reason: &str) -> Fault {
    Diagnostic::new(Code::MendedValue, format!("`{}` cannot be the record's value: {reason}", path.display()))
        .help("it must be one JSON object, as `runner dlq show FILE PARTITION/OFFSET` prints it")
        .into()
}

/// The fault of metrics that nobody can ask for.
pub(super) fn metrics_address(address: SocketAddr, error: &io::Error) -> Fault {
    Diagnostic::new(Code::MetricsAddress, format!("metrics cannot be served on `{address}`: {error}"))
        .help("name a free address: `--metrics 127.0.0.1:9464`")
        .into()
}

/// The fault of following a topic that nobody else can fill.
pub(super) fn nothing_to_follow() -> Fault {
    Diagnostic::new(Code::TargetNotAvailable, "the embedded target has no topic that others could fill")
        .at_key(Path::of("spec.infrastructure"))
        .help("run without `--follow`, or name a Kafka under `infrastructure.external`")
        .into()
}
