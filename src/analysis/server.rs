//! GDS procedures on the server.
//!
//! The server is asked for the procedure and its columns, and for the memory that it needs. Then the part of the graph is
//! projected under a name of its own, the procedure called, and the projection dropped, whatever came of it. Statements are
//! made and tables read by pure functions; here is their order. It follows the manual of GDS 2.13.

mod attended;
mod failure;
mod leftovers;
mod memory;
mod nodes;
mod procedure;
mod projection;
mod statement;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use self::procedure::Procedure;
use self::projection::NativeProjection;
use super::{AnalysisError, AnalysisResult, Watch};
use crate::graph::{GraphStore, Table};
use crate::spec::gds::Shape;
use crate::spec::{Analysis, Projection};

/// A computation on a projection.
struct Job {
    /// The projection's name.
    graph: String,
    /// What the server's list of jobs calls it.
    id: String,
}

/// Runs a procedure by the server's GDS, of that version.
///
/// # Errors
/// Where the server has no such procedure, has too little memory for it, or the procedure or its projection fails.
pub(super) async fn run(
    store: &dyn GraphStore,
    analysis: &Analysis,
    (name, projection): (&str, &Projection),
    version: &str,
    watch: Watch<'_>,
) -> Result<AnalysisResult, AnalysisError> {
    let procedure = procedure::find(store, name, analysis.mode).await?;
    let mut config = nodes::resolve(store, analysis, procedure.known).await?;
    let projection = native(store, projection).await?;
    memory::check(store, &procedure, &projection, &config).await?;
    leftovers::drop(store, watch.pipeline).await?;

    let graph = leftovers::name(watch.pipeline);
    let job = Job { id: attended::id(&mut config, &graph), graph };
    let answer =
        compute(store, &procedure, &projection, (&config, analysis.identify.as_deref()), &job, watch).await;
    // Not by a guard's `Drop`, which cannot wait for the server. A run that is killed before this leaves the projection to
    // the next one.
    let drop = statement::drop(&job.graph);
    let dropped = store.call(&drop.cypher, drop.parameters).await;

    let mut result = show(&procedure, version, answer?);
    if let Err(error) = dropped {
        let graph = &job.graph;
        result
            .notes
            .push(format!("the projection `{graph}` could not be dropped, the next run will: {error}"));
    }
    Ok(result)
}

/// The projection, with the labels of the database where it takes any.
async fn native(store: &dyn GraphStore, wanted: &Projection) -> Result<NativeProjection, AnalysisError> {
    if !projection::is_any(wanted) {
        return Ok(NativeProjection::new(wanted, &[]));
    }
    let labels = statement::labels();
    let labels = leftovers::texts(&store.query(&labels.cypher, labels.parameters).await?);
    Ok(NativeProjection::new(wanted, &labels))
}

/// Makes the projection and calls the procedure on it.
async fn compute(
    store: &dyn GraphStore,
    procedure: &Procedure,
    projection: &NativeProjection,
    (config, identify): (&Map<String, Value>, Option<&str>),
    job: &Job,
    watch: Watch<'_>,
) -> Result<Table, AnalysisError> {
    let project = statement::project(&job.graph, projection);
    let projecting = Job { graph: job.graph.clone(), id: job.graph.clone() };
    attended::call(store, "gds.graph.project", project, &projecting, watch).await?;
    let call = statement::call(procedure, &job.graph, config, identify);
    attended::call(store, &procedure.full_name(), call, job, watch).await
}

/// The table as the built-in engine would show it.
fn show(procedure: &Procedure, version: &str, table: Table) -> AnalysisResult {
    let Table { columns, rows, .. } = table;
    let chart = match procedure.shape() {
        Some(Shape::Scores) => columns.last().cloned(),
        Some(_) => None,
        None => super::chart_of(&columns, &rows),
    };
    let per_node = columns.first().is_some_and(|first| first == "nodeId");
    AnalysisResult {
        engine: format!("gds {version}"),
        chart,
        node_column: per_node.then(|| "nodeId".to_owned()),
        columns,
        rows,
        notes: Vec::new(),
    }
}
