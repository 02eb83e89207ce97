//! Plain lines, for logs: one at each stage's end, and at most one in ten seconds between.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::super::ui::Ui;
use super::{Reader, count, seconds};
use crate::progress::{Event, Outcome};

/// The least time between two lines of progress.
const INTERVAL: Duration = Duration::from_secs(10);

/// Writes events to stderr as lines.
pub(super) struct Plain<'a> {
    ui: &'a Ui,
    last: Instant,
    /// How much was done when it was told last: where nothing moves, there is nothing to tell.
    told: Option<u64>,
    /// The objects that are awaited: those that were there at once are not worth a line.
    awaited: BTreeSet<String>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(ui: &'a Ui) -> Self {
        Self { ui, last: Instant::now(), told: None, awaited: BTreeSet::new() }
    }

    fn object(&mut self, object: &str, state: &str, settled: bool) {
        let was_awaited = if settled {
            self.awaited.remove(object)
        } else {
            self.awaited.insert(object.to_owned());
            true
        };
        if was_awaited {
            self.line(&format!("{object}: {state}"));
        }
    }

    fn line(&mut self, line: &str) {
        self.ui.words(&format!("{line}\n"));
        self.last = Instant::now();
    }
}

impl Reader for Plain<'_> {
    fn read(&mut self, event: &Event) {
        match event {
            Event::RunStarted { pipeline, target } => self.line(&format!("running {pipeline} on {target}")),
            Event::StageNote { stage, note } => self.line(&format!("{stage}: {note}")),
            Event::StageProgress { stage, unit, done, total }
                if self.last.elapsed() >= INTERVAL && self.told != Some(*done) =>
            {
                self.told = Some(*done);
                let total = total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
                self.line(&format!("{stage}: {}{total} {unit}", count(*done)));
            }
            Event::ObjectState { object, state, settled } => self.object(object, state, *settled),
            Event::StageFinished { stage, outcome, seconds: took, summary }
                if *outcome != Outcome::Skipped =>
            {
                self.line(&format!("{stage}: {outcome} in {} — {summary}", seconds(*took)));
            }
            Event::StageStarted { .. }
            | Event::StageProgress { .. }
            | Event::StageFinished { .. }
            | Event::Finding { .. }
            | Event::RunFinished { .. } => {}
        }
    }
}
