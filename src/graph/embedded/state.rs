//! The folder in which an embedded graph is kept.
//!
//! | file | what it is |
//! |---|---|
//! | `state.json` | whose folder it is, and in which format |
//! | `graph.kgl` | the graph as it was last saved, checkpoints included |
//! | `graph.kgl.lock`, `graph.kgl.lock-owner` | the lease of the one process that may write, and who that is |
//!
//! The operating system frees the lease of a process that dies, so a stale one never blocks.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kglite::api::io::{GraphWriterLease, LeaseRefusal};
use serde::{Deserialize, Serialize};

use crate::graph::GraphError;

const STATE_FILE: &str = "state.json";
const NEW_STATE_FILE: &str = "state.json.new";
const GRAPH_FILE: &str = "graph.kgl";
/// What the engine puts behind the graph's name for the file that becomes the next save.
const UNFINISHED_SAVE: &str = "graph.kgl.tmp.";
/// The format that this version writes and reads.
const FORMAT: u64 = 1;

/// What `state.json` holds.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    format: u64,
    pipeline: String,
}

/// A state folder that is known to be ours, or new.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Looks at a folder without changing it; it need not exist.
    pub(super) fn inspect(folder: &Path, pipeline: &str) -> Result<Self, GraphError> {
        match read_state(folder)? {
            Some(state) if state.format != FORMAT => {
                Err(GraphError::OtherFormat { folder: folder.to_owned(), found: state.format, known: FORMAT })
            }
            Some(state) if state.pipeline != pipeline => Err(GraphError::OtherPipeline {
                folder: folder.to_owned(),
                found: state.pipeline,
                wanted: pipeline.to_owned(),
            }),
            None if holds_foreign_files(folder)? => Err(GraphError::NotOurs { folder: folder.to_owned() }),
            Some(_) | None => Ok(Self(folder.to_owned())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The file of the graph.
    pub(super) fn graph(&self) -> PathBuf {
        self.0.join(GRAPH_FILE)
    }

    /// Makes the folder, where it is not there.
    pub(super) fn create(&self) -> Result<(), GraphError> {
        fs::create_dir_all(&self.0).map_err(|source| failed("make the folder", &self.0, source))
    }

    /// Takes the lease: from now on no other process writes here.
    pub(super) fn lease(&self) -> Result<GraphWriterLease, GraphError> {
        let label = Some("runner");
        GraphWriterLease::acquire_labeled(&self.graph(), Duration::ZERO, label)
            .map_err(|refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: LeaseRefusal) -> GraphError {
        let Some(holder) = refusal.holder else {
            return failed("lock", &self.graph(), refusal.error);
        };
        let process = holder.pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"));
        let since = holder.since.map(|since| format!(" (since {since})")).unwrap_or_default();
        GraphError::InUse { folder: self.0.clone(), holder: process + &since }
    }

    /// Writes down whose folder it is, where that is not written yet.
    pub(super) fn claim(&self, pipeline: &str) -> Result<(), GraphError> {
        if read_state(&self.0)?.is_some() {
            return Ok(());
        }
        let state = State { format: FORMAT, pipeline: pipeline.to_owned() };
        let new = self.0.join(NEW_STATE_FILE);
        let text = serde_json::to_vec_pretty(&state)
            .map_err(|error| failed("write", &new, io::Error::other(error)))?;
        fs::write(&new, text).map_err(|source| failed("write", &new, source))?;
        let file = self.0.join(STATE_FILE);
        fs::rename(&new, &file).map_err(|source| failed("write", &file, source))
    }

    /// Removes the graph, and what says whose it is. The lease's files stay: another process may be waiting on them.
    pub(super) fn clear(&self) -> Result<(), GraphError> {
        for name in file_names(&self.0)? {
            let ours = name == GRAPH_FILE || name == NEW_STATE_FILE || name.starts_with(UNFINISHED_SAVE);
            if ours {
                remove(&self.0.join(&name))?;
            }
        }
        // Last, so that a folder cleared halfway is still known as ours.
        remove(&self.0.join(STATE_FILE))
    }
}

fn read_state(folder: &Path) -> Result<Option<State>, GraphError> {
    let file = folder.join(STATE_FILE);
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("read", &file, source)),
    };
    let unreadable = |_| GraphError::NotOurs { folder: folder.to_owned() };
    serde_json::from_slice(&text).map(Some).map_err(unreadable)
}

/// Whether the folder holds a file that runner does not make.
fn holds_foreign_files(folder: &Path) -> Result<bool, GraphError> {
    let is_ours = |name: &String| name.starts_with(GRAPH_FILE) || name == NEW_STATE_FILE;
    Ok(!file_names(folder)?.iter().all(is_ours))
}

/// The names of what is in a folder; none where there is no folder.
fn file_names(folder: &Path) -> Result<Vec<String>, GraphError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(failed("read the folder", folder, source)),
    };
    entries
        .map(|entry| {
            let entry = entry.map_err(|source| failed("read the folder", folder, source))?;
            Ok(entry.file_name().to_string_lossy().into_owned())
        })
        .collect()
}

/// Removes a file, if it is there.
fn remove(file: &Path) -> Result<(), GraphError> {
    match fs::remove_file(file) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(failed("remove", file, source)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> GraphError {
    GraphError::Io { action, path: path.to_owned(), source }
}
