//! Several loaders that divide a topic's partitions among themselves.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Bed, trips};
use crate::harness::outcome;
use crate::servers::until;

/// Every so manieth row has no start, and is a dead letter.
const UNKEYED: i64 = 97;

impl Bed {
    pub(super) fn share(&self, share: &str) -> Child {
        self.desk.start(&["run", "pipeline.yaml", "--share", share])
    }

    /// Trips, distinct numbers among them, and those that are as they should be.
    pub(super) fn trips(&self) -> Value {
        let right =
            "a.id = t.n * 7 % 53 AND b.id = t.n * 11 % 59 AND t.distance = t.n / 7.0 AND t.n % 10 < 9";
        let statement = format!(
            "MATCH (a:Zone)-[t:TRIP]->(b:Zone)
             RETURN count(t) AS trips, count(DISTINCT t.n) AS numbers, sum(CASE WHEN {right} THEN 1 ELSE 0 END) AS right"
        );
        self.neo4j.rows(&statement).remove(0)
    }

    pub(super) fn offset_of(&self, partition: u32) -> i64 {
        let topic = &self.topic;
        let statement = format!(
            "OPTIONAL MATCH (c:RunnerCheckpoint {{topic: '{topic}', partition: {partition}}}) RETURN coalesce(c.offset, 0) AS n"
        );
        self.neo4j.value(&statement).as_i64().unwrap()
    }
}

pub(super) fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

#[test]
fn three_loaders_of_which_one_is_killed_make_the_graph_of_one() {
    let bed = Bed::new("shared");
    let rows = 8_000;
    bed.desk.trips("data/1.parquet", 0, rows, UNKEYED);
    let mut pipeline = trips();
    pipeline["spec"]["stream"] = json!({ "batchRows": 100, "maxErrors": rows, "loaders": 3 });
    pipeline["spec"]["allow"] = json!(["dead-letters"]);
    bed.write(pipeline);
    // The others are there before the topic is.
    let mut second = bed.share("1/3");
    let third = bed.share("2/3");
    let first = bed.share("0/3");
    until(Duration::from_mins(1), "the second loader loads", || bed.offset_of(1) > 0);
    second.kill().unwrap();
    second.wait().unwrap();
    let stands = bed.offset_of(1);
    sleep(Duration::from_millis(500));
    assert_eq!(bed.offset_of(1), stands, "nobody else loads its partition");
    let second = bed.share("1/3");
    let first = outcome(first).exits(0);
    first.says("loaded by the other loaders");
    let report = bed.report();
    let letters = (0..rows).filter(|n| n % 10 < 9 && n % UNKEYED == UNKEYED - 1).count();
    assert_eq!(report["rows"]["deadLetters"], letters);
    let written = json!(usize::try_from(rows / 10 * 9).unwrap() - letters);
    assert_eq!(bed.trips(), json!({ "trips": written, "numbers": written, "right": written }));
    for child in [second, third] {
        terminate(&child);
        outcome(child).exits(130);
    }
    // A report of a loader that does not lead is nobody's.
    assert_eq!(bed.report(), report);
    bed.run().exits(0).says("nothing new");
}

#[test]
fn the_leading_loader_gives_up_on_others_that_were_never_started() {
    let bed = Bed::new("alone");
    bed.desk.trips("data/1.parquet", 0, 1_000, i64::MAX);
    let mut pipeline = trips();
    pipeline["spec"]["stream"] = json!({ "loaders": 3, "patienceSeconds": 2 });
    bed.write(pipeline);
    outcome(bed.share("0/3")).exits(75).says("have not moved for 2 s");
    bed.run().exits(0);
}
