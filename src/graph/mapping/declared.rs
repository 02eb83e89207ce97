//! `nodes` and `relationships`, written as Cypher.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use indexmap::IndexMap;

use super::cast::Cast;
use super::{Column, ColumnKind, MappingError, Required, column};
use crate::graph::cypher::{EVENT, quoted};
use crate::graph::{Constraint, ConstraintKind};
use crate::spec::{Mapping, MappingMode, NodeMapping, PropertyMapping, RelationshipMapping};

/// What was made.
pub struct Declared {
    pub text: String,
    pub constraints: Vec<Constraint>,
    pub required: Vec<Required>,
}

/// Makes the statement that is run for each `event`.
pub fn statement(mapping: &Mapping, columns: Option<&[Column]>) -> Result<Declared, Vec<MappingError>> {
    let errors = errors(mapping);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut writer = Writer { columns, names: Names::default(), text: String::new() };
    let nodes: IndexMap<&str, String> =
        mapping.nodes.iter().map(|node| (node.reference(), writer.names.of(node.reference()))).collect();
    let variable = |name: &str| nodes.get(name).map_or("", String::as_str);
    for node in &mapping.nodes {
        writer.node(node, variable(node.reference()));
    }
    writer.set_nodes(&mapping.nodes, &variable);
    for relationship in &mapping.relationships {
        writer.relationship(relationship, variable(&relationship.from), variable(&relationship.to));
    }
    writer.text.truncate(writer.text.trim_end().len());
    Ok(Declared { text: writer.text, constraints: constraints(mapping), required: required(mapping) })
}

fn errors(mapping: &Mapping) -> Vec<MappingError> {
    let mut errors = Vec::new();
    let mut names = BTreeSet::new();
    for node in &mapping.nodes {
        if !names.insert(node.reference()) {
            errors.push(MappingError::DuplicateNode(node.reference().to_owned()));
        }
        if node.mode == MappingMode::Merge && node.keys.is_empty() {
            errors.push(MappingError::MergeWithoutKey(node.reference().to_owned()));
        }
        errors.extend(twice(&node.label, &node.keys, &node.properties));
    }
    for relationship in &mapping.relationships {
        for end in [&relationship.from, &relationship.to] {
            if !names.contains(end.as_str()) {
                errors.push(MappingError::UnknownNode { kind: relationship.kind.clone(), node: end.clone() });
            }
        }
        errors.extend(twice(&relationship.kind, &relationship.keys, &relationship.properties));
    }
    errors
}

fn twice<'a>(
    element: &'a str,
    keys: &'a IndexMap<String, PropertyMapping>,
    properties: &'a IndexMap<String, PropertyMapping>,
) -> impl Iterator<Item = MappingError> + 'a {
    keys.keys()
        .filter(|key| properties.contains_key(*key))
        .map(|key| MappingError::PropertyTwice { element: element.to_owned(), property: key.clone() })
}

/// A uniqueness constraint for a node's keys; an index for those of a merged relationship.
fn constraints(mapping: &Mapping) -> Vec<Constraint> {
    let nodes = mapping.nodes.iter().map(|node| (&node.label, &node.keys, ConstraintKind::NodeUnique));
    let merged = mapping.relationships.iter().filter(|relationship| relationship.mode == MappingMode::Merge);
    let relationships = merged
        .map(|relationship| (&relationship.kind, &relationship.keys, ConstraintKind::RelationshipIndex));
    let all: BTreeSet<Constraint> = nodes
        .chain(relationships)
        .filter(|(_, keys, _)| !keys.is_empty())
        .map(|(label, keys, kind)| Constraint {
            label: label.clone(),
            properties: keys.keys().cloned().collect(),
            kind,
        })
        .collect();
    all.into_iter().collect()
}

