//! The graph store that needs no server: the Cypher engine kglite, in this process, kept in a folder.
//!
//! The graph is in memory and is saved as a whole when [`GraphStore::persist`] says so. Its checkpoints are in it and are
//! saved with it, so whatever a crash takes away is written again from the checkpoint that stands.

mod engine;
mod prepare;
mod project;
mod state;
mod update;
mod value;
mod write;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use kglite::api::session::OpenError;
use serde_json::{Map, Value};

use self::engine::{Engine, OpenGraph, graph_error};
use self::state::Folder;
use super::{
    Checkpoint, Counts, GraphError, GraphSchema, GraphStore, Prepared, ProjectedGraph, Table, WriteBatch,
    WriteError, Written,
};
use crate::spec::Projection;

/// The embedded graph store.
pub struct Embedded {
    engine: Engine,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the graph that a folder keeps for a pipeline, or begins a new one there. It stays ours until this is dropped.
    ///
    /// # Errors
    ///
    /// Where another process has it open, where the folder is another pipeline's or none of ours, and where what it
    /// holds cannot be read.
    pub fn open(folder: &Path, pipeline: &str) -> Result<Self, GraphError> {
        let folder = Folder::inspect(folder, pipeline)?;
        folder.create()?;
        let lease = folder.lease()?;
        folder.claim(pipeline)?;
        let graph = OpenGraph::open(folder.graph(), lease).map_err(|error| unopened(&folder, &error))?;
        Ok(Self { engine: Engine::start(graph)? })
    }

    /// Opens the graph of a folder as it was last saved, to be looked at: nothing is made or written, and a run that has it open is not
    /// disturbed. Where there is none, an empty one.
    ///
    /// # Errors
    ///
    /// Where the folder is another pipeline's or none of ours, and where what it holds cannot be read.
    pub fn look(folder: &Path, pipeline: &str) -> Result<Self, GraphError> {
        let folder = Folder::inspect(folder, pipeline)?;
        if !folder.graph().exists() {
            return Self::in_memory();
        }
        let graph = OpenGraph::look(&folder.graph()).map_err(|error| unopened(&folder, &error))?;
        Ok(Self { engine: Engine::start(graph)? })
    }

    /// A new graph that is in memory only.
    ///
    /// # Errors
    ///
    /// Where no thread can be started.
    pub fn in_memory() -> Result<Self, GraphError> {
        Ok(Self { engine: Engine::start(OpenGraph::in_memory())? })
    }

    /// Removes the graph that a folder keeps for a pipeline, and nothing that runner did not make.
    ///
    /// # Errors
    ///
    /// As for [`Self::open`]; and where a file cannot be removed.
    pub fn clear(folder: &Path, pipeline: &str) -> Result<(), GraphError> {
        let folder = Folder::inspect(folder, pipeline)?;
        if !folder.path().exists() {
            return Ok(());
        }
        let _lease = folder.lease()?;
        folder.clear()
    }

    /// Has something done that can fail.
    async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<GraphError> + Send + 'static,
        F: FnOnce(&mut OpenGraph) -> Result<T, E> + Send + 'static,
    {
        self.engine.run(work).await?
    }
}

impl GraphStore for Embedded {
    fn engine(&self) -> String {
        "kglite 0.21.5".to_owned()
    }

    fn checkpoints<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<u32, Checkpoint>, GraphError>> {
        let topic = topic.to_owned();
        self.run(move |graph| write::checkpoints(graph, &topic)).boxed()
    }

    fn prepare<'a>(&'a self, schema: &'a GraphSchema) -> BoxFuture<'a, Result<Prepared, GraphError>> {
        let schema = schema.clone();
        self.run(move |graph| prepare::prepare(graph, &schema)).boxed()
    }

    fn write<'a>(&'a self, batch: &'a WriteBatch) -> BoxFuture<'a, Result<Written, WriteError>> {
        async move {
            // The values are made ready here, beside the engine's work on the batch before.
            let prepared = write::Write::new(batch)?;
            self.run(move |graph| prepared.run(graph)).await
        }
        .boxed()
    }

    fn query<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        let cypher = cypher.to_owned();
        self.run(move |graph| query(graph, &cypher, &parameters)).boxed()
    }

    fn set_node_property<'a>(
        &'a self,
        property: &'a str,
        values: &'a [(u64, Value)],
    ) -> BoxFuture<'a, Result<u64, GraphError>> {
        let property = property.to_owned();
        let values = values.to_vec();
        self.run(move |graph| update::set_node_property(graph, &property, &values)).boxed()
    }

    fn persist(&self) -> BoxFuture<'_, Result<(), GraphError>> {
        self.run(OpenGraph::save).boxed()
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, GraphError>> {
        self.run(|graph| Ok(project::counts(&graph.session().snapshot()))).boxed()
    }

    fn project<'a>(
        &'a self,
        projection: &'a Projection,
        identify: Option<&'a str>,
    ) -> BoxFuture<'a, Result<ProjectedGraph, GraphError>> {
        let projection = projection.clone();
        let identify: Option<Arc<str>> = identify.map(Arc::from);
        self.run(move |graph| project::project(&graph.session().snapshot(), &projection, identify.as_deref()))
            .boxed()
    }
}

fn unopened(folder: &Folder, error: &OpenError) -> GraphError {
    GraphError::Open { folder: folder.path().to_owned(), message: error.to_string() }
}

/// Asks a question.
fn query(graph: &OpenGraph, cypher: &str, parameters: &Map<String, Value>) -> Result<Table, GraphError> {
    let parameters = value::to_map(parameters)?;
    if kglite::api::cypher::parse_cypher(cypher)
        .is_ok_and(|parsed| kglite::api::cypher::is_mutation_query(&parsed))
    {
        return Err(GraphError::NotReadOnly);
    }
    let result = graph.read(cypher, &parameters).map_err(|error| graph_error(&error))?.result;
    Ok(Table {
        columns: result.columns,
        rows: result.rows.iter().map(|row| row.iter().map(value::to_json).collect()).collect(),
        warnings: result.diagnostics.map(|diagnostics| diagnostics.warnings).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
