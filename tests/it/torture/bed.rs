//! Servers that may be killed, each behind a proxy, and pipelines that are run on them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::external::{infrastructure, trips};
use crate::harness::{Desk, Running};
use crate::proxy::{Proxy, Way};
use crate::servers::{Kafka, KafkaOptions, Neo4j, Neo4jOptions, PASSWORD, unique};

/// Every so manieth row has no start, and is a dead letter.
const UNKEYED: i64 = 97;
/// How many files the rows are in.
const FILES: i64 = 5;
/// The stages of a run.
const STAGES: [&str; 5] = ["validate", "deploy", "stream", "analyse", "report"];

/// Two servers, each behind a proxy, and the rows.
pub struct Bed {
    pub kafka: Kafka,
    pub neo4j: Neo4j,
    pub to_kafka: Proxy,
    pub to_neo4j: Proxy,
    pub lengths: Lengths,
    desk: Desk,
    rows: i64,
}

/// How long each stage takes where nothing disturbs it.
#[derive(Debug, Default)]
pub struct Lengths(Vec<Duration>);

/// How a run ended.
pub struct Ended {
    pub code: Option<i32>,
    pub said: Vec<String>,
}

/// One pipeline with a topic of its own.
pub struct Case {
    pub name: String,
    file: String,
    reports: String,
}

/// A graph and its dead letters, as far as they differ between one that is right and any other.
#[derive(Debug, PartialEq)]
pub struct Graph(Value);

impl Bed {
    pub fn new(rows: i64) -> Self {
        let to_kafka = Proxy::new();
        let kafka = Kafka::start(&KafkaOptions { proxy: Some(to_kafka.port()), ..KafkaOptions::default() });
        to_kafka.lead_to(kafka.server.fact("proxied"));
        let neo4j = Neo4j::start(&Neo4jOptions::default());
        let to_neo4j = Proxy::to(neo4j.address());
        let desk = Desk::new().with_variable("NEO4J_PASSWORD", PASSWORD);
        let in_each = rows / FILES;
        for number in 0..FILES {
            desk.trips(&format!("data/{number}.parquet"), number * in_each, in_each, UNKEYED);
        }
        let mut bed = Self { kafka, neo4j, to_kafka, to_neo4j, lengths: Lengths::default(), desk, rows };
        let case = bed.case(0);
        let undisturbed = case.run(&bed);
        assert_eq!(undisturbed.code, Some(0), "{:#?}", undisturbed.said);
        bed.lengths = Lengths::read(&case.report());
        bed.end(case);
        bed
    }

    /// A new pipeline and an empty graph. Both forms of a mapping take their turns, and one and two producers.
    pub fn case(&self, seed: u64) -> Case {
        let name = unique("torture");
        let mut pipeline = trips();
        pipeline["metadata"]["name"] = json!(name);
        let spec = &mut pipeline["spec"];
        spec["infrastructure"] = infrastructure(&self.to_kafka.address(), &self.to_neo4j.address());
        spec["topic"]["name"] = json!(name);
        // Seeds take the kinds of disturbance in turn, twenty of them: each kind meets each form.
        let is_declared = (seed + seed / 20) % 2 == 1;
        let producers = 1 + (seed / 2 + seed / 40) % 2;
        spec["stream"] =
            json!({ "batchRows": self.rows / 50, "maxErrors": self.rows, "producers": producers });
        spec["allow"] = json!(["dead-letters"]);
        let question = "MATCH (:Zone)-[t:TRIP]->(z:Zone) RETURN z.id AS zone, sum(t.n) AS n";
        spec["analyses"] = json!([{ "name": "trips", "cypher": question }]);
        if is_declared {
            spec["mapping"] = declared();
        }
        let file = format!("{name}.yaml");
        self.desk.write(&file, &pipeline.to_string());
        let reports = self.desk.path(&format!("reports/{name}")).display().to_string();
        Case { name, file, reports }
    }

    /// Leaves an empty graph.
    pub fn end(&self, case: Case) {
        drop(case);
        self.neo4j.clear();
    }

