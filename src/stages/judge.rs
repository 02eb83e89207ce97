//! What the results mean for the file: pure comparisons, each difference a finding.
//!
//! Exit code 0 means that the graph is as the file says, so nothing that differs may pass in silence. `allow:` in the
//! file makes a warning of what is meant to be so (`validate::weigh`).

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::stream::{LettersAt, Streamed};
use crate::diagnostic::{Code, Diagnostic, Path};
use crate::report::{AnalysisReport, Check, GraphCounts};
use crate::spec::Expect;

/// What the stream's counts mean.
pub(super) fn stream(streamed: &Streamed) -> Vec<Diagnostic> {
    let rows = &streamed.rows;
    let mut findings = Vec::new();
    if rows.moved() + rows.already_loaded == 0 && !streamed.cut_short {
        let message = match rows.read {
            0 => "the source's files hold no row, so the graph is empty".to_owned(),
            read => format!("none of the {read} rows passes the filter, so the graph is empty"),
        };
        findings.push(
            Diagnostic::new(Code::NoRows, message)
                .at(Path::of("spec.source.filter"))
                .help("try the conditions one by one with `runner preview`")
                .help("if an empty graph is right, say so with `allow: [no-rows]`"),
        );
    }
    findings.extend(counts_between_hops(&streamed.checks));
    if rows.dead_letters + streamed.earlier_dead_letters > 0 {
        findings.push(dead_letters(streamed));
    }
    findings
}

/// The findings on counts that differ between two hops.
pub(super) fn counts_between_hops(checks: &[Check]) -> Vec<Diagnostic> {
    let finding = |check: &Check| {
        let message = format!("{}: expected {}, found {}", check.what, check.expected, check.actual);
        Diagnostic::new(Code::CountsDiffer, message)
            .help("rows were lost or doubled between two hops; please report this, with report.json")
    };
    checks.iter().filter(|check| !check.ok).map(finding).collect()
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
    finding = match &streamed.dead_letters_at {
        Some(LettersAt::File(file)) => {
            finding.help(format!("each record stands with its reason in `{}`", file.display()))
        }
        Some(LettersAt::Topic(topic)) => finding.help(format!(
            "each record stands with its reason in topic `{topic}`; `runner dlq list FILE` shows them"
        )),
        None => finding,
    };
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

/// The counts expected, each beside the graph's: lines of the reconciliation table.
pub(super) fn expected_counts(expect: &Expect, graph: &GraphCounts) -> Vec<Check> {
    let line = |(name, &expected): (&String, &u64), found: &IndexMap<String, u64>| {
        let actual = found.get(name).copied().unwrap_or_default();
        Check { what: format!("expected {name} = in the graph"), expected, actual, ok: expected == actual }
    };
    let nodes = expect.nodes.iter().map(|one| line(one, &graph.nodes));
    let relationships = expect.relationships.iter().map(|one| line(one, &graph.relationships));
    nodes.chain(relationships).collect()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{AssertionReport, Rows};

    fn messages(findings: &[Diagnostic]) -> Vec<String> {
        findings
            .iter()
            .map(|finding| format!("{} {}: {}", finding.code, finding.path(), finding.message))
            .collect()
    }

    fn streamed(rows: Rows) -> Streamed {
        Streamed { rows, ..Streamed::default() }
    }

    #[test]
    fn a_run_without_faults_has_no_finding() {
        let rows = Rows { read: 9, filtered_out: 4, produced: 5, consumed: 5, written: 5, ..Rows::default() };
        assert_eq!(stream(&streamed(rows)), []);
    }

    #[test]
    fn rows_that_all_fail_the_filter_are_told() {
        let rows = Rows { read: 9, filtered_out: 9, ..Rows::default() };
        let found = messages(&stream(&streamed(rows)));
        assert_eq!(
            found,
            ["no-rows spec.source.filter: none of the 9 rows passes the filter, so the graph is empty"]
        );
        let found = messages(&stream(&Streamed::default()));
        assert_eq!(
            found,
            ["no-rows spec.source.filter: the source's files hold no row, so the graph is empty"]
        );
        let interrupted = Streamed { cut_short: true, ..streamed(rows) };
        assert_eq!(stream(&interrupted), []);
    }

    #[test]
    fn dead_letters_of_earlier_runs_are_not_forgotten() {
        let rows = Rows { already_loaded: 9, dead_letters: 1, ..Rows::default() };
        let found = messages(&stream(&Streamed { earlier_dead_letters: 2, ..streamed(rows) }));
        let message = "3 records could not be written to the graph (2 of them in earlier runs)";
        assert_eq!(found, [format!("dead-letters spec.mapping: {message}")]);
    }

    #[test]
    fn counts_that_differ_name_both() {
        let check = Check { what: "a = b".to_owned(), expected: 3, actual: 2, ok: false };
        let rows = Rows { already_loaded: 1, ..Rows::default() };
        let found = messages(&stream(&Streamed { checks: vec![check], ..streamed(rows) }));
        assert_eq!(found, ["counts-differ : a = b: expected 3, found 2"]);
    }

    #[test]
    fn an_expectation_counts_a_label_that_is_not_there_as_none() {
        let expect = Expect {
            nodes: [("Location".to_owned(), 42), ("Zone".to_owned(), 1)].into_iter().collect(),
            relationships: [("TRIP".to_owned(), 3)].into_iter().collect(),
        };
        let graph = GraphCounts {
            nodes: [("Location".to_owned(), 42)].into_iter().collect(),
            relationships: [("TRIP".to_owned(), 2)].into_iter().collect(),
        };
        let ok: Vec<bool> = expected_counts(&expect, &graph).iter().map(|check| check.ok).collect();
        assert_eq!(ok, [true, false, false]);
        assert_eq!(
            messages(&expectations(&Path::of("spec.expect"), &expect, &graph)),
            [
                "expectation-failed spec.expect.nodes.Zone: expected 1 `Zone` node, the graph has 0",
                "expectation-failed spec.expect.relationships.TRIP: expected 3 `TRIP` relationships, the graph has 2",
            ]
        );
    }

    #[test]
    fn a_false_assertion_is_found_at_its_place() {
        let assertion = |ok| AssertionReport {
            what: "the result has 2 rows".to_owned(),
            ok,
            found: Some("1".to_owned()),
        };
        let analysis = AnalysisReport {
            name: "rank".to_owned(),
            engine: "builtin".to_owned(),
            procedure: "gds.degree".to_owned(),
            columns: Vec::new(),
            rows: Vec::new(),
            total_rows: 1,
            top: 1,
            chart: None,
            node_column: None,
            seconds: 0.0,
            assertions: vec![assertion(true), assertion(false)],
        };
        assert_eq!(
            messages(&assertions(&[analysis])),
            ["assertion-failed spec.analyses[0].assert[1]: rank: the result has 2 rows, found 1"]
        );
    }
}
