//! Whether a pipeline file says something that can be done.
//!
//! Three tiers: the file's form against its schema, references inside of the file, and the world that it names. The first two
//! are pure and belong to [`check`]; the third reads files and is [`open`]. A rule is a function that reads the spec and adds
//! what it finds; the rules of a section are in the file of its name.

mod allow;
mod analyses;
mod cases;
mod columns;
mod cypher;
mod expect;
mod graph;
mod infrastructure;
mod kubernetes;
mod mapping;
mod metadata;
mod report;
mod schema;
mod secrets;
mod show;
mod source;
mod suspicious;
mod topic;
mod words;
mod world;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, Severity, render};
use crate::spec::load::Document;
use crate::spec::{Checked, Pipeline};

pub use secrets::sources as secret_sources;
pub use show::show;
pub use world::{Opened, missing_certificates, missing_secrets, open, secret, source_finding};

/// What is to be said of a file.
#[derive(Debug, Clone, Default)]
pub struct Checkup {
    /// The pipeline. Where there are errors, it is only as good as it can be: faulty places are replaced by empty values.
    pub pipeline: Option<Pipeline>,
    /// All findings, in the order of their places.
    pub findings: Vec<Diagnostic>,
    replaced: Replaced,
}

/// The paths of faulty places whose values were replaced, so that what is said of them means nothing.
#[derive(Debug, Clone, Default)]
struct Replaced {
    paths: HashSet<Path>,
    /// The mappings and lists that hold them.
    parents: HashSet<Path>,
}

impl Replaced {
    fn add(&mut self, paths: impl IntoIterator<Item = Path>) {
        for path in paths {
            self.parents.extend(path.parent());
            self.paths.insert(path);
        }
    }

    /// Whether a path is that of a replaced place, below one, or that of the mapping that holds one.
    fn touch(&self, path: &Path) -> bool {
        let mut above = Some(path.clone());
        let from_here_up = std::iter::from_fn(|| {
            let here = above.take()?;
            above = here.parent();
            Some(here)
        });
        self.parents.contains(path) || from_here_up.into_iter().any(|path| self.paths.contains(&path))
    }
}

impl Checkup {
    /// Adds findings, but for those that are told already and those about faulty places that were replaced, and puts all in
    /// the order of their places.
    pub fn extend(&mut self, document: &Document, found: Vec<Diagnostic>) {
        let mut told: HashSet<(Code, Location)> =
            self.findings.iter().map(|finding| (finding.code, finding.location.clone())).collect();
        for finding in found {
            let is_new = told.insert((finding.code, finding.location.clone()));
            if is_new && !self.replaced.touch(&finding.path()) {
                self.findings.push(finding);
            }
        }
        // A table that is misspelt where it is used seems unused: that is one fault.
        if self.findings.iter().any(|finding| finding.code == Code::UnknownTable) {
            self.findings.retain(|finding| finding.code != Code::UnusedTable);
        }
        render::sort(document, &mut self.findings);
    }

    /// All findings, with what they weigh in the end: see [`weigh`].
    #[must_use]
    pub fn weighed(self, deny_warnings: bool) -> Vec<Diagnostic> {
        let allowed = self.pipeline.as_ref().map(|pipeline| pipeline.spec.allow.as_slice());
        weigh(self.findings, allowed.unwrap_or_default(), deny_warnings)
    }

    /// The pipeline, checked, with what warnings there are; or all findings, where one of them is an error.
    ///
    /// # Errors
    /// All findings.
    pub fn verdict(
        self,
        deny_warnings: bool,
    ) -> Result<(Checked<Pipeline>, Vec<Diagnostic>), Vec<Diagnostic>> {
        let allowed =
            self.pipeline.as_ref().map(|pipeline| pipeline.spec.allow.as_slice()).unwrap_or_default();
        let findings = weigh(self.findings, allowed, deny_warnings);
        let has_errors = findings.iter().any(|finding| finding.severity == Severity::Error);
        match self.pipeline {
            Some(pipeline) if !has_errors => Ok((Checked::vouch(pipeline), findings)),
            _ => Err(findings),
        }
    }
}

