//! Subqueries over look-up tables, resolved to literals before the rows are read.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{ScalarValue, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use datafusion::physical_plan::collect;
use datafusion::sql::sqlparser::ast::{self, Spanned, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::tokenizer::Span;
use serde_json::json;

use super::Scope;
use super::text::Text;
use super::types::first_line;
use crate::source::error::{SourceError, SqlFault};

/// How many values a subquery may give: they are held in memory, and in the stream's definition.
const MOST_VALUES: usize = 100_000;

/// What the subqueries of a text came to, by the placeholder that stands for each.
#[derive(Debug, Default)]
pub(super) struct Values {
    values: BTreeMap<String, Value>,
    /// The subqueries that gave nothing.
    pub empty: Vec<Span>,
}

#[derive(Debug)]
enum Value {
    /// Of `IN (SELECT …)`: each value once, in order, a null last.
    List(Vec<ScalarValue>),
    /// Of `(SELECT …)` and `EXISTS (SELECT …)`.
    One(ScalarValue),
}

impl Value {
    fn is_empty(&self) -> bool {
        match self {
            Self::List(values) => values.is_empty(),
            Self::One(value) => value.is_null(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Use {
    List,
    One,
    Exists { negated: bool },
}

struct Subquery {
    placeholder: String,
    query: ast::Query,
    span: Span,
    used: Use,
}

/// Runs the subqueries of a text; gives the text's expression with a placeholder for each, and their values.
pub(super) async fn resolve(
    scope: &Scope<'_>,
    text: &Text<'_>,
) -> Result<(ast::Expr, Values), Vec<SourceError>> {
    let mut expr = text.expr.clone();
    let mut taken = Take(Vec::new());
    // The visitor never breaks off.
    let _: ControlFlow<()> = expr.visit(&mut taken);
    let mut values = Values::default();
    let mut faults = Vec::new();
    for subquery in taken.0 {
        match run(scope, text, &subquery).await {
            Ok(value) => {
                if value.is_empty() {
                    values.empty.push(subquery.query.span());
                }
                values.values.insert(subquery.placeholder, value);
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok((expr, values)) } else { Err(faults) }
}

/// Takes the outermost subqueries out of an expression.
struct Take(Vec<Subquery>);

impl VisitorMut for Take {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
        let span = expr.span();
        match expr {
            ast::Expr::InSubquery { expr: left, subquery, negated } => {
                let list = vec![self.take(subquery, span, Use::List)];
                *expr = ast::Expr::InList { expr: left.clone(), list, negated: *negated };
            }
            ast::Expr::Subquery(query) => *expr = self.take(query, span, Use::One),
            ast::Expr::Exists { subquery, negated } => {
                *expr = self.take(subquery, span, Use::Exists { negated: *negated });
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Take {
    fn take(&mut self, query: &ast::Query, span: Span, used: Use) -> ast::Expr {
        let placeholder = format!("${}", self.0.len() + 1);
        let value = ast::Value::Placeholder(placeholder.clone());
        self.0.push(Subquery { placeholder, query: query.clone(), span, used });
        ast::Expr::Value(ast::ValueWithSpan { value, span })
    }
}

async fn run(scope: &Scope<'_>, text: &Text<'_>, subquery: &Subquery) -> Result<Value, SourceError> {
    let range = text.span(subquery.query.span());
    let explain = |why: DataFusionError| match why.find_root() {
        DataFusionError::SchemaError(fault, _) => {
            let place = why.diagnostic().and_then(|diagnostic| diagnostic.span);
            let place = place.map_or_else(|| text.span(subquery.span), |span| text.planner_span(span));
            text.fault(place.clone(), schema_fault(scope, &text.excerpt(place), fault))
        }
        root => text.fault(range.clone(), SqlFault::Type(first_line(root))),
    };
    let plan = scope.session.query(subquery.query.clone()).await.map_err(&explain)?;
    let columns = plan.schema().fields().len();
    if columns != 1 && !matches!(subquery.used, Use::Exists { .. }) {
        let words = format!("the subquery gives {columns} columns, where one is wanted");
        return Err(text.fault(range.clone(), SqlFault::Type(words)));
    }
    let builder = LogicalPlanBuilder::from(plan.clone());
    let limited = match subquery.used {
        Use::List => builder.distinct().and_then(|plan| plan.limit(0, Some(MOST_VALUES + 1))),
        Use::One => builder.limit(0, Some(2)),
        Use::Exists { .. } => builder.limit(0, Some(1)),
    };
    let plan = limited.and_then(LogicalPlanBuilder::build).map_err(&explain)?;
    let state = scope.session.state();
    let physical = state.create_physical_plan(&plan).await.map_err(&explain)?;
    let batches = collect(physical, state.task_ctx()).await.map_err(&explain)?;
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    match subquery.used {
        Use::Exists { negated } => Ok(Value::One(ScalarValue::Boolean(Some((rows > 0) != negated)))),
        Use::List if rows > MOST_VALUES => {
            Err(text.fault(range.clone(), SqlFault::TooManyValues { limit: MOST_VALUES }))
        }
        Use::List => {
            let mut list = scalars(&batches).map_err(&explain)?;
            list.sort_by(|a, b| {
                a.is_null().cmp(&b.is_null()).then(a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))
            });
            Ok(Value::List(list))
        }
        Use::One if rows > 1 => {
            let words = "the subquery gives more than one row, where one value is wanted".to_owned();
            Err(text.fault(range.clone(), SqlFault::Type(words)))
        }
        Use::One => match scalars(&batches).map_err(&explain)?.pop() {
            Some(value) => Ok(Value::One(value)),
            // As SQL has it: no row is null.
            None => {
                ScalarValue::try_from(plan.schema().field(0).data_type()).map(Value::One).map_err(&explain)
            }
        },
    }
}

fn scalars(batches: &[RecordBatch]) -> Result<Vec<ScalarValue>, DataFusionError> {
    let mut values = Vec::new();
    for column in batches.iter().filter_map(|batch| batch.columns().first()) {
        for row in 0..column.len() {
            values.push(ScalarValue::try_from_array(column, row)?);
        }
    }
    Ok(values)
}

/// What is wrong with a column name in a subquery, which stands there as `written`.
fn schema_fault(scope: &Scope<'_>, written: &str, fault: &SchemaError) -> SqlFault {
    match fault {
        SchemaError::FieldNotFound { field, valid_fields } => {
            let is_outer = scope.columns.schema.column_with_name(&field.name).is_some()
                || scope.columns.conflicts.contains_key(&field.name);
            if is_outer {
                return SqlFault::Correlated { column: field.name.clone() };
            }
            let known = valid_fields.iter().map(|column| column.name.clone()).collect();
            SqlFault::UnknownColumn { name: field.name.clone(), known, quoted: written.starts_with('"') }
        }
        SchemaError::AmbiguousReference { field } => {
            SqlFault::Type(format!("`{}` is a column of more than one table here", field.name))
        }
        other => SqlFault::Type(other.to_string()),
    }
}

impl Values {
    /// Puts the values in the places of their placeholders.
    pub fn fill(&self, expr: Expr) -> Result<Expr, DataFusionError> {
        if self.values.is_empty() {
            return Ok(expr);
        }
        let filled = expr.transform_down(|part| match part {
            Expr::InList(InList { expr, list, negated }) => match self.list(&list) {
                // Nothing is in an empty list, not even null.
                Some([]) => Ok(Transformed::yes(lit(negated))),
                Some(values) => {
                    let list = values.iter().map(|value| Expr::Literal(value.clone(), None)).collect();
                    Ok(Transformed::yes(Expr::InList(InList { expr, list, negated })))
                }
                None => Ok(Transformed::no(Expr::InList(InList { expr, list, negated }))),
            },
            Expr::Placeholder(placeholder) => match self.values.get(&placeholder.id) {
                Some(Value::One(value)) => Ok(Transformed::yes(Expr::Literal(value.clone(), None))),
                _ => Ok(Transformed::no(Expr::Placeholder(placeholder))),
            },
            other => Ok(Transformed::no(other)),
        });
        Ok(filled?.data)
    }

    fn list(&self, list: &[Expr]) -> Option<&[ScalarValue]> {
        match list {
            [Expr::Placeholder(placeholder)] => match self.values.get(&placeholder.id)? {
                Value::List(values) => Some(values),
                Value::One(_) => None,
            },
            _ => None,
        }
    }

    /// The values, in a form that is the same on each run.
    pub fn canonical(&self) -> Vec<serde_json::Value> {
        let text = |value: &ScalarValue| format!("{}:{value}", super::sql_type(&value.data_type()));
        let each = |value: &Value| match value {
            Value::List(values) => json!(values.iter().map(text).collect::<Vec<_>>()),
            Value::One(value) => json!(text(value)),
        };
        self.values.values().map(each).collect()
    }
}
