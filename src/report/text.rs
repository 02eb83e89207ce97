//! What the terminal shows at the end of a run: aligned tables.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Table};
use unicode_width::UnicodeWidthStr;

use super::results::{Column, Shown};
use super::words::{clip, counted, plain, wrap};
use super::{AnalysisReport, AssertionReport, Finding, GraphCounts, Report, Status, numbers, results};
use crate::diagnostic::Severity;
use crate::progress::Outcome;

/// Text of a value beyond this is not shown, however wide the terminal is.
const LONGEST: usize = 120;
/// A column of text may be cut to this.
const SHORTEST: usize = 12;
/// Narrower than this nothing is laid out.
const NARROWEST: usize = 40;

/// The terminal that the text is for.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// How many columns it has; where that is not known, 80.
    pub columns: usize,
    /// Whether it shows colours (ANSI escape codes).
    pub colour: bool,
}

impl Default for Terminal {
    fn default() -> Self {
        Self { columns: 80, colour: false }
    }
}

/// The report as text; no line is wider than the terminal, but for findings' long words.
#[must_use]
pub fn render(report: &Report, terminal: Terminal) -> String {
    let writer = Writer { width: terminal.columns.max(NARROWEST), colour: terminal.colour };
    let mut parts = vec![writer.head(report)];
    if !report.stages.is_empty() {
        parts.push(writer.stages(report));
    }
    if !report.usage.is_empty() {
        parts.push(writer.usage(report));
    }
    parts.push(writer.counts(report));
    if !report.reconciliation.is_empty() {
        parts.push(writer.reconciliation(report));
    }
    parts.extend(report.analyses.iter().map(|analysis| writer.analysis(report, analysis)));
    parts.extend(report.findings.iter().map(|finding| writer.finding(finding)));
    parts.iter().map(|part| part.trim_end_matches('\n')).collect::<Vec<_>>().join("\n\n") + "\n"
}

const HEADER: Style = Style::new().dimmed();
const TITLE: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default();

/// A column of a table: its header, and whether it holds numbers.
type Heading<'a> = (&'a str, bool);

/// A row of a table, and how its line is coloured.
type Line = (Vec<String>, Style);

struct Writer {
    width: usize,
    colour: bool,
}

impl Writer {
    fn head(&self, report: &Report) -> String {
        let style = match report.status {
            Status::Done => GOOD,
            Status::Failed => BAD,
            Status::Interrupted => DOUBTFUL,
        };
        let name = plain(&report.pipeline);
        let status = format!("{} {}", report.status.mark(), report.status);
        let rest = format!("in {} on {}", numbers::duration(report.seconds), plain(&report.target));
        let taken = status.width() + rest.width() + 2;
        format!(
            "{} {} {rest}",
            self.paint(&clip(&name, self.width.saturating_sub(taken)), TITLE),
            self.paint(&status, style.bold()),
        )
    }

    fn stages(&self, report: &Report) -> String {
        let headings = [("stage", false), ("status", false), ("time", true), ("rate", true), ("", false)];
        let line = |stage: &super::StageReport| {
            let cells = vec![
                stage.name.clone(),
                stage.status.to_string(),
                numbers::duration(stage.seconds),
                stage.rows_per_second.map(numbers::rate).unwrap_or_default(),
                stage.summary.clone(),
            ];
            (cells, outcome_style(stage.status))
        };
        self.table(&headings, report.stages.iter().map(line))
    }

    /// What the pods used at most.
    fn usage(&self, report: &Report) -> String {
        let line = |pod: &super::usage::PodUsage| (pod.cells().to_vec(), Style::new());
        self.table(&super::usage::HEADINGS, report.usage.iter().map(line))
    }

    /// The rows hop by hop, and what the graph holds.
    fn counts(&self, report: &Report) -> String {
        let rows = &report.rows;
        let mut hops = vec![(rows.read, "read"), (rows.filtered_out, "filtered out")];
        if rows.already_loaded > 0 {
            hops.push((rows.already_loaded, "already loaded"));
        }
        hops.extend([
            (rows.produced, "produced"),
            (rows.consumed, "consumed"),
            (rows.written, "written"),
            (rows.dead_letters, "dead letters"),
        ]);
        let rare = [
            (rows.other_producers, "from other producers"),
            (rows.other_loaders, "by other loaders"),
            (rows.duplicates, "duplicates left out"),
            (rows.retries, "tried again"),
        ];
        hops.extend(rare.into_iter().filter(|(count, _)| *count > 0));
        let mut out = self.list("rows ", &hops);
        out.push('\n');
        out.push_str(&self.graph(report.graph.as_ref()));
        out
    }

    fn graph(&self, graph: Option<&GraphCounts>) -> String {
        let Some(GraphCounts { nodes, relationships }) = graph else { return "graph  not known".to_owned() };
        let counts = nodes.iter().chain(relationships).map(|(name, count)| (*count, name.as_str()));
        let counts: Vec<_> = counts.collect();
        if counts.is_empty() { "graph  empty".to_owned() } else { self.list("graph", &counts) }
    }

    fn list(&self, title: &str, counts: &[(u64, &str)]) -> String {
        let mut words: Vec<String> = counts
            .iter()
            .map(|(count, name)| {
                format!("{} {},", numbers::grouped(*count), clip(&plain(name), self.width / 2))
            })
            .collect();
        if let Some(last) = words.last_mut() {
            last.pop();
        }
        let indent = " ".repeat(title.len() + 2);
        let text = wrap(words.iter().map(String::as_str), self.width - indent.len(), &indent);
        format!("{title}  {text}")
    }

