//! The engine's own thread.
//!
//! All work on the graph is done by one thread, in the order in which it is asked for. The engine changes a graph in
//! place only while nobody else looks at it, and copies it otherwise; it needs more stack than a runtime's threads have;
//! and its calls block. One thread of its own answers all three.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Once, mpsc};
use std::thread::{self, JoinHandle};

use kglite::api::cypher::{QueryWarningSink, with_query_warning_sink};
use kglite::api::io::{GraphWriterLease, OpenDisposition};
use kglite::api::session::{
    CancelToken, ExecuteOptions, ExecuteOutcome, OpenError, OpenSpec, QUERY_THREAD_STACK_SIZE, Session,
    execute_read, open_path,
};
use kglite::api::{DirGraph, KgError, KgErrorCode};
use tokio::sync::oneshot;

use super::value::Parameters;
use crate::graph::GraphError;

/// The thread's name.
const THREAD: &str = "graph";

/// Something to do with the graph; it breaks where the graph is not fit for more.
type Job = Box<dyn FnOnce(&mut OpenGraph) -> ControlFlow<()> + Send>;

/// The thread, and the way to it.
///
/// Dropping it ends the thread and sets the folder free. Nothing is saved then, and a statement that still runs is broken
/// off and undone: nobody waits for it any more.
pub(super) struct Engine {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    stop: CancelToken,
}

impl Engine {
    /// Starts the thread with an open graph.
    pub(super) fn start(graph: OpenGraph) -> Result<Self, GraphError> {
        keep_panics_silent();
        let (jobs, received) = mpsc::channel::<Job>();
        let stop = graph.stop.clone();
        let work = move || {
            let mut graph = graph;
            with_query_warning_sink(QueryWarningSink::Silent, || {
                while let Ok(job) = received.recv() {
                    if job(&mut graph).is_break() {
                        break;
                    }
                }
            });
        };
        let thread = thread::Builder::new()
            .name(THREAD.to_owned())
            .stack_size(2 * QUERY_THREAD_STACK_SIZE)
            .spawn(work)
            .map_err(|source| GraphError::Io {
                action: "start a thread for",
                path: PathBuf::from(THREAD),
                source,
            })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), stop })
    }

    /// Has something done, and waits for what comes of it.
    pub(super) async fn run<T, F>(&self, work: F) -> Result<T, GraphError>
    where
        T: Send + 'static,
        F: FnOnce(&mut OpenGraph) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |graph| {
            let done = panic::catch_unwind(AssertUnwindSafe(|| work(graph)));
            let done = done.map_err(|panic| GraphError::Stopped { message: last_words(&*panic) });
            let flow = if done.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) };
            // Who asked may have been cancelled meanwhile; the work is done all the same.
            let _ = answer.send(done);
            flow
        });
        let stopped = || GraphError::Stopped { message: "it has met a fault of its own before".to_owned() };
        self.jobs.as_ref().ok_or_else(stopped)?.send(job).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Keeps the engine's panics off stderr: who asked for the work is told of them. Those of other threads are shown as ever.
fn keep_panics_silent() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let shown = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if thread::current().name() != Some(THREAD) {
                shown(panic);
            }
        }));
    });
}

/// What a panic says, on one line.
fn last_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.and_then(|text| text.lines().next()).unwrap_or("it does not say why").to_owned()
}

impl Drop for Engine {
    fn drop(&mut self) {
        drop(self.jobs.take());
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic in letting the graph go harms nobody any more.
            let _ = thread.join();
        }
    }
}

/// An open graph: what the thread owns.
pub(super) struct OpenGraph {
    session: Session,
    /// Held as long as the graph is open to be written to, so that no other process does.
    _lease: Option<GraphWriterLease>,
    /// The file that it is saved to; none for a graph in memory only.
    file: Option<PathBuf>,
    /// The version of the graph that the file holds.
    saved_version: Option<u64>,
    /// Breaks off the statement that runs.
    stop: CancelToken,
}

impl OpenGraph {
    /// How often the engine tries a write again that lost a race. There is no one to race with.
    const ATTEMPTS: u32 = 1;

    /// A graph that is in memory only.
    pub(super) fn in_memory() -> Self {
        let session = Session::new(DirGraph::new());
        Self { session, _lease: None, file: None, saved_version: None, stop: CancelToken::new() }
    }

