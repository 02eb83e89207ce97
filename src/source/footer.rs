//! The footers of parquet files: schema, rows, and a digest that tells one content of a file from another.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, TimeUnit};
use datafusion::datasource::file_format::parquet::transform_schema_to_view;
use datafusion::datasource::physical_plan::parquet::Int96Coercer;
use datafusion::object_store::ObjectStoreExt;
use datafusion::parquet::arrow::parquet_to_arrow_schema;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use futures::StreamExt;
use sha2::{Digest, Sha256};

use super::error::SourceError;
use super::files::Found;
use super::stores::{innermost, words};

/// How many footers are read at a time.
const AT_ONCE: usize = 16;
/// The bytes read from a file's end at first: most footers are shorter.
const TAIL_BYTES: u64 = 64 * 1024;
/// The bytes at the very end: the footer's length and the magic number.
const LENGTH_BYTES: usize = 8;

/// What a file's footer says.
#[derive(Debug)]
pub(super) struct Footer {
    pub file: Found,
    /// Texts and binaries as views, the old 96-bit timestamps in microseconds.
    pub schema: Schema,
    /// The rows of each row group, in file order.
    pub row_groups: Vec<u64>,
    pub digest: [u8; 32],
}

/// The footers of all files, in their order; or the faults of all that have none.
pub(super) async fn read_all(files: Vec<Found>) -> Result<Vec<Footer>, Vec<SourceError>> {
    let read: Vec<Result<Footer, SourceError>> =
        futures::stream::iter(files).map(read).buffered(AT_ONCE).collect().await;
    let mut footers = Vec::with_capacity(read.len());
    let mut faults = Vec::new();
    for footer in read {
        match footer {
            Ok(footer) => footers.push(footer),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(footers) } else { Err(faults) }
}

async fn read(file: Found) -> Result<Footer, SourceError> {
    let bytes = footer_bytes(&file).await?;
    let malformed = |why: String| SourceError::Malformed {
        key: file.key.clone(),
        name: file.name.to_string(),
        format: "parquet",
        why,
    };
    let metadata =
        ParquetMetaDataReader::decode_metadata(&bytes).map_err(|why| malformed(innermost(&why)))?;
    let schema = arrow_schema(&metadata).map_err(|why| malformed(innermost(&why)))?;
    if let Some(twice) = repeated(&schema) {
        return Err(malformed(format!("two columns are named `{twice}`")));
    }
    let row_groups = metadata
        .row_groups()
        .iter()
        .map(|group| u64::try_from(group.num_rows()).unwrap_or_default())
        .collect();
    Ok(Footer { schema, row_groups, digest: Sha256::digest(&bytes).into(), file })
}

/// The bytes of the footer, without the length and the magic number after it.
async fn footer_bytes(file: &Found) -> Result<Vec<u8>, SourceError> {
    let malformed = |why: &str| SourceError::Malformed {
        key: file.key.clone(),
        name: file.name.to_string(),
        format: "parquet",
        why: why.to_owned(),
    };
    let size = file.object.size;
    if size < LENGTH_BYTES as u64 {
        return Err(malformed("it is too short"));
    }
    let tail = range(file, size.saturating_sub(TAIL_BYTES), size).await?;
    let ending = tail.len().checked_sub(LENGTH_BYTES).ok_or_else(|| malformed("it is too short"))?;
    let (before, ending) = tail.split_at(ending);
    let ending =
        FooterTail::try_from(ending).map_err(|_| malformed("it does not end as parquet files do"))?;
    if ending.is_encrypted_footer() {
        return Err(malformed("its footer is encrypted"));
    }
    let length = ending.metadata_length();
    if let Some(start) = before.len().checked_sub(length) {
        return Ok(before.get(start..).unwrap_or_default().to_vec());
    }
    let end = size.saturating_sub(LENGTH_BYTES as u64);
    let start =
        end.checked_sub(length as u64).ok_or_else(|| malformed("its footer is longer than the file"))?;
    Ok(range(file, start, end).await?.to_vec())
}

async fn range(
    file: &Found,
    start: u64,
    end: u64,
) -> Result<impl std::ops::Deref<Target = [u8]> + use<>, SourceError> {
    file.store.objects.get_range(&file.object.location, start..end).await.map_err(|why| {
        SourceError::Unreadable { key: Some(file.key.clone()), name: file.name.to_string(), why: words(why) }
    })
}

fn arrow_schema(metadata: &ParquetMetaData) -> Result<Schema, ParquetError> {
    let file = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata())?;
    // In nanoseconds, as they are by default, 96-bit timestamps overflow outside the years 1677 to 2262.
    let schema =
        Int96Coercer::new(file.schema_descr(), &schema, &TimeUnit::Microsecond).coerce().unwrap_or(schema);
    Ok(transform_schema_to_view(&schema))
}

fn repeated(schema: &Schema) -> Option<&str> {
    let mut names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    names.sort_unstable();
    names.windows(2).find_map(|pair| match pair {
        [a, b] if a == b => Some(*a),
        _ => None,
    })
}

/// The lineages of files in their order: for each a hash chain over (name, size, rows, footer) of all files up to and
/// including it. A changed, removed or inserted earlier file changes it; a file added after it does not.
pub(super) fn lineages(footers: &[Footer]) -> Vec<Arc<str>> {
    /// 128 bits: as good as unique, and short enough to go with each message.
    const BYTES: usize = 16;
    let mut chain = [0_u8; 32];
    footers
        .iter()
        .map(|footer| {
            let rows: u64 = footer.row_groups.iter().sum();
            let mut hash = Sha256::new();
            hash.update(chain);
            hash.update((footer.file.name.len() as u64).to_le_bytes());
            hash.update(footer.file.name.as_bytes());
            hash.update(footer.file.object.size.to_le_bytes());
            hash.update(rows.to_le_bytes());
            hash.update(footer.digest);
            chain = hash.finalize().into();
            Arc::from(hex::encode(chain.get(..BYTES).unwrap_or(&chain)))
        })
        .collect()
}
