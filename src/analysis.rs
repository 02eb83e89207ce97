//! Questions asked of the finished graph: GDS procedures on the built-in engine, and read-only queries.

mod assertion;
mod builtin;
pub mod engine;
mod nodes;

use serde_json::{Map, Value};
use thiserror::Error;

pub use assertion::{Judgement, judge};
pub use engine::EngineError;
pub use nodes::NodeError;

use crate::graph::{GraphError, GraphStore};
use crate::spec::{Analysis, Engine};

/// What came of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct AnalysisResult {
    /// What computed it: `builtin`, or `cypher` on the store's own engine.
    pub engine: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each in the order of the columns; a ranking has its highest score first.
    pub rows: Vec<Vec<Value>>,
    /// The column whose numbers are worth a picture.
    pub chart: Option<String>,
    /// The column whose values name nodes, one a row.
    pub node_column: Option<String>,
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
    /// The file asks for a server's GDS, and there is no server.
    #[error("`engine: server` asks for Graph Data Science on a server, and the embedded target has none")]
    NoServer,
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

/// Runs an analysis.
///
/// # Errors
/// Where the graph, the projection or the procedure refuses; see [`AnalysisError`].
pub async fn run(store: &dyn GraphStore, analysis: &Analysis) -> Result<AnalysisResult, AnalysisError> {
    if let Some(cypher) = &analysis.cypher {
        return query(store, cypher).await;
    }
    if analysis.engine == Engine::Server {
        return Err(AnalysisError::NoServer);
    }
    let (Some(name), Some(projection)) = (&analysis.gds, &analysis.project) else {
        return Err(AnalysisError::Nothing);
    };
    builtin::run(store, analysis, name, projection).await
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
    })
}

/// The last column, where it holds numbers that something before it names.
fn chart_of(columns: &[String], rows: &[Vec<Value>]) -> Option<String> {
    let last = columns.len().checked_sub(1).filter(|last| *last > 0)?;
    let numeric = |row: &Vec<Value>| row.get(last).is_some_and(Value::is_number);
    (rows.len() > 1 && rows.iter().all(numeric)).then(|| columns.get(last).cloned()).flatten()
}
