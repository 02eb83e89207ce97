//! Labels of the strongest nodes, where they cover neither each other nor a dot.

use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

use super::canvas::{Canvas, Dot, WIDTH};
use crate::report::Picture;
use crate::report::words::{clip, plain};

/// A longer label than this is cut off.
const LONGEST: usize = 28;
/// The distance of a label from its dot.
const GAP: f64 = 5.0;

/// Labels for a wide page and, larger and fewer, for a narrow one: the style sheet shows one of the two.
const SETS: [Set; 2] =
    [Set { class: "t", size: 13.0, most: 24 }, Set { class: "t small", size: 30.0, most: 6 }];

/// How labels are set.
#[derive(Clone, Copy)]
struct Set {
    class: &'static str,
    size: f64,
    most: usize,
}

/// A rectangle: left, top, right, bottom.
#[derive(Debug, Clone, Copy)]
struct Rect([f64; 4]);

impl Rect {
    fn around(dot: Dot) -> Self {
        Self([dot.x - dot.radius, dot.y - dot.radius, dot.x + dot.radius, dot.y + dot.radius])
    }

    fn overlaps(self, other: Self) -> bool {
        let (Self([left, top, right, bottom]), Self([l, t, r, b])) = (self, other);
        left < r && l < right && top < b && t < bottom
    }

    fn is_inside(self, height: f64) -> bool {
        let Self([left, top, right, bottom]) = self;
        left >= 2.0 && top >= 2.0 && right <= WIDTH - 2.0 && bottom <= height - 2.0
    }
}

/// A label that found its place.
struct Placed {
    text: String,
    x: f64,
    baseline: f64,
    anchor: &'static str,
}

pub(super) fn draw(picture: &Picture, canvas: &Canvas) -> Markup {
    html! {
        @for set in SETS {
            g aria-hidden="true" {
                @for label in place(picture, canvas, set) {
                    text class=(set.class) x=(label.x.round()) y=(label.baseline.round()) text-anchor=(label.anchor) { (label.text) }
                }
            }
        }
    }
}

/// Goes through the nodes from the strongest on and gives each the first free place beside it, if there is one.
fn place(picture: &Picture, canvas: &Canvas, set: Set) -> Vec<Placed> {
    let mut order: Vec<_> =
        picture.nodes.iter().zip(&canvas.dots).filter_map(|(node, dot)| Some((node, (*dot)?))).collect();
    order.sort_by(|(_, a), (_, b)| b.radius.total_cmp(&a.radius));
    let mut taken: Vec<Rect> = order.iter().map(|(_, dot)| Rect::around(*dot)).collect();
    let mut placed = Vec::new();
    for (node, dot) in order {
        if placed.len() == set.most {
            break;
        }
        let text = plain(node.title.as_ref().unwrap_or(&node.name));
        let text = clip(text.trim(), LONGEST);
        if text.is_empty() {
            continue;
        }
        let free =
            |(rect, _): &(Rect, _)| rect.is_inside(canvas.height) && !taken.iter().any(|t| t.overlaps(*rect));
        if let Some((rect, (x, anchor))) = candidates(dot, &text, set.size).into_iter().find(free) {
            let baseline = rect.0[3] - set.size * 0.28;
            taken.push(rect);
            placed.push(Placed { text: text.into_owned(), x, baseline, anchor });
        }
    }
    placed
}

/// The places for a label: right, left, above and below, each with where the text is anchored.
fn candidates(dot: Dot, text: &str, size: f64) -> [(Rect, (f64, &'static str)); 4] {
    #[expect(clippy::cast_precision_loss, reason = "a label is short")]
    let width = text.width() as f64 * size * 0.56;
    let (half, away) = (size * 0.6, dot.radius + GAP);
    let (right, left) = (dot.x + away, dot.x - away);
    let [above, below] = [dot.y - away - 2.0 * half, dot.y + away];
    let across = [dot.x - width / 2.0, dot.x + width / 2.0];
    [
        (Rect([right, dot.y - half, right + width, dot.y + half]), (right, "start")),
        (Rect([left - width, dot.y - half, left, dot.y + half]), (left, "end")),
        (Rect([across[0], above, across[1], above + 2.0 * half]), (dot.x, "middle")),
        (Rect([across[0], below, across[1], below + 2.0 * half]), (dot.x, "middle")),
    ]
}

#[cfg(test)]
mod tests;
