//! `runner status`

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::look::LookArgs;
use super::ui::{OutputArgs, Ui};
use crate::infrastructure::job::{JobState, RunJob};
use crate::report::usage;
use crate::stages::status::{self, Job, Partition, Pod, Source, Status};
use crate::stages::{Fault, Target};

/// What empties a terminal and goes to its top.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// Show how a pipeline stands: how far each partition is loaded, rates, the graph, dead letters, the last run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Look again and again, until Ctrl-C: every 5 s, or as often as said.
    #[arg(long, short, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "5s", value_parser = humantime::parse_duration)]
    watch: Option<Duration>,

    #[command(flatten)]
    look: LookArgs,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (document, plan) = match document::plan(ui, &runtime, &args.file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let options = args.look.options(&args.cluster);
    let look = || runtime.block_on(status::status(&plan, &options));
    let status = match look() {
        Ok(status) => status,
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::Failed);
        }
    };
    let Some(pause) = args.watch else {
        ui.data(&if args.output.json() {
            json(&status, serde_json::to_string_pretty)
        } else {
            text(&status)
        })?;
        return Ok(Exit::Done);
    };
    let mut shown = String::new();
    let mut looked: Result<_, Fault> = Ok(status);
    loop {
        let now = match &looked {
            Ok(status) if args.output.json() => json(status, serde_json::to_string),
            Ok(status) => text(status),
            // What was there a moment ago may be there again in another: pods are replaced, servers start anew.
            Err(fault) => format!("{} cannot be asked: {}\n", plan.pipeline.metadata.name, fault.summary()),
        };
        show_next(ui, args, (&shown, &now))?;
        shown = now;
        std::thread::sleep(pause);
        looked = look();
    }
}

/// Shows the next look: in place of the last one on a terminal, a line of JSON each, else below the last one where it differs.
fn show_next(ui: &Ui, args: &Args, (last, now): (&str, &str)) -> Result<(), CommandError> {
    if args.output.json() {
        return ui.data(now);
    }
    if ui.stdout_is_terminal() {
        return ui.data(&format!("{CLEAR}{now}"));
    }
    match (last, now) {
        (last, now) if last == now => Ok(()),
        ("", now) => ui.data(now),
        (_, now) => ui.data(&format!("\n{now}")),
    }
}

/// The status for programs.
fn json(status: &Status, write: fn(&Status) -> serde_json::Result<String>) -> String {
    write(status).unwrap_or_default() + "\n"
}

/// The status for people.
fn text(status: &Status) -> String {
    let mut text = format!("{} on {}\n\n", status.pipeline, status.target);
    if let Some(unknown) = &status.unknown {
        let _ = writeln!(text, "servers       cannot be asked: {unknown}");
    } else {
        of_servers(&mut text, status);
    }
    if let Some(last) = &status.last_run {
        let _ = writeln!(text, "last run      {} at {}, {:.1} s", last.status, last.started_at, last.seconds);
        let _ = writeln!(text, "report        {}", last.report);
    }
    of_cluster(&mut text, status);
    if !status.partitions.is_empty() {
        text.push('\n');
        text.push_str(&partitions(&status.partitions));
    }
    text
}

/// What the servers hold.
fn of_servers(text: &mut String, status: &Status) {
    let counts = status.graph.nodes.iter().chain(&status.graph.relationships);
    let counts: Vec<String> = counts.map(|(name, count)| format!("{count} {name}")).collect();
    let counts = if counts.is_empty() { "empty".to_owned() } else { counts.join(", ") };
    let _ = writeln!(text, "graph         {counts} ({})", status.engine);
    let behind: u64 = status.partitions.iter().filter_map(|partition| partition.behind).sum();
    let waiting = if status.target == Target::Embedded.to_string() {
        // It keeps nothing that could be loaded.
        "in process".to_owned()
    } else {
        format!("{behind} records to load")
    };
    let _ = writeln!(text, "topic         {}, {waiting}", status.topic);
    match status.source {
        Some(Source { rows, to_come: 0 }) => {
            let _ = writeln!(text, "source        all {rows} rows are passed");
        }
        Some(Source { rows, to_come }) => {
            let _ = writeln!(text, "source        {to_come} of {rows} rows still to come, before the filter");
        }
        None => {}
    }
    if let Some(rates) = status.rates {
        let _ = writeln!(text, "rates         {}/s in, {}/s loaded", rates.produced, rates.loaded);
    }
    let _ = writeln!(text, "dead letters  {}", status.dead_letters);
}

