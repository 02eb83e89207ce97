//! The graph store that is a Neo4j server, over Bolt.
//!
//! # A batch
//!
//! A batch is one transaction of two statements. The first locks the checkpoints, says where they stand, and moves them;
//! unless all stood where the batch begins, the transaction is rolled back. The other one writes the rows. See `write`.
//!
//! The next batch may be sent behind the commit of the one before, as far as its own commit: the server unpacks its rows while it
//! commits. Where the commit fails, the server ignores what comes behind it.
//!
//! # Lost answers
//!
//! When the connection ends while a commit is on its way, nobody can tell whether the transaction happened. The batch is
//! reported as [`WriteError::Transient`] and comes again. Each transaction leaves a mark of its own on the checkpoints, so
//! that the next try knows a batch of its own that did arrive from one of another loader.

mod bolt;
mod checkpoint;
mod connection;
mod convert;
mod dictionary;
mod error;
mod explain;
mod frozen;
mod prepare;
mod project;
mod query;
mod route;
mod rows;
mod value;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use neo4rs::Txn;
use serde_json::{Map, Value};

use self::connection::Address;
use self::error::graph_error;
use self::route::Server;
use self::write::Uncertain;
use super::{
    Ahead, Checkpoint, Counts, GraphError, GraphSchema, GraphStore, Prepared, ProjectedGraph, ReadyRows,
    Table, WriteBatch, WriteError, Written,
};
use crate::message::Event;
use crate::spec::Projection;

pub use connection::Connection;
pub use explain::{Explained, Notice};
pub(super) use rows::Rows;

/// A transaction begins within this time, or the server counts as not there.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);
/// What needs no look at the graph is answered within this time.
const ANSWERED_WITHIN: Duration = Duration::from_mins(1);

/// A Neo4j server.
pub struct Neo4j {
    connection: Connection,
    address: Address,
    server: RwLock<Arc<Server>>,
    uncertain: Uncertain,
}

impl fmt::Debug for Neo4j {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Neo4j").field("address", &self.address.to_string()).finish_non_exhaustive()
    }
}

impl Neo4j {
    /// Reaches a server, logs in and opens the database: within five seconds, and with one try of the password.
    ///
    /// With `neo4j://`, the server is asked which one of its cluster writes to the database, and that one is used. A server
    /// that stands alone is used at the address that was given, whatever address it has of itself.
    ///
    /// # Errors
    ///
    /// [`GraphError::Connect`], with what is in the way.
    pub async fn connect(connection: &Connection) -> Result<Self, GraphError> {
        let address = Address::parse(&connection.uri)?;
        let server = route::find(&address, connection).await?;
        Ok(Self {
            connection: connection.clone(),
            address,
            server: RwLock::new(Arc::new(server)),
            uncertain: Uncertain::default(),
        })
    }

    /// The server's version, such as `5.26.30`.
    #[must_use]
    pub fn version(&self) -> String {
        self.server().version.clone()
    }

    /// The server's edition: `community` or `enterprise`.
    #[must_use]
    pub fn edition(&self) -> String {
        self.server().edition.clone()
    }

    /// Where the server is: `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        self.server().address.to_string()
    }

    fn server(&self) -> Arc<Server> {
        Arc::clone(&self.server.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks again for the server of the cluster that writes.
    async fn reroute(&self) {
        if let Ok(server) = route::find(&self.address, &self.connection).await {
            *self.server.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(server);
        }
    }

    /// An answer that a server cannot take long for. One that is stopped takes connections and stays silent.
    async fn soon<T>(&self, answer: impl Future<Output = Result<T, GraphError>>) -> Result<T, GraphError> {
        tokio::time::timeout(ANSWERED_WITHIN, answer).await.unwrap_or_else(|_| Err(self.silent()))
    }

    fn silent(&self) -> GraphError {
        GraphError::Unavailable { message: format!("Neo4j at `{}` does not answer", self.address()) }
    }

    /// Begins a transaction that is not a batch's. Where the server of a cluster is away, the next try goes to its successor.
    async fn begin(&self) -> Result<Txn, GraphError> {
        let server = self.server();
        let begun = match tokio::time::timeout(BEGINS_WITHIN, server.graph.start_txn()).await {
            Ok(begun) => begun.map_err(|error| graph_error(&error)),
            Err(_) => Err(self.silent()),
        };
        if server.in_cluster && matches!(begun, Err(GraphError::Unavailable { .. })) {
            Box::pin(self.reroute()).await;
        }
        begun
    }
}

impl GraphStore for Neo4j {
    fn engine(&self) -> String {
        let server = self.server();
        format!("Neo4j {} {}", server.version, server.edition)
    }

    fn checkpoints<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<u32, Checkpoint>, GraphError>> {
        self.soon(self.read_checkpoints(topic)).boxed()
    }

    fn prepare<'a>(&'a self, schema: &'a GraphSchema) -> BoxFuture<'a, Result<Prepared, GraphError>> {
        self.prepare_schema(schema).boxed()
    }

    fn write<'a>(&'a self, batch: &'a WriteBatch) -> BoxFuture<'a, Result<Written, WriteError>> {
        self.write_batch(batch, None, None).boxed()
    }

    fn make_ready(&self, schema: &GraphSchema, events: &[&Event]) -> Option<ReadyRows> {
        let is_utc = self.server().is_utc;
        Rows::of(&schema.statement, schema.dictionary.as_ref(), events, is_utc).ok().map(ReadyRows)
    }

    fn write_ready<'a>(
        &'a self,
        batch: &'a WriteBatch,
        rows: ReadyRows,
        ahead: Option<Ahead<'a>>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        self.write_batch(batch, Some(rows.0), ahead).boxed()
    }

    fn recall(&self, partition: u32) -> BoxFuture<'_, ()> {
        self.take_back(partition).boxed()
    }

    fn query<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        self.ask(cypher, parameters).boxed()
    }

    fn gds_version(&self) -> BoxFuture<'_, Result<Option<String>, GraphError>> {
        self.soon(self.find_gds()).boxed()
    }

    fn call<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        self.change(cypher, parameters).boxed()
    }

    fn set_node_property<'a>(
        &'a self,
        property: &'a str,
        values: &'a [(u64, Value)],
    ) -> BoxFuture<'a, Result<u64, GraphError>> {
        self.set_property(property, values).boxed()
    }

    fn persist(&self) -> BoxFuture<'_, Result<(), GraphError>> {
        // What the server has committed is durable.
        async { Ok(()) }.boxed()
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, GraphError>> {
        self.soon(self.count()).boxed()
    }

    fn project<'a>(
        &'a self,
        projection: &'a Projection,
        identify: Option<&'a str>,
    ) -> BoxFuture<'a, Result<ProjectedGraph, GraphError>> {
        self.read_projection(projection, identify).boxed()
    }
}
