//! `report.md`: the report as GitHub shows it in a comment or a job's summary.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::words::{clip, counted, plain};
use super::{AnalysisReport, Finding, Report, Status, numbers, results};
use crate::diagnostic::Severity;

/// GitHub refuses a comment of more characters than this; parts that would pass it are left out and named.
const LONGEST: usize = 65_000;
/// A message beyond this is cut off.
const LONGEST_TEXT: usize = 2_000;
/// A cell of a table beyond this is cut off.
const LONGEST_CELL: usize = 160;

/// The report as GitHub-flavoured Markdown, with every name escaped.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut parts = vec![("summary", head(report))];
    parts.extend(report.findings.iter().map(|item| ("findings", finding(item))));
    parts.push(("stages", stages(report)));
    parts.push(("usage", usage(report)));
    parts.push(("counts", counts(report)));
    parts.extend(report.analyses.iter().map(|item| ("analyses", analysis(report, item))));
    parts.push(("the pipeline file", spec(report)));
    join(&parts)
}

/// The parts that fit, in order, and the names of those that do not.
fn join(parts: &[(&str, String)]) -> String {
    let mut out = String::new();
    let mut left: Vec<&str> = Vec::new();
    for (name, part) in parts.iter().filter(|(_, part)| !part.is_empty()) {
        if out.len() + part.len() > LONGEST {
            left.push(name);
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(part);
    }
    if !left.is_empty() {
        left.dedup();
        let _ = writeln!(out, "\nToo long for this page, in full in `report.json`: {}.", left.join(", "));
    }
    out
}

fn head(report: &Report) -> String {
    let mark = match report.status {
        Status::Done => "✅",
        Status::Failed => "❌",
        Status::Interrupted => "⏸️",
    };
    let (agree, checks) = report.checks();
    let (hold, assertions) = report.assertions();
    let mut facts = vec![
        format!("{} in {} on {}", report.status, numbers::duration(report.seconds), escaped(&report.target)),
        format!("{} rows written", numbers::grouped(report.rows.written)),
    ];
    if checks > 0 {
        facts.push(format!("{agree} of {} agree", counted(checks, "count", "counts")));
    }
    if assertions > 0 {
        facts.push(format!("{hold} of {} hold", counted(assertions, "assertion", "assertions")));
    }
    format!("## {mark} {}\n\n{}\n", escaped(&report.pipeline), facts.join(" · "))
}

fn finding(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Error => "CAUTION",
        Severity::Warning => "WARNING",
    };
    let mut out = format!("> [!{kind}]\n> **{}** {}\n", escaped(&finding.code), message(&finding.message));
    if let Some(place) = &finding.place {
        let _ = writeln!(out, "> at {}", code(place));
    }
    if !finding.help.is_empty() {
        out.push_str(">\n");
    }
    for help in &finding.help {
        let _ = writeln!(out, "> - {}", message(help));
    }
    out
}

fn stages(report: &Report) -> String {
    if report.stages.is_empty() {
        return String::new();
    }
    let headings = [("Stage", false), ("Status", false), ("Time", true), ("Rate", true), ("", false)];
    let rows = report.stages.iter().map(|stage| {
        vec![
            cell(&stage.name),
            stage.status.to_string(),
            numbers::duration(stage.seconds),
            stage.rows_per_second.map(numbers::rate).unwrap_or_default(),
            cell(&stage.summary),
        ]
    });
    format!("### Stages\n\n{}", table(&headings, &rows.collect::<Vec<_>>()))
}

/// What the pods used at most.
fn usage(report: &Report) -> String {
    if report.usage.is_empty() {
        return String::new();
    }
    let rows = report.usage.iter().map(|pod| pod.cells().iter().map(|text| cell(text)).collect());
    let headings =
        [("Pod", false), ("Memory", true), ("of its limit", true), ("Cores", true), ("of its limit", true)];
    format!("### Usage at most\n\n{}", table(&headings, &rows.collect::<Vec<_>>()))
}

/// The rows hop by hop, the graph, and the comparisons.
fn counts(report: &Report) -> String {
    let rows = &report.rows;
    let mut hops = vec![
        ("Rows read", rows.read),
        ("Filtered out", rows.filtered_out),
        ("Already loaded", rows.already_loaded),
        ("Produced", rows.produced),
        ("Consumed", rows.consumed),
        ("Written", rows.written),
        ("Dead letters", rows.dead_letters),
    ];
    let rare = [
        ("From other producers", rows.other_producers),
        ("Loaded by other loaders", rows.other_loaders),
        ("Duplicates left out", rows.duplicates),
        ("Tried again", rows.retries),
    ];
    hops.extend(rare.into_iter().filter(|(_, count)| *count > 0));
    let headings: Vec<_> = hops.iter().map(|(name, _)| (*name, true)).collect();
    let cells = hops.iter().map(|(_, count)| numbers::grouped(*count)).collect();
    let mut out = format!("### Counts\n\n{}", table(&headings, &[cells]));
    let nodes = report.graph.iter().flat_map(|graph| &graph.nodes).map(|count| ("node", count));
    let relationships = report.graph.iter().flat_map(|graph| &graph.relationships);
    let graph: Vec<_> = nodes
        .chain(relationships.map(|count| ("relationship", count)))
        .map(|(kind, (name, count))| vec![kind.to_owned(), cell(name), numbers::grouped(*count)])
        .collect();
    if !graph.is_empty() {
        let headings = [("In the graph", false), ("Label or type", false), ("Count", true)];
        let _ = write!(out, "\n{}", table(&headings, &graph));
    }
    if report.graph.is_none() {
        out.push_str("\nThe graph could not be asked what it holds.\n");
    }
    if !report.reconciliation.is_empty() {
        let headings = [("Check", false), ("Expected", true), ("Found", true), ("", false)];
        let rows = report.reconciliation.iter().map(|check| {
            let verdict = if check.ok { "✅ ok" } else { "❌ differs" };
            let [expected, actual] = [check.expected, check.actual].map(numbers::grouped);
            vec![cell(&check.what), expected, actual, verdict.to_owned()]
        });
        let _ = write!(out, "\n{}", table(&headings, &rows.collect::<Vec<_>>()));
    }
    out
}

