//! Rules for `mapping:` that need no Cypher.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::diagnostic::{Code, Diagnostic, Location, Part, Path, Severity, did_you_mean};
use crate::graph::mapping;
use crate::spec::{Mapping, MappingMode, NodeMapping, PropertyMapping, RelationshipMapping, Spec};

use super::words;

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let at = Path::of("spec.mapping");
    let mapping = &spec.mapping;
    form(mapping, &at, found);
    names(&mapping.nodes, &at.key("nodes"), found);
    for (index, node) in mapping.nodes.iter().enumerate() {
        let at = at.key("nodes").index(index);
        merged_node(node, &at, found);
        properties(&node.keys, &node.properties, &at, found);
        reserved(spec, node, &at, found);
    }
    for (index, relationship) in mapping.relationships.iter().enumerate() {
        let at = at.key("relationships").index(index);
        ends(relationship, &mapping.nodes, &at, found);
        merged_relationship(relationship, &at, found);
        properties(&relationship.keys, &relationship.properties, &at, found);
    }
}

/// Either `cypher`, or `nodes` with `relationships`.
fn form(mapping: &Mapping, at: &Path, found: &mut Vec<Diagnostic>) {
    match &mapping.cypher {
        Some(_) if !mapping.nodes.is_empty() => found.push(super::exclude(at, "cypher", "nodes")),
        Some(_) if !mapping.relationships.is_empty() => found.push(super::exclude(at, "cypher", "relationships")),
        Some(cypher) if cypher.trim().is_empty() => {
            found.push(Diagnostic::new(Code::InvalidValue, "the statement is empty").at(at.key("cypher")));
        }
        None if mapping.nodes.is_empty() => found.push(
            Diagnostic::new(Code::OneOf, "`mapping` needs `cypher`, or `nodes`")
                .at_key(at.clone())
                .help("`cypher: MERGE (:Label {key: event.column})` runs for each row; from `nodes` and `relationships` it is made"),
        ),
        _ => {}
    }
}

fn names(nodes: &[NodeMapping], at: &Path, found: &mut Vec<Diagnostic>) {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        let key = if node.name.is_some() { "name" } else { "label" };
        let name = node.reference();
        if let Some(first) = seen.get(name) {
            found.push(
                Diagnostic::new(Code::DuplicateName, format!("two nodes are called `{name}`"))
                    .at(at.index(index).key(key))
                    .related(Location::At(at.index(*first), Part::Value), "the first")
                    .help("give each a `name` of its own; relationships refer to it"),
            );
        } else {
            seen.insert(name, index);
        }
    }
}

fn ends(relationship: &RelationshipMapping, nodes: &[NodeMapping], at: &Path, found: &mut Vec<Diagnostic>) {
    let known = || nodes.iter().map(NodeMapping::reference);
    for (key, end) in [("from", &relationship.from), ("to", &relationship.to)] {
        if known().any(|name| name == end) {
            continue;
        }
        let help = did_you_mean(end, known()).unwrap_or_else(|| words::all("nodes", known()));
        found.push(
            Diagnostic::new(Code::UnknownName, format!("no node is called `{end}`"))
                .at(at.key(key))
                .help(help),
        );
    }
}

fn merged_node(node: &NodeMapping, at: &Path, found: &mut Vec<Diagnostic>) {
    if node.mode == MappingMode::Create || !node.keys.is_empty() {
        return;
    }
    let label = &node.label;
    let message =
        format!("`{label}` is merged without keys: each row would meet every `{label}` that is there");
    let mut finding = Diagnostic::new(Code::MergeWithoutKey, message)
        .at(at.key("label"))
        .help("add `keys: { property: { column: … } }`, or `mode: create`");
    // Written as Cypher it may be meant; here it is only a key that was forgotten.
    finding.severity = Severity::Error;
    found.push(finding);
}

/// A further property of a merged node is set when the node is there.
fn reserved(spec: &Spec, node: &NodeMapping, at: &Path, found: &mut Vec<Diagnostic>) {
    if node.mode == MappingMode::Merge && node.properties.contains_key(mapping::ID) {
        let at = at.key("properties").key(mapping::ID);
        found.push(super::cypher::id(spec, Some(&node.label)).at_key(at));
    }
}

fn merged_relationship(relationship: &RelationshipMapping, at: &Path, found: &mut Vec<Diagnostic>) {
    if relationship.mode == MappingMode::Merge && relationship.keys.is_empty() {
        found.push(
            Diagnostic::new(
                Code::CollapsingRelationship,
                format!(
                    "`{}` is merged without keys: rows with the same two nodes would share one relationship",
                    relationship.kind
                ),
            )
            .at(at.key("mode"))
            .help("add `keys`, or `mode: create` for one relationship a row")
            .help("where one a pair is meant: `allow: [collapsing-relationship]`"),
        );
    }
}

/// A property has one value: it cannot be a key and something else as well.
fn properties(
    keys: &IndexMap<String, PropertyMapping>,
    others: &IndexMap<String, PropertyMapping>,
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    for property in others.keys().filter(|property| keys.contains_key(*property)) {
        found.push(
            Diagnostic::new(Code::DuplicateName, format!("`{property}` is a key already"))
                .at_key(at.key("properties").key(property))
                .related(Location::At(at.key("keys").key(property), Part::Key), "the key")
                .help("remove it here: keys are properties too"),
        );
    }
}
