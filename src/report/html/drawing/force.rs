//! A force-directed layout: nodes repel each other, edges draw their ends together.
//!
//! After Fruchterman and Reingold (Graph drawing by force-directed placement, 1991), with the repulsion of a node growing
//! with its degree as in `ForceAtlas2` (Jacomy et al., 2014) and a pull to the middle that keeps components together.
//! Nothing is drawn by lot: nodes begin on a spiral in their order, so that the same graph gives the same picture.

use super::canvas::Point;
use crate::report::PictureEdge;

/// Rounds until the layout stands still.
const ROUNDS: u32 = 200;
/// The angle between two nodes of the spiral at the beginning: the golden angle.
const GOLDEN_ANGLE: f64 = 2.399_963_229_728_653;
/// The pull to the middle, a share of the distance: less across than down, since the picture is wider than high.
const GRAVITY: Point = [0.45, 0.65];

/// The pull of an edge, a share of its length.
const SPRING: f64 = 0.6;

/// Lays out so many nodes.
pub(super) fn lay_out(nodes: usize, edges: &[PictureEdge]) -> Vec<Point> {
    let springs: Vec<Spring> = edges.iter().filter_map(|edge| Spring::new(edge, nodes)).collect();
    let masses = masses(nodes, &springs);
    let mut points: Vec<Point> = (0..nodes).map(begin).collect();
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
    let first_step = (nodes as f64).sqrt() / 4.0;
    for round in 0..ROUNDS {
        let left = 1.0 - f64::from(round) / f64::from(ROUNDS);
        let forces = forces(&points, &masses, &springs);
        for (point, force) in points.iter_mut().zip(forces) {
            step(point, force, (first_step * left * left).max(0.01));
        }
    }
    points
}

/// An edge between two different nodes.
struct Spring {
    ends: [usize; 2],
    strength: f64,
}

impl Spring {
    fn new(edge: &PictureEdge, nodes: usize) -> Option<Self> {
        let ends = [edge.source, edge.target];
        #[expect(clippy::cast_precision_loss, reason = "only the magnitude matters")]
        let strength = (edge.count as f64).ln_1p();
        (ends[0] != ends[1] && ends.iter().all(|end| *end < nodes)).then_some(Self { ends, strength })
    }
}

/// The masses, which grow slowly with the degree.
fn masses(nodes: usize, springs: &[Spring]) -> Vec<f64> {
    let mut degrees = vec![0.0_f64; nodes];
    for end in springs.iter().flat_map(|spring| spring.ends) {
        if let Some(degree) = degrees.get_mut(end) {
            *degree += 1.0;
        }
    }
    degrees.into_iter().map(|degree| 1.0 + degree.ln_1p()).collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
fn begin(node: usize) -> Point {
    let (angle, distance) = (node as f64 * GOLDEN_ANGLE, (node as f64 + 0.5).sqrt());
    [distance * angle.cos(), distance * angle.sin()]
}

fn forces(points: &[Point], masses: &[f64], springs: &[Spring]) -> Vec<Point> {
    let mut forces: Vec<Point> = points
        .iter()
        .zip(masses)
        .map(|([x, y], mass)| [-x * GRAVITY[0] * mass, -y * GRAVITY[1] * mass])
        .collect();
    for (one, (a, mass)) in points.iter().zip(masses).enumerate() {
        let Some((force, others)) = forces.get_mut(one..).and_then(<[Point]>::split_first_mut) else {
            continue;
        };
        let later = points.iter().zip(masses).skip(one + 1);
        for (other, (b, other_mass)) in others.iter_mut().zip(later) {
            let [dx, dy] = [a[0] - b[0], a[1] - b[1]];
            let strength = mass * other_mass / (dx * dx + dy * dy).max(1e-4);
            *force = [strength.mul_add(dx, force[0]), strength.mul_add(dy, force[1])];
            *other = [strength.mul_add(-dx, other[0]), strength.mul_add(-dy, other[1])];
        }
    }
    for Spring { ends: [from, to], strength } in springs {
        let (Some(a), Some(b)) = (points.get(*from), points.get(*to)) else { continue };
        let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
        let pull = strength * SPRING;
        for (end, sign) in [(from, pull), (to, -pull)] {
            if let Some(force) = forces.get_mut(*end) {
                *force = [sign.mul_add(dx, force[0]), sign.mul_add(dy, force[1])];
            }
        }
    }
    forces
}

/// Moves a point along a force, at most so far.
fn step(point: &mut Point, [fx, fy]: Point, most: f64) {
    let length = fx.hypot(fy).max(1e-9);
    let far = length.min(most) / length;
    *point = [far.mul_add(fx, point[0]), far.mul_add(fy, point[1])];
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "a test may panic")]

    use super::*;

    fn edge(source: usize, target: usize) -> PictureEdge {
        PictureEdge { source, target, count: 1 }
    }

    fn distance(a: Point, b: Point) -> f64 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn what_is_linked_lies_closer_together() {
        let edges = [edge(0, 1), edge(1, 2), edge(2, 0), edge(3, 4), edge(4, 5), edge(5, 3)];
        let points = lay_out(6, &edges);
        assert!(distance(points[0], points[1]) < distance(points[0], points[3]));
        assert!(distance(points[4], points[5]) < distance(points[2], points[5]));
    }

    #[test]
    fn the_same_graph_gives_the_same_layout() {
        let edges = [edge(0, 1), edge(1, 2)];
        assert_eq!(lay_out(40, &edges), lay_out(40, &edges));
    }

    #[test]
    fn rings_and_unknown_ends_do_no_harm() {
        let points = lay_out(2, &[edge(0, 0), edge(0, 9)]);
        assert!(points.iter().flatten().all(|coordinate| coordinate.is_finite()));
        assert!(lay_out(0, &[]).is_empty());
    }
}
