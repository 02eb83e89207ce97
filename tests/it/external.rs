//! `runner run` against real servers: the examples, what a second run makes of them, dead letters, faults.

mod bad_inputs;
mod producers;
mod shares;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Desk, Outcome, example, examples, outcome};
use crate::proxy::{Proxy, Way};
use crate::servers::{EmptyNeo4j, Kafka, Neo4j, PASSWORD, Received, Transaction, unique, until};

/// `infrastructure:` for servers that exist.
pub fn infrastructure(kafka: &str, neo4j: &str) -> Value {
    json!({ "external": {
        "kafka": { "bootstrap": kafka },
        "neo4j": { "uri": format!("bolt://{neo4j}"), "passwordFrom": { "env": "NEO4J_PASSWORD" } },
    } })
}

/// The servers of the test bed, the graph empty, and a desk with the password.
struct Bed {
    neo4j: EmptyNeo4j,
    desk: Desk,
    topic: String,
}

impl Bed {
    fn new(topic: &str) -> Self {
        let desk = Desk::new().with_variable("NEO4J_PASSWORD", PASSWORD);
        Self { neo4j: Neo4j::shared(), desk, topic: unique(topic) }
    }

    /// Writes a pipeline of these servers and this topic, named after it.
    fn write(&self, pipeline: Value) {
        self.write_with(pipeline, self.neo4j.address());
    }

    /// The same, with another way to Neo4j.
    fn write_with(&self, mut pipeline: Value, neo4j: &str) {
        pipeline["metadata"]["name"] = json!(self.topic);
        pipeline["spec"]["infrastructure"] = infrastructure(Kafka::shared().address(), neo4j);
        pipeline["spec"]["topic"]["name"] = json!(self.topic);
        self.desk.write("pipeline.yaml", &pipeline.to_string());
    }

    fn run(&self) -> Outcome {
        self.desk.runner(&["run", "pipeline.yaml"])
    }

    fn report(&self) -> Value {
        self.desk.report(&self.topic)
    }

    /// How many messages the topic holds.
    fn messages(&self) -> i64 {
        Kafka::shared().watermarks(&self.topic).iter().map(|(low, high)| high - low).sum()
    }

    /// The offsets of the checkpoints, added up.
    fn loaded(&self) -> Value {
        self.neo4j.value(&format!(
            "MATCH (c:RunnerCheckpoint {{topic: '{}'}}) RETURN sum(c.offset) AS n",
            self.topic
        ))
    }
}

/// The main example as a value, with its data beside it.
fn bronx(desk: &Desk) -> Value {
    symlink(examples().join("data"), desk.path("data")).unwrap();
    serde_yaml::from_str(&fs::read_to_string(example("bronx-taxi.yaml")).unwrap()).unwrap()
}

/// What the main example's Cypher writes, declared.
fn declared() -> Value {
    let location = |name: &str, column: &str| json!({ "name": name, "label": "Location", "keys": { "name": { "column": column, "type": "integer" } } });
    json!({
        "nodes": [location("pickup", "PULocationID"), location("dropoff", "DOLocationID")],
        "relationships": [{ "type": "TRIP", "from": "pickup", "to": "dropoff", "mode": "create", "properties": {
            "distance": { "column": "trip_distance", "type": "float" },
            "fare": { "column": "fare_amount", "type": "float" },
            "pickup_dt": { "column": "tpep_pickup_datetime", "type": "datetime" },
            "dropoff_dt": { "column": "tpep_dropoff_datetime", "type": "datetime" },
        } }],
    })
}

