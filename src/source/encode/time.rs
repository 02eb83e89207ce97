//! Dates and times as ISO 8601 has them, for every value that arrow can hold.

use std::io::Write;

use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::TimestampSecondType;
use datafusion::arrow::temporal_conversions::as_datetime_with_timezone;

const SECONDS_OF_MINUTE: i64 = 60;
const SECONDS_OF_HOUR: i64 = 3_600;
const SECONDS_OF_DAY: i64 = 86_400;
const NANOS_OF_SECOND: i64 = 1_000_000_000;

/// A time zone.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    Utc,
    /// A fixed offset, or a place with a history of offsets.
    Other(Tz),
}

impl Zone {
    pub fn parse(name: &str) -> Result<Self, String> {
        match name {
            "UTC" | "Z" | "+00:00" | "Etc/UTC" | "+00" | "+0000" => Ok(Self::Utc),
            other => other.parse().map(Self::Other).map_err(|_| format!("there is no time zone `{other}`")),
        }
    }

    /// By how many seconds its clocks are before UTC, at a second since 1970 in UTC.
    fn offset(&self, second: i64) -> i64 {
        match self {
            Self::Utc => 0,
            Self::Other(zone) => as_datetime_with_timezone::<TimestampSecondType>(second, *zone)
                .map_or(0, |there| (there.naive_local() - there.naive_utc()).num_seconds()),
        }
    }
}

/// Writes a date, given in days since 1970-01-01. Years outside 0 to 9999 carry a sign.
pub(super) fn date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    if !(0..=9_999).contains(&year) {
        out.push(if year < 0 { b'-' } else { b'+' });
    }
    digits(year.unsigned_abs(), 4, out);
    out.push(b'-');
    digits(month, 2, out);
    out.push(b'-');
    digits(day, 2, out);
}

/// Writes a time of day, given in units since midnight.
pub(super) fn of_day(value: i64, per_second: i64, out: &mut Vec<u8>) {
    let second = value.div_euclid(per_second).rem_euclid(SECONDS_OF_DAY);
    let hour = second / SECONDS_OF_HOUR;
    let minute = second / SECONDS_OF_MINUTE % 60;
    for (place, part) in [hour, minute, second % 60].into_iter().enumerate() {
        if place > 0 {
            out.push(b':');
        }
        digits(part.unsigned_abs(), 2, out);
    }
    fraction(value.rem_euclid(per_second) * (NANOS_OF_SECOND / per_second), out);
}

/// Writes a date-time, given in units since 1970 in UTC: with its offset in a zone, local without one.
pub(super) fn date_time(value: i64, per_second: i64, zone: Option<&Zone>, out: &mut Vec<u8>) {
    let second = value.div_euclid(per_second);
    let offset = zone.map_or(0, |zone| zone.offset(second));
    let there = second + offset;
    date(there.div_euclid(SECONDS_OF_DAY), out);
    out.push(b'T');
    let within_day = there.rem_euclid(SECONDS_OF_DAY) * per_second + value.rem_euclid(per_second);
    of_day(within_day, per_second, out);
    match zone {
        None => {}
        Some(Zone::Utc) => out.push(b'Z'),
        Some(Zone::Other(_)) => {
            out.push(if offset < 0 { b'-' } else { b'+' });
            let offset = offset.unsigned_abs();
            digits(offset / 3_600, 2, out);
            out.push(b':');
            digits(offset / 60 % 60, 2, out);
            if !offset.is_multiple_of(60) {
                out.push(b':');
                digits(offset % 60, 2, out);
            }
        }
    }
}

/// Writes a duration: months, days and a number of units.
pub(super) fn interval(months: i64, days: i64, value: i64, per_second: i64, out: &mut Vec<u8>) {
    out.push(b'P');
    for (amount, unit) in [(months, 'M'), (days, 'D')] {
        if amount != 0 {
            // Writing to memory cannot fail.
            let _ = write!(out, "{amount}{unit}");
        }
    }
    if value != 0 || (months == 0 && days == 0) {
        out.push(b'T');
        if value < 0 {
            out.push(b'-');
        }
        let _ = write!(out, "{}", value.unsigned_abs() / per_second.unsigned_abs());
        fraction(value % per_second * (NANOS_OF_SECOND / per_second), out);
        out.push(b'S');
    }
}

/// Writes a part of a second in 3, 6 or 9 digits; nothing where it is zero.
fn fraction(nanos: i64, out: &mut Vec<u8>) {
    let nanos = nanos.unsigned_abs();
    if nanos == 0 {
        return;
    }
    out.push(b'.');
    if nanos.is_multiple_of(1_000_000) {
        digits(nanos / 1_000_000, 3, out);
    } else if nanos.is_multiple_of(1_000) {
        digits(nanos / 1_000, 6, out);
    } else {
        digits(nanos, 9, out);
    }
}

/// Writes a number in at least so many digits.
fn digits(number: u64, width: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut begin = buffer.len();
    let mut rest = number;
    for place in buffer.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        // A digit is less than 10.
        *place = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        begin -= 1;
    }
    let begin = begin.min(buffer.len() - width);
    out.extend_from_slice(buffer.get(begin..).unwrap_or_default());
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar reaching back. The formula is Howard Hinnant's
/// `civil_from_days` (<https://howardhinnant.github.io/date_algorithms.html>).
fn civil(days: i64) -> (i64, u64, u64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month.unsigned_abs(), day.unsigned_abs())
}
