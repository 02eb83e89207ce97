//! What each type becomes.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use datafusion::arrow::array::builder::{
    Int64Builder, ListBuilder, MapBuilder, StringBuilder, StringDictionaryBuilder,
};
use datafusion::arrow::array::cast::AsArray;
use datafusion::arrow::array::types::{Decimal256Type, Int8Type, IntervalDayTime, IntervalMonthDayNano};
use datafusion::arrow::array::{
    BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array, Decimal128Array,
    DurationMillisecondArray, FixedSizeBinaryArray, FixedSizeListArray, Float16Array, Float32Array,
    Float64Array, Int8Array, Int64Array, IntervalDayTimeArray, IntervalMonthDayNanoArray,
    IntervalYearMonthArray, LargeListArray, LargeStringArray, ListViewArray, NullArray, RecordBatch,
    StringArray, StringViewArray, StructArray, Time32SecondArray, Time64NanosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
    UInt64Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Field, Float16Type, Int32Type};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A batch of one column.
fn batch(column: ArrayRef) -> Batch {
    batch_of(vec![("x", column)])
}

fn batch_of(columns: Vec<(&str, ArrayRef)>) -> Batch {
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    );
    let rows = rows.unwrap();
    let ordinals = (0..rows.num_rows() as u64).collect();
    Batch { file: "f".into(), lineage: "l".into(), read: rows.num_rows() as u64, ordinals, rows }
}

fn encoded(batch: &Batch) -> Vec<Message> {
    let columns = Column::all(batch.rows.schema_ref());
    Encoder::new(&columns, None, "d".into()).unwrap().encode(batch).unwrap()
}

/// The JSON texts of an array's values.
fn texts(array: impl Array + 'static) -> String {
    let messages = encoded(&batch(Arc::new(array)));
    let values: Vec<&str> = messages
        .iter()
        .map(|message| std::str::from_utf8(&message.value).unwrap())
        .map(|text| text.strip_prefix("{\"x\":").and_then(|text| text.strip_suffix('}')).unwrap())
        .collect();
    values.join(" ")
}

