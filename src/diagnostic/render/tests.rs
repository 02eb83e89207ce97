#![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

use super::*;
use crate::diagnostic::{Code, Path};

/// A text whose places are given as spans.
struct Sample {
    name: String,
    text: String,
    hidden: Vec<Range<usize>>,
}

impl SourceText for Sample {
    fn name(&self) -> &str {
        &self.name
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn locate(&self, location: &Location) -> Option<Range<usize>> {
        match location {
            Location::Span(_, range) => Some(range.clone()),
            _ => None,
        }
    }

    fn hidden(&self) -> &[Range<usize>] {
        &self.hidden
    }
}

fn sample() -> (Sample, Vec<Diagnostic>) {
    let text = "a: ünï 100%\nb: secret é\nc: 3\n".to_owned();
    let span = |word: &str| {
        let start = text.find(word).unwrap();
        Location::Span(Path::of("a.b"), start..start + word.len())
    };
    let findings = vec![
        Diagnostic::new(Code::WrongType, "expected a text, found 100%")
            .located(span("100%"))
            .label("here")
            .related(span("c"), "and there")
            .help("first, do this")
            .help("then that"),
        Diagnostic::new(Code::SecretInFile, "a secret").located(span("secret é")),
        Diagnostic::new(Code::UnreadableFile, "nowhere in the file"),
    ];
    let hidden = text.find("secret é").map(|start| start..start + "secret é".len()).into_iter().collect();
    (Sample { name: "folder/a file.yaml".to_owned(), text, hidden }, findings)
}

fn rendered(render: impl Fn(&[FileFindings<'_>]) -> String) -> String {
    let (source, findings) = sample();
    render(&[FileFindings { source: &source, findings: &findings }])
}

#[test]
fn text_shows_the_lines_with_their_marks_and_no_secret() {
    insta::assert_snapshot!(rendered(|files| text(files, Colour::No)));
    assert!(rendered(|files| text(files, Colour::Yes)).contains("\u{1b}["));
}

#[test]
fn json_is_one_object_with_lines_and_columns_from_1() {
    let value: serde_json::Value = serde_json::from_str(&rendered(json)).unwrap();
    insta::assert_json_snapshot!(value);
}

#[test]
fn github_gets_a_workflow_command_for_each_finding() {
    insta::assert_snapshot!(rendered(github));
}

#[test]
fn sarif_holds_rules_and_results() {
    insta::assert_snapshot!(rendered(sarif).replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

#[test]
fn a_file_without_errors_is_valid() {
    let (source, mut findings) = sample();
    findings.retain(|finding| finding.severity == Severity::Warning);
    let files = [FileFindings { source: &source, findings: &findings }];
    assert!(json(&files).starts_with(r#"{"valid":true,"#));
    assert_eq!(summary(&files), "1 warning");
    assert_eq!(rendered(summary), "2 errors, 1 warning");
    assert_eq!(summary(&[]), "no findings");
}

#[test]
fn places_past_the_end_of_the_text_do_no_harm() {
    let (source, _) = sample();
    let location = Location::Span(Path::root(), 17..usize::MAX);
    let findings = [Diagnostic::new(Code::InvalidYaml, "the end").located(location)];
    let files = [FileFindings { source: &source, findings: &findings }];
    assert!(text(&files, Colour::No).contains("the end"));
}

#[test]
fn columns_count_characters() {
    assert_eq!(Lines::of("a\nünï x").position(2), Position { line: 2, column: 1 });
    assert_eq!(Lines::of("a\nünï x").position(8), Position { line: 2, column: 5 });
    assert_eq!(Lines::of("a\n").position(usize::MAX), Position { line: 2, column: 1 });
    assert_eq!(Lines::of("").position(0), Position { line: 1, column: 1 });
}
