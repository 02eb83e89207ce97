//! `graph/`: where the rows end up. One seam, [`GraphStore`], for the embedded engine and for Neo4j.
//!
//! # Effectively once
//!
//! A batch and the checkpoint that says "this far" are one transaction, and the transaction first tests that the
//! checkpoint still stands where the batch begins. So a batch is written wholly or not at all, never twice, and of
//! two loaders of one partition the second is [fenced](WriteError::Fenced). Whatever is lost in a crash, the
//! checkpoint is lost with it, and the loader goes on from the one that stands.

pub mod batch;
pub mod cypher;
pub mod embedded;
mod error;
pub mod mapping;
pub mod neo4j;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use self::cypher::quoted;
use self::mapping::Dictionary;
use crate::message::{Event, RowId};
use crate::spec::Projection;

pub use embedded::Embedded;
pub use error::{ConnectFault, GraphError, WriteError};
pub use neo4j::Neo4j;

/// The label of runner's own nodes, one for each partition of a topic. They are left out of counts and projections.
pub const CHECKPOINT_LABEL: &str = "RunnerCheckpoint";

/// A graph database, as far as a pipeline needs one.
pub trait GraphStore: Send + Sync {
    /// What it is, with its version: `kglite 0.21.5`.
    fn engine(&self) -> String;

    /// How far each partition of the topic has come; partitions that nothing was written for are absent.
    fn checkpoints<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<BTreeMap<u32, Checkpoint>, GraphError>>;

    /// Makes what a mapping needs before its first row, and checks its statement. Doing it again changes nothing.
    ///
    /// Returns the constraints and indexes that were made by this call, as Cypher, with those that the engine does
    /// not have and does without.
    fn prepare<'a>(&'a self, schema: &'a GraphSchema) -> BoxFuture<'a, Result<Prepared, GraphError>>;

    /// Writes a batch and its checkpoint: both or neither.
    fn write<'a>(&'a self, batch: &'a WriteBatch) -> BoxFuture<'a, Result<Written, WriteError>>;

    /// Makes rows ready for a batch of theirs: what writing them takes of this program alone, so that it can be done while the
    /// store is busy with another batch. None where that is nothing, or a row is at fault: writing tells which one.
    fn make_ready(&self, _schema: &GraphSchema, _events: &[&Event]) -> Option<ReadyRows> {
        None
    }

    /// Writes as [`write`](Self::write) does, with the batch's rows made ready. Where they are more than its events, since some of
    /// these were left out, they are made anew. `ahead` is what comes next for the same partition.
    fn write_ready<'a>(
        &'a self,
        batch: &'a WriteBatch,
        _rows: ReadyRows,
        _ahead: Option<Ahead<'a>>,
    ) -> BoxFuture<'a, Result<Written, WriteError>> {
        self.write(batch)
    }

    /// Takes back what was sent [`Ahead`] of its turn for a partition: it keeps others from the nodes that it touches, so it must not
    /// stand where its turn is not the next thing to come.
    fn recall(&self, _partition: u32) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Asks a question. A statement that would write is refused.
    fn query<'a>(
        &'a self,
        cypher: &'a str,
        parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>>;

    /// The version of Graph Data Science on the server; none where there is none, as in the embedded engine.
    fn gds_version(&self) -> BoxFuture<'_, Result<Option<String>, GraphError>> {
        Box::pin(async { Ok(None) })
    }

    /// Calls a procedure of the server that may change something beside the graph, such as the catalog of projections,
    /// or write what it computed. Statements of the file never come this way.
    fn call<'a>(
        &'a self,
        cypher: &'a str,
        _parameters: Map<String, Value>,
    ) -> BoxFuture<'a, Result<Table, GraphError>> {
        let message = format!("this engine has no procedures to call: {cypher}");
        Box::pin(async { Err(GraphError::Execution { message }) })
    }

    /// Sets one property on nodes, by the engine's own ids as [`ProjectedGraph::ids`] gives them.
    ///
    /// Returns how many properties were set; a null value removes the property.
    fn set_node_property<'a>(
        &'a self,
        property: &'a str,
        values: &'a [(u64, Value)],
    ) -> BoxFuture<'a, Result<u64, GraphError>>;

    /// Returns once everything written so far would survive the loss of this process and of power.
    fn persist(&self) -> BoxFuture<'_, Result<(), GraphError>>;

    /// How many nodes and relationships there are.
    fn counts(&self) -> BoxFuture<'_, Result<Counts, GraphError>>;

    /// The part of the graph that an analysis asks for. Orientation and aggregation are the caller's to apply.
    ///
    /// `identify` is the node property that names a node; without it, the engine's own id does.
    fn project<'a>(
        &'a self,
        projection: &'a Projection,
        identify: Option<&'a str>,
    ) -> BoxFuture<'a, Result<ProjectedGraph, GraphError>>;
}

