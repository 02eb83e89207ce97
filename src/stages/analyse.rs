//! The analyse stage: questions are asked of the graph, in the file's order.

use std::time::Instant;

use super::journal::Summary;
use super::patience::Outages;
use super::validate::Plan;
use super::{Fault, Target, stream};
use crate::analysis::{self, AnalysisError, AnalysisResult, Judgement, Watch};
use crate::graph::{GraphError, GraphStore};
use crate::progress::{Event, Outcome, Stage};
use crate::report::{AnalysisReport, AssertionReport};
use crate::spec::{Analysis, Mode};

/// Runs the pipeline's analyses one after the other. An interrupt ends it after the one under way, which a server's engine
/// is told to give up.
///
/// # Errors
/// The first analysis that cannot be computed. A false assertion is no error here: it is in the result.
pub(super) async fn analyse(
    plan: &Plan,
    store: &dyn GraphStore,
    target: Target,
    run: &stream::Watch<'_>,
    outages: &Outages,
    reports: &mut Vec<AnalysisReport>,
) -> Result<Analysed, Fault> {
    let stream::Watch { progress, interrupt, .. } = run;
    let analyses = &plan.pipeline.spec.analyses;
    let tell = |unit: &'static str, done, total| {
        let unit = unit.into();
        progress.tell(Event::StageProgress { stage: Stage::Analyse, unit, done, total: Some(total) });
    };
    let percent = |percent| tell("percent", percent, 100);
    let stopped = || interrupt.requested();
    let watch = Watch { pipeline: &plan.pipeline.metadata.name, percent: &percent, stopped: &stopped };
    let mut told: Vec<String> = Vec::new();
    let mut interrupted = false;
    for (index, analysis) in analyses.iter().enumerate() {
        if interrupt.requested() {
            interrupted = true;
            break;
        }
        tell("analyses", index as u64, analyses.len() as u64);
        let begun = Instant::now();
        let result = match patiently(store, analysis, watch, outages).await {
            Err(AnalysisError::Stopped) if interrupt.requested() => {
                interrupted = true;
                break;
            }
            result => result.map_err(|error| super::fault::analysis(index, analysis, &error))?,
        };
        for note in &result.notes {
            // That there is no server where none was asked for is no news, nor is it the second time.
            if target != Target::Embedded && !told.contains(note) {
                progress.tell(Event::StageNote { stage: Stage::Analyse, note: note.clone() });
                told.push(note.clone());
            }
        }
        reports.push(report(analysis, result, begun.elapsed().as_secs_f64()));
    }
    if analyses.iter().any(|analysis| analysis.mode == Mode::Write) {
        store.persist().await?;
    }
    Ok(Analysed { done: reports.len(), interrupted })
}

/// Runs an analysis, and once more from its beginning where the server went away under it: what it had projected is gone with
/// the server, and what it wrote is written over.
async fn patiently(
    store: &dyn GraphStore,
    analysis: &Analysis,
    watch: Watch<'_>,
    outages: &Outages,
) -> Result<AnalysisResult, AnalysisError> {
    let mut waits = outages.waits();
    loop {
        match analysis::run(store, analysis, watch).await {
            Err(AnalysisError::Graph(GraphError::Unavailable { message }))
                if outages.another(&mut waits, &message).await => {}
            outcome => return outcome,
        }
    }
}

/// Runs one of the pipeline's analyses, for a test of it.
pub(super) async fn run(plan: &Plan, store: &dyn GraphStore, index: usize) -> Result<AnalysisResult, Fault> {
    let Some(wanted) = plan.pipeline.spec.analyses.get(index) else {
        return Err(Fault(Vec::new()));
    };
    let result = analysis::run(store, wanted, Watch::nobody(&plan.pipeline.metadata.name)).await;
    result.map_err(|error| super::fault::analysis(index, wanted, &error))
}

/// What the analyse stage did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysed {
    done: usize,
    interrupted: bool,
}

impl Summary for Analysed {
    fn outcome(&self) -> Outcome {
        if self.interrupted { Outcome::Interrupted } else { Outcome::Done }
    }

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
