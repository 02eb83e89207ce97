//! A call that may take long: its progress is told, and it is ended when it shall stop.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::{AnalysisError, Watch};
use super::statement::{self, Statement};
use super::{Job, failure};
use crate::graph::{GraphStore, Table};

/// How often the server is asked how far it is.
const INTERVAL: Duration = Duration::from_millis(500);
/// How long a call may take to end once it was told to.
const PATIENCE: Duration = Duration::from_secs(10);

/// Calls a procedure that works on a projection.
///
/// # Errors
/// Where the procedure fails, or `watch` has stopped it.
pub(super) async fn call(
    store: &dyn GraphStore,
    procedure: &str,
    statement: Statement,
    job: &Job,
    watch: Watch<'_>,
) -> Result<Table, AnalysisError> {
    let Statement { cypher, parameters } = statement;
    let mut call = store.call(&cypher, parameters);
    tokio::select! {
        answer = &mut call => answer.map_err(|error| failure::of(procedure, error)),
        () = stopped(store, job, watch) => {
            // Its answer is of no interest any more, only that the server is done with the projection.
            let _ = tokio::time::timeout(PATIENCE, async { tokio::join!(call, terminate(store, &job.graph)) }).await;
            Err(AnalysisError::Stopped)
        }
    }
}

/// Tells how far the job is, until it shall stop.
async fn stopped(store: &dyn GraphStore, job: &Job, watch: Watch<'_>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if (watch.stopped)() {
            return;
        }
        let progress = statement::progress(&job.id);
        // Progress is a courtesy: a server that does not tell it goes on all the same.
        if let Ok(table) = store.call(&progress.cypher, progress.parameters).await
            && let Some(percent) = percent(&table)
        {
            (watch.percent)(percent);
        }
    }
}

/// Ends the transactions that work on a projection.
async fn terminate(store: &dyn GraphStore, graph: &str) {
    let search = statement::transactions(graph);
    let Ok(found) = store.call(&search.cypher, search.parameters).await else { return };
    let transactions: Vec<Value> = found.rows.into_iter().flatten().collect();
    if !transactions.is_empty() {
        let terminate = statement::terminate(&transactions);
        // One that has ended meanwhile is as good as terminated.
        let _ = store.call(&terminate.cypher, terminate.parameters).await;
    }
}

/// The progress of the whole job, the first row of the list: `42.33%`. It is `n/a` while GDS does not know.
fn percent(table: &Table) -> Option<u64> {
    let text = table.rows.first()?.first()?.as_str()?.strip_suffix('%')?;
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    whole.trim().parse().ok().filter(|percent| *percent <= 100)
}

/// The id of the job: the file's own, or the projection's name.
pub(super) fn id(config: &mut Map<String, Value>, graph: &str) -> String {
    let id = config.entry("jobId").or_insert_with(|| Value::from(graph));
    id.as_str().unwrap_or(graph).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_row_says_how_far_the_whole_job_is() {
        let of = |rows: Value| {
            let rows = rows.as_array().into_iter().flatten().filter_map(Value::as_array).cloned().collect();
            percent(&Table { columns: vec!["progress".to_owned()], rows, warnings: Vec::new() })
        };
        assert_eq!(of(json!([["42.33%"], ["100%"]])), Some(42));
        assert_eq!(of(json!([["100%"]])), Some(100));
        assert_eq!(of(json!([["n/a"]])), None);
        assert_eq!(of(json!([])), None);
    }
}
