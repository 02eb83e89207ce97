//! Exit codes, and the errors that end a command.

use std::io;
use std::process::ExitCode;

use thiserror::Error;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as asked.
    Done,
    /// Something failed, and was told.
    Failed,
    /// A plan has changes, and was asked to say so.
    Changes,
    /// The command line makes no sense (`EX_USAGE`).
    Usage,
    /// A loader among several met an outage, or another loader of its partitions: it may be started again (`EX_TEMPFAIL`).
    TryAgain,
    /// The pipeline file is not valid (`EX_CONFIG`).
    InvalidFile,
    /// Ctrl-C ended it (128 + SIGINT).
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Changes => 2,
            Exit::Usage => 64,
            Exit::TryAgain => 75,
            Exit::InvalidFile => 78,
            Exit::Interrupted => 130,
        })
    }
}

/// Why a command could not do its work at all. What is wrong with a pipeline is a finding, not one of these.
#[derive(Debug, Error)]
pub enum CommandError {
    /// The command line makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// Reading or writing failed.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The reader of our output has gone.
    #[error("the reader of the output has gone")]
    BrokenPipe,
}

impl CommandError {
    /// The error of something that was tried with a file.
    pub fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    /// The error, unless it is that the reader has gone: who reads no more of a run wants no word of it, and its exit code.
    pub fn unless_gone(self) -> Result<(), Self> {
        if matches!(self, Self::BrokenPipe) { Ok(()) } else { Err(self) }
    }

    /// The error of a command line that makes no sense.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }
}

impl From<io::Error> for CommandError {
    fn from(source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            Self::BrokenPipe
        } else {
            Self::Io { what: "the output cannot be written".to_owned(), source }
        }
    }
}
