//! `runner preview`

use std::fmt::Write as _;
use std::path::PathBuf;

use super::document;
use super::exit::{CommandError, Exit};
use super::ui::{OutputArgs, Ui};
use crate::stages::Fault;
use crate::stages::preview::{PreviewRow, preview};
use crate::stages::validate::Plan;

/// Show what would become of the first rows: message, bound Cypher, nodes and relationships. Nothing is written.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// How many rows.
    #[arg(short = 'n', long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,

    #[command(flatten)]
    output: OutputArgs,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (document, plan) = match document::plan(ui, &runtime, &args.file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    match runtime.block_on(preview(&plan, args.rows)) {
        Ok(rows) if args.output.json() => {
            let text = serde_json::to_string_pretty(&rows).unwrap_or_default();
            ui.data(&format!("{text}\n"))?;
        }
        Ok(rows) => {
            ui.data(&head(&plan))?;
            for row in &rows {
                ui.data(&text(row))?;
            }
            if rows.is_empty() {
                ui.words("no row passes the filter\n");
            }
        }
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::Failed);
        }
    }
    Ok(Exit::Done)
}

/// What holds for all rows: the statement, and the constraints that are made before it.
fn head(plan: &Plan) -> String {
    let mut text = String::new();
    for constraint in &plan.mapping.schema.constraints {
        let _ = writeln!(text, "{};", constraint.cypher());
    }
    let _ = writeln!(text, "\n{}\n", plan.mapping.schema.statement.trim_end());
    text
}

/// One row, all the way.
fn text(row: &PreviewRow) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "── row {}", row.row);
    let key = row.key.as_deref().unwrap_or("none");
    let _ = writeln!(text, "message        partition {}, key {key}\n  {}", row.partition, row.value);
    let _ = writeln!(text, "cypher\n{}", indented(&row.cypher));
    for node in &row.nodes {
        let _ = writeln!(text, "node           {node}");
    }
    for relationship in &row.relationships {
        let _ = writeln!(text, "relationship   {relationship}");
    }
    if let Some(fault) = &row.fault {
        let _ = writeln!(text, "dead letter    {fault}");
    }
    text.push('\n');
    text
}

fn indented(block: &str) -> String {
    block.trim_end().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
