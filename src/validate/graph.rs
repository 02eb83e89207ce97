//! What the mapping makes: the labels, types and properties that the rest of the file may name.

use indexmap::IndexSet;

use crate::spec::Mapping;

/// What a mapping makes.
pub(super) struct Made<'a> {
    /// The labels of nodes.
    pub labels: Vec<&'a str>,
    /// The types of relationships.
    pub types: Vec<&'a str>,
}

impl<'a> Made<'a> {
    /// What a mapping makes; `None` where that is not known.
    pub fn by(mapping: &'a Mapping) -> Option<Self> {
        if mapping.cypher.is_some() || mapping.nodes.is_empty() {
            return None;
        }
        let labels: IndexSet<&str> = mapping.nodes.iter().map(|node| node.label.as_str()).collect();
        let types: IndexSet<&str> =
            mapping.relationships.iter().map(|relationship| relationship.kind.as_str()).collect();
        Some(Self { labels: labels.into_iter().collect(), types: types.into_iter().collect() })
    }
}
