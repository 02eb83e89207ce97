//! Where a mapping's statement uses its row.

use std::ops::Range;

use super::clause::{Clause, ClauseKind};
use super::expression::{self, EVENT};
use super::token::Tokens;

/// A use of one column of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnUse {
    /// The column.
    pub column: String,
    /// The bytes of `event.column`.
    pub range: Range<usize>,
    /// The bytes of the column's name in it, without quotation marks.
    pub name_range: Range<usize>,
}

/// All uses of the row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventUses {
    /// The columns that are named.
    pub columns: Vec<ColumnUse>,
    /// Where the row is used as a whole, so that every column counts as used.
    pub whole: Vec<Range<usize>>,
    /// Uses behind a `WITH` that does not carry the row on, each with the `WITH`.
    pub lost: Vec<(Range<usize>, Range<usize>)>,
    /// Patterns that take the row's name for a node or a relationship.
    pub as_pattern: Vec<Range<usize>>,
}

/// Finds the uses of the row in a statement.
pub(super) fn uses(tokens: &Tokens, clauses: &[Clause]) -> EventUses {
    let scope = Scope::of(tokens, clauses);
    // What stands beside the `IN` that gives the name away may use the row, in whatever way.
    let mut found = EventUses { whole: scope.borrowed.clone(), ..EventUses::default() };
    for index in 0..tokens.list.len() {
        if tokens.name(index).as_deref() != Some(EVENT)
            || scope.hides(index)
            || !may_be_variable(tokens, index)
        {
            continue;
        }
        if let Some(with) = scope.lost(index) {
            found.lost.push((tokens.range(index), with));
        }
        one_use(tokens, index, &scope, &mut found);
    }
    found
}

fn one_use(tokens: &Tokens, index: usize, scope: &Scope, found: &mut EventUses) {
    let range = tokens.range(index);
    if let Some((column, end)) = expression::column_at(tokens, index) {
        // `event.name(` calls a function of a namespace that happens to have this name.
        if !tokens.is(end, "(") {
            let name = tokens.range(index + 2);
            let quoted = tokens.name(index + 2).is_none_or(|name| name != tokens.text(index + 2));
            let inner = name.start + 1..name.end.saturating_sub(1).max(name.start + 1);
            let name_range = if quoted { inner } else { name };
            found.columns.push(ColumnUse { column, range: tokens.span(&(index..end)), name_range });
        }
    } else if tokens.is(index + 1, "{") {
        projection(tokens, index, found);
    } else if tokens.is(index + 1, ":") {
        let before = index.checked_sub(1);
        if before.is_some_and(|before| tokens.is(before, "(") || tokens.is(before, "[")) {
            found.as_pattern.push(range);
        }
    } else if !scope.passes_on(index) {
        found.whole.push(range);
    }
}

/// `event {.column, .*, other: …}`.
fn projection(tokens: &Tokens, index: usize, found: &mut EventUses) {
    let open = index + 1;
    for part in tokens.split(open + 1..tokens.after(open).saturating_sub(1), ",") {
        if !tokens.is(part.start, ".") {
            continue;
        }
        match tokens.name(part.start + 1) {
            Some(column) => found.columns.push(ColumnUse {
                column,
                range: tokens.span(&(part.start..part.start + 2)),
                name_range: tokens.range(part.start + 1),
            }),
            None => found.whole.push(tokens.range(index)),
        }
    }
}

/// Whether the word can be a variable where it stands: not a property, nor a function, nor a label.
fn may_be_variable(tokens: &Tokens, index: usize) -> bool {
    let after_dot = index.checked_sub(1).is_some_and(|before| tokens.is(before, "."));
    !after_dot && !tokens.is(index + 1, "(")
}

/// Where the name `event` means the row.
struct Scope {
    /// Where a comprehension takes the name for its own variable.
    borrowed: Vec<Range<usize>>,
    /// Tokens where it means something else.
    hidden: Vec<Range<usize>>,
    /// Tokens where it means nothing any more, and the clause that dropped it.
    lost: Vec<(Range<usize>, Range<usize>)>,
    /// Tokens that only carry it on.
    carried: Vec<usize>,
}

