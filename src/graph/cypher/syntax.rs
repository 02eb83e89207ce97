//! What is wrong with a text: in any dialect, and for the embedded engine.

use std::ops::Range;

use kglite::api::KgError;

use super::Statement;
use super::clause::{self, Clause, ClauseKind};
use super::token::{Fault, FaultKind, TokenKind, Tokens};

/// A text that the embedded engine cannot read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The engine's own words: the first line, in lower case.
    pub message: String,
    /// Where it lost its way; the whole text where it does not say.
    pub range: Range<usize>,
}

/// What stands before a mapping's text when it is run.
const MAPPING_HEAD: &str = "UNWIND $events AS event\n";

/// Asks the embedded engine's own parser about a text; with `mapping`, as the part that is run for each `event`.
///
/// Comments are taken out before: the engine refuses those in `/* */`, and nothing else is at stake in them.
#[must_use]
pub fn engine_syntax(text: &str, mapping: bool) -> Option<SyntaxError> {
    let statement = super::read(text);
    let plain = statement.plain_text(text);
    if plain.trim().is_empty() {
        return None;
    }
    let head = if mapping { MAPPING_HEAD } else { "" };
    let error = kglite::api::cypher::parse_cypher(&format!("{head}{plain}")).err()?;
    let KgError::CypherSyntax { message, line, col } = error else {
        return Some(SyntaxError { message: first_line(&error.to_string()), range: 0..plain.len() });
    };
    let message = first_line(&message);
    let place = match (line.zip(col), message.split_once(" at position ")) {
        (Some((line, column)), _) => {
            line.checked_sub(head.lines().count()).and_then(|line| offset(&plain, line, column))
        }
        // What the engine's tokenizer refuses comes with a place in characters of the whole, in words.
        (None, Some((_, position))) => characters(position)
            .and_then(|position| position.checked_sub(head.chars().count()))
            .and_then(|position| plain.char_indices().nth(position))
            .map(|(byte, _)| byte),
        (None, None) => None,
    };
    // The engine notices writing clauses in a subquery only at its end.
    let inner = written_in_subquery(&statement).filter(|_| message.starts_with("write clauses"));
    let found = inner.or_else(|| place.and_then(|byte| token_at(text, byte)));
    let message = in_words(&message, found.clone().and_then(|range| text.get(range)));
    Some(SyntaxError { message, range: found.unwrap_or(0..plain.len()) })
}

fn written_in_subquery(statement: &Statement) -> Option<Range<usize>> {
    let subqueries = statement.all_clauses().filter(|clause| clause.kind == ClauseKind::Subquery);
    let clause = subqueries.flat_map(|clause| &clause.body).find(|clause| clause.kind.writes())?;
    Some(clause.keyword.clone())
}

/// The engine's message, with its names of tokens as they are written: `expected }, found IntLit(6)`.
fn in_words(message: &str, found: Option<&str>) -> String {
    let message = message.split(" at position ").next().unwrap_or_default();
    let wanted = message.strip_prefix("Expected ").and_then(|rest| rest.split_once(", found "));
    let mut words = match (wanted, found) {
        (Some((wanted, _)), Some(found)) => format!("expected {}, found `{found}`", written(wanted)),
        _ => message.to_owned(),
    };
    let is_capitals = words.chars().nth(1).is_some_and(char::is_uppercase);
    if let Some(first) = words.get_mut(..1).filter(|_| !is_capitals) {
        first.make_ascii_lowercase();
    }
    words
}

/// A token of the engine's, as it is written.
fn written(token: &str) -> String {
    const SYMBOLS: [(&str, &str); 9] = [
        ("LParen", "("),
        ("RParen", ")"),
        ("LBracket", "["),
        ("RBracket", "]"),
        ("LBrace", "{"),
        ("RBrace", "}"),
        ("Colon", ":"),
        ("Comma", ","),
        ("Equals", "="),
    ];
    let symbol = SYMBOLS.iter().find(|(name, _)| *name == token).map(|(_, symbol)| *symbol);
    symbol.map_or_else(|| token.to_owned(), |symbol| format!("`{symbol}`"))
}

