//! The order of the calls, the statements of all procedures of the catalogue, and the tables that come back, with the
//! columns that the manual of GDS 2.13 gives.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod manual;
mod played;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use self::played::Played;
use super::*;
use crate::analysis;
use crate::graph::GraphError;
use crate::spec::{Mode, gds};

/// An analysis from its file form.
fn analysis(written: &Value) -> Analysis {
    let mut whole = json!({
        "name": "test",
        "project": { "nodes": ["Location"], "relationships": { "TRIP": { "properties": ["distance"] } } },
        "identify": "name",
    });
    whole.as_object_mut().unwrap().extend(written.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn page_rank() -> Analysis {
    analysis(
        &json!({ "gds": "pageRank", "config": { "maxIterations": 20, "relationshipWeightProperty": "distance" } }),
    )
}

/// The scores of three nodes, as the server gives them.
fn scores() -> Table {
    played::table(&["nodeId", "score"], json!([[159, 3.2282], [212, 2.5], [81, 0.15]]))
}

#[test]
fn the_statement_of_each_procedure_of_the_catalogue() {
    let mut statements = String::new();
    for known in gds::all() {
        for mode in known.modes {
            let procedure = procedure::read(&manual::procedures(), known.name, *mode).unwrap();
            let call = statement::call(&procedure, "runner/bronx-taxi/0", &Map::new(), Some("name"));
            writeln!(statements, "{}\n", call.cypher).unwrap();
        }
    }
    insta::assert_snapshot!(statements);
}

#[test]
fn a_procedure_of_the_catalogue_has_the_columns_that_the_built_in_engine_gives() {
    for known in gds::all() {
        for (mode, columns) in [(Mode::Stream, known.stream_columns), (Mode::Stats, known.stats_columns)] {
            if !known.modes.contains(&mode) {
                continue;
            }
            let procedure = procedure::read(&manual::procedures(), known.name, mode).unwrap();
            let found: Vec<&str> = procedure.columns.iter().map(|column| column.name.as_str()).collect();
            assert_eq!(found, columns, "{} {mode}", known.name);
        }
    }
}

#[test]
fn a_procedure_beyond_the_catalogue_has_the_servers_columns_without_paths_and_timings() {
    let call = |name: &str, mode| {
        let procedure = procedure::read(&manual::procedures(), name, mode).unwrap();
        statement::call(&procedure, "g", &Map::new(), Some("zone name")).cypher
    };
    insta::assert_snapshot!(call("leiden", Mode::Stats), @r"
    CALL gds.leiden.stats($graph, $config)
    YIELD communityCount, ranLevels, modularity, modularities, nodeCount, didConverge, communityDistribution
    RETURN communityCount, ranLevels, modularity, modularities, nodeCount, didConverge, communityDistribution
    ");
    insta::assert_snapshot!(call("randomWalk", Mode::Stream), @r"
    CALL gds.randomWalk.stream($graph, $config)
    YIELD nodeIds
    RETURN [n IN nodeIds | coalesce(gds.util.asNode(n).`zone name`, n)] AS nodeIds
    ");
}

#[test]
fn without_a_property_that_names_them_nodes_are_shown_by_id() {
    let procedure = procedure::read(&manual::procedures(), "degree", Mode::Stream).unwrap();
    insta::assert_snapshot!(statement::call(&procedure, "g", &Map::new(), None).cypher, @r"
    CALL gds.degree.stream($graph, $config)
    YIELD nodeId, score
    RETURN nodeId, score
    ORDER BY score DESC, nodeId
    ");
}

#[tokio::test]
async fn memory_is_estimated_then_the_graph_is_projected_the_procedure_run_and_the_projection_dropped() {
    let store = Played::with_gds().plays("gds.pageRank.stream", Ok(scores()));
    let result = analysis::run(&store, &page_rank(), Watch::nobody("bronx-taxi")).await.unwrap();
    assert_eq!(result.engine, "gds 2.13.10");
    assert_eq!(result.columns, ["nodeId", "score"]);
    assert_eq!(result.rows.first(), Some(&vec![json!(159), json!(3.2282)]));
    assert_eq!((result.chart.as_deref(), result.node_column.as_deref()), (Some("score"), Some("nodeId")));
    insta::assert_snapshot!(store.transcript());
}

#[tokio::test]
async fn a_projection_is_dropped_also_when_the_procedure_fails() {
    let message = "Failed to invoke procedure `gds.pageRank.stream`: Caused by: java.lang.IllegalArgumentException: \
                   Unexpected configuration key: maxIteration (Did you mean [maxIterations]?)";
    let failure = GraphError::Execution { message: message.to_owned() };
    let store = Played::with_gds().plays("gds.pageRank.stream", Err(failure));
    let error = analysis::run(&store, &page_rank(), Watch::nobody("bronx-taxi")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`gds.pageRank.stream` failed: Unexpected configuration key: maxIteration (Did you mean [maxIterations]?)"
    );
    assert_eq!(store.called().last().unwrap(), "gds.graph.drop");
}

#[tokio::test]
async fn a_result_stands_when_its_projection_cannot_be_dropped_and_says_so() {
    let failure = GraphError::Execution { message: "the connection is lost".to_owned() };
    let store =
        Played::with_gds().plays("gds.pageRank.stream", Ok(scores())).plays("gds.graph.drop", Err(failure));
    let result = analysis::run(&store, &page_rank(), Watch::nobody("bronx-taxi")).await.unwrap();
    assert_eq!(result.rows.len(), 3);
    assert!(result.notes[0].ends_with("could not be dropped, the next run will: the connection is lost"));
}

#[tokio::test]
async fn a_computation_is_told_of_and_terminated_when_it_shall_stop_and_its_projection_dropped() {
    let store = Played::with_gds()
        .hangs("gds.pageRank.stream")
        .plays("gds.listProgress", Ok(played::table(&["progress"], json!([["42.33%"]]))));
    let stop = AtomicBool::new(false);
    let told = |percent| {
        assert_eq!(percent, 42);
        stop.store(true, Ordering::Relaxed);
    };
    let watch = Watch { pipeline: "bronx-taxi", percent: &told, stopped: &|| stop.load(Ordering::Relaxed) };
    let error = analysis::run(&store, &page_rank(), watch).await.unwrap_err();
    assert!(matches!(error, AnalysisError::Stopped));
    let called = store.called();
    assert_eq!(
        called[called.len() - 5..],
        [
            "gds.pageRank.stream",
            "gds.listProgress",
            "SHOW TRANSACTIONS",
            "TERMINATE TRANSACTIONS",
            "gds.graph.drop"
        ]
    );
}

#[tokio::test]
async fn a_graph_that_does_not_fit_is_not_projected() {
    let estimate = played::table(&["requiredMemory", "bytesMin"], json!([["16 GiB", 17_179_869_184_u64]]));
    let store = Played::with_gds().plays("gds.pageRank.stream.estimate", Ok(estimate));
    let error = analysis::run(&store, &page_rank(), Watch::nobody("bronx-taxi")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`gds.pageRank.stream` and its projection need 16 GiB, and the server has 1024 MiB of heap free"
    );
    assert!(!store.called().contains(&"gds.graph.project".to_owned()));
    let unchecked = analysis(&json!({ "gds": "pageRank", "config": { "sudo": true } }));
    let estimate = played::table(&["requiredMemory", "bytesMin"], json!([["16 GiB", 17_179_869_184_u64]]));
    let store = Played::with_gds()
        .plays("gds.pageRank.stream.estimate", Ok(estimate))
        .plays("gds.pageRank.stream", Ok(scores()));
    assert!(analysis::run(&store, &unchecked, Watch::nobody("bronx-taxi")).await.is_ok());
}

#[tokio::test]
async fn nodes_in_a_configuration_become_ids() {
    let reach = analysis(&json!({
        "gds": "bfs",
        "config": {
            "sourceNode": { "label": "Location", "name": 159 },
            "targetNodes": [{ "label": "Location", "name": 212 }],
        },
    }));
    let answer = played::table(&["sourceNode", "nodeIds"], json!([[159, [159, 212]]]));
    let store = Played::with_gds()
        .plays("MATCH", Ok(played::table(&["id"], json!([[7]]))))
        .plays("MATCH", Ok(played::table(&["id"], json!([[11]]))))
        .plays("gds.bfs.stream", Ok(answer));
    let result = analysis::run(&store, &reach, Watch::nobody("bronx-taxi")).await.unwrap();
    assert_eq!(result.rows, [vec![json!(159), json!([159, 212])]]);
    let config = store.parameters("gds.bfs.stream")["config"].clone();
    assert_eq!((&config["sourceNode"], &config["targetNodes"]), (&json!(7), &json!([11])));
}

#[tokio::test]
async fn a_node_that_is_not_there_is_named() {
    let reach =
        analysis(&json!({ "gds": "bfs", "config": { "sourceNode": { "label": "Location", "name": 1 } } }));
    let store = Played::with_gds().plays("MATCH", Ok(played::table(&["id"], json!([]))));
    let error = analysis::run(&store, &reach, Watch::nobody("bronx-taxi")).await.unwrap_err();
    assert_eq!(error.to_string(), "`sourceNode`: no `Location` node of the projection has `name` = 1");
}

#[tokio::test]
async fn what_is_written_is_summed_up_with_the_built_in_engines_columns_first() {
    let writing =
        analysis(&json!({ "gds": "wcc", "mode": "write", "config": { "writeProperty": "component" } }));
    let columns = ["componentCount", "componentDistribution", "nodePropertiesWritten"];
    let answer = played::table(&columns, json!([[1, { "max": 42 }, 42]]));
    let store = Played::with_gds().plays("gds.wcc.write", Ok(answer));
    let result = analysis::run(&store, &writing, Watch::nobody("bronx-taxi")).await.unwrap();
    assert_eq!(result.columns, columns);
    assert_eq!((result.chart, result.node_column), (None, None));
    assert!(
        store
            .statement("gds.wcc.write")
            .contains("YIELD componentCount, componentDistribution, nodePropertiesWritten")
    );
}

#[tokio::test]
async fn an_unknown_procedure_and_an_unknown_mode_say_what_there_is() {
    let run = async |written| {
        analysis::run(&Played::with_gds(), &analysis(&written), Watch::nobody("p")).await.unwrap_err()
    };
    let error = run(json!({ "gds": "leidn", "engine": "server" })).await;
    let AnalysisError::NoSuchProcedure { name, known } = error else { panic!("{error}") };
    assert_eq!(name, "leidn");
    assert!(known.contains(&"leiden".to_owned()));
    let error = run(json!({ "gds": "randomWalk", "mode": "write", "engine": "server" })).await;
    assert_eq!(error.to_string(), "`gds.randomWalk` has no mode `write` on the server");
    let AnalysisError::NoSuchMode { modes, .. } = error else { panic!("{error}") };
    assert_eq!(modes, ["stats", "stream"]);
}

#[tokio::test]
async fn a_projection_of_a_killed_run_is_dropped_and_one_in_use_is_not() {
    let left = json!([["runner/bronx-taxi/dead"], ["runner/bronx-taxi/alive"]]);
    let store = Played::with_gds()
        .plays("gds.graph.list", Ok(played::table(&["graphName"], left)))
        .plays("SHOW TRANSACTIONS", Ok(played::table(&["transactionId"], json!([]))))
        .plays("SHOW TRANSACTIONS", Ok(played::table(&["transactionId"], json!([["neo4j-transaction-7"]]))))
        .plays("gds.pageRank.stream", Ok(scores()));
    analysis::run(&store, &page_rank(), Watch::nobody("bronx-taxi")).await.unwrap();
    let dropped: Vec<Value> =
        store.all_parameters("gds.graph.drop").into_iter().map(|of| of["graph"].clone()).collect();
    assert_eq!(dropped.len(), 2);
    assert_eq!(dropped[0], "runner/bronx-taxi/dead");
    assert_eq!(store.parameters("gds.graph.list")["prefix"], "runner/bronx-taxi/");
}

#[tokio::test]
async fn a_store_without_gds_uses_the_built_in_engine_and_says_so_unless_the_file_wants_the_server() {
    let store = Played::without_gds();
    let result = analysis::run(&store, &page_rank(), Watch::nobody("p")).await.unwrap();
    assert_eq!(result.engine, "builtin");
    assert_eq!(result.notes, ["by the built-in engine: Neo4j 5.26.30 has no Graph Data Science"]);
    for (written, message) in [
        (
            json!({ "gds": "pageRank", "engine": "server" }),
            "`engine: server` needs Graph Data Science, and Neo4j 5.26.30 has none",
        ),
        (json!({ "gds": "leiden" }), "`leiden` needs Graph Data Science, and Neo4j 5.26.30 has none"),
    ] {
        let error = analysis::run(&store, &analysis(&written), Watch::nobody("p")).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
}

#[tokio::test]
async fn the_built_in_engine_computes_where_the_file_names_it_though_there_is_gds() {
    let built_in = analysis(&json!({ "gds": "pageRank", "engine": "builtin" }));
    let store = Played::with_gds();
    let result = analysis::run(&store, &built_in, Watch::nobody("p")).await.unwrap();
    assert_eq!((result.engine.as_str(), result.notes.len()), ("builtin", 0));
    assert!(store.called().is_empty());
}
