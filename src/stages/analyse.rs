//! The analyse stage: questions are asked of the graph, in the file's order.

use std::time::Instant;

use super::Fault;
use super::validate::Plan;
use crate::analysis::{self, AnalysisResult};
use crate::graph::GraphStore;
use crate::progress::{Event, Interrupt, Progress, Stage};
use crate::report::AnalysisReport;
use crate::spec::Analysis;

/// Runs the pipeline's analyses one after the other; an interrupt ends it after the one under way.
///
/// # Errors
/// The first analysis that cannot be computed. A false assertion is no error here: it is in the result.
pub async fn analyse(
    plan: &Plan,
    store: &dyn GraphStore,
    progress: &Progress,
    interrupt: &Interrupt,
    reports: &mut Vec<AnalysisReport>,
) -> Result<(), Fault> {
    let analyses = &plan.pipeline.spec.analyses;
    for (index, analysis) in analyses.iter().enumerate() {
        if interrupt.requested() {
            break;
        }
        progress.tell(Event::StageProgress {
            stage: Stage::Analyse,
            unit: "analyses",
            done: index as u64,
            total: Some(analyses.len() as u64),
        });
        let begun = Instant::now();
        let result = analysis::run(store, analysis).await.map_err(|error| super::fault::analysis(index, &error))?;
        reports.push(report(analysis, result, begun.elapsed().as_secs_f64()));
    }
    if analyses.iter().any(|analysis| analysis.mode == crate::spec::Mode::Write) {
        store.persist().await?;
    }
    Ok(())
}

/// What the report says of a result.
fn report(analysis: &Analysis, mut result: AnalysisResult, seconds: f64) -> AnalysisReport {
    let assertions = analysis::assertions(analysis, &result);
    let total_rows = result.rows.len() as u64;
    result.rows.truncate(analysis.keep);
    AnalysisReport {
        name: analysis.name.clone(),
        engine: result.engine,
        procedure: analysis.gds.as_ref().map_or_else(|| "cypher".to_owned(), |name| format!("gds.{name}")),
        columns: result.columns,
        rows: result.rows,
        total_rows,
        top: analysis.top,
        chart: result.chart,
        seconds,
        assertions,
    }
}
