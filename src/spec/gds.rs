//! The catalogue of `gds.*` procedures that the built-in engine has, as GDS 2.13 documents them.
//!
//! It is data only. Validation reads it to check an analysis before anything runs, the engine reads its
//! defaults and ranges from it, and documentation is made from it, so that the three cannot differ.
//!
//! `mutate` and `estimate` are left out on purpose: the first changes an in-memory projection that outlives
//! the call, which a pipeline never has, and the second measures a heap that is not ours. `train` and
//! `predict` belong to machine learning, which the engine does not have.

mod centrality;
mod community;
mod config;
mod keys;
mod path_finding;
mod similarity;

use super::Mode;

pub use config::{ConfigKey, ConfigKind, DefaultValue, Range, SCALERS, Support, scaler_name};

/// An algorithm that the built-in engine has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, strum::EnumIter)]
pub enum Algorithm {
    /// `pageRank`
    PageRank,
    /// `articleRank`
    ArticleRank,
    /// `eigenvector`
    Eigenvector,
    /// `degree`
    Degree,
    /// `betweenness`
    Betweenness,
    /// `closeness`
    Closeness,
    /// `closeness.harmonic`
    HarmonicCloseness,
    /// `wcc`
    WeaklyConnectedComponents,
    /// `scc`
    StronglyConnectedComponents,
    /// `louvain`
    Louvain,
    /// `labelPropagation`
    LabelPropagation,
    /// `triangleCount`
    TriangleCount,
    /// `localClusteringCoefficient`
    LocalClusteringCoefficient,
    /// `kcore`
    KCore,
    /// `nodeSimilarity`
    NodeSimilarity,
    /// `bfs`
    BreadthFirstSearch,
    /// `dfs`
    DepthFirstSearch,
    /// `shortestPath.dijkstra`
    SourceTargetDijkstra,
    /// `allShortestPaths.dijkstra`
    SingleSourceDijkstra,
    /// `allShortestPaths.delta`
    DeltaStepping,
}

const STREAM_STATS_WRITE: &[Mode] = &[Mode::Stream, Mode::Stats, Mode::Write];
const STREAM_WRITE: &[Mode] = &[Mode::Stream, Mode::Write];
const STREAM: &[Mode] = &[Mode::Stream];
const WRITE: &[Mode] = &[Mode::Write];

/// What the rows of a procedure's stream are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// A number for each node, of which the highest are asked for first.
    Scores,
    /// The community of each node.
    Communities,
    /// One row that holds the nodes in the order of their visits.
    Traversal,
    /// A row for each path.
    Paths,
    /// A row for each pair of nodes, with the similarity of the second to the first.
    Pairs,
}

/// A procedure of GDS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Procedure {
    /// Which algorithm it is.
    pub algorithm: Algorithm,
    /// Its name without `gds.` and without the mode, such as `shortestPath.dijkstra`.
    pub name: &'static str,
    /// What it computes, in a line.
    pub summary: &'static str,
    /// The configuration keys of its own; see [`Procedure::config_keys`] for all.
    pub config: &'static [ConfigKey],
    /// The columns of its stream mode. The column `path`, which GDS has for some, holds database objects and
    /// is left out.
    pub stream_columns: &'static [&'static str],
    /// The columns of its stats mode, without timings and without the echo of the configuration.
    pub stats_columns: &'static [&'static str],
    /// The modes that it has.
    pub modes: &'static [Mode],
    /// What its rows are about.
    pub shape: Shape,
}

impl Procedure {
    /// Whether a list of its results is best shown with the highest score first.
    #[must_use]
    pub fn orders_by_score(&self) -> bool {
        self.shape == Shape::Scores
    }

    /// All its configuration keys: its own and those that every procedure has.
    pub fn config_keys(&self) -> impl Iterator<Item = &'static ConfigKey> + use<> {
        self.config.iter().chain(keys::COMMON)
    }

    /// The configuration key of that name, case-sensitive as in GDS.
    #[must_use]
    pub fn config_key(&self, name: &str) -> Option<&'static ConfigKey> {
        self.config_keys().find(|key| key.name == name)
    }
}

static PROCEDURES: [Procedure; 20] = [
    centrality::PAGE_RANK,
    centrality::ARTICLE_RANK,
    centrality::EIGENVECTOR,
    centrality::DEGREE,
    centrality::BETWEENNESS,
    centrality::CLOSENESS,
    centrality::HARMONIC_CLOSENESS,
    community::WCC,
    community::SCC,
    community::LOUVAIN,
    community::LABEL_PROPAGATION,
    community::TRIANGLE_COUNT,
    community::LOCAL_CLUSTERING_COEFFICIENT,
    community::K_CORE,
    similarity::NODE_SIMILARITY,
    path_finding::BFS,
    path_finding::DFS,
    path_finding::SOURCE_TARGET_DIJKSTRA,
    path_finding::SINGLE_SOURCE_DIJKSTRA,
    path_finding::DELTA_STEPPING,
];

/// All procedures of the catalogue.
#[must_use]
pub fn all() -> &'static [Procedure] {
    &PROCEDURES
}

/// The procedure of that name, with or without `gds.` before it, case-sensitive as in GDS.
#[must_use]
pub fn find(name: &str) -> Option<&'static Procedure> {
    let bare_name = name.strip_prefix("gds.").unwrap_or(name);
    all().iter().find(|procedure| procedure.name == bare_name)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_algorithm_has_one_procedure() {
        for algorithm in Algorithm::iter() {
            let count = all().iter().filter(|procedure| procedure.algorithm == algorithm).count();
            assert_eq!(count, 1, "{algorithm:?}");
        }
    }

    #[test]
    fn a_name_is_found_with_and_without_its_prefix_but_only_in_its_own_case() {
        assert_eq!(find("gds.shortestPath.dijkstra"), find("shortestPath.dijkstra"));
        assert!(find("pageRank").is_some());
        assert!(find("pagerank").is_none());
        assert!(find("gds.gds.pageRank").is_none());
    }

    #[test]
    fn no_key_is_twice_in_a_procedure_and_every_default_is_of_its_kind() {
        for procedure in all() {
            let mut names: Vec<_> = procedure.config_keys().map(|key| key.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), procedure.config_keys().count(), "{}", procedure.name);
            for key in procedure.config_keys() {
                let is_of_its_kind = key.default.is_none_or(|default| key.kind.accepts(&default.to_json()));
                assert!(is_of_its_kind, "{} {}", procedure.name, key.name);
                assert!(!(key.required && key.default.is_some()), "{} {}", procedure.name, key.name);
            }
        }
    }

    #[test]
    fn values_are_checked_against_their_kind() {
        let damping = find("pageRank").and_then(|procedure| procedure.config_key("dampingFactor")).unwrap();
        assert!(damping.kind.accepts(&json!(0)));
        assert!(!damping.kind.accepts(&json!(1.0)));
        assert_eq!(damping.kind.to_string(), "a number in [0, 1)");
        assert!(ConfigKind::Scaler.accepts(&json!({"type": "LOG", "offset": 1})));
        assert!(!ConfigKind::Scaler.accepts(&json!("median")));
        assert!(ConfigKind::Nodes.accepts(&json!([1, {"label": "Location", "name": 159}])));
        assert!(!ConfigKind::Nodes.accepts(&json!([-1])));
    }
}
