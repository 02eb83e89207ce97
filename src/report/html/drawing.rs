//! The picture of the graph, as SVG.

mod canvas;
mod edges;
mod force;
mod labels;
mod map;
mod nodes;

use maud::{Markup, html};

use self::canvas::{Canvas, WIDTH};
use super::page::bare;
use crate::report::Picture;

/// How many colours there are; where there are more labels, the rest share the last.
const COLOURS: usize = 8;

/// A drawn picture, and what its caption must say.
pub(super) struct Drawing {
    /// The SVG element.
    pub svg: Markup,
    /// The labels, each with the class that colours it.
    pub legend: Vec<(String, String)>,
    /// How many nodes of a map have no place on it.
    pub nowhere: usize,
}

/// Draws a picture; `None` where there is nothing to draw.
pub(super) fn draw(picture: &Picture) -> Option<Drawing> {
    let labels = labels_of(picture);
    let (canvas, unit) = lay_out(picture)?;
    let nowhere = picture.nodes.len() - canvas.dots.iter().flatten().count();
    let title = format!("Graph of {} nodes and {} edges", picture.nodes.len() - nowhere, picture.edges.len());
    let colour = |label: &str| colour(&labels, label);
    let svg = html! {
        svg viewBox={ "0 0 " (WIDTH) " " (canvas.height) } role="img" aria-labelledby="picture-title picture-text" {
            title id="picture-title" { (title) }
            desc id="picture-text" { (strongest(picture)) }
            (edges::draw(picture, &canvas))
            (nodes::draw(picture, &canvas, &colour))
            (labels::draw(picture, &canvas))
            @if let Some(unit) = unit { (map::scale(unit, canvas.height)) }
        }
    };
    Some(Drawing { svg, legend: legend(&labels), nowhere })
}

/// The labels with their colours; those that share the last are counted.
fn legend(labels: &[&str]) -> Vec<(String, String)> {
    let named = if labels.len() > COLOURS { COLOURS - 1 } else { labels.len() };
    let mut legend: Vec<_> =
        labels.iter().take(named).map(|label| ((*label).to_owned(), colour(labels, label))).collect();
    if labels.len() > named {
        legend.push((format!("{} more labels", labels.len() - named), format!("c{}", COLOURS - 1)));
    }
    legend
}

/// Where the nodes are drawn, and in a map how long a kilometre is.
fn lay_out(picture: &Picture) -> Option<(Canvas, Option<f64>)> {
    let weights: Vec<f64> = picture.nodes.iter().map(|node| node.weight).collect();
    if picture.geographic
        && let Some(map) = map::project(&picture.nodes)
    {
        let (canvas, unit) = Canvas::fit(&map, &weights);
        return Some((canvas, Some(unit)));
    }
    if weights.is_empty() {
        return None;
    }
    let points: Vec<_> = force::lay_out(weights.len(), &picture.edges).into_iter().map(Some).collect();
    let (mut canvas, _) = Canvas::fit(&points, &weights);
    canvas.part();
    Some((canvas, None))
}

/// The labels in the order in which they first appear.
fn labels_of(picture: &Picture) -> Vec<&str> {
    let mut labels: Vec<&str> = Vec::new();
    for node in &picture.nodes {
        if !labels.contains(&node.label.as_str()) {
            labels.push(&node.label);
        }
    }
    labels
}

fn colour(labels: &[&str], label: &str) -> String {
    let position = labels.iter().position(|known| *known == label).unwrap_or(COLOURS);
    format!("c{}", position.min(COLOURS - 1))
}

/// The strongest nodes, for those who do not see the picture.
fn strongest(picture: &Picture) -> String {
    let names: Vec<_> = picture.nodes.iter().take(5).map(nodes::full_name).collect();
    format!("The strongest by {}: {}", bare(&picture.sized_by), names.join(", "))
}
