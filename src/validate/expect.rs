//! Rules for `expect:`, and for the same counts in tests.

use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Path};
use crate::graph::cypher::Made;
use crate::spec::Spec;

use super::graph::{made, not_made};

pub(super) fn check(spec: &Spec, found: &mut Vec<Diagnostic>) {
    let Some(made) = made(spec) else { return };
    let at = Path::of("spec.expect");
    counts(&made, &spec.expect.nodes, &spec.expect.relationships, &at, found);
    for (index, case) in spec.tests.iter().enumerate() {
        counts(&made, &case.nodes, &case.relationships, &Path::of("spec.tests").index(index), found);
    }
}

fn counts(
    made: &Made,
    nodes: &IndexMap<String, u64>,
    relationships: &IndexMap<String, u64>,
    at: &Path,
    found: &mut Vec<Diagnostic>,
) {
    for label in nodes.keys().filter(|label| made.lacks_label(label)) {
        found.push(not_made("label", label, made.nodes.keys()).at_key(at.key("nodes").key(label)));
    }
    for kind in relationships.keys().filter(|kind| made.lacks_type(kind)) {
        found.push(
            not_made("type", kind, made.relationships.keys()).at_key(at.key("relationships").key(kind)),
        );
    }
}
