//! `runner validate`

use std::path::PathBuf;

use clap::ValueEnum;

use super::cluster::ClusterArgs;
use super::document;
use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::diagnostic::render::{self, Colour, FileFindings};
use crate::diagnostic::{Diagnostic, Severity};
use crate::spec::load::Document;
use crate::stages::run::Options;
use crate::stages::{Origin, live, validate};

/// Check pipeline files: every fault at once, each at its line and column.
///
/// Looks at the file, at the references inside of it, and at what it names on this machine: parquet columns and types, look-up
/// tables, the filter, secrets. No server is asked without `--live`, and nothing is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline files; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,

    /// What to refuse beside errors.
    #[arg(long, value_enum)]
    deny: Option<Deny>,

    /// Leave out what needs more than the file itself: parquet files, look-up tables, secrets.
    #[arg(long)]
    offline: bool,

    /// Ask the servers too: whether they answer, whether the topic fits, what they say of the statements.
    #[arg(long, conflicts_with = "offline")]
    live: bool,

    /// Print the pipeline with all defaults filled in.
    #[arg(long, conflicts_with = "output")]
    show: bool,

    /// How findings are written.
    #[arg(long, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// What can be refused beside errors.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Deny {
    /// Warnings count as errors.
    Warnings,
}

/// The forms of findings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
    /// GitHub's workflow commands: annotations in a pull request.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let mut checked: Vec<(Document, Vec<Diagnostic>)> = Vec::new();
    for file in &args.files {
        let origin = Origin::new(file.clone());
        let document = document::read(&origin);
        let (mut checkup, _) = runtime.block_on(validate::check(&document, &origin, args.offline));
        if !args.offline {
            validate::look_for_secrets(&mut checkup, &document, &origin);
        }
        if let (true, Some(pipeline)) = (args.show, &checkup.pipeline) {
            ui.data(&validate::expanded(pipeline))?;
        }
        if args.live && checkup.pipeline.is_some() {
            let more = runtime.block_on(ask(ui, &args.cluster, &document, &origin));
            checkup.extend(&document, more);
        }
        let mut findings = checkup.weighed(args.deny.is_some());
        render::sort(&document, &mut findings);
        checked.push((document, findings));
    }
    let files: Vec<FileFindings<'_>> =
        checked.iter().map(|(document, findings)| FileFindings { source: document, findings }).collect();
    tell(ui, args, &files)?;
    let faulty =
        files.iter().flat_map(|file| file.findings).any(|finding| finding.severity == Severity::Error);
    Ok(if faulty { Exit::InvalidFile } else { Exit::Done })
}

/// What the servers say about a file that is valid by itself.
async fn ask(ui: &Ui, cluster: &ClusterArgs, document: &Document, origin: &Origin) -> Vec<Diagnostic> {
    // What stands in the way of a plan was found before.
    let Ok(plan) = validate::validate(document, origin, false).await else { return Vec::new() };
    let asked = live::ask(&plan, &Options { access: cluster.access(), ..Options::default() }).await;
    if !asked.servers.is_empty() {
        ui.words(&format!("{}\n", asked.servers.join(", ")));
    }
    asked.findings
}

/// Shows what was found: for people on stderr with a word of what was checked, for programs on stdout.
fn tell(ui: &Ui, args: &Args, files: &[FileFindings<'_>]) -> Result<(), CommandError> {
    match args.output {
        Output::Json => ui.data(&render::json(files)),
        Output::Github => ui.data(&render::github(files)),
        Output::Sarif => ui.data(&render::sarif(files)),
        Output::Text => {
            ui.words(&render::text(files, Colour::Yes));
            for file in files {
                ui.words(&verdict(file));
            }
            Ok(())
        }
    }
}

/// A file's verdict, in a line.
fn verdict(file: &FileFindings<'_>) -> String {
    let name = file.source.name();
    match render::summary(&[*file]) {
        summary if file.findings.is_empty() || summary.is_empty() => format!("{name}: valid\n"),
        summary => format!("{name}: {summary}\n"),
    }
}
