//! Reading the graph in columns, row by row as the server sends them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use indexmap::IndexMap;
use neo4rs::{BoltType, Row, Txn, query};
use serde_json::Value;

use super::Neo4j;
use super::error::graph_error;
use super::query::stream;
use super::value::to_json;
use crate::graph::cypher::quoted;
use crate::graph::{CHECKPOINT_LABEL, GraphError, ProjectedGraph, ProjectedRelationships};
use crate::spec::Projection;

/// Stands for every label or type in a projection, as in Graph Data Science.
const EVERY: &str = "*";

/// A node that the projection holds.
struct Chosen {
    name: Value,
    label: Arc<str>,
    /// Its place in the order, once a relationship has touched it.
    place: Option<u32>,
}

/// The nodes, and their order as it comes about.
#[derive(Default)]
struct Nodes {
    chosen: HashMap<u64, Chosen>,
    order: Vec<u64>,
}

impl Nodes {
    /// The node's place, which is the next one where it has none yet; `None` where the node is not projected.
    fn place(&mut self, id: u64) -> Result<Option<u32>, GraphError> {
        let Some(node) = self.chosen.get_mut(&id) else { return Ok(None) };
        if node.place.is_none() {
            node.place = Some(u32::try_from(self.order.len()).map_err(|_| too_large())?);
            self.order.push(id);
        }
        Ok(node.place)
    }
}

fn too_large() -> GraphError {
    GraphError::Execution {
        message: "the projection has more nodes than can be counted in 32 bits".to_owned(),
    }
}

impl Neo4j {
    /// The part of the graph that a projection names, as one transaction sees it.
    pub(super) async fn read_projection(
        &self,
        projection: &Projection,
        identify: Option<&str>,
    ) -> Result<ProjectedGraph, GraphError> {
        let mut transaction = self.begin().await?;
        let mut nodes = Nodes::default();
        for label in &projection.nodes {
            read_nodes(&mut transaction, label, identify, &mut nodes).await?;
        }
        let mut projected = ProjectedGraph::default();
        for (kind, settings) in &projection.relationships {
            let relationships =
                read_relationships(&mut transaction, kind, &settings.properties, &mut nodes).await?;
            projected.relationships.insert(kind.clone(), relationships);
        }
        transaction.rollback().await.map_err(|error| graph_error(&error))?;
        // The server gives ids in the order of creation.
        let mut untouched: Vec<u64> =
            nodes.chosen.iter().filter(|(_, node)| node.place.is_none()).map(|(id, _)| *id).collect();
        untouched.sort_unstable();
        for id in untouched {
            nodes.place(id)?;
        }
        for id in nodes.order {
            let Some(node) = nodes.chosen.remove(&id) else { continue };
            projected.ids.push(id);
            projected.names.push(node.name);
            projected.labels.push(node.label);
        }
        Ok(projected)
    }
}

/// Reads the nodes of a label that are not there under an earlier label.
async fn read_nodes(
    transaction: &mut Txn,
    label: &str,
    identify: Option<&str>,
    nodes: &mut Nodes,
) -> Result<(), GraphError> {
    let name = identify.map_or("null".to_owned(), |property| format!("n.{}", quoted(property)));
    let statement = if label == EVERY {
        format!(
            "MATCH (n) WHERE NOT n:{CHECKPOINT_LABEL} RETURN id(n) AS id, {name} AS name, labels(n)[0] AS label"
        )
    } else {
        format!("MATCH (n:{}) RETURN id(n) AS id, {name} AS name", quoted(label))
    };
    let shared: Arc<str> = Arc::from(label);
    stream(transaction, query(&statement), &mut |row| {
        let id: u64 = get(&row, "id")?;
        let label = if label == EVERY {
            row.get::<Option<String>>("label").ok().flatten().map_or_else(|| Arc::from(""), Arc::from)
        } else {
            Arc::clone(&shared)
        };
        let name = match identify {
            Some(_) => row.get::<BoltType>("name").as_ref().map_or(Value::Null, to_json),
            None => Value::from(id),
        };
        nodes.chosen.entry(id).or_insert(Chosen { name, label, place: None });
        Ok(())
    })
    .await?;
    Ok(())
}

/// A relationship, as it was read.
struct Relationship {
    id: u64,
    source: u64,
    target: u64,
}

/// Reads the relationships of a type between projected nodes.
async fn read_relationships(
    transaction: &mut Txn,
    kind: &str,
    properties: &[String],
    nodes: &mut Nodes,
) -> Result<ProjectedRelationships, GraphError> {
    let pattern = if kind == EVERY { "[r]".to_owned() } else { format!("[r:{}]", quoted(kind)) };
    let columns = properties.iter().enumerate().fold(String::new(), |mut columns, (place, property)| {
        let _ = write!(columns, ", r.{} AS p{place}", quoted(property));
        columns
    });
    let statement =
        format!("MATCH (a)-{pattern}->(b) RETURN id(r) AS id, id(a) AS source, id(b) AS target{columns}");
    let mut found: Vec<Relationship> = Vec::new();
    let mut values: Vec<Vec<Option<f64>>> = vec![Vec::new(); properties.len()];
    stream(transaction, query(&statement), &mut |row| {
        let relationship =
            Relationship { id: get(&row, "id")?, source: get(&row, "source")?, target: get(&row, "target")? };
        if !nodes.chosen.contains_key(&relationship.source)
            || !nodes.chosen.contains_key(&relationship.target)
        {
            return Ok(());
        }
        for (place, (property, column)) in properties.iter().zip(&mut values).enumerate() {
            let value: BoltType = get(&row, &format!("p{place}"))?;
            column.push(number(&value).map_err(|found| GraphError::NotANumber {
                kind: kind.to_owned(),
                property: property.clone(),
                found,
            })?);
        }
        found.push(relationship);
        Ok(())
    })
    .await?;
    ordered(&found, properties, &values, nodes)
}

/// Brings relationships into the order of their creation, which their ids have: a scan by type mostly has it too, but does not
/// promise it.
fn ordered(
    found: &[Relationship],
    properties: &[String],
    values: &[Vec<Option<f64>>],
    nodes: &mut Nodes,
) -> Result<ProjectedRelationships, GraphError> {
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|place| found.get(*place).map(|relationship| relationship.id));
    let mut projected = ProjectedRelationships::default();
    for relationship in order.iter().filter_map(|place| found.get(*place)) {
        if let (Some(source), Some(target)) =
            (nodes.place(relationship.source)?, nodes.place(relationship.target)?)
        {
            projected.sources.push(source);
            projected.targets.push(target);
        }
    }
    let column =
        |values: &Vec<Option<f64>>| order.iter().filter_map(|place| values.get(*place).copied()).collect();
    projected.properties =
        properties.iter().cloned().zip(values.iter().map(column)).collect::<IndexMap<_, _>>();
    Ok(projected)
}

fn get<'r, T: serde::Deserialize<'r>>(row: &'r Row, column: &str) -> Result<T, GraphError> {
    row.get(column).map_err(|error| GraphError::Engine { message: format!("`{column}`: {error}") })
}

/// A stored value as a number; the error is what it is instead.
fn number(value: &BoltType) -> Result<Option<f64>, String> {
    match value {
        BoltType::Null(_) => Ok(None),
        BoltType::Float(number) => Ok(Some(number.value)),
        // Graph Data Science works on doubles as well.
        #[expect(clippy::cast_precision_loss, reason = "weights are doubles")]
        BoltType::Integer(number) => Ok(Some(number.value as f64)),
        other => Err(to_json(other).to_string()),
    }
}
