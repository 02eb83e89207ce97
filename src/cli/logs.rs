//! `runner logs`, and what `runner run --detach` shows.

use std::path::PathBuf;

use super::cluster::ClusterArgs;
use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use super::{document, progress};
use crate::progress::{Event, Outcome, Progress};
use crate::report::{self, Status};
use crate::spec::load::Document;
use crate::stages::detach::Detached;
use crate::stages::logs::{self, Ended, Heard};
use crate::stages::run::Options;
use crate::stages::validate::Plan;
use crate::stages::{Fault, Origin, detach};

/// Show what a run inside the cluster says, and its report once it has ended.
///
/// The exit code is the run's; 1 where another loader has failed. Ctrl-C ends the looking, not the run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Go on until the run has ended.
    #[arg(long, short)]
    follow: bool,

    /// Which loader to listen to, counted from 0; the first one also analyses and reports.
    #[arg(long, value_name = "INDEX", default_value_t)]
    share: u32,

    /// The folder that keeps the state of pipelines, each in a folder of its own name.
    #[arg(long, value_name = "DIR", env = "RUNNER_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,

    /// Write report.json, report.md and report.html to this folder, instead of the state folder.
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,

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
    let options = Options {
        state_dir: args.state_dir.clone(),
        report_dir: args.report_dir.clone(),
        access: args.cluster.access(),
        ..Options::default()
    };
    let (ended, shown) = runtime.block_on(listen(ui, args, &plan, &options));
    match ended {
        Ok(ended) => {
            let exit = show(ui, args, (&document, &plan), &options, ended)?;
            shown.map(|()| exit)
        }
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            Ok(Exit::Failed)
        }
    }
}

/// Listens, and shows the events of the pods as those of a run here; beside what came of it, what kept them from being shown. That
/// must not end the listening before the verdict.
async fn listen(
    ui: &Ui,
    args: &Args,
    plan: &Plan,
    options: &Options,
) -> (Result<Ended, Fault>, Result<(), CommandError>) {
    let (progress, events) = Progress::channel();
    let json = args.output.json();
    let listening = async move {
        let mut written = Ok(());
        let mut tell = |heard| {
            let passed_on = pass_on(ui, json, &progress, heard);
            if written.is_ok() {
                written = passed_on;
            }
        };
        let ended = logs::logs(plan, options, (args.share, args.follow), &mut tell).await;
        (ended, written)
    };
    let ((ended, written), shown) = tokio::join!(listening, progress::show(ui, json, events));
    (ended, written.or_else(CommandError::unless_gone).and(shown))
}

/// Passes on what was heard: events to whoever shows them, for programs as the pod has written them.
fn pass_on(ui: &Ui, json: bool, progress: &Progress, heard: Heard) -> Result<(), CommandError> {
    match heard {
        Heard::Line(line) => match serde_json::from_str(&line) {
            Ok::<Event, _>(_) if json => ui.data(&format!("{line}\n"))?,
            // The folder in the pod is gone with it; where the report is here is told at the end.
            Ok(Event::RunFinished { outcome, seconds, .. }) => {
                progress.tell(Event::RunFinished { outcome, seconds, report: None });
            }
            Ok(event) => progress.tell(event),
            Err(_) => ui.words(&format!("{line}\n")),
        },
        Heard::Pod { name, state, begun } => {
            let object = format!("Pod {name}");
            progress.tell(Event::ObjectState { object, state, settled: begun });
        }
    }
    Ok(())
}

/// Shows the report of a run that has ended, and gives its exit code.
fn show(
    ui: &Ui,
    args: &Args,
    (document, plan): (&Document, &Plan),
    options: &Options,
    ended: Ended,
) -> Result<Exit, CommandError> {
    let Some(report) = ended.report else {
        ui.words("the run is under way; `--follow` waits for its end\n");
        return Ok(Exit::Done);
    };
    let folder = match logs::keep(plan, options, &report) {
        Ok(folder) => folder,
        Err(Fault(findings)) => {
            document::show(ui, document, &findings);
            return Ok(Exit::Failed);
        }
    };
    if !args.output.json() {
        ui.data(&report::text::render(&report, ui.terminal())).or_else(CommandError::unless_gone)?;
        ui.words(&format!("report: {}\n", folder.join("report.html").display()));
    }
    if let Some(Fault(findings)) = ended.fault {
        document::show(ui, document, &findings);
        return Ok(Exit::Failed);
    }
    Ok(match report.status {
        Status::Done => Exit::Done,
        Status::Failed => Exit::Failed,
        Status::Interrupted => Exit::Interrupted,
    })
}

/// Begins a run inside the cluster.
pub fn begin(
    ui: &Ui,
    json: bool,
    (document, origin): (&Document, &Origin),
    options: &Options,
) -> Result<Exit, CommandError> {
    let detaching = async |progress, interrupt| {
        Box::pin(detach::detach(document, origin, options, &progress, &interrupt)).await
    };
    let Detached { outcome, invalid, findings, begun } =
        super::runtime()?.block_on(progress::attend(ui, json, detaching))?;
    if !json {
        document::show(ui, document, &findings);
        if begun.is_some() {
            let file = origin.path.display();
            ui.words(&format!("the run goes on in the cluster; `runner logs {file} --follow` follows it\n"));
        }
    }
    Ok(match outcome {
        _ if invalid => Exit::InvalidFile,
        Outcome::Failed => Exit::Failed,
        Outcome::Interrupted => Exit::Interrupted,
        Outcome::Done | Outcome::Unchanged | Outcome::Skipped => Exit::Done,
    })
}