    fn reconciliation(&self, report: &Report) -> String {
        let headings = [("check", false), ("expected", true), ("found", true), ("", false)];
        let line = |check: &super::Check| {
            let verdict = if check.ok { "✓ ok" } else { "✗ differs" };
            let counts = [check.expected, check.actual].map(numbers::grouped);
            let [expected, actual] = counts;
            let cells = vec![check.what.clone(), expected, actual, verdict.to_owned()];
            (cells, if check.ok { Style::new() } else { BAD })
        };
        self.table(&headings, report.reconciliation.iter().map(line))
    }

    fn analysis(&self, report: &Report, analysis: &AnalysisReport) -> String {
        let shown = results::shown(report, analysis);
        let mut out = self.paint(&clip(&plain(&analysis.name), self.width), TITLE);
        out.push('\n');
        let rows = if (shown.rows as u64) < analysis.total_rows {
            format!("{} of {} rows", shown.rows, numbers::grouped(analysis.total_rows))
        } else {
            counted(shown.rows, "row", "rows")
        };
        let source = format!("{}, {rows}, {}", analysis.by(), numbers::duration(analysis.seconds));
        out.push_str(&self.paint(&clip(&plain(&source), self.width), HEADER));
        out.push('\n');
        if shown.rows > 0 {
            out.push_str(&self.result(&shown));
        }
        for assertion in &analysis.assertions {
            out.push_str(&self.assertion(assertion));
        }
        out
    }

    /// The columns of a result that fit, and how many do not.
    fn result(&self, shown: &Shown<'_>) -> String {
        let fitting = self.fitting(&shown.columns);
        let (columns, left) = shown.columns.split_at(fitting);
        let headings: Vec<_> = columns.iter().map(|column| (column.name, column.numeric)).collect();
        let line = |row: usize| {
            let cells = columns.iter().map(|column| column.cells.get(row).cloned().unwrap_or_default());
            (cells.collect(), Style::new())
        };
        let mut out = self.table(&headings, (0..shown.rows).map(line));
        if !left.is_empty() {
            let note = format!("and {} in report.json", counted(left.len(), "more column", "more columns"));
            out.push_str(&(self.paint(&note, HEADER) + "\n"));
        }
        out
    }

    /// How many of the columns stand beside each other with every number whole and something of every text; one at least.
    fn fitting(&self, columns: &[Column<'_>]) -> usize {
        let least = |column: &Column<'_>| {
            let widest =
                column.cells.iter().map(|cell| cell.width()).max().unwrap_or(0).max(column.name.width());
            if column.numeric { widest.min(LONGEST) } else { widest.min(SHORTEST) }
        };
        let mut taken = 0;
        let fits = |column: &&Column<'_>| {
            taken += least(column) + 2;
            taken <= self.width + 2
        };
        columns.iter().take_while(fits).count().max(columns.len().min(1))
    }

    fn assertion(&self, assertion: &AssertionReport) -> String {
        let (mark, style) = if assertion.ok { ("✓", GOOD) } else { ("✗", BAD) };
        let mut text = format!("{mark} {}", plain(&assertion.what));
        if let Some(found) = &assertion.found {
            let _ = write!(text, ", found {}", plain(found));
        }
        self.paint(&wrap(text.split(' '), self.width, "  "), style) + "\n"
    }

    fn finding(&self, finding: &Finding) -> String {
        let style = match finding.severity {
            Severity::Error => BAD,
            Severity::Warning => DOUBTFUL,
        };
        let mut out = self.paint(&format!("{}[{}]", finding.severity, plain(&finding.code)), style.bold());
        let message = plain(&finding.message);
        let _ = writeln!(out, ": {}", wrap(message.split(' '), self.width.saturating_sub(16), "  "));
        if let Some(place) = &finding.place {
            let _ = writeln!(out, "  --> {}", plain(place));
        }
        for help in &finding.help {
            let help = plain(help);
            let _ =
                writeln!(out, "  help: {}", wrap(help.split(' '), self.width.saturating_sub(8), "        "));
        }
        out
    }

    /// A table without lines: a row a line, two spaces between columns, cells cut off where it would be too wide.
    fn table(&self, headings: &[Heading<'_>], lines: impl Iterator<Item = Line>) -> String {
        let mut table = Table::new();
        table.load_style(comfy_table::TableStyle::new()).set_truncation_indicator("…");
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(self.width + 2).unwrap_or(u16::MAX));
        table.set_header(self.row(headings, headings.iter().map(|(name, _)| (*name).to_owned())));
        let mut styles = vec![HEADER];
        for (cells, style) in lines {
            table.add_row(self.row(headings, cells.into_iter()));
            styles.push(style);
        }
        for (column, (_, numeric)) in table.column_iter_mut().zip(headings) {
            column.set_padding((0, 2));
            if *numeric {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        let lines = table.lines().zip(styles).map(|(line, style)| self.paint(line.trim_end(), style) + "\n");
        lines.collect()
    }

    fn row(&self, headings: &[Heading<'_>], cells: impl Iterator<Item = String>) -> Row {
        let cell = |(text, (_, numeric)): (String, &Heading<'_>)| {
            let alignment = if *numeric { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(clip(&plain(&text), LONGEST.min(self.width))).set_alignment(alignment)
        };
        let mut row: Row = cells.zip(headings).map(cell).collect::<Vec<_>>().into();
        row.max_height(1);
        row
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

const fn outcome_style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Done => Style::new(),
        Outcome::Unchanged | Outcome::Skipped => Style::new().dimmed(),
        Outcome::Failed => BAD,
        Outcome::Interrupted => DOUBTFUL,
    }
}

#[cfg(test)]
mod tests;
