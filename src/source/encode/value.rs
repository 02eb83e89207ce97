//! Values of arrow arrays as JSON, written straight to bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::timezone::Tz;
use datafusion::arrow::array::types::{
    ArrowPrimitiveType, ByteArrayType, ByteViewType, Date32Type, Date64Type, Decimal32Type, Decimal64Type,
    Decimal128Type, Decimal256Type, DecimalType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalYearMonthType,
    Time32MillisecondType, Time32SecondType, Time64MicrosecondType, Time64NanosecondType,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::arrow::array::{
    Array, GenericByteArray, GenericByteViewArray, GenericListArray, GenericListViewArray, OffsetSizeTrait,
    PrimitiveArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use serde::Serialize;

use super::time::{self, Zone};

/// Writes the value of a row that is not null.
type WriteValue<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

/// Writes the values of one array.
pub(super) struct Writer<'a> {
    nulls: Option<&'a NullBuffer>,
    value: WriteValue<'a>,
}

impl Writer<'_> {
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.nulls.is_some_and(|nulls| nulls.is_null(row)) {
            out.extend_from_slice(b"null");
        } else {
            (self.value)(row, out);
        }
    }
}

/// Whether a type has a form in JSON.
pub(in crate::source) fn is_encodable(data_type: &DataType) -> bool {
    match data_type {
        DataType::Union(_, _) | DataType::RunEndEncoded(_, _) => false,
        DataType::Timestamp(_, Some(zone)) => zone.parse::<Tz>().is_ok(),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item)
        | DataType::Map(item, _) => is_encodable(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| is_encodable(field.data_type())),
        DataType::Dictionary(_, value) => is_encodable(value),
        _ => true,
    }
}

/// What stands before each value of an object: `{"name":` or `,"name":`.
pub(super) fn prefixes<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Vec<u8>> {
    names
        .enumerate()
        .map(|(place, name)| {
            let mut prefix = vec![if place == 0 { b'{' } else { b',' }];
            json(&name, &mut prefix);
            prefix.push(b':');
            prefix
        })
        .collect()
}

/// A writer for an array; none where its type has no form in JSON.
pub(super) fn writer(array: &dyn Array) -> Option<Writer<'_>> {
    let value: WriteValue<'_> = match array.data_type() {
        DataType::Null => Box::new(|_, out| out.extend_from_slice(b"null")),
        DataType::Boolean => {
            let values = array.as_boolean_opt()?.values();
            Box::new(move |row, out| json(&values.value(row), out))
        }
        DataType::Int8 => number::<Int8Type>(array)?,
        DataType::Int16 => number::<Int16Type>(array)?,
        DataType::Int32 => number::<Int32Type>(array)?,
        DataType::Int64 => number::<Int64Type>(array)?,
        DataType::UInt8 => number::<UInt8Type>(array)?,
        DataType::UInt16 => number::<UInt16Type>(array)?,
        DataType::UInt32 => number::<UInt32Type>(array)?,
        DataType::UInt64 => number::<UInt64Type>(array)?,
        DataType::Float16 => primitive::<Float16Type>(array, |value, out| float32(value.to_f32(), out))?,
        DataType::Float32 => primitive::<Float32Type>(array, float32)?,
        DataType::Float64 => primitive::<Float64Type>(array, float64)?,
        DataType::Decimal32(_, _) => decimal::<Decimal32Type>(array)?,
        DataType::Decimal64(_, _) => decimal::<Decimal64Type>(array)?,
        DataType::Decimal128(_, _) => decimal::<Decimal128Type>(array)?,
        DataType::Decimal256(_, _) => decimal::<Decimal256Type>(array)?,
        DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(_, _)
        | DataType::Duration(_)
        | DataType::Interval(_) => temporal(array)?,
        DataType::Dictionary(_, _) => dictionary(array)?,
        _ => varied(array)?,
    };
    Some(Writer { nulls: array.nulls(), value })
}

/// Texts, binaries and what is made of other values.
fn varied(array: &dyn Array) -> Option<WriteValue<'_>> {
    Some(match array.data_type() {
        DataType::Utf8 => text(array.as_string_opt::<i32>()?),
        DataType::LargeUtf8 => text(array.as_string_opt::<i64>()?),
        DataType::Utf8View => text_view(array.as_string_view_opt()?),
        DataType::Binary => bytes(array.as_binary_opt::<i32>()?),
        DataType::LargeBinary => bytes(array.as_binary_opt::<i64>()?),
        DataType::BinaryView => bytes_view(array.as_binary_view_opt()?),
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary_opt()?;
            Box::new(move |row, out| base64(values.value(row), out))
        }
        DataType::List(_) => list(array.as_list_opt::<i32>()?)?,
        DataType::LargeList(_) => list(array.as_list_opt::<i64>()?)?,
        DataType::ListView(_) => list_view(array.as_list_view_opt::<i32>()?)?,
        DataType::LargeListView(_) => list_view(array.as_list_view_opt::<i64>()?)?,
        DataType::FixedSizeList(_, length) => {
            let length = usize::try_from(*length).ok()?;
            let items = writer(array.as_fixed_size_list_opt()?.values().as_ref())?;
            Box::new(move |row, out| sequence(&items, row * length, length, out))
        }
        DataType::Struct(_) => structure(array)?,
        DataType::Map(_, _) => map(array)?,
        _ => return None,
    })
}

