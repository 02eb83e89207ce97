//! Looks up every name in a text: columns, functions, tables. What it finds wrong it finds all at once.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Volatility;
use datafusion::sql::sqlparser::ast::{self, Visit, Visitor};

use super::Scope;
use super::text::Text;
use crate::source::columns::sql_type;
use crate::source::error::{SourceError, SqlFault};

const ONE_ROW: &str = "a filter or a column is about one row; counts and sums belong in an analysis";
const SAME_ROWS: &str = "its value differs from run to run, but the rows must be the same on each";

/// What the names of a text came to.
pub(super) struct Found {
    pub faults: Vec<SourceError>,
    /// Whether one of them is a look-up table that could not be read.
    pub names_broken_table: bool,
}

/// Looks up the names of a text.
pub(super) fn check(scope: &Scope<'_>, text: &Text<'_>) -> Found {
    let mut check = Check {
        scope,
        text,
        queries: 0,
        parameters: HashSet::new(),
        common: HashSet::new(),
        found: Found { faults: Vec::new(), names_broken_table: false },
    };
    // The visitor never breaks off.
    let _: ControlFlow<()> = text.expr.visit(&mut check);
    check.found
}

struct Check<'a> {
    scope: &'a Scope<'a>,
    text: &'a Text<'a>,
    /// How many subqueries the place is inside of.
    queries: usize,
    /// The parameters of lambdas, which look like columns.
    parameters: HashSet<String>,
    /// The tables that `WITH` names.
    common: HashSet<String>,
    found: Found,
}

impl Visitor for Check<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        self.queries += 1;
        if let Some(with) = &query.with {
            self.common.extend(with.cte_tables.iter().map(|table| table.alias.name.value.clone()));
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &ast::Query) -> ControlFlow<()> {
        self.queries -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ast::ObjectName) -> ControlFlow<()> {
        let name = match relation.0.as_slice() {
            [ast::ObjectNamePart::Identifier(only)] => only.value.clone(),
            _ => relation.to_string(),
        };
        let state = self.scope.session.state();
        let tables = self.scope.tables;
        if tables.broken.contains(&name) {
            self.found.names_broken_table = true;
            return ControlFlow::Continue(());
        }
        let is_known = tables.loaded.contains_key(&name)
            || self.common.contains(&name)
            || state.table_functions().contains_key(&name);
        if !is_known {
            let known = tables.loaded.keys().chain(&tables.broken).cloned().collect();
            self.fault(relation, SqlFault::UnknownTable { name, known });
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        match expr {
            ast::Expr::Identifier(name) if self.queries == 0 => self.column(name),
            ast::Expr::CompoundIdentifier(parts) if self.queries == 0 => {
                if let Some(first) = parts.first() {
                    self.qualified(first, parts.get(1));
                }
            }
            ast::Expr::Function(function) => self.function(function),
            ast::Expr::Lambda(lambda) => {
                self.parameters.extend(lambda.params.iter().map(|parameter| parameter.name.value.clone()));
            }
            ast::Expr::Value(value) => {
                if let ast::Value::Placeholder(name) = &value.value {
                    let what = format!("`{name}`");
                    self.fault(value, SqlFault::NotAllowed { what, why: "there are no parameters here" });
                }
            }
            ast::Expr::AnyOp { right, .. } | ast::Expr::AllOp { right, .. }
                if matches!(**right, ast::Expr::Subquery(_)) =>
            {
                let what = "`ANY` and `ALL` with a subquery".to_owned();
                self.fault(
                    expr,
                    SqlFault::NotAllowed {
                        what,
                        why: "write `IN (SELECT …)`, or compare with `(SELECT max(…) …)`",
                    },
                );
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Check<'_> {
    fn fault(&mut self, part: &impl ast::Spanned, fault: SqlFault) {
        let fault = self.text.fault(self.text.range(part), fault);
        if !self.found.faults.contains(&fault) {
            self.found.faults.push(fault);
        }
    }

    /// `a.b`: field b of column a.
    fn qualified(&mut self, first: &ast::Ident, field: Option<&ast::Ident>) {
        let is_column = self.scope.columns.schema.column_with_name(&first.value).is_some();
        if !is_column && self.scope.tables.loaded.contains_key(&first.value) {
            let what = format!("`{}`", first.value);
            let why = "a look-up table can be named only in a subquery, `IN (SELECT … FROM …)`";
            let range = self.text.span(first.span);
            self.found.faults.push(self.text.fault(range, SqlFault::NotAllowed { what, why }));
            return;
        }
        self.column(first);
        let column = self.scope.columns.schema.field_with_name(&first.value);
        if let (Ok(column), Some(field)) = (column, field) {
            let words = match column.data_type() {
                DataType::Struct(fields) if fields.find(&field.value).is_some() => return,
                DataType::Map(_, _) => return,
                other => format!("`{}` ({}) has no field `{}`", first.value, sql_type(other), field.value),
            };
            self.found.faults.push(self.text.fault(self.text.span(field.span), SqlFault::Type(words)));
        }
    }

    fn column(&mut self, identifier: &ast::Ident) {
        let name = &identifier.value;
        let columns = self.scope.columns;
        if self.parameters.contains(name) || columns.schema.column_with_name(name).is_some() {
            return;
        }
        if let Some(conflict) = columns.conflicts.get(name) {
            let used = Some((self.text.key.clone(), self.text.span(identifier.span)));
            self.found.faults.push(conflict.fault(name, used));
            return;
        }
        let known = columns.schema.fields().iter().map(|field| field.name().clone()).collect();
        let quoted = identifier.quote_style.is_some();
        let range = self.text.span(identifier.span);
        self.found
            .faults
            .push(self.text.fault(range, SqlFault::UnknownColumn { name: name.clone(), known, quoted }));
    }

    fn function(&mut self, function: &ast::Function) {
        let written = function.name.to_string();
        let name = written.to_lowercase();
        let state = self.scope.session.state();
        let inside = self.queries > 0;
        let what = format!("`{written}`");
        if let Some(scalar) = state.scalar_functions().get(&name) {
            if scalar.signature().volatility != Volatility::Immutable {
                self.fault(&function.name, SqlFault::NotAllowed { what, why: SAME_ROWS });
            }
        } else if state.aggregate_functions().contains_key(&name)
            || state.window_functions().contains_key(&name)
        {
            if !inside {
                self.fault(&function.name, SqlFault::NotAllowed { what, why: ONE_ROW });
            }
        } else if !state.higher_order_functions().contains_key(&name) {
            let mut known: Vec<String> = state.scalar_functions().keys().cloned().collect();
            known.extend(state.higher_order_functions().keys().cloned());
            if inside {
                known.extend(state.aggregate_functions().keys().cloned());
            }
            known.sort();
            self.fault(&function.name, SqlFault::UnknownFunction { name: written, known });
        }
    }
}
