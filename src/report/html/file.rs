//! The pipeline file as it was written.

use maud::{Markup, html};

use super::page;
use crate::report::Report;
use crate::report::words::plain;

pub(super) fn section(report: &Report) -> Markup {
    let lines: Vec<_> = report.spec.lines().map(plain).collect();
    let body = html! {
        details.card {
            summary { "The file as it was run" }
            pre tabindex="0" role="region" aria-label="The pipeline file" { code { (lines.join("\n")) } }
        }
        p.soft.below { "Digest of its values, sha256: " code { (plain(&report.digest)) } }
    };
    page::section("file", "Pipeline file", &body)
}