// ---- numbers and texts ----

fn json(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    // Writing numbers, booleans and texts to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

fn primitive<T: ArrowPrimitiveType>(
    array: &dyn Array,
    write: impl Fn(T::Native, &mut Vec<u8>) + 'static,
) -> Option<WriteValue<'_>> {
    let array: &PrimitiveArray<T> = array.as_primitive_opt()?;
    let values = array.values();
    Some(Box::new(move |row, out| {
        if let Some(value) = values.get(row) {
            write(*value, out);
        }
    }))
}

fn number<T: ArrowPrimitiveType<Native: Serialize>>(array: &dyn Array) -> Option<WriteValue<'_>> {
    primitive::<T>(array, |value, out| json(&value, out))
}

fn float64(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        json(&value, out);
    } else {
        not_finite(value.is_nan(), value > 0.0, out);
    }
}

fn float32(value: f32, out: &mut Vec<u8>) {
    if value.is_finite() {
        json(&value, out);
    } else {
        not_finite(value.is_nan(), value > 0.0, out);
    }
}

fn not_finite(is_nan: bool, is_positive: bool, out: &mut Vec<u8>) {
    let words: &[u8] = match (is_nan, is_positive) {
        (true, _) => b"\"NaN\"",
        (false, true) => b"\"Infinity\"",
        (false, false) => b"\"-Infinity\"",
    };
    out.extend_from_slice(words);
}

fn decimal<T: DecimalType>(array: &dyn Array) -> Option<WriteValue<'_>> {
    let values: &PrimitiveArray<T> = array.as_primitive_opt()?;
    Some(Box::new(move |row, out| {
        out.push(b'"');
        out.extend_from_slice(values.value_as_string(row).as_bytes());
        out.push(b'"');
    }))
}

fn text<T: ByteArrayType<Native = str>>(values: &GenericByteArray<T>) -> WriteValue<'_> {
    Box::new(move |row, out| json(values.value(row), out))
}

fn text_view<T: ByteViewType<Native = str>>(values: &GenericByteViewArray<T>) -> WriteValue<'_> {
    Box::new(move |row, out| json(values.value(row), out))
}

fn bytes<T: ByteArrayType<Native = [u8]>>(values: &GenericByteArray<T>) -> WriteValue<'_> {
    Box::new(move |row, out| base64(values.value(row), out))
}

fn bytes_view<T: ByteViewType<Native = [u8]>>(values: &GenericByteViewArray<T>) -> WriteValue<'_> {
    Box::new(move |row, out| base64(values.value(row), out))
}

fn base64(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(value).as_bytes());
    out.push(b'"');
}

// ---- times ----

fn temporal(array: &dyn Array) -> Option<WriteValue<'_>> {
    const SECOND: i64 = 1;
    const MILLI: i64 = 1_000;
    const MICRO: i64 = 1_000_000;
    const NANO: i64 = 1_000_000_000;
    const MILLIS_OF_DAY: i64 = 86_400_000;
    match array.data_type() {
        DataType::Date32 => quoted::<Date32Type>(array, |days, out| time::date(days.into(), out)),
        DataType::Date64 => {
            quoted::<Date64Type>(array, |millis, out| time::date(millis.div_euclid(MILLIS_OF_DAY), out))
        }
        DataType::Time32(TimeUnit::Second) => {
            quoted::<Time32SecondType>(array, |value, out| time::of_day(value.into(), SECOND, out))
        }
        DataType::Time32(_) => {
            quoted::<Time32MillisecondType>(array, |value, out| time::of_day(value.into(), MILLI, out))
        }
        DataType::Time64(TimeUnit::Microsecond) => {
            quoted::<Time64MicrosecondType>(array, |value, out| time::of_day(value, MICRO, out))
        }
        DataType::Time64(_) => {
            quoted::<Time64NanosecondType>(array, |value, out| time::of_day(value, NANO, out))
        }
        DataType::Timestamp(unit, zone) => {
            let zone = zone.as_deref().map(Zone::parse).transpose().ok()?;
            match unit {
                TimeUnit::Second => timestamp::<TimestampSecondType>(array, zone, SECOND),
                TimeUnit::Millisecond => timestamp::<TimestampMillisecondType>(array, zone, MILLI),
                TimeUnit::Microsecond => timestamp::<TimestampMicrosecondType>(array, zone, MICRO),
                TimeUnit::Nanosecond => timestamp::<TimestampNanosecondType>(array, zone, NANO),
            }
        }
        DataType::Duration(TimeUnit::Second) => duration::<DurationSecondType>(array, SECOND),
        DataType::Duration(TimeUnit::Millisecond) => duration::<DurationMillisecondType>(array, MILLI),
        DataType::Duration(TimeUnit::Microsecond) => duration::<DurationMicrosecondType>(array, MICRO),
        DataType::Duration(TimeUnit::Nanosecond) => duration::<DurationNanosecondType>(array, NANO),
        DataType::Interval(IntervalUnit::YearMonth) => {
            quoted::<IntervalYearMonthType>(array, |months, out| {
                time::interval(months.into(), 0, 0, NANO, out);
            })
        }
        DataType::Interval(IntervalUnit::DayTime) => quoted::<IntervalDayTimeType>(array, |value, out| {
            time::interval(0, value.days.into(), value.milliseconds.into(), MILLI, out);
        }),
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            quoted::<IntervalMonthDayNanoType>(array, |value, out| {
                time::interval(value.months.into(), value.days.into(), value.nanoseconds, NANO, out);
            })
        }
        _ => None,
    }
}