    /// What stands in the graph and among the dead letters.
    ///
    /// Where a relationship goes and what it holds follows from its number. So they are all there, each once and right, if
    /// as many as there should be are right, and as many numbers are among them.
    pub fn made(&self, case: &Case) -> Graph {
        let right =
            "a.id = t.n * 7 % 53 AND b.id = t.n * 11 % 59 AND t.distance = t.n / 7.0 AND t.n % 10 < 9";
        let trips = format!(
            "MATCH (a:Zone)-[t:TRIP]->(b:Zone)
             RETURN count(t) AS trips, count(DISTINCT t.n) AS numbers, min(t.n) AS first, max(t.n) AS last,
                    sum(CASE WHEN {right} THEN 1 ELSE 0 END) AS right"
        );
        let all = "MATCH ()-[r]->() RETURN count(r) AS n";
        let zones =
            "MATCH (z) WHERE NOT z:RunnerCheckpoint RETURN z.id AS id, labels(z) AS labels ORDER BY id";
        let counted =
            format!("MATCH (c:RunnerCheckpoint {{topic: '{}'}}) RETURN sum(c.deadLetters) AS n", case.name);
        let letters = self.kafka.messages(&format!("{}.dlq", case.name));
        let letters: BTreeSet<i64> = letters
            .iter()
            .map(|letter| {
                let event: Value = serde_json::from_slice(letter.value.as_deref().unwrap()).unwrap();
                event["n"].as_i64().unwrap()
            })
            .collect();
        Graph(json!({
            "trips": self.neo4j.rows(&trips),
            "all": self.neo4j.value(all),
            "zones": self.neo4j.rows(zones),
            "letters": letters,
            "counted": self.neo4j.value(&counted),
        }))
    }

    /// What should stand there.
    pub fn expected(&self) -> Graph {
        let passes = |n: &i64| n % 10 < 9;
        let is_letter = |n: &i64| n % UNKEYED == UNKEYED - 1;
        let written: Vec<i64> = (0..self.rows).filter(passes).filter(|n| !is_letter(n)).collect();
        let letters: Vec<i64> = (0..self.rows).filter(passes).filter(is_letter).collect();
        let zones: BTreeSet<i64> = written.iter().flat_map(|n| [n * 7 % 53, n * 11 % 59]).collect();
        let count = written.len();
        Graph(json!({
            "trips": [{
                "trips": count, "numbers": count, "right": count, "first": written[0], "last": written[count - 1],
            }],
            "all": count,
            "zones": zones.iter().map(|id| json!({ "id": id, "labels": ["Zone"] })).collect::<Vec<_>>(),
            "counted": letters.len(),
            "letters": letters,
        }))
    }

    pub fn expect_checkpoints_at_the_ends(&self, case: &Case) {
        let stand = format!(
            "MATCH (c:RunnerCheckpoint {{topic: '{}'}}) RETURN c.offset AS offset ORDER BY c.partition",
            case.name
        );
        let stand: Vec<i64> =
            self.neo4j.rows(&stand).iter().map(|row| row["offset"].as_i64().unwrap()).collect();
        let ends: Vec<i64> = self.kafka.watermarks(&case.name).iter().map(|(_, high)| *high).collect();
        assert_eq!(stand, ends, "{}", case.name);
    }

    /// Whatever befell the network, it is well again.
    pub fn mend(&self) {
        self.to_kafka.set(Way::Pass);
        self.to_neo4j.set(Way::Pass);
    }

    /// The program on a case, with a report of its own.
    pub fn start(&self, case: &Case, report: &str) -> Running {
        let reports = format!("{}/{report}", case.reports);
        self.desk.follow(&["run", &case.file, "--report-dir", &reports])
    }
}

impl Case {
    pub fn run(&self, bed: &Bed) -> Ended {
        let mut run = bed.start(self, "last");
        let code = run.end();
        Ended { code, said: std::mem::take(&mut run.said) }
    }

    /// The report of the last run.
    pub fn report(&self) -> Value {
        self.report_of("last").unwrap()
    }

    /// The report of a run, where it came to make one.
    pub fn report_of(&self, run: &str) -> Option<Value> {
        let text = std::fs::read(format!("{}/{run}/report.json", self.reports)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

impl Lengths {
    /// The lengths as a report has them. What is not a stage's own lies between the last two: the graph's picture is drawn.
    fn read(report: &Value) -> Self {
        let seconds = |value: &Value| Duration::from_secs_f64(value["seconds"].as_f64().unwrap());
        let stages = report["stages"].as_array().unwrap();
        let mut lengths: Vec<Duration> = stages.iter().map(seconds).collect();
        let rest = seconds(report).saturating_sub(lengths.iter().sum());
        *lengths.last_mut().unwrap() += rest;
        Self(lengths)
    }

    pub fn of(&self, stage: &str) -> Duration {
        self.0[place(stage)]
    }
}

/// The stage that ends where this one begins.
pub fn before(stage: &str) -> Option<&'static str> {
    place(stage).checked_sub(1).map(|place| STAGES[place])
}

fn place(stage: &str) -> usize {
    STAGES.iter().position(|one| *one == stage).unwrap()
}

/// What `trips` writes, declared.
fn declared() -> Value {
    let zone = |name: &str, column: &str| json!({ "name": name, "label": "Zone", "keys": { "id": { "column": column } } });
    json!({
        "nodes": [zone("from", "from_zone"), zone("to", "to_zone")],
        "relationships": [{
            "type": "TRIP", "from": "from", "to": "to", "mode": "create",
            "properties": { "n": { "type": "integer" }, "distance": { "type": "float" } },
        }],
    })
}
