//! The rows hop by hop, and the comparisons of counts that must agree.

use maud::{Markup, html};

use super::flow;
use super::page::{self, name, scrolling, verdict};
use crate::report::{Check, Report, numbers};

pub(super) fn section(report: &Report) -> Markup {
    let body = html! {
        (flow::figure(&report.rows))
        @if !report.reconciliation.is_empty() {
            div.below { (scrolling("Table of counts", &reconciliation(&report.reconciliation))) }
        }
    };
    page::section("rows", "Rows", &body)
}

fn reconciliation(checks: &[Check]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "What must agree" }
                    th.num scope="col" { "Expected" }
                    th.num scope="col" { "Found" }
                    th scope="col" { "Verdict" }
                }
            }
            tbody {
                @for check in checks {
                    tr {
                        th scope="row" { (name(&check.what)) }
                        td.num { (numbers::grouped(check.expected)) }
                        td.num { (numbers::grouped(check.actual)) }
                        td { (verdict(check.ok, "agree", "differ")) }
                    }
                }
            }
        }
    }
}
