//! Rules on the columns of an `event`: whoever names one must name one that is there.
//!
//! Without the files, the columns are known by name where `select` lists them; with the files, by type as well. The rules are
//! the same.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, did_you_mean};
use crate::graph::cypher;
use crate::graph::mapping::{self, Column, ColumnKind};
use crate::spec::{Mapping, PropertyMapping, Spec};

use super::source::column_name;
use super::words;

/// The columns of an `event`, as far as `select` tells them by itself.
pub(super) fn selected(spec: &Spec) -> Option<Vec<Column>> {
    let select = &spec.source.as_ref()?.select;
    let column = |text: &String| Some(Column { name: column_name(text)?, kind: ColumnKind::Other });
    if select.is_empty() { None } else { select.iter().map(column).collect() }
}

pub(super) fn check(spec: &Spec, columns: Option<&[Column]>, found: &mut Vec<Diagnostic>) {
    if let Some(cypher) = spec.mapping.cypher.as_deref().filter(|cypher| !cypher.trim().is_empty()) {
        super::cypher::mapping(spec, cypher, columns, found);
    }
    let Some(columns) = columns else { return };
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    topic_key(spec, &names, found);
    declared(&spec.mapping, &names, found);
    types(&spec.mapping, columns, found);
    unused(spec, &names, found);
}

/// The advice for a name that is none of the columns.
pub(super) fn advice(name: &str, columns: &[&str]) -> String {
    did_you_mean(name, columns.iter().copied())
        .unwrap_or_else(|| words::all("columns", columns.iter().copied()))
}

fn topic_key(spec: &Spec, columns: &[&str], found: &mut Vec<Diagnostic>) {
    let Some(key) = spec.topic.key.as_deref().filter(|key| !columns.contains(key)) else { return };
    let message = format!("the key `{key}` is not among the columns of the rows");
    let finding = Diagnostic::new(Code::UnknownColumn, message).at(Path::of("spec.topic.key"));
    found.push(chosen(spec, finding).help(advice(key, columns)));
}

/// With the place where the columns are chosen, if they are.
pub(super) fn chosen(spec: &Spec, finding: Diagnostic) -> Diagnostic {
    if spec.source.as_ref().is_none_or(|source| source.select.is_empty()) {
        return finding;
    }
    finding.related(Location::At(Path::of("spec.source.select"), Part::Key), "the columns are chosen here")
}

/// The columns that `nodes` and `relationships` name.
fn declared(mapping: &Mapping, columns: &[&str], found: &mut Vec<Diagnostic>) {
    for (at, property, source) in fed(mapping) {
        let column = source.column(property);
        if columns.contains(&column) {
            continue;
        }
        let finding = Diagnostic::new(
            Code::UnknownColumn,
            format!("the column `{column}` is not among those of the rows"),
        );
        let finding = if source.column.is_some() { finding.at(at.key("column")) } else { finding.at_key(at) };
        found.push(finding.help(advice(column, columns)));
    }
}

/// Properties of a type that no value of their column can become.
fn types(mapping: &Mapping, columns: &[Column], found: &mut Vec<Diagnostic>) {
    for (at, property, source) in fed(mapping) {
        let name = source.column(property);
        let Some(kind) = columns.iter().find(|column| column.name == name).map(|column| column.kind) else {
            continue;
        };
        if let Some(becomes) = source.kind.filter(|becomes| !mapping::fits(kind, *becomes)) {
            let message =
                format!("`{name}` is {}, and no {becomes} can be made of it", words::column_kind(kind));
            let is_date = !matches!(kind, ColumnKind::Boolean | ColumnKind::Integer | ColumnKind::Float);
            found.push(
                Diagnostic::new(Code::ColumnType, message)
                    .at(at.key("type"))
                    .help(words::column_type(is_date)),
            );
        }
    }
}

/// Every property that a column feeds, with its path.
fn fed(mapping: &Mapping) -> Vec<(Path, &str, &PropertyMapping)> {
    type Group<'s> = &'s IndexMap<String, PropertyMapping>;
    fn each<'s>(at: &Path, name: &str, group: Group<'s>) -> Vec<(Path, &'s str, &'s PropertyMapping)> {
        let at = at.key(name);
        group.iter().map(|(property, source)| (at.key(property), property.as_str(), source)).collect()
    }
    let at = Path::of("spec.mapping");
    let nodes = mapping.nodes.iter().enumerate().flat_map(|(index, node)| {
        let at = at.key("nodes").index(index);
        [each(&at, "keys", &node.keys), each(&at, "properties", &node.properties)]
    });
    let relationships = mapping.relationships.iter().enumerate().flat_map(|(index, relationship)| {
        let at = at.key("relationships").index(index);
        [each(&at, "keys", &relationship.keys), each(&at, "properties", &relationship.properties)]
    });
    nodes.chain(relationships).flatten().collect()
}

/// Columns that are sent and that nothing uses.
fn unused(spec: &Spec, columns: &[&str], found: &mut Vec<Diagnostic>) {
    let Some(used) = used(&spec.mapping) else { return };
    // A column that is used under a wrong name is told there already.
    if used.iter().any(|name| !columns.contains(&name.as_str())) {
        return;
    }
    let select = spec.source.iter().flat_map(|source| &source.select).enumerate();
    for (index, text) in select {
        let Some(name) = column_name(text) else { continue };
        if !used.contains(&name) && spec.topic.key.as_ref() != Some(&name) {
            found.push(
                Diagnostic::new(Code::UnusedColumn, format!("nothing uses the column `{name}`"))
                    .at(Path::of("spec.source.select").index(index))
                    .help("remove it, or use it in the mapping: each column is read, sent and kept for every row"),
            );
        }
    }
}

/// The columns that the mapping uses; `None` where that cannot be told.
fn used(mapping: &Mapping) -> Option<BTreeSet<String>> {
    let declared = fed(mapping).into_iter().map(|(_, property, source)| source.column(property).to_owned());
    let Some(text) = mapping.cypher.as_deref().filter(|text| !text.trim().is_empty()) else {
        return (!mapping.nodes.is_empty()).then(|| declared.collect());
    };
    let statement = cypher::read(text);
    let is_known = statement.event.whole.is_empty() && statement.faults.is_empty();
    is_known.then(|| statement.event.columns.into_iter().map(|used| used.column).collect())
}
