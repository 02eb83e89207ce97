//! Whether a pipeline file says something that can be done.
//!
//! Three tiers: the file's form against its schema, references inside of the file, and the world that it names. The first two
//! are pure and belong to [`check`]; the third reads files and is [`world`].

mod schema;
mod world;

use crate::diagnostic::{Diagnostic, Path, render};
use crate::spec::Pipeline;
use crate::spec::load::Document;

pub use world::{Opened, open, secret, source_finding};

/// What is to be said of a file.
#[derive(Debug, Clone, Default)]
pub struct Checkup {
    /// The pipeline. Where there are errors, it is only as good as it can be: faulty places are replaced by empty values.
    pub pipeline: Option<Pipeline>,
    /// All findings, in the order of their places.
    pub findings: Vec<Diagnostic>,
    /// The paths of the faulty places that were replaced.
    replaced: Vec<Path>,
}

impl Checkup {
    /// Adds what a rule found, but for what it says of faulty places that were replaced.
    fn extend(&mut self, found: impl IntoIterator<Item = Diagnostic>) {
        let replaced = &self.replaced;
        let sound = found.into_iter().filter(|finding| {
            let path = finding.path();
            !replaced.iter().any(|replaced| schema::touches(&path, replaced))
        });
        self.findings.extend(sound);
    }
}

/// Checks a file as far as it goes without looking at anything else: its form, and the references inside of it.
#[must_use]
pub fn check(document: &Document) -> Checkup {
    let outcome = schema::check(document);
    let mut checkup = Checkup {
        pipeline: outcome.pipeline,
        findings: document.findings.clone(),
        replaced: outcome.replaced,
    };
    checkup.findings.extend(outcome.findings);
    render::sort(document, &mut checkup.findings);
    checkup
}
