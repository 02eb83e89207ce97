//! What runner is measured beside on real servers: a bare rdkafka loop, and a hand-written Bolt writer.
//!
//! `external produce runner|bare|headers BOOTSTRAP TOPIC PARTITIONS FILE` makes a topic and fills it, and
//! `external bolt ADDRESS PASSWORD LABEL BATCH CONNECTIONS FILE` writes into Neo4j. The file has a row a line, as messages
//! have it; it is read before the clock starts. Each prints a line: rows, seconds, the program's CPU seconds.
//! `benches/external/measure.py` runs them. Without a case there is nothing to run.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod bolt;
mod produce;

use std::time::Instant;

/// The program's own, for all of them.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["produce", case, bootstrap, topic, partitions, file] => {
            let lines = std::fs::read(file).unwrap();
            produce::produce(case, bootstrap, topic, partitions.parse().unwrap(), &lines);
        }
        ["bolt", address, password, label, batch, connections, file] => {
            let trips = bolt::trips(&std::fs::read(file).unwrap());
            let way = bolt::Way { address, password, label };
            let work = || bolt::write(&way, &trips, batch.parse().unwrap(), connections.parse().unwrap());
            measure(trips.len(), work);
        }
        _ => {}
    }
}

/// Prints how many rows the work moved, in how many seconds, at the cost of how many CPU seconds.
fn measure(rows: usize, work: impl FnOnce()) {
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    work();
    println!("{rows} {} {}", begun.elapsed().as_secs_f64(), cpu_seconds() - cpu);
}

/// The CPU time of this process so far, user and system.
fn cpu_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2);
    fields.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / TICKS_A_SECOND
}

/// The lines of a file that are not empty.
fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}
