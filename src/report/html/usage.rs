//! What the pods used: the peaks, and a curve for each.

use std::fmt::Write as _;

use maud::{Markup, html};

use super::page::{self, name, scrolling};
use crate::report::Report;
use crate::report::usage::PodUsage;

pub(super) fn section(report: &Report) -> Markup {
    if report.usage.is_empty() {
        return html! {};
    }
    page::section("usage", "Usage", &scrolling("Table of what the pods used", &table(&report.usage)))
}

fn table(usage: &[PodUsage]) -> Markup {
    html! {
        table {
            thead {
                tr {
                    th scope="col" { "Pod" }
                    th.span scope="col" { "Memory in the run" }
                    th.num scope="col" { "At most" }
                    th.num scope="col" { "Of its limit" }
                    th.span scope="col" { "Cores in the run" }
                    th.num scope="col" { "At most" }
                    th.num scope="col" { "Of its limit" }
                }
            }
            tbody {
                @for pod in usage {
                    @let [pod_name, memory, memory_share, cores, cores_share] = pod.cells();
                    tr {
                        th scope="row" { (name(&pod_name)) }
                        td.span { (curve(&pod.memory_curve())) }
                        td.num { (memory) }
                        td.num { (or_dash(&memory_share)) }
                        td.span { (curve(&pod.cores_curve())) }
                        td.num { (cores) }
                        td.num { (or_dash(&cores_share)) }
                    }
                }
            }
        }
    }
}

fn or_dash(text: &str) -> Markup {
    html! { @if text.is_empty() { span.soft { "–" } } @else { (text) } }
}

/// The area below a curve, whose points lie between 0 and 1; the track's top is the limit. The numbers beside it say its peak.
fn curve(points: &[(f64, f64)]) -> Markup {
    let mut path = String::new();
    for (x, y) in points {
        let step = if path.is_empty() { "M0 100V" } else { "L" };
        // Writing to a text does not fail.
        let _ = match step {
            "L" => write!(path, "L{:.1} {:.1}", x * 100.0, (1.0 - y) * 100.0),
            first => write!(path, "{first}{:.1}H{:.1}", (1.0 - y) * 100.0, x * 100.0),
        };
    }
    html! {
        svg.curve viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true" {
            rect.track width="100" height="100" {}
            @if !path.is_empty() { path.fill d={ (path) "H100V100Z" } {} }
        }
    }
}
