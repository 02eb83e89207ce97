//! What a run takes along into the cluster: the pipeline file and its small local files, at the same places relative to each other.
//!
//! The name of a file is part of its rows' identity, so that it has to be the same there as here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::Path as Place;
use crate::infrastructure::manifests::job::Baggage;
use crate::source::Dataset;
use crate::spec::{Kubernetes, SecretSource, Spec};
use crate::stages::validate::Plan;
use crate::stages::{Fault, Origin, fault};
use crate::validate;

/// How much is sent along at most: a config map holds 1 MiB, in Base64 on the way.
pub(super) const MOST_BYTES: u64 = 900 * 1024;

/// A local file that the pipeline file names.
struct Local {
    /// Where the file names it.
    at: Place,
    /// The name, as the file has it.
    name: String,
    /// Whether nobody else may read it.
    private: bool,
}

/// Packs what is sent along.
///
/// # Errors
/// Where it is too much, or lies where the pods cannot have it.
pub(super) fn pack(plan: &Plan, spec: &Kubernetes, origin: &Origin) -> Result<Baggage, Fault> {
    let file = origin.path.file_name().and_then(|name| name.to_str());
    let file =
        file.ok_or_else(|| fault::not_in_cluster(&Place::root(), &origin.path.display().to_string()))?;
    let mut locals = locals(plan, spec);
    if let Some(volume) = &spec.runner.volume {
        let held = steps(&volume.path);
        locals.retain(|local| !steps(&local.name).starts_with(&held));
    }
    if let Some(local) = locals.iter().find(|local| Path::new(&local.name).is_absolute()) {
        return Err(fault::not_in_cluster(&local.at, &local.name));
    }
    locals.push(Local { at: Place::root(), name: file.to_owned(), private: false });
    let base = std::path::absolute(&origin.base).unwrap_or_else(|_| origin.base.clone());
    let names: Vec<&str> = locals.iter().map(|local| local.name.as_str()).collect();
    let folder = folder(&base, &names);
    let sizes =
        names.iter().map(|name| (*name, std::fs::metadata(base.join(name)).map_or(0, |file| file.len())));
    let sizes: Vec<(&str, u64)> = sizes.collect();
    if sizes.iter().map(|(_, size)| size).sum::<u64>() > MOST_BYTES {
        return Err(fault::too_much_for_cluster(&sizes, MOST_BYTES));
    }
    let (mut files, mut private) = (BTreeMap::new(), BTreeMap::new());
    for Local { name, private: is_private, .. } in &locals {
        let (path, place) = (base.join(name), place(&folder, name));
        let unreadable = |error| fault::unreadable(name, &error);
        if *is_private {
            private.insert(place, std::fs::read_to_string(path).map_err(unreadable)?.into());
        } else {
            files.insert(place, std::fs::read(path).map_err(unreadable)?);
        }
    }
    Ok(Baggage { folder: folder.join("/"), file: file.to_owned(), files, private, ..Baggage::default() })
}

/// The local files of a pipeline: those of its source, its look-up tables, and what it logs in to servers with.
fn locals(plan: &Plan, kubernetes: &Kubernetes) -> Vec<Local> {
    let is_local = |name: &str| !name.contains("://");
    let parquet = plan.dataset.iter().flat_map(Dataset::files);
    let parquet = parquet.map(|file| (Place::of("spec.source.parquet"), file.name.to_string()));
    let spec = &plan.pipeline.spec;
    let tables = spec.source.iter().flat_map(|source| &source.tables);
    let tables = tables.map(|(name, path)| (Place::of("spec.source.tables").key(name), path.clone()));
    let data = parquet.chain(tables).filter(|(_, name)| is_local(name));
    let data = data.map(|(at, name)| Local { at, name, private: false });
    let passwords = secret_sources(spec).filter_map(|(at, source)| {
        Some(Local { at: at.key("file"), name: source.file.clone()?, private: true })
    });
    data.chain(passwords).chain(of_tls(kubernetes)).collect()
}

