//! How text from outside is shown to people: nothing in it may act on the terminal or turn the line around.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The text with control characters as their pictures (`␛`, `␊`) and without marks that change the direction of the
/// text around it.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || turns(c)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(picture).collect())
}

/// The text on one line of at most `most` columns of a terminal, the rest cut off and said so by `…`.
pub(super) fn clip(text: &str, most: usize) -> Cow<'_, str> {
    if text.width() <= most {
        return Cow::Borrowed(text);
    }
    let mut width = 1;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            width += c.width().unwrap_or(0);
            width <= most
        })
        .collect();
    kept.push('…');
    Cow::Owned(kept)
}

/// Words one after the other, broken before a word that would pass `width`; `indent` begins each further line.
pub(super) fn wrap<'a>(words: impl IntoIterator<Item = &'a str>, width: usize, indent: &str) -> String {
    let mut out = String::new();
    let mut at = 0;
    for word in words {
        let wide = word.width();
        if at > 0 && at + 1 + wide > width {
            out.push('\n');
            out.push_str(indent);
            at = indent.width();
        } else if at > 0 {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += wide;
    }
    out
}

/// `1 row`, `2 rows`.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The embeddings, overrides and isolates of Unicode's bidirectional algorithm.
const fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn picture(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '␡',
        c if c.is_control() || turns(c) => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_pictures() {
        assert_eq!(plain("\u{1b}[31mred\n\u{7f}\u{9b}"), "␛[31mred␊␡\u{fffd}");
    }

    #[test]
    fn overrides_of_the_direction_are_taken_out_and_letters_of_any_script_stay() {
        assert_eq!(plain("\u{202e}gnp.exe"), "\u{fffd}gnp.exe");
        assert_eq!(plain("עברית اسم 名前 👩‍👩‍👧"), "עברית اسم 名前 👩‍👩‍👧");
    }

    #[test]
    fn a_long_text_is_cut_to_the_width() {
        assert_eq!(clip("Mott Haven", 10), "Mott Haven");
        assert_eq!(clip("Mott Haven", 6), "Mott …");
        assert_eq!(clip("名前名前", 5), "名前…");
    }

    #[test]
    fn words_are_wrapped_with_an_indent() {
        assert_eq!(wrap(["a", "bb", "ccc", "dddd"], 6, "  "), "a bb\n  ccc\n  dddd");
        assert_eq!(wrap(["longer-than-the-width", "b"], 6, " "), "longer-than-the-width\n b");
    }
}
