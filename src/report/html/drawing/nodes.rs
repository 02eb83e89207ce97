//! Nodes: dots with their names and weights to point at.

use maud::{Markup, html};

use super::canvas::Canvas;
use crate::report::html::page::bare;
use crate::report::{Picture, PictureNode, numbers};

/// All nodes, the small ones above the great.
pub(super) fn draw(picture: &Picture, canvas: &Canvas, colour: &dyn Fn(&str) -> String) -> Markup {
    let mut dots: Vec<_> =
        picture.nodes.iter().zip(&canvas.dots).filter_map(|(node, dot)| dot.map(|dot| (node, dot))).collect();
    dots.sort_by(|(_, a), (_, b)| b.radius.total_cmp(&a.radius));
    let places = numbers::places(picture.nodes.iter().map(|node| node.weight));
    html! {
        g.n {
            @for (node, dot) in dots {
                circle class=(colour(&node.label)) cx=(tenths(dot.x)) cy=(tenths(dot.y)) r=(tenths(dot.radius)) {
                    title {
                        (full_name(node)) ", " (bare(&node.label)) ", " (bare(&picture.sized_by)) " "
                        (numbers::with_places(node.weight, places))
                    }
                }
            }
        }
    }
}

/// The name, and the longer one beside it.
pub(super) fn full_name(node: &PictureNode) -> String {
    match &node.title {
        Some(title) => format!("{} · {}", bare(&node.name), bare(title)),
        None => bare(&node.name),
    }
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}
