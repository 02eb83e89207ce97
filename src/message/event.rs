//! The value of a message, read: what a mapping knows as `event`.

use std::fmt;
use std::sync::{Arc, LazyLock};

use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// Up to how many columns one is found by looking through them: hashing its name takes longer.
const FEW: usize = 16;

/// A row, its columns in order. Rows that were read one after the other share the names of their columns.
#[derive(Debug, Clone)]
pub struct Event {
    names: Arc<IndexSet<String>>,
    values: Vec<Value>,
}

impl Event {
    /// The value of a column; none where the row does not have it.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&Value> {
        let place = if self.names.len() <= FEW {
            self.names.iter().position(|name| name == column)
        } else {
            self.names.get_index_of(column)
        };
        self.values.get(place?)
    }

    /// How many columns it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The columns with their values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.names.iter().map(String::as_str).zip(&self.values)
    }
}

impl Default for Event {
    /// A row without columns. It stands where a row was taken from, so it costs nothing.
    fn default() -> Self {
        static NONE: LazyLock<Arc<IndexSet<String>>> = LazyLock::new(Arc::default);
        Self { names: Arc::clone(&NONE), values: Vec::new() }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl FromIterator<(String, Value)> for Event {
    /// Of two values of a column, the later one counts.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(columns: I) -> Self {
        let (names, values) = columns.into_iter().collect::<IndexMap<_, _>>().into_iter().unzip();
        Self { names: Arc::new(names), values }
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(object: D) -> Result<Self, D::Error> {
        object.deserialize_map(Columns(&mut EventReader::default()))
    }
}

impl From<&Event> for Value {
    fn from(event: &Event) -> Self {
        let columns = event.iter().map(|(name, value)| (name.to_owned(), value.clone()));
        Self::Object(columns.collect())
    }
}

/// Reads events. The names of a row's columns are compared with those of the row before it, which they are nearly always; only where
/// they are others are they kept anew.
#[derive(Debug, Default)]
pub struct EventReader {
    names: Arc<IndexSet<String>>,
}

impl EventReader {
    /// Reads a JSON object.
    ///
    /// # Errors
    /// Where it is no JSON; [data errors](serde_json::Error::is_data) where it is no object.
    pub fn read(&mut self, json: &[u8]) -> Result<Event, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let event = reader.deserialize_map(Columns(self))?;
        reader.end()?;
        Ok(event)
    }
}

/// Reads the columns of an event.
struct Columns<'a>(&'a mut EventReader);

impl<'de> Visitor<'de> for Columns<'_> {
    type Value = Event;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut columns: A) -> Result<Event, A::Error> {
        let names = Arc::clone(&self.0.names);
        let mut values = Vec::with_capacity(names.len());
        let other = loop {
            match columns.next_key_seed(Expected(names.get_index(values.len())))? {
                Some(Name::AsExpected) => values.push(columns.next_value()?),
                Some(Name::Other(name)) => break Some(name),
                None if values.len() < names.len() => break None,
                None => return Ok(Event { names, values }),
            }
        };
        let mut all: Vec<(String, Value)> = names.iter().cloned().zip(values).collect();
        if let Some(name) = other {
            all.push((name, columns.next_value()?));
        }
        while let Some(column) = columns.next_entry()? {
            all.push(column);
        }
        let event: Event = all.into_iter().collect();
        self.0.names = Arc::clone(&event.names);
        Ok(event)
    }
}

/// The name that a column is expected to have.
struct Expected<'a>(Option<&'a String>);

/// The name that it has.
enum Name {
    AsExpected,
    Other(String),
}

impl<'de> DeserializeSeed<'de> for Expected<'_> {
    type Value = Name;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Name, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Expected<'_> {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a column")
    }

    fn visit_str<E>(self, name: &str) -> Result<Name, E> {
        let is_expected = self.0.is_some_and(|expected| expected == name);
        Ok(if is_expected { Name::AsExpected } else { Name::Other(name.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;

    fn value(json: &str) -> Value {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn rows_of_any_columns_are_read_as_json_objects_whatever_came_before() {
        let rows = [
            r#"{"a":1,"b":"x"}"#,
            r#"{"a":2,"b":null}"#,
            r#"{"b":3,"a":[{"c":1.5}]}"#,
            r#"{"b":3}"#,
            "{}",
            r#"{"b":3,"a":1,"c":true}"#,
            r#"{"b":3,"\u0061":1,"c":true}"#,
            r#"{"b":1,"b":2}"#,
            r#"{"b":1,"b":2,"c":3}"#,
        ];
        let mut reader = EventReader::default();
        for row in rows.iter().chain(rows.iter().rev()) {
            let event = reader.read(row.as_bytes()).unwrap();
            assert_eq!(Value::from(&event).to_string(), value(row).to_string());
            assert_eq!(event.get("b"), value(row).get("b"), "{row}");
            assert_eq!(event.get("z"), None);
        }
    }

    #[test]
    fn rows_of_the_same_columns_share_their_names() {
        let mut reader = EventReader::default();
        let mut read = |json: &str| reader.read(json.as_bytes()).unwrap().names;
        assert!(Arc::ptr_eq(&read(r#"{"a":1,"b":2}"#), &read(r#"{"a":3,"b":4}"#)));
    }

    #[test]
    fn what_is_no_object_is_told_from_what_is_no_json() {
        let read = |json: &str| EventReader::default().read(json.as_bytes()).unwrap_err();
        for no_object in ["1", "[]", "\"{}\"", "null"] {
            assert!(read(no_object).is_data(), "{no_object}");
        }
        for no_json in ["", "{", r#"{"a"}"#, r#"{"a":1} 2"#, "{\"a\":\u{1}}", r#"{"a":1e999}"#] {
            assert!(!read(no_json).is_data(), "{no_json}");
        }
    }

    proptest! {
        #[test]
        fn events_are_what_serde_json_reads(rows in prop::collection::vec(prop::collection::vec(("[ab\"é]{0,2}", any::<i64>()), 0..20), 1..8)) {
            let mut reader = EventReader::default();
            for row in rows {
                let columns = row.iter().map(|(name, number)| format!("{}:{number}", Value::from(name.as_str())));
                let json = format!("{{{}}}", columns.collect::<Vec<_>>().join(","));
                let event = reader.read(json.as_bytes()).unwrap();
                let object = value(&json);
                for (name, _) in &row {
                    prop_assert_eq!(event.get(name), object.get(name));
                }
                prop_assert_eq!(Value::from(&event), object);
            }
        }
    }
}
