//! The built-in analysis engine: GDS procedures on a graph in memory, with GDS's own semantics.
//!
//! Each algorithm follows the one that the Graph Data Science library 2.13 has for the procedure, in its
//! meaning and in its order of work, so that results agree to the digit where GDS's own are the same from run
//! to run. Where GDS leaves an order open to its threads, the engine does what GDS does with `concurrency:
//! 1`. The test module `gds_reference` compares it with answers of the real library.
//!
//! The engine is pure: it reads a [`Graph`] and a configuration whose nodes are indexes in that graph, and
//! returns an [`Answer`]. Finding nodes, showing them by name and writing results to a database are the
//! caller's.

mod answer;
mod betweenness;
mod builder;
mod cast;
mod closeness;
mod color;
mod communities;
mod components;
mod config;
mod degree;
mod delta_stepping;
mod dijkstra;
mod eigenvector;
mod error;
mod graph;
mod k_core;
mod label_propagation;
mod louvain;
mod modularity;
mod node_similarity;
mod page_rank;
mod paths;
mod queue;
mod sampling;
mod scaler;
mod statistics;
mod top;
mod traversal;
mod triangles;

#[cfg(test)]
mod gds_reference;
#[cfg(test)]
mod properties;

use serde_json::{Map, Value};

use crate::spec::Mode;
use crate::spec::gds::{Algorithm, Procedure};

pub use answer::{Answer, Cell};
pub use builder::GraphBuilder;
pub use error::EngineError;
pub use graph::{Graph, GraphError, WeightedGraph};

use config::Config;

/// A call of a procedure.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The procedure.
    pub procedure: &'static Procedure,
    /// How it hands its result back.
    pub mode: Mode,
    /// Its configuration, in which nodes are indexes in the graph.
    pub config: &'a Map<String, Value>,
}

/// Runs a procedure on a graph.
///
/// # Errors
/// If the configuration is not what the procedure accepts, or the graph is not one that it can run on.
pub fn run(call: &Call<'_>, graph: &Graph) -> Result<Answer, EngineError> {
    let config = Config::check(call, graph)?;
    match call.procedure.algorithm {
        Algorithm::PageRank => page_rank::page_rank(&config, graph),
        Algorithm::ArticleRank => page_rank::article_rank(&config, graph),
        Algorithm::Eigenvector => eigenvector::run(&config, graph),
        Algorithm::Degree => degree::run(&config, graph),
        Algorithm::Betweenness => betweenness::run(&config, graph),
        Algorithm::Closeness => Ok(closeness::closeness(&config, graph)),
        Algorithm::HarmonicCloseness => Ok(closeness::harmonic(&config, graph)),
        Algorithm::WeaklyConnectedComponents => components::weak(&config, graph),
        Algorithm::StronglyConnectedComponents => Ok(components::strong(&config, graph)),
        Algorithm::Louvain => louvain::run(&config, graph),
        Algorithm::LabelPropagation => label_propagation::run(&config, graph),
        Algorithm::TriangleCount => triangles::count(&config, graph),
        Algorithm::LocalClusteringCoefficient => triangles::local_clustering_coefficient(&config, graph),
        Algorithm::KCore => k_core::run(&config, graph),
        Algorithm::NodeSimilarity => node_similarity::run(&config, graph),
        Algorithm::BreadthFirstSearch => traversal::breadth_first(&config, graph),
        Algorithm::DepthFirstSearch => traversal::depth_first(&config, graph),
        Algorithm::SourceTargetDijkstra => dijkstra::source_target(&config, graph),
        Algorithm::SingleSourceDijkstra => dijkstra::single_source(&config, graph),
        Algorithm::DeltaStepping => delta_stepping::run(&config, graph),
    }
}

