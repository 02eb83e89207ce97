//! Values converted here rather than by the server, where the result is certain to be that of Cypher's function.
//!
//! Where it is not (an odd form of a number in a text, a number as text with Java's digits), there is none, and the batch goes
//! as the statement that calls the function for each row.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone as _};
use serde_json::Value;

use super::bolt::Pack;
use crate::graph::mapping::Cast;

/// A value as the server gets it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Converted<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Date(NaiveDate),
    Local(NaiveDateTime),
    Zoned(DateTime<FixedOffset>),
    /// A list or a map.
    Json(&'a Value),
}

impl Converted<'_> {
    /// Packs it; not where an integer in it does not fit 64 bits.
    pub(super) fn pack(&self, pack: &mut Pack) -> Option<()> {
        match self {
            Self::Null => pack.null(),
            Self::Boolean(truth) => pack.boolean(*truth),
            Self::Integer(integer) => pack.integer(*integer),
            Self::Float(float) => pack.float(*float),
            Self::Text(text) => pack.text(text),
            Self::Date(date) => pack.date(*date),
            Self::Local(local) => pack.local(*local),
            Self::Zoned(zoned) => pack.zoned(zoned),
            Self::Json(value) => return pack.json(value, "").ok(),
        }
        Some(())
    }
}

/// The value that Cypher's function gives. `is_utc` says whether the server reads date-times without a zone as UTC.
pub(super) fn convert(value: &Value, cast: Cast, is_utc: bool) -> Option<Converted<'_>> {
    if value.is_null() {
        return Some(Converted::Null);
    }
    match cast {
        Cast::None => as_it_is(value),
        Cast::Boolean => boolean(value).map(Converted::Boolean),
        Cast::Integer => integer(value).map(Converted::Integer),
        Cast::Float => float(value).map(Converted::Float),
        Cast::Text => text(value).map(Converted::Text),
        Cast::Datetime => {
            let (local, offset) = moment(value.as_str()?)?;
            let offset = match offset {
                Some(offset) => offset,
                None if is_utc => FixedOffset::east_opt(0)?,
                None => return None,
            };
            zoned(local, offset).map(Converted::Zoned)
        }
        Cast::LocalDatetime => match moment(value.as_str()?)? {
            (local, None) => Some(Converted::Local(local)),
            (_, Some(_)) => None,
        },
        // Without a zone it depends on the server's, and is the same in each.
        Cast::LocalOfDatetime => moment(value.as_str()?).map(|(local, _)| Converted::Local(local)),
        Cast::Date => date(value.as_str()?).map(Converted::Date),
        Cast::DateOfLocal => match moment(value.as_str()?)? {
            (local, None) => Some(Converted::Date(local.date())),
            (_, Some(_)) => None,
        },
        Cast::DateOfDatetime => moment(value.as_str()?).map(|(local, _)| Converted::Date(local.date())),
    }
}

fn as_it_is(value: &Value) -> Option<Converted<'_>> {
    Some(match value {
        Value::Null => Converted::Null,
        Value::Bool(truth) => Converted::Boolean(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => Converted::Integer(integer),
            None => Converted::Float(number.as_f64().filter(|_| !number.is_u64())?),
        },
        Value::String(text) => Converted::Text(text.into()),
        Value::Array(_) | Value::Object(_) => Converted::Json(Some(value).filter(|value| fits(value))?),
    })
}

/// Whether all integers in a value fit 64 bits.
fn fits(value: &Value) -> bool {
    match value {
        Value::Number(number) => !number.is_u64() || number.is_i64(),
        Value::Array(items) => items.iter().all(fits),
        Value::Object(object) => object.values().all(fits),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_plain =
                digits == "0" && digits.len() == text.len() || digits.starts_with(|c| matches!(c, '1'..='9'));
            // Longer ones may be beyond 64 bits.
            (is_plain && digits.len() <= 18).then(|| text.parse().ok()).flatten()
        }
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64(),
        #[expect(clippy::cast_precision_loss, reason = "so does the server, to the nearest double")]
        Value::Number(number) => number.as_i64().map(|integer| integer as f64),
        // As a float column writes what JSON has no number for.
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Number(number) => number.as_i64().map(|integer| integer.to_string().into()),
        _ => None,
    }
}

/// A wall-clock time at an offset.
fn zoned(local: NaiveDateTime, offset: FixedOffset) -> Option<DateTime<FixedOffset>> {
    offset.from_local_datetime(&local).single()
}

/// `2022-03-01T00:10:00`, with a fraction and an offset where there are: the form in which rows have it.
fn moment(text: &str) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let time = rest.strip_prefix('T')?;
    let (clock, rest) = (time.get(..8)?, time.get(8..)?);
    let end = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (fraction, zone) = (rest.get(..end)?, rest.get(end..)?);
    let nanos = match fraction.strip_prefix('.') {
        None if fraction.is_empty() => 0,
        None => return None,
        Some(digits) => {
            let length = u32::try_from(digits.len()).ok().filter(|length| (1..=9).contains(length))?;
            number(digits)? * 10_u32.pow(9 - length)
        }
    };
    let bytes = clock.as_bytes();
    if bytes.get(2) != Some(&b':') || bytes.get(5) != Some(&b':') {
        return None;
    }
    let part = |from: usize| number(clock.get(from..from + 2)?);
    let time = NaiveTime::from_hms_nano_opt(part(0)?, part(3)?, part(6)?, nanos)?;
    let offset = if zone.is_empty() { None } else { Some(offset(zone)?) };
    Some((date(day)?.and_time(time), offset))
}

