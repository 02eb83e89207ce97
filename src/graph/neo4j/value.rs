//! Values between JSON and Bolt.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _};
use neo4rs::{BoltList, BoltMap, BoltNull, BoltType};
use serde_json::{Map, Value, json};

use crate::graph::GraphError;

/// A JSON value for the server, exactly: integers stay integers, and one that does not fit 64 bits is refused rather than
/// rounded. `place` names it in the error.
pub(super) fn to_bolt(value: &Value, place: &str) -> Result<BoltType, GraphError> {
    Ok(match value {
        Value::Null => BoltType::Null(BoltNull),
        Value::Bool(truth) => BoltType::from(*truth),
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                BoltType::from(integer)
            } else if number.is_u64() {
                return Err(GraphError::IntegerTooLarge {
                    place: place.to_owned(),
                    value: number.to_string(),
                });
            } else {
                BoltType::from(number.as_f64().unwrap_or(f64::NAN))
            }
        }
        Value::String(text) => BoltType::from(text.as_str()),
        Value::Array(items) => {
            let items = items.iter().map(|item| to_bolt(item, place)).collect::<Result<Vec<_>, _>>()?;
            BoltType::List(BoltList { value: items })
        }
        Value::Object(object) => BoltType::Map(to_map(object)?),
    })
}

/// The entries of a JSON object for the server.
pub(super) fn to_map<'a>(
    entries: impl IntoIterator<Item = (impl AsRef<str>, &'a Value)>,
) -> Result<BoltMap, GraphError> {
    let entries = entries.into_iter();
    let mut map = BoltMap::with_capacity(entries.size_hint().0);
    for (key, value) in entries {
        let key = key.as_ref();
        map.put(key.into(), to_bolt(value, key)?);
    }
    Ok(map)
}

/// A list, without looking at its items.
pub(super) fn list(items: Vec<BoltType>) -> BoltType {
    BoltType::List(BoltList { value: items })
}

/// A count, an offset or an id, as the server has them.
pub(super) fn integer(number: u64, place: &str) -> Result<BoltType, GraphError> {
    i64::try_from(number)
        .map(BoltType::from)
        .map_err(|_| GraphError::IntegerTooLarge { place: place.to_owned(), value: number.to_string() })
}

/// A value of the server as JSON. Dates, times and durations become the text that Cypher's `toString` gives, bytes become
/// base64, NaN and the infinities null.
pub(super) fn to_json(value: &BoltType) -> Value {
    match value {
        BoltType::Null(_) => Value::Null,
        BoltType::Boolean(truth) => truth.value.into(),
        BoltType::Integer(integer) => integer.value.into(),
        BoltType::Float(float) => float.value.into(),
        BoltType::String(text) => text.value.as_str().into(),
        BoltType::Bytes(bytes) => STANDARD.encode(&bytes.value).into(),
        BoltType::List(items) => Value::Array(items.iter().map(to_json).collect()),
        BoltType::Map(map) => Value::Object(object(map)),
        BoltType::Node(node) => {
            json!({ "labels": array(&node.labels), "properties": object(&node.properties) })
        }
        BoltType::Relation(relationship) => {
            json!({ "type": relationship.typ.value, "properties": object(&relationship.properties) })
        }
        BoltType::UnboundedRelation(relationship) => {
            json!({ "type": relationship.typ.value, "properties": object(&relationship.properties) })
        }
        BoltType::Path(path) => {
            json!({ "nodes": array(&path.nodes), "relationships": array(&path.rels) })
        }
        BoltType::Point2D(point) => {
            json!({ "srid": point.sr_id.value, "x": point.x.value, "y": point.y.value })
        }
        BoltType::Point3D(point) => {
            json!({ "srid": point.sr_id.value, "x": point.x.value, "y": point.y.value, "z": point.z.value })
        }
        temporal => text_of(temporal).map_or(Value::Null, Value::String),
    }
}

fn array(list: &BoltList) -> Value {
    Value::Array(list.iter().map(to_json).collect())
}

/// A map as a JSON object, its keys in order: the driver does not keep the server's.
fn object(map: &BoltMap) -> Map<String, Value> {
    let mut entries: Vec<(String, Value)> =
        map.value.iter().map(|(key, value)| (key.value.clone(), to_json(value))).collect();
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    entries.into_iter().collect()
}

/// A date, time or duration as text; none where it is beyond what can be computed with (years over 262,000).
fn text_of(value: &BoltType) -> Option<String> {
    match value {
        BoltType::Date(date) => NaiveDate::try_from(date).ok().map(|date| date.to_string()),
        BoltType::LocalTime(time) => Some(clock_text(NaiveTime::from(time))),
        BoltType::Time(time) => {
            let (time, offset): (NaiveTime, FixedOffset) = time.into();
            Some(clock_text(time) + &offset_text(offset))
        }
        BoltType::LocalDateTime(local) => NaiveDateTime::try_from(local).ok().map(local_text),
        BoltType::DateTime(zoned) => {
            DateTime::<FixedOffset>::try_from(zoned).ok().map(|zoned| zoned_text(&zoned))
        }
        BoltType::DateTimeZoneId(zoned) => DateTime::<FixedOffset>::try_from(zoned)
            .ok()
            .map(|there| format!("{}[{}]", zoned_text(&there), zoned.tz_id())),
        BoltType::Duration(_) => duration_parts(value).map(duration_text),
        _ => None,
    }
}

