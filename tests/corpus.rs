//! Faulty pipeline files, each with the findings that it must give, and what a user sees of them.
//!
//! A file of `tests/corpus` says in its first lines what is expected of it: `# expect: CODE LINE:COLUMN`, a line for each
//! finding, or `# expect: nothing`.

#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

use std::fs;
use std::path::{Path, PathBuf};

use runner::diagnostic::render::{Colour, FileFindings, Lines, SourceText as _, text};
use runner::spec::load::{self, Document};
use runner::validate;

fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn check(path: &Path) -> (Document, validate::Checkup) {
    let bytes = fs::read(path).unwrap();
    let document = load::parse(format!("{}.yaml", name(path)), &bytes, &|_| None);
    let checkup = validate::check(&document);
    (document, checkup)
}

fn expected(text: &str) -> Vec<String> {
    let lines = text.lines().map_while(|line| line.trim_start_matches('\u{FEFF}').strip_prefix("# expect: "));
    lines.filter(|expected| *expected != "nothing").map(str::to_owned).collect()
}

fn told(document: &Document, checkup: &validate::Checkup) -> Vec<String> {
    let findings = checkup.findings.iter().map(|finding| {
        let start = document.locate(&finding.location).unwrap_or_default().start;
        let position = Lines::of(&document.file.text).position(start);
        format!("{} {}:{}", finding.code, position.line, position.column)
    });
    findings.collect()
}

#[test]
fn every_file_of_the_corpus_gives_the_findings_that_it_says() {
    let mut wrong = Vec::new();
    for path in corpus() {
        let (document, checkup) = check(&path);
        let expected = expected(&document.file.text);
        let told = told(&document, &checkup);
        if expected != told {
            wrong.push(format!("{}\n  expected {expected:?}\n  told     {told:?}", name(&path)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_user_sees_of_each_file_is_as_it_was_reviewed() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("corpus/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for path in corpus() {
            let (document, checkup) = check(&path);
            let files = [FileFindings { source: &document, findings: &checkup.findings }];
            insta::assert_snapshot!(name(&path), text(&files, Colour::No));
        }
    });
}

#[test]
fn no_secret_of_the_corpus_is_ever_shown() {
    use runner::diagnostic::render::{github, json, sarif};
    for path in corpus() {
        let (document, checkup) = check(&path);
        let files = [FileFindings { source: &document, findings: &checkup.findings }];
        for shown in
            [text(&files, Colour::No), text(&files, Colour::Yes), json(&files), github(&files), sarif(&files)]
        {
            assert!(!shown.contains("hunter2"), "{}: {shown}", name(&path));
        }
    }
}
