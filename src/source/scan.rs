//! Rows of the files, in order, filtered and projected: one file after the other.
//!
//! The reader itself tells each row's number in the file (parquet's row number column), so an ordinal stays right where
//! row groups and pages are skipped.

mod ahead;

pub(super) use ahead::MOST_AT_ONCE;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{filter_record_batch, prep_null_mask_filter};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, SchemaRef};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    CachedParquetFileReaderFactory, ParquetAccessPlan, RowGroupAccess,
};
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::FileMetadataCache;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::ObjectStoreExt;
use datafusion::parquet::arrow::RowNumber;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use futures::{Stream, StreamExt};
use tokio::runtime::Handle;

use super::blame::Blame;
use super::dataset::{Batch, DataFile};
use super::error::SourceError;
use super::sql;
use super::stores::{innermost, words};
use crate::message::RowId;

/// What is done to the rows: compiled once, used for each scan and for the rows of tests.
#[derive(Debug)]
pub(super) struct Plan {
    /// All columns of the files.
    pub file_schema: SchemaRef,
    /// The columns that filter and select use, by their place among all columns.
    pub used: Vec<usize>,
    /// The filter, on the used columns.
    pub predicate: Option<Arc<dyn PhysicalExpr>>,
    /// What of the filter may judge a row group by its statistics, on all columns.
    pub pruning: Option<Arc<dyn PhysicalExpr>>,
    /// The columns of `select`, on the used columns.
    pub outputs: Vec<Arc<dyn PhysicalExpr>>,
    /// The entry of `select` that each of them comes from.
    pub entries: Vec<usize>,
    pub output_schema: SchemaRef,
}

impl Plan {
    /// The wanted rows of a batch of the used columns, at most `limit`, and which rows of the batch they are.
    pub fn pick(
        &self,
        batch: &RecordBatch,
        limit: Option<u64>,
    ) -> Result<(RecordBatch, Vec<usize>), DataFusionError> {
        let (mut wanted, mut kept) = self.wanted(batch)?;
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        if kept.len() > limit {
            kept.truncate(limit);
            wanted = wanted.slice(0, limit);
        }
        let columns = self
            .outputs
            .iter()
            .map(|output| output.evaluate(&wanted)?.into_array(wanted.num_rows()))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.output_schema), columns, &options)?;
        Ok((rows, kept))
    }

    /// The rows of a batch that pass the filter, and which they are.
    pub fn wanted(&self, batch: &RecordBatch) -> Result<(RecordBatch, Vec<usize>), DataFusionError> {
        let Some(predicate) = &self.predicate else {
            return Ok((batch.clone(), (0..batch.num_rows()).collect()));
        };
        let mask = mask(predicate, batch)?;
        Ok((filter_record_batch(batch, &mask)?, mask.values().set_indices().collect()))
    }

    /// The scan of some rows of one file: the used columns and each row's number. The rows end where a row group does.
    fn reader(
        &self,
        file: &DataFile,
        rows: &Range<u64>,
        footer: Option<&Arc<FileMetadataCache>>,
    ) -> Result<Arc<DataSourceExec>, DataFusionError> {
        let name = unused_name(&self.file_schema);
        let row_number = Field::new(name, DataType::Int64, false).with_extension_type(RowNumber);
        let table = TableSchema::builder(Arc::clone(&self.file_schema))
            .with_virtual_columns(vec![Arc::new(row_number)]);
        let mut projection = self.used.clone();
        projection.push(self.file_schema.fields().len());

        let mut options = TableParquetOptions::default();
        options.global.max_in_list_size = sql::LONGEST_LIST;
        options.global.coerce_int96 = Some("us".to_owned());
        let mut source = ParquetSource::new(table.build()).with_table_parquet_options(options);
        if let Some(pruning) = &self.pruning {
            source = source.with_predicate(Arc::clone(pruning));
        }
        if let Some(footer) = footer {
            let (objects, footer) = (Arc::clone(&file.store.objects), Arc::clone(footer));
            let readers = CachedParquetFileReaderFactory::new(objects, footer);
            source = source.with_parquet_file_reader_factory(Arc::new(readers));
        }
        let mut part = PartitionedFile::new_from_meta(file.object.clone());
        if *rows != (0..file.rows) {
            part = part.with_extension(access(rows, &file.row_groups));
        }
        let config = FileScanConfigBuilder::new(file.store.url.clone(), Arc::new(source))
            .with_file(part)
            .with_projection_indices(Some(projection))?
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

/// Which rows pass a filter: those for which it is true, neither false nor null.
pub(super) fn mask(
    predicate: &Arc<dyn PhysicalExpr>,
    batch: &RecordBatch,
) -> Result<BooleanArray, DataFusionError> {
    let values = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
    let mask = values
        .as_boolean_opt()
        .ok_or_else(|| DataFusionError::Execution("the filter is no condition".to_owned()))?;
    Ok(if mask.null_count() > 0 { prep_null_mask_filter(mask) } else { mask.clone() })
}

/// Access to some rows: row groups before and after them are not read at all.
fn access(rows: &Range<u64>, row_groups: &[u64]) -> ParquetAccessPlan {
    let mut begins = 0;
    let access = row_groups.iter().map(|in_group| {
        let skip = rows.start.saturating_sub(begins).min(*in_group);
        let is_behind = begins >= rows.end;
        begins += in_group;
        match skip {
            _ if is_behind => RowGroupAccess::Skip,
            0 => RowGroupAccess::Scan,
            all if all == *in_group => RowGroupAccess::Skip,
            some => RowGroupAccess::Selection(RowSelection::from(vec![
                RowSelector::skip(usize::try_from(some).unwrap_or(usize::MAX)),
                RowSelector::select(usize::try_from(in_group - some).unwrap_or(usize::MAX)),
            ])),
        }
    });
    ParquetAccessPlan::new(access.collect())
}

/// A name for the row number column that no column of the files has.
fn unused_name(schema: &SchemaRef) -> String {
    let mut name = "row number".to_owned();
    while schema.column_with_name(&name).is_some() {
        name.push('\'');
    }
    name
}

/// Rows of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// The file, by its place.
    file: usize,
    /// The rows that have not been passed. They end where a row group does.
    rows: Range<u64>,
}

