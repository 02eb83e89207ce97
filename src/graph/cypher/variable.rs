//! Variables that are used but that nothing binds.

use std::collections::BTreeSet;
use std::ops::Range;

use super::clause::{Clause, ClauseKind};
use super::token::{TokenKind, Tokens};

/// A variable whose property is read or set, though nothing in the statement binds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unbound {
    /// The variable.
    pub name: String,
    /// Its bytes.
    pub range: Range<usize>,
}

/// The names that the statement binds anywhere: patterns, `AS`, `IN`, `YIELD`, paths. Scopes are not told apart, so that
/// what is reported is never bound at all.
pub(super) fn bound(tokens: &Tokens, clauses: &[Clause]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for index in 0..tokens.list.len() {
        if let Some(name) = tokens.name(index).filter(|_| binds(tokens, index)) {
            names.insert(name);
        }
    }
    yields(tokens, clauses, &mut names);
    names
}

/// Variables of which a property is used and which are not among the names.
pub(super) fn unbound(tokens: &Tokens, clauses: &[Clause], names: &BTreeSet<String>) -> Vec<Unbound> {
    let skipped: BTreeSet<usize> = skipped(clauses).into_iter().flatten().collect();
    (0..tokens.list.len())
        .filter(|index| reads_property(tokens, *index) && !skipped.contains(index))
        .filter_map(|index| {
            let name = tokens.name(index)?;
            (!names.contains(&name)).then(|| Unbound { name, range: tokens.range(index) })
        })
        .collect()
}

fn binds(tokens: &Tokens, index: usize) -> bool {
    let Some(before) = index.checked_sub(1) else { return false };
    let next = index + 1;
    if tokens.is_word(before, "AS") || tokens.is_word(next, "IN") {
        return true;
    }
    // `p = (a)-->(b)`, `p = shortestPath((a)-->(b))`; and `reduce(sum = 0, …`.
    if tokens.is(next, "=")
        && (tokens.is(next + 1, "(") || tokens.is(next + 2, "(") || tokens.is(before, "("))
    {
        return true;
    }
    let opened = tokens.is(before, "(") || tokens.is(before, "[");
    let ends = [":", ")", "]", "{", "*", ","].iter().any(|symbol| tokens.is(next, symbol));
    opened
        && (ends
            || tokens.is_word(next, "WHERE")
            || tokens.is_word(next, "IS")
            || tokens.kind(next) == Some(TokenKind::Parameter))
}

/// What `YIELD` and `LET` bind, at any depth of bodies.
fn yields(tokens: &Tokens, clauses: &[Clause], names: &mut BTreeSet<String>) {
    for clause in clauses {
        let word = tokens.text(clause.tokens.start);
        if clause.kind == ClauseKind::Yield || word.eq_ignore_ascii_case("LET") {
            names.extend(clause.tokens.clone().filter_map(|index| tokens.name(index)));
        }
        yields(tokens, &clause.body, names);
    }
}

/// `name.property`, and neither `a.name.property` nor `name.function(`.
fn reads_property(tokens: &Tokens, index: usize) -> bool {
    if tokens.name(index).is_none() || !tokens.is(index + 1, ".") {
        return false;
    }
    if index.checked_sub(1).is_some_and(|before| tokens.is(before, ".")) {
        return false;
    }
    let mut end = index + 1;
    while tokens.is(end, ".") && tokens.name(end + 1).is_some() {
        end += 2;
    }
    end > index + 1 && !tokens.is(end, "(")
}

/// Clauses whose dotted names are no properties: `CALL db.labels`, `USE neo4j.trips`, `CYPHER …`.
fn skipped(clauses: &[Clause]) -> Vec<Range<usize>> {
    clauses
        .iter()
        .filter(|clause| matches!(clause.kind, ClauseKind::Use | ClauseKind::Version | ClauseKind::Schema))
        .map(|clause| clause.tokens.clone())
        .chain(clauses.iter().filter(|clause| clause.kind == ClauseKind::Procedure).map(|clause| {
            // The arguments do count: only the name before them is left out.
            clause.tokens.start
                ..clause.tokens.start + 1 + clause.procedure.as_deref().map_or(0, dotted_length)
        }))
        .collect()
}

fn dotted_length(name: &str) -> usize {
    name.split('.').count() * 2 - 1
}