fn timestamp<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    zone: Option<Zone>,
    per_second: i64,
) -> Option<WriteValue<'_>> {
    quoted::<T>(array, move |value, out| time::date_time(value, per_second, zone.as_ref(), out))
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(
    array: &dyn Array,
    per_second: i64,
) -> Option<WriteValue<'_>> {
    quoted::<T>(array, move |value, out| time::interval(0, 0, value, per_second, out))
}

/// Values whose text stands in quotes and needs no escapes.
fn quoted<T: ArrowPrimitiveType>(
    array: &dyn Array,
    write: impl Fn(T::Native, &mut Vec<u8>) + 'static,
) -> Option<WriteValue<'_>> {
    primitive::<T>(array, move |value, out| {
        out.push(b'"');
        write(value, out);
        out.push(b'"');
    })
}

// ---- values made of values ----

fn sequence(items: &Writer<'_>, begin: usize, length: usize, out: &mut Vec<u8>) {
    out.push(b'[');
    for place in 0..length {
        if place > 0 {
            out.push(b',');
        }
        items.write(begin + place, out);
    }
    out.push(b']');
}

/// Where row `row` begins and how long it is, by the offsets of a list or a map.
fn extent<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> (usize, usize) {
    let at = |place: usize| offsets.get(place).map_or(0, |offset| offset.as_usize());
    (at(row), at(row + 1).saturating_sub(at(row)))
}

fn list<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> Option<WriteValue<'_>> {
    let items = writer(lists.values().as_ref())?;
    let offsets = lists.value_offsets();
    Some(Box::new(move |row, out| {
        let (begin, length) = extent(offsets, row);
        sequence(&items, begin, length, out);
    }))
}

fn list_view<O: OffsetSizeTrait>(lists: &GenericListViewArray<O>) -> Option<WriteValue<'_>> {
    let items = writer(lists.values().as_ref())?;
    Some(Box::new(move |row, out| {
        sequence(&items, lists.value_offset(row).as_usize(), lists.value_size(row).as_usize(), out);
    }))
}

fn structure(array: &dyn Array) -> Option<WriteValue<'_>> {
    let array = array.as_struct_opt()?;
    let prefixes = prefixes(array.fields().iter().map(|field| field.name().as_str()));
    let columns: Vec<Writer<'_>> =
        array.columns().iter().map(|column| writer(column.as_ref())).collect::<Option<_>>()?;
    Some(Box::new(move |row, out| super::write_object(&prefixes, &columns, row, out)))
}

fn map(array: &dyn Array) -> Option<WriteValue<'_>> {
    let array = array.as_map_opt()?;
    let keys = writer(array.keys().as_ref())?;
    let values = writer(array.values().as_ref())?;
    let offsets = array.value_offsets();
    Some(Box::new(move |row, out| {
        let (begin, length) = extent(offsets, row);
        out.push(b'{');
        for place in begin..begin + length {
            if place > begin {
                out.push(b',');
            }
            let key_begins = out.len();
            keys.write(place, out);
            if out.get(key_begins) != Some(&b'"') {
                let key = out.split_off(key_begins);
                json(&String::from_utf8_lossy(&key), out);
            }
            out.push(b':');
            values.write(place, out);
        }
        out.push(b'}');
    }))
}

fn dictionary(array: &dyn Array) -> Option<WriteValue<'_>> {
    let dictionary = array.as_any_dictionary_opt()?;
    let values = writer(dictionary.values().as_ref())?;
    if dictionary.values().is_empty() {
        // Every row is null.
        return Some(Box::new(|_, out| out.extend_from_slice(b"null")));
    }
    let keys = dictionary.normalized_keys();
    Some(Box::new(move |row, out| {
        if let Some(key) = keys.get(row) {
            values.write(*key, out);
        }
    }))
}