fn zoned_text(zoned: &DateTime<FixedOffset>) -> String {
    local_text(zoned.naive_local()) + &offset_text(*zoned.offset())
}

fn local_text(local: NaiveDateTime) -> String {
    format!("{}T{}", local.date(), clock_text(local.time()))
}

/// A time as Cypher writes it: without its seconds where they are zero, and a fraction in groups of three digits.
fn clock_text(time: NaiveTime) -> String {
    let is_whole = time.second() == 0 && time.nanosecond() == 0;
    if is_whole { time.format("%H:%M").to_string() } else { format!("{time:?}") }
}

fn offset_text(offset: FixedOffset) -> String {
    if offset.local_minus_utc() == 0 { "Z".to_owned() } else { offset.to_string() }
}

/// Months, days, seconds and nanoseconds. The driver gives them as a tuple only.
fn duration_parts(duration: &BoltType) -> Option<(i64, i64, i64, i64)> {
    const KEY: &str = "duration";
    let mut map = BoltMap::with_capacity(1);
    map.put(KEY.into(), duration.clone());
    map.get(KEY).ok()
}

/// A duration as `P1Y2M3DT4H5M6.5S`.
fn duration_text((months, days, seconds, nanos): (i64, i64, i64, i64)) -> String {
    let unit = |amount: i64, unit: char| if amount == 0 { String::new() } else { format!("{amount}{unit}") };
    let date = [unit(months / 12, 'Y'), unit(months % 12, 'M'), unit(days, 'D')].concat();
    // The nanoseconds are never negative: -0.5 s comes as -1 s and 500,000,000 ns.
    let (whole, fraction) =
        if seconds < 0 && nanos > 0 { (seconds + 1, 1_000_000_000 - nanos) } else { (seconds, nanos) };
    let sign = if seconds < 0 && whole % 60 == 0 && fraction > 0 { "-" } else { "" };
    let second = match (whole % 60, fraction) {
        (0, 0) => String::new(),
        (second, 0) => format!("{second}S"),
        (second, fraction) => format!("{sign}{second}.{}S", format!("{fraction:09}").trim_end_matches('0')),
    };
    let time = [unit(whole / 3_600, 'H'), unit(whole / 60 % 60, 'M'), second].concat();
    match (date.is_empty(), time.is_empty()) {
        (true, true) => "PT0S".to_owned(),
        (_, true) => format!("P{date}"),
        _ => format!("P{date}T{time}"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn json_goes_to_the_server_and_back_as_it_is() {
        let value = json!({ "a": [1, -2.5, "x", null, true, { "b": i64::MIN }], "c": 1.0 });
        assert_eq!(to_json(&to_bolt(&value, "value").unwrap()), value);
    }

    #[test]
    fn an_integer_beyond_64_bits_is_refused_and_named() {
        let error = to_bolt(&json!({ "big": [u64::MAX] }), "event").unwrap_err();
        assert_eq!(error.to_string(), "`big` is 18446744073709551615, beyond the range of a 64-bit integer");
    }

    #[test]
    fn temporal_values_are_written_as_cypher_writes_them() {
        let zoned = |text: &str| to_json(&BoltType::from(DateTime::parse_from_rfc3339(text).unwrap()));
        assert_eq!(zoned("2022-03-01T00:10:00Z"), "2022-03-01T00:10Z");
        assert_eq!(zoned("2022-03-01T00:10:00.5+05:30"), "2022-03-01T00:10:00.500+05:30");
        let local: NaiveDateTime = "2022-03-01T00:10:00".parse().unwrap();
        assert_eq!(to_json(&BoltType::from(local)), "2022-03-01T00:10");
        assert_eq!(to_json(&BoltType::from((local, "Europe/Paris"))), "2022-03-01T00:10+01:00[Europe/Paris]");
        assert_eq!(to_json(&BoltType::from(local.date())), "2022-03-01");
        assert_eq!(to_json(&BoltType::from(local.time())), "00:10");
    }

    #[test]
    fn durations_are_written_as_cypher_writes_them() {
        for (parts, text) in [
            ((0, 0, 0, 0), "PT0S"),
            ((14, 3, 14_706, 500_000_000), "P1Y2M3DT4H5M6.5S"),
            ((0, 0, -1, 500_000_000), "PT-0.5S"),
            ((0, -1, 0, 0), "P-1D"),
            ((0, 0, -61, 0), "PT-1M-1S"),
        ] {
            let (months, days, seconds, nanos) = parts;
            let duration = neo4rs::BoltDuration::new(
                i64::into(months),
                i64::into(days),
                i64::into(seconds),
                i64::into(nanos),
            );
            assert_eq!(to_json(&BoltType::Duration(duration)), text);
        }
    }
}
