//! The record of a run's stages: each is timed, told as events, and kept for the report.

use std::future::Future;
use std::path::Path;
use std::time::{Instant, SystemTime};

use super::{Fault, report};
use crate::diagnostic::Diagnostic;
use crate::progress::{Event, Outcome, Progress, Stage};
use crate::report::{Finding, StageReport};
use crate::spec::load::Document;

/// What a stage that ended well has to say of itself.
pub(super) trait Summary {
    /// How it ended.
    fn outcome(&self) -> Outcome {
        Outcome::Done
    }

    /// What came of it, in a few words.
    fn summary(&self) -> String;

    /// How many rows it moved, for a stage that moves rows.
    fn rows(&self) -> Option<u64> {
        None
    }
}

/// Times the stages of a run, tells of them, and keeps what the report says of each.
pub(super) struct Journal {
    /// Where events go.
    pub progress: Progress,
    /// When the run began, by the clock on the wall.
    pub started_at: SystemTime,
    /// The stages so far.
    pub stages: Vec<StageReport>,
    began: Instant,
}

impl Journal {
    /// The journal of a run that begins now.
    pub fn new(progress: Progress) -> Self {
        Self { progress, started_at: SystemTime::now(), stages: Vec::new(), began: Instant::now() }
    }

    /// Seconds since the run began.
    pub fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Runs a stage.
    pub async fn stage<T: Summary>(
        &mut self,
        stage: Stage,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        self.progress.tell(Event::StageStarted { stage });
        let begun = Instant::now();
        let result = work.await;
        let seconds = begun.elapsed().as_secs_f64();
        let (outcome, summary, rows) = match &result {
            Ok(value) => (value.outcome(), value.summary(), value.rows()),
            Err(fault) => (fault.outcome(), fault.summary(), None),
        };
        self.stages.push(StageReport {
            name: stage.to_string(),
            status: outcome,
            seconds,
            summary: summary.clone(),
            rows_per_second: rows.and_then(|rows| per_second(rows, seconds)),
        });
        self.progress.tell(Event::StageFinished { stage, outcome, seconds, summary });
        result
    }

    /// Leaves a stage out: it is told as one that ended without having begun.
    pub fn skip(&mut self, stage: Stage, why: &str) {
        let outcome = Outcome::Skipped;
        self.stages.push(StageReport {
            name: stage.to_string(),
            status: outcome,
            seconds: 0.0,
            summary: why.to_owned(),
            rows_per_second: None,
        });
        self.progress.tell(Event::StageFinished { stage, outcome, seconds: 0.0, summary: why.to_owned() });
    }

    /// Leaves out the stages before the report that were not begun, because one before them failed or was stopped.
    pub fn skip_rest(&mut self) {
        let stopped = self.stages.iter().any(|stage| stage.status == Outcome::Interrupted);
        let why = if stopped { "the stage before it was stopped" } else { "the stage before it failed" };
        for stage in [Stage::Deploy, Stage::Stream, Stage::Analyse] {
            if !self.has(stage) {
                self.skip(stage, why);
            }
        }
    }

    /// Whether a stage has ended, or was left out.
    pub fn has(&self, stage: Stage) -> bool {
        let name = stage.to_string();
        self.stages.iter().any(|known| known.name == name)
    }

    /// Tells what was found, and that the run has ended.
    pub fn finish(
        &self,
        document: &Document,
        findings: &[Diagnostic],
        outcome: Outcome,
        report: Option<&Path>,
    ) {
        for found in findings {
            let Finding { code, severity, message, place, help } = report::finding(found, document);
            self.progress.tell(Event::Finding { code, severity, message, place, help });
        }
        let report = report.map(|folder| folder.display().to_string());
        self.progress.tell(Event::RunFinished { outcome, seconds: self.seconds(), report });
    }
}

/// A rate, where there is something to divide.
fn per_second(rows: u64, seconds: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
    let rows = rows as f64;
    (rows > 0.0 && seconds > 0.0).then(|| rows / seconds)
}
