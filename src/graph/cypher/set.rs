//! What a `SET` clause sets.

use std::ops::Range;

use super::expression::{self, Expression};
use super::pattern::{self, Entry, Label};
use super::token::Tokens;

/// One item of a `SET` clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetItem {
    /// `n.name = …`.
    Property {
        /// The variable.
        variable: String,
        /// The property.
        name: String,
        /// The bytes of the property's name.
        name_range: Range<usize>,
        /// What it becomes.
        value: Expression,
    },
    /// `n:Label`.
    Labels {
        /// The variable.
        variable: String,
        /// The labels.
        labels: Vec<Label>,
        /// Whether a label among them is only known when it runs.
        dynamic: bool,
    },
    /// `n = {…}`, `n += {…}`.
    Map {
        /// The variable.
        variable: String,
        /// The entries, where the map is written out.
        entries: Option<Vec<Entry>>,
    },
    /// Anything else, such as `n[$name] = …`.
    Unknown,
}

/// The items of a `SET` clause.
pub(super) fn items(tokens: &Tokens, within: Range<usize>) -> Vec<SetItem> {
    tokens
        .split(within, ",")
        .into_iter()
        .filter(|item| !item.is_empty())
        .map(|item| item_of(tokens, &item))
        .collect()
}

fn item_of(tokens: &Tokens, at: &Range<usize>) -> SetItem {
    let Some(variable) = tokens.name(at.start) else { return SetItem::Unknown };
    let second = at.start + 1;
    if tokens.is(second, ":") || tokens.is_word(second, "IS") {
        let (labels, dynamic) = pattern::labels(tokens, second..at.end);
        return SetItem::Labels { variable, labels, dynamic };
    }
    if tokens.is(second, "=") || tokens.is(second, "+=") {
        let open = second + 1;
        let whole = tokens.is(open, "{") && tokens.after(open) >= at.end;
        let entries = whole.then(|| pattern::entries(tokens, open));
        return SetItem::Map { variable, entries };
    }
    match tokens.name(second + 1) {
        Some(name) if tokens.is(second, ".") && tokens.is(second + 2, "=") => SetItem::Property {
            variable,
            name,
            name_range: tokens.range(second + 1),
            value: expression::read(tokens, (second + 3).min(at.end)..at.end),
        },
        _ => SetItem::Unknown,
    }
}