/// A scan on its way through the files.
pub(super) struct Scan {
    plan: Arc<Plan>,
    files: Arc<[DataFile]>,
    context: Arc<TaskContext>,
    /// How many more rows are wanted.
    left: Option<u64>,
    /// What is read, one after the other.
    parts: VecDeque<Part>,
    /// The reader of the first part.
    reader: Option<SendableRecordBatchStream>,
    /// The footer of the file, where it is read more than once.
    footer: Option<Arc<FileMetadataCache>>,
}

impl Scan {
    /// A scan of the rows after `after`, at most `limit` that pass the filter.
    pub fn new(
        plan: Arc<Plan>,
        files: Arc<[DataFile]>,
        context: Arc<TaskContext>,
        after: Option<&RowId>,
        limit: Option<u64>,
    ) -> Result<Self, SourceError> {
        let (first, position) = match after {
            None => (0, 0),
            Some(row) => {
                let nowhere =
                    |why| SourceError::NoSuchRow { file: Arc::clone(&row.file), ordinal: row.ordinal, why };
                let place = files.iter().position(|file| file.name == row.file);
                let place = place.ok_or_else(|| nowhere("the source has no such file any more"))?;
                if files.get(place).is_none_or(|file| row.ordinal >= file.rows) {
                    return Err(nowhere("the file has fewer rows"));
                }
                (place, row.ordinal + 1)
            }
        };
        let rest = files.iter().enumerate().skip(first);
        let parts = rest.map(|(place, file)| {
            let begins = if place == first { position } else { 0 };
            Part { file: place, rows: begins..file.rows }
        });
        let parts = parts.collect();
        Ok(Self { plan, files, context, left: limit, parts, reader: None, footer: None })
    }

    /// The batches, until the last file ends or a fault. Several row groups are read side by side where the runtime has threads for
    /// it, unless only some rows are wanted.
    pub fn into_stream(
        self,
        most_at_once: usize,
    ) -> impl Stream<Item = Result<Batch, SourceError>> + Send + use<> {
        let threads = Handle::try_current().map_or(1, |runtime| runtime.metrics().num_workers());
        let at_once = threads.min(most_at_once);
        if at_once > 1 && self.left.is_none() {
            ahead::read(self, at_once, ahead::STRETCH_ROWS).left_stream()
        } else {
            self.in_turn().right_stream()
        }
    }

