//! One event a line, for programs.

use super::super::exit::CommandError;
use super::super::ui::Ui;
use super::Reader;
use crate::progress::Event;

/// Writes events to stdout as JSON lines.
pub(super) struct Json<'a> {
    ui: &'a Ui,
    /// Whether all lines so far were written; after one that was not, none is.
    written: Result<(), CommandError>,
}

impl<'a> Json<'a> {
    pub(super) const fn new(ui: &'a Ui) -> Self {
        Self { ui, written: Ok(()) }
    }
}

impl Reader for Json<'_> {
    fn read(&mut self, event: &Event) {
        let Ok(line) = serde_json::to_string(event) else { return };
        // What cannot be written must not stop the run: the graph is what counts.
        if self.written.is_ok() {
            self.written = self.ui.data(&format!("{line}\n"));
        }
    }

    fn end(&mut self) -> Result<(), CommandError> {
        std::mem::replace(&mut self.written, Ok(())).or_else(CommandError::unless_gone)
    }
}
