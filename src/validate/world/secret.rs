//! Secrets, read from where a file says they are.

use std::path::Path;

use crate::spec::SecretSource;

/// Reads a secret, a file's path being relative to `base`; the fault is what was tried, in words, and never holds the secret.
///
/// # Errors
/// Where none of the places that the file names has it.
pub fn secret(source: &SecretSource, base: &Path) -> Result<String, String> {
    if let Some(name) = &source.env {
        return std::env::var(name).map_err(|_| format!("the environment has no variable `{name}`"));
    }
    if let Some(path) = &source.file {
        return std::fs::read_to_string(base.join(path))
            .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
            .map_err(|error| format!("`{path}` cannot be read: {error}"));
    }
    match &source.secret {
        Some(key) => Err(format!("key `{}` of Secret `{}` can only be read in a cluster", key.key, key.name)),
        None => Err("neither `env`, `file` nor `secret` is given".to_owned()),
    }
}
