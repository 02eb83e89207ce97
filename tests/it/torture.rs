//! Effectively once on real servers: whatever is killed, stopped, cut or run twice, the run after it ends in the graph of an
//! undisturbed one.
//!
//! A seed is one case: how it is disturbed, at which stage and after how long. `make test` tries the first few, so that each
//! kind of disturbance comes up; `make torture` (`TORTURE=N`) N of them on 50,000 rows, from `TORTURE_FROM` on where a series is
//! gone on with, and `TORTURE_SEED=S` a single one. A case that fails does not end the series: the next one gets servers of its
//! own, and the end names all that failed. `TORTURE_LOG=FILE` takes a line for each case.

mod bed;
mod disturbance;

use std::any::Any;
use std::collections::BTreeMap;
use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use bed::Bed;
use disturbance::{Disturbance, SHORT};

/// The rows of the short version, and of the long one.
const ROWS: (i64, i64) = (5_000, 50_000);

/// What a series of cases came to.
#[derive(Debug, Default)]
struct Tally {
    /// How many cases of each kind passed.
    passed: BTreeMap<String, u32>,
    /// The seeds that did not.
    failed: Vec<u64>,
    /// How often a run that was disturbed came to a good end by itself.
    survived: u32,
    retries: u64,
    duplicates: u64,
}

impl Tally {
    /// Tries a seed: a run that is disturbed, and one after it that is not. Says what came of it.
    fn try_seed(&mut self, bed: &mut Bed, seed: u64, disturbance: &Disturbance) -> String {
        let case = bed.case(seed);
        let disturbed = disturbance.befall(bed, &case);
        let last = case.run(bed);
        assert_eq!(last.code, Some(0), "the run after it failed: {:#?}", last.said);
        let report = case.report();
        let checks = report["reconciliation"].as_array().unwrap();
        assert!(!checks.is_empty() && checks.iter().all(|check| check["ok"] == true), "{report:#}");
        assert_eq!(bed.made(&case), bed.expected());
        bed.expect_checkpoints_at_the_ends(&case);

        *self.passed.entry(disturbance.kind(&disturbed)).or_default() += 1;
        self.survived += u32::from(disturbed.ended_well);
        self.retries += disturbed.retries;
        self.duplicates += disturbed.duplicates + report["rows"]["duplicates"].as_u64().unwrap();
        bed.end(case);
        format!("passed; {disturbed:?}")
    }
}

/// What a test said when it failed, in one line.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(2_000).collect()
}

/// Where lines of the series go beside standard output.
fn log(line: &str) {
    println!("{line}");
    if let Some(path) = env::var_os("TORTURE_LOG") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(file, "{line}").unwrap();
    }
}

#[test]
fn whatever_disturbs_a_run_the_next_one_ends_in_the_graph_of_an_undisturbed_one() {
    let number = |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let long = number("TORTURE");
    let seeds = match number("TORTURE_SEED") {
        Some(seed) => seed..seed + 1,
        None => number("TORTURE_FROM").unwrap_or(0)..long.unwrap_or(SHORT),
    };
    let is_short = seeds == (0..SHORT);
    let rows = if long.is_some() { ROWS.1 } else { ROWS.0 };
    let mut bed = None;
    let mut tally = Tally::default();
    for seed in seeds {
        let begun = Instant::now();
        let on = bed.get_or_insert_with(|| Bed::new(rows));
        let disturbance = Disturbance::of(seed, &on.lengths);
        println!("seed {seed}: {disturbance:?}");
        let outcome = catch_unwind(AssertUnwindSafe(|| tally.try_seed(on, seed, &disturbance)));
        let outcome = outcome.unwrap_or_else(|panic| {
            // Whatever state it left the servers in, the next case gets others.
            bed = None;
            tally.failed.push(seed);
            format!("FAILED: {}", words(&*panic))
        });
        log(&format!("seed {seed}: {disturbance} in {:.1} s: {outcome}", begun.elapsed().as_secs_f64()));
    }
    log(&format!("{tally:?}"));
    assert!(tally.failed.is_empty(), "seeds that failed: {:?}", tally.failed);
    if is_short {
        assert!(tally.retries > 0, "no outage was felt, or none was counted: {tally:?}");
    }
}
