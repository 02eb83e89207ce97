//! A reader of Cypher text: as much of its structure as the mapping and its checks need, with the place of each part.
//!
//! It is no grammar. It reads any text whatsoever without failing, takes what it recognises, and says `Unknown`, `open`
//! or `dynamic` where it does not, so that a rule built on it can stay silent rather than be wrong about a dialect.

mod clause;
mod event;
mod expression;
mod function;
mod made;
mod name;
mod pattern;
mod property;
mod returned;
mod set;
mod syntax;
mod token;
mod variable;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

pub use clause::{Clause, ClauseKind};
pub use event::{ColumnUse, EventUses};
pub use expression::{Conversion, EVENT, Expression, Shape};
pub use function::{FUNCTIONS, FunctionCall, is_function};
pub use made::{Made, MadeProperties};
pub use name::{literal, quoted};
pub use pattern::{Direction, Entry, Label, NodePattern, PathPattern, Properties, RelationshipPattern};
pub use property::PropertyUse;
pub use returned::returned;
pub use set::SetItem;
pub use syntax::{SyntaxError, engine_syntax};
pub use token::{Fault, FaultKind};
pub use variable::Unbound;

use crate::spec::PropertyType;
use token::{TokenKind, Tokens};

/// What is read of a statement. Each range is in bytes of the text that was read, on character boundaries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statement {
    /// The clauses, in order.
    pub clauses: Vec<Clause>,
    /// The uses of the row.
    pub event: EventUses,
    /// The parameters, `$name`, with their places.
    pub parameters: Vec<(String, Range<usize>)>,
    /// Variables whose properties are used and that nothing binds; [`EVENT`] may be among them.
    pub unbound: Vec<Unbound>,
    /// The names that the statement binds.
    pub bound: BTreeSet<String>,
    /// The properties that are read of elements whose labels or types are plain to see.
    pub properties: Vec<PropertyUse>,
    /// The calls of functions without a namespace.
    pub calls: Vec<FunctionCall>,
    /// What is wrong with the text in any dialect.
    pub faults: Vec<Fault>,
    /// The comments.
    pub comments: Vec<Range<usize>>,
    /// Where the statement ends: before a closing semicolon.
    pub end: usize,
}

/// Reads a text. It never fails: what is wrong with it is among the [`Statement::faults`].
#[must_use]
pub fn read(text: &str) -> Statement {
    let mut tokens = Tokens::read(text);
    let end = (0..tokens.list.len()).find(|index| tokens.is(*index, ";")).unwrap_or(tokens.list.len());
    let clauses = clause::clauses(&tokens, 0..end, 0);
    let mut faults = std::mem::take(&mut tokens.faults);
    // With a bracket or a string that does not close, what follows is misread: that one fault is enough.
    if faults.is_empty() {
        faults.extend(syntax::faults(&tokens, &clauses, end));
    }
    let bound = variable::bound(&tokens, &clauses);
    Statement {
        event: event::uses(&tokens, &clauses),
        parameters: parameters(&tokens),
        unbound: variable::unbound(&tokens, &clauses, &bound),
        properties: property::uses(&tokens, &clauses),
        calls: function::calls(&tokens),
        bound,
        faults,
        comments: tokens.comments.clone(),
        end: tokens.range(end).start,
        clauses,
    }
}

fn parameters(tokens: &Tokens) -> Vec<(String, Range<usize>)> {
    (0..tokens.list.len())
        .filter(|index| tokens.kind(*index) == Some(TokenKind::Parameter))
        .map(|index| (tokens.text(index)[1..].trim_matches('`').to_owned(), tokens.range(index)))
        .collect()
}

impl Statement {
    /// What the statement makes. `column_type` gives the type of a column's values, where it is known.
    #[must_use]
    pub fn made(&self, column_type: &dyn Fn(&str) -> Option<PropertyType>) -> Made {
        made::made(&self.clauses, column_type)
    }

    /// The clauses and those inside them, each before its body.
    pub fn all_clauses(&self) -> impl Iterator<Item = &Clause> {
        let mut stack: Vec<&Clause> = self.clauses.iter().rev().collect();
        std::iter::from_fn(move || {
            let clause = stack.pop()?;
            stack.extend(clause.body.iter().rev());
            Some(clause)
        })
    }

    /// The first clause that changes the graph, if any does. Procedures are not counted: their names do not tell.
    #[must_use]
    pub fn first_write(&self) -> Option<&Clause> {
        self.all_clauses().find(|clause| clause.kind.writes())
    }

    /// The text without comments and without a closing semicolon, each byte at its place.
    #[must_use]
    pub fn plain_text(&self, text: &str) -> String {
        let mut plain = String::with_capacity(self.end);
        let mut at = 0;
        for comment in self.comments.iter().filter(|comment| comment.end <= self.end) {
            plain.push_str(text.get(at..comment.start).unwrap_or_default());
            plain.extend(
                text.get(comment.clone())
                    .unwrap_or_default()
                    .bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
            at = comment.end;
        }
        plain.push_str(text.get(at..self.end).unwrap_or_default());
        plain.truncate(plain.trim_end().len());
        plain
    }
}

impl NodePattern {
    /// Whether it only names a node that the statement has met before, such as `(p)`.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        made::is_reference(self)
    }
}