/// `2022-03-01`.
fn date(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let year = i32::try_from(number(text.get(..4)?)?).ok()?;
    NaiveDate::from_ymd_opt(year, number(text.get(5..7)?)?, number(text.get(8..)?)?)
}

/// `Z`, `+05:30`.
fn offset(text: &str) -> Option<FixedOffset> {
    /// Offsets of Cypher go to 18 hours.
    const FARTHEST: u32 = 18 * 3_600;
    if text == "Z" {
        return FixedOffset::east_opt(0);
    }
    let (sign, hours, minutes) = (text.get(..1)?, text.get(1..3)?, text.get(3..)?.strip_prefix(':')?);
    let minutes = Some(minutes).filter(|minutes| minutes.len() == 2).and_then(number)?;
    let seconds = number(hours)? * 3_600 + minutes * 60;
    if minutes > 59 || seconds > FARTHEST {
        return None;
    }
    let seconds = i32::try_from(seconds).ok()?;
    FixedOffset::east_opt(if sign == "-" { -seconds } else { seconds })
}

/// Digits, and nothing else.
fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn zoned(text: &str) -> Converted<'static> {
        Converted::Zoned(DateTime::parse_from_rfc3339(text).unwrap())
    }

    fn local(text: &str) -> Converted<'static> {
        Converted::Local(text.parse().unwrap())
    }

    fn date(text: &str) -> Converted<'static> {
        Converted::Date(text.parse().unwrap())
    }

    #[test]
    fn what_is_certain_is_converted() {
        let list = json!([1, "x"]);
        for (value, cast, expected) in [
            (json!(null), Cast::Datetime, Converted::Null),
            (list.clone(), Cast::None, Converted::Json(&list)),
            (json!("true"), Cast::Boolean, Converted::Boolean(true)),
            (json!("-42"), Cast::Integer, Converted::Integer(-42)),
            (json!(42), Cast::Float, Converted::Float(42.0)),
            (json!("-Infinity"), Cast::Float, Converted::Float(f64::NEG_INFINITY)),
            (json!(7), Cast::Text, Converted::Text("7".into())),
            (json!("2022-03-01T00:10:00"), Cast::Datetime, zoned("2022-03-01T00:10:00Z")),
            (json!("2022-03-01T00:10:00.25+05:30"), Cast::Datetime, zoned("2022-03-01T00:10:00.25+05:30")),
            (json!("2022-03-01T00:10:00"), Cast::LocalDatetime, local("2022-03-01T00:10:00")),
            (json!("2022-03-01T23:10:00-05:00"), Cast::LocalOfDatetime, local("2022-03-01T23:10:00")),
            (json!("2022-03-01"), Cast::Date, date("2022-03-01")),
            (json!("2022-03-01T23:10:00"), Cast::DateOfLocal, date("2022-03-01")),
            (json!("2022-03-01T23:10:00Z"), Cast::DateOfDatetime, date("2022-03-01")),
        ] {
            assert_eq!(convert(&value, cast, true), Some(expected), "{value} {cast:?}");
        }
    }

    #[test]
    fn what_is_not_certain_is_left_to_the_server() {
        for (value, cast) in [
            (json!(u64::MAX), Cast::None),
            (json!([{ "n": u64::MAX }]), Cast::None),
            (json!("TRUE"), Cast::Boolean),
            (json!(1), Cast::Boolean),
            (json!("007"), Cast::Integer),
            (json!("-0"), Cast::Integer),
            (json!("9223372036854775808"), Cast::Integer),
            (json!(1.5), Cast::Integer),
            (json!("1.5"), Cast::Float),
            (json!(1.5), Cast::Text),
            (json!("2022-03-01"), Cast::Datetime),
            (json!("2022-3-1T00:10:00"), Cast::Datetime),
            (json!("2022-02-30T00:10:00"), Cast::Datetime),
            (json!("2022-03-01T00:10:00[Europe/Paris]"), Cast::Datetime),
            (json!("2022-03-01T24:00:00"), Cast::Datetime),
            (json!("2022-03-01T00:10:00Z"), Cast::LocalDatetime),
            (json!("2022-03-01T00:10:00Z"), Cast::DateOfLocal),
            (json!("+2022-03-01"), Cast::Date),
            (json!(5), Cast::Date),
        ] {
            assert_eq!(convert(&value, cast, true), None, "{value} {cast:?}");
        }
        let local = json!("2022-03-01T00:10:00");
        assert_eq!(convert(&local, Cast::Datetime, false), None);
    }
}
