//! One event a line, for programs.

use super::super::ui::Ui;
use super::Reader;
use crate::progress::Event;

/// Writes events to stdout as JSON lines.
pub(super) struct Json<'a> {
    ui: &'a Ui,
}

impl<'a> Json<'a> {
    pub(super) const fn new(ui: &'a Ui) -> Self {
        Self { ui }
    }
}

impl Reader for Json<'_> {
    fn read(&mut self, event: &Event) {
        let Ok(line) = serde_json::to_string(event) else { return };
        // A reader that has gone must not stop the run: the graph is what counts.
        let _ = self.ui.data(&format!("{line}\n"));
    }
}
