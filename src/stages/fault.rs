//! The one place where a run's errors become words for people: code, message, place, advice.

mod cluster;
mod connect;
mod graph;
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
use crate::graph::GraphError;
use crate::progress::Outcome;
use crate::source::SourceError;
use crate::spec::Analysis;
use crate::topic::kafka::Place;
use crate::validate;

pub(super) use cluster::nothing_deployed;
use graph::ENGINE_STOPPED;
pub(super) use job::{
    job_failed, job_under_way, no_cluster, no_job, not_in_cluster, report_cut, report_not_kept,
    too_much_for_cluster, unreadable,
};
pub(super) use kafka::topic;
pub(super) use manifest::not_rendered;
pub(super) use reach::{forward, missing_secret, not_deployed, not_ready};

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

impl From<LoadError> for Fault {
    fn from(error: LoadError) -> Self {
        let words = error.to_string();
        match error {
            LoadError::Write(error) => error.into(),
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

/// The fault of a run whose other producers do not come to the end of their files.
pub(super) fn producers_stand_still(patience: Duration) -> Fault {
    let seconds = patience.as_secs();
    let message = format!(
        "the other producers have not all said that their rows are in the topic, and one was not heard for {seconds} s"
    );
    Diagnostic::new(Code::LoadersStandStill, message)
        .at_key(Path::of("spec.stream.producers"))
        .help("look at what they say: `runner logs FILE --share 1`, and so on")
        .help("what is in the topic stands; the next run goes on from there")
        .into()
}

/// The fault of a share that has listed other files than the one that leads.
pub(super) fn other_files() -> Fault {
    Diagnostic::new(
        Code::LoadersStandStill,
        "the first loader reads other files than this one, or by another definition",
    )
    .at_key(Path::of("spec.source.parquet"))
    .help("start this one again: it lists the files when it begins")
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
