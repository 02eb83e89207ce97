//! Keeps expressions shallow and gives the planner room. Whatever walks over an expression, to parse it, to plan it or to work it
//! out, does so level by level on the stack; the parser makes a list of a thousand alternatives a thousand levels deep, and
//! unoptimised it takes some 100 kB a level.

use std::io;
use std::ops::ControlFlow;
use std::thread;

use datafusion::sql::sqlparser::ast::{BinaryOperator, Expr, Value, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// The stack of the planner's thread. Of it only what is used is ever taken from the system.
const STACK_BYTES: usize = 64 * 1024 * 1024;
/// How deep brackets may nest.
pub(super) const DEEPEST: usize = 40;
/// The parser's own limit, which counts several levels for a bracket.
pub(super) const PARSER_DEPTH: usize = 400;
/// How long a chain of operators may be.
const LONGEST_CHAIN: usize = 100;
/// How long a chain of `AND` or `OR` may be before it is put together anew.
const LEFT_ALONE: usize = 32;

/// Does work on a thread with a large stack.
pub(super) async fn with_room<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> io::Result<T> {
    let (done, result) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new().name("planner".to_owned()).stack_size(STACK_BYTES).spawn(move || {
        // Without a receiver nobody waits for the result any more.
        let _ = done.send(runtime.block_on(work));
    })?;
    result.await.map_err(io::Error::other)
}

/// Where brackets nest too deep, if they do. The parser's own limit is told too late: what it meets there it tries to read in other ways.
pub(super) fn too_deep(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let mut depth = 0_usize;
    tokens.iter().find(|token| {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => depth = depth.saturating_sub(1),
            Token::Word(word) if word.keyword == Keyword::CASE => depth += 1,
            Token::Word(word) if word.keyword == Keyword::END => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > DEEPEST
    })
}

/// Where a chain of operators other than `AND` and `OR` becomes too long, if one does.
pub(super) fn too_long(tokens: &[TokenWithSpan]) -> Option<&TokenWithSpan> {
    let mut length = 0;
    tokens.iter().find(|token| {
        match &token.token {
            Token::Comma => length = 0,
            Token::Word(word) if matches!(word.keyword, Keyword::AND | Keyword::OR) => length = 0,
            Token::Word(word) if word.keyword == Keyword::NOT => length += 1,
            Token::Word(_)
            | Token::Number(_, _)
            | Token::SingleQuotedString(_)
            | Token::Whitespace(_)
            | Token::LParen
            | Token::RParen
            | Token::Period => {}
            _ => length += 1,
        }
        length > LONGEST_CHAIN
    })
}

/// Puts long chains of `AND` or `OR` together anew, as deep as the logarithm of their length. Neither operator minds the order in
/// which its parts are put together.
pub(super) fn balance(expr: &mut Expr) {
    // The visitor never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut Balance);
}

struct Balance;

impl VisitorMut for Balance {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Some((operator, length)) = chain(expr)
            && length > LEFT_ALONE
        {
            let nothing = || Expr::Value(Value::Null.with_empty_span());
            let whole = std::mem::replace(expr, nothing());
            *expr = joined(parts(whole, &operator), &operator).unwrap_or_else(nothing);
        }
        ControlFlow::Continue(())
    }
}

/// The operator of a chain of `AND` or `OR`, and how many parts it has.
fn chain(expr: &Expr) -> Option<(BinaryOperator, usize)> {
    let Expr::BinaryOp { op: operator @ (BinaryOperator::And | BinaryOperator::Or), .. } = expr else {
        return None;
    };
    let mut length = 1;
    let mut first = expr;
    while let Expr::BinaryOp { left, op, .. } = first
        && op == operator
    {
        length += 1;
        first = left;
    }
    Some((operator.clone(), length))
}

/// The parts of a chain of an operator, from left to right.
fn parts(whole: Expr, operator: &BinaryOperator) -> Vec<Expr> {
    let mut parts = Vec::new();
    let mut first = whole;
    loop {
        match first {
            Expr::BinaryOp { left, op, right } if op == *operator => {
                parts.push(*right);
                first = *left;
            }
            other => {
                parts.push(other);
                parts.reverse();
                return parts;
            }
        }
    }
}

/// The parts, joined in pairs, and the pairs in pairs.
fn joined(mut parts: Vec<Expr>, operator: &BinaryOperator) -> Option<Expr> {
    while parts.len() > 1 {
        let mut pairs = Vec::with_capacity(parts.len().div_ceil(2));
        let mut rest = parts.into_iter();
        while let Some(left) = rest.next() {
            pairs.push(match rest.next() {
                Some(right) => {
                    Expr::BinaryOp { left: Box::new(left), op: operator.clone(), right: Box::new(right) }
                }
                None => left,
            });
        }
        parts = pairs;
    }
    parts.pop()
}
