//! How fast rows get into the embedded graph, beside the bare engine fed by a hand-written loop.
//!
//! `cargo bench --bench load -- [ROWS] [bare|topic]`; without a case, one after the other in processes of their own, so
//! that each has its own peak of memory. The trips are the mission's: 43 places, four properties a relationship, `CREATE`.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::collections::{BTreeMap, HashMap};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use kglite::api::session::{ExecuteOptions, Session};
use kglite::api::{DirGraph, PropMap, Value};
use runner::graph::{
    Advance, Checkpoint, Constraint, ConstraintKind, Embedded, GraphSchema, GraphStore as _, WriteBatch,
};
use runner::message::{EventReader, Message, Origin, RowId};
use runner::share::Share;
use runner::topic::{Record, memory};

const ROWS: u64 = 1_000_000;
const BATCH: u64 = 1_000;
const PLACES: u64 = 43;
const STATEMENT: &str = "\
MERGE (p:Location {name: event.origin})
MERGE (d:Location {name: event.destination})
CREATE (p)-[:TRIP {distance: event.distance, fare: event.fare, pickup_dt: datetime(event.pickup),
                   dropoff_dt: datetime(event.dropoff)}]->(d)";

fn main() {
    // Cargo says `--bench` when it is to be measured, and nothing when it only has to run.
    let (options, words): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|word| word.starts_with('-'));
    let usual = if options.iter().any(|option| option == "--bench") { ROWS } else { BATCH };
    let rows = words.first().and_then(|word| word.parse().ok()).unwrap_or(usual);
    match words.get(1).map(String::as_str) {
        Some("bare") => measure("bare engine, hand-written loop", rows, || bare(rows)),
        Some("topic") => measure("messages, topic, store", rows, || whole(rows)),
        _ => {
            for case in ["bare", "topic"] {
                let this = std::env::current_exe().unwrap();
                assert!(Command::new(this).args([&rows.to_string(), case]).status().unwrap().success());
            }
        }
    }
}

fn measure(case: &str, rows: u64, load: impl FnOnce() -> u64) {
    let begun = Instant::now();
    assert_eq!(load(), rows);
    let seconds = begun.elapsed().as_secs_f64();
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("unknown").trim();
    #[expect(clippy::cast_precision_loss, reason = "a rate for reading")]
    let rate = rows as f64 / seconds;
    println!("{case:32} {rate:>10.0} rows/s   {seconds:>6.1} s   peak {peak}");
}

/// A trip: where it begins, where it ends, two numbers and two times.
fn trip(row: u64) -> (u64, u64, f64, f64, String, String) {
    // Two multiplicative hashes, so that all pairs of places come up.
    let start = row.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    let end = row.wrapping_mul(0xC2B2_AE3D_27D4_EB4F) >> 40;
    #[expect(clippy::cast_precision_loss, reason = "a made-up number")]
    let (distance, fare) = (row as f64 / 7.0, row as f64 / 3.0);
    let time =
        |day: u64| format!("2022-03-{day:02}T{:02}:{:02}:{:02}", row / 3_600 % 24, row / 60 % 60, row % 60);
    (start % PLACES, end % PLACES, distance, fare, time(1 + row / 86_400 % 28), time(1 + row / 86_400 % 28))
}

/// The engine's own values in its own statement, without a checkpoint.
fn bare(rows: u64) -> u64 {
    let session = Session::new(DirGraph::new());
    let run = |cypher: &str, parameters: &HashMap<String, Value>| {
        session.execute_auto_commit(cypher, &ExecuteOptions::eager(parameters), 1).unwrap()
    };
    run(&location().cypher(), &HashMap::new());
    let statement = format!("UNWIND $events AS event {STATEMENT}");
    let mut made = 0;
    for from in (0..rows).step_by(usize::try_from(BATCH).unwrap()) {
        let events = (from..rows.min(from + BATCH)).map(|row| {
            let (start, end, distance, fare, pickup, dropoff) = trip(row);
            let fields = [
                ("origin", Value::Int64(start.cast_signed())),
                ("destination", Value::Int64(end.cast_signed())),
                ("distance", Value::Float64(distance)),
                ("fare", Value::Float64(fare)),
                ("pickup", Value::String(pickup)),
                ("dropoff", Value::String(dropoff)),
            ];
            Value::Map(PropMap::from_iter(fields))
        });
        let parameters = HashMap::from([("events".to_owned(), Value::List(events.collect()))]);
        made += run(&statement, &parameters).result.stats.unwrap().relationships_created as u64;
    }
    made
}

fn location() -> Constraint {
    Constraint {
        label: "Location".to_owned(),
        properties: vec!["name".to_owned()],
        kind: ConstraintKind::NodeUnique,
    }
}

/// Messages as the source makes them, through the topic, read as JSON and written with their checkpoints.
fn whole(rows: u64) -> u64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let (mut producer, mut consumer) = memory::open(3, 4_096, &BTreeMap::new());
        let produce = tokio::spawn(async move {
            for row in 0..rows {
                producer.produce(message(row), Share::WHOLE).await.unwrap();
            }
        });
        let store = Embedded::in_memory().unwrap();
        let schema = GraphSchema {
            statement: STATEMENT.into(),
            constraints: vec![location()],
            ..GraphSchema::default()
        };
        store.prepare(&schema).await.unwrap();
        let mut made = 0;
        while let Some(records) = consumer.batch(usize::try_from(BATCH).unwrap()).await {
            made += store.write(&batch(&schema.statement, &records)).await.unwrap().relationships_created;
        }
        produce.await.unwrap();
        made
    })
}

fn message(row: u64) -> Message {
    let (start, end, distance, fare, pickup, dropoff) = trip(row);
    let value = format!(
        r#"{{"origin":{start},"destination":{end},"distance":{distance:?},"fare":{fare:?},"pickup":"{pickup}","dropoff":"{dropoff}"}}"#
    );
    Message {
        key: Some(start.to_string().into_bytes()),
        value: value.into_bytes(),
        origin: Origin {
            row: RowId { file: "trips.parquet".into(), ordinal: row },
            lineage: "lineage".into(),
            digest: "digest".into(),
        },
    }
}

fn batch(statement: &Arc<str>, records: &[Record]) -> WriteBatch {
    let mut advances: BTreeMap<u32, Advance> = BTreeMap::new();
    for Record { partition, offset, origin, .. } in records {
        let origin = origin.as_ref().unwrap();
        let checkpoint = Checkpoint {
            offset: offset + 1,
            row: Some(origin.row.clone()),
            lineage: origin.lineage.to_string(),
            digest: origin.digest.to_string(),
            dead_letters: 0,
        };
        advances
            .entry(*partition)
            .and_modify(|advance| advance.checkpoint = checkpoint.clone())
            .or_insert(Advance { partition: *partition, from: *offset, checkpoint });
    }
    let mut reader = EventReader::default();
    WriteBatch {
        statement: Arc::clone(statement),
        dictionary: None,
        topic: "trips".to_owned(),
        events: records.iter().map(|record| reader.read(&record.value).unwrap()).collect(),
        advances: advances.into_values().collect(),
        must_write: false,
    }
}
