//! `runner render`

use std::path::{Path, PathBuf};

use super::document;
use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::stages::Fault;
use crate::stages::render::{Rendered, needs, render};

/// Write the Kubernetes manifests of a pipeline, for Flux, Argo CD or `kubectl apply --server-side`.
///
/// The same file gives the same bytes, so that the output can be committed. No secret is in it; what it needs beside is told on stderr.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Write a file for each object to this folder, instead of all to stdout.
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
}

pub fn run(ui: &Ui, args: &Args) -> Result<Exit, CommandError> {
    let runtime = super::runtime()?;
    let (document, plan) = match document::plan(ui, &runtime, &args.file) {
        Ok(planned) => planned,
        Err(exit) => return Ok(exit),
    };
    let rendered = match runtime.block_on(render(&plan)) {
        Ok(rendered) => rendered,
        Err(Fault(findings)) => {
            document::show(ui, &document, &findings);
            return Ok(Exit::Failed);
        }
    };
    if let Some(folder) = &args.output_dir {
        write(folder, &rendered)?;
        ui.words(&format!("{} manifests in {}\n", rendered.len(), folder.display()));
    } else {
        let documents: Vec<String> = rendered.into_iter().map(|one| one.yaml).collect();
        ui.data(&format!("---\n{}", documents.join("---\n")))?;
    }
    for line in needs(&plan) {
        ui.words(&format!("{line}\n"));
    }
    Ok(Exit::Done)
}

fn write(folder: &Path, rendered: &[Rendered]) -> Result<(), CommandError> {
    let written = |error| CommandError::io(format!("{} cannot be written", folder.display()), error);
    std::fs::create_dir_all(folder).map_err(written)?;
    for Rendered { file, yaml } in rendered {
        std::fs::write(folder.join(file), yaml).map_err(written)?;
    }
    Ok(())
}