fn required(mapping: &Mapping) -> Vec<Required> {
    let nodes = mapping.nodes.iter().map(|node| (&node.label, &node.keys));
    let merged = mapping.relationships.iter().filter(|relationship| relationship.mode == MappingMode::Merge);
    let relationships = merged.map(|relationship| (&relationship.kind, &relationship.keys));
    nodes
        .chain(relationships)
        .flat_map(|(element, keys)| {
            keys.iter().map(|(property, source)| Required {
                column: source.column(property).to_owned(),
                element: element.clone(),
                property: property.clone(),
            })
        })
        .collect()
}

struct Writer<'a> {
    columns: Option<&'a [Column]>,
    names: Names,
    text: String,
}

impl Writer<'_> {
    fn node(&mut self, node: &NodeMapping, variable: &str) {
        let (clause, inline) = match node.mode {
            MappingMode::Merge => ("MERGE", self.map(&[&node.keys])),
            MappingMode::Create => ("CREATE", self.map(&[&node.keys, &node.properties])),
        };
        let _ = writeln!(self.text, "{clause} ({variable}:{}{inline})", quoted(&node.label));
    }

    fn set_nodes<'n>(&mut self, nodes: &[NodeMapping], variable: &impl Fn(&str) -> &'n str) {
        let merged = nodes.iter().filter(|node| node.mode == MappingMode::Merge);
        let items = merged
            .flat_map(|node| self.assignments(variable(node.reference()), &node.properties))
            .collect::<Vec<_>>();
        self.set(&items);
    }

    fn relationship(&mut self, relationship: &RelationshipMapping, from: &str, to: &str) {
        let kind = quoted(&relationship.kind);
        match relationship.mode {
            MappingMode::Create => {
                let inline = self.map(&[&relationship.keys, &relationship.properties]);
                let _ = writeln!(self.text, "CREATE ({from})-[:{kind}{inline}]->({to})");
            }
            MappingMode::Merge => {
                let inline = self.map(&[&relationship.keys]);
                let variable = self.names.of(&relationship.kind.to_lowercase());
                let named = if relationship.properties.is_empty() { "" } else { &variable };
                let _ = writeln!(self.text, "MERGE ({from})-[{named}:{kind}{inline}]->({to})");
                let items = self.assignments(&variable, &relationship.properties);
                self.set(&items);
            }
        }
    }

    fn set(&mut self, items: &[String]) {
        if !items.is_empty() {
            let _ = writeln!(self.text, "SET {}", items.join(",\n    "));
        }
    }

    fn assignments(&self, variable: &str, properties: &IndexMap<String, PropertyMapping>) -> Vec<String> {
        properties
            .iter()
            .map(|(name, source)| format!("{variable}.{} = {}", quoted(name), self.value(name, source)))
            .collect()
    }

    /// ` {name: value, …}`, or nothing.
    fn map(&self, of: &[&IndexMap<String, PropertyMapping>]) -> String {
        let entries: Vec<String> = of
            .iter()
            .flat_map(|properties| properties.iter())
            .map(|(name, source)| format!("{}: {}", quoted(name), self.value(name, source)))
            .collect();
        if entries.is_empty() { String::new() } else { format!(" {{{}}}", entries.join(", ")) }
    }

    fn value(&self, property: &str, source: &PropertyMapping) -> String {
        let name = source.column(property);
        cast(self.columns, property, source).of(&format!("{EVENT}.{}", quoted(name)))
    }
}

/// How the column of a property becomes its value.
pub(super) fn cast(columns: Option<&[Column]>, property: &str, source: &PropertyMapping) -> Cast {
    let kind = column(columns, source.column(property)).map_or(ColumnKind::Other, |column| column.kind);
    Cast::between(kind, source.kind)
}

/// Variables made from the file's names: plain, and no two alike.
#[derive(Default)]
pub(super) struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(&mut self, name: &str) -> String {
        let mut plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if let Some(first) = plain.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        // A leading underscore is kept for runner's own variables.
        if !plain.starts_with(|c: char| c.is_ascii_alphabetic()) || quoted(&plain) != plain || plain == EVENT
        {
            plain.insert_str(0, "n_");
        }
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|name| !self.taken.contains(name));
        let chosen = free.unwrap_or(plain);
        self.taken.insert(chosen.clone());
        chosen
    }
}
