//! The results: for each analysis its first rows, its bars and its assertions.

use maud::{Markup, html};

use super::page::{self, bare, name, percent, scrolling, verdict};
use crate::report::results::{self, Bar, Column, Shown};
use crate::report::words::counted;
use crate::report::{AnalysisReport, Report, numbers};

/// A table with more columns, or with a longer cell, is given the page's width.
const MANY_COLUMNS: usize = 4;
const LONG_CELL: usize = 64;
/// More bars than this are not drawn.
const MOST_BARS: usize = 25;

pub(super) fn section(report: &Report) -> Markup {
    if report.analyses.is_empty() {
        return html! {};
    }
    let body = html! { @for (index, analysis) in report.analyses.iter().enumerate() { (one(report, analysis, index)) } };
    page::section("analyses", "Analyses", &body)
}

fn one(report: &Report, analysis: &AnalysisReport, index: usize) -> Markup {
    let shown = results::shown(report, analysis);
    let bars = results::bars(analysis, &shown);
    let heading = format!("analysis-{index}");
    html! {
        article.analysis aria-labelledby=(heading) {
            h3 id=(heading) { (name(&analysis.name)) }
            p.soft {
                (name(&analysis.by())) ", " (extent(analysis, &shown)) ", " (numbers::duration(analysis.seconds))
            }
            div.two.halves[!is_wide(&shown)] {
                @if shown.rows > 0 && !shown.columns.is_empty() {
                    (scrolling(&format!("Rows of {}", bare(&analysis.name)), &table(&shown)))
                } @else {
                    p.soft { "It gave no rows." }
                }
                @if !bars.is_empty() { (chart(analysis, &bars)) }
            }
            @if !analysis.assertions.is_empty() { (assertions(analysis)) }
        }
    }
}

/// How many rows are shown, of how many.
fn extent(analysis: &AnalysisReport, shown: &Shown<'_>) -> String {
    if (shown.rows as u64) < analysis.total_rows {
        return format!("the first {} of {} rows", shown.rows, numbers::grouped(analysis.total_rows));
    }
    counted(shown.rows, "row", "rows")
}

/// Whether a table needs the page's width.
fn is_wide(shown: &Shown<'_>) -> bool {
    let long = |column: &Column<'_>| column.cells.iter().any(|cell| cell.len() > LONG_CELL);
    shown.columns.len() > MANY_COLUMNS || shown.columns.iter().any(long)
}

fn table(shown: &Shown<'_>) -> Markup {
    html! {
        table {
            thead { tr { @for column in &shown.columns { th class=[column.numeric.then_some("num")] scope="col" { (name(column.name)) } } } }
            tbody { @for row in 0..shown.rows { tr { @for column in &shown.columns { (cell(column, row)) } } } }
        }
    }
}

fn cell(column: &Column<'_>, row: usize) -> Markup {
    let text = column.cells.get(row).map_or("", String::as_str);
    html! { td class=(if column.numeric { "num" } else { "text" }) { @if !text.is_empty() { (name(text)) } } }
}

/// The bars from the least to the greatest value, or from zero if that is beyond.
fn chart(analysis: &AnalysisReport, bars: &[Bar]) -> Markup {
    let least = bars.iter().map(|bar| bar.value).fold(0.0, f64::min);
    let greatest = bars.iter().map(|bar| bar.value).fold(0.0, f64::max);
    let span = (greatest - least).max(f64::MIN_POSITIVE);
    let chart = analysis.chart.as_deref().unwrap_or_default();
    html! {
        figure.bars.card {
            figcaption { (name(chart)) @if bars.len() > MOST_BARS { ", the first " (MOST_BARS) " rows" } }
            ol {
                @for bar in bars.iter().take(MOST_BARS) {
                    @let begin = (bar.value.min(0.0) - least) / span;
                    li {
                        span.name { (name(&bar.name)) }
                        span.num { (bar.written) }
                        svg aria-hidden="true" {
                            rect.track width="100%" height="100%" rx="2" {}
                            rect.fill x=(percent(begin)) width=(percent(bar.value.abs() / span)) height="100%" rx="2" {}
                        }
                    }
                }
            }
        }
    }
}

fn assertions(analysis: &AnalysisReport) -> Markup {
    html! {
        ul.assertions {
            @for assertion in &analysis.assertions {
                li {
                    (verdict(assertion.ok, "holds", "does not hold")) ": " (name(&assertion.what))
                    @if let Some(found) = &assertion.found { "; found " (name(found)) }
                }
            }
        }
    }
}
