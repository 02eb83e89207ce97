//! How fast rows become messages: `cargo bench --bench scan -- PIPELINE.yaml [RUNS]`.
//!
//! The pipeline's source is opened, scanned and encoded through the library, on one thread; the median of the runs is printed as JSON, with the
//! process' peak memory. `benches/run.sh` runs it beside DuckDB and pyarrow on the same file.
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::path::Path;
use std::time::Instant;

use futures::StreamExt as _;
use runner::source::{self, Encoder};
use runner::spec::{Pipeline, load};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(path) = arguments.first().map(Path::new) else {
        eprintln!("usage: cargo bench --bench scan -- PIPELINE.yaml [RUNS]");
        return;
    };
    let runs: usize = arguments.get(1).map_or(5, |runs| runs.parse().unwrap());
    let document = load::read(path, &|_| None);
    let pipeline: Pipeline = serde_json::from_value(document.value.unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();

    let mut seconds = Vec::new();
    let mut counted = (0, 0);
    for _ in 0..runs {
        let begun = Instant::now();
        counted = runtime.block_on(messages(&pipeline, path.parent().unwrap()));
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    let peak = peak_kilobytes();
    println!(
        "{}",
        serde_json::json!({ "seconds": median, "messages": counted.0, "bytes": counted.1, "peakKilobytes": peak })
    );
}

/// Opens, scans and encodes; how many messages there were, and how many bytes of values.
async fn messages(pipeline: &Pipeline, base: &Path) -> (u64, usize) {
    let source = pipeline.spec.source.as_ref().unwrap();
    let dataset = source::open(source, base, &|_| Err("no secret".to_owned())).await.unwrap();
    let encoder =
        Encoder::new(&dataset.columns(), pipeline.spec.topic.key.as_deref(), "digest".into()).unwrap();
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

/// The most memory that this process had, where the system tells.
fn peak_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
