//! Exit code 0 means that the graph is as the file says: what differs has a code, and `allow` for who means it.

use std::fs;

use crate::harness::Desk;

const HEAD: &str = "
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: { name: trips }
spec:
  topic: { name: trips }
";
const MERGE: &str = "MERGE (a:Zone {id: event.from_zone}) MERGE (b:Zone {id: event.to_zone}) CREATE (a)-[:TRIP {n: event.n}]->(b)";
const BIND_NOTHING: &str =
    "MATCH (a:Zone {id: event.from_zone}), (b:Zone {id: event.to_zone}) CREATE (a)-[:TRIP {n: event.n}]->(b)";

/// A pipeline over 100 trips, of which two have no start.
fn desk(filter: &str, cypher: &str, more: &str) -> Desk {
    let desk = Desk::new();
    desk.trips("trips.parquet", 0, 100, 50);
    let source = format!(
        "  source: {{ parquet: trips.parquet, select: [n, from_zone, to_zone], filter: {filter} }}\n"
    );
    desk.write("trips.yaml", &format!("{HEAD}{source}  mapping:\n    cypher: \"{cypher}\"\n{more}"));
    desk
}

#[test]
fn each_difference_has_its_code_and_fails_the_run_unless_it_is_meant() {
    let all = "from_zone IS NOT NULL";
    let cases = [
        ("no row", "n < 0", MERGE, "", 1, "no-rows"),
        ("no row, meant", "n < 0", MERGE, "  allow: [no-rows]\n", 0, "no-rows"),
        ("null keys", "n >= 0", MERGE, "", 1, "dead-letters"),
        ("null keys, meant", "n >= 0", MERGE, "  allow: [dead-letters]\n", 0, "dead-letters"),
        ("too many", "n >= 0", MERGE, "  stream: { maxErrors: 1 }\n", 1, "too-many-errors"),
        ("nothing bound", all, BIND_NOTHING, "", 1, "row-wrote-nothing"),
        ("another count", all, MERGE, "  expect: { relationships: { TRIP: 97 } }\n", 1, "trips.yaml:10:36"),
        (
            "a false assertion",
            all,
            MERGE,
            "  analyses: [{ name: trips, cypher: 'MATCH ()-[t:TRIP]->() RETURN count(t) AS n', assert: [{ top: 97 }] }]\n",
            1,
            "assertion-failed",
        ),
    ];
    for (what, filter, cypher, more, code, says) in cases {
        let found = desk(filter, cypher, more).runner(&["run", "trips.yaml"]);
        assert_eq!(found.code, Some(code), "{what}: {}{}", found.stdout, found.stderr);
        assert!(found.stderr.contains(says), "{what}: no `{says}` in\n{}", found.stderr);
    }
}

#[test]
fn a_record_that_cannot_be_written_stands_once_in_the_dead_letters_with_its_reason() {
    let desk = desk("n >= 0", MERGE, "");
    desk.runner(&["run", "trips.yaml"]).exits(1).says("missing-key-value");
    desk.runner(&["run", "trips.yaml"]);
    let letters = fs::read_to_string(desk.path("state/trips/trips.dlq.jsonl")).unwrap();
    let letters: Vec<serde_json::Value> =
        letters.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ordinals: Vec<u64> = letters.iter().map(|letter| letter["ordinal"].as_u64().unwrap()).collect();
    assert_eq!(ordinals, [49, 99]);
    assert!(letters[0]["error"].as_str().unwrap().contains("`from_zone` has no value"));
}

#[test]
fn a_file_that_is_not_there_makes_the_pipeline_invalid() {
    let desk = desk("n >= 0", MERGE, "");
    fs::remove_file(desk.path("trips.parquet")).unwrap();
    desk.runner(&["run", "trips.yaml"]).exits(78).says("trips.parquet");
    assert!(!desk.path("state").exists(), "a file that is not valid leaves no trace");
}

#[test]
fn a_secret_is_shown_by_no_output_and_no_report() {
    let secret = "hunter2-and-more";
    let external = "  infrastructure:
    external:
      kafka: { bootstrap: 'localhost:9092' }
      neo4j: { uri: 'bolt://localhost:7687', user: neo4j, passwordFrom: { env: GRAPH_PASSWORD } }
";
    let desk = desk("from_zone IS NOT NULL", MERGE, external).with_variable("GRAPH_PASSWORD", secret);
    let commands: [&[&str]; 8] = [
        &["validate", "trips.yaml", "--show"],
        &["validate", "trips.yaml", "--output", "json"],
        &["validate", "trips.yaml", "--output", "github"],
        &["validate", "trips.yaml", "--output", "sarif"],
        &["preview", "trips.yaml"],
        &["run", "trips.yaml"],
        &["run", "trips.yaml", "--target", "embedded", "--output", "json"],
        &["run", "trips.yaml", "--target", "embedded", "--report-dir", "out"],
    ];
    for command in commands {
        let found = desk.runner(command);
        assert!(found.code == Some(0) || command == ["run", "trips.yaml"], "{command:?}: {}", found.stderr);
        assert!(!found.stdout.contains(secret) && !found.stderr.contains(secret), "{command:?}");
    }
    for file in ["report.json", "report.md", "report.html"] {
        assert!(!fs::read_to_string(desk.path("out").join(file)).unwrap().contains(secret), "{file}");
    }
}
