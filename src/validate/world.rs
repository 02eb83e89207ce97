//! The third tier: the world that the file names, as far as it is local.

use std::path::Path as FilePath;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::spec::load::Variables;
use crate::spec::{Pipeline, SecretSource};

use super::secrets;

/// What a pipeline is checked against.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The folder of the pipeline file, from which relative paths start.
    pub base: &'a FilePath,
    /// The environment.
    pub variables: Variables<'a>,
    /// Whether the servers that the file names will be used, and so the secrets for them.
    pub needs_secrets: bool,
}

/// Looks at the files and secrets that a pipeline names.
#[must_use]
pub fn world(pipeline: &Pipeline, surroundings: Surroundings<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    if surroundings.needs_secrets {
        for (path, source) in secrets::sources(&pipeline.spec) {
            secret(&path, source, surroundings, &mut found);
        }
    }
    found
}

fn secret(at: &Path, source: &SecretSource, surroundings: Surroundings<'_>, found: &mut Vec<Diagnostic>) {
    let (key, tried) = match source {
        SecretSource { env: Some(name), .. } => match (surroundings.variables)(name) {
            Some(value) if !value.is_empty() => return,
            Some(_) => ("env", format!("the environment variable `{name}` is empty")),
            None => ("env", format!("the environment variable `{name}` is not set")),
        },
        SecretSource { file: Some(file), .. } => {
            let path = surroundings.base.join(file);
            match std::fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => return,
                Ok(_) => ("file", format!("`{}` is no file", path.display())),
                Err(error) => ("file", format!("the file `{}` cannot be read: {error}", path.display())),
            }
        }
        // Whether a Kubernetes Secret is there, the cluster knows.
        _ => return,
    };
    found.push(
        Diagnostic::new(Code::MissingSecret, tried)
            .at(at.key(key))
            .help("set it before the run; `--target embedded` needs no secrets"),
    );
}
