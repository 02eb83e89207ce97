//! `runner schema`

use clap::ValueEnum;

use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::spec;

/// Print the JSON Schema of the pipeline file, for editors and other tools.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of which file.
    #[arg(value_enum, default_value_t)]
    of: Of,
}

/// The files that have a schema.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Of {
    /// The pipeline file.
    #[default]
    Pipeline,
    /// `report.json`.
    Report,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let schema = match args.of {
        Of::Pipeline => spec::schema::pipeline(),
        Of::Report => crate::report::json::schema(),
    };
    ui.data(&format!("{:#}\n", schema.to_value()))?;
    Ok(Exit::Done)
}
