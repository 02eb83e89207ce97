//! The rows as a stream whose width is their number: read, produced, consumed, written, and where they left it.

use std::fmt::Write as _;

use maud::{Markup, html};

use crate::report::{Rows, numbers};

/// The picture's height in its own units; the whole stream fills it.
const HEIGHT: f64 = 100.0;
/// The distance of two hops.
const STEP: f64 = 100.0;
/// How wide the bar of a hop is; the picture is stretched across, so this is a share of the page.
const BAR: f64 = 1.5;
/// The thinnest stream that is seen.
const THINNEST: f64 = 1.5;

pub(super) fn figure(rows: &Rows) -> Markup {
    let hops = [
        ("read", rows.read),
        ("produced", rows.produced),
        ("consumed", rows.consumed),
        ("written", rows.written),
    ];
    html! {
        figure.flow.card {
            dl.hops { @for (what, count) in hops { div { dt { (what) } dd { (numbers::grouped(count)) } } } }
            @if rows.read + rows.produced + rows.consumed > 0 { (stream(rows)) }
            div.exits {
                dl {
                    div { dt { "filtered out" } dd { (numbers::grouped(rows.filtered_out)) } }
                    div { dt { "already loaded" } dd { (numbers::grouped(rows.already_loaded)) } }
                }
                dl {
                    div { dt { "dead letters" } dd class=[(rows.dead_letters > 0).then_some("off")] { (numbers::grouped(rows.dead_letters)) } }
                    @if rows.other_producers > 0 { div { dt { "from other producers" } dd { (numbers::grouped(rows.other_producers)) } } }
                    @if rows.other_loaders > 0 { div { dt { "by other loaders" } dd { (numbers::grouped(rows.other_loaders)) } } }
                    @if rows.duplicates > 0 { div { dt { "duplicates left out" } dd { (numbers::grouped(rows.duplicates)) } } }
                    @if rows.retries > 0 { div { dt { "tried again" } dd { (numbers::grouped(rows.retries)) } } }
                }
            }
        }
    }
}

/// The stream; the numbers above and below it say the same in words.
fn stream(rows: &Rows) -> Markup {
    let whole = rows.read.max(rows.produced).max(rows.consumed).max(1);
    let scale = |count: u64| if count == 0 { 0.0 } else { (share(count, whole) * HEIGHT).max(THINNEST) };
    let [read, produced, consumed, written] =
        [rows.read, rows.produced, rows.consumed, rows.written].map(scale);
    let lost = scale(rows.dead_letters);
    html! {
        svg viewBox="0 0 400 101" preserveAspectRatio="none" aria-hidden="true" {
            defs {
                linearGradient id="leaving" { stop.stop {} stop.gone offset="1" {} }
                linearGradient id="lost" { stop.stop-bad {} stop.gone offset="1" {} }
            }
            @if read > produced { path d=(exit(0.0, produced, read)) fill="url(#leaving)" {} }
            @if lost > 0.0 { path d=(exit(2.0, written, written + lost)) fill="url(#lost)" {} }
            path.band d=(band(0.0, produced, produced) + &band(1.0, produced, consumed) + &band(2.0, written.min(consumed), written) + &band(3.0, written, written)) {}
            @for (hop, height) in (0_u8..).zip([read, produced, consumed, written]) {
                rect.fill x=(f64::from(hop) * STEP) width=(BAR) height=(rounded(height)) {}
            }
        }
    }
}

/// The stream from one hop to the next, its height changing on the way.
fn band(hop: f64, from: f64, to: f64) -> String {
    let (begin, end) = (hop * STEP + BAR, (hop + 1.0) * STEP);
    let middle = f64::midpoint(begin, end);
    let mut path = format!("M{begin} 0H{end}V{}", rounded(to));
    let _ = write!(path, "C{middle} {} {middle} {from} {begin} {from}Z", rounded(to), from = rounded(from));
    path
}

/// What leaves the stream at a hop, between two heights: it runs out before the next one.
fn exit(hop: f64, top: f64, bottom: f64) -> String {
    let (begin, end) = (hop * STEP + BAR, hop * STEP + 0.8 * STEP);
    let (top, bottom) = (rounded(top), rounded(bottom));
    format!("M{begin} {top}H{end}V{bottom}H{begin}Z")
}

fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "a share for the eye")]
fn share(count: u64, whole: u64) -> f64 {
    count as f64 / whole as f64
}
