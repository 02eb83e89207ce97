//! Whether the server has the memory that a procedure and its projection need.

use serde_json::{Map, Value};

use super::super::AnalysisError;
use super::procedure::Procedure;
use super::projection::NativeProjection;
use super::{failure, statement};
use crate::graph::{GraphStore, Table};

/// The configuration key by which GDS is told not to care.
const UNCHECKED: &str = "sudo";

/// Refuses a procedure that is certain not to fit in the heap that is free.
///
/// Like GDS's own guard it compares the least that is needed, so it never refuses what might do; but it counts the projection
/// too, and refuses before anything is made. Where the server does not tell its free heap, GDS's guard is left to judge.
///
/// # Errors
/// Where it does not fit, or the estimate refuses the configuration.
pub(super) async fn check(
    store: &dyn GraphStore,
    procedure: &Procedure,
    projection: &NativeProjection,
    config: &Map<String, Value>,
) -> Result<(), AnalysisError> {
    if config.get(UNCHECKED) == Some(&Value::Bool(true)) {
        return Ok(());
    }
    let estimate = statement::estimate(procedure, projection, config);
    let table = store.call(&estimate.cypher, estimate.parameters).await;
    let table = table.map_err(|error| failure::of(&procedure.full_name(), error))?;
    let free = statement::free_heap();
    let free = store.call(&free.cypher, free.parameters).await.ok();
    judge(&procedure.full_name(), &table, free.as_ref().and_then(available))
}

/// Whether what an estimate says fits in so many bytes.
fn judge(procedure: &str, estimate: &Table, available: Option<u64>) -> Result<(), AnalysisError> {
    let Some([required, least]) =
        estimate.rows.first().and_then(|row| <&[Value; 2]>::try_from(row.as_slice()).ok())
    else {
        return Ok(());
    };
    match (least.as_u64(), available) {
        (Some(least), Some(available)) if least > available => Err(AnalysisError::Memory {
            procedure: procedure.to_owned(),
            required: required.as_str().map_or_else(|| size(least), str::to_owned),
            available: size(available),
        }),
        _ => Ok(()),
    }
}

/// The bytes of heap that a table says are free.
fn available(table: &Table) -> Option<u64> {
    table.rows.first()?.first()?.as_u64()
}

/// A number of bytes as GDS shows it: `593 KiB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["Bytes", "KiB", "MiB", "GiB", "TiB"];
    const STEP: u64 = 1024;
    const ENOUGH: u64 = 10 * STEP;
    let (mut size, mut unit) = (bytes, 0);
    while size >= ENOUGH && unit + 1 < UNITS.len() {
        size /= STEP;
        unit += 1;
    }
    format!("{size} {}", UNITS.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(columns: &[&str], row: &Value) -> Table {
        let columns = columns.iter().map(|name| (*name).to_owned()).collect();
        let rows = row.as_array().cloned().into_iter().collect();
        Table { columns, rows, warnings: Vec::new() }
    }

    #[test]
    fn only_what_is_certain_not_to_fit_is_refused() {
        let estimate = table(&["requiredMemory", "bytesMin"], &json!(["[593 KiB ... 2 GiB]", 607_576]));
        assert!(judge("gds.louvain.stream", &estimate, Some(607_576)).is_ok());
        assert!(judge("gds.louvain.stream", &estimate, None).is_ok());
        let refused =
            judge("gds.louvain.stream", &estimate, Some(102_400)).map_err(|error| error.to_string());
        assert_eq!(
            refused,
            Err("`gds.louvain.stream` and its projection need [593 KiB ... 2 GiB], and the server has 100 KiB of heap free"
                .to_owned())
        );
    }

    #[test]
    fn sizes_are_shown_as_gds_shows_them() {
        assert_eq!(size(696), "696 Bytes");
        assert_eq!(size(9_000), "9000 Bytes");
        assert_eq!(size(607_576), "593 KiB");
        assert_eq!(size(1 << 34), "16 GiB");
    }

    #[test]
    fn free_heap_is_read() {
        assert_eq!(available(&table(&["value"], &json!([1_073_741_824]))), Some(1 << 30));
        assert_eq!(available(&table(&["value"], &json!(["unknown"]))), None);
    }
}
