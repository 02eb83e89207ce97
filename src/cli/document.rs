//! Reading a pipeline file and showing what is found in it, as every command does.

use std::path::Path;

use super::Runtime;
use super::exit::Exit;
use super::ui::Ui;
use crate::diagnostic::Diagnostic;
use crate::diagnostic::render::{self, Colour, FileFindings};
use crate::spec::load::{self, Document};
use crate::stages::validate::{self, Plan};
use crate::stages::{Fault, Origin};

/// Reads a pipeline file, with the environment's variables put in.
pub fn read(origin: &Origin) -> Document {
    load::read(&origin.path, &|name| std::env::var(name).ok())
}

/// Reads a pipeline file and makes a plan of it; where that cannot be, what was found is shown.
pub fn plan(ui: &Ui, runtime: &Runtime, file: &Path) -> Result<(Document, Plan), Exit> {
    let origin = Origin::new(file.to_owned());
    let document = read(&origin);
    match runtime.block_on(validate::validate(&document, &origin, false)) {
        Ok(plan) => Ok((document, plan)),
        Err(Fault(findings)) => {
            show(ui, &document, &findings);
            Err(Exit::InvalidFile)
        }
    }
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
