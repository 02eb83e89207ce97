//! `filter` and `select`: from SQL texts to expressions on the columns of the files.
//!
//! 1. Each text is parsed on its own ([`text`]), and every name in it is looked up ([`names`]), so that all faults are told.
//! 2. Each subquery is run over the look-up tables, and its values take its place as literals ([`lookup`]): a semi-join would
//!    hold the files' side in memory, and would prune no row group.
//! 3. What is left is planned by `DataFusion`; where it refuses, the smallest part that it refuses is found ([`types`]).

mod depth;
mod lookup;
mod names;
mod pruning;
mod session;
mod text;
mod types;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, ExprSchemable, ident};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::sql::sqlparser::ast;
use serde_json::json;

pub(super) use pruning::LONGEST_LIST;
pub(super) use session::Session;

use self::lookup::Values;
use self::text::Text;
use super::columns::{FileColumns, sql_type};
use super::encode;
use super::error::{ColumnConflict, Key, SourceError, SourceWarning, SqlFault};
use super::scan::Plan;
use super::tables::Tables;
use crate::spec;

/// Filter and select, planned.
#[derive(Debug)]
pub(super) struct Planned {
    pub plan: Plan,
    pub definition: String,
    pub warnings: Vec<SourceWarning>,
}

/// Where names are looked up.
pub(super) struct Scope<'a> {
    pub session: &'a Session,
    pub columns: &'a FileColumns,
    pub schema: DFSchema,
    pub tables: &'a Tables,
}

/// One column of `select`.
struct Output {
    entry: usize,
    name: String,
    expression: Expression,
}

/// A planned text.
struct Expression {
    expr: Expr,
    /// The text in a form that does not hang on how it is laid out, with its subqueries' values.
    canonical: serde_json::Value,
}

/// Plans filter and select, or tells every fault of theirs.
pub(super) async fn plan(
    session: &Arc<Session>,
    source: &spec::Source,
    columns: &Arc<FileColumns>,
    tables: &Tables,
) -> Result<Planned, Vec<SourceError>> {
    let (session, source) = (Arc::clone(session), source.clone());
    let (columns, tables) = (Arc::clone(columns), tables.clone());
    depth::with_room(async move { plan_here(&session, &source, &columns, &tables).await })
        .await
        .unwrap_or_else(|why| Err(vec![SourceError::Planner { why: why.to_string() }]))
}

/// The faults of a filter that can be told without the files: those of its syntax. An entry of `select` may be a column's bare name,
/// which need not be SQL.
pub(super) async fn syntax(source: &spec::Source) -> Vec<SourceError> {
    let Some(filter) = source.filter.clone().filter(|filter| !filter.trim().is_empty()) else {
        return Vec::new();
    };
    let parsed = depth::with_room(async move { Text::condition(Key::Filter, &filter).err() }).await;
    parsed.ok().flatten().into_iter().collect()
}

