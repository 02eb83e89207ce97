//! `runner status`

use std::fmt::Write as _;
use std::path::PathBuf;

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::look::LookArgs;
use super::ui::{OutputArgs, Ui};
use crate::report::usage;
use crate::stages::Fault;
use crate::stages::status::{self, Partition, Pod, Status};

/// Show how a pipeline stands: how far each partition is loaded, rates, the graph, dead letters, the last run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

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
    match runtime.block_on(status::status(&plan, &options)) {
        Ok(status) if args.output.json() => {
            let text = serde_json::to_string_pretty(&status).unwrap_or_default();
            ui.data(&format!("{text}\n"))?;
            Ok(Exit::Done)
        }
        Ok(status) => {
            ui.data(&text(&status))?;
            Ok(Exit::Done)
        }
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            Ok(Exit::Failed)
        }
    }
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
    let behind: u64 = status.partitions.iter().map(|partition| partition.behind).sum();
    let _ = writeln!(text, "topic         {}, {behind} records to load", status.topic);
    if let Some(rates) = status.rates {
        let _ = writeln!(text, "rates         {}/s in, {}/s loaded", rates.produced, rates.loaded);
    }
    let _ = writeln!(text, "dead letters  {}", status.dead_letters);
}

/// What is in the cluster.
fn of_cluster(text: &mut String, status: &Status) {
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
            one.behind.to_string(),
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
