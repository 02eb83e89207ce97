//! Where a mapping's statement uses its row.

use std::collections::BTreeSet;
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

/// Where the name `event` means the row. Each question is answered in constant or logarithmic time, since a text may be
/// long and made to hurt.
struct Scope {
    /// Where a comprehension takes the name for its own variable.
    borrowed: Vec<Range<usize>>,
    /// For each token, whether the name means something else there.
    hidden: Vec<bool>,
    /// Tokens where it means nothing any more, in order, and the clause that dropped it.
    lost: Vec<(Range<usize>, Range<usize>)>,
    /// Tokens that only carry it on.
    carried: BTreeSet<usize>,
}

impl Scope {
    fn of(tokens: &Tokens, clauses: &[Clause]) -> Self {
        let (hidden, borrowed) = rebound(tokens);
        let mut scope = Self { borrowed, hidden, lost: dropped(tokens, clauses), carried: BTreeSet::new() };
        scope.carry(tokens, clauses);
        scope
    }

    fn hides(&self, index: usize) -> bool {
        self.hidden.get(index).copied().unwrap_or_default()
    }

    fn lost(&self, index: usize) -> Option<Range<usize>> {
        let after = self.lost.partition_point(|(range, _)| range.end <= index);
        let (range, with) = self.lost.get(after)?;
        range.contains(&index).then(|| with.clone())
    }

    fn passes_on(&self, index: usize) -> bool {
        self.carried.contains(&index)
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
}

/// Where the name means something else: behind `… AS event`, and inside the brackets of `(event IN …)` and `[event IN …]`; the
/// latter places as well.
fn rebound(tokens: &Tokens) -> (Vec<bool>, Vec<Range<usize>>) {
    let mut borrowed = Vec::new();
    // How many more, and fewer, reasons to hide there are from a token on.
    let mut change = vec![0_i64; tokens.list.len() + 1];
    for index in 1..tokens.list.len() {
        if tokens.name(index).as_deref() != Some(EVENT) {
            continue;
        }
        let before = index - 1;
        let itself = index.checked_sub(2).is_some_and(|from| tokens.name(from).as_deref() == Some(EVENT));
        if tokens.is_word(before, "AS") && !itself {
            change[index] += 1;
        } else if tokens.is_word(index + 1, "IN") && (tokens.is(before, "(") || tokens.is(before, "[")) {
            borrowed.push(tokens.range(index));
            change[before] += 1;
            change[tokens.after(before)] -= 1;
        }
    }
    let mut reasons = 0;
    let hidden = change.into_iter().map(|change| {
        reasons += change;
        reasons > 0
    });
    (hidden.collect(), borrowed)
}

/// The clauses behind a `WITH` that does not carry the row on.
fn dropped(tokens: &Tokens, clauses: &[Clause]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut lost = Vec::new();
    let mut dropped: Option<&Clause> = None;
    let mut with_before = false;
    for clause in clauses {
        // The WHERE and ORDER BY of a WITH still see what was there before it.
        let of_with = matches!(clause.kind, ClauseKind::Where | ClauseKind::Other);
        let sees_before = of_with && with_before;
        with_before = clause.kind == ClauseKind::With || sees_before;
        if clause.kind == ClauseKind::Union {
            dropped = None;
        }
        if let Some(with) = dropped.filter(|_| !sees_before) {
            lost.push((clause.tokens.clone(), with.range.clone()));
        }
        let carries = |item: &Range<usize>| is_event(tokens, item) || tokens.is(item.start, "*");
        if clause.kind == ClauseKind::With && dropped.is_none() && !items(tokens, clause).iter().any(carries)
        {
            dropped = Some(clause);
        }
    }
    lost
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
