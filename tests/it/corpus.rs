//! Faulty pipeline files, each with the findings that it must give, and what a user sees of them.
//!
//! A file of `tests/corpus` says in its first lines what is expected of it: `# expect: CODE LINE:COLUMN`, a line for each
//! finding, or `# expect: nothing`. Files of `tests/corpus/world` are checked against the files that they name, too.

use std::fs;
use std::path::{Path, PathBuf};

use runner::diagnostic::render::{Colour, FileFindings, Lines, SourceText as _, github, json, sarif, text};
use runner::spec::load::{self, Document};
use runner::validate::{self, Checkup};

/// A file of the corpus, checked.
struct Case {
    name: String,
    document: Document,
    checkup: Checkup,
}

impl Case {
    fn findings(&self) -> [FileFindings<'_>; 1] {
        [FileFindings { source: &self.document, findings: &self.checkup.findings }]
    }

    /// What the file says of itself.
    fn expected(&self) -> Vec<&str> {
        let lines = self.document.file.text.lines();
        let expected = lines.map_while(|line| line.strip_prefix("# expect: "));
        expected.filter(|expected| *expected != "nothing").collect()
    }

    /// What was found.
    fn told(&self) -> Vec<String> {
        let lines = Lines::of(&self.document.file.text);
        let findings = self.checkup.findings.iter().map(|finding| {
            let start = self.document.locate(&finding.location).unwrap_or_default().start;
            let position = lines.position(start);
            format!("{} {}:{}", finding.code, position.line, position.column)
        });
        findings.collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "yaml")).collect();
    files.sort();
    files
}

fn check(path: &Path) -> Case {
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    let document = load::parse(format!("{name}.yaml"), &fs::read(path).unwrap(), &|_| None);
    let checkup = validate::check(&document);
    Case { name, document, checkup }
}

async fn check_against_the_world(path: &Path) -> Case {
    let mut case = check(path);
    let pipeline = case.checkup.pipeline.clone().unwrap();
    let (_, found) =
        validate::open(&pipeline, path.parent().unwrap(), &|_| Err("no secrets here".to_owned())).await;
    case.checkup.extend(&case.document, found);
    Case { name: format!("world-{}", case.name), ..case }
}

fn corpus() -> Vec<Case> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut cases: Vec<Case> = files(&folder()).iter().map(|path| check(path)).collect();
    for path in files(&folder().join("world")) {
        cases.push(runtime.block_on(check_against_the_world(&path)));
    }
    cases
}

#[test]
fn every_file_of_the_corpus_gives_the_findings_that_it_says() {
    let mut wrong = Vec::new();
    for case in corpus() {
        if case.expected() != case.told() {
            let (expected, told) = (case.expected(), case.told());
            wrong.push(format!("{}\n  expected {expected:?}\n  told     {told:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_user_sees_of_each_file_is_as_it_was_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../corpus/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for case in corpus() {
            let shown = text(&case.findings(), Colour::No).replace(env!("CARGO_MANIFEST_DIR"), "REPOSITORY");
            insta::assert_snapshot!(case.name.as_str(), shown);
        }
    });
}

#[test]
fn no_secret_of_the_corpus_is_ever_shown() {
    for case in corpus() {
        let files = case.findings();
        for shown in
            [text(&files, Colour::No), text(&files, Colour::Yes), json(&files), github(&files), sarif(&files)]
        {
            assert!(!shown.contains("hunter2"), "{}: {shown}", case.name);
        }
    }
}
