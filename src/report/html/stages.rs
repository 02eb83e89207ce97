//! The stages with their times, each as a bar where it lies in the run.

use maud::{Markup, html};

use super::page::{self, name, percent, scrolling};
use crate::progress::Outcome;
use crate::report::{Report, numbers};

/// The shortest bar that is seen, as a share of all.
const SHORTEST: f64 = 0.008;

fn table(report: &Report) -> Markup {
    let whole: f64 = report.stages.iter().map(|stage| stage.seconds).sum::<f64>().max(f64::MIN_POSITIVE);
    let mut before = 0.0;
    let begun = report.stages.iter().map(|stage| {
        let begin = before;
        before += stage.seconds;
        begin
    });
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Stage" }
                    th scope="col" { "Status" }
                    th.span scope="col" { "In the run" }
                    th.num scope="col" { "Time" }
                    th.num scope="col" { "Rate" }
                    th scope="col" { "Outcome" }
                }
            }
            tbody {
                @for (stage, begun) in report.stages.iter().zip(begun) {
                    tr {
                        th scope="row" { (name(&stage.name)) }
                        td.short { (status(stage.status)) }
                        td.span { (bar(begun / whole, stage.seconds / whole)) }
                        td.num { (numbers::duration(stage.seconds)) }
                        td.num { @if let Some(rate) = stage.rows_per_second { (numbers::rate(rate)) } @else { span.soft { "–" } } }
                        td.text { @if !stage.summary.is_empty() { (name(&stage.summary)) } }
                    }
                }
            }
        }
    }
}

pub(super) fn section(report: &Report) -> Markup {
    let body = if report.stages.is_empty() {
        html! { p.soft { "No stage was begun." } }
    } else {
        scrolling("Table of stages", &table(report))
    };
    page::section("stages", "Stages", &body)
}

/// A bar on a track, which the numbers beside it say in words.
fn bar(begin: f64, share: f64) -> Markup {
    let width = if share > 0.0 { share.max(SHORTEST) } else { 0.0 };
    html! {
        svg aria-hidden="true" {
            rect.track width="100%" height="100%" rx="2" {}
            rect.fill x=(percent(begin.min(1.0 - width))) width=(percent(width)) height="100%" rx="2" {}
        }
    }
}

fn status(outcome: Outcome) -> Markup {
    match outcome {
        Outcome::Done => html! { span.ok { "✓ done" } },
        Outcome::Failed => html! { span.off { "✗ failed" } },
        other => html! { span.soft { (other) } },
    }
}
