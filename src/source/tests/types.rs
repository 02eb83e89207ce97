//! Every type that a parquet file can hold, from the file to the message.

use datafusion::arrow::array::builder::{MapBuilder, StringBuilder, StringDictionaryBuilder};
use datafusion::arrow::array::types::{Int32Type, UInt16Type};
use datafusion::arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Date64Array, Decimal128Array, DurationMicrosecondArray,
    FixedSizeBinaryArray, FixedSizeListArray, Float32Array, Int8Array, IntervalDayTimeArray,
    LargeBinaryArray, LargeListArray, LargeStringArray, ListArray, NullArray, StringArray, StringViewArray,
    StructArray, Time32MillisecondArray, Time64MicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field};

use super::*;

/// One row of each type, and one of nulls.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let mut dictionary = StringDictionaryBuilder::<UInt16Type>::new();
    dictionary.append_value("d");
    dictionary.append_null();
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_value("v");
    map.append(true).unwrap();
    map.append(false).unwrap();
    let list = || vec![Some(vec![Some(1), None]), None];
    let inner: (Arc<Field>, ArrayRef) =
        (Arc::new(Field::new("t", DataType::Utf8, true)), Arc::new(StringArray::from(vec![Some("x"), None])));
    vec![
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("int8", Arc::new(Int8Array::from(vec![Some(-1), None]))),
        ("uint64", Arc::new(UInt64Array::from(vec![Some(u64::MAX), None]))),
        ("float32", Arc::new(Float32Array::from(vec![Some(0.1), None]))),
        (
            "decimal",
            Arc::new(
                Decimal128Array::from(vec![Some(1_234_567_890_123_456_789), None])
                    .with_precision_and_scale(20, 3)
                    .unwrap(),
            ),
        ),
        ("text", Arc::new(StringArray::from(vec![Some("ü"), None]))),
        ("large text", Arc::new(LargeStringArray::from(vec![Some("a"), None]))),
        ("text view", Arc::new(StringViewArray::from(vec![Some("longer than twelve bytes"), None]))),
        ("binary", Arc::new(BinaryArray::from(vec![Some(b"\xff".as_slice()), None]))),
        ("large binary", Arc::new(LargeBinaryArray::from(vec![Some(b"\x00".as_slice()), None]))),
        (
            "fixed binary",
            Arc::new(
                FixedSizeBinaryArray::try_from_sparse_iter_with_size([Some([1, 2]), None].into_iter(), 2)
                    .unwrap(),
            ),
        ),
        ("date", Arc::new(Date32Array::from(vec![Some(19_052), None]))),
        ("date64", Arc::new(Date64Array::from(vec![Some(1_646_092_800_000), None]))),
        ("time32", Arc::new(Time32MillisecondArray::from(vec![Some(1_500), None]))),
        ("time64", Arc::new(Time64MicrosecondArray::from(vec![Some(1), None]))),
        ("seconds", Arc::new(TimestampSecondArray::from(vec![Some(0), None]))),
        ("nanos", Arc::new(TimestampNanosecondArray::from(vec![Some(1), None]))),
        (
            "zoned",
            Arc::new(TimestampMillisecondArray::from(vec![Some(0), None]).with_timezone("Europe/Berlin")),
        ),
        ("duration", Arc::new(DurationMicrosecondArray::from(vec![Some(1_500_000), None]))),
        ("interval", Arc::new(IntervalDayTimeArray::from(vec![None, None]))),
        ("null", Arc::new(NullArray::new(2))),
        ("dictionary", Arc::new(dictionary.finish())),
        ("list", Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(list()))),
        ("large list", Arc::new(LargeListArray::from_iter_primitive::<Int32Type, _, _>(list()))),
        ("fixed list", Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(list(), 2))),
        ("struct", Arc::new(StructArray::from(vec![inner]))),
        ("map", Arc::new(map.finish())),
    ]
}

#[tokio::test]
async fn each_type_comes_through_the_file_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.parquet"), columns(), 10);
    let dataset = opened(folder.path(), "parquet: all.parquet").await;
    let messages = values(&messages(&dataset, None, None).await);
    let pretty = |text: &str| {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap();
        row.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(pretty(&messages[0]), @r#"
    boolean: true
    int8: -1
    uint64: 18446744073709551615
    float32: 0.1
    decimal: "1234567890123456.789"
    text: "ü"
    large text: "a"
    text view: "longer than twelve bytes"
    binary: "/w=="
    large binary: "AA=="
    fixed binary: "AQI="
    date: "2022-03-01"
    date64: "2022-03-01"
    time32: "00:00:01.500"
    time64: "00:00:00.000001"
    seconds: "1970-01-01T00:00:00"
    nanos: "1970-01-01T00:00:00.000000001"
    zoned: "1970-01-01T01:00:00+01:00"
    duration: "PT1.500S"
    interval: null
    null: null
    dictionary: "d"
    list: [1,null]
    large list: [1,null]
    fixed list: [1,null]
    struct: {"t":"x"}
    map: {"k":"v"}
    "#);
    let nulls: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&messages[1]).unwrap();
    assert_eq!(nulls.len(), columns().len(), "nulls are not left out");
    let not_null: Vec<&String> =
        nulls.iter().filter(|(_, value)| !value.is_null()).map(|(name, _)| name).collect();
    assert_eq!(not_null, ["struct"], "a struct of nulls is not a null");
}

#[tokio::test]
async fn each_type_can_be_given_to_a_test_as_it_is_encoded() {
    let folder = tempfile::tempdir().unwrap();
    // The JSON reader knows durations as numbers only.
    let columns: Vec<_> = columns().into_iter().filter(|(name, _)| *name != "duration").collect();
    write(&folder.path().join("all.parquet"), columns, 10);
    let dataset = opened(folder.path(), "parquet: all.parquet").await;
    let from_file = messages(&dataset, None, None).await;
    let rows: Vec<_> =
        from_file.iter().map(|message| serde_json::from_slice(&message.value).unwrap()).collect();
    let batch = dataset.in_memory("case", &rows).unwrap();
    let from_rows = Encoder::new(&dataset.columns(), None, "d".into()).unwrap().encode(&batch).unwrap();
    assert_eq!(values(&from_rows), values(&from_file));
}
