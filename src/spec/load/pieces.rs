//! Where the characters of a scalar's value stand in the file.
//!
//! A value differs from its text: quotes and indentation go, escapes shrink, line breaks fold. The map is kept as pieces,
//! within which both run in step, and is made by walking text and value together.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

use saphyr_parser::ScalarStyle;

/// Some bytes of a value, and the bytes of the file that they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Bytes of the value's text.
    pub value: Range<usize>,
    /// Bytes of the file's text.
    pub file: Range<usize>,
    /// Whether both run in step, byte by byte; otherwise the whole of one stands for the whole of the other.
    pub in_step: bool,
}

/// Adds a piece, joined with the last one where both go on in step.
pub(super) fn push(pieces: &mut Vec<Piece>, piece: Piece) {
    match pieces.last_mut() {
        Some(last)
            if last.in_step
                && piece.in_step
                && last.value.end == piece.value.start
                && last.file.end == piece.file.start =>
        {
            last.value.end = piece.value.end;
            last.file.end = piece.file.end;
        }
        _ => pieces.push(piece),
    }
}

/// The bytes of the file behind some bytes of a value.
pub(super) fn locate(pieces: &[Piece], within: &Range<usize>) -> Option<Range<usize>> {
    let start = byte_at(pieces, within.start)?.start;
    let last = within.end.saturating_sub(1).max(within.start);
    let end = if within.is_empty() { start } else { byte_at(pieces, last)?.end };
    Some(start..end.max(start))
}

/// The bytes of the file behind one byte of a value; behind the end of the value, the end of its text.
fn byte_at(pieces: &[Piece], offset: usize) -> Option<Range<usize>> {
    let following = pieces.partition_point(|piece| piece.value.start <= offset);
    let piece = pieces.get(following.checked_sub(1)?)?;
    if offset >= piece.value.end {
        return Some(piece.file.end..piece.file.end);
    }
    if !piece.in_step {
        return Some(piece.file.clone());
    }
    let at = piece.file.start + (offset - piece.value.start);
    Some(at..at + 1)
}

/// The pieces of a scalar that stands at `range` of `text`.
pub(super) fn align(text: &str, range: &Range<usize>, style: ScalarStyle, value: &str) -> Vec<Piece> {
    let start = match style {
        ScalarStyle::Literal | ScalarStyle::Folded => block_start(text, range, value),
        _ => range.start,
    };
    let mut walk =
        Walk { text, at: start, end: range.end, style, indent: indent_at(text, start), pieces: Vec::new() };
    if matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) {
        walk.at += 1;
    }
    let mut characters = value.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        let took = match style {
            ScalarStyle::Literal => walk.literal(offset, character),
            ScalarStyle::Folded => walk.folded(offset, character, &mut characters),
            _ => walk.flow(offset, character, &mut characters),
        };
        if took.is_none() {
            // Text and value have lost each other: what is left of one stands for what is left of the other.
            let rest = walk.at.min(range.end)..range.end;
            push(&mut walk.pieces, Piece { value: offset..value.len(), file: rest, in_step: false });
            break;
        }
    }
    walk.pieces
}

/// Where the first line of a block begins. The parser tells it itself, but for blocks with an anchor, of which it tells where
/// the header stands.
fn block_start(text: &str, range: &Range<usize>, value: &str) -> usize {
    let indent = text.get(range.start - indent_at(text, range.start)..range.start).unwrap_or_default();
    if !indent.is_empty() && indent.bytes().all(|byte| byte == b' ') {
        return range.start;
    }
    let block = text.get(range.clone()).unwrap_or_default();
    let mut at = range.start;
    for (number, line) in block.split_inclusive('\n').enumerate() {
        let content = line.trim_start_matches(' ');
        if number > 0 && !content.trim().is_empty() {
            let own = value.trim_start_matches('\n');
            let own_spaces = own.len() - own.trim_start_matches(' ').len();
            return at + (line.len() - content.len()).saturating_sub(own_spaces);
        }
        at += line.len();
    }
    range.start
}

/// How many bytes of its line stand before an offset.
fn indent_at(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or_default();
    before.len() - before.rfind(['\n', '\r']).map_or(0, |line_break| line_break + 1)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    end: usize,
    style: ScalarStyle,
    indent: usize,
    pieces: Vec<Piece>,
}

