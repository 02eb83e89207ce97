//! The third tier: the world that a file names, as far as it is on this machine or behind the source's addresses.

mod rows;
mod secret;
mod words;

use std::path::Path as FilePath;

use datafusion::arrow::datatypes::DataType;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::mapping::{self, Column, ColumnKind, CompiledMapping};
use crate::source::{self, Dataset};
use crate::spec::{Pipeline, SecretSource};

pub use secret::secret;
pub use words::finding as source_finding;

/// What was opened while looking; a run goes on with it.
#[derive(Debug, Default)]
pub struct Opened {
    /// The source, listed and planned; none where that failed, or the file has no source.
    pub dataset: Option<Dataset>,
    /// The compiled mapping; none where it cannot be compiled.
    pub mapping: Option<CompiledMapping>,
}

/// Reads a secret from where a file says it is; the fault is what was tried, in words.
pub type Secrets<'a> = &'a (dyn Fn(&SecretSource) -> Result<String, String> + Send + Sync);

/// Looks at what the pipeline names: parquet files and their columns, look-up tables, filter and select; and compiles the
/// mapping against the columns.
pub async fn open(pipeline: &Pipeline, base: &FilePath, secrets: Secrets<'_>) -> (Opened, Vec<Diagnostic>) {
    let mut findings = Vec::new();
    let dataset = match &pipeline.spec.source {
        None => None,
        Some(source) => match source::open(source, base, secrets).await {
            Ok(dataset) => {
                findings.extend(words::warnings(dataset.warnings()));
                Some(dataset)
            }
            Err(errors) => {
                findings.extend(errors.iter().map(source_finding));
                None
            }
        },
    };
    if let Some(dataset) = &dataset {
        rows::check(&pipeline.spec, dataset, &mut findings);
    }
    let columns = dataset.as_ref().map(columns);
    super::columns::check(&pipeline.spec, columns.as_deref(), &mut findings);
    let mapping = mapping::compile(&pipeline.spec.mapping, columns.as_deref()).ok();
    (Opened { dataset, mapping }, findings)
}

/// The secrets of the servers that a pipeline names and that are not where it says they are. A run without servers needs none
/// of them.
#[must_use]
pub fn missing_secrets(pipeline: &Pipeline, secrets: Secrets<'_>) -> Vec<Diagnostic> {
    let servers = Path::of("spec.infrastructure");
    let of_servers = super::secrets::sources(&pipeline.spec)
        .into_iter()
        // One that names no place, or two, is told as that.
        .filter(|(at, source)| at.steps().starts_with(servers.steps()) && source.is_outside());
    let missing = of_servers.filter_map(|(at, source)| Some((at, secrets(source).err()?)));
    missing
        .map(|(at, tried)| {
            Diagnostic::new(Code::MissingSecret, tried)
                .at(at)
                .help("`--target embedded` runs the file without servers and their secrets")
        })
        .collect()
}

/// The certificates and keys of connections that are not where a pipeline says they are. A run without servers needs none of them.
#[must_use]
pub fn missing_certificates(pipeline: &Pipeline, base: &FilePath) -> Vec<Diagnostic> {
    let at = Path::of("spec.infrastructure");
    let all = super::infrastructure::certificates(&pipeline.spec.infrastructure, &at);
    let files = all.into_iter().flat_map(|(at, tls)| {
        [("caFile", &tls.ca_file), ("certFile", &tls.cert_file), ("keyFile", &tls.key_file)]
            .into_iter()
            .filter_map(move |(key, file)| Some((at.key(key), file.as_ref()?)))
    });
    let unreadable = files.filter_map(|(at, file)| Some((at, file, std::fs::read(base.join(file)).err()?)));
    unreadable
        .map(|(at, file, error)| {
            Diagnostic::new(Code::NoSuchFile, format!("`{file}` cannot be read: {error}"))
                .at(at)
                .help("relative paths start from the folder of the pipeline file")
                .help("`--target embedded` runs the file without servers and their certificates")
        })
        .collect()
}

/// The columns of an `event`, as a mapping sees them.
fn columns(dataset: &Dataset) -> Vec<Column> {
    let column = |column: source::Column| Column { kind: kind(&column.data_type), name: column.name };
    dataset.columns().into_iter().map(column).collect()
}

/// What a column's values are in an `event`.
fn kind(data_type: &DataType) -> ColumnKind {
    match data_type {
        DataType::Boolean => ColumnKind::Boolean,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => ColumnKind::Float,
        DataType::Date32 | DataType::Date64 => ColumnKind::Date,
        DataType::Timestamp(_, None) => ColumnKind::LocalDatetime,
        DataType::Timestamp(_, Some(_)) => ColumnKind::Datetime,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnKind::Text,
        DataType::Dictionary(_, values) => kind(values),
        integer if integer.is_integer() => ColumnKind::Integer,
        _ => ColumnKind::Other,
    }
}
