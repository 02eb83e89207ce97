//! Findings as SARIF 2.1.0, which code-scanning services read.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::diagnostic::{Code, Diagnostic, Location, Severity};

use super::{FileFindings, Lines, SourceText, span};

/// Findings as a SARIF log, indented, with its end of line.
/// <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
#[must_use]
pub fn sarif(files: &[FileFindings<'_>]) -> String {
    let codes: BTreeSet<Code> =
        files.iter().flat_map(|file| file.findings).map(|finding| finding.code).collect();
    let rules: Vec<Value> = codes
        .iter()
        .map(|code| {
            json!({
                "id": code.to_string(),
                "shortDescription": { "text": code.summary() },
                "fullDescription": { "text": code.explanation() },
                "defaultConfiguration": { "level": level(code.severity()) },
            })
        })
        .collect();
    let results: Vec<Value> = files
        .iter()
        .flat_map(|file| {
            let lines = Lines::of(file.source.text());
            file.findings.iter().map(move |finding| result(file.source, &lines, finding))
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn result(source: &dyn SourceText, lines: &Lines<'_>, finding: &Diagnostic) -> Value {
    let mut text = finding.message.clone();
    for help in &finding.help {
        text.push('\n');
        text.push_str(help);
    }
    let related: Vec<Value> = finding
        .related
        .iter()
        .map(|(location, label)| {
            let mut place = place(source, lines, location);
            place["message"] = json!({ "text": label });
            place
        })
        .collect();
    let mut result = json!({
        "ruleId": finding.code.to_string(),
        "level": level(finding.severity),
        "message": { "text": text },
        "locations": [place(source, lines, &finding.location)],
    });
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if source.locate(&finding.location).is_some() {
        result["locations"][0]["logicalLocations"] =
            json!([{ "fullyQualifiedName": finding.path().to_string() }]);
    }
    result
}

fn place(source: &dyn SourceText, lines: &Lines<'_>, location: &Location) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(source.name()) } });
    if let Some((start, end)) = span(source, lines, location) {
        physical["region"] = json!({
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        });
    }
    json!({ "physicalLocation": physical })
}

/// A file's name as a relative or absolute reference.
fn uri(name: &str) -> String {
    let mut uri = String::new();
    for byte in name.replace('\\', "/").bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}
