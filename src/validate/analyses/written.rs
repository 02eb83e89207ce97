//! Rules for the property that an analysis writes to nodes.

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Path, Severity};
use crate::spec::{Analysis, Mapping, Mode};

use super::super::graph;

pub(super) fn check(mapping: &Mapping, analysis: &Analysis, at: &Path, found: &mut Vec<Diagnostic>) {
    // Beside a type, the property is one of the relationships that are written.
    if analysis.mode != Mode::Write || analysis.config.contains_key("writeRelationshipType") {
        return;
    }
    let (Some(Value::String(property)), Some(project)) =
        (analysis.config.get("writeProperty"), &analysis.project)
    else {
        return;
    };
    let is_projected = |label: &&String| project.nodes.iter().any(|name| name == "*" || name == *label);
    let at = at.key("config").key("writeProperty");
    let keys = graph::keys(mapping);
    let mut of_key = keys.iter().filter(|(label, keys)| is_projected(label) && keys.contains(property));
    if let Some((label, _)) = of_key.next() {
        found.push(key(label, property).at(at));
        return;
    }
    let made = graph::mapped(mapping).unwrap_or_default();
    let mut set =
        made.nodes.iter().filter(|(label, of)| is_projected(label) && of.known.contains_key(property));
    if let Some((label, _)) = set.next() {
        found.push(
            Diagnostic::new(Code::OverwrittenProperty, format!("the mapping sets `{property}` on `{label}` itself"))
                .at(at)
                .help("write into a property of its own, such as `writeProperty: rank`: the analysis would replace the rows' values, and the next rows its result"),
        );
    }
}

fn key(label: &str, property: &str) -> Diagnostic {
    let message = format!(
        "`{property}` is what the mapping finds each `{label}` by: no row would find its nodes after this"
    );
    let mut finding = Diagnostic::new(Code::OverwrittenProperty, message)
        .help("write into a property of its own, such as `writeProperty: rank`: with this one the next run would make the nodes again");
    // Another property can be put right by the next run; nodes that lost their keys cannot.
    finding.severity = Severity::Error;
    finding
}