async fn plan_here(
    session: &Session,
    source: &spec::Source,
    columns: &FileColumns,
    tables: &Tables,
) -> Result<Planned, Vec<SourceError>> {
    let internal = |why: &DataFusionError| vec![SourceError::Planner { why: types::first_line(why) }];
    let schema = DFSchema::try_from(Arc::clone(&columns.schema)).map_err(|why| internal(&why))?;
    session.add_tables(&tables.loaded).map_err(|why| internal(&why))?;
    let scope = Scope { session, columns, schema, tables };

    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let outputs = scope.select(&source.select, &mut faults, &mut warnings).await;
    let filter = match source.filter.as_deref().filter(|filter| !filter.trim().is_empty()) {
        None => None,
        Some(filter) => scope.filter(filter, &mut warnings).await.map_or_else(
            |found| {
                faults.extend(found);
                None
            },
            Some,
        ),
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let definition = json!({
        "select": outputs.iter().map(|output| json!([output.name, output.expression.canonical])).collect::<Vec<_>>(),
        "filter": filter.as_ref().map(|filter| filter.canonical.clone()),
    });
    let plan = scope.compile(&outputs, filter.as_ref()).map_err(|why| internal(&why))?;
    let faults: Vec<SourceError> = outputs
        .iter()
        .zip(plan.output_schema.fields())
        .filter(|(_, field)| !encode::is_encodable(field.data_type()))
        .map(|(output, field)| SourceError::Unencodable {
            key: (!source.select.is_empty()).then_some(Key::Select(output.entry)),
            column: output.name.clone(),
            data_type: sql_type(field.data_type()),
        })
        .collect();
    if faults.is_empty() {
        Ok(Planned { plan, definition: definition.to_string(), warnings })
    } else {
        Err(faults)
    }
}

impl Scope<'_> {
    async fn filter(
        &self,
        text: &str,
        warnings: &mut Vec<SourceWarning>,
    ) -> Result<Expression, Vec<SourceError>> {
        let text = Text::condition(Key::Filter, text).map_err(|fault| vec![fault])?;
        let (parsed, values) = self.prepare(&text).await?;
        let mut planned = self.planned(&text, &parsed, &values).map_err(|fault| vec![fault])?;
        let data_type = planned.expr.get_type(&self.schema).unwrap_or(DataType::Boolean);
        match data_type {
            DataType::Boolean => {}
            DataType::Null => planned.expr = Expr::Literal(ScalarValue::Boolean(None), None),
            other => {
                let words = format!("the filter is no condition: its type is {}", sql_type(&other));
                return Err(vec![text.fault(text.whole(), SqlFault::Type(words))]);
            }
        }
        if let Expr::Literal(ScalarValue::Boolean(value), _) = &planned.expr {
            let value = match value {
                Some(true) => "true",
                Some(false) => "false",
                None => "null",
            };
            warnings.push(SourceWarning::ConstantFilter { value });
        }
        warnings.extend(self.warnings(&text, &parsed, &values));
        Ok(planned)
    }

    async fn select(
        &self,
        entries: &[String],
        faults: &mut Vec<SourceError>,
        warnings: &mut Vec<SourceWarning>,
    ) -> Vec<Output> {
        if entries.is_empty() {
            faults.extend(self.columns.conflicts.iter().map(|(name, conflict)| conflict.fault(name, None)));
            return self.all_columns(0).collect();
        }
        let mut outputs: Vec<Output> = Vec::new();
        for (entry, text) in entries.iter().enumerate() {
            let found = match self.output(entry, text, warnings).await {
                Ok(found) => found,
                Err(found) => {
                    faults.extend(found);
                    continue;
                }
            };
            for output in found {
                match outputs.iter().find(|earlier| earlier.name == output.name) {
                    Some(earlier) => faults.push(SourceError::DuplicateOutput {
                        key: Key::Select(entry),
                        name: output.name,
                        first: earlier.entry,
                    }),
                    None => outputs.push(output),
                }
            }
        }
        outputs
    }

    /// What one entry of `select` gives. A column's bare name is that column, however odd the name; `*` is every column.
    async fn output(
        &self,
        entry: usize,
        text: &str,
        warnings: &mut Vec<SourceWarning>,
    ) -> Result<Vec<Output>, Vec<SourceError>> {
        let key = Key::Select(entry);
        let bare = text.trim();
        if bare == "*" {
            let conflicts = &self.columns.conflicts;
            let star = 0..text.len();
            let faults: Vec<SourceError> = conflicts
                .iter()
                .map(|(name, conflict)| conflict.fault(name, Some((key.clone(), star.clone()))))
                .collect();
            return if faults.is_empty() { Ok(self.all_columns(entry).collect()) } else { Err(faults) };
        }
        if let Some(conflict) = self.columns.conflicts.get(bare) {
            return Err(vec![conflict.fault(bare, Some((key, 0..text.len())))]);
        }
        if self.columns.schema.column_with_name(bare).is_some() {
            return Ok(vec![column(entry, bare)]);
        }
        let text = Text::output(key, text).map_err(|fault| vec![fault])?;
        let (parsed, values) = self.prepare(&text).await?;
        let Some(name) = text.name() else {
            return Err(vec![text.fault(text.whole(), SqlFault::Unnamed)]);
        };
        if let ast::Expr::Identifier(identifier) = &parsed {
            let mut output = column(entry, &identifier.value);
            output.name = name;
            return Ok(vec![output]);
        }
        let expression = self.planned(&text, &parsed, &values).map_err(|fault| vec![fault])?;
        warnings.extend(self.warnings(&text, &parsed, &values));
        Ok(vec![Output { entry, name, expression }])
    }

    fn all_columns(&self, entry: usize) -> impl Iterator<Item = Output> {
        self.columns.schema.fields().iter().map(move |field| column(entry, field.name()))
    }

    /// Looks up a text's names and resolves its subqueries.
    async fn prepare(&self, text: &Text<'_>) -> Result<(ast::Expr, Values), Vec<SourceError>> {
        let found = names::check(self, text);
        // What hangs on a table that could not be read cannot be judged; that fault has been told.
        if !found.faults.is_empty() || found.names_broken_table {
            return Err(found.faults);
        }
        lookup::resolve(self, text).await
    }

    fn planned(
        &self,
        text: &Text<'_>,
        parsed: &ast::Expr,
        values: &Values,
    ) -> Result<Expression, SourceError> {
        let expr = self.logical(parsed, values).map_err(|why| self.explain(text, parsed, values, &why))?;
        Ok(Expression { expr, canonical: json!([parsed.to_string(), values.canonical()]) })
    }

    /// Plans a parsed expression: types agreed, constants folded.
    fn logical(&self, parsed: &ast::Expr, values: &Values) -> Result<Expr, DataFusionError> {
        let expr = values.fill(self.session.expression(parsed.clone(), &self.schema)?)?;
        let expr = self.session.simplified(expr, &self.schema)?;
        if let Some(words) = types::impossible_cast(&expr) {
            return Err(DataFusionError::Plan(words));
        }
        // What cannot be made into a physical expression must be told now.
        self.session.physical(&expr, &self.schema)?;
        Ok(expr)
    }

    fn compile(&self, outputs: &[Output], filter: Option<&Expression>) -> Result<Plan, DataFusionError> {
        let all = &self.columns.schema;
        let mut names = BTreeSet::new();
        for expression in outputs.iter().map(|output| &output.expression).chain(filter) {
            names.extend(expression.expr.column_refs().into_iter().map(|column| column.name.as_str()));
        }
        let used: Vec<usize> = names.iter().filter_map(|name| all.index_of(name).ok()).collect();
        let used_schema = Arc::new(all.project(&used)?);
        let schema = DFSchema::try_from(Arc::clone(&used_schema))?;

        let physical = |expr: &Expr, schema: &DFSchema| self.session.physical(expr, schema);
        let judged = filter.and_then(|filter| pruning::of(&filter.expr, all));
        let compiled: Vec<Arc<dyn PhysicalExpr>> = outputs
            .iter()
            .map(|output| physical(&output.expression.expr, &schema))
            .collect::<Result<_, _>>()?;
        let fields = outputs.iter().zip(&compiled).map(|(output, expr)| {
            Ok(Field::new(&output.name, expr.data_type(&used_schema)?, expr.nullable(&used_schema)?))
        });
        let fields = fields.collect::<Result<Vec<Field>, DataFusionError>>()?;
        Ok(Plan {
            file_schema: Arc::clone(all),
            used,
            predicate: filter.map(|filter| physical(&filter.expr, &schema)).transpose()?,
            pruning: judged.map(|expr| physical(&expr, &self.schema)).transpose()?,
            outputs: compiled,
            entries: outputs.iter().map(|output| output.entry).collect(),
            output_schema: Arc::new(Schema::new(fields)),
        })
    }
}

fn column(entry: usize, name: &str) -> Output {
    let canonical = json!([format!("\"{}\"", name.replace('"', "\"\"")), []]);
    Output { entry, name: name.to_owned(), expression: Expression { expr: ident(name), canonical } }
}

impl super::columns::Conflict {
    fn fault(&self, column: &str, used: Option<(Key, Range<usize>)>) -> SourceError {
        SourceError::ColumnConflict(Box::new(ColumnConflict {
            used,
            column: column.to_owned(),
            first: Arc::clone(&self.first),
            first_type: sql_type(&self.first_type),
            other: Arc::clone(&self.other),
            other_type: sql_type(&self.other_type),
        }))
    }
}
