//! Exactly once: whenever a run is killed or stopped, the runs after it end in the graph of an undisturbed one.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Desk, outcome};

/// How many runs are killed.
const KILLS: u32 = 100;
/// The rows of one of the three files.
const ROWS: i64 = 1_000;

const PIPELINE: &str = "
apiVersion: runner.dev/v1alpha1
kind: Pipeline
metadata: { name: trips }
spec:
  source: { parquet: data/*.parquet, select: [n, from_zone, to_zone, distance], filter: n % 10 < 9 }
  topic: { name: trips, partitions: 3, key: to_zone }
  mapping:
    cypher: |
      MERGE (a:Zone {id: event.from_zone})
      MERGE (b:Zone {id: event.to_zone})
      CREATE (a)-[:TRIP {n: event.n, distance: event.distance}]->(b)
  stream: { batchRows: 50, maxErrors: 1000, persistMillis: 0 }
  allow: [dead-letters]
  analyses:
    - name: every trip
      cypher: MATCH (a:Zone)-[t:TRIP]->(b:Zone) RETURN t.n AS n, a.id AS from, b.id AS to, t.distance AS distance ORDER BY n
    - name: way
      project: { nodes: [Zone], relationships: { TRIP: {} } }
      gds: bfs
      config: { sourceNode: { label: Zone, id: 7 } }
      identify: id
";

fn desk(rows: i64) -> Desk {
    let desk = Desk::new();
    desk.write("trips.yaml", PIPELINE);
    for file in 0..3 {
        desk.trips(&format!("data/{file}.parquet"), file * rows, rows, 97);
    }
    desk
}

/// All that a run has made: counts, each relationship with its properties, an order, and the dead letters.
fn made(desk: &Desk) -> (Value, String) {
    let report = desk.report("trips");
    let rows: Vec<&Value> = report["analyses"].as_array().unwrap().iter().map(|one| &one["rows"]).collect();
    let graph = json!({ "graph": report["graph"], "rows": rows });
    (graph, fs::read_to_string(desk.path("state/trips/trips.dlq.jsonl")).unwrap())
}

/// Numbers that are the same in each run of the test: splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let most = u64::try_from(limit.as_micros()).unwrap().max(1);
        Duration::from_micros((z ^ (z >> 31)) % most)
    }
}

fn quiet(desk: &Desk) -> Child {
    desk.command(&["run", "trips.yaml"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_run_killed_at_any_moment_and_run_again_gives_the_same_graph() {
    let desk = desk(ROWS);
    let begun = Instant::now();
    assert!(quiet(&desk).wait().unwrap().success());
    let took = begun.elapsed();
    let undisturbed = made(&desk);
    assert_eq!(undisturbed.1.lines().count(), 27, "each row without a key is set aside once");

    let mut random = Random(42);
    let (mut kills, mut went_on) = (0, 0);
    while kills < KILLS {
        fs::remove_dir_all(desk.path("state")).unwrap();
        loop {
            let mut child = quiet(&desk);
            sleep(random.below(took));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if status.code().is_some() {
                assert!(status.success(), "after {kills} kills: {status}");
                break;
            }
            kills += 1;
        }
        let rows = &desk.report("trips")["rows"];
        went_on += u32::from(rows["alreadyLoaded"] != 0 && rows["written"] != 0);
        assert!(made(&desk) == undisturbed, "after {kills} kills the graph is another");
    }
    assert!(went_on > 0, "no kill fell between the first save and the last");
}

/// Reads what the program says until it is loading.
fn until_it_loads(child: &mut Child) -> BufReader<std::process::ChildStderr> {
    let mut words = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("deploy:") {
        line.clear();
        assert!(words.read_line(&mut line).unwrap() > 0, "it ended before it loaded");
    }
    words
}

pub fn interrupt(child: &Child) {
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn a_run_stopped_once_by_ctrl_c_keeps_its_checkpoint_and_the_next_goes_on() {
    let whole = desk(4_000);
    whole.runner(&["run", "trips.yaml"]).exits(0);
    let stopped = desk(4_000);
    let mut child = stopped.start(&["run", "trips.yaml"]);
    let words = until_it_loads(&mut child);
    interrupt(&child);
    let said: String = words.lines().map(|line| line.unwrap() + "\n").collect();
    let code = outcome(child).code;
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("Ctrl-C again stops at once"), "{said}");
    let report = stopped.report("trips");
    assert_eq!(report["status"], "interrupted");
    assert!(said.contains("stream: interrupted in "), "{said}");
    assert_eq!(report["stages"][2]["status"], "interrupted");
    assert_eq!(
        (&report["stages"][3]["name"], &report["stages"][3]["status"]),
        (&json!("analyse"), &json!("skipped"))
    );
    let written =
        report["rows"]["written"].as_u64().unwrap() + report["rows"]["deadLetters"].as_u64().unwrap();
    assert!(written > 0 && written < 10_800, "{report:#}");
    stopped.runner(&["run", "trips.yaml"]).exits(0);
    assert_eq!(stopped.report("trips")["rows"]["alreadyLoaded"], written);
    assert!(made(&stopped) == made(&whole));
}

#[test]
fn a_second_ctrl_c_stops_at_once_and_a_second_run_beside_a_first_is_refused() {
    let desk = desk(4_000);
    let mut first = desk.start(&["run", "trips.yaml"]);
    let words = until_it_loads(&mut first);
    desk.runner(&["run", "trips.yaml"])
        .exits(1)
        .says("state-in-use")
        .says("--state-dir")
        .says("graph  not known");
    assert!(!desk.path("state/trips/report").exists(), "the report there is the first one's");
    desk.runner(&["run", "trips.yaml", "--report-dir", "refused"]).exits(1);
    let refused: Value =
        serde_json::from_slice(&fs::read(desk.path("refused/report.json")).unwrap()).unwrap();
    assert_eq!((refused.get("graph"), &refused["status"]), (None, &json!("failed")));
    interrupt(&first);
    sleep(Duration::from_millis(20));
    interrupt(&first);
    drop(words);
    assert_eq!(outcome(first).code, Some(130));
    desk.runner(&["run", "trips.yaml"]).exits(0);
}
