//! The house: no module imports what `docs/architecture.md` does not allow it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn modules_import_only_what_the_table_allows() {
    let allowed = table();
    let mut forbidden = Vec::new();
    for (module, imports) in imports() {
        let Some(allowed) = allowed.get(&module) else {
            forbidden.push(format!("`{module}` is not in the table"));
            continue;
        };
        for import in imports.difference(allowed).filter(|import| **import != module) {
            forbidden.push(format!("`{module}` imports `{import}`"));
        }
    }
    assert!(forbidden.is_empty(), "docs/architecture.md does not allow that:\n{}", forbidden.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    let mut rest = table();
    while !rest.is_empty() {
        let known: BTreeSet<String> = rest.keys().cloned().collect();
        let free: Vec<String> = rest
            .iter()
            .filter(|(_, imports)| imports.is_disjoint(&known))
            .map(|(module, _)| module.clone())
            .collect();
        assert!(!free.is_empty(), "these import each other: {known:?}");
        for module in free {
            rest.remove(&module);
        }
    }
}

/// The rows of the table: a module, and what it may import.
fn table() -> Arrows {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let quoted =
        |cell: &str| -> BTreeSet<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        let module = quoted(cells.get(1)?).into_iter().next()?;
        Some((module, quoted(cells.get(3)?)))
    };
    let rows: Arrows = text.lines().filter(|line| line.starts_with("| `")).filter_map(row).collect();
    assert!(rows.len() > 5, "the table was not found");
    rows
}

/// What each top-level module of the library imports: the first name after each `crate::`.
fn imports() -> Arrows {
    let mut arrows = Arrows::new();
    for file in rust_files(&root().join("src")) {
        let relative = file.strip_prefix(root().join("src")).unwrap().to_path_buf();
        let top = relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if top == "lib" || top == "main" {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let names = code.flat_map(|line| line.split("crate::").skip(1).map(first_name).collect::<Vec<_>>());
        arrows.entry(top).or_default().extend(names);
    }
    arrows
}

fn first_name(rest: &str) -> String {
    rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
