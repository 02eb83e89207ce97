//! Cypher text as tokens with their places.

use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a plain name: Cypher tells them apart by where they stand.
    Word,
    /// A name in back quotes.
    Quoted,
    /// A string.
    Text,
    /// A number.
    Number,
    /// A parameter, `$name`.
    Parameter,
    /// Punctuation or an operator.
    Symbol,
}

/// A piece of the text that is neither space nor comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// A fault in how the text is put together, whatever the dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// Where.
    pub range: Range<usize>,
}

/// The faults that a text can have in any dialect of Cypher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// A string, a back-quoted name or a block comment has no end; the opening mark.
    Unclosed(&'static str),
    /// A bracket is never closed.
    UnclosedBracket(char),
    /// A bracket closes nothing.
    StrayBracket(char),
    /// A bracket closes one of another kind, which stands at `opened`.
    CrossedBracket {
        /// The closing bracket that would fit.
        wanted: char,
        /// Where the other one was opened.
        opened: Range<usize>,
    },
    /// A clause begins with a word that no clause begins with.
    UnknownClause(String),
    /// Something stands after the statement's end.
    SecondStatement,
    /// A value is missing: after a map's `key:`, say.
    MissingValue,
}

/// The tokens of a text, the partners of its brackets, and what is wrong with it.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    pub text: &'a str,
    pub list: Vec<Token>,
    /// For each token: the token that closes or opens the same bracket.
    partner: Vec<Option<usize>>,
    pub comments: Vec<Range<usize>>,
    pub faults: Vec<Fault>,
}

/// Operators of two characters; arrows are left in pieces, since `<-` may be a pattern or a comparison.
const PAIRS: [&str; 8] = ["..", "<=", ">=", "<>", "=~", "+=", "||", "::"];

impl<'a> Tokens<'a> {
    /// Reads a text. Whatever it is, this ends, and ranges lie inside it on character boundaries.
    pub fn read(text: &'a str) -> Self {
        let mut tokens =
            Self { text, list: Vec::new(), partner: Vec::new(), comments: Vec::new(), faults: Vec::new() };
        let mut at = 0;
        while let Some(next) = tokens.step(at) {
            at = next;
        }
        // Behind a string without an end, every bracket seems open.
        if tokens.faults.is_empty() {
            tokens.pair_brackets();
        } else {
            tokens.partner = vec![None; tokens.list.len()];
        }
        tokens
    }

