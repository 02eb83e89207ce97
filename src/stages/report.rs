//! The report stage: one value from what the stages brought, written as JSON, Markdown and HTML.

mod picture;

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

pub(super) use picture::picture;

use super::Fault;
use super::digest::sha256;
use super::fault::ReportError;
use super::journal::{Journal, Summary};
use super::run::{Options, Results};
use super::validate::Plan;
use crate::diagnostic::render::{Lines, SourceText as _, without_secrets};
use crate::diagnostic::{Diagnostic, Location};
use crate::graph::GraphStore;
use crate::infrastructure::usage;
use crate::progress::{Outcome, Stage};
use crate::report::usage::UsageSample;
use crate::report::{self, Finding, GraphCounts, Report, StageReport, Status};
use crate::spec::load::Document;

/// The graph's counts, as the report has them.
pub(super) async fn counts(store: &dyn GraphStore) -> Result<GraphCounts, Fault> {
    let counts = store.counts().await?;
    Ok(GraphCounts {
        nodes: counts.nodes.into_iter().collect(),
        relationships: counts.relationships.into_iter().collect(),
    })
}

/// Makes the report of a run.
pub(super) fn assemble(
    document: &Document,
    plan: &Plan,
    options: &Options,
    journal: &Journal,
    results: &Results,
    outcome: Outcome,
) -> Report {
    let begun = Instant::now();
    let streamed = results.streamed.clone().unwrap_or_default();
    let findings = results.findings.iter().map(|finding| self::finding(finding, document)).collect();
    let mut stages = journal.stages.clone();
    if !journal.has(Stage::Report) {
        // The report cannot time its own writing; what it says of its stage is the assembling.
        stages.push(StageReport {
            name: Stage::Report.to_string(),
            status: Outcome::Done,
            seconds: begun.elapsed().as_secs_f64(),
            summary: Files.summary(),
            rows_per_second: None,
        });
    }
    Report {
        pipeline: plan.pipeline.metadata.name.clone(),
        target: options.target(plan).to_string(),
        status: match outcome {
            Outcome::Failed => Status::Failed,
            Outcome::Interrupted => Status::Interrupted,
            Outcome::Done | Outcome::Unchanged | Outcome::Skipped => Status::Done,
        },
        digest: digest(document),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: humantime::format_rfc3339_seconds(journal.started_at).to_string(),
        seconds: journal.seconds(),
        stages,
        rows: streamed.rows,
        reconciliation: streamed.checks,
        graph: results.graph.clone(),
        picture: results.picture.clone(),
        usage: results.usage.iter().map(pod_usage).collect(),
        analyses: results.analyses.clone(),
        findings,
        spec: without_secrets(document).into_owned(),
    }
}

/// Makes a report say that its files could not be written.
pub(super) fn not_written(report: &mut Report, fault: &Fault) {
    let name = Stage::Report.to_string();
    for stage in report.stages.iter_mut().filter(|stage| stage.name == name) {
        stage.status = Outcome::Failed;
        stage.summary = fault.summary();
    }
}

/// What a pod used, as the report has it.
fn pod_usage(used: &usage::PodUsage) -> report::usage::PodUsage {
    let (peak, pod) = (used.peak(), &used.pod);
    let sample = |sample: &usage::Sample| UsageSample {
        seconds: sample.seconds,
        cores: sample.usage.cores,
        bytes: sample.usage.memory,
    };
    report::usage::PodUsage {
        pod: pod.name.clone(),
        peak_cores: peak.cores,
        limit_cores: pod.cores_limit,
        peak_bytes: peak.memory,
        limit_bytes: pod.memory_limit,
        samples: used.samples.iter().map(sample).collect(),
    }
}

/// The digest of the file's values: two files that differ in comments and layout alone have the same.
fn digest(document: &Document) -> String {
    sha256(&document.value.as_ref().unwrap_or(&Value::Null).to_string())
}

/// A finding with its place in words.
pub(super) fn finding(diagnostic: &Diagnostic, document: &Document) -> Finding {
    Finding {
        code: diagnostic.code.to_string(),
        severity: diagnostic.severity,
        message: diagnostic.message.clone(),
        place: place(&diagnostic.location, document),
        help: diagnostic.help.clone(),
    }
}

/// A place as `file:line:column`.
fn place(location: &Location, document: &Document) -> Option<String> {
    let range = document.locate(location)?;
    let position = Lines::of(document.text()).position(range.start);
    Some(format!("{}:{}:{}", document.name(), position.line, position.column))
}

/// The files of a report, all in one folder.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files;

impl Summary for Files {
    fn summary(&self) -> String {
        "report.json, report.md, report.html".to_owned()
    }
}

/// Writes the report's files to a folder.
pub(super) fn write(report: &Report, folder: &Path) -> Result<Files, Fault> {
    let failed =
        |source| ReportError { folder: folder.to_owned(), is_loaded: report.status == Status::Done, source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let json = report::json::render(report).map_err(|error| failed(error.into()))?;
    let files = [
        ("report.json", json),
        ("report.md", report::markdown::render(report)),
        ("report.html", report::html::render(report)),
    ];
    replace(folder, &files).map_err(failed)?;
    Ok(Files)
}

/// Replaces files: a reader sees the old ones or the new ones, and the old ones stay where one of the new cannot be written.
fn replace(folder: &Path, files: &[(&str, String)]) -> std::io::Result<()> {
    let beside = |name: &str| folder.join(format!("{name}.tmp"));
    let written = files.iter().try_for_each(|(name, text)| std::fs::write(beside(name), text));
    let rename = |(name, _): &(&str, String)| std::fs::rename(beside(name), folder.join(name));
    let replaced = written.and_then(|()| files.iter().try_for_each(rename));
    if replaced.is_err() {
        for (name, _) in files {
            // What was not written need not be removed.
            let _ = std::fs::remove_file(beside(name));
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use super::*;
    use crate::report::fixtures;

    #[test]
    fn a_report_that_cannot_be_written_leaves_the_last_one_whole() {
        let folder = tempfile::tempdir().unwrap();
        write(&fixtures::bronx(), folder.path()).unwrap();
        let before = std::fs::read(folder.path().join("report.json")).unwrap();
        std::fs::create_dir(folder.path().join("report.md.tmp")).unwrap();
        let mut report = fixtures::bronx();
        report.pipeline = "another".into();
        let fault = write(&report, folder.path()).unwrap_err();
        assert_eq!(std::fs::read(folder.path().join("report.json")).unwrap(), before);
        assert!(!folder.path().join("report.json.tmp").exists());

        not_written(&mut report, &fault);
        let stage = report.stages.iter().find(|stage| stage.name == "report").unwrap();
        assert_eq!((stage.status, &stage.summary), (Outcome::Failed, &fault.summary()));
    }

    #[test]
    fn that_the_graph_is_loaded_is_said_where_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let says = |report: &Report| {
            let Fault(findings) = write(report, file.path()).unwrap_err();
            findings.iter().flat_map(|finding| &finding.help).any(|help| help.contains("the graph is loaded"))
        };
        assert!(says(&fixtures::bronx()));
        assert!(!says(&Report { status: Status::Failed, ..fixtures::bronx() }));
    }
}
