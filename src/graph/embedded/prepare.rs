//! What the engine must know and have before the first row.

use std::collections::BTreeSet;

use kglite::api::{DirGraph, SchemaDefinition, SchemaInstall, Value as EngineValue};

use super::engine::{OpenGraph, graph_error, headline};
use super::value::Parameters;
use crate::graph::{
    Constraint, ConstraintKind, ElementSchema, GraphError, GraphSchema, Prepared, batch, cypher,
};

/// Makes constraints and indexes, declares the properties, and has the statement planned.
pub(super) fn prepare(graph: &OpenGraph, schema: &GraphSchema) -> Result<Prepared, GraphError> {
    let mut prepared = Prepared::default();
    let standing = standing(graph)?;
    let is_missing = |constraint: &Constraint| !standing.contains(&constraint.name());
    let checkpoint_constraint = batch::checkpoint_constraint();
    if is_missing(&checkpoint_constraint) {
        make(graph, &checkpoint_constraint)?;
    }
    for constraint in &schema.constraints {
        if let Some(reason) = not_there(constraint) {
            prepared.done_without.push((constraint.clone(), reason.to_owned()));
        } else if is_missing(constraint) {
            make(graph, constraint)?;
            prepared.made.push(constraint.cypher());
        }
    }
    declare(graph, &schema.nodes)?;
    plan(graph, &schema.statement)?;
    Ok(prepared)
}

/// Why the engine does without a constraint or an index; none where it has it.
fn not_there(constraint: &Constraint) -> Option<&'static str> {
    match constraint.kind {
        ConstraintKind::RelationshipIndex if constraint.properties.len() > 1 => {
            Some("the embedded engine indexes relationships by one property only")
        }
        _ => None,
    }
}

/// The names of the constraints and indexes that stand. `IF NOT EXISTS` would do, but it counts as a change, and a run that
/// changes nothing shall not save the graph again.
fn standing(graph: &OpenGraph) -> Result<BTreeSet<String>, GraphError> {
    let mut names = BTreeSet::new();
    for cypher in ["SHOW CONSTRAINTS YIELD name", "SHOW INDEXES YIELD name"] {
        let rows = graph.read(cypher, &Parameters::new()).map_err(|error| graph_error(&error))?.result.rows;
        names.extend(rows.iter().filter_map(|row| match row.first() {
            Some(EngineValue::String(name)) => Some(name.clone()),
            _ => None,
        }));
    }
    Ok(names)
}

/// Makes a constraint or an index.
fn make(graph: &OpenGraph, constraint: &Constraint) -> Result<(), GraphError> {
    let cypher = constraint.cypher();
    let made = graph.execute(&cypher, &Parameters::new()).map(|_| ());
    made.map_err(|error| GraphError::Constraint { constraint: cypher, message: headline(&error) })
}

/// Tells the engine which properties nodes will have. It refuses a name that it has not seen on a label that it has,
/// taking it for a slip of the pen.
fn declare(graph: &OpenGraph, nodes: &[ElementSchema]) -> Result<(), GraphError> {
    let definition = undeclared(&graph.session().snapshot(), nodes);
    if definition.node_schemas.is_empty() {
        return Ok(());
    }
    graph
        .session()
        .write()
        .set_schema(definition, SchemaInstall::Merge)
        .map_err(|error| GraphError::Engine { message: headline(&error) })
}

/// The labels of which a property is not declared yet, each with all its properties: a declaration replaces the one that
/// the label had.
fn undeclared(graph: &DirGraph, nodes: &[ElementSchema]) -> SchemaDefinition {
    let mut definition = SchemaDefinition::new();
    for node in nodes {
        let declared = graph.get_schema().and_then(|schema| schema.node_schemas.get(&node.name));
        let mut schema = declared.cloned().unwrap_or_default();
        let known = schema.optional_fields.len();
        for property in &node.properties {
            if !schema.optional_fields.contains(property) {
                schema.optional_fields.push(property.clone());
            }
        }
        if schema.optional_fields.len() > known {
            definition.node_schemas.insert(node.name.clone(), schema);
        }
    }
    definition
}

/// Has the statement read and planned, first by itself, so that a fault in it is placed in it.
fn plan(graph: &OpenGraph, statement: &str) -> Result<(), GraphError> {
    if statement.trim().is_empty() {
        return Ok(());
    }
    batch::refuse_return(statement)?;
    let plain = cypher::read(statement).plain_text(statement);
    explain(graph, &format!("{EVENT_LINE}{plain}")).map_err(|error| match error {
        GraphError::Statement { message, position } => {
            let position = position.map(|(line, column)| (line.saturating_sub(EVENT_LINES), column));
            GraphError::Statement { message, position }
        }
        other => other,
    })?;
    explain(graph, &batch::statement(statement))
}

/// What binds `event` while a statement is planned by itself.
const EVENT_LINE: &str = "UNWIND $rows AS event\n";
const EVENT_LINES: usize = 1;

fn explain(graph: &OpenGraph, cypher: &str) -> Result<(), GraphError> {
    let parameters = super::write::no_rows();
    graph.read(&format!("EXPLAIN {cypher}"), &parameters).map(|_| ()).map_err(|error| graph_error(&error))
}
