//! Node and relationship patterns.

use std::ops::Range;

use super::expression::{self, Expression};
use super::token::Tokens;

/// A path: a node, or nodes joined by relationships.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathPattern {
    /// Its bytes.
    pub range: Range<usize>,
    /// The nodes, in order.
    pub nodes: Vec<NodePattern>,
    /// The relationships between one node and the next.
    pub relationships: Vec<RelationshipPattern>,
    /// Whether parts of it could not be read, such as a quantified path.
    pub partial: bool,
}

/// `(variable:Label {key: value})`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodePattern {
    /// Its bytes, with the parentheses.
    pub range: Range<usize>,
    /// The variable.
    pub variable: Option<String>,
    /// The labels.
    pub labels: Vec<Label>,
    /// Whether a label is only known when it runs, or is a condition rather than a name.
    pub dynamic: bool,
    /// The properties.
    pub properties: Properties,
}

/// `-[variable:TYPE {key: value}]->`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationshipPattern {
    /// Its bytes, with the dashes.
    pub range: Range<usize>,
    /// The variable.
    pub variable: Option<String>,
    /// The types; in what is made, exactly one.
    pub types: Vec<Label>,
    /// Whether a type is only known when it runs.
    pub dynamic: bool,
    /// The properties.
    pub properties: Properties,
    /// Which way it points.
    pub direction: Direction,
}

/// Which way a relationship pattern points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Direction {
    /// `-->`.
    Right,
    /// `<--`.
    Left,
    /// `--`, `<-->`.
    #[default]
    Either,
}

/// A label or a type, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The name.
    pub name: String,
    /// Its bytes.
    pub range: Range<usize>,
}

/// The properties of a pattern.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Properties {
    /// None are given.
    #[default]
    None,
    /// A map that is written out.
    Map(Vec<Entry>),
    /// A parameter or variable that holds a map.
    Unknown,
}

impl Properties {
    /// The entries of a map that is written out.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match self {
            Self::Map(entries) => entries,
            Self::None | Self::Unknown => &[],
        }
    }

    /// Whether no property is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::Map(entries) => entries.is_empty(),
            Self::Unknown => false,
        }
    }
}

/// One property of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// The bytes of the name.
    pub name_range: Range<usize>,
    /// The value.
    pub value: Expression,
}

/// Quantified paths nested deeper are not looked into.
const DEEPEST: usize = 32;

/// The paths of a clause, separated by commas.
pub(super) fn paths(tokens: &Tokens, within: Range<usize>, depth: usize) -> Vec<PathPattern> {
    tokens
        .split(within, ",")
        .into_iter()
        .filter(|part| !part.is_empty())
        .flat_map(|part| path(tokens, part, depth))
        .collect()
}

/// One path; several where it holds a path in parentheses.
fn path(tokens: &Tokens, at: Range<usize>, depth: usize) -> Vec<PathPattern> {
    let mut found = PathPattern { range: tokens.span(&at), ..PathPattern::default() };
    let mut inner = Vec::new();
    let mut index = at.start;
    while index < at.end {
        if !tokens.is(index, "(") {
            if let Some((relationship, next)) = relationship(tokens, index, at.end) {
                found.relationships.push(relationship);
                index = next;
            } else {
                index += 1;
            }
            continue;
        }
        let next = tokens.after(index);
        if next <= index + 1 {
            found.partial = true;
            break;
        }
        let contents = index + 1..next - 1;
        if holds_path(tokens, &contents) {
            found.partial = true;
            if depth < DEEPEST {
                inner.extend(paths(tokens, contents, depth + 1));
            }
        } else {
            found.nodes.push(node(tokens, index..next));
        }
        index = next;
    }
    if !found.nodes.is_empty() {
        inner.insert(0, found);
    }
    inner
}

/// Whether the parentheses hold a path, as in `((a)-->(b)){1,3}` or `shortestPath((a)-->(b))`, and not a node.
fn holds_path(tokens: &Tokens, contents: &Range<usize>) -> bool {
    let start = contents.start;
    tokens.is(start, "(") || (tokens.is(start + 1, "=") && tokens.is(start + 2, "("))
}

fn node(tokens: &Tokens, at: Range<usize>) -> NodePattern {
    let inside = inside(tokens, at.start + 1..at.end - 1);
    NodePattern {
        range: tokens.span(&at),
        variable: inside.variable,
        labels: inside.labels,
        dynamic: inside.dynamic,
        properties: inside.properties,
    }
}

