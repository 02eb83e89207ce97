//! Which properties of which elements a statement reads.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::clause::{Clause, ClauseKind};
use super::pattern::{Label, Properties};
use super::token::Tokens;

/// A property that is read of a node or a relationship whose labels or types the patterns tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyUse {
    /// Whether it is a node's.
    pub of_node: bool,
    /// The labels or types; the element has one of them at least.
    pub labels: BTreeSet<String>,
    /// The property.
    pub name: String,
    /// The bytes of its name.
    pub range: Range<usize>,
}

/// What the patterns tell of a variable.
struct Bound {
    of_node: bool,
    labels: BTreeSet<String>,
    /// Whether it may have other labels than these, or be something else elsewhere.
    open: bool,
}

/// The properties that are read in patterns and by `variable.name`. Variables that the statement binds in another way too are
/// left out.
pub(super) fn uses(tokens: &Tokens, clauses: &[Clause]) -> Vec<PropertyUse> {
    let mut found = Vec::new();
    let mut variables = BTreeMap::new();
    patterns(clauses, &mut variables, &mut found);
    for index in 1..tokens.list.len() {
        let otherwise = tokens.is_word(index - 1, "AS") || tokens.is_word(index + 1, "IN");
        if otherwise && let Some(bound) = tokens.name(index).and_then(|name| variables.get_mut(&name)) {
            bound.open = true;
        }
    }
    for index in 0..tokens.list.len() {
        let after_dot = index.checked_sub(1).is_some_and(|before| tokens.is(before, "."));
        if after_dot || !tokens.is(index + 1, ".") || tokens.is(index + 3, "(") {
            continue;
        }
        let bound = tokens.name(index).and_then(|name| variables.get(&name));
        if let (Some(bound), Some(name)) = (bound.filter(|bound| !bound.open), tokens.name(index + 2)) {
            let (of_node, labels) = (bound.of_node, bound.labels.clone());
            found.push(PropertyUse { of_node, labels, name, range: tokens.range(index + 2) });
        }
    }
    found
}

fn patterns(clauses: &[Clause], variables: &mut BTreeMap<String, Bound>, found: &mut Vec<PropertyUse>) {
    for clause in clauses {
        for path in &clause.patterns {
            let nodes =
                path.nodes.iter().map(|of| (true, &of.variable, &of.labels, of.dynamic, &of.properties));
            let relationships = path
                .relationships
                .iter()
                .map(|of| (false, &of.variable, &of.types, of.dynamic, &of.properties));
            for (of_node, variable, labels, dynamic, properties) in nodes.chain(relationships) {
                let names: BTreeSet<String> = labels.iter().map(|label| label.name.clone()).collect();
                if clause.kind == ClauseKind::Match && !dynamic {
                    found.extend(sought(of_node, labels, properties));
                }
                if let Some(variable) = variable {
                    let bound = variables.entry(variable.clone()).or_insert_with(|| Bound {
                        of_node,
                        labels: BTreeSet::new(),
                        open: names.is_empty(),
                    });
                    bound.open |= dynamic || bound.of_node != of_node;
                    bound.labels.extend(names);
                }
            }
        }
        patterns(&clause.body, variables, found);
    }
}

/// The entries of a pattern's map.
fn sought<'p>(
    of_node: bool,
    labels: &'p [Label],
    properties: &'p Properties,
) -> impl Iterator<Item = PropertyUse> + 'p {
    let labels: BTreeSet<String> = labels.iter().map(|label| label.name.clone()).collect();
    let entries = if labels.is_empty() { &[] } else { properties.entries() };
    entries.iter().map(move |entry| PropertyUse {
        of_node,
        labels: labels.clone(),
        name: entry.name.clone(),
        range: entry.name_range.clone(),
    })
}
