//! Findings as people read them, in the manner of rustc.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Location, Severity};

use super::{FileFindings, SourceText, without_secrets};

/// Whether texts are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// With escape sequences.
    Yes,
    /// Without.
    No,
}

/// The widest line of a file that is shown, in columns; a longer one is cut around the marked place.
const WIDTH: usize = 120;

/// Findings with their lines, one after the other, each with an empty line behind it.
#[must_use]
pub fn text(files: &[FileFindings<'_>], colour: Colour) -> String {
    let renderer = match colour {
        Colour::Yes => Renderer::styled(),
        Colour::No => Renderer::plain(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let mut out = String::new();
    for file in files {
        let shown = without_secrets(file.source);
        for finding in file.findings {
            out.push_str(&renderer.render(&[group(file.source, &shown, finding)]));
            out.push_str("\n\n");
        }
    }
    out
}

/// How many errors and warnings there are, in words: `2 errors, 1 warning`.
#[must_use]
pub fn summary(files: &[FileFindings<'_>]) -> String {
    let count = |severity| {
        files.iter().flat_map(|file| file.findings).filter(|finding| finding.severity == severity).count()
    };
    let parts: Vec<String> = [(count(Severity::Error), "error"), (count(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| format!("{number} {noun}{}", if number == 1 { "" } else { "s" }))
        .collect();
    if parts.is_empty() { "no findings".to_owned() } else { parts.join(", ") }
}

fn group<'a>(source: &'a dyn SourceText, shown: &'a str, finding: &'a Diagnostic) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.message).id(finding.code.to_string());
    let elements = std::iter::once(excerpt(source, shown, finding))
        .chain(finding.help.iter().map(|help| Element::from(Level::HELP.message(help))));
    title.elements(elements)
}

/// The marked lines, or the file's name alone where the finding has no place in it.
fn excerpt<'a>(source: &'a dyn SourceText, shown: &'a str, finding: &'a Diagnostic) -> Element<'a> {
    let marks: Vec<Annotation<'a>> =
        std::iter::once((&finding.location, finding.label.as_deref(), AnnotationKind::Primary))
            .chain(
                finding
                    .related
                    .iter()
                    .map(|(location, label)| (location, Some(label.as_str()), AnnotationKind::Context)),
            )
            .filter_map(|(location, label, kind)| {
                mark(source, shown, location).map(|range| kind.span(range).label(label))
            })
            .collect();
    if marks.is_empty() || shown.is_empty() {
        return annotate_snippets::Origin::path(source.name()).into();
    }
    Snippet::source(shown).path(source.name()).annotations(marks).into()
}

/// A range that can be marked: inside of the text, on whole characters, and of one line.
fn mark(source: &dyn SourceText, shown: &str, location: &Location) -> Option<Range<usize>> {
    let range = source.locate(location)?;
    let start = shown.floor_char_boundary(range.start.min(shown.len()));
    let end = shown.ceil_char_boundary(range.end.clamp(start, shown.len()));
    let line = shown.get(start..end).unwrap_or_default().split(['\n', '\r']).next().unwrap_or_default();
    Some(start..start + line.len())
}