/// Runs the main example twice: its graph and its scores are the reference's, and the second run finds nothing to do.
fn gives_the_reference_and_is_idempotent(bed: &Bed, pipeline: Value) {
    bed.write(pipeline);
    // The example's own assertions hold the scores, and `expect` the counts: each of them would fail the run.
    bed.run().exits(0);
    let report = bed.report();
    assert_eq!(report["graph"], json!({ "nodes": { "Location": 42 }, "relationships": { "TRIP": 1530 } }));
    let ranks = report["analyses"][0]["rows"].as_array().unwrap();
    assert_eq!((&ranks[0][0], &ranks[41][0], ranks.len()), (&json!(159), &json!(59), 42));
    assert!((ranks[0][1].as_f64().unwrap() - 3.228_248_647_841_576).abs() < 1e-9, "{}", ranks[0]);
    let rows = &report["rows"];
    assert_eq!(
        (&rows["read"], &rows["produced"], &rows["written"]),
        (&json!(16_036), &json!(1_530), &json!(1_530))
    );
    assert_eq!((&report["target"], &report["status"]), (&json!("external"), &json!("done")));
    let times =
        "MATCH (:Location)-[t:TRIP]->(:Location) RETURN min(t.pickup_dt) < datetime('2022-03-02') AS zoned";
    assert_eq!(bed.neo4j.value(times), json!(true));

    let messages = bed.messages();
    bed.run().exits(0).says("nothing new; 1530 rows are in the graph already");
    let again = bed.report();
    let rows = &again["rows"];
    for count in ["produced", "consumed", "written", "deadLetters", "duplicates"] {
        assert_eq!(rows[count], 0, "{count}");
    }
    assert_eq!((&again["graph"], &again["status"]), (&report["graph"], &json!("done")));
    assert_eq!(again["stages"][2]["status"], "unchanged");
    assert_eq!(again["analyses"][0]["rows"], report["analyses"][0]["rows"]);
    assert_eq!((bed.messages(), bed.loaded()), (messages, json!(messages)));
}

#[test]
fn the_main_example_with_its_own_cypher_gives_the_reference_once() {
    let bed = Bed::new("bronx");
    let pipeline = bronx(&bed.desk);
    gives_the_reference_and_is_idempotent(&bed, pipeline);
}

#[test]
fn the_main_example_with_a_declared_mapping_gives_the_reference_once() {
    let bed = Bed::new("bronx-declared");
    let mut pipeline = bronx(&bed.desk);
    pipeline["spec"]["mapping"] = declared();
    gives_the_reference_and_is_idempotent(&bed, pipeline);
}

