//! Where records go that cannot be written: a file beside the embedded graph, or a topic beside the one on Kafka.

mod file;

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::load::{Attempt, Fate};
use crate::topic::kafka::{self, KafkaError, Refused};

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
    /// The topic does not take them.
    #[error("the dead letters cannot be kept: {0}")]
    Topic(#[from] KafkaError),
}

impl DeadLetterError {
    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// Where records go that cannot be written.
pub(super) enum DeadLetters {
    /// Nobody will read them.
    Nowhere,
    /// A file: a line is dropped again when the graph's checkpoint does not vouch for it.
    File(LetterFile),
    /// A topic: a letter is acknowledged before the checkpoint moves beyond its record.
    Topic(Box<kafka::DeadLetters>),
}

impl DeadLetters {
    /// Keeps those of a batch that will be written, where they must be kept before.
    pub(super) async fn keep_before(&mut self, attempts: &mut [Attempt]) -> Result<(), DeadLetterError> {
        let Self::Topic(letters) = self else { return Ok(()) };
        let refused: Vec<Refused<'_>> = attempts
            .iter()
            .filter_map(|attempt| match &attempt.fate {
                Fate::SetAside { reason, kept: false } => {
                    Some(Refused { record: &attempt.record, code: reason.code, message: &reason.words })
                }
                _ => None,
            })
            .collect();
        letters.append(&refused).await?;
        mark_kept(attempts);
        Ok(())
    }

    /// Keeps those of a batch that was written, and are not kept yet.
    pub(super) async fn keep_after(
        &mut self,
        topic: &str,
        attempts: &mut [Attempt],
    ) -> Result<(), DeadLetterError> {
        let Self::File(file) = self else { return self.keep_before(attempts).await };
        for attempt in &*attempts {
            if let Fate::SetAside { reason, kept: false } = &attempt.fate {
                file.append(topic, &attempt.record, &reason.to_string())?;
            }
        }
        mark_kept(attempts);
        Ok(())
    }

    /// Makes what was kept safe against a power cut.
    pub(super) fn sync(&self) -> Result<(), DeadLetterError> {
        match self {
            Self::Nowhere | Self::Topic(_) => Ok(()),
            Self::File(file) => file.sync(),
        }
    }
}

fn mark_kept(attempts: &mut [Attempt]) {
    for attempt in attempts {
        if let Fate::SetAside { kept, .. } = &mut attempt.fate {
            *kept = true;
        }
    }
}