/// A relationship that begins at a token, and the token after it.
fn relationship(tokens: &Tokens, start: usize, end: usize) -> Option<(RelationshipPattern, usize)> {
    let left = tokens.is(start, "<");
    let mut index = start + usize::from(left);
    if !tokens.is(index, "-") {
        return None;
    }
    index += 1;
    let mut found = RelationshipPattern::default();
    if tokens.is(index, "[") {
        let next = tokens.after(index);
        if next <= index + 1 || next > end {
            return None;
        }
        let inside = inside(tokens, index + 1..next - 1);
        found.variable = inside.variable;
        found.types = inside.labels;
        found.dynamic = inside.dynamic;
        found.properties = inside.properties;
        index = next;
    }
    if !tokens.is(index, "-") {
        return None;
    }
    index += 1;
    let right = tokens.is(index, ">");
    index += usize::from(right);
    found.direction = match (left, right) {
        (false, true) => Direction::Right,
        (true, false) => Direction::Left,
        _ => Direction::Either,
    };
    found.range = tokens.span(&(start..index));
    Some((found, index))
}

/// What stands inside the brackets of a node or a relationship.
#[derive(Default)]
struct Inside {
    variable: Option<String>,
    labels: Vec<Label>,
    dynamic: bool,
    properties: Properties,
}

fn inside(tokens: &Tokens, at: Range<usize>) -> Inside {
    let mut found = Inside::default();
    let mut index = at.start;
    if index < at.end
        && !tokens.is_word(index, "WHERE")
        && !tokens.is_word(index, "IS")
        && let Some(name) = tokens.name(index)
    {
        found.variable = Some(name);
        index += 1;
    }
    let labels_start = index;
    while index < at.end
        && !tokens.is(index, "{")
        && !tokens.is_word(index, "WHERE")
        && !map_parameter(tokens, index)
    {
        index = tokens.after(index);
    }
    (found.labels, found.dynamic) = labels(tokens, labels_start..index.min(at.end));
    if index < at.end && tokens.is(index, "{") {
        found.properties = Properties::Map(entries(tokens, index));
    } else if index < at.end && map_parameter(tokens, index) {
        found.properties = Properties::Unknown;
    }
    found
}

/// `$properties` in place of a map; a parameter after `:` is a label.
fn map_parameter(tokens: &Tokens, index: usize) -> bool {
    let after_colon = index.checked_sub(1).is_some_and(|before| {
        tokens.is(before, ":") || tokens.is(before, "|") || tokens.is(before, "&") || tokens.is(before, "!")
    });
    tokens.kind(index) == Some(super::token::TokenKind::Parameter) && !after_colon
}

/// The names in `:A:B`, `:A&B`, `:A|B` or `IS A`, and whether they are not simply all of them.
pub(super) fn labels(tokens: &Tokens, at: Range<usize>) -> (Vec<Label>, bool) {
    let mut names = Vec::new();
    let mut dynamic = false;
    let mut wanted = false;
    let mut index = at.start;
    while index < at.end {
        if [":", "&", "|"].iter().any(|symbol| tokens.is(index, symbol)) || tokens.is_word(index, "IS") {
            wanted = true;
        } else if tokens.is(index, "*") {
            // The length of a path: `*1..3`.
            break;
        } else if let Some(name) = tokens.name(index).filter(|_| wanted) {
            names.push(Label { name, range: tokens.range(index) });
            wanted = false;
        } else {
            dynamic = true;
            wanted = false;
        }
        index = tokens.after(index);
    }
    (names, dynamic)
}

/// The entries of the map that opens at a token.
pub(super) fn entries(tokens: &Tokens, open: usize) -> Vec<Entry> {
    let next = tokens.after(open);
    if next <= open + 1 {
        return Vec::new();
    }
    let parts = tokens.split(open + 1..next - 1, ",");
    parts
        .into_iter()
        .filter_map(|part| {
            let name = tokens.name(part.start)?;
            tokens.is(part.start + 1, ":").then(|| Entry {
                name,
                name_range: tokens.range(part.start),
                value: expression::read(tokens, (part.start + 2).min(part.end)..part.end),
            })
        })
        .collect()
}
