//! Reading a pipeline file and showing what is found in it, as every command does.

use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::render::{self, Colour, FileFindings};
use crate::spec::load::{self, Document};
use crate::stages::Origin;

/// Reads a pipeline file, with the environment's variables put in.
pub fn read(origin: &Origin) -> Document {
    load::read(&origin.path, &|name| std::env::var(name).ok())
}

/// Shows findings on stderr, as a person reads them.
pub fn show(ui: &Ui, document: &Document, findings: &[Diagnostic]) {
    if findings.is_empty() {
        return;
    }
    let mut findings = findings.to_vec();
    render::sort(document, &mut findings);
    let files = [FileFindings { source: document, findings: &findings }];
    ui.words(&render::text(&files, Colour::Yes));
}
