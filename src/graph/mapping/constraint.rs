//! The constraints and indexes that follow from a statement, and the columns that its keys need.

use std::collections::{BTreeMap, BTreeSet};

use super::Required;
use crate::graph::cypher::{Clause, ClauseKind, NodePattern, Properties, SetItem, Shape, Statement};
use crate::graph::{Constraint, ConstraintKind};

/// The constraints and indexes for a statement.
///
/// A label that is only ever merged, and by one set of keys, gets a uniqueness constraint. Where the statement makes nodes
/// of the label in another way too, so that duplicates may be meant, it gets an index. What a `MATCH` looks for gets an
/// index as well, and so does a relationship that is merged by properties: without it each row reads through all relationships
/// of a node (Neo4j; measured 481 µs a row and growing, against 43).
pub fn of_statement(statement: &Statement, text: &str) -> Vec<Constraint> {
    let mut labels: BTreeMap<&str, Label> = BTreeMap::new();
    let mut relationships = BTreeSet::new();
    for clause in statement.all_clauses() {
        for path in &clause.patterns {
            for node in &path.nodes {
                note_node(&mut labels, clause, path.nodes.len() == 1, node);
            }
            for relationship in &path.relationships {
                let keys = names(&relationship.properties);
                if let ([kind], ClauseKind::Merge, false) =
                    (relationship.types.as_slice(), clause.kind, keys.is_empty())
                {
                    relationships.insert((kind.name.clone(), keys));
                }
            }
        }
    }
    note_sets(&mut labels, statement, text);
    let nodes = labels.into_iter().flat_map(|(name, label)| label.constraints(name));
    let relationships = relationships.into_iter().map(|(label, properties)| Constraint {
        label,
        properties,
        kind: ConstraintKind::RelationshipIndex,
    });
    nodes.chain(relationships).collect()
}

/// How nodes of a label come to be.
#[derive(Default)]
struct Label {
    /// The sets of keys that it is merged by, each with its other labels.
    merged: BTreeSet<(Vec<String>, Vec<String>)>,
    /// The sets of properties that it is looked for by.
    sought: BTreeSet<Vec<String>>,
    /// Whether it is made in another way as well.
    otherwise: bool,
}

impl Label {
    fn constraints(self, label: &str) -> Vec<Constraint> {
        let unique = !self.otherwise && self.merged.len() == 1;
        let kind = if unique { ConstraintKind::NodeUnique } else { ConstraintKind::NodeIndex };
        let merged: BTreeSet<Vec<String>> = self.merged.into_iter().map(|(keys, _)| keys).collect();
        let sought: Vec<Vec<String>> = self.sought.difference(&merged).cloned().collect();
        let of = |kind| move |properties| Constraint { label: label.to_owned(), properties, kind };
        merged
            .into_iter()
            .map(of(kind))
            .chain(sought.into_iter().map(of(ConstraintKind::NodeIndex)))
            .collect()
    }
}

fn note_node<'a>(labels: &mut BTreeMap<&'a str, Label>, clause: &Clause, alone: bool, node: &'a NodePattern) {
    // One label is enough to find a node by.
    let Some(first) = node.labels.first().filter(|_| !node.dynamic) else { return };
    let keys = names(&node.properties);
    let label = labels.entry(&first.name).or_default();
    match clause.kind {
        ClauseKind::Merge if alone && !keys.is_empty() => {
            let others = node.labels.iter().skip(1).map(|label| label.name.clone()).collect();
            label.merged.insert((keys, others));
        }
        ClauseKind::Merge if !keys.is_empty() => {
            label.otherwise = true;
            label.sought.insert(keys);
        }
        ClauseKind::Merge | ClauseKind::Create => label.otherwise = true,
        ClauseKind::Match if !keys.is_empty() => {
            label.sought.insert(keys);
        }
        _ => {}
    }
    if matches!(clause.kind, ClauseKind::Merge | ClauseKind::Create) {
        for further in node.labels.iter().skip(1) {
            labels.entry(&further.name).or_default().otherwise = true;
        }
    }
}

/// A label that is set later, or a key that is given another value later, makes nodes in another way.
fn note_sets<'a>(labels: &mut BTreeMap<&'a str, Label>, statement: &'a Statement, text: &str) {
    let mut nodes: BTreeMap<&str, Vec<&NodePattern>> = BTreeMap::new();
    for node in statement.all_clauses().flat_map(|clause| &clause.patterns).flat_map(|path| &path.nodes) {
        if let Some(variable) = node.variable.as_deref().filter(|_| !node.labels.is_empty()) {
            nodes.entry(variable).or_default().push(node);
        }
    }
    for item in statement.all_clauses().flat_map(|clause| &clause.sets) {
        match item {
            SetItem::Labels { labels: set, .. } => {
                for label in set {
                    labels.entry(&label.name).or_default().otherwise = true;
                }
            }
            SetItem::Property { variable, name, value, .. } => {
                for node in nodes.get(variable.as_str()).into_iter().flatten() {
                    let key = node.properties.entries().iter().find(|entry| entry.name == *name);
                    let same = key
                        .is_none_or(|key| text.get(key.value.range.clone()) == text.get(value.range.clone()));
                    if let Some(label) = node.labels.first().filter(|_| !same) {
                        labels.entry(&label.name).or_default().otherwise = true;
                    }
                }
            }
            SetItem::Map { .. } | SetItem::Unknown => {}
        }
    }
}

fn names(properties: &Properties) -> Vec<String> {
    properties.entries().iter().map(|entry| entry.name.clone()).collect()
}

/// The columns that feed what is merged, as far as each row certainly comes there: up to the first clause that may drop it.
pub fn required(statement: &Statement) -> Vec<Required> {
    let certain =
        |clause: &&Clause| matches!(clause.kind, ClauseKind::Merge | ClauseKind::Create | ClauseKind::Set);
    let mut found: Vec<Required> = Vec::new();
    for path in statement
        .clauses
        .iter()
        .take_while(certain)
        .filter(|clause| clause.kind == ClauseKind::Merge)
        .flat_map(|clause| &clause.patterns)
    {
        let nodes = path.nodes.iter().map(|node| (node.labels.first(), &node.properties));
        let relationships = path
            .relationships
            .iter()
            .map(|relationship| (relationship.types.first(), &relationship.properties));
        for (element, properties) in nodes.chain(relationships) {
            for entry in properties.entries() {
                let Shape::Column { column, nested: false, .. } = &entry.value.shape else { continue };
                found.push(Required {
                    column: column.clone(),
                    element: element.map_or_else(String::new, |label| label.name.clone()),
                    property: entry.name.clone(),
                });
            }
        }
    }
    found.dedup_by(|a, b| a == b);
    found
}
