//! The frame of the page, and what its sections share.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::{analyses, counts, file, findings, graph, stages, summary, usage};
use crate::report::Report;
use crate::report::words::{clip, plain};

/// The style sheet.
pub(super) const STYLE: &str = include_str!("style.css");

/// The icon: three nodes and two edges.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Cpath d='M4 4l8 4-7 5' fill='none' stroke='%233a8ea3' stroke-width='1.5'/%3E\
    %3Cg fill='%230e6377'%3E%3Ccircle cx='4' cy='4' r='2.5'/%3E%3Ccircle cx='12' cy='8' r='3'/%3E\
    %3Ccircle cx='5' cy='13' r='2'/%3E%3C/g%3E%3C/svg%3E";

/// A longer word than this may be broken anywhere.
const LONGEST_WORD: usize = 32;
/// A longer name than this is cut off.
const LONGEST_NAME: usize = 240;

pub(super) fn render(report: &Report) -> Markup {
    let title = format!("{}: {}", plain(&report.pipeline), report.status);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="generator" content={ "runner " (plain(&report.version)) };
                title { (clip(&title, LONGEST_NAME)) }
                link rel="icon" href=(PreEscaped(ICON));
                style { (PreEscaped(STYLE)) }
            }
            body {
                (summary::header(report))
                main {
                    (summary::figures(report))
                    (findings::section(report))
                    (stages::section(report))
                    (usage::section(report))
                    (counts::section(report))
                    (graph::section(report))
                    (analyses::section(report))
                    (file::section(report))
                }
                footer { p { "Made by runner " (plain(&report.version)) ". " code { "report.json" } " beside this page has every row and every digit." } }
            }
        }
    }
}

/// Nothing may be fetched, framed, sent or run; the one style sheet is known by its hash.
pub(super) fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
}

/// A part of the page under a heading of its own, which its id and the list of sections name.
pub(super) fn section(id: &str, heading: &str, body: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-heading" } {
            h2 id={ (id) "-heading" } { (heading) }
            (body)
        }
    }
}

/// A box that a wide table scrolls in, which the keyboard reaches.
pub(super) fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div class="scroll card" role="region" aria-label=(label) tabindex="0" { (table) } }
}

/// A name from outside: as text, of its own direction; an empty one is seen to be empty.
pub(super) fn name(text: &str) -> Markup {
    let text = if text.is_empty() { "\"\"".into() } else { plain(text) };
    let text = clip(&text, LONGEST_NAME);
    let long = text.split_whitespace().any(|word| word.len() > LONGEST_WORD);
    html! { bdi class=[long.then_some("long")] { (text) } }
}

/// A message from outside, in which words between backticks are code.
pub(super) fn message(text: &str) -> Markup {
    html! {
        bdi {
            @for (index, part) in plain(text).split('`').enumerate() {
                @if index % 2 == 1 { code { (part) } } @else { (part) }
            }
        }
    }
}

/// The same as [`name`], where no element may stand: in an attribute or a `title` of SVG.
pub(super) fn bare(text: &str) -> String {
    clip(&plain(text), LONGEST_NAME).into_owned()
}

/// Whether something holds, with a mark beside the word.
pub(super) fn verdict(ok: bool, yes: &str, no: &str) -> Markup {
    html! {
        @if ok { span class="ok" { "✓ " (yes) } } @else { span class="off" { "✗ " (no) } }
    }
}

/// A share in per cent with two places, which is finer than a screen.
pub(super) fn percent(share: f64) -> String {
    let text = format!("{:.2}", (share * 100.0).clamp(0.0, 100.0));
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}
