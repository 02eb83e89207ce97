//! Edges: arcs that thin out from source to target, so that the two directions are told apart, and rings.
//!
//! The shape is that which readers of directed graphs were fastest with (Holten and van Wijk, A user study on
//! visualizing directed edges in graphs, 2009).

use std::fmt::Write as _;

use maud::{Markup, html};

use super::canvas::{Canvas, Dot, WIDTH};
use crate::report::html::page::bare;
use crate::report::{Picture, PictureEdge};

/// Coordinates are whole numbers of this part of a unit: fine enough for a screen, and short.
const PARTS: f64 = 4.0;
/// How far an arc bends to the right, as a share of its length.
const BEND: f64 = 0.14;
/// The width of the strongest edge and of the weakest at their sources.
const WIDTHS: (f64, f64) = (11.0, 1.2);
/// From these shares of the greatest count on, an edge is drawn stronger.
const STRENGTHS: [(f64, &str); 3] = [(0.5, "s3"), (0.2, "s2"), (0.07, "s1")];

/// All edges, the weakest at the bottom.
pub(super) fn draw(picture: &Picture, canvas: &Canvas) -> Markup {
    let greatest = picture.edges.iter().map(|edge| edge.count).max().unwrap_or(1);
    let mut edges: Vec<_> = picture.edges.iter().collect();
    edges.sort_by_key(|edge| edge.count);
    let (rings, arcs): (Vec<_>, Vec<_>) = edges.into_iter().partition(|edge| edge.source == edge.target);
    html! {
        g.e transform={ "scale(" (1.0 / PARTS) ")" } {
            @for edge in arcs {
                @if let (Some(from), Some(to)) = (canvas.dot(edge.source), canvas.dot(edge.target)) {
                    @let share = share(edge, greatest);
                    path class=[strength(share)] d=(arc(from, to, width(share))) { title { (words(picture, edge)) } }
                }
            }
        }
        g.l {
            @for edge in rings {
                @if let Some(dot) = canvas.dot(edge.source) { (ring(dot, canvas, share(edge, greatest), &words(picture, edge))) }
            }
        }
    }
}

fn width(share: f64) -> f64 {
    (WIDTHS.0 - WIDTHS.1).mul_add(share.sqrt(), WIDTHS.1)
}

fn strength(share: f64) -> Option<&'static str> {
    STRENGTHS.iter().find(|(least, _)| share >= *least).map(|(_, class)| *class)
}

#[expect(clippy::cast_precision_loss, reason = "a share for the eye")]
fn share(edge: &PictureEdge, greatest: u64) -> f64 {
    edge.count as f64 / greatest.max(1) as f64
}

/// What an edge is, for those who point at it.
fn words(picture: &Picture, edge: &PictureEdge) -> String {
    let name = |node: usize| picture.nodes.get(node).map_or(String::new(), |node| bare(&node.name));
    format!("{} → {}: {}", name(edge.source), name(edge.target), edge.count)
}

/// The outline of an arc: two curves from the sides of the source's middle to one point at the target's rim.
fn arc(from: Dot, to: Dot, width: f64) -> String {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let length = dx.hypot(dy).max(1e-6);
    let bend = [f64::midpoint(from.x, to.x) - dy * BEND, f64::midpoint(from.y, to.y) + dx * BEND];
    // The arc reaches the target on the line from where it bends.
    let (bx, by) = (bend[0] - to.x, bend[1] - to.y);
    let reach = (to.radius + 1.0) / bx.hypot(by).max(1e-6);
    let tip = [bx.mul_add(reach, to.x), by.mul_add(reach, to.y)];
    let side = [-dy / length * width / 2.0, dx / length * width / 2.0];
    let mut path = Path::default();
    path.start([from.x + side[0], from.y + side[1]]);
    path.curve([bend[0] + side[0] / 2.0, bend[1] + side[1] / 2.0], tip);
    path.curve([bend[0] - side[0] / 2.0, bend[1] - side[1] / 2.0], [from.x - side[0], from.y - side[1]]);
    path.text + "z"
}

/// A path in whole parts, each point relative to the one before: the shortest way to write it.
#[derive(Default)]
struct Path {
    text: String,
    at: [f64; 2],
}

impl Path {
    fn start(&mut self, point: [f64; 2]) {
        self.at = point.map(parts);
        let _ = write!(self.text, "M{} {}", self.at[0], self.at[1]);
    }

    fn curve(&mut self, bend: [f64; 2], end: [f64; 2]) {
        let (bend, end) = (bend.map(parts), end.map(parts));
        let by = |point: [f64; 2]| [point[0] - self.at[0], point[1] - self.at[1]];
        let ([a, b], [c, d]) = (by(bend), by(end));
        let _ = write!(self.text, "q{a} {b} {c} {d}");
        self.at = end;
    }
}

fn parts(coordinate: f64) -> f64 {
    // The sum turns -0 into 0.
    (coordinate * PARTS).round() + 0.0
}

/// A ring at a node's side that looks away from the middle of the picture.
fn ring(dot: Dot, canvas: &Canvas, share: f64, words: &str) -> Markup {
    let (dx, dy) = (dot.x - WIDTH / 2.0, dot.y - canvas.height / 2.0);
    let length = dx.hypot(dy);
    let (ux, uy) = if length > 1e-6 { (dx / length, dy / length) } else { (0.0, -1.0) };
    let radius = dot.radius.mul_add(0.5, 5.0);
    let away = dot.radius + radius * 0.55;
    html! {
        circle cx=(ux.mul_add(away, dot.x).round()) cy=(uy.mul_add(away, dot.y).round()) r=(radius.round())
            stroke-width=(format!("{:.1}", width(share) / 2.0)) { title { (words) } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Dot = Dot { x: 100.0, y: 100.0, radius: 10.0 };
    const B: Dot = Dot { x: 300.0, y: 100.0, radius: 10.0 };

    #[test]
    fn an_arc_is_short_to_write() {
        assert_eq!(arc(A, B, 4.0), "M400 408q400 108 758 4q-358 96 -758 -20z");
    }

    #[test]
    fn the_two_directions_bend_apart() {
        assert_ne!(arc(A, B, 4.0), arc(B, A, 4.0));
    }

    #[test]
    fn ends_in_one_place_give_numbers() {
        assert!(!arc(A, A, 4.0).contains("NaN"));
    }
}
