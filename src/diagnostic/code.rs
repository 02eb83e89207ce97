//! The stable codes of findings and faults, with their explanations.
//!
//! A variant's documentation is its explanation: `runner explain` prints it, and `docs/codes.md` is made from it.

use serde::{Serialize, Serializer};
use strum::{EnumIter, EnumMessage, EnumString, IntoEnumIterator};

use super::Severity;

/// A stable code. The first paragraph of a variant's documentation says what it means; what follows says why, and what to do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    strum::Display,
    EnumString,
    EnumIter,
    EnumMessage,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Code {
    // ---- the file's form ----
    /// The file cannot be read.
    ///
    /// It is missing, a folder, not allowed to be read, not UTF-8, or larger than 4 MiB.
    UnreadableFile,
    /// The file is not YAML.
    ///
    /// The marked place is where the reader lost its way; the mistake is often on the line before.
    InvalidYaml,
    /// A key stands twice in the same mapping.
    ///
    /// YAML forbids it, and programs disagree on which of the two counts. Keep one.
    DuplicateKey,
    /// A form of YAML that pipeline files do not use.
    ///
    /// Keys that are no text, tags, and several documents in one file are refused, since a reader could take them two ways.
    UnsupportedYaml,
    /// The file nests or repeats too much.
    ///
    /// Nesting deeper than 64 levels, and aliases that unfold to more than 100,000 values, are refused.
    YamlTooLarge,
    /// The file holds no pipeline.
    ///
    /// It is empty, or its top is not a mapping with `apiVersion`, `kind`, `metadata` and `spec`.
    NotAPipeline,
    /// A key that is not known here.
    ///
    /// Keys are case-sensitive. The help line names the nearest known one, or all of them.
    UnknownKey,
    /// A key that must be there is missing.
    MissingKey,
    /// A value has the wrong type.
    WrongType,
    /// A value is not one of those that are allowed here.
    InvalidValue,
    /// Two keys stand together that exclude each other, or none stands where one must.
    OneOf,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::iter()
    }

    /// What it means, in one sentence.
    #[must_use]
    pub fn summary(self) -> &'static str {
        self.explanation().split("\n\n").next().unwrap_or_default()
    }

    /// What it means, why, and what to do.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        self.get_documentation().unwrap_or_default()
    }

    /// How much it weighs, unless `--deny warnings` or `allow:` says otherwise.
    #[must_use]
    pub const fn severity(self) -> Severity {
        Severity::Error
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