/// A pipeline of generated trips, each with its number.
pub fn trips() -> Value {
    json!({
        "apiVersion": "runner.dev/v1alpha1",
        "kind": "Pipeline",
        "metadata": { "name": "trips" },
        "spec": {
            "source": {
                "parquet": "data/*.parquet",
                "select": ["n", "from_zone", "to_zone", "distance"],
                "filter": "n % 10 < 9",
            },
            "topic": { "name": "trips", "partitions": 3, "key": "to_zone" },
            "mapping": { "cypher": "MERGE (a:Zone {id: event.from_zone})
                MERGE (b:Zone {id: event.to_zone})
                CREATE (a)-[:TRIP {n: event.n, distance: event.distance}]->(b)" },
        },
    })
}

#[test]
fn lanes_that_meet_in_deadlocks_lose_no_row_and_write_none_twice() {
    let bed = Bed::new("meeting");
    bed.desk.trips("data/1.parquet", 0, 10_000, i64::MAX);
    let mut pipeline = trips();
    let spec = &mut pipeline["spec"];
    spec["source"] = json!({ "parquet": "data/*.parquet", "select": ["n"] });
    spec["topic"] = json!({ "name": "trips", "partitions": 2 });
    spec["stream"] = json!({ "batchRows": 500 });
    // Without a key, rows go to the partitions in turn: their batches write to the same nodes, in opposite orders.
    spec["mapping"] = json!({ "cypher": "WITH event, event.n / 2 % 500 AS place
        MERGE (x:Spot {id: CASE event.n % 2 WHEN 0 THEN place ELSE 499 - place END})
        SET x.times = coalesce(x.times, 0) + 1" });
    bed.write(pipeline);
    bed.run().exits(0);
    let rows = &bed.report()["rows"];
    assert_eq!(rows["written"], 10_000);
    assert!(rows["retries"].as_u64().unwrap() > 0, "{rows}");
    let written = "MATCH (x:Spot) WITH count(x) AS spots, collect(DISTINCT x.times) AS times RETURN [spots, times] AS n";
    assert_eq!(bed.neo4j.value(written), json!([500, [20]]));
}

#[test]
fn a_row_that_cannot_be_written_goes_to_the_dead_letters_and_the_others_do_not() {
    let bed = Bed::new("lettered");
    bed.desk.trips("data/1.parquet", 0, 1_000, 97);
    bed.write(trips());
    bed.run().exits(1).says("dead-letters");
    let report = bed.report();
    assert_eq!((&report["rows"]["written"], &report["rows"]["deadLetters"]), (&json!(891), &json!(9)));
    let letters = Kafka::shared().messages(&format!("{}.dlq", bed.topic));
    let numbers = |letter: &Received| {
        let event: Value = serde_json::from_slice(letter.value.as_deref().unwrap()).unwrap();
        event["n"].as_i64().unwrap()
    };
    let mut found: Vec<i64> = letters.iter().map(numbers).collect();
    found.sort_unstable();
    let expected: Vec<i64> = (0..1_000).filter(|n| n % 10 < 9 && n % 97 == 96).collect();
    assert_eq!(found, expected);
    for name in
        ["runner.error.code", "runner.error.message", "runner.partition", "runner.offset", "runner.row"]
    {
        let has = |letter: &Received| letter.headers.iter().any(|(header, _)| header == name);
        assert!(letters.iter().all(has), "{name}");
    }
    // They are counted once, and are no new fault of the next run.
    bed.run();
    assert_eq!(bed.report()["rows"]["deadLetters"], 0);
    assert_eq!(Kafka::shared().messages(&format!("{}.dlq", bed.topic)).len(), 9);
}

type Change = fn(&mut Value);

#[test]
fn what_changed_under_a_loaded_graph_is_refused_and_a_new_file_is_loaded_alone() {
    let bed = Bed::new("changing");
    bed.desk.trips("data/1.parquet", 0, 1_000, i64::MAX);
    bed.write(trips());
    bed.run().exits(0);
    let messages = bed.messages();
    let changes: [Change; 2] = [
        |pipeline| pipeline["spec"]["source"]["filter"] = json!("n % 10 < 8"),
        |pipeline| pipeline["spec"]["mapping"]["cypher"] = json!("CREATE (:Zone {id: event.n})"),
    ];
    for change in changes {
        let mut pipeline = trips();
        change(&mut pipeline);
        bed.write(pipeline);
        for command in ["plan", "run"] {
            bed.desk.runner(&[command, "pipeline.yaml"]).exits(1).says("definition-changed");
        }
        assert_eq!(bed.messages(), messages, "nothing was produced");
    }
    bed.write(trips());
    bed.desk.trips("data/2.parquet", 1_000, 500, i64::MAX);
    bed.run().exits(0);
    let report = bed.report();
    let rows = &report["rows"];
    assert_eq!((&rows["produced"], &rows["written"]), (&json!(450), &json!(450)));
    // Rows behind the first of the partitions' last ones are looked at again.
    assert!((500..600).contains(&rows["read"].as_u64().unwrap()), "{rows}");
    assert_eq!(report["graph"]["relationships"]["TRIP"], 1_350);
    bed.desk.trips("data/0.parquet", 5_000, 5, i64::MAX);
    for command in ["plan", "run"] {
        bed.desk.runner(&[command, "pipeline.yaml"]).exits(1).says("source-changed");
    }
}

#[test]
fn a_topic_that_is_gone_though_it_was_loaded_is_refused() {
    let bed = Bed::new("gone");
    bed.desk.trips("data/1.parquet", 0, 100, i64::MAX);
    bed.write(trips());
    bed.run().exits(0);
    // As if it had been loaded from a topic of this name.
    let gone = Bed { topic: format!("{}-deleted", bed.topic), ..bed };
    gone.neo4j.value(&format!(
        "MATCH (c:RunnerCheckpoint {{topic: '{}'}}) CREATE (d:RunnerCheckpoint) \
         SET d = c {{.*, topic: '{}'}} RETURN count(d) AS n",
        gone.topic.trim_end_matches("-deleted"),
        gone.topic,
    ));
    gone.write(trips());
    // The last one would tell of a topic that the run had made.
    for command in ["plan", "run", "plan"] {
        let refused = gone.desk.runner(&[command, "pipeline.yaml"]).exits(1);
        refused.says("records-gone").says("is gone").says("--fresh");
    }
}

/// The lines of a finding that say something: without the frame around the file's line.
fn told(outcome: &Outcome) -> Vec<&str> {
    let lines = outcome.stderr.lines().skip_while(|line| !line.starts_with("error"));
    lines.take_while(|line| !line.is_empty()).filter(|line| line.trim() != "|").collect()
}

#[test]
fn a_server_that_cannot_be_used_is_one_short_fault_at_once() {
    let bed = Bed::new("faults");
    bed.desk.trips("data/1.parquet", 0, 10, i64::MAX);
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let silent = silent.local_addr().unwrap().to_string();
    let (kafka, neo4j) = (Kafka::shared().address(), bed.neo4j.address());
    let wrong = PASSWORD.replace("runner", "wrong");
    let cases = [
        ("wrong password", kafka, neo4j, &*wrong, "password of user `neo4j`"),
        ("Neo4j down", kafka, "127.0.0.1:1", PASSWORD, "nothing listens"),
        ("Neo4j silent", kafka, &*silent, PASSWORD, "no answer"),
        ("no host of Neo4j", kafka, "no-such-host.invalid:7687", PASSWORD, "no host `no-such-host.invalid`"),
        ("Kafka down", "127.0.0.1:1", neo4j, PASSWORD, "nothing listens"),
        ("Kafka silent", &*silent, neo4j, PASSWORD, "answer"),
        ("no host of Kafka", "no-such-host.invalid:9092", neo4j, PASSWORD, "no-such-host.invalid"),
        ("Neo4j in Kafka's place", neo4j, neo4j, PASSWORD, "Kafka"),
    ];
    for (what, kafka, neo4j, password, word) in cases {
        let mut pipeline = trips();
        pipeline["metadata"]["name"] = json!(bed.topic);
        pipeline["spec"]["topic"]["name"] = json!(bed.topic);
        pipeline["spec"]["infrastructure"] = infrastructure(kafka, neo4j);
        bed.desk.write("pipeline.yaml", &pipeline.to_string());
        let mut command = bed.desk.command(&["run", "pipeline.yaml"]);
        let begun = Instant::now();
        let outcome = outcome(command.env("NEO4J_PASSWORD", password).spawn().unwrap());
        let took = begun.elapsed();
        let told = told(&outcome);
        assert!(told.iter().any(|line| line.contains(word)), "{what}: no `{word}` in {outcome:?}");
        assert!((1..=5).contains(&told.len()), "{what}: {told:#?}");
        assert!(took < Duration::from_secs(6), "{what}: {took:?}");
        assert!(!outcome.stderr.contains(password), "{what}: the password is told");
        outcome.exits(1);
    }
}

#[test]
fn a_run_that_is_stopped_while_a_server_is_away_ends_as_stopped_and_goes_on_later() {
    let bed = Bed::new("stopped");
    let rows = 20_000;
    bed.desk.trips("data/1.parquet", 0, rows, i64::MAX);
    let proxy = Proxy::to(bed.neo4j.address());
    let mut pipeline = trips();
    pipeline["spec"]["stream"] = json!({ "batchRows": 100 });
    bed.write_with(pipeline, &proxy.address());
    let mut run = bed.desk.follow(&["run", "pipeline.yaml"]);
    until(Duration::from_mins(1), "rows are loaded", || bed.loaded() != json!(0));
    proxy.set(Way::Refuse);
    proxy.cut();
    assert!(run.hears(|line| line.contains("trying again")), "{:#?}", run.said);
    run.signal("-INT");
    let asked_at = Instant::now();
    assert_eq!(run.end(), Some(130), "{:#?}", run.said);
    assert!(asked_at.elapsed() < Duration::from_secs(15), "{:?}", asked_at.elapsed());
    assert!(run.said.iter().any(|line| line.starts_with("stream: interrupted")), "{:#?}", run.said);
    assert_eq!(bed.report()["status"], "interrupted");
    proxy.set(Way::Pass);
    bed.run().exits(0);
    let right = rows / 10 * 9;
    assert_eq!(bed.trips(), json!({ "trips": right, "numbers": right, "right": right }));
}

#[test]
fn rows_behind_an_open_transaction_are_waited_for() {
    let bed = Bed::new("held-back");
    bed.desk.trips("data/1.parquet", 0, 1_000, i64::MAX);
    bed.write(trips());
    bed.desk.runner(&["run", "pipeline.yaml", "--limit", "0"]).exits(0);
    let transaction = Transaction::begin(Kafka::shared(), &bed.topic);
    let mut run = bed.desk.follow(&["run", "pipeline.yaml"]);
    assert!(run.until("deploy"), "{:#?}", run.said);
    sleep(Duration::from_secs(5));
    assert!(run.is_alive(), "it did not wait: {:#?}", run.said);
    transaction.abort();
    assert_eq!(run.end(), Some(0), "{:#?}", run.said);
    assert_eq!(bed.trips(), json!({ "trips": 900, "numbers": 900, "right": 900 }));
}