/// How far a partition of a topic has come. It is a node of the graph, written with each batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The offset of the next record to write.
    pub offset: u64,
    /// The last row that was written or set aside; rows not beyond it are duplicates.
    pub row: Option<RowId>,
    /// The lineage of that row's file.
    pub lineage: String,
    /// The digest of the stream's definition.
    pub digest: String,
    /// How many records have been set aside so far.
    pub dead_letters: u64,
}

/// How many records of a topic are loaded or set aside, where its checkpoints stand so.
#[must_use]
pub fn loaded(checkpoints: &BTreeMap<u32, Checkpoint>) -> u64 {
    checkpoints.values().map(|checkpoint| checkpoint.offset).sum()
}

/// What a mapping writes, as far as the engine must know it beforehand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GraphSchema {
    /// The statement that is run for each `event`; see [`batch`].
    pub statement: Arc<str>,
    /// The same for a whole batch, where there is such a form; the embedded engine has no use for it.
    pub dictionary: Option<Arc<Dictionary>>,
    /// The constraints and indexes that keep it correct and fast.
    pub constraints: Vec<Constraint>,
    /// The labels that it writes, each with the properties.
    pub nodes: Vec<ElementSchema>,
    /// The relationship types that it writes, each with the properties.
    pub relationships: Vec<ElementSchema>,
}

/// A label or a relationship type, and the properties that are written on it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ElementSchema {
    /// The label or type.
    pub name: String,
    /// The names of the properties.
    pub properties: Vec<String>,
}

/// What kind of constraint or index it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConstraintKind {
    /// No two nodes of the label have the same values.
    NodeUnique,
    /// No two relationships of the type have the same values.
    RelationshipUnique,
    /// Nodes of the label are found by the values.
    NodeIndex,
    /// Relationships of the type are found by the values.
    RelationshipIndex,
}

/// A constraint or an index that a mapping needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Constraint {
    /// The label or the relationship type.
    pub label: String,
    /// The properties, in order.
    pub properties: Vec<String>,
    /// What it is.
    pub kind: ConstraintKind,
}

impl Constraint {
    /// Its name in the database: `runner_Location_name_unique`. What is no letter and no digit becomes an underscore, and the name
    /// then ends with a digest, since `a-b` and `a_b` would be alike.
    #[must_use]
    pub fn name(&self) -> String {
        let suffix = match self.kind {
            ConstraintKind::NodeUnique => "unique",
            ConstraintKind::RelationshipUnique => "rel_unique",
            ConstraintKind::NodeIndex => "index",
            ConstraintKind::RelationshipIndex => "rel_index",
        };
        let parts = format!("runner_{}_{}_{suffix}", self.label, self.properties.join("_"));
        let plain = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
        let name: String = parts.chars().map(plain).collect();
        if name == parts {
            return name;
        }
        let digest = Sha256::digest(format!("{}\0{}", self.label, self.properties.join("\0")));
        format!("{name}_{}", hex::encode(&digest[..4]))
    }

    /// The statement that makes it, where it does not stand already.
    #[must_use]
    pub fn cypher(&self) -> String {
        let name = quoted(&self.name());
        let label = quoted(&self.label);
        let properties = |variable: &str| -> Vec<String> {
            self.properties.iter().map(|property| format!("{variable}.{}", quoted(property))).collect()
        };
        match self.kind {
            ConstraintKind::NodeUnique => format!(
                "CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE {} IS UNIQUE",
                tuple(&properties("n"))
            ),
            ConstraintKind::RelationshipUnique => format!(
                "CREATE CONSTRAINT {name} IF NOT EXISTS FOR ()-[r:{label}]-() REQUIRE {} IS UNIQUE",
                tuple(&properties("r"))
            ),
            ConstraintKind::NodeIndex => {
                format!(
                    "CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({})",
                    properties("n").join(", ")
                )
            }
            ConstraintKind::RelationshipIndex => format!(
                "CREATE INDEX {name} IF NOT EXISTS FOR ()-[r:{label}]-() ON ({})",
                properties("r").join(", ")
            ),
        }
    }
}

