//! Findings as people read them, in the manner of rustc.

use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Location, Severity};

use super::{FileFindings, Lines, SourceText, without_secrets};

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
        let text = without_secrets(file.source);
        let shown = Shown { source: file.source, text: &text, lines: Lines::of(&text) };
        for finding in file.findings {
            out.push_str(&renderer.render(&[group(&shown, finding)]));
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

fn group<'a>(file: &Shown<'a>, finding: &'a Diagnostic) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(&finding.message).id(finding.code.to_string());
    let elements = std::iter::once(excerpt(file, finding))
        .chain(finding.help.iter().map(|help| Element::from(Level::HELP.message(help))));
    title.elements(elements)
}

/// The marked lines, or the file's name alone where the finding has no place in it.
fn excerpt<'a>(file: &Shown<'a>, finding: &'a Diagnostic) -> Element<'a> {
    let primary = (&finding.location, finding.label.as_deref(), AnnotationKind::Primary);
    let related = finding.related.iter();
    let related = related.map(|(location, label)| (location, Some(label.as_str()), AnnotationKind::Context));
    let marks: Vec<_> = std::iter::once(primary)
        .chain(related)
        .filter_map(|(location, label, kind)| Some((file.mark(location)?, label, kind)))
        .collect();
    let first = marks.iter().map(|(range, ..)| range.start).min();
    let last = marks.iter().map(|(range, ..)| range.end).max();
    let (Some(first), Some(last)) = (first, last) else {
        return annotate_snippets::Origin::path(file.source.name()).into();
    };
    let (line, window) = file.window(first..last);
    let annotations = marks.into_iter().map(|(range, label, kind)| {
        kind.span(range.start - window.start..range.end - window.start).label(label)
    });
    let text = file.text.get(window.clone()).unwrap_or_default();
    Snippet::source(text).path(file.source.name()).line_start(line).annotations(annotations).into()
}

/// A file's text as it may be shown.
struct Shown<'a> {
    source: &'a dyn SourceText,
    text: &'a str,
    lines: Lines<'a>,
}

impl Shown<'_> {
    /// A range that can be marked: inside of the text, on whole characters, and of one line.
    fn mark(&self, location: &Location) -> Option<Range<usize>> {
        let range = self.source.locate(location)?;
        let start = self.text.floor_char_boundary(range.start.min(self.text.len()));
        let end = self.text.ceil_char_boundary(range.end.clamp(start, self.text.len()));
        let marked = self.text.get(start..end).unwrap_or_default();
        let line = marked.split(['\n', '\r']).next().unwrap_or_default();
        Some(start..start + line.len())
    }

    /// The whole lines around a range, and the number of the first: so that a large file is not gone through for each finding.
    fn window(&self, range: Range<usize>) -> (usize, Range<usize>) {
        let first = self.lines.position(range.start).line;
        let start = range.start - self.lines.before(range.start).len();
        let rest = self.text.get(range.end..).unwrap_or_default();
        let end = range.end + rest.find('\n').unwrap_or(rest.len());
        (first, start..end)
    }
}
