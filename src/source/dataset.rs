//! A source that has been opened: its files, columns and rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::object_store::ObjectMeta;
use futures::{Stream, StreamExt};

use super::columns::{self, Column};
use super::error::{SourceError, SourceWarning};
use super::scan::{MOST_AT_ONCE, Plan, Scan};
use super::sql;
use super::stores::{Store, Stores};
use super::tables::{self, Lookup};
use super::{files, footer, memory};
use crate::message::RowId;
use crate::share::Share;
use crate::spec;

/// Reads a secret from where a file says it is. The fault is what was tried, in words.
pub type SecretReader<'a> = &'a (dyn Fn(&spec::SecretSource) -> Result<String, String> + Send + Sync);

/// A parquet file of the source.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// As the source lists it: relative to the pipeline's folder, absolute where the pipeline file says so, or a URL.
    pub name: Arc<str>,
    /// How many rows it holds.
    pub rows: u64,
    /// Its size.
    pub bytes: u64,
    /// A hash chain over (name, size, rows, footer) of all files up to and including this one.
    pub lineage: Arc<str>,
    pub(super) store: Store,
    pub(super) object: ObjectMeta,
    pub(super) row_groups: Arc<[u64]>,
}

/// Some rows of one file, in file order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The file.
    pub file: Arc<str>,
    /// Its lineage.
    pub lineage: Arc<str>,
    /// The columns of `select`; no rows where the filter kept none.
    pub rows: RecordBatch,
    /// Each row's number in the file, from 0, counted before the filter.
    pub ordinals: Vec<u64>,
    /// How many rows of the source were passed since the last batch, or since the row that the scan began after: filtered ones
    /// and those of pruned row groups included. At the end of a file the sum is the file's rows; with a limit it ends at the last row taken.
    pub read: u64,
}

/// An opened source.
#[derive(Debug, Clone)]
pub struct Dataset {
    pub(super) files: Arc<[DataFile]>,
    file_schema: SchemaRef,
    pub(super) plan: Arc<Plan>,
    definition: String,
    tables: BTreeMap<String, Lookup>,
    warnings: Vec<SourceWarning>,
    pub(super) context: Arc<TaskContext>,
    /// How many row groups are read at a time, at most.
    at_once: usize,
}

/// Opens a source: lists its files, reads their footers, resolves the look-ups in its filter to literals, and plans filter and select.
///
/// `base` is the folder of the pipeline file. No row is read.
///
/// # Errors
///
/// Every fault that can be told, not only the first.
pub async fn open(
    source: &spec::Source,
    base: &Path,
    secrets: SecretReader<'_>,
) -> Result<Dataset, Vec<SourceError>> {
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let session = Arc::new(sql::Session::new());
    let secret = secret(source, secrets).map_err(|fault| vec![fault])?;
    let mut stores = Stores::new(session.runtime(), source.object_store.as_ref(), secret);

    let (tables, faults) = tables::load(&source.tables, &base, &mut stores).await;
    let footers = match files::list(source.parquet.as_slice(), &base, &mut stores).await {
        Ok(found) => footer::read_all(found).await,
        Err(found) => Err(found),
    };
    let footers = match footers {
        Ok(footers) => footers,
        Err(found) => return Err([faults, found, sql::syntax(source).await].concat()),
    };
    let lineages = footer::lineages(&footers);
    let file_columns = Arc::new(columns::merge(&footers));
    let planned = match sql::plan(&session, source, &file_columns, &tables).await {
        Ok(planned) if faults.is_empty() => planned,
        Ok(_) => return Err(faults),
        Err(found) => return Err([faults, found].concat()),
    };
    let files = footers.into_iter().zip(lineages).map(|(footer, lineage)| DataFile {
        name: footer.file.name,
        rows: footer.row_groups.iter().sum(),
        bytes: footer.file.object.size,
        lineage,
        store: footer.file.store,
        object: footer.file.object,
        row_groups: footer.row_groups.into(),
    });
    Ok(Dataset {
        files: files.collect(),
        file_schema: Arc::clone(&file_columns.schema),
        plan: Arc::new(planned.plan),
        definition: planned.definition,
        tables: tables.loaded,
        warnings: planned.warnings,
        context: session.task(),
        at_once: MOST_AT_ONCE,
    })
}

fn secret(source: &spec::Source, read: SecretReader<'_>) -> Result<Option<String>, SourceError> {
    let Some(wanted) = source.object_store.as_ref().and_then(|store| store.secret_access_key_from.as_ref())
    else {
        return Ok(None);
    };
    read(wanted).map(Some).map_err(|why| SourceError::Secret { why })
}

impl Dataset {
    /// The files, in the order in which they are read.
    #[must_use]
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// The files that fall to a share, as a source of their own; their lineages stay what they are.
    #[must_use]
    pub fn share(&self, share: Share) -> Self {
        let numbered = (0_u32..).zip(self.files.iter());
        let files = numbered.filter(|(number, _)| share.owns(*number)).map(|(_, file)| file.clone());
        Self { files: files.collect(), ..self.clone() }
    }

    /// The first files alone.
    #[must_use]
    pub fn first(&self, files: usize) -> Self {
        Self { files: self.files.iter().take(files).cloned().collect(), ..self.clone() }
    }

    /// The same, to be read side by side with so many sources in all: they share the memory for what is read ahead.
    #[must_use]
    pub fn beside(self, sources: u32) -> Self {
        let sources = usize::try_from(sources).unwrap_or(usize::MAX).max(1);
        Self { at_once: (MOST_AT_ONCE / sources).max(1), ..self }
    }

    /// The columns of the files.
    #[must_use]
    pub fn file_columns(&self) -> Vec<Column> {
        Column::all(&self.file_schema)
    }

    /// The columns of `select`: what an `event` has.
    #[must_use]
    pub fn columns(&self) -> Vec<Column> {
        Column::all(&self.plan.output_schema)
    }

    /// All rows of all files, before the filter.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// What makes a row, in a canonical form: `select`, and `filter` with its look-ups resolved.
    #[must_use]
    pub fn definition(&self) -> &str {
        &self.definition
    }

    /// What will hurt, though the source can be read.
    #[must_use]
    pub fn warnings(&self) -> &[SourceWarning] {
        &self.warnings
    }

    /// The rows of a look-up table.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Lookup> {
        self.tables.get(name)
    }

    /// Rows given as JSON objects, filtered and projected as the rows of files are; as if they were a file of that name.
    ///
    /// A column left out is null. Values are read as the columns' types: numbers also from texts, timestamps from ISO 8601 texts.
    ///
    /// # Errors
    ///
    /// For each row: a column that the files do not have, a null in one that is never null, a value that its column cannot hold.
    pub fn in_memory(
        &self,
        name: &str,
        rows: &[serde_json::Map<String, serde_json::Value>],
    ) -> Result<Batch, Vec<SourceError>> {
        memory::batch(&self.plan, name, rows)
    }

    /// The rows that pass the filter, in order, beginning after a row, at most `limit`.
    ///
    /// Row groups wholly before `after` are not read.
    pub fn scan(
        &self,
        after: Option<&RowId>,
        limit: Option<u64>,
    ) -> impl Stream<Item = Result<Batch, SourceError>> + Send + use<> {
        let scan = Scan::new(
            Arc::clone(&self.plan),
            Arc::clone(&self.files),
            Arc::clone(&self.context),
            after,
            limit,
        );
        match scan {
            Ok(scan) => scan.into_stream(self.at_once).left_stream(),
            Err(fault) => futures::stream::iter([Err(fault)]).right_stream(),
        }
    }
}
