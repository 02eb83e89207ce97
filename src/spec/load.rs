//! Reads a pipeline file once: plain JSON values, and beside them a table of where each value stands.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Location};

/// A file as it was read: its name and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name to show: the path as the user wrote it, or `-`.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Where the values of a file stand in its text.
#[derive(Debug, Clone, Default)]
pub struct Places {}

impl Places {
    /// The bytes of the file's text that a location marks; the nearest path above where the location itself is not in the
    /// file (a missing key, say); `None` for [`Location::Outside`].
    #[must_use]
    pub fn locate(&self, _location: &Location) -> Option<Range<usize>> {
        None
    }
}

/// A file's values and their places, after environment variables were put in.
#[derive(Debug, Clone)]
pub struct Document {
    /// The file.
    pub file: SourceFile,
    /// Its values.
    pub value: serde_json::Value,
    /// Where they stand.
    pub places: Places,
}

/// Reads the text of a pipeline file.
///
/// `variable` gives an environment variable's value.
///
/// # Errors
/// Every fault of the YAML and of the variables in it, at once, beside the file for showing them.
pub fn parse(
    _file: SourceFile,
    _variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Document, (SourceFile, Vec<Diagnostic>)> {
    todo!()
}
