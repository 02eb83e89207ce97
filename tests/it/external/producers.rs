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
            let header = message.headers.iter().find(|(name, _)| name == "runner.row");
            let row = str::from_utf8(&header.unwrap().1).unwrap();
            let file = row.rsplit_once(':').unwrap().0.to_owned();
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
fn a_try_takes_its_rows_from_one_producer_after_the_other_and_the_whole_goes_on_from_there() {
    let bed = Bed::new("divided-try");
    for number in [1, 2] {
        bed.file(number);
    }
    bed.write(divided());
    bed.desk.runner(&["run", "pipeline.yaml", "--limit", "100"]).exits(0);
    assert_eq!(bed.files_by_partition().into_values().flatten().collect::<Vec<_>>(), ["data/1.parquet"; 2]);
    bed.desk.runner(&["run", "pipeline.yaml", "--limit", "2500"]).exits(0);
    assert!(bed.files_by_partition().contains_key(&1), "the second producer had its turn");
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
    pipeline["spec"]["stream"]["patienceSeconds"] = json!(4);
    // It takes longer to load than that.
    pipeline["spec"]["stream"]["batchRows"] = json!(5);
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
    // They go on, and say so: the next run of the first waits for nobody.
    outcome(bed.share("0/3")).exits(0).says("nothing new");

    // A file came for the second, which did not list it when it began: it ends, to be started again.
    for number in [5, 6] {
        bed.file(number);
    }
    let first = bed.share("0/3");
    outcome(second).exits(75).says("the first loader reads other files than this one");
    let second = bed.share("1/3");
    outcome(first).exits(0);
    assert_eq!(bed.trips(), whole(6));
    for child in [second, third] {
        terminate(&child);
        outcome(child).exits(130);
    }

    // One that knows more files than the first reads those that the first has listed.
    let mut pipeline = divided();
    pipeline["spec"]["stream"]["loaders"] = json!(3);
    bed.write(pipeline);
    bed.file(7);
    let mut first = bed.desk.follow(&["run", "pipeline.yaml", "--share", "0/3"]);
    assert!(first.hears(|line| line.contains("waiting for the other producers")), "{:#?}", first.said);
    bed.file(8);
    let others = [bed.share("1/3"), bed.share("2/3")];
    assert_eq!(first.end(), Some(0), "{:#?}", first.said);
    assert_eq!(bed.trips(), whole(7));
    for child in others {
        terminate(&child);
        outcome(child).exits(130);
    }

    // What was said of a topic goes with it.
    let mut pipeline = divided();
    pipeline["spec"]["stream"] = json!({ "producers": 2, "loaders": 3, "patienceSeconds": 2 });
    bed.write(pipeline);
    bed.desk.runner(&["run", "pipeline.yaml", "--fresh", "--yes", "--limit", "0"]).exits(0);
    outcome(bed.share("0/3")).exits(75).says("the other producers have not all said");
    bed.run().exits(0);
    assert_eq!(bed.trips(), whole(8));
}

#[test]
fn a_file_that_comes_between_others_is_refused_before_any_share_sends_anything() {
    let bed = Bed::new("divided-between");
    for number in [1, 3] {
        bed.file(number);
    }
    let mut pipeline = divided();
    pipeline["spec"]["stream"] = json!({ "producers": 2, "loaders": 2 });
    bed.write(pipeline);
    bed.run().exits(0);
    bed.file(2);
    let second = bed.share("1/2");
    outcome(bed.share("0/2")).exits(1).says("source-changed");
    // It waits for a first one that reads the same.
    terminate(&second);
    outcome(second).exits(130).says("waiting for the first loader");
    bed.desk.runner(&["plan", "pipeline.yaml"]).exits(1).says("source-changed");
    assert_eq!(bed.messages(), 2 * ROWS / 10 * 9, "nothing was produced");
}

#[test]
fn one_share_has_several_producers_and_the_embedded_engine_goes_the_same_way() {
    let bed = Bed::new("divided-three");
    for number in 1..=4 {
        bed.file(number);
    }
    let mut pipeline = divided();
    // The first of two shares has the first and the third producer.
    pipeline["spec"]["stream"] = json!({ "producers": 3, "loaders": 2 });
    bed.write(pipeline);
    let second = bed.share("1/2");
    outcome(bed.share("0/2")).exits(0);
    terminate(&second);
    outcome(second).exits(130);
    assert_eq!(bed.trips(), whole(4));
    let by_partition = bed.files_by_partition();
    let (first, others) = (["data/1.parquet", "data/4.parquet"], [["data/2.parquet"], ["data/3.parquet"]]);
    assert_eq!(
        by_partition,
        [(0, first.to_vec()), (1, others[0].to_vec()), (2, others[1].to_vec())].map(owned).into()
    );

    let preview = bed.desk.runner(&["preview", "pipeline.yaml", "--rows", "1", "--output", "json"]).exits(0);
    assert!(preview.stdout.contains("\"partition\": 0"), "{}", preview.stdout);
    bed.desk.runner(&["run", "pipeline.yaml", "--target", "embedded"]).exits(0);
    let report = bed.report();
    assert_eq!(report["graph"]["relationships"]["TRIP"], 4 * ROWS / 10 * 9);
    bed.file(5);
    bed.desk.runner(&["run", "pipeline.yaml", "--target", "embedded"]).exits(0);
    assert_eq!(bed.report()["graph"]["relationships"]["TRIP"], 5 * ROWS / 10 * 9);
}
