//! Nodes where they lie on the earth: the equirectangular projection, true to scale at the middle latitude.

use maud::{Markup, html};

use super::canvas::Point;
use crate::report::PictureNode;

/// Kilometres of a degree of latitude, on a sphere of the earth's mean radius (6,371.0088 km).
const KILOMETRES: f64 = 111.195;
/// The longest line that shows the scale, in units of the picture.
const LONGEST: f64 = 160.0;

/// The nodes that have a place, in kilometres to the east and to the south; `None` if none has.
pub(super) fn project(nodes: &[PictureNode]) -> Option<Vec<Option<Point>>> {
    let place = |node: &PictureNode| {
        let [longitude, latitude] = [node.x?, node.y?];
        (longitude.abs() <= 360.0 && latitude.abs() <= 90.0).then_some([longitude, latitude])
    };
    let places: Vec<_> = nodes.iter().map(place).collect();
    let latitudes = || places.iter().flatten().map(|[_, latitude]| *latitude);
    latitudes().next()?;
    let middle = f64::midpoint(
        latitudes().fold(f64::INFINITY, f64::min),
        latitudes().fold(f64::NEG_INFINITY, f64::max),
    );
    let narrowing = middle.to_radians().cos().max(0.01);
    let point = |[longitude, latitude]: Point| [longitude * narrowing * KILOMETRES, -latitude * KILOMETRES];
    Some(places.into_iter().map(|place| place.map(point)).collect())
}

/// A line of a round number of kilometres, at the lower left; `unit` is the length of one.
pub(super) fn scale(unit: f64, height: f64) -> Markup {
    let Some(kilometres) = round_length(unit) else { return html! {} };
    let text =
        if kilometres < 1.0 { format!("{:.0} m", kilometres * 1e3) } else { format!("{kilometres} km") };
    let (length, y) = ((kilometres * unit).round(), height - 20.0);
    html! {
        path.scale d={ "M24 " (y - 5.0) "v5h" (length) "v-5" } {}
        text.t x="24" y=(y - 10.0) { (text) }
        text class="t small" x="24" y=(y - 14.0) { (text) }
    }
}

/// The greatest of 1, 2 and 5 times a power of ten that is short enough.
fn round_length(unit: f64) -> Option<f64> {
    if !unit.is_normal() {
        return None;
    }
    let most = LONGEST / unit;
    let power = 10_f64.powf(most.log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|factor| factor * power).find(|length| *length <= most)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

    use super::*;

    fn node(x: Option<f64>, y: Option<f64>) -> PictureNode {
        PictureNode { name: String::new(), title: None, label: String::new(), weight: 1.0, x, y }
    }

    #[test]
    fn a_degree_of_longitude_is_shorter_than_one_of_latitude() {
        let nodes = [node(Some(0.0), Some(59.0)), node(Some(1.0), Some(61.0))];
        let points = project(&nodes).unwrap();
        let [a, b] = [points[0].unwrap(), points[1].unwrap()];
        assert!((b[0] - a[0] - KILOMETRES / 2.0).abs() < 1e-6, "cos 60° is a half");
        assert!((a[1] - b[1] - 2.0 * KILOMETRES).abs() < 1e-9, "north is up");
    }

    #[test]
    fn a_node_without_a_place_stays_away() {
        let points = project(&[node(Some(1.0), None), node(Some(1.0), Some(2.0))]).unwrap();
        assert!(points[0].is_none() && points[1].is_some());
        assert!(project(&[node(None, None), node(Some(f64::NAN), Some(1.0))]).is_none());
    }

    #[test]
    fn the_scale_is_a_round_number() {
        assert_eq!(round_length(50.0), Some(2.0));
        assert_eq!(round_length(0.3), Some(500.0));
        assert_eq!(round_length(0.0), None);
    }
}