/// The certificates and keys for servers that were there before.
fn of_tls(kubernetes: &Kubernetes) -> impl Iterator<Item = Local> {
    let at = |server: &str| Place::of("spec.infrastructure.kubernetes").key(server).key("existing");
    let kafka = kubernetes.kafka.existing.as_ref().and_then(|kafka| kafka.security.tls.as_ref());
    let kafka = kafka.map(|tls| (at("kafka").key("security").key("tls"), tls));
    let neo4j = kubernetes.neo4j.existing.as_ref().and_then(|neo4j| neo4j.tls.as_ref());
    let neo4j = neo4j.map(|tls| (at("neo4j").key("tls"), tls));
    kafka.into_iter().chain(neo4j).flat_map(|(at, tls)| {
        let files = [
            ("caFile", &tls.ca_file, false),
            ("certFile", &tls.cert_file, false),
            ("keyFile", &tls.key_file, true),
        ];
        files.into_iter().filter_map(move |(key, name, private)| {
            Some(Local { at: at.key(key), name: name.clone()?, private })
        })
    })
}

/// The passwords that the pods read from where the file says: not those of servers elsewhere, nor that of a Neo4j that runner deploys,
/// which is in a Secret of its own by now, wherever it was before.
pub(super) fn secret_sources(spec: &Spec) -> impl Iterator<Item = (Place, &SecretSource)> {
    let external = Place::of("spec.infrastructure.external");
    let deployed = Place::of("spec.infrastructure.kubernetes.neo4j.passwordFrom");
    let read = move |at: &Place| *at != deployed && !at.steps().starts_with(external.steps());
    validate::secret_sources(spec).into_iter().filter(move |(at, _)| read(at))
}

/// The steps of a relative path, without those that lead nowhere; it may begin with steps upward.
fn steps(name: &str) -> Vec<&str> {
    let mut steps = Vec::new();
    for step in name.split('/').filter(|step| !matches!(*step, "" | ".")) {
        if step == ".." && steps.last().is_some_and(|last| *last != "..") {
            steps.pop();
        } else {
            steps.push(step);
        }
    }
    steps
}

/// The pipeline file's folder below the one that all files are in or below: as many steps as any name leads upward.
fn folder(base: &Path, names: &[&str]) -> Vec<String> {
    let upward = |name: &&str| steps(name).iter().take_while(|step| **step == "..").count();
    let depth = names.iter().map(upward).max().unwrap_or(0);
    let components = base.components().map(|step| step.as_os_str().to_string_lossy().into_owned());
    let all: Vec<String> = components.collect();
    all.into_iter().rev().take(depth).rev().collect()
}

/// Where a file is below the folder of all files.
fn place(folder: &[String], name: &str) -> String {
    let steps = steps(name);
    let upward = steps.iter().take_while(|step| **step == "..").count();
    let kept = folder.len().saturating_sub(upward);
    let above = folder.iter().take(kept).map(String::as_str);
    above.chain(steps.into_iter().skip(upward)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_keep_their_places_relative_to_the_pipeline_file() {
        let base = Path::new("/work/repo/pipelines");
        let none = folder(base, &["a.yaml", "data/x.parquet"]);
        assert_eq!(none, Vec::<String>::new());
        assert_eq!(place(&none, "./data//x.parquet"), "data/x.parquet");
        let one = folder(base, &["a.yaml", "../data/x.parquet", "data/../y.csv"]);
        assert_eq!(one, ["pipelines"]);
        assert_eq!(place(&one, "../data/x.parquet"), "data/x.parquet");
        assert_eq!(place(&one, "data/../y.csv"), "pipelines/y.csv");
        let two = folder(base, &["../../z.parquet"]);
        assert_eq!(two, ["repo", "pipelines"]);
        assert_eq!(place(&two, "../../z.parquet"), "z.parquet");
    }
}
