//! Where records go that cannot be written: a file beside the embedded graph, or a topic beside the one on Kafka.

mod file;

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::load::{Attempt, Fate};

pub(super) use file::LetterFile;

/// Dead letters could not be kept.
#[derive(Debug, Error)]
pub enum DeadLetterError {
    /// The file cannot be written.
    #[error("the dead letters cannot be written to `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl DeadLetterError {
    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// Where records go that cannot be written.
#[derive(Debug)]
pub(super) enum DeadLetters {
    /// Nobody will read them.
    Nowhere,
    /// A file: a line is dropped again when the graph's checkpoint does not vouch for it.
    File(LetterFile),
}

impl DeadLetters {
    /// Keeps those of a batch that was written, and are not kept yet.
    pub(super) fn keep_after(
        &mut self,
        topic: &str,
        attempts: &mut [Attempt],
    ) -> Result<(), DeadLetterError> {
        let Self::File(file) = self else { return Ok(()) };
        for attempt in attempts {
            if let Fate::SetAside { reason, kept: kept @ false } = &mut attempt.fate {
                file.append(topic, &attempt.record, reason)?;
                *kept = true;
            }
        }
        Ok(())
    }

    /// Makes what was kept safe against a power cut.
    pub(super) fn sync(&self) -> Result<(), DeadLetterError> {
        match self {
            Self::Nowhere => Ok(()),
            Self::File(file) => file.sync(),
        }
    }
}
