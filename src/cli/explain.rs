//! `runner explain`

use std::fmt::Write as _;

use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::diagnostic::{Code, did_you_mean};

/// Explain the code of a finding; without one, list all codes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as `unknown-key`.
    code: Option<String>,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let Some(name) = &args.code else {
        ui.data(&list())?;
        return Ok(Exit::Done);
    };
    let Ok(code) = name.parse::<Code>() else {
        let names: Vec<String> = Code::all().map(|code| code.to_string()).collect();
        let hint = did_you_mean(name, names.iter().map(String::as_str));
        let hint = hint.unwrap_or_else(|| "`runner explain` lists all codes".to_owned());
        return Err(CommandError::usage(format!("there is no code `{name}`"), hint));
    };
    ui.data(&format!("{code} ({})\n\n{}\n", code.severity(), code.explanation()))?;
    Ok(Exit::Done)
}

/// All codes, each with its summary.
fn list() -> String {
    let names: Vec<(String, Code)> = Code::all().map(|code| (code.to_string(), code)).collect();
    let width = names.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    names.iter().fold(String::new(), |mut text, (name, code)| {
        let _ = writeln!(text, "{name:width$}  {}", code.summary());
        text
    })
}
