//! Environment variables in texts: `${NAME}`, `${NAME:-default}`, and `$${` for `${` itself.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic, Location};

use super::Variables;
use super::pieces::{self, Piece};

/// A default may name a variable with a default of its own, this often.
const MOST_NESTED: usize = 8;

pub(super) struct PutIn {
    pub text: String,
    pub pieces: Vec<Piece>,
    /// The variables whose values went into the text.
    pub names: Vec<String>,
    /// What went wrong, by bytes of the text before.
    pub faults: Vec<(Range<usize>, Fault)>,
}

pub(super) enum Fault {
    /// None of these variables is set.
    Missing(Vec<String>),
    /// What stands in the braces is no name.
    Malformed,
    /// The brace is never closed.
    Unclosed,
}

impl Fault {
    pub fn into_finding(self, location: Location) -> Diagnostic {
        match self {
            Self::Missing(names) => {
                let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                let message = match quoted.as_slice() {
                    [only] => format!("the environment variable {only} is not set"),
                    several => format!("none of the environment variables {} is set", several.join(", ")),
                };
                let first = names.first().map_or("NAME", String::as_str);
                Diagnostic::new(Code::MissingVariable, message)
                    .located(location)
                    .help(format!("set it, or give a default: `${{{first}:-default}}`"))
                    .help("`$${` writes a `${` that is meant as such")
            }
            Self::Malformed => {
                Diagnostic::new(Code::InvalidVariable, "what stands in `${…}` is no name of an environment variable")
                    .located(location)
                    .help("names are letters, digits and `_`; a default follows `:-`; `$${` writes a `${` that is meant as such")
            }
            Self::Unclosed => Diagnostic::new(Code::InvalidVariable, "`${` is never closed by a `}`")
                .located(location)
                .help("`$${` writes a `${` that is meant as such"),
        }
    }
}

/// Puts variables into a text.
pub(super) fn put_in(text: &str, pieces: &[Piece], variables: Variables<'_>) -> PutIn {
    let mut out = PutIn {
        text: String::with_capacity(text.len()),
        pieces: Vec::new(),
        names: Vec::new(),
        faults: Vec::new(),
    };
    if !text.contains("${") {
        out.text.push_str(text);
        out.pieces = pieces.to_vec();
        return out;
    }
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("${")) {
        let start = at + found;
        if text.get(at..start).is_some_and(|before| before.ends_with('$')) {
            out.keep(text, pieces, at..start - 1);
            out.keep(text, pieces, start..start + 2);
            at = start + 2;
            continue;
        }
        out.keep(text, pieces, at..start);
        let inner = text.get(start + 2..).unwrap_or_default();
        let Some(length) = closing_brace(inner) else {
            out.faults.push((start..start + 2, Fault::Unclosed));
            at = start;
            break;
        };
        let whole = start..start + 2 + length + 1;
        match expand(inner.get(..length).unwrap_or_default(), variables, MOST_NESTED) {
            Ok((value, name)) => {
                out.names.extend(name);
                let file = pieces::locate(pieces, &whole).unwrap_or_default();
                let new = out.text.len()..out.text.len() + value.len();
                out.pieces.push(Piece { value: new, file, in_step: false });
                out.text.push_str(&value);
            }
            Err(fault) => out.faults.push((whole.clone(), fault)),
        }
        at = whole.end;
    }
    out.keep(text, pieces, at..text.len());
    out
}

impl PutIn {
    /// Takes over a part of the text as it is.
    fn keep(&mut self, text: &str, pieces: &[Piece], range: Range<usize>) {
        let Some(kept) = text.get(range.clone()) else { return };
        let shift = self.text.len();
        for piece in pieces {
            let value = piece.value.start.max(range.start)..piece.value.end.min(range.end);
            if value.is_empty() {
                continue;
            }
            let file = if piece.in_step {
                let start = piece.file.start + (value.start - piece.value.start);
                start..start + value.len()
            } else {
                piece.file.clone()
            };
            let moved = value.start - range.start + shift..value.end - range.start + shift;
            pieces::push(&mut self.pieces, Piece { value: moved, file, in_step: piece.in_step });
        }
        self.text.push_str(kept);
    }
}

/// The value of what stands in the braces, and the variable that gave it, if one did.
fn expand(inner: &str, variables: Variables<'_>, depth: usize) -> Result<(String, Option<String>), Fault> {
    let (name, default) = match inner.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (inner, None),
    };
    if !is_name(name) || depth == 0 {
        return Err(Fault::Malformed);
    }
    // As in a shell, a variable that is set but empty takes the default too.
    match (variables(name), default) {
        (Some(value), None) => Ok((value, Some(name.to_owned()))),
        (Some(value), Some(_)) if !value.is_empty() => Ok((value, Some(name.to_owned()))),
        (_, Some(default)) => nested_default(name, default, variables, depth),
        (None, None) => Err(Fault::Missing(vec![name.to_owned()])),
    }
}

fn nested_default(
    name: &str,
    default: &str,
    variables: Variables<'_>,
    depth: usize,
) -> Result<(String, Option<String>), Fault> {
    let nested = default.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(nested) = nested else { return Ok((default.to_owned(), None)) };
    expand(nested, variables, depth - 1).map_err(|fault| match fault {
        Fault::Missing(mut names) => {
            names.insert(0, name.to_owned());
            Fault::Missing(names)
        }
        other => other,
    })
}

fn is_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let starts_well = name.bytes().next().is_some_and(is_letter);
    starts_well && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
}

/// Where the brace closes that stands before the text.
fn closing_brace(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (at, character) in text.char_indices() {
        match character {
            '{' if previous == '$' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
        previous = character;
    }
    None
}
