//! Which files a source consists of, in the order in which they are read.

use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::object_store::path::Path as ObjectPath;
use datafusion::object_store::{self, ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};

use super::error::{Key, SourceError};
use super::stores::{Address, Kind, Store, Stores, is_remote, words};
use crate::spec::secret;

const SUFFIX: &str = ".parquet";

/// How patterns match: `*` and `?` stay within a folder, `**` crosses folders.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// A file of the source, so far unread.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The entry of the list that names it first.
    pub key: Key,
    pub name: Arc<str>,
    pub store: Store,
    pub object: ObjectMeta,
}

/// The files that a list of paths, folders, patterns and addresses leads to: each once, by name, byte for byte.
///
/// - A file is taken, whatever it is called.
/// - A folder gives each `*.parquet` in it and below it, but nothing whose name, or whose folder's, begins with `_` or `.`
///   (`_SUCCESS`, `_delta_log`, `.part.parquet.crc`).
/// - A pattern gives what it matches (`*`, `?`, `[a-c]`, and `**` for any folders), with the same names left out unless it
///   spells their first character.
/// - A file that several entries name is read once, under the name that sorts first.
pub(super) async fn list(
    entries: &[String],
    base: &Path,
    stores: &mut Stores<'_>,
) -> Result<Vec<Found>, Vec<SourceError>> {
    let mut by_place: BTreeMap<(String, ObjectPath), Found> = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, text) in entries.iter().enumerate() {
        let key = Key::Parquet(index);
        match entry(&key, text, base, stores).await {
            Ok(found) => {
                for file in found {
                    let place = (file.store.url.as_str().to_owned(), file.object.location.clone());
                    match by_place.get(&place) {
                        Some(known) if known.name <= file.name => {}
                        _ => {
                            by_place.insert(place, file);
                        }
                    }
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    if entries.is_empty() {
        faults.push(SourceError::NoFile {
            key: Key::Parquet(0),
            looked_for: "the list is empty".to_owned(),
            near: Vec::new(),
        });
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut files: Vec<Found> = by_place.into_values().collect();
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(files)
}

/// The single file that a path or an address names: a look-up table.
pub(super) async fn single(
    key: &Key,
    text: &str,
    base: &Path,
    stores: &mut Stores<'_>,
) -> Result<Found, SourceError> {
    if is_remote(text) {
        let address = stores.remote(key, text)?;
        return match remote_file(key, &address).await? {
            Some(file) => Ok(file),
            None => Err(nothing(key, format!("there is no `{text}`"), Vec::new())),
        };
    }
    let store = stores.local();
    let path = base.join(text);
    if path.is_file() {
        local_file(key, clean(text), &path, &store)
    } else {
        Err(missing(key, text, base, None))
    }
}

async fn entry(
    key: &Key,
    text: &str,
    base: &Path,
    stores: &mut Stores<'_>,
) -> Result<Vec<Found>, SourceError> {
    if is_remote(text) {
        let address = stores.remote(key, text)?;
        return remote(key, text, &address).await;
    }
    let store = stores.local();
    let paths = local(key, text, base)?;
    paths.into_iter().map(|(name, path)| local_file(key, name, &path, &store)).collect()
}

// ---- the local file system ----

/// Names and paths of the local files that an entry leads to.
fn local(key: &Key, text: &str, base: &Path) -> Result<Vec<(String, PathBuf)>, SourceError> {
    if text.trim().is_empty() {
        return Err(address(key, text, "is empty"));
    }
    let path = base.join(text);
    let name = clean(text);
    if path.is_file() {
        return Ok(vec![(name, path)]);
    }
    if path.is_dir() {
        let mut files = Vec::new();
        folder(key, &name, &path, &mut files)?;
        return if files.is_empty() {
            Err(nothing(key, format!("there is no `*{SUFFIX}` in the folder `{name}`"), Vec::new()))
        } else {
            Ok(files)
        };
    }
    if is_pattern(text) {
        return matches(key, &name, base);
    }
    Err(missing(key, text, base, Some(SUFFIX)))
}

/// The parquet files in a folder and below it.
fn folder(key: &Key, name: &str, path: &Path, files: &mut Vec<(String, PathBuf)>) -> Result<(), SourceError> {
    let unreadable = |why: &std::io::Error| SourceError::Unreadable {
        key: Some(key.clone()),
        name: name.to_owned(),
        why: why.to_string(),
    };
    for entry in std::fs::read_dir(path).map_err(|why| unreadable(&why))? {
        let entry = entry.map_err(|why| unreadable(&why))?;
        let file_name = utf8(key, name, &entry.file_name())?;
        if is_hidden(&file_name) {
            continue;
        }
        let below = if name.is_empty() {
            file_name.clone()
        } else {
            format!("{}/{file_name}", name.trim_end_matches('/'))
        };
        let path = entry.path();
        if path.is_dir() {
            folder(key, &below, &path, files)?;
        } else if file_name.ends_with(SUFFIX) {
            files.push((below, path));
        }
    }
    Ok(())
}

/// The files that a pattern matches.
fn matches(key: &Key, pattern: &str, base: &Path) -> Result<Vec<(String, PathBuf)>, SourceError> {
    let base_text =
        base.to_str().ok_or_else(|| address(key, pattern, "lies in a folder whose name is not UTF-8"))?;
    let whole = if Path::new(pattern).is_absolute() {
        pattern.to_owned()
    } else {
        format!("{}/{pattern}", Pattern::escape(base_text))
    };
    let found = glob::glob_with(&whole, MATCHING)
        .map_err(|fault| address(key, pattern, &format!("is no pattern: {}", fault.msg)))?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|fault| SourceError::Unreadable {
            key: Some(key.clone()),
            name: fault.path().display().to_string(),
            why: fault.error().to_string(),
        })?;
        let name = utf8(key, pattern, path.strip_prefix(base).unwrap_or(&path).as_os_str())?;
        if path.is_file() && !hides(pattern, &name) {
            files.push((name, path));
        }
    }
    if files.is_empty() {
        return Err(nothing(key, format!("nothing matches `{pattern}` in `{}`", base.display()), Vec::new()));
    }
    Ok(files)
}

fn local_file(key: &Key, name: String, path: &Path, store: &Store) -> Result<Found, SourceError> {
    let unreadable =
        |why: String| SourceError::Unreadable { key: Some(key.clone()), name: name.clone(), why };
    // The real path, so that two ways to one file are seen to be one.
    let real = path.canonicalize().map_err(|why| unreadable(why.to_string()))?;
    let metadata = real.metadata().map_err(|why| unreadable(why.to_string()))?;
    let location = ObjectPath::from_absolute_path(&real).map_err(|why| unreadable(why.to_string()))?;
    let modified = metadata.modified().map_err(|why| unreadable(why.to_string()))?;
    let object = ObjectMeta {
        location,
        last_modified: modified.into(),
        size: metadata.len(),
        e_tag: None,
        version: None,
    };
    Ok(Found { key: key.clone(), name: name.into(), store: store.clone(), object })
}

/// The fault of a path that leads nowhere, with what lies beside what is not there: the file, or the first folder on the way.
fn missing(key: &Key, text: &str, base: &Path, suffix: Option<&str>) -> SourceError {
    let name = clean(text);
    let above = |name: &str| name.rsplit_once('/').map(|(folder, _)| folder.to_owned());
    let is_there = |folder: &String| folder.is_empty() || base.join(folder).is_dir();
    let mut absent = name.clone();
    while let Some(folder) = above(&absent).filter(|folder| !is_there(folder)) {
        absent = folder;
    }
    let is_folder = absent != name;
    let folder = absent.strip_suffix(absent.rsplit('/').next().unwrap_or_default()).unwrap_or_default();
    let beside = |entry: std::io::Result<DirEntry>| {
        let entry = entry.ok()?;
        let file = entry.file_name().into_string().ok()?;
        let fits = if is_folder {
            entry.path().is_dir()
        } else {
            suffix.is_none_or(|suffix| file.ends_with(suffix))
        };
        (fits && !is_hidden(&file)).then(|| format!("{folder}{file}{}", if is_folder { "/" } else { "" }))
    };
    let entries = std::fs::read_dir(base.join(folder)).into_iter().flatten();
    let mut near: Vec<String> = entries.filter_map(beside).collect();
    near.sort();
    let what = if is_folder { format!("folder `{absent}`") } else { format!("`{name}`") };
    nothing(key, format!("there is no {what} in `{}`", base.display()), near)
}

// ---- object stores and web servers ----

async fn remote(key: &Key, text: &str, address: &Address) -> Result<Vec<Found>, SourceError> {
    let is_single = !is_pattern(&address.path) || address.kind == Kind::Web;
    if is_single
        && !address.path.is_empty()
        && !address.path.ends_with('/')
        && let Some(file) = remote_file(key, address).await?
    {
        return Ok(vec![file]);
    }
    if address.kind == Kind::Web {
        return Err(nothing(
            key,
            format!("there is no `{text}`; a web server's files must be named one by one"),
            Vec::new(),
        ));
    }
    let found = remote_listing(key, text, address).await?;
    if found.is_empty() {
        let what = if is_pattern(&address.path) {
            "nothing matches".to_owned()
        } else {
            format!("there is no file, and no `*{SUFFIX}` below")
        };
        return Err(nothing(key, format!("{what} `{text}`"), Vec::new()));
    }
    Ok(found)
}

async fn remote_file(key: &Key, address: &Address) -> Result<Option<Found>, SourceError> {
    let object = address.object().map_err(|why| self::address(key, &address.path, &why))?;
    match address.store.objects.head(&object).await {
        Ok(meta) => Ok(Some(found(key, address, meta))),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(why) => Err(SourceError::Unreadable {
            key: Some(key.clone()),
            name: address.name(&object),
            why: words(why),
        }),
    }
}

/// The objects below a prefix, or those that a pattern matches.
async fn remote_listing(key: &Key, text: &str, address: &Address) -> Result<Vec<Found>, SourceError> {
    let path = address.path.as_str();
    let pattern = is_pattern(path)
        .then(|| Pattern::new(path))
        .transpose()
        .map_err(|fault| self::address(key, text, &format!("is no pattern: {}", fault.msg)))?;
    let fixed = match path.find(['*', '?', '[']) {
        Some(first) => {
            path.get(..first).and_then(|before| before.rsplit_once('/')).map_or("", |(folder, _)| folder)
        }
        None => path,
    };
    let prefix = ObjectPath::parse(fixed)
        .map_err(|_| self::address(key, text, "has a path that no object can have"))?;
    let objects: Vec<ObjectMeta> =
        address.store.objects.list(Some(&prefix)).try_collect().await.map_err(|why| {
            SourceError::Unreadable { key: Some(key.clone()), name: text.to_owned(), why: words(why) }
        })?;
    let wanted = |location: &str| {
        if let Some(pattern) = &pattern {
            return pattern.matches_with(location, MATCHING) && !hides(path, location);
        }
        let below = location.strip_prefix(prefix.as_ref()).unwrap_or(location);
        location.ends_with(SUFFIX) && !below.split('/').any(is_hidden)
    };
    Ok(objects
        .into_iter()
        .filter(|meta| wanted(meta.location.as_ref()))
        .map(|meta| found(key, address, meta))
        .collect())
}

fn found(key: &Key, address: &Address, object: ObjectMeta) -> Found {
    Found {
        key: key.clone(),
        name: address.name(&object.location).into(),
        store: address.store.clone(),
        object,
    }
}

// ---- names ----

/// A path as it names files: without `./` and doubled or trailing `/`.
fn clean(text: &str) -> String {
    let steps: Vec<&str> = text.split('/').filter(|step| !step.is_empty() && *step != ".").collect();
    let joined = steps.join("/");
    if text.starts_with('/') { format!("/{joined}") } else { joined }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn is_hidden(file_name: &str) -> bool {
    file_name.starts_with(['_', '.']) && file_name != ".."
}

/// Whether a pattern leaves out a name that it matches: one with a hidden step that the pattern does not spell.
fn hides(pattern: &str, name: &str) -> bool {
    let spelled = |first: char| pattern.split('/').any(|step| step.starts_with(first));
    name.split('/')
        .filter(|step| is_hidden(step))
        .filter_map(|step| step.chars().next())
        .any(|first| !spelled(first))
}

fn utf8(key: &Key, entry: &str, name: &std::ffi::OsStr) -> Result<String, SourceError> {
    name.to_str()
        .map(str::to_owned)
        .ok_or_else(|| address(key, entry, "leads to a file whose name is not UTF-8"))
}

fn address(key: &Key, text: &str, why: &str) -> SourceError {
    SourceError::Address { key: key.clone(), text: secret::shown_address(text), why: why.to_owned() }
}

fn nothing(key: &Key, looked_for: String, near: Vec<String>) -> SourceError {
    SourceError::NoFile { key: key.clone(), looked_for, near }
}
