//! Rows that a test gives as JSON objects, through the same filter and select as the rows of files.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::error::DataFusionError;
use serde_json::{Map, Value};

use super::blame::Blame;
use super::columns::sql_type;
use super::dataset::Batch;
use super::error::SourceError;
use super::scan::Plan;
use super::stores::innermost;

/// A row of a test.
pub(super) type Row = Map<String, Value>;

/// The batch that rows come to, as if they were a file of that name.
pub(super) fn batch(plan: &Plan, name: &str, rows: &[Row]) -> Result<Batch, Vec<SourceError>> {
    let faults: Vec<SourceError> =
        rows.iter().enumerate().flat_map(|(place, row)| misfits(plan, place, row)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let decoded = decode(&plan.file_schema, rows).map_err(|why| row_faults(plan, rows, &why))?;
    let used = decoded.project(&plan.used).map_err(|why| row_faults(plan, rows, &why))?;
    let broken = |why: &DataFusionError| match plan.blame(&used) {
        Some(Blame { key, row, why }) => {
            let why = format!("`{key}` fails: {}", innermost(&why));
            SourceError::TestRow { row, column: None, why, known: Vec::new() }
        }
        None => SourceError::Row { key: None, place: format!("the rows of `{name}`"), why: innermost(why) },
    };
    let (picked, kept) = plan.pick(&used, None).map_err(|why| vec![broken(&why)])?;
    Ok(Batch {
        file: name.into(),
        lineage: "".into(),
        rows: picked,
        ordinals: kept.into_iter().map(|row| row as u64).collect(),
        read: rows.len() as u64,
    })
}

/// What in a row does not fit the columns: a name that none has, a null where the files hold none, a fraction where they hold whole
/// numbers.
fn misfits(plan: &Plan, place: usize, row: &Row) -> Vec<SourceError> {
    let schema = &plan.file_schema;
    let unknown = row.keys().filter(|name| schema.column_with_name(name).is_none()).map(|name| {
        let known = schema.fields().iter().map(|field| field.name().clone()).collect();
        SourceError::TestRow {
            row: place,
            column: Some(name.clone()),
            why: format!("there is no column `{name}`"),
            known,
        }
    });
    let used = plan.used.iter().filter_map(|place| schema.fields().get(*place));
    let missing = used
        .filter(|field| !field.is_nullable() && row.get(field.name()).is_none_or(Value::is_null))
        .map(|field| SourceError::TestRow {
            row: place,
            column: None,
            why: format!("`{}` is never null in the files, so it must be given", field.name()),
            known: Vec::new(),
        });
    let cut = row.iter().filter_map(|(name, value)| {
        let field = schema.field_with_name(name).ok()?;
        would_be_cut(field.data_type(), value).then(|| unfit(place, field, value))
    });
    unknown.chain(missing).chain(cut).collect()
}

/// Whether the JSON reader would cut a fraction off.
fn would_be_cut(data_type: &DataType, value: &Value) -> bool {
    match (data_type, value) {
        (DataType::Dictionary(_, item), value) => would_be_cut(item, value),
        (
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _),
            Value::Array(values),
        ) => values.iter().any(|value| would_be_cut(item.data_type(), value)),
        (DataType::Struct(fields), Value::Object(values)) => fields.iter().any(|field| {
            values.get(field.name()).is_some_and(|value| would_be_cut(field.data_type(), value))
        }),
        (whole, Value::Number(number)) if whole.is_integer() || whole.is_temporal() => {
            number.as_f64().is_some_and(|number| number.fract() != 0.0)
        }
        _ => false,
    }
}

/// The fault of a value that its column cannot hold.
fn unfit(row: usize, field: &Field, value: &Value) -> SourceError {
    let (name, data_type) = (field.name(), sql_type(field.data_type()));
    let why = format!("`{name}` is {data_type}, and cannot be `{value}`");
    SourceError::TestRow { row, column: Some(name.clone()), why, known: Vec::new() }
}

/// The faults of rows that cannot be decoded together: those of each value on its own.
fn row_faults(plan: &Plan, rows: &[Row], together: &ArrowError) -> Vec<SourceError> {
    let schema = &plan.file_schema;
    let values = rows.iter().enumerate().flat_map(|(row, values)| values.iter().map(move |one| (row, one)));
    let faults = values.filter_map(|(row, (name, value))| {
        let alone = Row::from_iter([(name.clone(), value.clone())]);
        decode(schema, &[alone]).err()?;
        Some(unfit(row, schema.field_with_name(name).ok()?, value))
    });
    let faults: Vec<SourceError> = faults.collect();
    if faults.is_empty() {
        let why = innermost(together);
        return vec![SourceError::TestRow { row: 0, column: None, why, known: Vec::new() }];
    }
    faults
}

fn decode(schema: &SchemaRef, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), readable_type(field.data_type()), true))
        .collect();
    let schema_read = Arc::new(Schema::new(fields));
    let mut decoder =
        ReaderBuilder::new(Arc::clone(&schema_read)).with_batch_size(rows.len().max(1)).build_decoder()?;
    let rows: Vec<Row> = rows.iter().map(|row| readable(schema, row)).collect();
    decoder.serialize(&rows)?;
    let read = decoder.flush()?.unwrap_or_else(|| RecordBatch::new_empty(schema_read));
    let columns = read
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    let nullable: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(nullable)), columns)
}

/// The type as which a column's values are read: the JSON reader knows no dictionaries, and no intervals but null.
fn readable_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, value) => (**value).clone(),
        DataType::Interval(_) => DataType::Null,
        other => other.clone(),
    }
}

/// A row with its binaries in hexadecimal, as the JSON reader wants them, in place of base64, as messages have them. What is not base64
/// is left to the reader to refuse.
fn readable(schema: &SchemaRef, row: &Row) -> Row {
    let hexadecimal = |value: &Value| {
        let bytes = STANDARD.decode(value.as_str()?).ok()?;
        Some(Value::String(hex::encode(bytes)))
    };
    let read = |(name, value): (&String, &Value)| {
        let is_binary = schema.field_with_name(name).is_ok_and(|field| {
            field.data_type().is_binary() || matches!(field.data_type(), DataType::FixedSizeBinary(_))
        });
        let value = if is_binary { hexadecimal(value) } else { None }.unwrap_or_else(|| value.clone());
        (name.clone(), value)
    };
    row.iter().map(read).collect()
}
