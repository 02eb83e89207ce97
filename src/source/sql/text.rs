//! An SQL text of the pipeline file, parsed, with the way back from a parsed part to the bytes of the text.

use std::ops::Range;

use datafusion::common as df;
use datafusion::sql::sqlparser::ast::{self, Spanned};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer};

use super::depth;
use crate::source::error::{Key, SourceError, SqlFault};

/// An SQL text, parsed.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub key: Key,
    pub sql: &'a str,
    pub expr: ast::Expr,
    alias: Option<String>,
    tokens: Vec<TokenWithSpan>,
}

impl<'a> Text<'a> {
    /// Parses a condition.
    pub fn condition(key: Key, text: &'a str) -> Result<Self, SourceError> {
        Self::parse(key, text, |parser| Ok((parser.parse_expr()?, None)))
    }

    /// Parses an expression with or without `AS name`.
    pub fn output(key: Key, text: &'a str) -> Result<Self, SourceError> {
        Self::parse(key, text, |parser| {
            let expr = parser.parse_expr()?;
            let alias =
                if parser.parse_keyword(Keyword::AS) { Some(parser.parse_identifier()?.value) } else { None };
            Ok((expr, alias))
        })
    }

    fn parse(
        key: Key,
        text: &'a str,
        rule: impl FnOnce(&mut Parser<'_>) -> Result<(ast::Expr, Option<String>), ParserError>,
    ) -> Result<Self, SourceError> {
        let syntax = |range: Range<usize>, words: String| SourceError::Sql {
            key: key.clone(),
            range,
            fault: SqlFault::Syntax(words),
        };
        let dialect = GenericDialect {};
        let tokens = Tokenizer::new(&dialect, text).tokenize_with_location().map_err(|fault| {
            let at = offset(text, fault.location).min(text.len());
            syntax(at..text.len(), lower_first(&fault.message))
        })?;
        if let Some(keyword) = tokens.iter().find(|token| !matches!(token.token, Token::Whitespace(_)))
            && matches!(&keyword.token, Token::Word(word) if matches!(word.keyword, Keyword::WHERE | Keyword::SELECT))
        {
            let range = offset(text, keyword.span.start)..offset(text, keyword.span.end);
            let words = format!("only the condition or the value is written, without `{}`", keyword.token);
            return Err(syntax(range, words));
        }
        let place = |token: &TokenWithSpan| offset(text, token.span.start)..offset(text, token.span.end);
        if let Some(token) = depth::too_deep(&tokens) {
            return Err(syntax(
                place(token),
                format!("brackets nest deeper than {} levels here", depth::DEEPEST),
            ));
        }
        if let Some(token) = depth::too_long(&tokens) {
            return Err(syntax(place(token), "the chain of operators is too long here".to_owned()));
        }
        let mut parser = Parser::new(&dialect)
            .with_recursion_limit(depth::PARSER_DEPTH)
            .with_tokens_with_locations(tokens.clone());
        let parsed = rule(&mut parser).and_then(|parsed| match parser.peek_token_ref().token {
            Token::EOF => Ok(parsed),
            _ => parser.expected_ref("the end", parser.peek_token_ref()),
        });
        match parsed {
            Ok((mut expr, alias)) => {
                depth::balance(&mut expr);
                Ok(Self { key, sql: text, expr, alias, tokens })
            }
            Err(fault) => {
                let (range, words) = describe(text, &tokens, &fault);
                Err(syntax(range, words))
            }
        }
    }

    /// The name that the text gives its value: the alias, or the column's name where it is nothing but a column.
    pub fn name(&self) -> Option<String> {
        match (&self.alias, &self.expr) {
            (Some(alias), _) => Some(alias.clone()),
            (None, ast::Expr::Identifier(column)) => Some(column.value.clone()),
            (None, _) => None,
        }
    }

    /// The bytes of a parsed part; the whole text where the parser kept no place.
    pub fn range(&self, part: &impl Spanned) -> Range<usize> {
        self.span(part.span())
    }

    /// The bytes of a parser's span.
    pub fn span(&self, span: Span) -> Range<usize> {
        if span == Span::empty() {
            return self.whole();
        }
        let end = self.closed(span).unwrap_or(span.end);
        offset(self.sql, span.start)..offset(self.sql, end)
    }

    /// Where a span ends that has been given the closing brackets that the parser leaves out.
    fn closed(&self, span: Span) -> Option<Location> {
        let mut open = 0_i32;
        for token in self.tokens.iter().skip_while(|token| token.span.start < span.start) {
            let is_after = token.span.start >= span.end;
            if is_after && (open == 0 || !matches!(token.token, Token::RParen | Token::Whitespace(_))) {
                return None;
            }
            match token.token {
                Token::LParen => open += 1,
                Token::RParen => open -= 1,
                _ => {}
            }
            if is_after && open == 0 {
                return Some(token.span.end);
            }
        }
        None
    }

    /// The bytes of a planner's span.
    pub fn planner_span(&self, span: df::Span) -> Range<usize> {
        let place = |location: df::Location| Location { line: location.line, column: location.column };
        offset(self.sql, place(span.start))..offset(self.sql, place(span.end))
    }

    /// All of the text but the space around it.
    pub fn whole(&self) -> Range<usize> {
        trimmed(self.sql)
    }

    pub fn fault(&self, range: Range<usize>, fault: SqlFault) -> SourceError {
        SourceError::Sql { key: self.key.clone(), range, fault }
    }

    /// The text of some bytes, on one line.
    pub fn excerpt(&self, range: Range<usize>) -> String {
        self.sql.get(range).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The byte of a line and a column, both from 1, columns counted in characters.
fn offset(text: &str, location: Location) -> usize {
    let line = usize::try_from(location.line.saturating_sub(1)).unwrap_or(0);
    let column = usize::try_from(location.column.saturating_sub(1)).unwrap_or(0);
    let begin = match line {
        0 => 0,
        _ => text.match_indices('\n').nth(line - 1).map_or(text.len(), |(at, _)| at + 1),
    };
    let rest = text.get(begin..).unwrap_or_default();
    begin + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

fn trimmed(text: &str) -> Range<usize> {
    let begin = text.len() - text.trim_start().len();
    begin..text.trim_end().len().max(begin)
}

/// Where and what a syntax fault is. The parser tells the place only in words: `… at Line: 2, Column: 5`.
fn describe(text: &str, tokens: &[TokenWithSpan], fault: &ParserError) -> (Range<usize>, String) {
    let words = match fault {
        ParserError::TokenizerError(words) | ParserError::ParserError(words) => words.as_str(),
        ParserError::RecursionLimitExceeded => {
            return (trimmed(text), "the expression nests too deep".to_owned());
        }
    };
    let (words, place) = words.split_once(" at Line: ").unwrap_or((words, ""));
    let location = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Location { line: line.parse().ok()?, column: column.trim().parse().ok()? })
    });
    let range = match location {
        Some(location) => {
            let token = tokens.iter().find(|token| token.span.start == location && token.token != Token::EOF);
            let start = offset(text, location);
            start..token.map_or(start, |token| offset(text, token.span.end))
        }
        None => text.trim_end().len()..text.trim_end().len(),
    };
    let words = words.strip_prefix("sql parser error: ").unwrap_or(words);
    (range, lower_first(words).replace("found: EOF", "found: the end"))
}

fn lower_first(words: &str) -> String {
    let mut characters = words.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
