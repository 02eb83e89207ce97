//! `DataFusion`, set up as this program wants it.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast;

use crate::source::tables::Lookup;

/// `DataFusion`'s functions, settings and stores.
pub(in crate::source) struct Session {
    context: SessionContext,
    state: SessionState,
}

impl Session {
    pub fn new() -> Self {
        let mut config = SessionConfig::new().with_target_partitions(1).with_information_schema(false);
        let options = config.options_mut();
        // Columns are named as in the file: PULocationID is not pulocationid.
        options.sql_parser.enable_ident_normalization = false;
        options.sql_parser.collect_spans = true;
        let state = SessionStateBuilder::new().with_config(config).with_default_features().build();
        Self { context: SessionContext::new_with_state(state.clone()), state }
    }

    pub fn runtime(&self) -> Arc<RuntimeEnv> {
        Arc::clone(self.state.runtime_env())
    }

    pub fn task(&self) -> Arc<TaskContext> {
        self.state.task_ctx()
    }

    pub fn state(&self) -> &SessionState {
        &self.state
    }

    /// Makes look-up tables known to subqueries.
    pub fn add_tables(&self, tables: &BTreeMap<String, Lookup>) -> Result<(), DataFusionError> {
        for (name, lookup) in tables {
            let rows = lookup.batch().clone();
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            self.context.register_table(ast_name(name), Arc::new(table))?;
        }
        Ok(())
    }

    /// Plans an expression without subqueries.
    pub fn expression(&self, parsed: ast::Expr, schema: &DFSchema) -> Result<Expr, DataFusionError> {
        let parsed = ast::ExprWithAlias { expr: parsed, alias: None };
        self.state.create_logical_expr_from_sql_expr(parsed, schema)
    }

    /// Plans a subquery on its own.
    pub async fn query(&self, query: ast::Query) -> Result<LogicalPlan, DataFusionError> {
        let statement = ast::Statement::Query(Box::new(query));
        self.state.statement_to_plan(Statement::Statement(Box::new(statement))).await
    }

    /// The same expression, with types agreed and constants folded.
    pub fn simplified(&self, expr: Expr, schema: &DFSchema) -> Result<Expr, DataFusionError> {
        let schema: DFSchemaRef = Arc::new(schema.clone());
        let context = SimplifyContext::builder()
            .with_schema(Arc::clone(&schema))
            .with_config_options(Arc::clone(self.state.config_options()))
            .build();
        let simplifier = ExprSimplifier::new(context);
        let expr = simplifier.coerce(expr, &schema)?;
        simplifier.simplify(expr)
    }

    pub fn physical(&self, expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        self.state.create_physical_expr(expr.clone(), schema)
    }
}

fn ast_name(name: &str) -> datafusion::common::TableReference {
    datafusion::common::TableReference::bare(name)
}
