//! The columns of a query.

use std::ops::Range;

use super::clause::{self, ClauseKind};
use super::token::Tokens;

/// The columns of a query in their order, as far as its text tells: those of its last `RETURN`, or of the `YIELD` that ends it.
/// A column without a name is called what its expression is, as it is written.
#[must_use]
pub fn returned(text: &str) -> Vec<String> {
    let tokens = Tokens::read(text);
    let end = (0..tokens.list.len()).find(|index| tokens.is(*index, ";")).unwrap_or(tokens.list.len());
    let clauses = clause::clauses(&tokens, 0..end, 0);
    // What follows it is its own: ORDER BY, SKIP, LIMIT.
    let last = clauses.iter().rev().find(|clause| clause.kind != ClauseKind::Other);
    let Some(last) = last.filter(|last| matches!(last.kind, ClauseKind::Return | ClauseKind::Yield)) else {
        return Vec::new();
    };
    let mut items = last.tokens.start + 1..last.tokens.end;
    if tokens.is_word(items.start, "DISTINCT") {
        items.start += 1;
    }
    tokens.split(items, ",").into_iter().filter_map(|item| column(&tokens, item)).collect()
}

fn column(tokens: &Tokens, item: Range<usize>) -> Option<String> {
    if item.is_empty() || tokens.is(item.start, "*") {
        return None;
    }
    let last = item.end - 1;
    if item.len() > 2 && tokens.is_word(last - 1, "AS") {
        return tokens.name(last);
    }
    if item.len() == 1
        && let Some(name) = tokens.name(last)
    {
        return Some(name);
    }
    tokens.text.get(tokens.span(&item)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::returned;

    #[test]
    fn columns_are_those_of_the_last_return() {
        for (cypher, columns) in [
            (
                "MATCH (n) RETURN n.name AS name, count( n ), n ORDER BY n.name LIMIT 5;",
                vec!["name", "count( n )", "n"],
            ),
            ("RETURN DISTINCT 1 AS `a b`, {x: 1, y: 2}.x, [1, 2]", vec!["a b", "{x: 1, y: 2}.x", "[1, 2]"]),
            ("CALL { MATCH (a) RETURN a } WITH a RETURN a.b", vec!["a.b"]),
            ("CALL gds.pageRank.stream('g') YIELD nodeId, score", vec!["nodeId", "score"]),
            ("CALL db.labels() YIELD label AS l RETURN l AS x // RETURN y", vec!["x"]),
            ("MATCH (n) RETURN *", vec![]),
            ("MATCH (n) DELETE n", vec![]),
            ("RETURN", vec![]),
        ] {
            assert_eq!(returned(cypher), columns, "{cypher}");
        }
    }
}
