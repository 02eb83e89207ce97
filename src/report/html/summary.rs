//! What ran, how it ended, and the figures that matter most.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::page::{name, section};
use crate::report::{Report, numbers};

pub(super) fn header(report: &Report) -> Markup {
    let status = report.status;
    let digest = report.digest.get(..12).unwrap_or(&report.digest);
    html! {
        header {
            p.eyebrow { "Pipeline run" }
            div.title {
                h1 { (name(&report.pipeline)) }
                p class={ "badge " (status) } { span aria-hidden="true" { (status.mark()) " " } (status) }
            }
            p.lead { (status.meaning()) }
            dl.facts {
                div { dt { "Target" } dd { (name(&report.target)) } }
                div { dt { "Started" } dd { (started(&report.started_at)) } }
                div { dt { "Took" } dd { (numbers::duration(report.seconds)) } }
                div { dt { "Pipeline file" } dd { code { (name(digest)) } } }
                div { dt { "runner" } dd { (name(&report.version)) } }
            }
            nav aria-label="Sections" {
                ul {
                    @if !report.findings.is_empty() { li { a href="#findings" { "Findings" } } }
                    li { a href="#stages" { "Stages" } }
                    @if !report.usage.is_empty() { li { a href="#usage" { "Usage" } } }
                    li { a href="#rows" { "Rows" } }
                    li { a href="#graph" { "Graph" } }
                    @if !report.analyses.is_empty() { li { a href="#analyses" { "Analyses" } } }
                    li { a href="#file" { "Pipeline file" } }
                }
            }
        }
    }
}

pub(super) fn figures(report: &Report) -> Markup {
    let (agree, checks) = report.checks();
    let (hold, assertions) = report.assertions();
    let sum = |counts: &IndexMap<String, u64>| numbers::grouped(counts.values().sum());
    let body = html! {
        dl.figures {
            (figure("rows read", &numbers::grouped(report.rows.read), true))
            (figure("rows written", &numbers::grouped(report.rows.written), true))
            @if let Some(graph) = &report.graph {
                (figure("nodes", &sum(&graph.nodes), true))
                (figure("relationships", &sum(&graph.relationships), true))
            }
            @if checks > 0 { (figure("counts agree", &format!("{agree} of {checks}"), agree == checks)) }
            @if assertions > 0 { (figure("assertions hold", &format!("{hold} of {assertions}"), hold == assertions)) }
        }
    };
    section("summary", "Summary", &body)
}

fn figure(label: &str, number: &str, good: bool) -> Markup {
    html! { div { dt { (label) } dd class=[(!good).then_some("off")] { (number) } } }
}

/// `2026-11-24T10:28:00.123Z` as `2026-11-24 10:28:00 UTC`; anything else as it is.
fn started(at: &str) -> Markup {
    let parts = at.strip_suffix('Z').and_then(|at| at.split_once('T'));
    match parts.filter(|(date, time)| date.len() == 10 && time.len() >= 8) {
        Some((date, time)) => {
            let time = time.split('.').next().unwrap_or(time);
            html! { time datetime=(at) { (date) " " (time) " UTC" } }
        }
        None => name(at),
    }
}