#[test]
fn numbers_keep_every_digit() {
    assert_eq!(
        texts(Int64Array::from(vec![Some(i64::MIN), None, Some(9_007_199_254_740_993)])),
        "-9223372036854775808 null 9007199254740993"
    );
    assert_eq!(texts(UInt64Array::from(vec![u64::MAX])), "18446744073709551615");
    assert_eq!(texts(Int8Array::from(vec![-128, 0])), "-128 0");
    assert_eq!(
        texts(Float64Array::from(vec![0.1, -0.0, 1.0, 1e300, 5e-324, 0.1 + 0.2])),
        "0.1 -0.0 1.0 1e+300 5e-324 0.30000000000000004"
    );
    assert_eq!(texts(Float32Array::from(vec![0.1, 16_777_216.0])), "0.1 16777216.0");
    let halves = Float64Array::from(vec![0.5, f64::NAN]);
    assert_eq!(
        texts(cast(&halves, &DataType::Float16).unwrap().as_primitive::<Float16Type>().clone()),
        "0.5 \"NaN\""
    );
    assert_eq!(texts(Float16Array::from(Vec::<Option<_>>::from([None]))), "null");
    assert_eq!(
        texts(Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
        r#""NaN" "Infinity" "-Infinity""#
    );
    let decimals = Decimal128Array::from(vec![1230, -5, 0]).with_precision_and_scale(38, 2).unwrap();
    assert_eq!(texts(decimals), r#""12.30" "-0.05" "0.00""#);
    let widest = cast(
        &Decimal128Array::from(vec![7]).with_precision_and_scale(38, 0).unwrap(),
        &DataType::Decimal256(76, 40),
    );
    assert_eq!(
        texts(widest.unwrap().as_primitive::<Decimal256Type>().clone()),
        r#""7.0000000000000000000000000000000000000000""#
    );
}

#[test]
fn times_are_iso_8601() {
    assert_eq!(
        texts(Date32Array::from(vec![19_052, 0, -1, 2_932_897, -719_529])),
        r#""2022-03-01" "1970-01-01" "1969-12-31" "+10000-01-01" "-0001-12-31""#
    );
    assert_eq!(texts(Date64Array::from(vec![1_646_092_800_000])), r#""2022-03-01""#);
    assert_eq!(texts(Time32SecondArray::from(vec![30_600])), r#""08:30:00""#);
    assert_eq!(
        texts(Time64NanosecondArray::from(vec![1, 86_399_999_999_999])),
        r#""00:00:00.000000001" "23:59:59.999999999""#
    );
    assert_eq!(
        texts(TimestampMicrosecondArray::from(vec![
            Some(1_646_093_588_000_000),
            None,
            Some(1_646_093_588_500_000),
            Some(-1)
        ])),
        r#""2022-03-01T00:13:08" null "2022-03-01T00:13:08.500" "1969-12-31T23:59:59.999999""#
    );
    assert_eq!(texts(TimestampSecondArray::from(vec![i64::MAX])), r#""+292277026596-12-04T15:30:07""#);
    assert_eq!(texts(TimestampNanosecondArray::from(vec![i64::MIN])), r#""1677-09-21T00:12:43.145224192""#);
    let at = |zone: &str| {
        texts(TimestampMillisecondArray::from(vec![1_646_093_588_000, 1_656_093_588_000]).with_timezone(zone))
    };
    assert_eq!(at("UTC"), r#""2022-03-01T00:13:08Z" "2022-06-24T17:59:48Z""#);
    assert_eq!(at("America/New_York"), r#""2022-02-28T19:13:08-05:00" "2022-06-24T13:59:48-04:00""#);
    assert_eq!(at("+05:30"), r#""2022-03-01T05:43:08+05:30" "2022-06-24T23:29:48+05:30""#);
    assert_eq!(
        texts(DurationMillisecondArray::from(vec![0, 1_500, -61_000])),
        r#""PT0S" "PT1.500S" "PT-61S""#
    );
    assert_eq!(texts(IntervalYearMonthArray::from(vec![14])), r#""P14M""#);
    assert_eq!(texts(IntervalDayTimeArray::from(vec![IntervalDayTime::new(1, -500)])), r#""P1DT-0.500S""#);
    assert_eq!(
        texts(IntervalMonthDayNanoArray::from(vec![IntervalMonthDayNano::new(-1, 2, 3_000_000_001)])),
        r#""P-1M2DT3.000000001S""#
    );
}

#[test]
fn texts_and_binaries_are_texts() {
    let odd = "a\"b\\c\n\u{1}\u{7f}ü\u{1F600}";
    let expected = r#""a\"b\\c\n\u0001"#.to_owned() + "\u{7f}ü\u{1F600}\"";
    assert_eq!(texts(StringArray::from(vec![odd])), expected);
    assert_eq!(texts(LargeStringArray::from(vec![odd])), expected);
    assert_eq!(texts(StringViewArray::from(vec![odd])), expected);
    assert_eq!(texts(BinaryArray::from(vec![b"\xff\x00a".as_slice(), b""])), r#""/wBh" """#);
    assert_eq!(texts(BinaryViewArray::from(vec![b"\xff\x00a".as_slice()])), r#""/wBh""#);
    assert_eq!(texts(FixedSizeBinaryArray::try_from_iter([b"\x01\x02"].into_iter()).unwrap()), r#""AQI=""#);
    assert_eq!(texts(BooleanArray::from(vec![Some(true), Some(false), None])), "true false null");
    assert_eq!(texts(NullArray::new(2)), "null null");
    let mut dictionary = StringDictionaryBuilder::<Int8Type>::new();
    dictionary.append_value("b");
    dictionary.append_null();
    dictionary.append_value("a");
    dictionary.append_value("b");
    assert_eq!(texts(dictionary.finish()), r#""b" null "a" "b""#);
    assert_eq!(texts(StringDictionaryBuilder::<Int8Type>::new().finish()), "");
}

#[test]
fn lists_structs_and_maps_are_arrays_and_objects() {
    let lists = || vec![Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![Some(2)])];
    let list = || LargeListArray::from_iter_primitive::<Int32Type, _, _>(lists());
    assert_eq!(texts(list()), "[1,null] null [] [2]");
    assert_eq!(texts(list().slice(2, 2)), "[] [2]");
    let view =
        cast(&list(), &DataType::ListView(Arc::new(Field::new_list_field(DataType::Int32, true)))).unwrap();
    assert_eq!(texts(view.as_any().downcast_ref::<ListViewArray>().unwrap().clone()), "[1,null] null [] [2]");
    let pairs = vec![Some(vec![Some(1), Some(2)]), None, Some(vec![Some(3), None])];
    let pairs = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(pairs, 2);
    assert_eq!(texts(pairs.clone()), "[1,2] null [3,null]");
    assert_eq!(texts(pairs.slice(2, 1)), "[3,null]");

    let columns: Vec<(Arc<Field>, ArrayRef)> = vec![
        (Arc::new(Field::new("a", DataType::Int64, true)), Arc::new(Int64Array::from(vec![Some(1), None]))),
        (Arc::new(Field::new("b \"", DataType::Utf8, true)), Arc::new(StringArray::from(vec!["x", "y"]))),
    ];
    assert_eq!(texts(StructArray::from(columns)), r#"{"a":1,"b \"":"x"} {"a":null,"b \"":"y"}"#);
    assert_eq!(texts(StructArray::new_empty_fields(1, None)), "{}");

    let mut by_text = MapBuilder::new(None, StringBuilder::new(), ListBuilder::new(Int64Builder::new()));
    by_text.keys().append_value("k");
    by_text.values().append_value([Some(1)]);
    by_text.append(true).unwrap();
    by_text.append(false).unwrap();
    assert_eq!(texts(by_text.finish()), r#"{"k":[1]} null"#);
    let mut by_number = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    for key in [1, 2] {
        by_number.keys().append_value(key);
        by_number.values().append_null();
    }
    by_number.append(true).unwrap();
    assert_eq!(texts(by_number.finish()), r#"{"1":null,"2":null}"#);
}

#[test]
fn a_message_has_the_columns_in_order_its_key_and_its_row() {
    let batch = batch_of(vec![
        ("b", Arc::new(Int64Array::from(vec![Some(1), None]))),
        ("a", Arc::new(StringArray::from(vec!["x", "y"]))),
    ]);
    let columns = Column::all(batch.rows.schema_ref());
    let messages = |key| Encoder::new(&columns, key, "d".into()).unwrap().encode(&batch).unwrap();
    let by_number = messages(Some("b"));
    assert_eq!(by_number[0].value, br#"{"b":1,"a":"x"}"#);
    assert_eq!(by_number[0].key.as_deref(), Some(b"1".as_slice()));
    assert_eq!(by_number[1].key, None, "a null is no key");
    assert_eq!(by_number[1].origin.row, RowId { file: "f".into(), ordinal: 1 });
    assert_eq!((&*by_number[1].origin.lineage, &*by_number[1].origin.digest), ("l", "d"));
    assert_eq!(messages(Some("a"))[0].key.as_deref(), Some(br#""x""#.as_slice()));
    assert_eq!(messages(None)[0].key, None);
    let none = Encoder::new(&columns, Some("c"), "d".into()).unwrap_err();
    assert_eq!(none, [SourceError::NoKeyColumn { column: "c".to_owned() }]);
}

#[test]
fn what_has_no_form_is_refused() {
    let run = DataType::RunEndEncoded(
        Arc::new(Field::new("run_ends", DataType::Int32, false)),
        Arc::new(Field::new("values", DataType::Int64, true)),
    );
    let list_of_runs = DataType::List(Arc::new(Field::new_list_field(run, true)));
    let nowhere =
        DataType::Timestamp(datafusion::arrow::datatypes::TimeUnit::Second, Some("Middle/Earth".into()));
    for data_type in [list_of_runs, nowhere] {
        let column = Column { name: "x".to_owned(), data_type, nullable: true };
        assert!(matches!(
            Encoder::new(&[column], None, "d".into()).unwrap_err().as_slice(),
            [SourceError::Unencodable { .. }]
        ));
    }
}

proptest! {
    #[test]
    fn what_is_encoded_reads_back_as_the_same_values(
        rows in prop::collection::vec((any::<Option<i64>>(), any::<Option<u64>>(), any::<Option<f64>>(), any::<Option<f32>>(), any::<Option<String>>(), any::<Option<bool>>()), 0..20),
        name in ".{0,8}",
    ) {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (&name, Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>())),
            ("\u{0}u", Arc::new(rows.iter().map(|row| row.1).collect::<UInt64Array>())),
            ("f\u{1}", Arc::new(rows.iter().map(|row| row.2).collect::<Float64Array>())),
            ("g\u{1}", Arc::new(rows.iter().map(|row| row.3).collect::<Float32Array>())),
            ("s\u{1}", Arc::new(rows.iter().map(|row| row.4.clone()).collect::<StringViewArray>())),
            ("b\u{1}", Arc::new(rows.iter().map(|row| row.5).collect::<BooleanArray>())),
        ];
        let messages = encoded(&batch_of(columns));
        prop_assert_eq!(messages.len(), rows.len());
        for (message, row) in messages.iter().zip(&rows) {
            let value: Value = serde_json::from_slice(&message.value).unwrap();
            let double = |value: Option<f64>| match value {
                Some(value) if !value.is_finite() => json!(if value.is_nan() { "NaN" } else if value > 0.0 { "Infinity" } else { "-Infinity" }),
                value => json!(value),
            };
            prop_assert_eq!(&value[&name], &json!(row.0));
            prop_assert_eq!(&value["\u{0}u"], &json!(row.1));
            prop_assert_eq!(&value["f\u{1}"], &double(row.2));
            // The shortest text of a 32-bit float reads back to the same 32-bit float.
            match row.3 {
                Some(float) if float.is_finite() => {
                    let read: f32 = value["g\u{1}"].to_string().parse().unwrap();
                    prop_assert_eq!(read.to_bits(), float.to_bits());
                }
                other => prop_assert_eq!(&value["g\u{1}"], &double(other.map(f64::from))),
            }
            prop_assert_eq!(&value["s\u{1}"], &json!(row.4));
            prop_assert_eq!(&value["b\u{1}"], &json!(row.5));
        }
    }

    #[test]
    fn timestamps_read_back_as_the_same_instant(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
        use datafusion::arrow::compute::kernels::cast_utils::string_to_datetime;
        use datafusion::arrow::array::timezone::Tz;
        let text = texts(TimestampMicrosecondArray::from(vec![micros]));
        let zone: Tz = "+00:00".parse().unwrap();
        let read = string_to_datetime(&zone, text.trim_matches('"')).unwrap();
        prop_assert_eq!(read.timestamp_micros(), micros);
    }
}
