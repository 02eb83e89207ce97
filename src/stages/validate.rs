//! The validate stage: from the text of a file to a plan that can be run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::journal::Summary;
use super::{Fault, Origin, stream};
use crate::diagnostic::{self, Code, Diagnostic};
use crate::graph::mapping::CompiledMapping;
use crate::share::Share;
use crate::source::Dataset;
use crate::spec::load::Document;
use crate::spec::{Checked, Pipeline, SecretSource};
use crate::validate::{self, Checkup, Opened};

/// A pipeline that was checked, with what checking it has opened: the source's files and the compiled mapping.
#[derive(Debug)]
pub struct Plan {
    /// The pipeline.
    pub pipeline: Checked<Pipeline>,
    /// The folder that relative paths start from.
    pub base: PathBuf,
    /// The source, listed and planned; none where others fill the topic.
    pub dataset: Option<Dataset>,
    /// The statement that writes a row.
    pub mapping: CompiledMapping,
    /// The digest of what the graph is loaded by.
    pub stream_digest: stream::Digest,
    /// Findings that do not stand in the way.
    pub warnings: Vec<Diagnostic>,
}

impl Summary for Plan {
    fn summary(&self) -> String {
        let Some(dataset) = &self.dataset else { return "no source: others fill the topic".to_owned() };
        let files = match dataset.files().len() {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        format!("{files}, {} rows, {} columns", dataset.rows(), dataset.columns().len())
    }
}

/// Looks at a file: its form, its references, and unless `offline` the world that it names. What was opened while looking is
/// beside what was found.
pub async fn check(document: &Document, origin: &Origin, offline: bool) -> (Checkup, Opened) {
    let mut checkup = validate::check(document);
    let mut opened = Opened::default();
    if let (Some(pipeline), false) = (&checkup.pipeline, offline) {
        let secret = |source: &SecretSource| validate::secret(source, &origin.base);
        let (found, more) = validate::open(pipeline, &origin.base, &secret).await;
        opened = found;
        checkup.extend(document, more);
    }
    (checkup, opened)
}

/// Looks whether the secrets and certificates of a file's servers can be had here; a run on the embedded target does without.
pub fn look_for_secrets(checkup: &mut Checkup, document: &Document, origin: &Origin) {
    let Some(pipeline) = &checkup.pipeline else { return };
    let secret = |source: &SecretSource| validate::secret(source, &origin.base);
    let mut missing = validate::missing_secrets(pipeline, &secret);
    missing.extend(validate::missing_certificates(pipeline, &origin.base));
    checkup.extend(document, missing);
}

/// Looks at a file and makes a plan of it.
///
/// # Errors
/// Every finding, where one of them is an error.
pub async fn validate(document: &Document, origin: &Origin, deny_warnings: bool) -> Result<Plan, Fault> {
    let (checkup, opened) = check(document, origin, false).await;
    let (pipeline, warnings) = checkup.verdict(deny_warnings).map_err(Fault)?;
    let Opened { dataset, mapping: Some(mapping) } = opened else { return Err(no_mapping()) };
    Ok(plan(pipeline, &origin.base, dataset, mapping, warnings))
}

fn plan(
    pipeline: Checked<Pipeline>,
    base: &Path,
    dataset: Option<Dataset>,
    mapping: CompiledMapping,
    warnings: Vec<Diagnostic>,
) -> Plan {
    let key = pipeline.spec.topic.key.as_deref().unwrap_or_default();
    let definition = dataset.as_ref().map_or("others' messages", Dataset::definition);
    let mut rows = format!("{definition}\nkey {key}");
    // Which partition a row goes to depends on it.
    if pipeline.spec.stream.producers > 1 && dataset.is_some() {
        let _ = write!(rows, "\nproducers {}", pipeline.spec.stream.producers);
    }
    let stream_digest = stream::Digest::of(&rows, &mapping.schema.statement);
    Plan { pipeline, base: base.to_owned(), dataset, mapping, stream_digest, warnings }
}

impl Plan {
    /// The files of each producer, of those of a source; producers without a file are left out.
    pub(super) fn divided(&self, source: &Dataset) -> Vec<(Share, Dataset)> {
        let shares = Share::all(self.pipeline.spec.stream.producers);
        let divided = shares.map(|share| (share, source.share(share)));
        divided.filter(|(_, dataset)| !dataset.files().is_empty()).collect()
    }

    /// The share that a file of the source falls to.
    pub(super) fn producer_of(&self, file: &str) -> Share {
        let producers = self.pipeline.spec.stream.producers;
        let files = self.dataset.iter().flat_map(Dataset::files);
        let number =
            if producers > 1 { files.zip(0..).find(|(known, _)| *known.name == *file) } else { None };
        number.map_or(Share::WHOLE, |(_, number)| Share::of(number, producers))
    }

    /// The source.
    ///
    /// # Errors
    /// Where the file has none: such a pipeline reads what others produce, which needs a Kafka.
    pub(super) fn source(&self) -> Result<&Dataset, Fault> {
        self.dataset.as_ref().ok_or_else(no_source)
    }
}

/// A mapping that checking has found nothing wrong with, and that cannot be compiled all the same.
fn no_mapping() -> Fault {
    Diagnostic::new(Code::EngineFailed, "the mapping could not be compiled")
        .at_key(diagnostic::Path::of("spec.mapping"))
        .help("please report this, with the file")
        .into()
}

/// A pipeline without a source reads what others produce, which needs a Kafka.
fn no_source() -> Fault {
    Diagnostic::new(
        Code::TargetNotAvailable,
        "without a `source` there is nothing to run on the embedded target",
    )
    .at_key(diagnostic::Path::of("spec"))
    .help("name parquet files under `source`")
    .into()
}

/// The pipeline with all its defaults, as YAML.
#[must_use]
pub fn expanded(pipeline: &Pipeline) -> String {
    validate::show(pipeline).unwrap_or_default()
}
