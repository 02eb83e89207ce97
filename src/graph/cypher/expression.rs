//! The value of a property: as much of an expression as the rules need to know.

use std::ops::Range;

use super::token::{TokenKind, Tokens};

/// The name by which a mapping's statement sees its row.
pub const EVENT: &str = "event";

/// An expression: where it is, and what it plainly is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// Its bytes.
    pub range: Range<usize>,
    /// What it plainly is.
    pub shape: Shape,
}

/// What an expression plainly is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `event.column`, alone or inside conversions that give null for null.
    Column {
        /// The column.
        column: String,
        /// The outermost conversion.
        conversion: Option<Conversion>,
        /// Whether it reaches into the column, as `event.column.field` does.
        nested: bool,
    },
    /// A conversion of something else.
    Converted(Conversion),
    /// A number that is written out, with or without a fraction.
    Number {
        /// Whether it is a whole number.
        whole: bool,
    },
    /// A string that is written out.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A variable.
    Variable(String),
    /// Anything else.
    Other,
}

/// Functions whose result has one type, and is null for null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Conversion {
    /// `toInteger`, `toIntegerOrNull`.
    #[strum(serialize = "tointeger", serialize = "tointegerornull")]
    Integer,
    /// `toFloat`, `toFloatOrNull`.
    #[strum(serialize = "tofloat", serialize = "tofloatornull")]
    Float,
    /// `toString`, `toStringOrNull`, `trim`, `toUpper`, `toLower`.
    #[strum(
        serialize = "tostring",
        serialize = "tostringornull",
        serialize = "trim",
        serialize = "toupper",
        serialize = "tolower",
        serialize = "upper",
        serialize = "lower"
    )]
    Text,
    /// `toBoolean`, `toBooleanOrNull`.
    #[strum(serialize = "toboolean", serialize = "tobooleanornull")]
    Boolean,
    /// `datetime`.
    Datetime,
    /// `localdatetime`.
    LocalDatetime,
    /// `date`.
    Date,
}

/// Reads the expression of some tokens.
pub(super) fn read(tokens: &Tokens, at: Range<usize>) -> Expression {
    Expression { range: tokens.span(&at), shape: shape(tokens, at) }
}

fn shape(tokens: &Tokens, mut at: Range<usize>) -> Shape {
    let mut conversion = None;
    // Peels `toInteger( … )` off, one call after the other: no recursion, so depth costs nothing.
    while let Some((function, inner)) = call(tokens, &at) {
        conversion = conversion.or(Some(function));
        at = inner;
    }
    match (plain(tokens, &at), conversion) {
        (Shape::Column { column, nested, .. }, conversion) => Shape::Column { column, conversion, nested },
        (_, Some(conversion)) => Shape::Converted(conversion),
        (plain, None) => plain,
    }
}

/// `function ( inner )` that fills the tokens and is a known conversion of one argument.
fn call(tokens: &Tokens, at: &Range<usize>) -> Option<(Conversion, Range<usize>)> {
    let open = at.start + 1;
    if tokens.kind(at.start) != Some(TokenKind::Word) || !tokens.is(open, "(") || tokens.after(open) != at.end
    {
        return None;
    }
    let function = tokens.text(at.start).parse().ok()?;
    let inner = open + 1..at.end - 1;
    let one_argument = !inner.is_empty() && tokens.split(inner.clone(), ",").len() == 1;
    one_argument.then_some((function, inner))
}

fn plain(tokens: &Tokens, at: &Range<usize>) -> Shape {
    if let Some((column, end)) = column_at(tokens, at.start).filter(|(_, end)| *end <= at.end) {
        let nested = path_end(tokens, end);
        if nested == at.end {
            return Shape::Column { column, conversion: None, nested: nested > end };
        }
    }
    let signed = at.len() == 2 && (tokens.is(at.start, "-") || tokens.is(at.start, "+"));
    let last = if signed { at.start + 1 } else { at.start };
    if last + 1 != at.end {
        return Shape::Other;
    }
    match tokens.kind(last) {
        Some(TokenKind::Number) => {
            let text = tokens.text(last);
            let radix = text.starts_with("0x") || text.starts_with("0o");
            Shape::Number { whole: radix || !text.contains(['.', 'e', 'E']) }
        }
        Some(TokenKind::Text) if !signed => Shape::Text,
        Some(TokenKind::Word) if tokens.is_word(last, "true") || tokens.is_word(last, "false") => {
            Shape::Boolean
        }
        Some(TokenKind::Word | TokenKind::Quoted) if !signed && !tokens.is_word(last, "null") => {
            tokens.name(last).map_or(Shape::Other, Shape::Variable)
        }
        _ => Shape::Other,
    }
}

/// The column that `event.column` or `event['column']` at a token names, and the token after it.
pub(super) fn column_at(tokens: &Tokens, index: usize) -> Option<(String, usize)> {
    if tokens.name(index)? != EVENT {
        return None;
    }
    if tokens.is(index + 1, ".") {
        return Some((tokens.name(index + 2)?, index + 3));
    }
    let string = index + 2;
    let subscript = tokens.is(index + 1, "[")
        && tokens.kind(string) == Some(TokenKind::Text)
        && tokens.is(string + 1, "]");
    subscript.then(|| (unquoted(tokens.text(string)), string + 2))
}

/// The token after `.a.b['c']`, from the first of its dots.
fn path_end(tokens: &Tokens, mut index: usize) -> usize {
    loop {
        if tokens.is(index, ".") && tokens.name(index + 1).is_some() {
            index += 2;
        } else if tokens.is(index, "[") && tokens.after(index) > index + 1 {
            index = tokens.after(index);
        } else {
            return index;
        }
    }
}

/// The text of a string, its escapes resolved.
pub(super) fn unquoted(literal: &str) -> String {
    let inner = literal.get(1..).unwrap_or_default();
    let inner = inner.strip_suffix(['\'', '"']).unwrap_or(inner);
    let mut text = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('f') => text.push('\u{c}'),
                Some('u') => {
                    let digits: String = characters.by_ref().take(4).collect();
                    text.extend(u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32));
                }
                Some(other) => text.push(other),
                None => {}
            },
            other => text.push(other),
        }
    }
    text
}