    /// The graph that a file holds, as it was last saved. Another process may write to it meanwhile: a save puts a new file in its place.
    pub(super) fn look(file: &Path) -> Result<Self, OpenError> {
        let opened = open_path(file, &OpenSpec { lease_timeout: None, ..OpenSpec::writer() })?;
        Ok(Self { session: opened.session, ..Self::in_memory() })
    }

    /// The graph that a file holds, or a new one that will be saved to it.
    pub(super) fn open(file: PathBuf, lease: GraphWriterLease) -> Result<Self, OpenError> {
        // The lease is held already.
        let opened = open_path(&file, &OpenSpec { lease_timeout: None, ..OpenSpec::writer() })?;
        let is_stored = opened.disposition == OpenDisposition::Opened;
        let saved_version = is_stored.then(|| opened.session.version());
        let stop = CancelToken::new();
        Ok(Self { session: opened.session, _lease: Some(lease), file: Some(file), saved_version, stop })
    }

    pub(super) const fn session(&self) -> &Session {
        &self.session
    }

    /// Runs a statement that may write; it is undone as a whole where it fails.
    pub(super) fn execute(
        &self,
        cypher: &str,
        parameters: &Parameters,
    ) -> Result<ExecuteOutcome, Box<KgError>> {
        let options = self.options(parameters);
        self.session.execute_auto_commit(cypher, &options, Self::ATTEMPTS).map_err(Box::new)
    }

    /// Runs a statement that only reads.
    pub(super) fn read(&self, cypher: &str, parameters: &Parameters) -> Result<ExecuteOutcome, Box<KgError>> {
        execute_read(&self.session.snapshot(), cypher, &self.options(parameters)).map_err(Box::new)
    }

    fn options<'a>(&self, parameters: &'a Parameters) -> ExecuteOptions<'a> {
        ExecuteOptions { cancel: Some(self.stop.clone()), ..ExecuteOptions::eager(parameters) }
    }

    /// Saves the graph, unless that was done since the last change. A save that fails or is cut off leaves the earlier
    /// one as it was: the engine writes a new file and renames it.
    pub(super) fn save(&mut self) -> Result<(), GraphError> {
        let version = self.session.version();
        let Some(file) = self.file.as_ref().filter(|_| self.saved_version != Some(version)) else {
            return Ok(());
        };
        self.session.save(&file.to_string_lossy(), true).map_err(|message| GraphError::Save {
            folder: file.parent().map(PathBuf::from).unwrap_or_default(),
            message,
        })?;
        self.saved_version = Some(version);
        Ok(())
    }
}

/// What the engine's error means for a statement that was not a batch.
pub(super) fn graph_error(error: &KgError) -> GraphError {
    let message = headline(error);
    match error.code() {
        KgErrorCode::CypherSyntax | KgErrorCode::Schema | KgErrorCode::InvalidArgument => {
            GraphError::Statement { message, position: error.position() }
        }
        KgErrorCode::CypherExecution if is_of_the_statement(&message) => {
            GraphError::Statement { message, position: error.position() }
        }
        KgErrorCode::CypherExecution
        | KgErrorCode::CypherTypeMismatch
        | KgErrorCode::Validation
        | KgErrorCode::Expr
        | KgErrorCode::ConstraintViolation => GraphError::Execution { message },
        _ => GraphError::Engine { message },
    }
}

/// Whether a fault that shows only when the statement runs is the statement's, and not the data's. The engine has one
/// kind of error for both.
pub(super) fn is_of_the_statement(message: &str) -> bool {
    const BEGINNINGS: [&str; 4] = ["Unknown function", "Missing parameter", "MERGE path:", "MERGE supports"];
    const WORDS: [&str; 2] = ["unknown key", "is not supported"];
    BEGINNINGS.iter().any(|beginning| message.starts_with(beginning))
        || WORDS.iter().any(|words| message.contains(words))
}

/// What the engine says, without the heading and the copy of the statement that it adds.
pub(super) fn headline(error: &KgError) -> String {
    let text = match error {
        KgError::CypherSyntax { message, .. }
        | KgError::CypherExecution { message, .. }
        | KgError::Schema { message, .. } => message.clone(),
        other => other.to_string(),
    };
    text.lines().next().unwrap_or_default().to_owned()
}