    /// The batches, each read when it is asked for.
    fn in_turn(self) -> impl Stream<Item = Result<Batch, SourceError>> + Send + use<> {
        futures::stream::try_unfold(self, |mut scan| async move {
            let batch = scan.next().await?;
            Ok(batch.map(|batch| (batch, scan)))
        })
    }

    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        loop {
            if self.left == Some(0) {
                return Ok(None);
            }
            let files = Arc::clone(&self.files);
            let Some(Part { file, rows }) = self.parts.front().cloned() else { return Ok(None) };
            let Some(file) = files.get(file).filter(|_| !rows.is_empty()) else {
                self.parts.pop_front();
                self.reader = None;
                continue;
            };
            let reader = match &mut self.reader {
                Some(reader) => reader,
                None => self
                    .reader
                    .insert(open(&self.plan, file, &rows, self.footer.as_ref(), &self.context).await?),
            };
            return match reader.next().await {
                Some(read) => {
                    let read = read.map_err(|why| unreadable(file, &why))?;
                    self.batch(file, rows.start, &read).map(Some)
                }
                // What is left of the part was pruned.
                None => Ok(Some(self.rest(file, rows))),
            };
        }
    }

    /// Notes that the rows before `next` are passed.
    fn pass(&mut self, next: u64) {
        if let Some(part) = self.parts.front_mut() {
            part.rows.start = next;
        }
    }

    /// A batch of what the reader gave.
    fn batch(&mut self, file: &DataFile, position: u64, read: &RecordBatch) -> Result<Batch, SourceError> {
        let row_numbers = read.columns().last().and_then(|column| column.as_primitive_opt::<Int64Type>());
        let numbers: &[i64] = row_numbers.map_or(&[], |numbers| numbers.values());
        let number = |row: usize| numbers.get(row).and_then(|number| u64::try_from(*number).ok());

        let columns: Vec<usize> = (0..read.num_columns().saturating_sub(1)).collect();
        let last = number(read.num_rows().saturating_sub(1)).unwrap_or(file.rows);
        let fault = |why: &DataFusionError| SourceError::Row {
            key: None,
            place: format!("`{}`, rows {} to {last}", file.name, position),
            why: innermost(why),
        };
        let used = read.project(&columns).map_err(|why| fault(&why.into()))?;
        let (rows, kept) = self.plan.pick(&used, self.left).map_err(|why| {
            let Some(Blame { key, row, why }) = self.plan.blame(&used) else { return fault(&why) };
            let row = number(row).unwrap_or(position);
            let place = format!("`{}`, row {row}", file.name);
            SourceError::Row { key: Some(key), place, why: innermost(&why) }
        })?;
        let ordinals: Vec<u64> = kept.into_iter().filter_map(number).collect();

        let last = if self.left == Some(ordinals.len() as u64) {
            ordinals.last().copied()
        } else {
            number(read.num_rows().saturating_sub(1))
        };
        let passed = last.map_or(position, |last| last + 1);
        if let Some(left) = &mut self.left {
            *left -= ordinals.len() as u64;
        }
        let batch = Batch {
            file: Arc::clone(&file.name),
            lineage: Arc::clone(&file.lineage),
            rows,
            ordinals,
            read: passed.saturating_sub(position),
        };
        self.pass(passed);
        Ok(batch)
    }

    /// A batch without rows, for the rows at a part's end that the reader did not need to look at.
    fn rest(&mut self, file: &DataFile, rows: Range<u64>) -> Batch {
        let read = rows.end - rows.start;
        self.pass(rows.end);
        Batch {
            file: Arc::clone(&file.name),
            lineage: Arc::clone(&file.lineage),
            rows: RecordBatch::new_empty(Arc::clone(&self.plan.output_schema)),
            ordinals: Vec::new(),
            read,
        }
    }
}

async fn open(
    plan: &Plan,
    file: &DataFile,
    rows: &Range<u64>,
    footer: Option<&Arc<FileMetadataCache>>,
    context: &Arc<TaskContext>,
) -> Result<SendableRecordBatchStream, SourceError> {
    // The ordinals and the lineage are those of the file as it was when its footer was read.
    let now = file
        .store
        .objects
        .head(&file.object.location)
        .await
        .map_err(|why| SourceError::Unreadable { key: None, name: file.name.to_string(), why: words(why) })?;
    // Listings and single requests tell times in different precision, so a tag goes before them.
    let same = match (&now.e_tag, &file.object.e_tag) {
        (Some(now), Some(then)) => now == then,
        _ => now.last_modified == file.object.last_modified,
    };
    if now.size != file.object.size || !same {
        return Err(SourceError::Changed { name: Arc::clone(&file.name) });
    }
    plan.reader(file, rows, footer)
        .and_then(|reader| reader.execute(0, Arc::clone(context)))
        .map_err(|why| unreadable(file, &why))
}

fn unreadable(file: &DataFile, why: &DataFusionError) -> SourceError {
    SourceError::Unreadable { key: None, name: file.name.to_string(), why: innermost(why) }
}

#[cfg(test)]
mod tests;
