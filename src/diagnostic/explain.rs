//! What the codes mean and how much they weigh.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};
use strum::{EnumMessage as _, IntoEnumIterator as _};

use super::{Code, Severity};

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
        self.get_documentation().unwrap_or_default().trim_end()
    }

    /// How much it weighs, unless `--deny warnings` or `allow:` says otherwise.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::SuspiciousVariable
            | Self::UnusedKey
            | Self::UnencryptedPassword
            | Self::SecretInFile
            | Self::CompactedTopic
            | Self::TopicSettingsDiffer
            | Self::TopicRetention
            | Self::ServerNotice
            | Self::UnusedTable
            | Self::UnusedColumn
            | Self::MergeWithoutConstraint
            | Self::MergedPath
            | Self::CartesianProduct
            | Self::EmbeddedCypher
            | Self::UnmatchedPattern
            | Self::ConstantFilter
            | Self::EmptyLookup
            | Self::ImplicitCast
            | Self::MergeWithoutKey
            | Self::CollapsingRelationship
            | Self::OverwrittenProperty
            | Self::EmptyNode
            | Self::MovingImage => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether `allow:` may name it: warnings, and outcomes of a run that someone may mean.
    #[must_use]
    pub fn can_be_allowed(self) -> bool {
        let is_outcome =
            matches!(self, Self::NoRows | Self::DeadLetters | Self::MissingKeyValue | Self::RowWroteNothing);
        is_outcome || self.severity() == Severity::Warning
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The page of all codes, as `docs/codes.md` holds it.
#[must_use]
pub fn manual() -> String {
    let mut page = "# Codes\n\n\
        What `runner validate` and a run may have to say, each with its code. `runner explain CODE` prints the same.\n\
        Warnings become errors with `--deny warnings`, and go away where the file says `allow: [CODE]`.\n\
        <!-- Made from src/diagnostic/code.rs by `make docs`. -->\n"
        .to_owned();
    for code in Code::all() {
        let severity = code.severity();
        let _ = write!(page, "\n## {code}\n\n*{severity}* · {}\n", code.explanation());
    }
    page
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may fail by a panic")]

    use super::*;

    #[test]
    fn the_manual_of_all_codes_has_not_drifted() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/codes.md");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, manual()).unwrap();
        }
        let page = std::fs::read_to_string(&path).unwrap();
        assert!(page == manual(), "docs/codes.md has drifted: `make docs` writes it");
    }

    #[test]
    fn every_code_is_found_by_its_name_and_says_what_it_means_and_why() {
        for code in Code::all() {
            assert_eq!(code.to_string().parse(), Ok(code));
            let summary = code.summary();
            assert!(summary.ends_with('.') && !summary.contains('\n'), "{code}: {summary}");
            assert!(code.explanation().len() > summary.len(), "{code} has a summary only");
        }
    }
}
