//! What can go wrong with a graph store.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// A graph store could not do what it was asked for.
#[derive(Debug, Error)]
pub enum GraphError {
    /// A statement is not Cypher, or not Cypher that this engine runs.
    #[error("{message}")]
    Statement {
        /// What the engine says.
        message: String,
        /// Line and column in the statement, from 1, where the engine tells.
        position: Option<(usize, usize)>,
    },
    /// A query would have changed the graph.
    #[error("the statement would change the graph, and only reading is allowed here")]
    NotReadOnly,
    /// A statement was understood and failed on the data.
    #[error("{message}")]
    Execution {
        /// What the engine says.
        message: String,
    },
    /// A relationship property that an analysis needs as a number is none.
    #[error("property `{property}` of relationship type `{kind}` holds {found}, not a number")]
    NotANumber {
        /// The relationship type.
        kind: String,
        /// The property.
        property: String,
        /// What it holds.
        found: String,
    },
    /// A parameter cannot be given to the engine as it is.
    #[error("`{place}` is {value}, beyond the range of a 64-bit integer")]
    IntegerTooLarge {
        /// Where it stands.
        place: String,
        /// What it is.
        value: String,
    },
    /// Data that stands in the graph breaks a constraint that the mapping needs.
    #[error("cannot make `{constraint}`: {message}")]
    Constraint {
        /// The statement that failed.
        constraint: String,
        /// What the engine says.
        message: String,
    },
    /// Another process is writing to the folder.
    #[error("`{}` is in use by {holder}", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, such as `process 4711 (since 2026-11-24T10:28:00Z)`.
        holder: String,
    },
    /// The folder holds the state of another pipeline.
    #[error("`{}` holds the state of pipeline `{found}`, not of `{wanted}`", folder.display())]
    OtherPipeline {
        /// The folder.
        folder: PathBuf,
        /// Whose state it holds.
        found: String,
        /// Whose was wanted.
        wanted: String,
    },
    /// The folder's state was written by another version of runner, in a form that this one does not read.
    #[error("`{}` is of format {found}; this version of runner reads format {known}", folder.display())]
    OtherFormat {
        /// The folder.
        folder: PathBuf,
        /// Its format.
        found: u64,
        /// The format that is known.
        known: u64,
    },
    /// The folder is not empty, and runner did not make it.
    #[error("`{}` is not a folder that runner made: it has no readable `state.json`, but other files", folder.display())]
    NotOurs {
        /// The folder.
        folder: PathBuf,
    },
    /// The stored graph cannot be read.
    #[error("cannot open the graph in `{}`: {message}", folder.display())]
    Open {
        /// The folder.
        folder: PathBuf,
        /// What the engine says.
        message: String,
    },
    /// The graph could not be stored; what was stored before is untouched.
    #[error("cannot save the graph in `{}`: {message}", folder.display())]
    Save {
        /// The folder.
        folder: PathBuf,
        /// What the engine says.
        message: String,
    },
    /// A file or folder of the state could not be read or written.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A checkpoint node does not hold what a checkpoint holds.
    #[error("the checkpoint of partition {partition} of topic `{topic}` cannot be read: {message}")]
    Checkpoint {
        /// The topic.
        topic: String,
        /// The partition.
        partition: String,
        /// What is wrong with it.
        message: String,
    },
    /// The engine has stopped after a fault of its own.
    #[error("the graph engine has stopped: {message}")]
    Stopped {
        /// What it said last.
        message: String,
    },
    /// Something in the engine that should never happen.
    #[error("{message}")]
    Engine {
        /// What the engine says.
        message: String,
    },
}

/// A batch was not written. Nothing of it is in the graph.
#[derive(Debug, Error)]
pub enum WriteError {
    /// A record is at fault: without it the batch can be written.
    #[error("{message}")]
    Record {
        /// Which record of the batch, where that is known; else halving the batch finds it.
        position: Option<usize>,
        /// What the engine says.
        message: String,
    },
    /// The checkpoint does not stand where the batch begins: another loader was here.
    #[error(
        "partition {partition} of topic `{topic}` stands at offset {found}, not at {expected}: another loader writes to it"
    )]
    Fenced {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u32,
        /// Where the batch begins.
        expected: u64,
        /// Where the checkpoint stands.
        found: u64,
    },
    /// It may succeed when tried again as it is.
    #[error("{message}")]
    Transient {
        /// What the engine says.
        message: String,
    },
    /// No record is at fault, and trying again will not help.
    #[error(transparent)]
    Fatal(#[from] GraphError),
}
