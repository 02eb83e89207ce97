//! A live line a stage, for a terminal: rate, how much of how much, and when it will be done; below it, a line for each object
//! of a cluster that is awaited.

use std::collections::BTreeMap;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use super::{Reader, seconds};
use crate::progress::{Event, Outcome};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// A stage whose end is not known yet.
const SPINNER: &str = "{spinner} {prefix:<9} {elapsed} {msg}";
/// An object that is awaited.
const OBJECT: &str = "  {spinner} {prefix} {elapsed} {msg}";
/// A stage that counts towards an end.
const BAR: &str = "{spinner} {prefix:<9} {bar:24} {human_pos}/{human_len} {msg} {rate} {eta} left";

/// Draws on the terminal.
pub(super) struct Live {
    lines: MultiProgress,
    bar: ProgressBar,
    /// The objects that are awaited, by kind and name.
    objects: BTreeMap<String, ProgressBar>,
    counting: bool,
    colours: bool,
}

impl Live {
    pub(super) fn new(colours: bool) -> Self {
        Self {
            lines: MultiProgress::new(),
            bar: ProgressBar::hidden(),
            objects: BTreeMap::new(),
            counting: false,
            colours,
        }
    }

    fn started(&mut self, stage: String) {
        self.bar = self.lines.add(ProgressBar::new_spinner().with_style(style(SPINNER)).with_prefix(stage));
        self.bar.enable_steady_tick(TICK);
        self.counting = false;
    }

    fn progress(&mut self, unit: &str, done: u64, total: Option<u64>) {
        if let Some(total) = total {
            if !self.counting {
                self.bar.set_style(style(BAR));
                self.counting = true;
            }
            self.bar.set_length(total);
            self.bar.set_message(unit.to_owned());
        }
        self.bar.set_position(done);
    }

    fn object(&mut self, object: &str, state: &str, settled: bool) {
        if settled {
            if let Some(line) = self.objects.remove(object) {
                line.finish_and_clear();
                self.lines.remove(&line);
            }
            return;
        }
        let line = self.objects.entry(object.to_owned()).or_insert_with(|| {
            let line = ProgressBar::new_spinner().with_style(style(OBJECT)).with_prefix(object.to_owned());
            let line = self.lines.add(line);
            line.enable_steady_tick(TICK);
            line
        });
        line.set_message(state.to_owned());
    }

    fn finished(&mut self, stage: &str, outcome: Outcome, took: f64, summary: &str) {
        for line in std::mem::take(&mut self.objects).into_values() {
            line.finish_and_clear();
        }
        let (mark, colour) = match outcome {
            Outcome::Done | Outcome::Unchanged => ('✓', AnsiColor::Green),
            Outcome::Interrupted | Outcome::Skipped => ('•', AnsiColor::Yellow),
            Outcome::Failed => ('✗', AnsiColor::Red),
        };
        let style = if self.colours { colour.on_default() } else { Style::new() };
        self.bar.println(format!("{style}{mark}{style:#} {stage:<9} {:>8}  {summary}", seconds(took)));
        self.bar.finish_and_clear();
    }
}

impl Reader for Live {
    fn read(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage } => self.started(stage.to_string()),
            Event::StageProgress { unit, done, total, .. } => self.progress(unit, *done, *total),
            Event::StageNote { note, .. } => self.bar.println(format!("  {note}")),
            Event::ObjectState { object, state, settled } => self.object(object, state, *settled),
            Event::StageFinished { stage, outcome, seconds, summary } if *outcome != Outcome::Skipped => {
                self.finished(&stage.to_string(), *outcome, *seconds, summary);
            }
            Event::RunStarted { .. }
            | Event::StageFinished { .. }
            | Event::Finding { .. }
            | Event::RunFinished { .. } => {}
        }
    }
}

/// A style; a template that cannot be read gives the plain one.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        // Where the line cannot be written there is nothing to show.
        let _ = write!(text, "{:.0}/s", state.per_sec());
    })
}
