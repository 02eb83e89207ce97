//! How numbers are written for people; `report.json` has every digit.

/// Digits of a column's greatest number that are shown.
const SIGNIFICANT: usize = 7;
/// From here on a number is written with an exponent.
const LARGE: f64 = 1e15;

/// A count with its thousands apart: `16,036`.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A time: `0 ms`, `21 ms`, `2.84 s`, `1 min 21 s`, `2 h 05 min`.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float beyond u64 saturates"
    )]
    let whole = seconds.round() as u64;
    match seconds {
        s if s < 0.9995 => format!("{:.0} ms", (s * 1e3).max(0.0)),
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        _ if whole < 3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// A rate: `44,420 rows/s`.
pub(super) fn rate(per_second: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float beyond u64 saturates"
    )]
    let whole = per_second.round() as u64;
    format!("{} rows/s", grouped(whole))
}

/// The places after the point that a column of numbers is written with, so that points stand below each other: as many
/// as its greatest number needs for seven digits, and no more than any of them has.
pub(super) fn places(column: impl Iterator<Item = f64> + Clone) -> usize {
    let greatest = column.clone().map(f64::abs).filter(|x| *x < LARGE).fold(0.0, f64::max);
    let before = format!("{greatest:.0}").len();
    let most = SIGNIFICANT.saturating_sub(before).max(1);
    column.map(|x| own_places(x, most)).max().unwrap_or(0)
}

/// A number with so many places; with an exponent where these would show nothing of it, or it is very large.
pub(super) fn with_places(number: f64, places: usize) -> String {
    let magnitude = number.abs();
    let exponent = i32::try_from(places).unwrap_or(i32::MAX);
    if magnitude >= LARGE || (magnitude > 0.0 && magnitude < 0.5 * 0.1_f64.powi(exponent)) {
        return format!("{number:.3e}");
    }
    format!("{number:.places$}")
}

/// How many places, up to `most`, the shortest decimal form of a number has.
fn own_places(number: f64, most: usize) -> usize {
    let text = number.to_string();
    text.split_once('.').map_or(0, |(_, after)| after.len()).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let written: Vec<_> = [0, 999, 1_000, 16_036, 3_627_882, u64::MAX].into_iter().map(grouped).collect();
        assert_eq!(written, ["0", "999", "1,000", "16,036", "3,627,882", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn a_time_has_the_unit_that_fits() {
        let written: Vec<_> =
            [0.0, 0.0214, 0.9994, 0.9996, 2.841, 12.34, 81.3, 7499.0].into_iter().map(duration).collect();
        assert_eq!(
            written,
            ["0 ms", "21 ms", "999 ms", "1.00 s", "2.84 s", "12.3 s", "1 min 21 s", "2 h 04 min"]
        );
    }

    fn column(numbers: &[f64]) -> Vec<String> {
        let places = places(numbers.iter().copied());
        numbers.iter().map(|number| with_places(*number, places)).collect()
    }

    #[test]
    fn a_column_of_scores_has_as_many_places_in_each_row() {
        assert_eq!(column(&[3.228_248_647_841_576, 0.182_473_211_639_509]), ["3.228249", "0.182473"]);
        assert_eq!(column(&[59918.99, 0.12]), ["59918.99", "0.12"]);
    }

    #[test]
    fn no_more_places_than_there_are() {
        assert_eq!(column(&[-4.5, 3.0]), ["-4.5", "3.0"]);
        assert_eq!(column(&[4.0, 3.0]), ["4", "3"]);
    }

    #[test]
    fn numbers_out_of_scale_have_an_exponent() {
        assert_eq!(column(&[1e300, 2.25, 1.5e-9, 0.0]), ["1.000e300", "2.250000", "1.500e-9", "0.000000"]);
    }

    #[test]
    fn an_empty_column_has_no_places() {
        assert_eq!(places(std::iter::empty()), 0);
    }
}
