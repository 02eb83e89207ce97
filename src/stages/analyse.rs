//! The analyse stage: questions are asked of the graph, in the file's order.

use std::time::Instant;

use super::Fault;
use super::journal::Summary;
use super::validate::Plan;
use crate::analysis::{self, AnalysisResult, Judgement};
use crate::graph::GraphStore;
use crate::progress::{Event, Interrupt, Progress, Stage};
use crate::report::{AnalysisReport, AssertionReport};
use crate::spec::{Analysis, Mode};

/// Runs the pipeline's analyses one after the other; an interrupt ends it after the one under way.
///
/// # Errors
/// The first analysis that cannot be computed. A false assertion is no error here: it is in the result.
pub(super) async fn analyse(
    plan: &Plan,
    store: &dyn GraphStore,
    progress: &Progress,
    interrupt: &Interrupt,
    reports: &mut Vec<AnalysisReport>,
) -> Result<Analysed, Fault> {
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
        let result = run(store, analyses, index).await?;
        reports.push(report(analysis, result, begun.elapsed().as_secs_f64()));
    }
    if analyses.iter().any(|analysis| analysis.mode == Mode::Write) {
        store.persist().await?;
    }
    Ok(Analysed { done: reports.len() })
}

/// Runs one of the analyses.
pub(super) async fn run(
    store: &dyn GraphStore,
    analyses: &[Analysis],
    index: usize,
) -> Result<AnalysisResult, Fault> {
    let Some(wanted) = analyses.get(index) else {
        return Err(Fault(Vec::new()));
    };
    let result = analysis::run(store, wanted).await;
    result.map_err(|error| super::fault::analysis(index, &wanted.name, &error))
}

/// What the analyse stage did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysed {
    done: usize,
}

impl Summary for Analysed {
    fn summary(&self) -> String {
        match self.done {
            0 => "no analysis".to_owned(),
            1 => "1 analysis".to_owned(),
            done => format!("{done} analyses"),
        }
    }
}

/// What the report says of a result.
fn report(analysis: &Analysis, mut result: AnalysisResult, seconds: f64) -> AnalysisReport {
    let assertions = analysis::judge(&analysis.assert, &result)
        .into_iter()
        .map(|Judgement { what, ok, found }| AssertionReport { what, ok, found })
        .collect();
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
        node_column: result.node_column,
        seconds,
        assertions,
    }
}
