//! Reads a pipeline file once: plain JSON values, and beside them a table of where each value stands.
//!
//! The parser's events are used rather than its finished tree, because the tree has already forgotten aliases, merge keys
//! and repeated keys, each of which deserves an answer of its own.

mod encoding;
mod offsets;
mod pieces;
mod places;
mod resolve;
mod scalar;
mod syntax;
mod tabs;
mod tree;
mod variables;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::Path as FilePath;

use serde_json::Value;

use crate::diagnostic::render::SourceText;
use crate::diagnostic::{Code, Diagnostic, Location, Path};

pub use places::Places;

/// The largest pipeline file that is read, in bytes.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// The deepest nesting of mappings and lists.
pub const MAX_DEPTH: usize = 64;
/// The most values in a file, each use of an alias counted anew.
pub const MAX_VALUES: usize = 100_000;

/// A file as it was read: its name and its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFile {
    /// The name to show: the path as the user wrote it, or `-`.
    pub name: String,
    /// The text, without a byte order mark; all byte offsets of findings are offsets in it.
    pub text: String,
}

/// A file's values and their places, after environment variables were put in, and what is wrong with it as YAML.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The file.
    pub file: SourceFile,
    /// Its values; `None` where the text could not be read as YAML to its end.
    pub value: Option<Value>,
    /// Where they stand.
    pub places: Places,
    /// Every fault of the YAML and of the variables in it.
    pub findings: Vec<Diagnostic>,
}

impl SourceText for Document {
    fn name(&self) -> &str {
        &self.file.name
    }

    fn text(&self) -> &str {
        &self.file.text
    }

    fn locate(&self, location: &Location) -> Option<Range<usize>> {
        self.places.locate(location)
    }

    fn hidden(&self) -> &[Range<usize>] {
        self.places.hidden()
    }
}

/// Gives the value of an environment variable, where it is set.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads a pipeline file from disk, or from standard input for `-`.
#[must_use]
pub fn read(path: &FilePath, variables: Variables<'_>) -> Document {
    let name = path.display().to_string();
    match bytes_of(path) {
        Ok(bytes) => parse(name, &bytes, variables),
        Err(error) => {
            let reason = if path.is_dir() { "it is a folder".to_owned() } else { error.to_string() };
            let finding = Diagnostic::new(Code::UnreadableFile, format!("cannot read `{name}`: {reason}"));
            Document {
                file: SourceFile { name, text: String::new() },
                findings: vec![finding],
                ..Document::default()
            }
        }
    }
}

fn bytes_of(path: &FilePath) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    // One byte more than is allowed tells a file that is too large from one that just fits, without reading all of it.
    let limit = MAX_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Reads the bytes of a pipeline file. Faults do not end it early: what can be understood is, so that the rules find the rest.
#[must_use]
pub fn parse(name: impl Into<String>, bytes: &[u8], variables: Variables<'_>) -> Document {
    let (text, fault) = encoding::decode(bytes);
    let mut document = Document { file: SourceFile { name: name.into(), text }, ..Document::default() };
    if let Some(fault) = fault {
        document.findings.push(fault);
        return document;
    }
    let tree = tree::build(&document.file.text, &mut document.findings);
    match tree {
        tree::Outcome::Broken => {}
        tree::Outcome::Empty => document.findings.push(
            Diagnostic::new(Code::NotAPipeline, "the file is empty")
                .located(Location::Span(Path::root(), 0..0))
                .help("`runner init FILE.parquet` writes a file to start from"),
        ),
        tree::Outcome::Root(root) => {
            let resolved = resolve::resolve(&root, &document.file.text, variables);
            document.findings.extend(resolved.findings);
            document.value = resolved.value;
            document.places = resolved.places;
        }
    }
    document
}
