//! What the mapping makes: the labels, types and properties that the rest of the file may name.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::graph::cypher::{self, ClauseKind, Made, MadeProperties, NodePattern, SetItem, Statement};
use crate::spec::{Mapping, Mode, PropertyMapping, Spec};

use super::words;

/// What the pipeline makes: by its mapping, and by analyses that write; `None` where that cannot be told.
pub(super) fn made(spec: &Spec) -> Option<Made> {
    let mut made = mapped(&spec.mapping)?;
    for analysis in spec.analyses.iter().filter(|analysis| analysis.mode == Mode::Write) {
        let property = analysis.config.get("writeProperty").and_then(serde_json::Value::as_str);
        let labels = analysis.project.iter().flat_map(|project| &project.nodes);
        for label in labels {
            let nodes = made.nodes.iter_mut().filter(|(name, _)| label == "*" || *name == label);
            for (_, properties) in nodes {
                properties.known.extend(property.map(|property| (property.to_owned(), None)));
            }
        }
        made.open_types |= analysis.config.contains_key("writeRelationshipType");
    }
    Some(made)
}

/// What the mapping makes by itself; `None` where that cannot be told.
pub(super) fn mapped(mapping: &Mapping) -> Option<Made> {
    match &mapping.cypher {
        Some(text) => written(text),
        None if mapping.nodes.is_empty() => None,
        None => Some(declared(mapping)),
    }
}

fn written(text: &str) -> Option<Made> {
    let statement = cypher::read(text);
    let is_readable = statement.faults.is_empty() && statement.first_write().is_some();
    is_readable.then(|| statement.made(&|_| None))
}

fn declared(mapping: &Mapping) -> Made {
    let mut made = Made::default();
    for node in &mapping.nodes {
        add(&mut made.nodes, &node.label, [&node.keys, &node.properties]);
    }
    for relationship in &mapping.relationships {
        add(&mut made.relationships, &relationship.kind, [&relationship.keys, &relationship.properties]);
    }
    made
}

fn add(
    elements: &mut BTreeMap<String, MadeProperties>,
    name: &str,
    groups: [&IndexMap<String, PropertyMapping>; 2],
) {
    let element = elements.entry(name.to_owned()).or_default();
    for (property, source) in groups.into_iter().flatten() {
        element.known.insert(property.clone(), source.kind);
    }
}

/// The properties by which the mapping finds nodes, by label.
pub(super) fn keys(mapping: &Mapping) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for node in &mapping.nodes {
        keys.entry(node.label.clone()).or_default().extend(node.keys.keys().cloned());
    }
    let statement = mapping.cypher.as_deref().map(cypher::read).unwrap_or_default();
    let finds = |kind| matches!(kind, ClauseKind::Match | ClauseKind::Merge);
    for clause in statement.all_clauses().filter(|clause| finds(clause.kind)) {
        for node in clause.patterns.iter().flat_map(|path| &path.nodes) {
            let sought = node.properties.entries().iter().map(|entry| &entry.name);
            for label in labels(&statement, node) {
                keys.entry(label.to_owned()).or_default().extend(sought.clone().cloned());
            }
        }
    }
    keys
}

/// The labels of a node: those of its pattern, and those that it is given later.
fn labels<'s>(statement: &'s Statement, node: &'s NodePattern) -> impl Iterator<Item = &'s str> {
    let given = statement.all_clauses().flat_map(|clause| &clause.sets).filter_map(|item| match item {
        SetItem::Labels { variable, labels, .. } if node.variable.as_ref() == Some(variable) => Some(labels),
        _ => None,
    });
    node.labels.iter().chain(given.flatten()).map(|label| label.name.as_str())
}

/// The finding for a label, a type or a property that the mapping does not make.
pub(super) fn not_made<'n>(noun: &str, name: &str, known: impl Iterator<Item = &'n String>) -> Diagnostic {
    let names: Vec<&str> = known.map(String::as_str).collect();
    let plural = if noun == "property" { "properties".to_owned() } else { format!("{noun}s") };
    let help = match (did_you_mean(name, names.iter().copied()), names.is_empty()) {
        (Some(meant), _) => meant,
        (None, true) if noun == "property" => "what is meant here has no properties at all".to_owned(),
        (None, true) => format!("it makes no {plural} at all"),
        (None, false) => format!("{plural}: {}", words::list(names)),
    };
    Diagnostic::new(Code::UnknownName, format!("the mapping makes nothing with the {noun} `{name}`"))
        .help(help)
}

/// The properties that nodes of any of the labels have; `None` where there may be others.
pub(super) fn node_properties(made: &Made, labels: &[String]) -> Option<BTreeSet<String>> {
    let chosen =
        |name: &String| labels.is_empty() || labels.iter().any(|label| label == "*" || label == name);
    let elements: Vec<&MadeProperties> =
        made.nodes.iter().filter(|(name, _)| chosen(name)).map(|(_, properties)| properties).collect();
    if elements.is_empty() || made.open_labels || elements.iter().any(|element| element.open) {
        return None;
    }
    Some(elements.iter().flat_map(|element| element.known.keys()).cloned().collect())
}