/// What findings weigh in the end: warnings that the file allows are dropped, outcomes of a run that it allows become
/// warnings, and with `deny_warnings` all other warnings become errors.
#[must_use]
pub fn weigh(findings: Vec<Diagnostic>, allowed: &[String], deny_warnings: bool) -> Vec<Diagnostic> {
    let weighed = findings.into_iter().filter_map(|mut finding| {
        let is_allowed = allowed.iter().any(|code| *code == finding.code.to_string());
        // What a rule has raised above its code's usual weight stands in the way of the run itself.
        let is_raised = finding.severity > finding.code.severity();
        if is_allowed && !is_raised && finding.code.can_be_allowed() {
            if finding.severity == Severity::Warning {
                return None;
            }
            finding.severity = Severity::Warning;
        } else if deny_warnings {
            finding.severity = Severity::Error;
        }
        Some(finding)
    });
    weighed.collect()
}

/// Checks a file as far as it goes without looking at anything else: its form, and the references inside of it.
#[must_use]
pub fn check(document: &Document) -> Checkup {
    let outcome = schema::check(document);
    let mut checkup = Checkup {
        pipeline: outcome.pipeline,
        findings: document.findings.clone(),
        replaced: Replaced::default(),
    };
    checkup.replaced.add(unread(document));
    checkup.extend(document, outcome.findings);
    checkup.replaced.add(outcome.replaced);
    let mut found = references(document, checkup.pipeline.as_ref());
    // Where two rules meet at one place, the schema's word on it is the first and enough.
    let told: HashSet<Path> = checkup.findings.iter().map(Diagnostic::path).collect();
    found.retain(|finding| !told.contains(&finding.path()));
    checkup.extend(document, found);
    checkup
}

/// The paths of values that could not be read as they were meant.
fn unread(document: &Document) -> Vec<Path> {
    let is_unread = |finding: &&Diagnostic| {
        matches!(finding.code, Code::UnsupportedYaml | Code::MissingVariable | Code::InvalidVariable)
    };
    document.findings.iter().filter(is_unread).map(Diagnostic::path).collect()
}

/// The second tier: what the file says of itself.
fn references(document: &Document, pipeline: Option<&Pipeline>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    secrets::in_clear_text(document, &mut found);
    suspicious::check(document, &mut found);
    let Some(pipeline) = pipeline else { return found };
    let spec = &pipeline.spec;
    infrastructure::check(spec, &document.places, &mut found);
    metadata::check(&pipeline.metadata, &mut found);
    kubernetes::check(pipeline, &mut found);
    secrets::check(spec, &mut found);
    source::check(spec, &mut found);
    topic::check(spec, &mut found);
    mapping::check(spec, &mut found);
    columns::check(spec, columns::selected(spec).as_deref(), &mut found);
    analyses::check(spec, &mut found);
    expect::check(spec, &mut found);
    allow::check(spec, &mut found);
    report::check(spec, &mut found);
    cases::check(spec, &mut found);
    found
}

/// The finding for two keys of one mapping that exclude each other.
fn exclude(at: &Path, first: &str, second: &str) -> Diagnostic {
    Diagnostic::new(Code::OneOf, format!("`{first}` and `{second}` exclude each other"))
        .at_key(at.key(second))
        .related(Location::At(at.key(first), Part::Key), "the other")
        .help("keep one of the two")
}

/// Finds names that are given twice to the entries of a list.
fn unique<'a>(names: impl Iterator<Item = &'a str>, noun: &str, at: &Path, found: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, name) in names.enumerate() {
        if let Some(first) = seen.get(name) {
            found.push(
                Diagnostic::new(Code::DuplicateName, format!("two {noun} are called `{name}`"))
                    .at(at.index(index).key("name"))
                    .related(Location::At(at.index(*first).key("name"), Part::Value), "the first")
                    .help("rename one of them"),
            );
        } else {
            seen.insert(name, index);
        }
    }
}
