//! How long it takes to make messages of a file's rows: open, scan, encode.
//!
//! `scan bronx|all FILE ZONES THREADS` prints a line: seconds, messages, bytes, and the peak of memory in kB. `benches/run.py` runs it beside
//! `DuckDB` and pyarrow. Without a case there is nothing to run.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::Path;
use std::time::Instant;

use futures::StreamExt as _;
use runner::source::{self, Encoder};
use runner::spec::Source;

const TRIP: [&str; 6] = [
    "PULocationID",
    "DOLocationID",
    "trip_distance",
    "fare_amount",
    "tpep_pickup_datetime",
    "tpep_dropoff_datetime",
];
const BRONX: &str = "trip_distance > 0.1 AND fare_amount > 2.5
    AND PULocationID IN (SELECT LocationID FROM zones WHERE Borough = 'Bronx')
    AND DOLocationID IN (SELECT LocationID FROM zones WHERE Borough = 'Bronx')";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let [case, file, zones, threads] = words.as_slice() else {
        return;
    };
    let source: Source = serde_json::from_value(match case.as_str() {
        "bronx" => serde_json::json!({ "parquet": file, "tables": { "zones": zones }, "select": TRIP, "filter": BRONX }),
        _ => serde_json::json!({ "parquet": file, "select": ["*"] }),
    })
    .unwrap();
    let mut runtime = match threads.as_str() {
        "1" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = runtime.enable_all().build().unwrap();
    let begun = Instant::now();
    let (messages, bytes) = runtime.block_on(scan(&source));
    let seconds = begun.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    println!("{seconds} {messages} {bytes} {}", peak.trim().trim_end_matches(" kB"));
}

async fn scan(source: &Source) -> (usize, usize) {
    let dataset =
        source::open(source, Path::new("."), &|_| Err("there are no secrets here".to_owned())).await.unwrap();
    let encoder = Encoder::new(&dataset.columns(), None, "digest".into()).unwrap();
    let mut batches = std::pin::pin!(dataset.scan(None, None));
    let (mut messages, mut bytes) = (0, 0);
    while let Some(batch) = batches.next().await {
        for message in encoder.encode(&batch.unwrap()).unwrap() {
            messages += 1;
            bytes += message.value.len();
        }
    }
    (messages, bytes)
}
