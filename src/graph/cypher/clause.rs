//! The clauses of a statement, and those inside `FOREACH` and `CALL { … }`.

use std::ops::Range;

use super::pattern::{self, PathPattern};
use super::set::{self, SetItem};
use super::token::{Fault, FaultKind, TokenKind, Tokens};

/// What a clause does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClauseKind {
    /// `MATCH`, `OPTIONAL MATCH`.
    Match,
    /// `MERGE`.
    Merge,
    /// `CREATE`, `INSERT`.
    Create,
    /// `SET`, also after `ON CREATE` and `ON MATCH`.
    Set,
    /// `REMOVE`.
    Remove,
    /// `DELETE`, `DETACH DELETE`.
    Delete,
    /// `FOREACH`, with clauses of its own.
    Foreach,
    /// `CALL { … }`, with clauses of its own.
    Subquery,
    /// `IN TRANSACTIONS` after a subquery.
    InTransactions,
    /// `CALL name(…)`.
    Procedure,
    /// `WITH`.
    With,
    /// `UNWIND`.
    Unwind,
    /// `WHERE`, `FILTER`.
    Where,
    /// `RETURN`.
    Return,
    /// `LOAD CSV`.
    LoadCsv,
    /// `UNION`.
    Union,
    /// `YIELD` after a procedure.
    Yield,
    /// `CREATE` or `DROP` of an index, constraint or the like.
    Schema,
    /// `USE`.
    Use,
    /// `EXPLAIN`, `PROFILE`.
    Explain,
    /// `CYPHER 25` and its options.
    Version,
    /// `ORDER BY`, `SKIP`, `LIMIT`, hints, `FINISH`, `LET`, `SHOW`: what binds or writes nothing that matters here.
    Other,
}

impl ClauseKind {
    /// Whether the clause itself changes the graph; a procedure may, which its name alone tells.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::Merge | Self::Create | Self::Set | Self::Remove | Self::Delete | Self::Schema)
    }
}

/// One clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// What it does.
    pub kind: ClauseKind,
    /// The bytes of its keywords.
    pub keyword: Range<usize>,
    /// The bytes of the whole clause.
    pub range: Range<usize>,
    /// The patterns of `MATCH`, `MERGE` and `CREATE`.
    pub patterns: Vec<PathPattern>,
    /// What a `SET` sets.
    pub sets: Vec<SetItem>,
    /// The clauses inside `FOREACH` and `CALL { … }`.
    pub body: Vec<Clause>,
    /// The name of a procedure.
    pub procedure: Option<String>,
    pub(super) tokens: Range<usize>,
}

/// Deeper bodies are not looked into.
const DEEPEST: usize = 32;

/// A keyword at the beginning of a clause: how many tokens it has, and what it begins.
struct Keyword {
    kind: ClauseKind,
    length: usize,
}

/// The clauses of some tokens.
pub(super) fn clauses(tokens: &Tokens, within: Range<usize>, depth: usize) -> Vec<Clause> {
    let mut found = Vec::new();
    let mut index = within.start;
    let mut open: Option<(usize, Keyword)> = None;
    while index < within.end {
        if let Some(keyword) = keyword_at(tokens, index, within.start) {
            let length = keyword.length;
            if let Some((start, before)) = open.replace((index, keyword)) {
                found.push(clause(tokens, start..index, &before, depth));
            }
            index += length;
        } else {
            index = tokens.after(index);
        }
    }
    if let Some((start, last)) = open {
        found.push(clause(tokens, start..within.end.max(start), &last, depth));
    }
    found
}

/// Says so where the statement begins with a word that no clause begins with.
pub(super) fn unknown_clause(tokens: &Tokens, first: Option<&Clause>, end: usize) -> Option<Fault> {
    let before = first.map_or(end, |clause| clause.tokens.start);
    (before > 0)
        .then(|| Fault { kind: FaultKind::UnknownClause(tokens.text(0).to_owned()), range: tokens.range(0) })
}

fn clause(tokens: &Tokens, at: Range<usize>, keyword: &Keyword, depth: usize) -> Clause {
    let inner = (at.start + keyword.length).min(at.end)..at.end;
    let mut clause = Clause {
        kind: keyword.kind,
        keyword: tokens.span(&(at.start..inner.start)),
        range: tokens.span(&at),
        patterns: Vec::new(),
        sets: Vec::new(),
        body: Vec::new(),
        procedure: None,
        tokens: at,
    };
    match keyword.kind {
        ClauseKind::Match | ClauseKind::Merge | ClauseKind::Create => {
            clause.patterns = pattern::paths(tokens, inner, depth);
        }
        ClauseKind::Set => clause.sets = set::items(tokens, inner),
        ClauseKind::Foreach => clause.body = foreach_body(tokens, inner.start, depth),
        ClauseKind::Subquery => clause.body = subquery_body(tokens, inner, depth),
        ClauseKind::Procedure => clause.procedure = Some(procedure_name(tokens, inner)),
        _ => {}
    }
    clause
}

/// `FOREACH ( x IN list | clauses )`.
fn foreach_body(tokens: &Tokens, open: usize, depth: usize) -> Vec<Clause> {
    let Some(close) = tokens.partner(open).filter(|close| *close > open && depth < DEEPEST) else {
        return Vec::new();
    };
    let mut index = open + 1;
    while index < close && !tokens.is(index, "|") {
        index = tokens.after(index);
    }
    clauses(tokens, (index + 1).min(close)..close, depth + 1)
}

/// `CALL { clauses }` and `CALL (x, y) { clauses }`.
fn subquery_body(tokens: &Tokens, inner: Range<usize>, depth: usize) -> Vec<Clause> {
    let open = if tokens.is(inner.start, "(") { tokens.after(inner.start) } else { inner.start };
    match tokens.partner(open) {
        Some(close) if close > open && close < inner.end && depth < DEEPEST => {
            clauses(tokens, open + 1..close, depth + 1)
        }
        _ => Vec::new(),
    }
}

