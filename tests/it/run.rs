//! `runner run`: the examples, and what a second run makes of the first one's graph.

use std::fs;
use std::io::{BufRead as _, BufReader};

use serde_json::{Value, json};

use crate::harness::{Desk, example, examples};

const TRIPS: &str = "
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: { name: trips }
spec:
  source: { parquet: data/*.parquet, select: [n, from_zone, to_zone], filter: n >= 0 }
  topic: { name: trips, key: from_zone }
  mapping:
    cypher: |
      MERGE (a:Zone {id: event.from_zone})
      MERGE (b:Zone {id: event.to_zone})
      CREATE (a)-[:TRIP {n: event.n}]->(b)
";

fn trips() -> Desk {
    let desk = Desk::new();
    desk.write("trips.yaml", TRIPS);
    desk.trips("data/1.parquet", 0, 100, 1_000);
    desk
}

fn score(report: &Value, node: i64) -> f64 {
    let rows = report["analyses"][0]["rows"].as_array().unwrap();
    rows.iter()
        .find(|row| row[0] == node)
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .find_map(|cell| cell.as_f64().filter(|_| cell.is_f64()))
        .unwrap()
}

#[test]
fn the_main_example_gives_the_graph_and_the_scores_of_neo4j() {
    let desk = Desk::new();
    let file = example("bronx-taxi.yaml");
    desk.runner(&["run", &file, "--target", "embedded"]).exits(0);
    let report = desk.report("bronx-taxi");
    assert_eq!(report["graph"], json!({ "nodes": { "Location": 42 }, "relationships": { "TRIP": 1530 } }));
    let ranks = report["analyses"][0]["rows"].as_array().unwrap();
    assert_eq!((&ranks[0][0], &ranks[41][0]), (&json!(159), &json!(59)));
    for (node, expected) in [(159, 3.228_248_647_841_576), (59, 0.182_473_211_639_509_55)] {
        let found = score(&report, node);
        assert!((found / expected - 1.0_f64).abs() < 1e-9, "{node}: {found}");
    }
    assert!(report["analyses"][1]["rows"][0].as_array().unwrap().contains(&json!([159, 212])));
    assert_eq!(report["rows"]["read"], 16_036);
    assert_eq!(report["rows"]["written"], 1_530);
    assert_eq!(
        (&report["pipeline"], &report["target"], &report["status"]),
        (&json!("bronx-taxi"), &json!("embedded"), &json!("done"))
    );

    desk.runner(&["run", &file, "--target", "embedded"])
        .exits(0)
        .says("nothing new; 1530 rows are in the graph already");
    let again = desk.report("bronx-taxi");
    assert_eq!(
        (&again["graph"], &again["rows"]["written"], &again["status"]),
        (&report["graph"], &json!(0), &json!("done"))
    );
    assert_eq!(again["stages"][2]["status"], "unchanged");
    let whole = json!({ "what": "rows of the files = passed by earlier runs + read", "expected": 16_036, "actual": 16_036, "ok": true });
    assert_eq!((&report["reconciliation"][0], &again["reconciliation"][0]), (&whole, &whole));
    let rows = |report: &Value| {
        report["analyses"].as_array().unwrap().iter().map(|one| one["rows"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(rows(&again), rows(&report));
}

#[test]
fn the_report_keeps_what_other_programs_rely_on() {
    let desk = Desk::new();
    desk.runner(&["run", &example("bronx-taxi.yaml"), "--target", "embedded", "--report-dir", "out"])
        .exits(0);
    for file in ["out/report.md", "out/report.html"] {
        assert!(desk.path(file).is_file(), "{file}");
    }
    let report: Value = serde_json::from_slice(&fs::read(desk.path("out/report.json")).unwrap()).unwrap();
    for pointer in [
        "/pipeline",
        "/target",
        "/status",
        "/digest",
        "/stages/0/name",
        "/stages/0/status",
        "/stages/0/seconds",
        "/rows/read",
        "/rows/filteredOut",
        "/rows/produced",
        "/rows/consumed",
        "/rows/written",
        "/rows/deadLetters",
        "/graph/nodes",
        "/graph/relationships",
        "/analyses/0/name",
        "/analyses/0/engine",
        "/analyses/0/columns",
        "/analyses/0/rows",
    ] {
        assert!(report.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn every_example_is_valid_and_runs() {
    // Where a server is named, its password must be there for the file to be valid.
    let desk = Desk::new().with_variable("NEO4J_PASSWORD", "not needed on the embedded target");
    for entry in fs::read_dir(examples()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let file = path.display().to_string();
            desk.runner(&["validate", &file, "--deny", "warnings"]).exits(0);
            desk.runner(&["run", &file, "--target", "embedded"]).exits(0);
        }
    }
}

#[test]
fn a_file_for_a_cluster_says_how_to_name_one() {
    let desk = Desk::new();
    desk.runner(&["run", &example("bronx-taxi.yaml"), "--kubeconfig", "none.yaml"])
        .exits(1)
        .says("error[kubeconfig]")
        .says("--kubeconfig FILE")
        .says("--target embedded");
}

#[test]
fn a_file_added_behind_the_old_ones_is_loaded_by_the_next_run() {
    let desk = trips();
    desk.runner(&["run", "trips.yaml"]).exits(0);
    desk.trips("data/2.parquet", 100, 50, 1_000);
    desk.runner(&["run", "trips.yaml"]).exits(0);
    let report = desk.report("trips");
    assert_eq!(report["graph"]["relationships"]["TRIP"], 150);
    assert_eq!((&report["rows"]["read"], &report["rows"]["alreadyLoaded"]), (&json!(50), &json!(100)));
}

#[test]
fn what_changed_under_a_loaded_graph_is_refused_with_the_ways_out() {
    type Change = fn(&Desk);
    let cases: [(&str, &str, Change); 5] = [
        ("filter", "definition-changed", |desk| desk.write("trips.yaml", &TRIPS.replace("n >= 0", "n >= 1"))),
        ("mapping", "definition-changed", |desk| {
            desk.write("trips.yaml", &TRIPS.replace("{n: event.n}", "{m: event.n}"));
        }),
        ("topic", "definition-changed", |desk| {
            desk.write("trips.yaml", &TRIPS.replace("topic: { name: ", "topic: { name: other_"));
        }),
        ("file", "source-changed", |desk| desk.trips("data/1.parquet", 0, 101, 1_000)),
        ("earlier file", "source-changed", |desk| desk.trips("data/0.parquet", 0, 5, 1_000)),
    ];
    for (what, code, change) in cases {
        let desk = trips();
        desk.runner(&["run", "trips.yaml"]).exits(0);
        change(&desk);
        for command in ["plan", "run"] {
            let refused = desk.runner(&[command, "trips.yaml"]);
            assert_eq!(refused.code, Some(1), "{command} {what}: {}", refused.stderr);
            refused.says(code).says("--fresh");
        }
        desk.runner(&["run", "trips.yaml", "--fresh"]).exits(64).says("--fresh --yes");
        desk.runner(&["run", "trips.yaml", "--fresh", "--yes"]).exits(0);
        assert_eq!(desk.report("trips")["rows"]["alreadyLoaded"], 0, "{what}");
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told_everywhere_and_named_nowhere() {
    let desk = trips();
    let found = desk.runner(&["run", "trips.yaml", "--report-dir", "trips.yaml"]).exits(1);
    found.says("error[report-not-written]").says("✗ failed");
    assert!(!found.stdout.contains("✓ done"), "{}", found.stdout);
    assert!(!found.stderr.contains("report: trips.yaml"), "{}", found.stderr);
    let found =
        desk.runner(&["run", "trips.yaml", "--report-dir", "trips.yaml", "--output", "json"]).exits(1);
    let last: Value = serde_json::from_str(found.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&last["outcome"], &last["report"]), (&json!("failed"), &Value::Null));
}

#[test]
fn a_plan_for_servers_that_the_file_does_not_name_is_refused() {
    let desk = trips();
    for target in ["external", "kubernetes"] {
        desk.runner(&["plan", "trips.yaml", "--target", target])
            .exits(1)
            .says("error[target-not-available]")
            .says("the file names no servers to run on");
    }
}

#[test]
fn a_panic_of_the_engine_is_a_fault_of_the_mapping() {
    let desk = trips();
    let mapping = "DETACH DELETE a CREATE (a)-[:TRIP {n: event.n}]->(b)";
    desk.write("trips.yaml", &TRIPS.replace("CREATE (a)-[:TRIP {n: event.n}]->(b)", mapping));
    let found = desk.runner(&["run", "trips.yaml"]).exits(1);
    found.says("error[engine-failed]").says("trips.yaml:9:5").says("run on a Neo4j");
    assert!(!found.stderr.contains("panicked"), "{}", found.stderr);
}

#[test]
fn what_fails_on_the_data_is_placed_at_the_text_that_fails() {
    let desk = trips();
    let analysis =
        "  analyses:\n    - name: numbers\n      cypher: MATCH (a:Zone) RETURN duration(a.id) AS n\n";
    desk.write("analysis.yaml", &format!("{TRIPS}{analysis}"));
    desk.runner(&["run", "analysis.yaml"])
        .exits(1)
        .says("error[analysis-failed]: numbers:")
        .says("analysis.yaml:15:15");
    let test = "  tests:\n    - name: numbers\n      rows: [{ n: 1, from_zone: 2, to_zone: 3 }]\n      queries: [{ cypher: 'MATCH (a:Zone) RETURN duration(a.id)', rows: [] }]\n";
    desk.write("test.yaml", &format!("{TRIPS}{test}"));
    desk.runner(&["test", "test.yaml"]).exits(1).says("error[statement-failed]").says("test.yaml:16:19");
    desk.write("row.yaml", &TRIPS.replace("n >= 0", "10 / (n - 7) < 20"));
    desk.runner(&["run", "row.yaml", "--fresh", "--yes"])
        .exits(1)
        .says("error[row-failed]: `data/1.parquet`, row 7: divide by zero error")
        .says("row.yaml:6:79");
}

#[test]
fn the_dead_letters_of_the_embedded_target_are_named_with_their_file() {
    let desk = trips();
    desk.runner(&["dlq", "list", "trips.yaml"])
        .exits(1)
        .says("state/trips/trips.dlq.jsonl")
        .says("it is not there");
    desk.runner(&["run", "trips.yaml"]).exits(0);
    desk.runner(&["dlq", "list", "trips.yaml"]).exits(1).says("read it there");
}

#[test]
fn a_limited_run_is_continued_by_a_whole_one() {
    let desk = trips();
    desk.runner(&["run", "trips.yaml", "--limit", "30"]).exits(0);
    assert_eq!(desk.report("trips")["graph"]["relationships"]["TRIP"], 30);
    desk.runner(&["run", "trips.yaml"]).exits(0);
    assert_eq!(desk.report("trips")["graph"]["relationships"]["TRIP"], 100);
}

#[test]
fn status_says_how_far_it_is_once_or_again_and_again() {
    let desk = trips();
    desk.runner(&["run", "trips.yaml", "--limit", "30"]).exits(0);
    let found = desk.runner(&["status", "trips.yaml"]).exits(0);
    found.says("30 TRIP").says("70 of 100 rows still to come");
    assert!(!found.stdout.contains("records to load"), "{}", found.stdout);
    let words = ["status", "trips.yaml", "--watch=50ms", "--output", "json"];
    let mut watching = desk.start(&words);
    let lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let looks: Vec<Value> = lines.take(3).map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    watching.kill().unwrap();
    watching.wait().unwrap();
    for look in looks {
        assert_eq!(look["graph"]["relationships"]["TRIP"], 30, "{look}");
        assert_eq!(look["source"], json!({ "rows": 100, "toCome": 70 }), "{look}");
        assert_eq!(look["partitions"][0]["behind"], Value::Null, "{look}");
    }
}
