//! The canvas: points of any extent brought onto it, as dots whose area is their weight.

/// The width of the picture in its own units.
pub(super) const WIDTH: f64 = 1000.0;
/// Its least and its greatest height.
const HEIGHT: (f64, f64) = (420.0, 760.0);
/// What is left free at the sides, for rings and for labels.
const MARGIN: (f64, f64) = (90.0, 48.0);
/// Rounds of moving overlapping dots apart.
const ROUNDS: usize = 60;
/// The gap that is left between dots.
const GAP: f64 = 3.0;

/// A point: to the right, and down.
pub(super) type Point = [f64; 2];

/// A node, placed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dot {
    pub x: f64,
    pub y: f64,
    pub radius: f64,
}

/// The placed nodes, by their index in the picture; `None` where a node has no place.
#[derive(Debug, PartialEq)]
pub(super) struct Canvas {
    pub dots: Vec<Option<Dot>>,
    pub height: f64,
}

impl Canvas {
    /// Brings points onto the canvas, all axes on one scale; also, how long a unit of theirs has become.
    pub(super) fn fit(points: &[Option<Point>], weights: &[f64]) -> (Self, f64) {
        let [left, right] = extent(points, 0);
        let [top, bottom] = extent(points, 1);
        let (wide, high) = ((right - left).max(1e-9), (bottom - top).max(1e-9));
        let room = [WIDTH - 2.0 * MARGIN.0, HEIGHT.1 - 2.0 * MARGIN.1];
        let unit = (room[0] / wide).min(room[1] / high);
        let unit = if wide.max(high) <= 1e-9 { 0.0 } else { unit };
        let height = (high * unit + 2.0 * MARGIN.1).clamp(HEIGHT.0, HEIGHT.1).round();
        let centre = [f64::midpoint(left, right), f64::midpoint(top, bottom)];
        let radii = radii(weights, height);
        let dot = |(point, radius): (&Option<Point>, f64)| {
            let [x, y] = (*point)?;
            let x = (x - centre[0]).mul_add(unit, WIDTH / 2.0);
            let y = (y - centre[1]).mul_add(unit, height / 2.0);
            Some(Dot { x, y, radius })
        };
        (Self { dots: points.iter().zip(radii).map(dot).collect(), height }, unit)
    }

    /// Moves dots apart that overlap.
    pub(super) fn part(&mut self) {
        for _ in 0..ROUNDS {
            let mut moved = false;
            for later in 1..self.dots.len() {
                let (before, from) = self.dots.split_at_mut(later);
                let Some(Some(dot)) = from.first_mut() else { continue };
                for other in before.iter_mut().flatten() {
                    moved |= push(dot, other);
                }
            }
            if !moved {
                break;
            }
        }
        for dot in self.dots.iter_mut().flatten() {
            dot.x = dot.x.clamp(dot.radius + 2.0, WIDTH - dot.radius - 2.0);
            dot.y = dot.y.clamp(dot.radius + 2.0, self.height - dot.radius - 2.0);
        }
    }

    /// The dot of a node.
    pub(super) fn dot(&self, node: usize) -> Option<Dot> {
        self.dots.get(node).copied().flatten()
    }
}

/// Pushes two dots apart, each by half of their overlap.
fn push(a: &mut Dot, b: &mut Dot) -> bool {
    let (dx, dy) = (a.x - b.x, a.y - b.y);
    let distance = dx.hypot(dy);
    let overlap = a.radius + b.radius + GAP - distance;
    if overlap <= 0.01 {
        return false;
    }
    let (ux, uy) = if distance > 1e-6 { (dx / distance, dy / distance) } else { (1.0, 0.0) };
    a.x += ux * overlap / 2.0;
    a.y += uy * overlap / 2.0;
    b.x -= ux * overlap / 2.0;
    b.y -= uy * overlap / 2.0;
    true
}

/// The least and greatest of one coordinate.
fn extent(points: &[Option<Point>], axis: usize) -> [f64; 2] {
    let all = || points.iter().flatten().filter_map(|point| point.get(axis).copied());
    if all().next().is_none() {
        return [0.0, 0.0];
    }
    [all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max)]
}

/// Radii whose squares grow with the weight, smaller the more dots there are.
fn radii(weights: &[f64], height: f64) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
    let spacing = (WIDTH * height / weights.len().max(1) as f64).sqrt();
    let most = (spacing * 0.22).clamp(9.0, 26.0);
    let least = (most * 0.18).max(2.5);
    let finite = || weights.iter().copied().filter(|weight| weight.is_finite());
    let low = finite().fold(0.0, f64::min);
    let span = finite().fold(0.0, f64::max) - low;
    let radius = |weight: &f64| {
        let share = if span > 0.0 && weight.is_finite() { (weight - low) / span } else { 0.25 };
        (most - least).mul_add(share.clamp(0.0, 1.0).sqrt(), least)
    };
    weights.iter().map(radius).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use super::*;

    #[test]
    fn points_keep_their_proportions() {
        let points = [Some([0.0, 0.0]), Some([2.0, 0.0]), Some([0.0, 1.0])];
        let (canvas, unit) = Canvas::fit(&points, &[1.0; 3]);
        let [a, b, c] = [0, 1, 2].map(|node| canvas.dot(node).unwrap());
        assert!((b.x - a.x - 2.0 * unit).abs() < 1e-9 && (c.y - a.y - unit).abs() < 1e-9);
    }

    #[test]
    fn a_single_point_is_in_the_middle() {
        let (canvas, _) = Canvas::fit(&[Some([7.0, 9.0])], &[0.0]);
        let dot = canvas.dot(0).unwrap();
        assert_eq!((dot.x, dot.y), (WIDTH / 2.0, canvas.height / 2.0));
    }

    #[test]
    fn a_dots_area_grows_with_its_weight() {
        let radii = radii(&[0.0, 1.0, 4.0, f64::NAN], 500.0);
        assert!(((radii[2] - radii[0]) / (radii[1] - radii[0]) - 2.0).abs() < 1e-9);
        assert!(radii[3].is_finite());
    }

    #[test]
    fn dots_in_one_place_are_moved_apart() {
        let points = [Some([0.0, 0.0]), Some([0.0, 0.0]), Some([1.0, 1.0])];
        let (mut canvas, _) = Canvas::fit(&points, &[1.0; 3]);
        canvas.part();
        let [a, b] = [0, 1].map(|node| canvas.dot(node).unwrap());
        assert!((a.x - b.x).hypot(a.y - b.y) >= a.radius + b.radius);
    }
}
