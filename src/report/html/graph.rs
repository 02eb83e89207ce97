//! What the graph holds, in numbers and as a picture.

use indexmap::IndexMap;
use maud::{Markup, html};

use super::drawing::{self, Drawing};
use super::page::{self, bare, name, scrolling};
use crate::report::{GraphCounts, Picture, Report, numbers};

pub(super) fn section(report: &Report) -> Markup {
    let body = html! {
        @match &report.graph {
            Some(graph) => (held(graph)),
            None => p.soft { "The graph could not be asked what it holds." },
        }
        @if let Some(picture) = &report.picture {
            @if let Some(drawing) = drawing::draw(picture) { (figure(picture, &drawing)) }
        }
    };
    page::section("graph", "Graph", &body)
}

fn held(GraphCounts { nodes, relationships }: &GraphCounts) -> Markup {
    html! {
        @if nodes.is_empty() && relationships.is_empty() { p.soft { "The graph is empty." } } @else {
            div.two {
                @if !nodes.is_empty() { (counts("Label", "Nodes", nodes)) }
                @if !relationships.is_empty() { (counts("Type", "Relationships", relationships)) }
            }
        }
    }
}

fn counts(what: &str, count: &str, counts: &IndexMap<String, u64>) -> Markup {
    let table = html! {
        table {
            thead { tr { th scope="col" { (what) } th.num scope="col" { (count) } } }
            tbody {
                @for (what, count) in counts {
                    tr { th scope="row" { (name(what)) } td.num { (numbers::grouped(*count)) } }
                }
            }
        }
    };
    scrolling(&format!("{count} in the graph"), &table)
}

fn figure(picture: &Picture, drawing: &Drawing) -> Markup {
    html! {
        figure.picture.card {
            (drawing.svg)
            figcaption {
                ul.legend {
                    @for (label, class) in &drawing.legend {
                        li { svg viewBox="0 0 12 12" aria-hidden="true" { circle class=(class) cx="6" cy="6" r="6" {} } span.name { (name(label)) } }
                    }
                }
                p { (reading(picture)) }
                @for note in notes(picture, drawing) { p { (note) } }
            }
        }
    }
}

/// How the picture is to be read.
fn reading(picture: &Picture) -> String {
    let place = if picture.geographic { "Nodes lie where they are on the earth, north up. " } else { "" };
    format!(
        "{place}A node’s area is its {}. All relationships from one node to another are one edge, which bends to the \
         right and thins out on its way; the more there are, the stronger it is. A ring is relationships of a node to \
         itself.",
        bare(&picture.sized_by),
    )
}

/// What the picture does not show.
fn notes(picture: &Picture, drawing: &Drawing) -> Vec<String> {
    let mut notes = Vec::new();
    let shown = picture.nodes.len() as u64;
    if shown < picture.total_nodes {
        notes.push(format!(
            "Shown are the strongest {} of {} nodes.",
            numbers::grouped(shown),
            numbers::grouped(picture.total_nodes),
        ));
    }
    let relationships: u64 = picture.edges.iter().map(|edge| edge.count).sum();
    if relationships < picture.total_relationships {
        notes.push(format!(
            "The edges stand for {} of {} relationships.",
            numbers::grouped(relationships),
            numbers::grouped(picture.total_relationships),
        ));
    }
    if drawing.nowhere > 0 {
        notes.push(format!("Without a place, and so not drawn: {}.", drawing.nowhere));
    }
    notes
}
