//! Values in `PackStream`, the form in which Bolt carries them: <https://neo4j.com/docs/bolt/current/packstream/>.

use chrono::{DateTime, Datelike as _, FixedOffset, NaiveDate, NaiveDateTime};
use serde_json::Value;

use crate::graph::GraphError;

/// Values, one behind the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Pack(Vec<u8>);

impl Pack {
    pub(in super::super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(in super::super) fn null(&mut self) {
        self.0.push(0xc0);
    }

    pub(in super::super) fn boolean(&mut self, truth: bool) {
        self.0.push(if truth { 0xc3 } else { 0xc2 });
    }

    /// An integer, in as few bytes as hold it.
    pub(in super::super) fn integer(&mut self, integer: i64) {
        if let Ok(tiny) = i8::try_from(integer) {
            if tiny < -16 {
                self.0.push(0xc8);
            }
            self.0.push(tiny.cast_unsigned());
        } else if let Ok(short) = i16::try_from(integer) {
            self.marked(0xc9, &short.to_be_bytes());
        } else if let Ok(middle) = i32::try_from(integer) {
            self.marked(0xca, &middle.to_be_bytes());
        } else {
            self.marked(0xcb, &integer.to_be_bytes());
        }
    }

    /// A count, an offset or an id. `place` names it in the error.
    pub(in super::super) fn count(&mut self, number: u64, place: &str) -> Result<(), GraphError> {
        self.integer(i64::try_from(number).map_err(|_| too_large(place, number))?);
        Ok(())
    }

    pub(in super::super) fn float(&mut self, float: f64) {
        self.marked(0xc1, &float.to_be_bytes());
    }

    pub(in super::super) fn text(&mut self, text: &str) {
        self.sized(text.len(), 0x80, [0xd0, 0xd1, 0xd2]);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The beginning of a list; its items follow.
    pub(in super::super) fn list(&mut self, items: usize) {
        self.sized(items, 0x90, [0xd4, 0xd5, 0xd6]);
    }

    /// The beginning of a map; a text and a value follow for each entry.
    pub(in super::super) fn map(&mut self, entries: usize) {
        self.sized(entries, 0xa0, [0xd8, 0xd9, 0xda]);
    }

    /// Days since 1970.
    pub(in super::super) fn date(&mut self, date: NaiveDate) {
        const OF_1970: i32 = 719_163;
        self.structure(b'D', 1);
        self.integer((date.num_days_from_ce() - OF_1970).into());
    }

    /// The seconds of the wall clock since 1970, and nanoseconds.
    pub(in super::super) fn local(&mut self, local: NaiveDateTime) {
        self.structure(b'd', 2);
        self.clock(local);
    }

    /// The same, and how far the clock is ahead of UTC, in seconds: the form until Bolt 4.4.
    pub(in super::super) fn zoned(&mut self, zoned: &DateTime<FixedOffset>) {
        self.structure(b'F', 3);
        self.clock(zoned.naive_local());
        self.integer(zoned.offset().local_minus_utc().into());
    }

    /// A JSON value, exactly: integers stay integers, and one that does not fit 64 bits is refused rather than rounded. `place`
    /// names it in the error.
    pub(in super::super) fn json(&mut self, value: &Value, place: &str) -> Result<(), GraphError> {
        match value {
            Value::Null => self.null(),
            Value::Bool(truth) => self.boolean(*truth),
            Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => self.integer(integer),
                (None, Some(integer)) => return Err(too_large(place, integer)),
                (None, None) => self.float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                self.list(items.len());
                for item in items {
                    self.json(item, place)?;
                }
            }
            Value::Object(object) => {
                self.entries(object.len(), object.iter().map(|(key, value)| (key.as_str(), value)))?;
            }
        }
        Ok(())
    }

    /// A map of JSON values.
    pub(in super::super) fn entries<'a>(
        &mut self,
        count: usize,
        entries: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> Result<(), GraphError> {
        self.map(count);
        for (key, value) in entries {
            self.text(key);
            self.json(value, key)?;
        }
        Ok(())
    }

    /// The beginning of a structure; its fields follow.
    pub(super) fn structure(&mut self, tag: u8, fields: u8) {
        self.0.extend_from_slice(&[0xb0 | fields, tag]);
    }

    fn clock(&mut self, local: NaiveDateTime) {
        let since_1970 = local.and_utc();
        self.integer(since_1970.timestamp());
        self.integer(since_1970.timestamp_subsec_nanos().into());
    }

    fn marked(&mut self, marker: u8, bytes: &[u8]) {
        self.0.push(marker);
        self.0.extend_from_slice(bytes);
    }

    /// A length: with the marker where it is below 16, else behind one for 8, 16 or 32 bits.
    fn sized(&mut self, length: usize, tiny: u8, markers: [u8; 3]) {
        let [one, two, four] = markers;
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ 0..16), _) => self.0.push(tiny | length),
            (Ok(length), _) => self.0.extend_from_slice(&[one, length]),
            (_, Ok(length)) => self.marked(two, &length.to_be_bytes()),
            // What is longer than 4 GiB would not have fitted into a record of Kafka, nor so many rows into a batch.
            _ => self.marked(four, &u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()),
        }
    }
}

