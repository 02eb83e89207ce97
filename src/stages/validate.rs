//! The validate stage: from the text of a file to a plan that can be run.

use std::path::{Path, PathBuf};

use super::journal::Summary;
use super::{Fault, Origin, stream};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::graph::mapping::CompiledMapping;
use crate::source::Dataset;
use crate::spec::load::Document;
use crate::spec::{Checked, Pipeline};
use crate::validate::{self, Opened};

/// A pipeline that was checked, with what checking it has opened: the source's files and the compiled mapping.
#[derive(Debug)]
pub struct Plan {
    /// The pipeline.
    pub pipeline: Checked<Pipeline>,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The source, listed and planned.
    pub dataset: Dataset,
    /// The statement that writes a row.
    pub mapping: CompiledMapping,
    /// The digest of what the graph is loaded by.
    pub stream_digest: stream::Digest,
    /// Findings that do not stand in the way.
    pub warnings: Vec<Diagnostic>,
}

impl Summary for Plan {
    fn summary(&self) -> String {
        let files = match self.dataset.files().len() {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        format!("{files}, {} rows, {} columns", self.dataset.rows(), self.dataset.columns().len())
    }
}

/// What looking at a file has brought.
#[derive(Debug)]
pub struct Checkup {
    /// The pipeline; where there are errors, only as good as it can be.
    pub pipeline: Option<Pipeline>,
    /// What was opened.
    pub opened: Opened,
    /// All findings; `allow` and `--deny` are in their severities already.
    pub findings: Vec<Diagnostic>,
}

/// Looks at a file: its form, its references, and unless `offline` the world that it names.
pub async fn check(document: &Document, origin: &Origin, offline: bool, deny_warnings: bool) -> Checkup {
    let mut checkup = validate::check(document);
    let mut opened = Opened::default();
    if let (Some(pipeline), false) = (&checkup.pipeline, offline) {
        let (found, more) = validate::open(pipeline, &origin.base, &validate::secret).await;
        opened = found;
        checkup.extend(document, more);
    }
    let allowed = checkup.pipeline.as_ref().map(|pipeline| pipeline.spec.allow.as_slice());
    let findings = validate::weigh(checkup.findings, allowed.unwrap_or_default(), deny_warnings);
    Checkup { pipeline: checkup.pipeline, opened, findings }
}

/// Looks at a file and makes a plan of it.
///
/// # Errors
/// Every finding, where one of them is an error.
pub async fn validate(document: &Document, origin: &Origin, deny_warnings: bool) -> Result<Plan, Fault> {
    let checkup = check(document, origin, false, deny_warnings).await;
    let faulty = checkup.findings.iter().any(|finding| finding.severity == Severity::Error);
    match (checkup.pipeline, checkup.opened) {
        (Some(pipeline), Opened { dataset: Some(dataset), mapping: Some(mapping) }) if !faulty => {
            Ok(plan(Checked::vouch(pipeline), &origin.base, dataset, mapping, checkup.findings))
        }
        (Some(pipeline), _) if !faulty && pipeline.spec.source.is_none() => Err(no_source()),
        _ => Err(Fault(checkup.findings)),
    }
}

fn plan(
    pipeline: Checked<Pipeline>,
    base: &Path,
    dataset: Dataset,
    mapping: CompiledMapping,
    warnings: Vec<Diagnostic>,
) -> Plan {
    let key = pipeline.spec.topic.key.as_deref().unwrap_or_default();
    let rows = format!("{}\nkey {key}", dataset.definition());
    let stream_digest = stream::Digest::of(&rows, &mapping.schema.statement);
    Plan { pipeline, base: base.to_owned(), dataset, mapping, stream_digest, warnings }
}

/// A pipeline without a source reads what others produce, which needs a Kafka.
fn no_source() -> Fault {
    Diagnostic::new(
        Code::TargetNotAvailable,
        "without a `source` there is nothing to run on the embedded target",
    )
    .at_key(crate::diagnostic::Path::of("spec"))
    .help("name parquet files under `source`")
    .into()
}

/// The pipeline with all its defaults, as YAML.
#[must_use]
pub fn expanded(pipeline: &Pipeline) -> String {
    validate::show(pipeline).unwrap_or_default()
}
