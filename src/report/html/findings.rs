//! The findings, the gravest first.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::page::{self, message, name};
use crate::report::{Finding, Report};

pub(super) fn section(report: &Report) -> Markup {
    if report.findings.is_empty() {
        return html! {};
    }
    let mut findings: Vec<_> = report.findings.iter().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    page::section(
        "findings",
        "Findings",
        &html! {
            ul.findings { @for finding in findings { (item(finding)) } }
        },
    )
}

fn item(finding: &Finding) -> Markup {
    html! {
        li class=(finding.severity) {
            p {
                span.kind { (finding.severity) " " (name(&finding.code)) }
                " " (message(&finding.message))
            }
            @if let Some(place) = &finding.place { p.soft { code { (name(place)) } } }
            @if !finding.help.is_empty() {
                ul { @for help in &finding.help { li.soft { "Help: " (message(help)) } } }
            }
        }
    }
}
