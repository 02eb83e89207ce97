//! What can be wrong with a call.

use crate::spec::Mode;

use super::graph::GraphError;

/// Why a procedure could not be run. The words are near those of GDS, so that what one finds about them
/// holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The procedure has no such mode.
    #[error("procedure `{procedure}` has no {mode} mode")]
    ModeNotAvailable {
        /// The procedure.
        procedure: &'static str,
        /// The mode that was asked for.
        mode: Mode,
    },
    /// A key that the procedure does not have in this mode.
    #[error("unexpected configuration key: {name}")]
    UnexpectedKey {
        /// The key.
        name: String,
    },
    /// A required key is not there.
    #[error("no value specified for the mandatory configuration parameter `{name}`")]
    MissingKey {
        /// The key.
        name: &'static str,
    },
    /// The value of a key is not what it must be.
    #[error("value for `{name}` was `{value}`, but must be {allowed}")]
    BadValue {
        /// The key.
        name: &'static str,
        /// Its value, as JSON.
        value: String,
        /// What would be accepted.
        allowed: String,
    },
    /// GDS has this, the built-in engine has not.
    #[error("`{name}` is not supported by the built-in engine; run the analysis on a server with GDS")]
    NotSupported {
        /// The key.
        name: &'static str,
    },
    /// Two keys that exclude each other, or one that needs another.
    #[error("{0}")]
    Conflict(&'static str),
    /// A node that is not in the projection.
    #[error("`{name}` names node {node}, which does not exist in the in-memory graph")]
    NodeNotInGraph {
        /// The key that names it.
        name: &'static str,
        /// The node.
        node: u64,
    },
    /// The algorithm needs relationships in both directions.
    #[error("`{procedure}` requires relationship projections to be UNDIRECTED")]
    RequiresUndirected {
        /// The procedure.
        procedure: &'static str,
    },
    /// Shortest paths are not defined by this algorithm when a weight is negative.
    #[error("`{procedure}` does not support negative relationship weights, found {weight}")]
    NegativeWeight {
        /// The procedure.
        procedure: &'static str,
        /// The first negative weight.
        weight: String,
    },
    /// The graph lacks what the call names.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
