//! The columns that the files of a source have in common.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use indexmap::IndexMap;

use super::footer::Footer;

/// A column: of the files, or of what an `event` has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, as it is in the file or in `select`.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may be null.
    pub nullable: bool,
}

impl Column {
    pub(super) fn all(schema: &Schema) -> Vec<Self> {
        let column = |field: &Arc<Field>| Self {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            nullable: field.is_nullable(),
        };
        schema.fields().iter().map(column).collect()
    }
}

/// A column whose types in two files do not go together. It is a fault only where the column is used: years of a
/// publisher's files often disagree in a column that nobody asks for.
#[derive(Debug, Clone)]
pub(super) struct Conflict {
    pub first: Arc<str>,
    pub first_type: DataType,
    pub other: Arc<str>,
    pub other_type: DataType,
}

/// The columns of all files together.
#[derive(Debug)]
pub(super) struct FileColumns {
    /// In the order of the first file, then those that only later files have.
    pub schema: SchemaRef,
    pub conflicts: IndexMap<String, Conflict>,
}

struct Merged {
    field: Field,
    first: Arc<str>,
    files: usize,
}

/// Merges the columns of several files by name.
///
/// Integers of one signedness take the widest type, so do floats; texts go together, and so do binaries. A column that
/// some file lacks is null there. All else that differs is a conflict.
pub(super) fn merge(footers: &[Footer]) -> FileColumns {
    let mut merged: IndexMap<String, Merged> = IndexMap::new();
    let mut conflicts: IndexMap<String, Conflict> = IndexMap::new();
    for footer in footers {
        for field in footer.schema.fields() {
            let Some(known) = merged.get_mut(field.name()) else {
                let plain = Field::new(field.name(), field.data_type().clone(), field.is_nullable());
                merged.insert(
                    field.name().clone(),
                    Merged { field: plain, first: Arc::clone(&footer.file.name), files: 1 },
                );
                continue;
            };
            known.files += 1;
            match common_type(known.field.data_type(), field.data_type()) {
                Some(common) => {
                    let nullable = known.field.is_nullable() || field.is_nullable();
                    known.field = Field::new(field.name(), common, nullable);
                }
                None => {
                    conflicts.entry(field.name().clone()).or_insert_with(|| Conflict {
                        first: Arc::clone(&known.first),
                        first_type: known.field.data_type().clone(),
                        other: Arc::clone(&footer.file.name),
                        other_type: field.data_type().clone(),
                    });
                }
            }
        }
    }
    let fields: Vec<Field> = merged
        .into_values()
        .filter(|column| !conflicts.contains_key(column.field.name()))
        .map(|column| {
            let everywhere = column.files == footers.len();
            let nullable = column.field.is_nullable() || !everywhere;
            column.field.with_nullable(nullable)
        })
        .collect();
    FileColumns { schema: Arc::new(Schema::new(fields)), conflicts }
}

fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::{Float16, Float32, Float64, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    const SIGNED: [DataType; 4] = [Int8, Int16, Int32, Int64];
    const UNSIGNED: [DataType; 4] = [UInt8, UInt16, UInt32, UInt64];
    const FLOATS: [DataType; 3] = [Float16, Float32, Float64];
    if a == b {
        return Some(a.clone());
    }
    let widest = |family: &[DataType]| {
        let rank = |wanted: &DataType| family.iter().position(|member| member == wanted);
        family.get(rank(a)?.max(rank(b)?)).cloned()
    };
    widest(&SIGNED).or_else(|| widest(&UNSIGNED)).or_else(|| widest(&FLOATS))
}

/// A type in SQL's words.
#[must_use]
pub fn sql_type(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 => "SMALLINT".to_owned(),
        DataType::Int32 => "INTEGER".to_owned(),
        DataType::Int64 => "BIGINT".to_owned(),
        DataType::UInt8 => "TINYINT UNSIGNED".to_owned(),
        DataType::UInt16 => "SMALLINT UNSIGNED".to_owned(),
        DataType::UInt32 => "INTEGER UNSIGNED".to_owned(),
        DataType::UInt64 => "BIGINT UNSIGNED".to_owned(),
        DataType::Float16 | DataType::Float32 => "REAL".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "BINARY".to_owned()
        }
        DataType::Date32 | DataType::Date64 => "DATE".to_owned(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".to_owned(),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => format!("{}[]", sql_type(item.data_type())),
        DataType::Struct(fields) => {
            let inner: Vec<String> = fields
                .iter()
                .map(|field| format!("{} {}", field.name(), sql_type(field.data_type())))
                .collect();
            format!("STRUCT({})", inner.join(", "))
        }
        DataType::Map(_, _) => "MAP".to_owned(),
        DataType::Dictionary(_, value) => sql_type(value),
        DataType::RunEndEncoded(_, value) => sql_type(value.data_type()),
        DataType::Union(_, _) => "UNION".to_owned(),
    }
}
