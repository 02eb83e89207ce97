use super::super::lay_out;
use super::*;
use crate::report::fixtures;

fn rect(label: &Placed, size: f64) -> Rect {
    #[expect(clippy::cast_precision_loss, reason = "a label is short")]
    let width = label.text.width() as f64 * size * 0.56;
    let left = match label.anchor {
        "start" => label.x,
        "end" => label.x - width,
        _ => label.x - width / 2.0,
    };
    let bottom = label.baseline + size * 0.28;
    Rect([left + 0.1, bottom - size * 1.2 + 0.1, left + width - 0.1, bottom - 0.1])
}

#[test]
fn labels_overlap_neither_each_other_nor_a_dot() {
    for report in [fixtures::bronx(), fixtures::large(), fixtures::hostile()] {
        let Some(picture) = report.picture else { continue };
        let Some((canvas, _)) = lay_out(&picture) else { continue };
        for set in SETS {
            let labels = place(&picture, &canvas, set);
            assert!(labels.len() > 2, "there is room for a few");
            for (index, label) in labels.iter().enumerate() {
                let rect_of = rect(label, set.size);
                assert!(rect_of.is_inside(canvas.height), "{}", label.text);
                assert!(!labels.iter().take(index).any(|other| rect(other, set.size).overlaps(rect_of)));
                assert!(!canvas.dots.iter().flatten().any(|dot| Rect::around(*dot).overlaps(rect_of)));
            }
        }
    }
}
