//! Questions asked of the finished graph: GDS procedures, on the server or on the built-in engine, and read-only queries.

mod assertion;
mod builtin;
pub mod engine;
mod nodes;
mod server;
mod watch;

use serde_json::{Map, Value};
use thiserror::Error;

pub use assertion::{Judgement, judge};
pub use engine::EngineError;
pub use nodes::NodeError;
pub use watch::Watch;

use crate::graph::{GraphError, GraphStore};
use crate::spec::{Analysis, Engine, Mode, gds};

/// What came of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisResult {
    /// What computed it: `builtin`, `gds 2.13.2`, or the store's own engine for a query.
    pub engine: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each in the order of the columns; a ranking has its highest score first.
    pub rows: Vec<Vec<Value>>,
    /// The column whose numbers are worth a picture.
    pub chart: Option<String>,
    /// The column whose values name nodes, one a row.
    pub node_column: Option<String>,
    /// What else is worth saying: why it was computed by this engine, or what was left on the server.
    pub notes: Vec<String>,
}

/// Why there is no result.
#[derive(Debug, Error)]
pub enum AnalysisError {
    /// The graph refused the query or the projection.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A node in the configuration is not in the projection, or is not written as one.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The procedure refused its configuration or the graph.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The built-in engine has no such procedure.
    #[error("the built-in engine has no procedure `{name}`")]
    UnknownProcedure {
        /// Its name.
        name: String,
    },
    /// The analysis needs a server's GDS, and there is none.
    #[error("{needs} needs Graph Data Science, and {store} has none")]
    NoServer {
        /// What needs it: a procedure, or the file's own word.
        needs: String,
        /// The store, with its version.
        store: String,
    },
    /// The server's GDS has no such procedure.
    #[error("the server's Graph Data Science has no procedure `{name}`")]
    NoSuchProcedure {
        /// Its name.
        name: String,
        /// The names of those that it has.
        known: Vec<String>,
    },
    /// The server's GDS has the procedure, but not in that mode.
    #[error("`gds.{name}` has no mode `{mode}` on the server")]
    NoSuchMode {
        /// The procedure.
        name: String,
        /// The mode that was asked for.
        mode: Mode,
        /// The modes that it has.
        modes: Vec<String>,
    },
    /// The server has not the memory.
    #[error("`{procedure}` and its projection need {required}, and the server has {available} of heap free")]
    Memory {
        /// The procedure.
        procedure: String,
        /// What is needed, in GDS's words.
        required: String,
        /// What is free.
        available: String,
    },
    /// A procedure of the server failed.
    #[error("`{procedure}` failed: {message}")]
    Server {
        /// The procedure.
        procedure: String,
        /// What it says.
        message: String,
    },
    /// The mode would write relationships.
    #[error("the built-in engine does not write the relationships that `{name}` makes")]
    WritesRelationships {
        /// The procedure.
        name: &'static str,
    },
    /// The analysis has neither a procedure with a projection nor a query; validation refuses such a file.
    #[error("the analysis names no procedure with a projection, and no query")]
    Nothing,
    /// The computation was stopped from outside.
    #[error("the computation was stopped")]
    Stopped,
}

/// Runs an analysis. A procedure is computed by the server's GDS where there is one, unless the file names the engine.
///
/// # Errors
/// Where the graph, the projection or the procedure refuses; see [`AnalysisError`].
pub async fn run(
    store: &dyn GraphStore,
    analysis: &Analysis,
    watch: Watch<'_>,
) -> Result<AnalysisResult, AnalysisError> {
    if let Some(cypher) = &analysis.cypher {
        return query(store, cypher).await;
    }
    let (Some(name), Some(projection)) = (&analysis.gds, &analysis.project) else {
        return Err(AnalysisError::Nothing);
    };
    let version = match analysis.engine {
        Engine::Builtin => None,
        Engine::Auto | Engine::Server => store.gds_version().await?,
    };
    if let Some(version) = version {
        return server::run(store, analysis, (name, projection), &version, watch).await;
    }
    let no_server = |needs: String| AnalysisError::NoServer { needs, store: store.engine() };
    match analysis.engine {
        Engine::Server => return Err(no_server("`engine: server`".to_owned())),
        Engine::Auto if gds::find(name).is_none() => return Err(no_server(format!("`{name}`"))),
        Engine::Auto | Engine::Builtin => {}
    }
    let mut result = builtin::run(store, analysis, name, projection).await?;
    if analysis.engine == Engine::Auto {
        result.notes.push(format!("by the built-in engine: {} has no Graph Data Science", store.engine()));
    }
    Ok(result)
}

/// Asks a query.
async fn query(store: &dyn GraphStore, cypher: &str) -> Result<AnalysisResult, AnalysisError> {
    let table = store.query(cypher, Map::new()).await?;
    let chart = chart_of(&table.columns, &table.rows);
    Ok(AnalysisResult {
        engine: store.engine(),
        columns: table.columns,
        rows: table.rows,
        chart,
        node_column: None,
        notes: Vec::new(),
    })
}

/// The last column, where it holds numbers that something before it names.
fn chart_of(columns: &[String], rows: &[Vec<Value>]) -> Option<String> {
    let last = columns.len().checked_sub(1).filter(|last| *last > 0)?;
    let numeric = |row: &Vec<Value>| row.get(last).is_some_and(Value::is_number);
    (rows.len() > 1 && rows.iter().all(numeric)).then(|| columns.get(last).cloned()).flatten()
}
