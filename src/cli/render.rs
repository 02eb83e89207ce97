//! `runner render`

use std::path::{Path, PathBuf};

use super::document;
use super::exit::{CommandError, Exit};
use super::ui::Ui;
use crate::infrastructure::Owner;
use crate::stages::Fault;
use crate::stages::render::{Rendered, needs, render, was_rendered};

/// Write the Kubernetes manifests of a pipeline, for Flux, Argo CD or `kubectl apply --server-side`.
///
/// The same file gives the same bytes, so that the output can be committed. No secret is in it; what it needs beside is told on stderr.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The pipeline file.
    file: PathBuf,

    /// Write a file for each object to this folder, instead of all to stdout; those that were rendered before for objects which the
    /// pipeline does not have any more are removed.
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
        let owner = Owner { pipeline: plan.pipeline.metadata.name.clone() };
        for file in remove_others(folder, &owner, &rendered)? {
            ui.words(&format!("removed {file}: the pipeline does not have that object any more\n"));
        }
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

/// Removes what was rendered before for the pipeline and is not among what is rendered now; gives the names of the files.
fn remove_others(folder: &Path, owner: &Owner, rendered: &[Rendered]) -> Result<Vec<String>, CommandError> {
    let failed = |error| CommandError::io(format!("{} cannot be cleared", folder.display()), error);
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let is_manifest = path.extension().is_some_and(|extension| extension == "yaml")
            && entry.file_type().map_err(failed)?.is_file();
        if !is_manifest || rendered.iter().any(|one| one.file == name) {
            continue;
        }
        // What is no text was not rendered.
        if std::fs::read_to_string(&path).is_ok_and(|yaml| was_rendered(owner, &yaml)) {
            std::fs::remove_file(&path).map_err(failed)?;
            removed.push(name);
        }
    }
    removed.sort();
    Ok(removed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn files_of_objects_that_are_gone_go_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let object = |pipeline: &str| {
            let labels: Vec<String> = Owner { pipeline: pipeline.to_owned() }
                .labels()
                .iter()
                .map(|(key, value)| format!("    {key}: {value}\n"))
                .collect();
            let wave = "  annotations: { argocd.argoproj.io/sync-wave: \"2\" }";
            format!("kind: Service\nmetadata:\n  name: a\n{wave}\n  labels:\n{}", labels.concat())
        };
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("2-service-gone.yaml", &object("trips"));
        write("2-service-gone.yml", &object("trips"));
        write("2-service-rides.yaml", &object("rides"));
        write("kustomization.yaml", "resources: [2-service-a.yaml]\n");
        let rendered = [Rendered { file: "2-service-a.yaml".to_owned(), yaml: object("trips") }];
        super::write(folder.path(), &rendered).unwrap();
        let owner = Owner { pipeline: "trips".to_owned() };
        assert_eq!(remove_others(folder.path(), &owner, &rendered).unwrap(), ["2-service-gone.yaml"]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(remove_others(folder.path(), &owner, &rendered).unwrap().is_empty());
    }
}
