//! What the results mean for the file: pure comparisons, each difference a finding.
//!
//! Exit code 0 means that the graph is as the file says, so nothing that differs may pass in silence. `allow:` in the
//! file makes a warning of what is meant to be so (`validate::weigh`).

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::stream::Streamed;
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::report::{AnalysisReport, GraphCounts};
use crate::spec::Expect;

/// What the stream's counts mean.
pub(super) fn stream(streamed: &Streamed) -> Vec<Diagnostic> {
    let rows = &streamed.rows;
    let mut findings = Vec::new();
    if rows.read > 0 && rows.produced + rows.already_loaded == 0 && !streamed.cut_short {
        let message = format!("none of the {} rows passes the filter, so the graph is empty", rows.read);
        findings.push(
            Diagnostic::new(Code::NoRows, message)
                .at(Path::of("spec.source.filter"))
                .help("try the conditions one by one with `runner preview`")
                .help("if an empty graph is right, say so with `allow: [no-rows]`"),
        );
    }
    for check in streamed.checks.iter().filter(|check| !check.ok) {
        let message = format!("{}: expected {}, found {}", check.what, check.expected, check.actual);
        findings.push(
            Diagnostic::new(Code::CountsDiffer, message)
                .help("rows were lost or doubled between two hops; please report this, with report.json"),
        );
    }
    if rows.dead_letters + streamed.earlier_dead_letters > 0 {
        findings.push(dead_letters(streamed));
    }
    findings
}

/// The finding on records that could not be written.
fn dead_letters(streamed: &Streamed) -> Diagnostic {
    let earlier = streamed.earlier_dead_letters;
    let mut message = match streamed.rows.dead_letters + earlier {
        1 => "1 record could not be written to the graph".to_owned(),
        count => format!("{count} records could not be written to the graph"),
    };
    if earlier > 0 {
        let _ = write!(message, " ({earlier} of them in earlier runs)");
    }
    let mut finding = Diagnostic::new(Code::DeadLetters, message).at_key(Path::of("spec.mapping"));
    for example in &streamed.dead_letters {
        finding = finding.help(example.clone());
    }
    if let Some(file) = &streamed.dead_letters_file {
        finding = finding.help(format!("each record stands with its reason in `{}`", file.display()));
    }
    finding.help("if leaving them out is right, say so with `allow: [dead-letters]`")
}

/// What the counts expected at a path of the file say of the graph.
pub(super) fn expectations(path: &Path, expect: &Expect, graph: &GraphCounts) -> Vec<Diagnostic> {
    let mut findings = counts(&path.key("nodes"), "node", &expect.nodes, &graph.nodes);
    findings.extend(counts(
        &path.key("relationships"),
        "relationship",
        &expect.relationships,
        &graph.relationships,
    ));
    findings
}

fn counts(
    path: &Path,
    element: &str,
    expected: &IndexMap<String, u64>,
    found: &IndexMap<String, u64>,
) -> Vec<Diagnostic> {
    let differs = |(name, &expected): (&String, &u64)| {
        let found = found.get(name).copied().unwrap_or_default();
        (found != expected).then(|| {
            let plural = if expected == 1 { "" } else { "s" };
            let message = format!("expected {expected} `{name}` {element}{plural}, the graph has {found}");
            Diagnostic::new(Code::ExpectationFailed, message).at(path.key(name))
        })
    };
    expected.iter().filter_map(differs).collect()
}

/// What the analyses' assertions say.
pub(super) fn assertions(analyses: &[AnalysisReport]) -> Vec<Diagnostic> {
    let path = Path::of("spec.analyses");
    let mut findings = Vec::new();
    for (index, analysis) in analyses.iter().enumerate() {
        for (position, assertion) in analysis.assertions.iter().enumerate().filter(|(_, one)| !one.ok) {
            let found = assertion.found.as_deref().unwrap_or("nothing");
            let message = format!("{}: {}, found {found}", analysis.name, assertion.what);
            let place = path.index(index).key("assert").index(position);
            findings.push(Diagnostic::new(Code::AssertionFailed, message).at(place));
        }
    }
    findings
}
