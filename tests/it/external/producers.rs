//! Several producers that divide a source's files, and a topic's partitions with them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::shares::terminate;
use super::{Bed, trips};
use crate::harness::outcome;
use crate::servers::{Kafka, until};

/// The rows of a file.
const ROWS: i64 = 2_000;

/// Trips that two producers send to three partitions.
fn divided() -> Value {
    let mut pipeline = trips();
    pipeline["spec"]["stream"] = json!({ "batchRows": 50, "producers": 2 });
    pipeline
}

impl Bed {
    fn file(&self, number: i64) {
        self.desk.trips(&format!("data/{number}.parquet"), number * ROWS, ROWS, i64::MAX);
    }

    /// The files whose rows stand in each partition.
    fn files_by_partition(&self) -> BTreeMap<i32, Vec<String>> {
        let mut files: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for message in Kafka::shared().messages(&self.topic) {
            let header = message.headers.iter().find(|(name, _)| name == "runner.file");
            let file = String::from_utf8(header.unwrap().1.clone()).unwrap();
            let known = files.entry(message.partition).or_default();
            if !known.contains(&file) {
                known.push(file);
            }
        }
        files
    }
}

/// What the trips of so many files are, all of them right.
fn whole(files: i64) -> Value {
    let rows = files * ROWS / 10 * 9;
    json!({ "trips": rows, "numbers": rows, "right": rows })
}

#[test]
fn each_producer_sends_its_own_files_in_their_order_to_its_own_partitions() {
    let bed = Bed::new("divided");
    for number in [1, 2, 3] {
        bed.file(number);
    }
    bed.write(divided());
    bed.run().exits(0);
    assert_eq!(bed.trips(), whole(3));
    let (odd, even) = (["data/1.parquet", "data/3.parquet"], ["data/2.parquet"]);
    let by_partition = bed.files_by_partition();
    assert_eq!(by_partition, [(0, odd.to_vec()), (1, even.to_vec()), (2, odd.to_vec())].map(owned).into());
    let rows = &bed.report()["rows"];
    assert_eq!((&rows["read"], &rows["produced"]), (&json!(3 * ROWS), &json!(3 * ROWS / 10 * 9)));
    bed.run().exits(0).says("nothing new");

    // A file that comes after the others falls to the next producer.
    bed.file(4);
    bed.run().exits(0);
    assert_eq!(bed.trips(), whole(4));
    assert_eq!(bed.files_by_partition()[&1], ["data/2.parquet", "data/4.parquet"]);
    let messages = bed.messages();
    assert_eq!(messages, 4 * ROWS / 10 * 9);

    // Another number of producers would send rows to other partitions than they stand in.
    let mut pipeline = divided();
    pipeline["spec"]["stream"]["producers"] = json!(3);
    bed.write(pipeline);
    for command in ["plan", "run"] {
        bed.desk.runner(&[command, "pipeline.yaml"]).exits(1).says("definition-changed");
    }
    assert_eq!(bed.messages(), messages, "nothing was produced");
}

fn owned((partition, files): (i32, Vec<&str>)) -> (i32, Vec<String>) {
    (partition, files.into_iter().map(str::to_owned).collect())
}

#[test]
fn producers_that_are_killed_lose_no_row_and_send_none_twice() {
    let bed = Bed::new("divided-kills");
    for number in 1..=4 {
        bed.file(number);
    }
    bed.write(divided());
    for share in 1..=4 {
        let mut run = bed.desk.start(&["run", "pipeline.yaml"]);
        until(Duration::from_mins(1), "some rows are in the topic", || bed.messages() > share * ROWS / 3);
        run.kill().unwrap();
        run.wait().unwrap();
    }
    bed.run().exits(0);
    assert_eq!(bed.trips(), whole(4));
    assert_eq!(bed.messages(), 4 * ROWS / 10 * 9);
    assert_eq!(bed.loaded(), json!(bed.messages()));
}

#[test]
fn a_try_takes_its_rows_from_the_first_files_and_the_whole_goes_on_from_there() {
    let bed = Bed::new("divided-try");
    for number in [1, 2] {
        bed.file(number);
    }
    bed.write(divided());
    bed.desk.runner(&["run", "pipeline.yaml", "--limit", "100"]).exits(0);
    assert_eq!(bed.messages(), 100);
    bed.run().exits(0);
    assert_eq!((bed.trips(), bed.messages()), (whole(2), 2 * ROWS / 10 * 9));
}

#[test]
fn shares_of_a_run_each_produce_and_load_their_own_and_the_first_waits_for_all() {
    let bed = Bed::new("divided-shares");
    for number in 1..=4 {
        bed.file(number);
    }
    let mut pipeline = divided();
    pipeline["spec"]["stream"]["loaders"] = json!(3);
    bed.write(pipeline);
    let first = bed.share("0/3");
    let mut second = bed.share("1/3");
    // It sends files 2 and 4 to partition 1.
    until(Duration::from_mins(1), "rows of the second producer are loaded", || bed.offset_of(1) > 0);
    second.kill().unwrap();
    second.wait().unwrap();
    let third = bed.share("2/3");
    let second = bed.share("1/3");
    let first = outcome(first).exits(0);
    first.says("waiting for the other producers").says("loaded by the other loaders");
    assert_eq!(bed.trips(), whole(4));
    assert_eq!(bed.messages(), 4 * ROWS / 10 * 9);
    let rows = &bed.report()["rows"];
    assert_eq!((&rows["read"], &rows["otherProducers"]), (&json!(2 * ROWS), &json!(2 * ROWS / 10 * 9)));
    // The others' files are done, which they said: the next run of the first waits for nobody.
    for child in [second, third] {
        terminate(&child);
        outcome(child).exits(130);
    }
    outcome(bed.share("0/3")).exits(0).says("nothing new");

    // What was said of a topic goes with it.
    let mut pipeline = divided();
    pipeline["spec"]["stream"] = json!({ "producers": 2, "loaders": 3, "patienceSeconds": 2 });
    bed.write(pipeline);
    bed.desk.runner(&["run", "pipeline.yaml", "--fresh", "--yes", "--limit", "0"]).exits(0);
    outcome(bed.share("0/3")).exits(75).says("the other producers have not said");
    bed.run().exits(0);
    assert_eq!(bed.trips(), whole(4));
}
