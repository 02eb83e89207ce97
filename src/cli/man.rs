//! `runner man`

use clap::CommandFactory as _;

use super::exit::{CommandError, Exit};
use super::ui::Ui;

/// Print the manual page, in roff.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(ui: &Ui, _args: &Args) -> Result<Exit, CommandError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::Cli::command()).render(&mut page)?;
    ui.data(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Done)
}
