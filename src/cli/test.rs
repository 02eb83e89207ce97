//! `runner test`

use std::path::PathBuf;

use serde_json::json;

use super::document;
use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use crate::spec::TestCase;
use crate::stages::test::{self, CaseResult};
use crate::stages::{Fault, Origin};

/// Run the cases under `tests:` in a pipeline file: rows in, graph and analyses out, on an engine in memory.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// A file with further cases under `spec.tests`; without it, the one beside the pipeline file, `NAME.tests.yaml`.
    #[arg(long, value_name = "FILE")]
    tests: Option<PathBuf>,

    /// Only the cases whose name contains this.
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    #[command(flatten)]
    output: OutputArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (document, plan) = match document::plan(ui, &runtime, &args.file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let mut known = names(&plan.pipeline.spec.tests);
    let mut results = runtime.block_on(test::cases(&plan, &plan.pipeline.spec.tests, args.only.as_deref()));
    let mut shown = vec![&document; results.len()];
    let path = args.tests.clone().unwrap_or_else(|| test::beside(&args.file));
    let mut beside = document::read(&Origin::new(path.clone()));
    if args.tests.is_some() || path.exists() {
        match test::read_cases(&document, &mut beside) {
            Ok(cases) => {
                known.extend(names(&cases));
                results.extend(runtime.block_on(test::cases(&plan, &cases, args.only.as_deref())));
                shown.resize(results.len(), &beside);
            }
            Err(Fault(findings)) => {
                document::show(ui, &beside, &findings);
                return Ok(Exit::InvalidFile);
            }
        }
    }
    if results.is_empty() {
        if let Some(only) = args.only.as_ref().filter(|_| !known.is_empty()) {
            let hint = format!("there are: {}", known.join(", "));
            return Err(CommandError::usage(format!("no case has `{only}` in its name"), hint));
        }
        let hint = format!("write some under `spec.tests`, there or in `{}`", path.display());
        return Err(CommandError::usage("no case was run", hint));
    }
    let failed = results.iter().filter(|case| !case.failures.is_empty()).count();
    if args.output.json() {
        ui.data(&json_text(&results))?;
    } else {
        for (case, document) in results.iter().zip(shown) {
            let verdict = if case.failures.is_empty() { "ok" } else { "FAILED" };
            ui.data(&format!("{verdict:<7}{} ({:.0} ms)\n", case.name, case.seconds * 1_000.0))?;
            document::show(ui, document, &case.failures);
        }
        ui.data(&format!("{} passed, {failed} failed\n", results.len() - failed))?;
    }
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// How cases are called.
fn names(cases: &[TestCase]) -> Vec<String> {
    cases.iter().map(|case| case.name.clone()).collect()
}

/// The results for programs.
fn json_text(results: &[CaseResult]) -> String {
    let case = |case: &CaseResult| {
        let failures: Vec<&str> = case.failures.iter().map(|failure| failure.message.as_str()).collect();
        json!({ "name": case.name, "ok": failures.is_empty(), "seconds": case.seconds, "failures": failures })
    };
    format!("{:#}\n", json!({ "tests": results.iter().map(case).collect::<Vec<_>>() }))
}
