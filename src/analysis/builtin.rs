//! GDS procedures on the built-in engine: the projection is read from the store, nodes are shown by name.

use serde_json::{Map, Value};

use super::engine::{self, Answer, Call, Cell, Graph, GraphBuilder};
use super::{AnalysisError, AnalysisResult, nodes};
use crate::graph::{GraphStore, ProjectedGraph};
use crate::spec::gds::{self, Procedure, Shape};
use crate::spec::{Aggregation, Analysis, Mode, Orientation, Projection};

/// What the report calls the engine.
const ENGINE: &str = "builtin";

/// Runs a procedure.
pub(super) async fn run(
    store: &dyn GraphStore,
    analysis: &Analysis,
    name: &str,
    projection: &Projection,
) -> Result<AnalysisResult, AnalysisError> {
    let Some(procedure) = gds::find(name) else {
        return Err(AnalysisError::UnknownProcedure { name: name.to_owned() });
    };
    let projected = store.project(projection, analysis.identify.as_deref()).await?;
    let config = nodes::resolve(store, analysis, procedure, &projected).await?;
    let graph = graph(projection, &projected)?;
    let answer = compute(procedure, analysis.mode, config, graph).await?;
    if analysis.mode == Mode::Write {
        return write(store, analysis, procedure, &projected, answer).await;
    }
    Ok(show(procedure, analysis.mode, &projected, answer))
}

/// Computes, on a thread where it may take its time.
async fn compute(
    procedure: &'static Procedure,
    mode: Mode,
    config: Map<String, Value>,
    graph: Graph,
) -> Result<Answer, AnalysisError> {
    let work = move || engine::run(&Call { procedure, mode, config: &config }, &graph);
    let answer = tokio::task::spawn_blocking(work).await.map_err(|_| AnalysisError::Stopped)?;
    Ok(answer?)
}

/// The engine's graph, with each relationship type in its own orientation.
fn graph(projection: &Projection, projected: &ProjectedGraph) -> Result<Graph, engine::EngineError> {
    let all_undirected =
        projection.relationships.values().all(|one| one.orientation == Orientation::Undirected);
    let orientation = if all_undirected { Orientation::Undirected } else { Orientation::Natural };
    let (names, aggregation) = properties(projection);
    let count = u32::try_from(projected.ids.len()).unwrap_or(u32::MAX);
    let mut builder = GraphBuilder::new(count).orientation(orientation).aggregation(aggregation);
    for name in &names {
        builder = builder.property(*name, aggregation);
    }
    let mut values = vec![f64::NAN; names.len()];
    for (kind, relationships) in &projected.relationships {
        let columns: Vec<_> = names.iter().map(|name| relationships.properties.get(*name)).collect();
        let own = projection.relationships.get(kind).map(|one| one.orientation).unwrap_or_default();
        let ends = relationships.sources.iter().zip(&relationships.targets);
        for (place, (&source, &target)) in ends.enumerate() {
            for (value, column) in values.iter_mut().zip(&columns) {
                *value = column.and_then(|column| *column.get(place)?).unwrap_or(f64::NAN);
            }
            let forwards = all_undirected || own != Orientation::Reverse;
            let backwards = !all_undirected && own != Orientation::Natural;
            if forwards {
                builder.relationship(source, target, &values)?;
            }
            if backwards {
                builder.relationship(target, source, &values)?;
            }
        }
    }
    Ok(builder.build()?)
}

/// The names of all projected properties, and how parallel relationships become one.
fn properties(projection: &Projection) -> (Vec<&str>, Aggregation) {
    let mut names: Vec<&str> = Vec::new();
    let mut aggregation = Aggregation::None;
    for relationships in projection.relationships.values() {
        for name in &relationships.properties {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        if relationships.aggregation != Aggregation::None {
            aggregation = relationships.aggregation;
        }
    }
    (names, aggregation)
}

/// Writes the result to the nodes; the answer is the row that sums it up, with how many properties were written.
async fn write(
    store: &dyn GraphStore,
    analysis: &Analysis,
    procedure: &'static Procedure,
    projected: &ProjectedGraph,
    mut answer: Answer,
) -> Result<AnalysisResult, AnalysisError> {
    let Some(values) = answer.node_values.take() else {
        return Err(AnalysisError::WritesRelationships { name: procedure.name });
    };
    let property = analysis.config.get("writeProperty").and_then(Value::as_str).unwrap_or_default();
    let values: Vec<(u64, Value)> = projected
        .ids
        .iter()
        .zip(values)
        .filter_map(|(id, cell)| Some((*id, value(cell?, projected))))
        .collect();
    let written = store.set_node_property(property, &values).await?;
    let mut result = show(procedure, analysis.mode, projected, answer);
    result.columns.push("nodePropertiesWritten".to_owned());
    for row in &mut result.rows {
        row.push(Value::from(written));
    }
    Ok(result)
}

/// The answer with nodes by name; a ranking with its highest score first, and of equals the one created first.
fn show(procedure: &Procedure, mode: Mode, projected: &ProjectedGraph, mut answer: Answer) -> AnalysisResult {
    let streams = mode == Mode::Stream;
    if streams && procedure.orders_by_score() {
        answer.rows.sort_by(|a, b| score(b).total_cmp(&score(a)));
    }
    let per_node = matches!(procedure.shape, Shape::Scores | Shape::Communities);
    AnalysisResult {
        engine: ENGINE.to_owned(),
        chart: (streams && procedure.shape == Shape::Scores)
            .then(|| answer.columns.last().map(|name| (*name).to_owned()))
            .flatten(),
        node_column: (streams && per_node).then(|| "nodeId".to_owned()),
        columns: answer.columns.into_iter().map(str::to_owned).collect(),
        rows: answer
            .rows
            .into_iter()
            .map(|row| row.into_iter().map(|cell| value(cell, projected)).collect())
            .collect(),
        notes: Vec::new(),
    }
}

/// The number that ranks a row: its last cell.
fn score(row: &[Cell]) -> f64 {
    match row.last() {
        Some(Cell::Float(score)) => *score,
        #[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 would rank among its neighbours")]
        Some(Cell::Integer(score)) => *score as f64,
        _ => f64::NEG_INFINITY,
    }
}

/// A cell as JSON, nodes by name. What is no JSON number (NaN, infinity) is text, as in messages.
fn value(cell: Cell, projected: &ProjectedGraph) -> Value {
    let node = |node: u32| name(projected, node);
    match cell {
        Cell::Node(index) => node(index),
        Cell::Nodes(indexes) => indexes.into_iter().map(node).collect(),
        Cell::Integer(number) => Value::from(number),
        Cell::Integers(numbers) => Value::from(numbers),
        Cell::Float(number) => float(number),
        Cell::Floats(numbers) => numbers.into_iter().map(float).collect(),
        Cell::Boolean(truth) => Value::from(truth),
        Cell::Map(map) => Value::from(map),
        Cell::Null => Value::Null,
    }
}

/// What names a node: the property asked for, or the store's own id where a node lacks it.
fn name(projected: &ProjectedGraph, node: u32) -> Value {
    let place = usize::try_from(node).unwrap_or(usize::MAX);
    match projected.names.get(place) {
        Some(name) if !name.is_null() => name.clone(),
        _ => projected.ids.get(place).copied().map_or(Value::Null, Value::from),
    }
}

fn float(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or_else(|| Value::from(number.to_string()), Value::from)
}
