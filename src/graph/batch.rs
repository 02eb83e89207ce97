//! The statement that writes a batch: the mapping's own, for each event, between a test-and-set of the checkpoints and a
//! list of the events that came through.
//!
//! A checkpoint is locked by a write before it is read: a plain `MERGE … WHERE` reads the offset before it holds the
//! lock, and two loaders then write the same batch twice. Partitions must come in ascending order, so that two loaders
//! never wait for each other. No event is written unless every checkpoint stands where the batch begins; a loader that
//! finds its batch unwritten must roll back.

use super::cypher::{self, ClauseKind};
use super::{CHECKPOINT_LABEL, Constraint, ConstraintKind, GraphError};

/// Where each event carries its place in the batch, so that those which bind nothing are found.
pub const ROW_VARIABLE: &str = "__row";

/// How many properties `HEAD` sets for each partition, whatever they were before.
pub const PROPERTIES_PER_ADVANCE: u64 = 7;

/// The test-and-set, and the events.
///
/// Parameters: `topic`; `advances`, a list of `{partition, from, offset, file, ordinal, lineage, digest, deadLetters}`;
/// `rows`, a list of `{i, event}`.
const HEAD: &str = "\
UNWIND $advances AS advance
MERGE (checkpoint:RunnerCheckpoint {topic: $topic, partition: advance.partition})
SET checkpoint.lock = true
WITH collect([checkpoint, advance]) AS held,
     count(CASE WHEN coalesce(checkpoint.offset, 0) <> advance.from THEN 1 END) AS elsewhere
WHERE elsewhere = 0
UNWIND held AS pair
WITH pair[0] AS checkpoint, pair[1] AS advance
SET checkpoint.offset = advance.offset, checkpoint.file = advance.file, checkpoint.ordinal = advance.ordinal,
    checkpoint.lineage = advance.lineage, checkpoint.digest = advance.digest,
    checkpoint.deadLetters = advance.deadLetters
WITH count(*) AS moved WHERE moved = size($advances)
UNWIND $rows AS row
WITH row.i AS __row, row.event AS event
";

/// The whole statement for a batch, made from the one that is run for each `event`.
///
/// Its one row has one column, `rows`: the list of the events that came through, by their place in the batch.
#[must_use]
pub fn statement(per_event: &str) -> String {
    let per_event = cypher::read(per_event).plain_text(per_event);
    format!("{HEAD}{}\nRETURN collect(DISTINCT {ROW_VARIABLE}) AS rows", carry_row(per_event.trim()))
}

/// What Neo4j runs for the rows of a batch, in the transaction that has moved the checkpoints already.
///
/// Parameters: `rows`, a list of `[place, event]`; `count`, how many there are. Its one row has one column, `came`: null where
/// all the events came through, else those that did, by their place in the batch.
#[must_use]
pub fn rows_statement(per_event: &str) -> String {
    let per_event = cypher::read(per_event).plain_text(per_event);
    format!(
        "UNWIND $rows AS row\nWITH row[0] AS {ROW_VARIABLE}, row[1] AS event\n{}\n\
         WITH collect(DISTINCT {ROW_VARIABLE}) AS came\n\
         RETURN CASE size(came) WHEN $count THEN null ELSE came END AS came",
        carry_row(per_event.trim())
    )
}

/// Where a `RETURN` stands that would cut the statement off from its [tail](statement), as an offset in bytes.
#[must_use]
pub fn returns_at(per_event: &str) -> Option<usize> {
    let clauses = cypher::read(per_event).clauses;
    clauses.iter().find(|clause| clause.kind == ClauseKind::Return).map(|clause| clause.keyword.start)
}

/// Refuses a statement with a `RETURN`, with its place.
///
/// # Errors
///
/// Where it has one.
pub fn refuse_return(per_event: &str) -> Result<(), GraphError> {
    match returns_at(per_event) {
        None => Ok(()),
        Some(offset) => Err(GraphError::Statement {
            message: "a mapping writes, and has no use for RETURN".to_owned(),
            position: Some(line_and_column(per_event, offset)),
        }),
    }
}