/// A single expression as it is, several in parentheses.
fn tuple(expressions: &[String]) -> String {
    match expressions {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    }
}

/// What [`GraphStore::prepare`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prepared {
    /// The statements of the constraints and indexes that were made now.
    pub made: Vec<String>,
    /// Those that this engine does not have, each with the reason; the pipeline runs without them.
    pub done_without: Vec<(Constraint, String)>,
}

/// Records to be written in one transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct WriteBatch {
    /// The statement that is run for each `event`; see [`batch`].
    pub statement: Arc<str>,
    /// The same for a whole batch, as [`GraphSchema::dictionary`] has it.
    pub dictionary: Option<Arc<Dictionary>>,
    /// The topic.
    pub topic: String,
    /// The rows, in the order in which they shall be written. It may be empty: then only the checkpoints move.
    pub events: Vec<Event>,
    /// How the checkpoints of the partitions that the records came from move, by ascending partition; at least one.
    pub advances: Vec<Advance>,
    /// Whether each row must write something: a store that can take the transaction back does so where one does not, and fails
    /// with [`WriteError::WroteNothing`]; another one tells it in [`Written::wrote_nothing`].
    pub must_write: bool,
}

/// Rows as a store sends them, made before their turn by [`GraphStore::make_ready`].
#[derive(Debug)]
pub struct ReadyRows(neo4j::Rows);

/// The batch behind the one that is written, its rows ready. A store may send it before it is asked to write it: the server then need
/// not wait for it. Nothing of it stays unless its turn comes.
#[derive(Debug)]
pub struct Ahead<'a> {
    /// How the checkpoints will move.
    pub advances: Vec<Advance>,
    /// All its rows.
    pub rows: &'a ReadyRows,
}

/// How the checkpoint of a partition moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The partition.
    pub partition: u32,
    /// The offset at which the batch begins in it: where the checkpoint must stand.
    pub from: u64,
    /// The checkpoint as it shall be.
    pub checkpoint: Checkpoint,
}

/// What a batch did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// How many rows there were.
    pub rows: u64,
    /// The rows (by their place in the batch) for which the statement ended with nothing bound: a `MATCH` without a
    /// hit, a `WHERE` that was not so. What such a statement wrote before that point stands.
    pub wrote_nothing: Vec<usize>,
    /// Nodes that were made, without runner's own.
    pub nodes_created: u64,
    /// Relationships that were made.
    pub relationships_created: u64,
    /// Properties that `SET` set, without runner's own.
    pub properties_set: u64,
}

/// The answer to a query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each in the order of the columns. Date-times and the like are ISO-8601 text; a node is its
    /// properties, with `labels`.
    pub rows: Vec<Vec<Value>>,
    /// What the engine has to say about the query, such as a label that no node has.
    pub warnings: Vec<String>,
}

/// How many nodes each label and relationships each type has, by name; runner's own are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Nodes by label; a node with two labels counts for both.
    pub nodes: BTreeMap<String, u64>,
    /// Relationships by type.
    pub relationships: BTreeMap<String, u64>,
}

/// A part of the graph in columns: what an analysis works on.
///
/// The relationships of a type are in the order of their creation. Nodes are in the order in which those relationships
/// first touch them, type by type, source before target; nodes without any follow in the order of their creation. So the
/// order is the rows' own, and does not depend on how they were cut into batches: within a batch, a statement makes all
/// its first nodes before its second ones.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProjectedGraph {
    /// The engine's own ids of the nodes.
    pub ids: Vec<u64>,
    /// What names each node: the value of the property asked for (null where a node lacks it), or its id.
    pub names: Vec<Value>,
    /// The label by which each node was chosen: the first of the projection's that it has.
    pub labels: Vec<Arc<str>>,
    /// The relationships by type, in the projection's order.
    pub relationships: IndexMap<String, ProjectedRelationships>,
}

/// The relationships of one type between projected nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProjectedRelationships {
    /// Where each begins: an index into the nodes.
    pub sources: Vec<u32>,
    /// Where each ends.
    pub targets: Vec<u32>,
    /// The properties asked for, one value a relationship; `None` where a relationship lacks it.
    pub properties: IndexMap<String, Vec<Option<f64>>>,
}
