//! The command line: definitions, exit codes, and what a person sees.
//!
//! One file a command: an `Args` struct whose documentation is the help, and a `run` function.

mod cluster;
mod completions;
mod destroy;
mod dlq;
mod document;
mod exit;
mod explain;
mod init;
mod logs;
mod look;
mod man;
mod plan;
mod preview;
mod progress;
mod render;
mod run;
mod schema;
mod signals;
mod status;
mod test;
mod ui;
mod validate;

use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

use exit::{CommandError, Exit};
use ui::{Color, Ui};

/// The colours of the help text.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// One YAML file declares a graph pipeline; runner validates it, streams the data and reports.
#[derive(Debug, Parser)]
#[command(
    name = "runner",
    version,
    about,
    styles = STYLES,
    max_term_width = 100,
    after_help = "Exit codes: 0 done, 1 failed, 2 `plan --exit-code` found changes, 64 usage, 78 the file is not valid, 130 interrupted."
)]
pub struct Cli {
    /// When to use colour.
    #[arg(long, global = true, value_enum, default_value_t)]
    color: Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Validate(validate::Args),
    Run(run::Args),
    Plan(plan::Args),
    Destroy(destroy::Args),
    Status(status::Args),
    Logs(logs::Args),
    Dlq(dlq::Args),
    Render(render::Args),
    Preview(preview::Args),
    Test(test::Args),
    Init(init::Args),
    Schema(schema::Args),
    Explain(explain::Args),
    Completions(completions::Args),
    #[command(hide = true)]
    Man(man::Args),
}

/// Reads the arguments of this process, does what they say, and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes; where they cannot be printed, nobody is there to read why.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Done }.into();
        }
    };
    let ui = Ui::new(cli.color);
    let exit = match cli.command {
        Command::Validate(args) => validate::run(&ui, &args),
        Command::Run(args) => run::run(&ui, &args),
        Command::Plan(args) => plan::run(&ui, &args),
        Command::Destroy(args) => destroy::run(&ui, &args),
        Command::Status(args) => status::run(&ui, &args),
        Command::Logs(args) => logs::run(&ui, &args),
        Command::Dlq(args) => dlq::run(&ui, &args),
        Command::Render(args) => render::run(&ui, &args),
        Command::Preview(args) => preview::run(&ui, &args),
        Command::Test(args) => test::run(&ui, &args),
        Command::Init(args) => init::run(&ui, &args),
        Command::Schema(args) => schema::run(&ui, &args),
        Command::Explain(args) => explain::run(&ui, &args),
        Command::Completions(args) => completions::run(&ui, &args),
        Command::Man(args) => man::run(&ui, &args),
    };
    exit.unwrap_or_else(|error| ui.failed(&error)).into()
}

/// The runtime that a command's asynchronous work runs on. When the command is done, nothing is waited for that a client still does on
/// its threads: a commit to a broker that is away, say, takes minutes to be given up.
#[derive(Debug)]
struct Runtime {
    handle: tokio::runtime::Handle,
    owned: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    /// Does work to its end.
    fn block_on<F: Future>(&self, work: F) -> F::Output {
        self.handle.block_on(work)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.owned.take().into_iter().for_each(tokio::runtime::Runtime::shutdown_background);
    }
}

/// Starts the runtime of a command.
fn runtime() -> Result<Runtime, CommandError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map(|runtime| Runtime { handle: runtime.handle().clone(), owned: Some(runtime) })
        .map_err(|error| CommandError::io("the runtime cannot be started", error))
}
