//! Tabs behind a `:`, which YAML allows and the parser refuses.

use std::borrow::Cow;
use std::ops::Range;

use saphyr_parser::Parser;

use super::offsets::Offsets;

/// What the parser says of them.
const REFUSED: &str = "':' must be followed by a valid YAML whitespace";

/// How many bytes are read in search of them. Each is found by reading from the beginning, and a large file with many of them
/// would take long.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// The text with spaces for those tabs, one for one: every place stays where it is.
pub(super) fn spaced(text: &str) -> Cow<'_, str> {
    let mut spaced = Cow::Borrowed(text);
    let mut read = 0;
    while read < MOST_BYTES
        && let Some(tabs) = refused(&spaced)
    {
        read += tabs.end;
        let blanks = " ".repeat(tabs.len());
        spaced.to_mut().replace_range(tabs, &blanks);
    }
    spaced
}

/// The first tabs that the parser refuses.
fn refused(text: &str) -> Option<Range<usize>> {
    if !text.contains(":\t") {
        return None;
    }
    let error = Parser::new_from_str(text).find_map(Result::err).filter(|error| error.info() == REFUSED)?;
    let end = Offsets::new(text).byte(error.marker().index());
    let start = text.get(..end)?.trim_end_matches('\t').len();
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::spaced;

    #[test]
    fn only_tabs_that_mean_a_space_become_one() {
        for (text, expected) in [
            ("a:\tx\nb:\t\t1 # \t\n", "a: x\nb:  1 # \t\n"),
            ("ä: ü\nö:\te\n", "ä: ü\nö: e\n"),
            ("a: \"b:\tc\"\nd:\t-1\n", "a: \"b:\tc\"\nd: -1\n"),
            ("a: |\n  b:\tc\nd:\te\n", "a: |\n  b:\tc\nd: e\n"),
            ("a: 1\n\tb:\tc\n", "a: 1\n\tb:\tc\n"),
        ] {
            assert_eq!(spaced(text), expected);
        }
    }
}
