//! `runner run`

use std::path::PathBuf;

use super::cluster::ClusterArgs;
use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use super::{document, progress};
use crate::infrastructure::Conflicts;
use crate::progress::Outcome;
use crate::report::{self, Report};
use crate::share::Share;
use crate::spec::load::Document;
use crate::stages::run::{Finished, Options};
use crate::stages::{self, Fault, Origin, Target};

/// What is said where nobody can be asked about `--fresh`.
const UNASKED: (&str, &str) = (
    "--fresh throws away what earlier runs have loaded, and there is no terminal to ask on",
    "say --fresh --yes if that is meant",
);

/// Run a pipeline: validate, deploy, stream, analyse, report.
///
/// A second run goes on where the first one stopped; what is in the graph already is not read again.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Where to run, instead of where the file says.
    #[arg(long, value_enum)]
    target: Option<Target>,

    /// The folder that keeps the state of embedded pipelines, each in a folder of its own name.
    #[arg(long, value_name = "DIR", env = "RUNNER_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,

    /// Throw away what earlier runs have loaded, after a question: on servers, the topic, its dead letters, and every node and
    /// relationship of the labels and types that the mapping writes.
    #[arg(long)]
    fresh: bool,

    /// Answer questions with yes.
    #[arg(long, short)]
    yes: bool,

    /// Write report.json, report.md and report.html to this folder, instead of the state folder.
    #[arg(long, value_name = "DIR")]
    report_dir: Option<PathBuf>,

    /// Produce at most this many rows, for a try; `expect` and `assert` are not judged then.
    #[arg(long, value_name = "ROWS")]
    limit: Option<u64>,

    /// Go on loading what comes into the topic, until Ctrl-C.
    #[arg(long)]
    follow: bool,

    /// Deploy, begin the run as a job in the cluster, and return at once; `runner logs` follows it.
    #[arg(long, conflicts_with_all = ["follow", "report_dir", "share", "metrics"])]
    detach: bool,

    /// Be one of several loaders, INDEX/COUNT, which divide the topic's partitions: for pods of a job, numbered from 0.
    ///
    /// They divide the producers, too. Loader 0 waits until all partitions are loaded, analyses and reports; the others load until they are stopped.
    /// Servers are waited for. A fault that another try may get over ends with exit code 75.
    #[arg(long, value_name = "INDEX/COUNT", conflicts_with_all = ["fresh", "follow"])]
    share: Option<Share>,

    /// Serve what the run counts, in Prometheus' format, at `http://ADDRESS/metrics`.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<std::net::SocketAddr>,

    /// What to refuse beside errors.
    #[arg(long, value_enum)]
    deny: Option<super::validate::Deny>,

    /// Take fields of the cluster's objects over from whoever else looks after them.
    #[arg(long, help_heading = "Kubernetes")]
    force_conflicts: bool,

    /// How long the cluster is given to start what was deployed, such as `90s` or `10m`; 5m without it.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, help_heading = "Kubernetes")]
    ready_within: Option<std::time::Duration>,

    #[command(flatten)]
    output: OutputArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let origin = Origin::new(args.file.clone());
    let document = document::read(&origin);
    let question = format!("throw away the graph that earlier runs of `{}` have loaded?", document.file.name);
    if args.fresh && !args.yes && !ui.confirm(&question, UNASKED)? {
        ui.words("nothing was changed\n");
        return Ok(Exit::Failed);
    }
    let options = Options {
        target: args.target,
        state_dir: args.state_dir.clone(),
        fresh: args.fresh,
        report_dir: args.report_dir.clone(),
        limit: args.limit,
        follow: args.follow,
        share: args.share,
        metrics: args.metrics,
        deny_warnings: args.deny.is_some(),
        access: args.cluster.access(),
        conflicts: if args.force_conflicts { Conflicts::Force } else { Conflicts::Refuse },
        ready_within: args.ready_within,
    };
    let json = args.output.json();
    if args.detach {
        return super::logs::begin(ui, json, (&document, &origin), &options);
    }
    let running = async |progress, interrupt| {
        Box::pin(stages::run::run(&document, &origin, &options, &progress, &interrupt)).await
    };
    let finished = super::runtime()?.block_on(progress::attend(ui, json, running))?;
    if !json {
        show(ui, &document, &finished)?;
    }
    Ok(match finished.outcome {
        // Also where the file could not be checked, since a store was away.
        Outcome::Failed if args.share.is_some() && Fault(finished.findings).may_pass() => Exit::TryAgain,
        _ if finished.invalid => Exit::InvalidFile,
        Outcome::Failed => Exit::Failed,
        Outcome::Interrupted => Exit::Interrupted,
        Outcome::Done | Outcome::Unchanged | Outcome::Skipped => Exit::Done,
    })
}

/// Shows the results on stdout, and what was found on stderr.
fn show(ui: &Ui, document: &Document, finished: &Finished) -> Result<(), CommandError> {
    let mut shown = Ok(());
    if let Some(report) = &finished.report {
        // What was found is shown below, with the lines of the file.
        let report = Report { findings: Vec::new(), ..report.clone() };
        shown = ui.data(&report::text::render(&report, ui.terminal()));
    }
    document::show(ui, document, &finished.findings);
    if let Some(folder) = &finished.report_dir {
        ui.words(&format!("report: {}\n", folder.join("report.html").display()));
    }
    shown.or_else(CommandError::unless_gone)
}