impl Walk<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    /// Takes `length` bytes of the text for the character at `offset` of the value.
    fn take(&mut self, offset: usize, character: char, length: usize) {
        let value = offset..offset + character.len_utf8();
        let file = self.at..self.at + length;
        let in_step = value.len() == length;
        push(&mut self.pieces, Piece { value, file, in_step });
        self.at += length;
    }

    fn take_same(&mut self, offset: usize, character: char) -> Option<()> {
        self.rest().starts_with(character).then(|| self.take(offset, character, character.len_utf8()))
    }

    fn skip_indent(&mut self) {
        let spaces = self.rest().bytes().take(self.indent).take_while(|byte| *byte == b' ').count();
        self.at += spaces;
    }

    fn literal(&mut self, offset: usize, character: char) -> Option<()> {
        match line_break(self.rest()) {
            Some(length) if character == '\n' => {
                self.take(offset, character, length);
                self.skip_indent();
                Some(())
            }
            None if character == '\n' => {
                self.take_nothing(offset);
                Some(())
            }
            _ => self.take_same(offset, character),
        }
    }

    /// A line break of the value that has none in the text: an empty line above the first, or a last line without an end.
    fn take_nothing(&mut self, offset: usize) {
        let file = self.at..self.at;
        push(&mut self.pieces, Piece { value: offset..offset + 1, file, in_step: false });
    }

    fn folded(
        &mut self,
        offset: usize,
        character: char,
        following: &mut Peekable<CharIndices<'_>>,
    ) -> Option<()> {
        if line_break(self.rest()).is_none() {
            if character == '\n' {
                self.take_nothing(offset);
                return Some(());
            }
            return self.take_same(offset, character);
        }
        let start = self.at;
        while let Some(length) = line_break(self.rest()) {
            self.at += length;
            self.skip_indent();
        }
        let file = start..self.at;
        let mut end = offset + character.len_utf8();
        while character == '\n' && following.next_if(|(_, next)| *next == '\n').is_some() {
            end += 1;
        }
        push(&mut self.pieces, Piece { value: offset..end, file, in_step: false });
        matches!(character, ' ' | '\n').then_some(())
    }

    /// Plain and quoted scalars: blanks around line breaks go, one break becomes a space, more become one less.
    fn flow(
        &mut self,
        offset: usize,
        character: char,
        following: &mut Peekable<CharIndices<'_>>,
    ) -> Option<()> {
        while self.style == ScalarStyle::DoubleQuoted {
            let Some(length) = continuation(self.rest()) else { break };
            self.at += length;
        }
        if let Some((length, breaks)) = fold(self.rest()) {
            let start = self.at;
            self.at += length;
            let mut end = offset + character.len_utf8();
            for _ in 2..breaks {
                following.next_if(|(_, next)| *next == '\n')?;
                end += 1;
            }
            push(&mut self.pieces, Piece { value: offset..end, file: start..self.at, in_step: false });
            return (character == if breaks == 1 { ' ' } else { '\n' }).then_some(());
        }
        if self.style == ScalarStyle::SingleQuoted && self.rest().starts_with("''") {
            self.take(offset, character, 2);
            return Some(());
        }
        if self.style == ScalarStyle::DoubleQuoted && self.rest().starts_with('\\') {
            let length = escape(self.rest())?;
            self.take(offset, character, length);
            return Some(());
        }
        self.take_same(offset, character)
    }
}

/// The length of the line break that a text begins with.
fn line_break(text: &str) -> Option<usize> {
    if text.starts_with("\r\n") {
        return Some(2);
    }
    text.starts_with(['\n', '\r']).then_some(1)
}

/// The blanks and line breaks that a text begins with, where there is a break among them: their length, and the breaks.
fn fold(text: &str) -> Option<(usize, usize)> {
    let mut length = 0;
    let mut breaks = 0;
    while let Some(rest) = text.get(length..) {
        if let Some(taken) = line_break(rest) {
            length += taken;
            breaks += 1;
        } else if rest.starts_with([' ', '\t']) {
            length += 1;
        } else {
            break;
        }
    }
    (breaks > 0).then_some((length, breaks))
}

/// The length of an escaped line break and the indentation behind it.
fn continuation(text: &str) -> Option<usize> {
    let rest = text.strip_prefix('\\')?;
    let length = line_break(rest)?;
    let blanks = rest.get(length..)?.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    Some(1 + length + blanks)
}

/// The length of the escape that a text begins with.
fn escape(text: &str) -> Option<usize> {
    let letter = text.chars().nth(1)?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    Some(1 + letter.len_utf8() + digits)
}
