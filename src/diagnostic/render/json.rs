//! Findings as one JSON object.

use serde::Serialize;

use crate::diagnostic::{Code, Path, Severity};

use super::{FileFindings, Lines, is_valid, span};

#[derive(Serialize)]
struct Report<'a> {
    valid: bool,
    diagnostics: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Finding<'a> {
    code: Code,
    severity: Severity,
    path: Path,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    message: &'a str,
    help: Option<String>,
}

/// Findings as one JSON object, `{"valid": …, "diagnostics": […]}`, on one line with its end. Lines and columns count from 1 and are
/// null for what has no place in the file; `help` is null where there is none.
#[must_use]
pub fn json(files: &[FileFindings<'_>]) -> String {
    let diagnostics = files.iter().flat_map(|file| {
        let lines = Lines::of(file.source.text());
        file.findings.iter().map(move |finding| {
            let start = span(file.source, &lines, &finding.location).map(|(start, _)| start);
            Finding {
                code: finding.code,
                severity: finding.severity,
                path: finding.path(),
                file: file.source.name(),
                line: start.map(|start| start.line),
                column: start.map(|start| start.column),
                message: &finding.message,
                help: (!finding.help.is_empty()).then(|| finding.help.join("\n")),
            }
        })
    });
    let report = Report { valid: is_valid(files), diagnostics: diagnostics.collect() };
    // Texts and numbers alone cannot fail to be written.
    serde_json::to_string(&report).unwrap_or_default() + "\n"
}
