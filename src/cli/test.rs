//! `runner test`

use std::path::PathBuf;

use serde_json::json;

use super::document;
use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use crate::stages::test::{self, CaseResult};
use crate::stages::{Fault, Origin, validate};

/// Run the cases under `tests:` in a pipeline file: rows in, graph and analyses out, on an engine in memory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Only the cases whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    #[command(flatten)]
    output: OutputArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let origin = Origin::new(args.file.clone());
    let document = document::read(&origin);
    let runtime = super::runtime()?;
    let plan = match runtime.block_on(validate::validate(&document, &origin, false)) {
        Ok(plan) => plan,
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::InvalidFile);
        }
    };
    let results = runtime.block_on(test::cases(&plan, args.only.as_deref()));
    if results.is_empty() {
        return Err(CommandError::usage("no case was run", "write some under `spec.tests`"));
    }
    let failed = results.iter().filter(|case| !case.failures.is_empty()).count();
    if args.output.json() {
        ui.data(&json_text(&results))?;
    } else {
        for case in &results {
            let verdict = if case.failures.is_empty() { "ok" } else { "FAILED" };
            ui.data(&format!("{verdict:<7}{} ({:.0} ms)\n", case.name, case.seconds * 1_000.0))?;
            document::show(ui, &document, &case.failures);
        }
        ui.data(&format!("{} passed, {failed} failed\n", results.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// The results for programs.
fn json_text(results: &[CaseResult]) -> String {
    let case = |case: &CaseResult| {
        let failures: Vec<&str> = case.failures.iter().map(|failure| failure.message.as_str()).collect();
        json!({ "name": case.name, "ok": failures.is_empty(), "seconds": case.seconds, "failures": failures })
    };
    format!("{:#}\n", json!({ "tests": results.iter().map(case).collect::<Vec<_>>() }))
}
