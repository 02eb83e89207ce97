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

/// A text by lines, to find the line and column of a byte.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    text: &'a str,
    /// The first byte of each line.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// The lines of a text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// Where a byte is; the end of the text for one behind it.
    #[must_use]
    pub fn position(&self, byte: usize) -> Position {
        let byte = byte.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= byte);
        Position { line, column: self.before(byte).chars().count() + 1 }
    }

    /// What stands before a byte on its line.
    fn before(&self, byte: usize) -> &'a str {
        let line = self.starts.partition_point(|start| *start <= byte);
        let start = line.checked_sub(1).and_then(|line| self.starts.get(line)).copied().unwrap_or_default();
        self.text.get(start..byte).unwrap_or_default()
    }
}

/// Where a location begins and ends; `None` for one that is not in the file.
fn span(source: &dyn SourceText, lines: &Lines<'_>, location: &Location) -> Option<(Position, Position)> {
    let range = source.locate(location)?;
    Some((lines.position(range.start), lines.position(range.end)))
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
#[must_use]
pub fn without_secrets(source: &dyn SourceText) -> Cow<'_, str> {
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
