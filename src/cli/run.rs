//! `runner run`

use std::io::{self, BufRead as _};
use std::path::PathBuf;

use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use super::{document, progress, signals};
use crate::progress::{Interrupt, Outcome, Progress};
use crate::stages::run::{Finished, Options, run as run_stages};
use crate::stages::{Origin, Target};

/// Run a pipeline: validate, deploy, stream, analyse, report.
///
/// A second run goes on where the first one stopped; what is in the graph already is not read again.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Where to run, instead of where the file says.
    #[arg(long, value_enum)]
    target: Option<Target>,

    /// The folder that keeps the state of embedded pipelines, each in a folder of its own name.
    #[arg(long, value_name = "DIR", env = "RUNNER_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// Throw away what earlier runs have loaded, after a question.
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

    /// What to refuse beside errors.
    #[arg(long, value_enum)]
    deny: Option<super::validate::Deny>,

    #[command(flatten)]
    output: OutputArgs,
}