fn too_large(place: &str, value: u64) -> GraphError {
    GraphError::IntegerTooLarge { place: place.to_owned(), value: value.to_string() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::unpack::unpack;
    use super::*;

    fn packed(pack: impl FnOnce(&mut Pack)) -> Vec<u8> {
        let mut packed = Pack::default();
        pack(&mut packed);
        packed.0
    }

    /// The examples of the specification.
    #[test]
    fn values_are_packed_as_the_specification_has_them() {
        assert_eq!(packed(Pack::null), [0xc0]);
        assert_eq!(packed(|pack| pack.boolean(true)), [0xc3]);
        assert_eq!(packed(|pack| pack.integer(1)), [0x01]);
        assert_eq!(packed(|pack| pack.integer(-16)), [0xf0]);
        assert_eq!(packed(|pack| pack.integer(-17)), [0xc8, 0xef]);
        assert_eq!(packed(|pack| pack.integer(1_234)), [0xc9, 0x04, 0xd2]);
        assert_eq!(packed(|pack| pack.integer(70_000)), [0xca, 0x00, 0x01, 0x11, 0x70]);
        assert_eq!(packed(|pack| pack.integer(i64::MIN)), [0xcb, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        let float = [0xc1, 0x3f, 0xf1, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a];
        assert_eq!(packed(|pack| pack.float(1.1)), float);
        assert_eq!(packed(|pack| pack.text("A")), [0x81, 0x41]);
        assert_eq!(packed(|pack| pack.text(&"x".repeat(16)))[..3], [0xd0, 16, b'x']);
        assert_eq!(packed(|pack| pack.list(70_000)), [0xd6, 0x00, 0x01, 0x11, 0x70]);
        assert_eq!(packed(|pack| pack.map(300)), [0xd9, 0x01, 0x2c]);
    }

    #[test]
    fn times_are_counted_from_1970_by_the_wall_clock() {
        let zoned = DateTime::parse_from_rfc3339("1970-01-01T02:00:01.5+01:00").unwrap();
        let nanos = [0xca, 0x1d, 0xcd, 0x65, 0x00];
        let expected = [&[0xb3, b'F', 0xc9, 0x1c, 0x21], nanos.as_slice(), &[0xc9, 0x0e, 0x10]].concat();
        assert_eq!(packed(|pack| pack.zoned(&zoned)), expected);
        assert_eq!(packed(|pack| pack.local(zoned.naive_local()))[..5], [0xb2, b'd', 0xc9, 0x1c, 0x21]);
        assert_eq!(packed(|pack| pack.date("1969-12-31".parse().unwrap())), [0xb1, b'D', 0xff]);
    }

    #[test]
    fn an_integer_beyond_64_bits_is_refused_and_named() {
        let error = Pack::default().json(&json!({ "big": [u64::MAX] }), "event").unwrap_err();
        assert_eq!(error.to_string(), "`big` is 18446744073709551615, beyond the range of a 64-bit integer");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-300_i64..300).prop_map(Value::from),
            any::<f64>()
                .prop_filter("JSON has no number for it", |float| float.is_finite())
                .prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 64, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::btree_map(".{0,20}", inner, 0..20)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn json_comes_back_as_it_was_packed(value in any_json()) {
            let mut pack = Pack::default();
            pack.json(&value, "value").unwrap();
            prop_assert_eq!(unpack(&mut pack.bytes()), Some(value));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = unpack(&mut bytes.as_slice());
        }
    }
}
