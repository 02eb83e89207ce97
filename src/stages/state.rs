//! The folder where the embedded target keeps a pipeline's graph, dead letters and last report.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use thiserror::Error;

/// Why there is no folder for the state.
#[derive(Debug, Error)]
pub enum StateError {
    /// The platform does not say where programs keep data.
    #[error("this system names no folder for programs' data")]
    NoDataFolder,
    /// The folder cannot be made.
    #[error("the state folder `{path}` cannot be made: {source}")]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The folder of one pipeline's state.
#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The folder of a pipeline: below `folder`, or else below the platform's folder for programs' data.
    ///
    /// # Errors
    /// Where the platform names no such folder.
    pub fn locate(folder: Option<&Path>, pipeline: &str) -> Result<Self, StateError> {
        let folder = match folder {
            Some(folder) => folder.to_owned(),
            None => etcetera::choose_base_strategy()
                .map_err(|_| StateError::NoDataFolder)?
                .data_dir()
                .join("runner"),
        };
        Ok(Self(folder.join(pipeline)))
    }

    /// Makes the folder.
    ///
    /// # Errors
    /// Where the file system refuses.
    pub fn create(&self) -> Result<(), StateError> {
        std::fs::create_dir_all(&self.0)
            .map_err(|source| StateError::Unusable { path: self.0.clone(), source })
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The graph's folder.
    #[must_use]
    pub fn graph(&self) -> PathBuf {
        self.0.join("graph")
    }

    /// The file of dead letters of a topic.
    #[must_use]
    pub fn dead_letters(&self, topic: &str) -> PathBuf {
        self.0.join(format!("{topic}.jsonl"))
    }

    /// The folder of the last report.
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.0.join("report")
    }
}
