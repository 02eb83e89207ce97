//! Rows of the files, in order, filtered and projected: one file after the other, in one partition.
//!
//! The reader itself tells each row's number in the file (parquet's row number column), so an ordinal stays right where
//! row groups and pages are skipped.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::{filter_record_batch, prep_null_mask_filter};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, SchemaRef};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{ParquetAccessPlan, RowGroupAccess};
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::ObjectStoreExt;
use datafusion::parquet::arrow::RowNumber;
use datafusion::parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use futures::{Stream, StreamExt};

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

    /// The scan of one file: the used columns and each row's number, without the rows before `first`.
    fn reader(&self, file: &DataFile, first: u64) -> Result<Arc<DataSourceExec>, DataFusionError> {
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
        let mut part = PartitionedFile::new_from_meta(file.object.clone());
        if first > 0 {
            part = part.with_extension(rows_from(first, &file.row_groups));
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

/// The rows from `first` on: earlier row groups are not read at all.
fn rows_from(first: u64, row_groups: &[u64]) -> ParquetAccessPlan {
    let mut begins = 0;
    let access = row_groups.iter().map(|rows| {
        let skip = first.saturating_sub(begins).min(*rows);
        begins += rows;
        match skip {
            0 => RowGroupAccess::Scan,
            all if all == *rows => RowGroupAccess::Skip,
            some => RowGroupAccess::Selection(RowSelection::from(vec![
                RowSelector::skip(usize::try_from(some).unwrap_or(usize::MAX)),
                RowSelector::select(usize::try_from(rows - some).unwrap_or(usize::MAX)),
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

/// A scan on its way through the files.
pub(super) struct Scan {
    plan: Arc<Plan>,
    files: Arc<[DataFile]>,
    context: Arc<TaskContext>,
    /// How many more rows are wanted.
    left: Option<u64>,
    /// The file being read, by its place.
    file: usize,
    /// The first row of that file that has not been passed.
    position: u64,
    rows: Option<SendableRecordBatchStream>,
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
        let (file, position) = match after {
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
        Ok(Self { plan, files, context, left: limit, file, position, rows: None })
    }

    /// The batches, until the last file ends or a fault.
    pub fn into_stream(self) -> impl Stream<Item = Result<Batch, SourceError>> + Send + use<> {
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
            let Some(file) = files.get(self.file) else { return Ok(None) };
            if self.position >= file.rows {
                self.file += 1;
                self.position = 0;
                self.rows = None;
                continue;
            }
            let rows = match &mut self.rows {
                Some(rows) => rows,
                None => self.rows.insert(open(&self.plan, file, self.position, &self.context).await?),
            };
            return match rows.next().await {
                Some(read) => {
                    let read = read.map_err(|why| unreadable(file, &why))?;
                    self.batch(file, &read).map(Some)
                }
                // What is left of the file was pruned.
                None => Ok(Some(self.rest(file))),
            };
        }
    }

    /// A batch of what the reader gave.
    fn batch(&mut self, file: &DataFile, read: &RecordBatch) -> Result<Batch, SourceError> {
        let row_numbers = read.columns().last().and_then(|column| column.as_primitive_opt::<Int64Type>());
        let numbers: &[i64] = row_numbers.map_or(&[], |numbers| numbers.values());
        let number = |row: usize| numbers.get(row).and_then(|number| u64::try_from(*number).ok());

        let columns: Vec<usize> = (0..read.num_columns().saturating_sub(1)).collect();
        let last = number(read.num_rows().saturating_sub(1)).unwrap_or(file.rows);
        let fault = |why: &DataFusionError| SourceError::Row {
            key: None,
            place: format!("`{}`, rows {} to {last}", file.name, self.position),
            why: innermost(why),
        };
        let used = read.project(&columns).map_err(|why| fault(&why.into()))?;
        let (rows, kept) = self.plan.pick(&used, self.left).map_err(|why| {
            let Some(Blame { key, row, why }) = self.plan.blame(&used) else { return fault(&why) };
            let row = number(row).unwrap_or(self.position);
            let place = format!("`{}`, row {row}", file.name);
            SourceError::Row { key: Some(key), place, why: innermost(&why) }
        })?;
        let ordinals: Vec<u64> = kept.into_iter().filter_map(number).collect();

        let last = if self.left == Some(ordinals.len() as u64) {
            ordinals.last().copied()
        } else {
            number(read.num_rows().saturating_sub(1))
        };
        let passed = last.map_or(self.position, |last| last + 1);
        if let Some(left) = &mut self.left {
            *left -= ordinals.len() as u64;
        }
        let batch = Batch {
            file: Arc::clone(&file.name),
            lineage: Arc::clone(&file.lineage),
            rows,
            ordinals,
            read: passed.saturating_sub(self.position),
        };
        self.position = passed;
        Ok(batch)
    }

    /// A batch without rows, for the rows at a file's end that the reader did not need to look at.
    fn rest(&mut self, file: &DataFile) -> Batch {
        let read = file.rows - self.position;
        self.position = file.rows;
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
    first: u64,
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
    plan.reader(file, first)
        .and_then(|reader| reader.execute(0, Arc::clone(context)))
        .map_err(|why| unreadable(file, &why))
}

fn unreadable(file: &DataFile, why: &DataFusionError) -> SourceError {
    SourceError::Unreadable { key: None, name: file.name.to_string(), why: innermost(why) }
}

#[cfg(test)]
mod tests;