/// Line and column of an offset in bytes, from 1.
fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// By which a checkpoint is found, and of which there is one a partition.
#[must_use]
pub fn checkpoint_constraint() -> Constraint {
    Constraint {
        label: CHECKPOINT_LABEL.to_owned(),
        properties: vec!["topic".to_owned(), "partition".to_owned()],
        kind: ConstraintKind::NodeUnique,
    }
}

/// The statement with [`ROW_VARIABLE`] carried through each `WITH` of its own, so that it is run for each event by
/// itself: a `count(*)` there counts within the event, not over a batch whose borders mean nothing.
fn carry_row(per_event: &str) -> String {
    let mut carried = String::with_capacity(per_event.len() + 16);
    let mut from = 0;
    for clause in cypher::read(per_event).clauses.iter().filter(|clause| clause.kind == ClauseKind::With) {
        let position = items(per_event, clause.keyword.end);
        let (Some(before), Some(after)) = (per_event.get(from..position), per_event.get(position..)) else {
            continue;
        };
        carried.push_str(before);
        if !after.trim_start().starts_with('*') {
            carried.push(' ');
            carried.push_str(ROW_VARIABLE);
            carried.push(',');
        }
        from = position;
    }
    carried.push_str(per_event.get(from..).unwrap_or_default());
    carried
}

/// Where the items of a `WITH` begin: after its keyword, and after a `DISTINCT`.
fn items(cypher: &str, keyword_end: usize) -> usize {
    const DISTINCT: &str = "DISTINCT";
    let rest = cypher.get(keyword_end..).unwrap_or_default();
    let blank = rest.len() - rest.trim_start().len();
    let is_distinct = rest.trim_start().split_at_checked(DISTINCT.len()).is_some_and(|(word, after)| {
        word.eq_ignore_ascii_case(DISTINCT) && after.starts_with(char::is_whitespace)
    });
    if is_distinct { keyword_end + blank + DISTINCT.len() } else { keyword_end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_without_with_stands_as_it_is() {
        let statement = statement("  MERGE (p:Location {name: event.a}) ; // done\n");
        assert!(statement.ends_with(
            "AS event\nMERGE (p:Location {name: event.a})\nRETURN collect(DISTINCT __row) AS rows"
        ));
    }

    #[test]
    fn a_return_of_its_own_is_found() {
        assert_eq!(returns_at("MERGE (a:A)\nreturn a"), Some(12));
        assert_eq!(
            returns_at("MERGE (a:A) CALL (a) { MATCH (b) RETURN b } SET a.return = event.return;"),
            None
        );
    }

    #[test]
    fn a_with_clause_carries_the_row() {
        assert_eq!(
            carry_row("WITH event.a AS a MERGE (:A {a: a})"),
            "WITH __row, event.a AS a MERGE (:A {a: a})"
        );
        assert_eq!(carry_row("with distinct event\nCREATE (:A)"), "with distinct __row, event\nCREATE (:A)");
        assert_eq!(carry_row("WITH distinctly AS a CREATE (:A)"), "WITH __row, distinctly AS a CREATE (:A)");
        assert_eq!(
            carry_row("MERGE (a:A) WITH a, event WITH a MATCH (b)"),
            "MERGE (a:A) WITH __row, a, event WITH __row, a MATCH (b)"
        );
    }

    #[test]
    fn a_with_that_is_no_clause_of_the_statement_itself_is_left_alone() {
        for cypher in [
            "WITH * MERGE (a:A)",
            "MATCH (a) WHERE a.name STARTS WITH 'x' CREATE (b:B)",
            "MATCH (a) WHERE a.name ends  with event.x CREATE (b:B)",
            "CREATE (:A {text: 'a WITH b', `WITH`: \"it\\\"s WITH\"})",
            "CREATE (a:`x WITH y`) // WITH z\n /* WITH q */ SET a.with = event.with",
            "MATCH (a) CALL (a) { WITH a MATCH (b) RETURN b } CREATE (a)-[:R]->(b)",
            "CREATE (:A)-[:X|WITH]->(b:WITH {a: $with})",
            "CREATE (a {s: 'never closed WITH ",
        ] {
            assert_eq!(carry_row(cypher), cypher);
        }
    }
}
