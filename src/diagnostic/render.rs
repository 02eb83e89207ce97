//! Findings as people and programs read them: text, JSON, GitHub's workflow commands, and SARIF.
//!
//! All four are pure functions of findings and the text that they are about, so that a test can look at what a user sees.

mod github;
mod json;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use super::{Diagnostic, Location, Severity};

pub use github::github;
pub use json::json;
pub use sarif::sarif;
pub use text::{Colour, summary, text};

/// A file's text, and where in it the values stand that findings name.
pub trait SourceText {
    /// The file's name, as the user wrote it.
    fn name(&self) -> &str;
    /// The text.
    fn text(&self) -> &str;
    /// The bytes of the text that a location marks; `None` where it is not in this file.
    fn locate(&self, location: &Location) -> Option<Range<usize>>;
    /// The bytes of the text that are secrets and are not shown, in their order.
    fn hidden(&self) -> &[Range<usize>];
}

/// A file and the findings about it.
#[derive(Clone, Copy)]
pub struct FileFindings<'a> {
    /// The file.
    pub source: &'a dyn SourceText,
    /// What was found.
    pub findings: &'a [Diagnostic],
}

/// A place as people count it: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// The place of a byte.
    #[must_use]
    pub fn of(text: &str, byte: usize) -> Self {
        let before = text.get(..byte).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |line_break| line_break + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        Self { line, column }
    }
}

/// Where a finding begins and ends; `None` for one that is not about a place in the file.
fn span(source: &dyn SourceText, finding: &Diagnostic) -> Option<(Position, Position)> {
    let range = source.locate(&finding.location)?;
    let text = source.text();
    Some((Position::of(text, range.start), Position::of(text, range.end)))
}

/// Puts findings in the order of their places; those without a place come last.
pub fn sort(source: &dyn SourceText, findings: &mut [Diagnostic]) {
    findings.sort_by_cached_key(|finding| {
        let range = source.locate(&finding.location);
        let order = range.map_or((usize::MAX, usize::MAX), |range| (range.start, range.end));
        (order, finding.code, finding.message.clone())
    });
}

/// Whether none of the findings is an error.
fn is_valid(files: &[FileFindings<'_>]) -> bool {
    files.iter().flat_map(|file| file.findings).all(|finding| finding.severity < Severity::Error)
}

/// The text with asterisks for the secrets in it, byte for byte.
fn without_secrets(source: &dyn SourceText) -> Cow<'_, str> {
    let text = source.text();
    if source.hidden().is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for secret in source.hidden() {
        let (start, end) = (secret.start.max(at), secret.end.max(at));
        shown.push_str(text.get(at..start).unwrap_or_default());
        for character in text.get(start..end).unwrap_or_default().chars() {
            let is_layout = matches!(character, '\n' | '\r');
            // Places are bytes, so a character of several bytes leaves as many asterisks.
            let cover = if is_layout { character.to_string() } else { "*".repeat(character.len_utf8()) };
            shown.push_str(&cover);
        }
        at = end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    Cow::Owned(shown)
}
