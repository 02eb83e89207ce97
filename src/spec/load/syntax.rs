//! The parser's faults in our own words.

use super::MAX_DEPTH;
use crate::diagnostic::{Code, Diagnostic, Location, Path};

const QUOTE: &str = "put the text in quotes, or below the key as a block that begins with `|`";

/// What the parser says of brackets that open more often than it counts.
const TOO_DEEP: &str = "recursion limit exceeded";

/// The finding for a fault that the parser met at byte `at`.
pub(super) fn explain(text: &str, at: usize, fault: &str) -> Diagnostic {
    let line = line_around(text, at);
    let (message, help) = words(fault, line);
    let at = if is_about_tabs(fault) { tab_near(text, at) } else { at };
    let code = if fault == TOO_DEEP { Code::YamlTooLarge } else { Code::InvalidYaml };
    let mut finding = Diagnostic::new(code, message).located(Location::Span(Path::root(), marked(text, at)));
    if let Some(help) = help {
        finding = finding.help(help);
    }
    if line.contains("${") && line.contains(['{', '[']) && !fault.contains("quoted") {
        finding = finding.help("inside `{ }` and `[ ]` a variable needs quotes: \"${NAME}\"");
    }
    finding
}

fn words(fault: &str, line: &str) -> (String, Option<&'static str>) {
    let known = |message: &str, help| (message.to_owned(), help);
    if is_about_tabs(fault) || (line.trim_start_matches(' ').starts_with('\t') && !fault.contains("quoted")) {
        return known("a tab stands where YAML wants spaces", Some("indent with spaces"));
    }
    match fault {
        "mapping values are not allowed in this context" | "illegal placement of ':' indicator" => known(
            "a `: ` stands where no new key can begin",
            Some("put a text that holds `: ` in quotes; a new key needs a line of its own"),
        ),
        "while parsing node, found unknown anchor" => known(
            "the alias names an anchor that is not there",
            Some("a text that begins with `*` needs quotes"),
        ),
        "while scanning a quoted scalar, found unexpected end of stream"
        | "while scanning a quoted scalar, found unexpected document indicator"
        | "invalid indentation in quoted scalar" => known(
            "the quote is never closed",
            Some("a quoted text of several lines is indented deeper than its key"),
        ),
        "while parsing a quoted scalar, found unknown escape character" => known(
            "the text holds a `\\` that begins no escape",
            Some("in double quotes write `\\\\`, or use single quotes"),
        ),
        "invalid trailing content after double-quoted scalar" => known(
            "something stands behind the closing quote",
            Some("a quote inside of quotes is written twice in '…' and as `\\\"` in \"…\""),
        ),
        "while parsing a block mapping, did not find expected key" => known(
            "this line fits neither the mapping above nor a new one",
            Some("check the indentation: keys of one mapping begin in the same column"),
        ),
        "simple key expected ':'" | "simple key expect ':'" | "simple key expected" => {
            known("a key without a `:`", Some("write `key: value`; check the line before as well"))
        }
        "while parsing a block collection, did not find expected '-' indicator" => known(
            "this line is no entry of the list above",
            Some("entries of one list begin with `- ` in the same column"),
        ),
        "block sequence entries are not allowed in this context" => known(
            "a list entry stands where none can begin",
            Some("put the list on lines of its own below the key"),
        ),
        "while parsing a flow mapping, did not find expected ',' or '}'" => {
            known("the `{` is not closed, or a comma is missing", None)
        }
        "while parsing a flow sequence, expected ',' or ']'" => {
            known("the `[` is not closed, or a comma is missing", None)
        }
        "wrongly indented line in block scalar" => {
            known("a line of the text block is indented less than its first line", None)
        }
        TOO_DEEP => (format!("values nest deeper than {MAX_DEPTH} levels"), None),
        _ if fault.starts_with("unexpected character") => {
            let character = fault.trim_end_matches('\'').chars().next_back().unwrap_or_default();
            (format!("a text without quotes cannot begin with `{character}`"), Some(QUOTE))
        }
        _ => (format!("the file is not YAML: {fault}"), None),
    }
}

fn is_about_tabs(fault: &str) -> bool {
    fault.split(|c: char| !c.is_ascii_alphabetic()).any(|word| matches!(word, "tab" | "tabs" | "tabulation"))
}

/// The parser notices some tabs only from the end of the line before: then the next one is meant.
fn tab_near(text: &str, at: usize) -> usize {
    let (Some(before), Some(behind)) = (text.get(..at), text.get(at..)) else { return at };
    if before.ends_with('\t') { at } else { behind.find('\t').map_or(at, |tab| at + tab) }
}

/// The character at a byte, or the last one before it that can be seen.
fn marked(text: &str, at: usize) -> std::ops::Range<usize> {
    if let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
        return at..at + character.len_utf8();
    }
    let end = text.trim_end().len();
    let start =
        text.get(..end).and_then(|seen| seen.char_indices().next_back()).map_or(0, |(start, _)| start);
    start..end
}

fn line_around(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |line_break| line_break + 1);
    text.get(start..).unwrap_or_default().lines().next().unwrap_or_default()
}
