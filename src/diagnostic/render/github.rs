//! Findings as GitHub's workflow commands, which annotate the lines of a pull request.

use std::fmt::Write as _;

use crate::diagnostic::Severity;

use super::{FileFindings, Lines, span};

/// Findings as workflow commands, one a line.
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>
#[must_use]
pub fn github(files: &[FileFindings<'_>]) -> String {
    let mut out = String::new();
    for file in files {
        let lines = Lines::of(file.source.text());
        for finding in file.findings {
            let command = match finding.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            let mut properties = format!("file={}", property(file.source.name()));
            if let Some((start, end)) = span(file.source, &lines, &finding.location) {
                let Ok(()) = write!(properties, ",line={},col={}", start.line, start.column) else {
                    continue;
                };
                if end.line == start.line {
                    let Ok(()) = write!(properties, ",endColumn={}", end.column) else { continue };
                }
            }
            let mut message = finding.message.clone();
            for help in &finding.help {
                message.push_str("\nhelp: ");
                message.push_str(help);
            }
            let title = finding.code;
            let Ok(()) = writeln!(out, "::{command} {properties},title={title}::{}", data(&message)) else {
                continue;
            };
        }
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
