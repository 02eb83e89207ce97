//! Properties that the embedded engine keeps for itself.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::graph::cypher::{ClauseKind, NodePattern, SetItem, Statement};

/// The property that tells nodes apart in the embedded engine.
pub const ID: &str = "id";

/// Where a statement sets `id` of nodes that may be there before, each with its label: the embedded engine refuses that.
#[must_use]
pub fn sets_id(statement: &Statement) -> Vec<(Option<String>, Range<usize>)> {
    let mut nodes: BTreeMap<&str, &NodePattern> = BTreeMap::new();
    let met =
        statement.all_clauses().filter(|clause| matches!(clause.kind, ClauseKind::Merge | ClauseKind::Match));
    for node in met.flat_map(|clause| &clause.patterns).flat_map(|path| &path.nodes) {
        if let Some(variable) = node.variable.as_deref().filter(|_| !node.is_reference()) {
            nodes.entry(variable).or_insert(node);
        }
    }
    let sets = statement.all_clauses().flat_map(|clause| &clause.sets);
    let set = sets.flat_map(|item| match item {
        SetItem::Property { variable, name, name_range, .. } if name == ID => {
            vec![(variable.as_str(), name_range.clone())]
        }
        SetItem::Map { variable, entries: Some(entries) } => {
            let named = entries.iter().filter(|entry| entry.name == ID);
            named.map(|entry| (variable.as_str(), entry.value.range.clone())).collect()
        }
        _ => Vec::new(),
    });
    set.filter_map(|(variable, range)| {
        let node = nodes.get(variable)?;
        // Setting the value that it is merged by changes nothing.
        let is_key = node.properties.entries().iter().any(|entry| entry.name == ID);
        (!is_key).then(|| (node.labels.first().map(|label| label.name.clone()), range))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::sets_id;
    use crate::graph::cypher::read;

    #[test]
    fn only_nodes_that_may_be_there_keep_their_id() {
        for (text, labels) in [
            ("MERGE (p:P {k: event.k}) SET p.id = event.id", &["P"][..]),
            ("MERGE (p:P {k: event.k}) ON CREATE SET p += {id: 1}", &["P"]),
            ("MATCH (p:P {k: event.k}) SET p.id = 1, p.x = 2", &["P"]),
            ("MERGE (p:P {id: event.id}) SET p.id = event.id", &[]),
            ("CREATE (p:P {k: event.k}) SET p.id = 1", &[]),
            ("MERGE (p:P {k: 1}) MERGE (p)-[r:R {k: 1}]->(p) SET r.id = 1", &[]),
        ] {
            let found: Vec<_> = sets_id(&read(text)).into_iter().filter_map(|(label, _)| label).collect();
            assert_eq!(found, labels, "{text}");
        }
    }
}