fn procedure_name(tokens: &Tokens, inner: Range<usize>) -> String {
    inner
        .take_while(|index| tokens.is(*index, ".") || tokens.name(*index).is_some())
        .map(|index| tokens.text(index))
        .collect()
}

/// The clause that begins with this token, if one does. The same words are names after `.`, `:`, `AS` or an operator.
fn keyword_at(tokens: &Tokens, index: usize, start: usize) -> Option<Keyword> {
    if tokens.kind(index) != Some(TokenKind::Word) || named_here(tokens, index, start) {
        return None;
    }
    let word = tokens.text(index).to_ascii_uppercase();
    let next = |offset: usize, wanted: &str| tokens.is_word(index + offset, wanted);
    let found = |kind, length| Some(Keyword { kind, length });
    match word.as_str() {
        "MATCH" => found(ClauseKind::Match, 1),
        "OPTIONAL" if next(1, "MATCH") => found(ClauseKind::Match, 2),
        "OPTIONAL" if next(1, "CALL") => found(call(tokens, index + 2), 2),
        "MERGE" => found(ClauseKind::Merge, 1),
        "CREATE" if makes_schema(tokens, index + 1) => found(ClauseKind::Schema, 2),
        "CREATE" => found(ClauseKind::Create, 1),
        "INSERT" if tokens.is(index + 1, "(") => found(ClauseKind::Create, 1),
        "ON" if (next(1, "CREATE") || next(1, "MATCH")) && next(2, "SET") => found(ClauseKind::Set, 3),
        "SET" => found(ClauseKind::Set, 1),
        "REMOVE" => found(ClauseKind::Remove, 1),
        "DELETE" => found(ClauseKind::Delete, 1),
        "DETACH" | "NODETACH" if next(1, "DELETE") => found(ClauseKind::Delete, 2),
        "FOREACH" if tokens.is(index + 1, "(") => found(ClauseKind::Foreach, 1),
        "CALL" => found(call(tokens, index + 1), 1),
        "WITH" => found(ClauseKind::With, 1),
        "UNWIND" => found(ClauseKind::Unwind, 1),
        "WHERE" => found(ClauseKind::Where, 1),
        "RETURN" => found(ClauseKind::Return, 1),
        "LOAD" if next(1, "CSV") => found(ClauseKind::LoadCsv, 2),
        "UNION" => found(ClauseKind::Union, 1),
        "YIELD" => found(ClauseKind::Yield, 1),
        "IN" if follows_body(tokens, index) && in_transactions(tokens, index) => {
            found(ClauseKind::InTransactions, 1)
        }
        "ORDER" if next(1, "BY") => found(ClauseKind::Other, 2),
        "USING" | "SKIP" | "LIMIT" | "OFFSET" | "FINISH" => found(ClauseKind::Other, 1),
        _ if index == start => leading(tokens, index, &word),
        _ => None,
    }
}

/// Words that begin a clause only at the very beginning of a statement, or that are too common as names elsewhere.
fn leading(tokens: &Tokens, index: usize, word: &str) -> Option<Keyword> {
    let kind = match word {
        "USE" => ClauseKind::Use,
        "EXPLAIN" | "PROFILE" => ClauseKind::Explain,
        "CYPHER" => ClauseKind::Version,
        "DROP" | "ALTER" | "GRANT" | "TERMINATE" => ClauseKind::Schema,
        "FILTER" => ClauseKind::Where,
        "LET" | "SHOW" => ClauseKind::Other,
        _ => return None,
    };
    (!tokens.is(index + 1, "(")).then_some(Keyword { kind, length: 1 })
}

/// Whether the word stands where only a name can.
fn named_here(tokens: &Tokens, index: usize, start: usize) -> bool {
    if tokens.is(index + 1, ".") {
        return true;
    }
    let Some(before) = index.checked_sub(1).filter(|before| *before >= start) else { return false };
    let after_symbol = tokens.kind(before) == Some(TokenKind::Symbol)
        && !matches!(tokens.text(before), ")" | "]" | "}" | ";" | "*" | ">" | "-");
    after_symbol
        || tokens.is_word(before, "AS")
        || (tokens.is_word(index, "WITH")
            && ["STARTS", "ENDS", "CSV"].iter().any(|word| tokens.is_word(before, word)))
}

fn call(tokens: &Tokens, index: usize) -> ClauseKind {
    let open = if tokens.is(index, "(") { tokens.after(index) } else { index };
    if tokens.is(open, "{") { ClauseKind::Subquery } else { ClauseKind::Procedure }
}

fn makes_schema(tokens: &Tokens, index: usize) -> bool {
    const SCHEMA: [&str; 14] = [
        "CONSTRAINT",
        "INDEX",
        "RANGE",
        "TEXT",
        "POINT",
        "FULLTEXT",
        "VECTOR",
        "LOOKUP",
        "DATABASE",
        "COMPOSITE",
        "ALIAS",
        "USER",
        "ROLE",
        "OR",
    ];
    SCHEMA.iter().any(|word| tokens.is_word(index, word))
}

fn follows_body(tokens: &Tokens, index: usize) -> bool {
    index.checked_sub(1).is_some_and(|before| tokens.is(before, "}"))
}

/// `IN TRANSACTIONS`, `IN 3 CONCURRENT TRANSACTIONS`.
fn in_transactions(tokens: &Tokens, index: usize) -> bool {
    (index + 1..index + 4)
        .any(|next| tokens.is_word(next, "TRANSACTIONS") || tokens.is_word(next, "TRANSACTION"))
}
