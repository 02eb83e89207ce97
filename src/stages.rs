//! The stages of a run: validate → deploy → stream → analyse → report.
//!
//! Each stage is one async function that takes what the stage before returned; no stage reaches back. They tell what
//! happens as events ([`crate::progress`]) and end in a value or in a [`Fault`].

pub mod analyse;
pub mod dead_letters;
pub mod deploy;
pub mod destroy;
pub mod detach;
mod digest;
pub mod fault;
mod journal;
mod judge;
pub mod live;
pub mod logs;
mod metrics;
mod patience;
pub mod plan;
pub mod preview;
pub mod render;
pub mod report;
pub mod run;
pub mod state;
pub mod status;
pub mod stream;
pub mod test;
pub mod validate;

use std::path::PathBuf;

pub use fault::Fault;

use crate::spec::Infrastructure;

/// Where a pipeline runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, clap::ValueEnum)]
#[strum(serialize_all = "lowercase")]
pub enum Target {
    /// In this process, with no server.
    Embedded,
    /// On servers that exist already.
    External,
    /// On servers that runner deploys.
    Kubernetes,
}

impl Target {
    /// The target that the file names; embedded where it names none.
    #[must_use]
    pub const fn of(infrastructure: &Infrastructure) -> Self {
        if infrastructure.kubernetes.is_some() {
            Self::Kubernetes
        } else if infrastructure.external.is_some() {
            Self::External
        } else {
            Self::Embedded
        }
    }
}

/// A pipeline file and where it was found.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The path as the user wrote it.
    pub path: PathBuf,
    /// The folder that the file's relative paths start from.
    pub base: PathBuf,
}

impl Origin {
    /// The origin of the pipeline file at a path.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let base = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
        Self { path, base }
    }
}
