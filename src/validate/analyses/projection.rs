//! Rules for what an analysis projects and names of the graph, from what the mapping makes.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path};
use crate::graph::cypher::Made;
use crate::spec::{Analysis, Projection, PropertyType};

use super::super::graph::{node_properties, not_made};

pub(super) fn check(analysis: &Analysis, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    let Some(project) = &analysis.project else { return };
    labels_and_types(project, made, &at.key("project"), found);
    identify(analysis, project, made, at, found);
    for (key, value) in &analysis.config {
        references(value, made, &at.key("config").key(key), found);
    }
}

fn labels_and_types(project: &Projection, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    for (index, label) in project.nodes.iter().enumerate() {
        if label != "*" && made.lacks_label(label) {
            found.push(not_made("label", label, made.nodes.keys()).at(at.key("nodes").index(index)));
        }
    }
    for (kind, relationship) in &project.relationships {
        let at = at.key("relationships").key(kind);
        if kind != "*" && made.lacks_type(kind) {
            found.push(not_made("type", kind, made.relationships.keys()).at_key(at));
            continue;
        }
        let Some(properties) = made.relationships.get(kind) else { continue };
        for (index, property) in relationship.properties.iter().enumerate() {
            let at = at.key("properties").index(index);
            if properties.lacks(property) {
                found.push(not_made("property", property, properties.known.keys()).at(at));
            } else if let Some(Some(kind)) = properties.known.get(property)
                && !matches!(kind, PropertyType::Integer | PropertyType::Float)
            {
                found.push(
                    Diagnostic::new(
                        Code::NotNumeric,
                        format!("`{property}` is a {kind}, and only numbers can be projected"),
                    )
                    .at(at)
                    .help("convert it in the mapping, such as `toFloat(event.column)`"),
                );
            }
        }
    }
}

fn identify(analysis: &Analysis, project: &Projection, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    let (Some(property), Some(known)) = (&analysis.identify, node_properties(made, &project.nodes)) else {
        return;
    };
    if !known.contains(property) {
        found.push(not_made("property", property, known.iter()).at(at.key("identify")));
    }
}

/// Nodes that are named by a label and a property.
fn references(value: &Value, made: &Made, at: &Path, found: &mut Vec<Diagnostic>) {
    match value {
        Value::Array(nodes) => {
            for (index, node) in nodes.iter().enumerate() {
                references(node, made, &at.index(index), found);
            }
        }
        Value::Object(keys) => {
            let label = keys.get("label").and_then(Value::as_str);
            let Some(properties) = label.and_then(|label| made.nodes.get(label)) else { return };
            for key in keys.keys().filter(|key| *key != "label" && properties.lacks(key)) {
                found.push(not_made("property", key, properties.known.keys()).at_key(at.key(key)));
            }
        }
        _ => {}
    }
}