/// How a run inside the cluster stands.
fn job(Job { name, run }: &Job) -> String {
    let RunJob { state, loaders, active, failed, started_at } = run;
    let state = match state {
        JobState::UnderWay => format!("is under way, {active} of {loaders} pods at work"),
        JobState::Done => "is done".to_owned(),
        JobState::Failed { reason, message, .. } => format!("has failed: {reason}, {message}"),
    };
    let since = started_at.as_ref().map(|time| format!(", begun at {time}")).unwrap_or_default();
    let replaced = if *failed > 0 { format!(", {failed} pods failed on the way") } else { String::new() };
    format!("job {name} {state}{replaced}{since}")
}

/// What is in the cluster.
fn of_cluster(text: &mut String, status: &Status) {
    if let Some(run) = &status.job {
        let _ = writeln!(text, "run           {}", job(run));
    }
    if let Some(drift) = &status.drift {
        let words = if drift.is_empty() { "none" } else { "`runner run` puts it right" };
        let _ = writeln!(text, "drift         {words}");
        for one in drift {
            let _ = writeln!(text, "              {one}");
        }
    }
    for volume in &status.volumes {
        let size = volume.size.as_deref().unwrap_or("?");
        let _ = writeln!(text, "volume        {}, {size}, {}", volume.claim, volume.phase.to_lowercase());
    }
    if status.pods.is_empty() {
        return;
    }
    let headings = ["pod", "state", "ready", "restarts", "memory", "cores", "image"].map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(headings).chain(status.pods.iter().map(pod)).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    text.push('\n');
    for line in &lines {
        let cells = line.iter().enumerate();
        let cells = cells.map(|(column, cell)| format!("{cell:<0$}", width(column).unwrap_or(0)));
        let _ = writeln!(text, "{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// A pod's line.
fn pod(pod: &Pod) -> [String; 7] {
    let against = |used: Option<String>, limit: Option<String>| match (used, limit) {
        (Some(used), Some(limit)) => format!("{used} of {limit}"),
        (Some(used), None) => used,
        (None, _) => "-".to_owned(),
    };
    [
        pod.state.name.clone(),
        pod.state.state.clone(),
        if pod.state.ready { "yes" } else { "no" }.to_owned(),
        pod.state.restarts.to_string(),
        against(pod.memory.map(usage::bytes), pod.state.memory_limit.map(usage::bytes)),
        against(pod.cores.map(usage::cores), pod.state.cores_limit.map(usage::cores)),
        pod.state.images.join(", "),
    ]
}

/// A line a partition, under its headings.
fn partitions(partitions: &[Partition]) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let line = |one: &Partition| {
        [
            one.partition.to_string(),
            number(one.low),
            number(one.high),
            one.checkpoint.to_string(),
            number(one.committed),
            number(one.behind),
            one.row.clone().unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let headings = ["partition", "low", "high", "loaded to", "committed", "behind", "last row"];
    let lines: Vec<[String; 7]> =
        std::iter::once(headings.map(str::to_owned)).chain(partitions.iter().map(line)).collect();
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    let shown = |line: &[String; 7]| {
        let [.., row] = line;
        let numbers = line.iter().take(6).enumerate();
        let numbers = numbers.map(|(column, cell)| format!("{cell:>0$}", width(column).unwrap_or(0)));
        format!("{}  {row}\n", numbers.collect::<Vec<_>>().join("  "))
    };
    lines.iter().map(shown).collect()
}