/// Refuses a graph whose relationships are not there in both directions.
fn require_undirected(config: &Config<'_>, graph: &Graph) -> Result<(), EngineError> {
    if graph.is_undirected() {
        return Ok(());
    }
    Err(EngineError::RequiresUndirected { procedure: config.procedure().name })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::spec::{Aggregation, Orientation, gds};

    fn graph(orientation: Orientation) -> Graph {
        let mut builder = GraphBuilder::new(4).orientation(orientation).property("w", Aggregation::None);
        for (source, target, weight) in [(0, 1, 2.0), (1, 2, -1.0), (2, 0, 1.0)] {
            builder.relationship(source, target, &[weight]).unwrap();
        }
        builder.build().unwrap()
    }

    fn call(name: &str, mode: Mode, config: &Value) -> Result<Answer, EngineError> {
        let procedure = gds::find(name).unwrap();
        run(&Call { procedure, mode, config: config.as_object().unwrap() }, &graph(Orientation::Natural))
    }

    fn message(name: &str, config: &Value) -> String {
        call(name, Mode::Stream, config).unwrap_err().to_string()
    }

    #[test]
    fn faults_are_told_in_words_near_those_of_gds() {
        let words = [
            (message("pageRank", &json!({"damping": 0.5})), "unexpected configuration key: damping"),
            (
                message("pageRank", &json!({"dampingFactor": 1})),
                "value for `dampingFactor` was `1`, but must be a number in [0, 1)",
            ),
            (
                message("bfs", &json!({})),
                "no value specified for the mandatory configuration parameter `sourceNode`",
            ),
            (
                message("bfs", &json!({"sourceNode": 4})),
                "`sourceNode` names node 4, which does not exist in the in-memory graph",
            ),
            (
                message("degree", &json!({"relationshipWeightProperty": "x"})),
                "relationship weight property `x` not found; properties of the projection: [w]",
            ),
            (
                message(
                    "allShortestPaths.delta",
                    &json!({"sourceNode": 0, "relationshipWeightProperty": "w"}),
                ),
                "`allShortestPaths.delta` does not support negative relationship weights, found -1",
            ),
            (
                message("triangleCount", &json!({})),
                "`triangleCount` requires relationship projections to be UNDIRECTED",
            ),
            (
                message("louvain", &json!({"seedProperty": "s"})),
                "`seedProperty` is not supported by the built-in engine; run the analysis on a server with GDS",
            ),
            (
                message("wcc", &json!({"threshold": 1})),
                "Specifying a threshold requires `relationshipWeightProperty` to be set.",
            ),
        ];
        for (actual, expected) in words {
            assert_eq!(actual, expected);
        }
    }

    #[test]
    fn keys_of_a_server_and_absent_values_change_nothing() {
        let tuned = json!({"concurrency": 4, "jobId": "x", "nodeLabels": ["*"], "scaler": null});
        let plain = call("pageRank", Mode::Stream, &json!({})).unwrap();
        assert_eq!(call("pageRank", Mode::Stream, &tuned), Ok(plain));
    }

    #[test]
    fn the_mode_decides_on_the_form_of_the_answer() {
        let stats = call("wcc", Mode::Stats, &json!({})).unwrap();
        assert_eq!(stats.columns, ["componentCount", "componentDistribution"]);
        assert_eq!(stats.rows[0][0], Cell::Integer(2));
        assert_eq!(stats.node_values, None);

        let missing = EngineError::MissingKey { name: "writeProperty" };
        assert_eq!(call("wcc", Mode::Write, &json!({})), Err(missing));
        let config = json!({"writeProperty": "c", "minComponentSize": 2});
        let written = call("wcc", Mode::Write, &config).unwrap();
        let component = Some(Cell::Integer(0));
        assert_eq!(written.rows[0][0], Cell::Integer(2));
        assert_eq!(written.node_values, Some(vec![component.clone(), component.clone(), component, None]));

        let unavailable = EngineError::ModeNotAvailable { procedure: "bfs", mode: Mode::Write };
        assert_eq!(call("bfs", Mode::Write, &json!({"sourceNode": 0})), Err(unavailable));
    }

    #[test]
    fn louvain_reports_its_levels_where_it_is_asked_to() {
        let config = json!({"includeIntermediateCommunities": true, "writeProperty": "c"});
        let written = call("louvain", Mode::Write, &config).unwrap();
        let values = written.node_values.unwrap_or_default();
        assert!(
            values.iter().all(|value| matches!(value, Some(Cell::Integers(levels)) if !levels.is_empty()))
        );
    }

    #[test]
    fn an_empty_graph_has_empty_answers() {
        let builder = GraphBuilder::new(0).orientation(Orientation::Undirected);
        let graph = builder.build().unwrap();
        let without_source =
            gds::all().iter().filter(|procedure| procedure.config_key("sourceNode").is_none());
        for procedure in without_source {
            let answer = run(&Call { procedure, mode: Mode::Stream, config: &Map::new() }, &graph);
            assert_eq!(answer.map(|answer| answer.rows), Ok(Vec::new()), "{}", procedure.name);
        }
    }
}