fn analysis(report: &Report, analysis: &AnalysisReport) -> String {
    let shown = results::shown(report, analysis);
    let mut out = format!("### {}\n\n{}", escaped(&analysis.name), escaped(&analysis.by()));
    let total = numbers::grouped(analysis.total_rows);
    let _ = match analysis.total_rows {
        0 => writeln!(out, ", no rows"),
        rows if rows > shown.rows as u64 => writeln!(out, ", {} of {total} rows", shown.rows),
        rows => writeln!(out, ", {total} {}", if rows == 1 { "row" } else { "rows" }),
    };
    if shown.rows > 0 && !shown.columns.is_empty() {
        let names: Vec<_> = shown.columns.iter().map(|column| cell(column.name)).collect();
        let headings: Vec<_> =
            names.iter().map(String::as_str).zip(shown.columns.iter().map(|column| column.numeric)).collect();
        let cells = |row: usize| {
            let cells = shown.columns.iter().filter_map(|column| column.cells.get(row));
            cells.map(|text| cell(text)).collect::<Vec<_>>()
        };
        let _ = write!(out, "\n{}", table(&headings, &(0..shown.rows).map(cells).collect::<Vec<_>>()));
    }
    if !analysis.assertions.is_empty() {
        out.push('\n');
    }
    for assertion in &analysis.assertions {
        let mark = if assertion.ok { "✅ holds:" } else { "❌ does not hold:" };
        let _ = write!(out, "- {mark} {}", escaped(&assertion.what));
        if let Some(found) = &assertion.found {
            let _ = write!(out, "; found {}", escaped(found));
        }
        out.push('\n');
    }
    out
}

fn spec(report: &Report) -> String {
    let fence = "`".repeat(longest_run_of_ticks(&report.spec).max(2) + 1);
    let text = report.spec.trim_end_matches('\n');
    format!(
        "<details><summary>The pipeline file (sha256 {})</summary>\n\n{fence}yaml\n{text}\n{fence}\n\n</details>\n\n\
         <sub>runner {}, {}</sub>\n",
        escaped(&report.digest),
        escaped(&report.version),
        escaped(&report.started_at),
    )
}

/// A message, in which words between backticks are code.
fn message(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 && !part.is_empty() { code(part) } else { escaped(part) })
        .collect()
}

/// Text as code: it can be copied, and no markup is read in it.
fn code(text: &str) -> String {
    let text = plain(text);
    let fence = "`".repeat(longest_run_of_ticks(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn longest_run_of_ticks(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A table with its source aligned as well.
fn table(headings: &[(&str, bool)], rows: &[Vec<String>]) -> String {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(index, (name, _))| {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.width());
            cells.chain([name.width(), 3]).max().unwrap_or(3)
        })
        .collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut out = "|".to_owned();
        for ((cell, width), (_, numeric)) in cells.zip(&widths).zip(headings) {
            let space = " ".repeat(width.saturating_sub(cell.width()));
            let (before, after) = if *numeric { (space.as_str(), "") } else { ("", space.as_str()) };
            let _ = write!(out, " {before}{cell}{after} |");
        }
        out + "\n"
    };
    let mut out = line(&mut headings.iter().map(|(name, _)| *name));
    let rules: Vec<String> = headings
        .iter()
        .zip(&widths)
        .map(|((_, numeric), width)| if *numeric { "-".repeat(width - 1) + ":" } else { "-".repeat(*width) })
        .collect();
    out.push_str(&line(&mut rules.iter().map(String::as_str)));
    for row in rows {
        out.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    out
}

/// Text of a table's cell, escaped.
fn cell(text: &str) -> String {
    escaped(&clip(text, LONGEST_CELL))
}

/// Text that GitHub shows as it is: no markup, no HTML, no mention, no reference, no link.
fn escaped(text: &str) -> String {
    let text = plain(text);
    let text = clip(&text, LONGEST_TEXT);
    let mut out = String::new();
    for (at, c) in text.char_indices() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A space without width keeps a mention, a reference and a link from being made of the text.
            '@' | '#' => out.extend([c, '\u{200b}']),
            ':' if text.get(at..).is_some_and(|rest| rest.starts_with("://")) => out.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests;