fn characters(position: &str) -> Option<usize> {
    position.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// The byte of a line and column, both from 1, the column in characters.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let mut start = 0;
    for (number, content) in text.split('\n').enumerate() {
        if number + 1 == line {
            let inner =
                content.char_indices().nth(column.checked_sub(1)?).map_or(content.len(), |(byte, _)| byte);
            return Some(start + inner);
        }
        start += content.len() + 1;
    }
    None
}

/// The token at a byte; at the end of the text, the last one.
fn token_at(text: &str, byte: usize) -> Option<Range<usize>> {
    let tokens = Tokens::read(text);
    let at = tokens.list.iter().find(|token| token.range.end > byte);
    at.or(tokens.list.last()).map(|token| token.range.clone())
}

/// Faults that are such in any dialect of Cypher.
pub(super) fn faults(tokens: &Tokens, clauses: &[Clause], end: usize) -> Vec<Fault> {
    let mut found: Vec<Fault> = clause::unknown_clause(tokens, clauses.first(), end).into_iter().collect();
    found.extend(clauses.iter().filter_map(|clause| misspelt_clause(tokens, clause)));
    found.extend((0..tokens.list.len()).filter_map(|index| missing_value(tokens, index)));
    if end + 1 < tokens.list.len() {
        let rest = tokens.span(&(end + 1..tokens.list.len()));
        found.push(Fault { kind: FaultKind::SecondStatement, range: rest });
    }
    found
}

/// A word after the end of a pattern, as in `MERGE (a) MREGE (b)`, or between a value and a parenthesis.
fn misspelt_clause(tokens: &Tokens, clause: &Clause) -> Option<Fault> {
    let pattern = matches!(clause.kind, ClauseKind::Merge | ClauseKind::Create);
    let assigns =
        matches!(clause.kind, ClauseKind::Set | ClauseKind::Match | ClauseKind::Where | ClauseKind::Unwind);
    if !pattern && !assigns {
        return None;
    }
    let mut index = clause.tokens.start + 1;
    while index < clause.tokens.end {
        let word = tokens.kind(index) == Some(TokenKind::Word);
        let ended = tokens.is(index - 1, ")") || tokens.is(index - 1, "}") || literal(tokens, index - 1);
        if word && ended && !joins(tokens, index) && (pattern || tokens.is(index + 1, "(")) {
            let kind = FaultKind::UnknownClause(tokens.text(index).to_owned());
            return Some(Fault { kind, range: tokens.range(index) });
        }
        index = tokens.after(index);
    }
    None
}

fn literal(tokens: &Tokens, index: usize) -> bool {
    matches!(tokens.kind(index), Some(TokenKind::Number | TokenKind::Text))
}

/// Words that may stand between two values.
fn joins(tokens: &Tokens, index: usize) -> bool {
    const WORDS: [&str; 19] = [
        "AND", "OR", "XOR", "NOT", "IN", "IS", "STARTS", "ENDS", "CONTAINS", "AS", "THEN", "ELSE", "END",
        "WHEN", "WITH", "SEARCH", "FOR", "ON", "MOD",
    ];
    WORDS.iter().any(|word| tokens.is_word(index, word))
}

/// `key: }`, `x = ,`, `(a, )`.
fn missing_value(tokens: &Tokens, index: usize) -> Option<Fault> {
    let wants = [":", ",", "="].iter().any(|symbol| tokens.is(index, symbol));
    let next = index + 1;
    let closes = [")", "]", "}", ","].iter().any(|symbol| tokens.is(next, symbol));
    (wants && closes).then(|| Fault { kind: FaultKind::MissingValue, range: tokens.span(&(index..next + 1)) })
}
