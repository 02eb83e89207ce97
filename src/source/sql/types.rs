//! What is wrong where the planner refuses: the smallest part of the text that it refuses, in the user's words.

use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::{self, BinaryOperator, Visit, Visitor};

use super::Scope;
use super::lookup::Values;
use super::text::Text;
use crate::source::columns::sql_type;
use crate::source::error::{SourceError, SourceWarning, SqlFault};

/// The parts of an expression, each after the parts that it is made of.
struct Parts(Vec<ast::Expr>);

impl Visitor for Parts {
    type Break = ();

    fn post_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        self.0.push(expr.clone());
        ControlFlow::Continue(())
    }
}

fn parts(expr: &ast::Expr) -> Vec<ast::Expr> {
    let mut parts = Parts(Vec::new());
    // The visitor never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut parts);
    parts.0
}

impl Scope<'_> {
    /// The fault of a text that the planner refuses.
    pub(super) fn explain(
        &self,
        text: &Text<'_>,
        parsed: &ast::Expr,
        values: &Values,
        why: &DataFusionError,
    ) -> SourceError {
        let refused = parts(parsed).into_iter().find_map(|part| {
            // Other parts, such as a lambda, mean nothing on their own.
            let stands_alone = matches!(
                part,
                ast::Expr::BinaryOp { .. }
                    | ast::Expr::UnaryOp { .. }
                    | ast::Expr::Function(_)
                    | ast::Expr::Cast { .. }
                    | ast::Expr::Between { .. }
                    | ast::Expr::InList { .. }
                    | ast::Expr::Like { .. }
                    | ast::Expr::ILike { .. }
                    | ast::Expr::Case { .. }
            );
            let why = stands_alone.then(|| self.logical(&part, values)).and_then(Result::err)?;
            Some((part, why))
        });
        match refused {
            Some((part, why)) => {
                let words = self.words(text, &part, values).unwrap_or_else(|| first_line(&why));
                text.fault(text.range(&part), SqlFault::Type(words))
            }
            None => text.fault(text.whole(), SqlFault::Type(first_line(why))),
        }
    }

    /// What does not go together in a part, where that can be told by its types.
    fn words(&self, text: &Text<'_>, part: &ast::Expr, values: &Values) -> Option<String> {
        let typed = |part: &ast::Expr| {
            let data_type = self.type_of(part, values)?;
            Some(format!("`{}` ({})", text.excerpt(text.range(part)), sql_type(&data_type)))
        };
        match part {
            ast::Expr::BinaryOp { left, op, right } if is_comparison(op) => {
                Some(format!("{} cannot be compared with {}", typed(left)?, typed(right)?))
            }
            ast::Expr::BinaryOp { left, op, right } => {
                Some(format!("`{op}` cannot take {} and {}", typed(left)?, typed(right)?))
            }
            ast::Expr::Between { expr, low, high, .. } => {
                Some(format!("{} cannot be compared with {} and {}", typed(expr)?, typed(low)?, typed(high)?))
            }
            ast::Expr::InList { expr, .. } => {
                Some(format!("{} cannot be compared with the list", typed(expr)?))
            }
            ast::Expr::Like { expr, pattern, .. } | ast::Expr::ILike { expr, pattern, .. } => {
                Some(format!("`LIKE` cannot take {} and {}", typed(expr)?, typed(pattern)?))
            }
            ast::Expr::Cast { expr, data_type, .. } => {
                Some(format!("{} cannot be cast to {data_type}", typed(expr)?))
            }
            ast::Expr::UnaryOp { op, expr } => Some(format!("`{op}` cannot take {}", typed(expr)?)),
            ast::Expr::Function(function) => {
                let ast::FunctionArguments::List(list) = &function.args else { return None };
                let arguments = list.args.iter().map(|argument| match argument {
                    ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => typed(expr),
                    _ => None,
                });
                let arguments: Vec<String> = arguments.collect::<Option<_>>()?;
                let given =
                    if arguments.is_empty() { "no arguments".to_owned() } else { arguments.join(", ") };
                Some(format!("`{}` cannot take {given}", function.name))
            }
            _ => None,
        }
    }

    /// The type of a part as it is written, before any cast that the planner adds.
    fn type_of(&self, part: &ast::Expr, values: &Values) -> Option<DataType> {
        let expr = self.session.expression(part.clone(), &self.schema).ok()?;
        values.fill(expr).ok()?.get_type(&self.schema).ok()
    }

    /// What will hurt in a text that can be planned: subqueries without a value, comparisons of a text with a number.
    pub(super) fn warnings(
        &self,
        text: &Text<'_>,
        parsed: &ast::Expr,
        values: &Values,
    ) -> Vec<SourceWarning> {
        let empty = values
            .empty
            .iter()
            .map(|span| SourceWarning::EmptyLookup { key: text.key.clone(), range: text.span(*span) });
        empty.chain(self.implicit_casts(text, parsed, values)).collect()
    }

    fn implicit_casts(&self, text: &Text<'_>, parsed: &ast::Expr, values: &Values) -> Vec<SourceWarning> {
        let compared = parts(parsed).into_iter().filter_map(|part| match &part {
            ast::Expr::BinaryOp { left, op, right } if is_comparison(op) => {
                let (left_type, right_type) = (self.type_of(left, values)?, self.type_of(right, values)?);
                let mixed = (left_type.is_string() && right_type.is_numeric())
                    || (left_type.is_numeric() && right_type.is_string());
                mixed.then(|| SourceWarning::ImplicitCast {
                    key: text.key.clone(),
                    range: text.range(&part),
                    left: text.excerpt(text.range(&**left)),
                    left_type: sql_type(&left_type),
                    right: text.excerpt(text.range(&**right)),
                    right_type: sql_type(&right_type),
                })
            }
            _ => None,
        });
        compared.collect()
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

/// A cast of a constant that no constant folding could do: it would fail at the first row.
pub(super) fn impossible_cast(expr: &Expr) -> Option<String> {
    let mut found = None;
    let walk = expr.apply(|part| {
        if let Expr::Cast(cast) = part
            && let Expr::Literal(value, _) = &*cast.expr
        {
            found = Some(format!("`{value}` cannot be cast to {}", sql_type(cast.field.data_type())));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walk.ok().and(found)
}

/// The first line of the planner's words, without its prefixes.
pub(in crate::source) fn first_line(why: &DataFusionError) -> String {
    let words = match why.find_root() {
        DataFusionError::Plan(words)
        | DataFusionError::Execution(words)
        | DataFusionError::NotImplemented(words) => words.clone(),
        other => crate::source::stores::innermost(other),
    };
    let line = words.lines().next().unwrap_or_default();
    // Some messages show the planner's own values.
    if line.contains("Span(") {
        return "this form is not supported".to_owned();
    }
    let line = line.strip_prefix("Error during planning: ").unwrap_or(line);
    let mut characters = line.trim_end_matches('.').chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}