    /// Reads the piece that begins at a byte, and says where the next one does.
    fn step(&mut self, at: usize) -> Option<usize> {
        let rest = self.text.get(at..)?;
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            c if c.is_whitespace() => return Some(at + c.len_utf8()),
            '/' if rest.starts_with("//") => {
                let end = at + rest.find('\n').unwrap_or(rest.len());
                self.comments.push(at..end);
                return Some(end);
            }
            '/' if rest.starts_with("/*") => return Some(self.block_comment(at, rest)),
            '\'' => (TokenKind::Text, self.delimited(at, rest, "'")),
            '"' => (TokenKind::Text, self.delimited(at, rest, "\"")),
            '`' => (TokenKind::Quoted, self.delimited(at, rest, "`")),
            '$' => match parameter(rest) {
                Some(length) if rest.starts_with("$`") => {
                    (TokenKind::Parameter, length + self.delimited(at + 1, &rest[length..], "`"))
                }
                Some(length) => (TokenKind::Parameter, length),
                None => (TokenKind::Symbol, 1),
            },
            c if c.is_alphabetic() || c == '_' => (TokenKind::Word, word(rest)),
            c if c.is_ascii_digit() => (TokenKind::Number, number(rest)),
            '.' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) && !self.ends_operand() => {
                (TokenKind::Number, number(rest))
            }
            c => {
                let pair = PAIRS.iter().find(|pair| rest.starts_with(**pair));
                (TokenKind::Symbol, pair.map_or(c.len_utf8(), |pair| pair.len()))
            }
        };
        self.list.push(Token { kind, range: at..at + length });
        Some(at + length)
    }

    /// Whether the last token ends a value, so that a `.` after it begins a property or a range.
    fn ends_operand(&self) -> bool {
        self.list.last().is_some_and(|token| {
            token.kind != TokenKind::Symbol || matches!(&self.text[token.range.clone()], ")" | "]" | "}")
        })
    }

    fn block_comment(&mut self, at: usize, rest: &str) -> usize {
        let end = rest[2..].find("*/").map_or(at + rest.len(), |length| at + 2 + length + 2);
        if !rest[2..].contains("*/") {
            self.faults.push(Fault { kind: FaultKind::Unclosed("/*"), range: at..at + 2 });
        }
        self.comments.push(at..end);
        end
    }

    /// The length of a string or name from its opening mark to its closing one.
    fn delimited(&mut self, at: usize, rest: &str, mark: &'static str) -> usize {
        let mut characters = rest.char_indices().skip(1).peekable();
        while let Some((offset, character)) = characters.next() {
            if character == '\\' && mark != "`" {
                characters.next();
            } else if mark.starts_with(character) {
                let doubled = mark == "`" && characters.next_if(|(_, next)| *next == '`').is_some();
                if !doubled {
                    return offset + character.len_utf8();
                }
            }
        }
        self.faults.push(Fault { kind: FaultKind::Unclosed(mark), range: at..at + mark.len() });
        rest.len()
    }

    fn pair_brackets(&mut self) {
        self.partner = vec![None; self.list.len()];
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.list.len() {
            let Some(bracket) = self.bracket(index) else { continue };
            let Some(opening) = opening_of(bracket) else {
                open.push(index);
                continue;
            };
            let range = self.list[index].range.clone();
            match open.last() {
                None => self.faults.push(Fault { kind: FaultKind::StrayBracket(bracket), range }),
                Some(&last) if self.bracket(last) == Some(opening) => {
                    open.pop();
                    self.partner[index] = Some(last);
                    self.partner[last] = Some(index);
                }
                Some(&last) => {
                    let wanted = self.bracket(last).and_then(closing_of).unwrap_or(bracket);
                    let opened = self.list[last].range.clone();
                    self.faults.push(Fault { kind: FaultKind::CrossedBracket { wanted, opened }, range });
                    // What follows cannot be paired with any sense: one fault is said, not each that comes of it.
                    return;
                }
            }
        }
        for last in open {
            let range = self.list[last].range.clone();
            if let Some(bracket) = self.bracket(last) {
                self.faults.push(Fault { kind: FaultKind::UnclosedBracket(bracket), range });
            }
        }
    }

    fn bracket(&self, index: usize) -> Option<char> {
        let token = self.list.get(index)?;
        let character = self.text[token.range.clone()].chars().next()?;
        (token.kind == TokenKind::Symbol && "()[]{}".contains(character)).then_some(character)
    }

    /// The text of a token; empty beyond the end.
    pub fn text(&self, index: usize) -> &'a str {
        self.list.get(index).map_or("", |token| &self.text[token.range.clone()])
    }

    /// The bytes of a token; the end of the text beyond it.
    pub fn range(&self, index: usize) -> Range<usize> {
        self.list.get(index).map_or(self.text.len()..self.text.len(), |token| token.range.clone())
    }

    /// The bytes from the first of some tokens to the last; empty where there are none.
    pub fn span(&self, tokens: &Range<usize>) -> Range<usize> {
        let start = self.range(tokens.start).start;
        if tokens.is_empty() { start..start } else { start..self.range(tokens.end - 1).end.max(start) }
    }

    /// Whether a token is a symbol.
    pub fn is(&self, index: usize, symbol: &str) -> bool {
        self.list.get(index).is_some_and(|token| token.kind == TokenKind::Symbol)
            && self.text(index) == symbol
    }

    /// Whether a token is a word, in any case of letters.
    pub fn is_word(&self, index: usize, word: &str) -> bool {
        self.list.get(index).is_some_and(|token| token.kind == TokenKind::Word)
            && self.text(index).eq_ignore_ascii_case(word)
    }

    /// The kind of a token.
    pub fn kind(&self, index: usize) -> Option<TokenKind> {
        self.list.get(index).map(|token| token.kind)
    }

    /// The name that a token spells, without back quotes.
    pub fn name(&self, index: usize) -> Option<String> {
        let text = self.text(index);
        match self.kind(index)? {
            TokenKind::Word => Some(text.to_owned()),
            TokenKind::Quoted => {
                let inner = text.strip_prefix('`')?;
                Some(inner.strip_suffix('`').unwrap_or(inner).replace("``", "`"))
            }
            _ => None,
        }
    }

    /// The token that closes the bracket at `index`, or opens it.
    pub fn partner(&self, index: usize) -> Option<usize> {
        self.partner.get(index).copied().flatten()
    }

    /// The token after this one, or after the bracket that it opens.
    pub fn after(&self, index: usize) -> usize {
        self.partner(index).filter(|close| *close > index).unwrap_or(index) + 1
    }

    /// The parts of some tokens between separators that stand outside brackets.
    pub fn split(&self, tokens: Range<usize>, separator: &str) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let mut start = tokens.start;
        let mut index = tokens.start;
        while index < tokens.end {
            if self.is(index, separator) {
                parts.push(start..index);
                start = index + 1;
            }
            index = self.after(index);
        }
        parts.push(start..tokens.end.max(start));
        parts
    }
}

const fn opening_of(bracket: char) -> Option<char> {
    match bracket {
        ')' => Some('('),
        ']' => Some('['),
        '}' => Some('{'),
        _ => None,
    }
}

const fn closing_of(bracket: char) -> Option<char> {
    match bracket {
        '(' => Some(')'),
        '[' => Some(']'),
        '{' => Some('}'),
        _ => None,
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())
}

/// The length of `$name` or `$1`, of `$` before a back quote, or nothing for a `$` that begins a dynamic label.
fn parameter(rest: &str) -> Option<usize> {
    let name = &rest[1..];
    if name.starts_with('`') {
        return Some(1);
    }
    let length = word(name);
    (length > 0).then_some(1 + length)
}

/// The length of a number; `1..5` is a number, a range and a number.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    if rest[..end].starts_with("0x") || rest[..end].starts_with("0o") {
        return end;
    }
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end += 1;
        end += bytes[end..].iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    }
    let exponent = matches!(rest[..end].chars().last(), Some('e' | 'E'));
    if exponent && matches!(bytes.get(end), Some(b'+' | b'-')) && digit(end + 1) {
        end += 1;
        end += bytes[end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    end
}