impl Scope {
    fn of(tokens: &Tokens, clauses: &[Clause]) -> Self {
        let mut scope =
            Self { borrowed: Vec::new(), hidden: Vec::new(), lost: Vec::new(), carried: Vec::new() };
        scope.rebound(tokens);
        scope.carry(tokens, clauses);
        scope.drop_where_not_carried(tokens, clauses);
        scope
    }

    fn hides(&self, index: usize) -> bool {
        self.hidden.iter().any(|hidden| hidden.contains(&index))
    }

    fn lost(&self, index: usize) -> Option<Range<usize>> {
        self.lost.iter().find(|(range, _)| range.contains(&index)).map(|(_, with)| with.clone())
    }

    fn passes_on(&self, index: usize) -> bool {
        self.carried.contains(&index)
    }

    /// `… AS event` from there on, and `(event IN …)` and `[event IN …]` inside the brackets.
    fn rebound(&mut self, tokens: &Tokens) {
        for index in 1..tokens.list.len() {
            if tokens.name(index).as_deref() != Some(EVENT) {
                continue;
            }
            let before = index - 1;
            let itself = index.checked_sub(2).is_some_and(|from| tokens.name(from).as_deref() == Some(EVENT));
            if tokens.is_word(before, "AS") && !itself {
                self.hidden.push(index..usize::MAX);
            } else if tokens.is_word(index + 1, "IN") && (tokens.is(before, "(") || tokens.is(before, "[")) {
                self.borrowed.push(tokens.range(index));
                self.hidden.push(before..tokens.after(before));
            }
        }
    }

    fn carry(&mut self, tokens: &Tokens, clauses: &[Clause]) {
        for clause in clauses {
            if clause.kind == ClauseKind::With {
                let items = items(tokens, clause);
                self.carried
                    .extend(items.iter().filter(|item| is_event(tokens, item)).map(|item| item.start));
            }
            // `CALL (event) {`
            if clause.kind == ClauseKind::Subquery && tokens.is(clause.tokens.start + 1, "(") {
                let open = clause.tokens.start + 1;
                self.carried.extend(open..tokens.after(open));
            }
            self.carry(tokens, &clause.body);
        }
    }

    fn drop_where_not_carried(&mut self, tokens: &Tokens, clauses: &[Clause]) {
        let mut dropped: Option<&Clause> = None;
        for clause in clauses {
            if clause.kind == ClauseKind::Union {
                dropped = None;
            }
            if let Some(with) = dropped {
                self.lost.push((clause.tokens.clone(), with.range.clone()));
            }
            // A WHERE right after the WITH still sees what was there before it, as does its ORDER BY.
            let carries = clause.kind != ClauseKind::With
                || items(tokens, clause)
                    .iter()
                    .any(|item| is_event(tokens, item) || tokens.is(item.start, "*"));
            if !carries && dropped.is_none() {
                dropped = Some(clause);
            }
        }
        self.lost.retain(|(range, _)| !follows_with(clauses, range.start));
    }
}

/// Whether the clause at a token is the `WHERE`, `ORDER BY`, `SKIP` or `LIMIT` of a `WITH`.
fn follows_with(clauses: &[Clause], start: usize) -> bool {
    let Some(position) = clauses.iter().position(|clause| clause.tokens.start == start) else { return false };
    let belongs = |kind| matches!(kind, ClauseKind::Where | ClauseKind::Other);
    let before = clauses[..=position].iter().rev().find(|clause| !belongs(clause.kind));
    belongs(clauses[position].kind) && before.is_some_and(|clause| clause.kind == ClauseKind::With)
}

fn items(tokens: &Tokens, with: &Clause) -> Vec<Range<usize>> {
    let distinct = usize::from(tokens.is_word(with.tokens.start + 1, "DISTINCT"));
    tokens.split((with.tokens.start + 1 + distinct).min(with.tokens.end)..with.tokens.end, ",")
}

/// Whether an item is `event`, or `event AS event`.
fn is_event(tokens: &Tokens, item: &Range<usize>) -> bool {
    let plain = item.len() == 1;
    let itself = item.len() == 3
        && tokens.is_word(item.start + 1, "AS")
        && tokens.name(item.start + 2).as_deref() == Some(EVENT);
    tokens.name(item.start).as_deref() == Some(EVENT) && (plain || itself)
}
