//! The statements that go to the server. Values travel as parameters; in the text stand only names: a procedure's as the
//! server itself lists it, all others quoted.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::procedure::{Column, Holds, Procedure};
use super::projection::NativeProjection;
use crate::graph::cypher::quoted;
use crate::spec::gds::Shape;

/// A statement with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statement {
    /// The text.
    pub cypher: String,
    /// The parameters.
    pub parameters: Map<String, Value>,
}

impl Statement {
    fn new<const N: usize>(cypher: impl Into<String>, parameters: [(&str, Value); N]) -> Self {
        let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Self { cypher: cypher.into(), parameters }
    }
}

/// The procedures whose names begin so, with their columns.
pub(super) fn procedures(prefix: &str) -> Statement {
    Statement::new(
        "SHOW PROCEDURES YIELD name, returnDescription WHERE name STARTS WITH $prefix \
         RETURN name, returnDescription ORDER BY name",
        [("prefix", json!(prefix))],
    )
}

/// The labels of the database.
pub(super) fn labels() -> Statement {
    Statement::new("CALL db.labels() YIELD label RETURN label ORDER BY label", [])
}

/// The id of the first node with a label and a property.
pub(super) fn node(label: &str, property: &str, value: &Value) -> Statement {
    let (label, property) = (quoted(label), quoted(property));
    Statement::new(
        format!("MATCH (n:{label}) WHERE n.{property} = $value RETURN id(n) AS id ORDER BY id LIMIT 1"),
        [("value", value.clone())],
    )
}

/// How much memory the projection and the procedure need together; the projection alone for a procedure that cannot say.
pub(super) fn estimate(
    procedure: &Procedure,
    projection: &NativeProjection,
    config: &Map<String, Value>,
) -> Statement {
    const COLUMNS: &str = "YIELD requiredMemory, bytesMin RETURN requiredMemory, bytesMin";
    if procedure.estimates {
        return Statement::new(
            format!("CALL {}.estimate($projection, $config)\n{COLUMNS}", procedure.full_name()),
            [("projection", projection.to_map()), ("config", json!(config))],
        );
    }
    Statement::new(
        format!("CALL gds.graph.project.estimate($nodes, $relationships)\n{COLUMNS}"),
        [("nodes", projection.nodes.clone()), ("relationships", projection.relationships.clone())],
    )
}

/// How much heap is free, by GDS's own account.
pub(super) fn free_heap() -> Statement {
    Statement::new(
        "CALL gds.debug.sysInfo() YIELD key, value WITH key, value WHERE key = 'availableHeapInBytes' RETURN value",
        [],
    )
}

/// Makes the projection.
pub(super) fn project(graph: &str, projection: &NativeProjection) -> Statement {
    Statement::new(
        "CALL gds.graph.project($graph, $nodes, $relationships, $config)\n\
         YIELD nodeCount, relationshipCount RETURN nodeCount, relationshipCount",
        [
            ("graph", json!(graph)),
            ("nodes", projection.nodes.clone()),
            ("relationships", projection.relationships.clone()),
            ("config", json!({ "jobId": graph })),
        ],
    )
}

/// Calls the procedure. Nodes are shown by the property that names them, or by their id where they lack it.
pub(super) fn call(
    procedure: &Procedure,
    graph: &str,
    config: &Map<String, Value>,
    identify: Option<&str>,
) -> Statement {
    let shown: Vec<Shown> = procedure
        .columns
        .iter()
        .enumerate()
        .map(|(place, column)| Shown::new(place, column, identify))
        .collect();
    let list = |part: fn(&Shown) -> &str| shown.iter().map(part).collect::<Vec<_>>().join(", ");
    let mut cypher = format!(
        "CALL {}($graph, $config)\nYIELD {}\nRETURN {}",
        procedure.full_name(),
        list(|shown| &shown.yielded),
        list(|shown| &shown.returned)
    );
    if let Some(order) = order(procedure, &shown) {
        // Writing to a text cannot fail.
        let _ = write!(cypher, "\nORDER BY {order}");
    }
    Statement::new(cypher, [("graph", json!(graph)), ("config", json!(config))])
}

/// How far a job is: a row for the whole of it, then rows for its parts.
pub(super) fn progress(job: &str) -> Statement {
    Statement::new("CALL gds.listProgress($job) YIELD progress RETURN progress", [("job", json!(job))])
}

/// Drops the projection, if it is there.
pub(super) fn drop(graph: &str) -> Statement {
    Statement::new(
        "CALL gds.graph.drop($graph, false) YIELD graphName RETURN graphName",
        [("graph", json!(graph))],
    )
}

/// The projections whose names begin so and that are not of the last minute.
pub(super) fn leftovers(prefix: &str) -> Statement {
    Statement::new(
        "CALL gds.graph.list() YIELD graphName, creationTime\n\
         WITH graphName, creationTime\n\
         WHERE graphName STARTS WITH $prefix AND creationTime < datetime() - duration({minutes: 1})\n\
         RETURN graphName",
        [("prefix", json!(prefix))],
    )
}

/// The transactions that work on a projection.
///
/// They are found by their parameter `graph`; the search itself has none of that name.
pub(super) fn transactions(graph: &str) -> Statement {
    Statement::new(
        "SHOW TRANSACTIONS YIELD transactionId, parameters WHERE parameters.graph = $projection RETURN transactionId",
        [("projection", json!(graph))],
    )
}

/// Ends transactions.
pub(super) fn terminate(transactions: &[Value]) -> Statement {
    Statement::new(
        "TERMINATE TRANSACTIONS $transactions YIELD transactionId, message RETURN transactionId, message",
        [("transactions", json!(transactions))],
    )
}

/// A column in the three places of a call.
struct Shown {
    /// What it is called in the file.
    name: String,
    /// After `YIELD`.
    yielded: String,
    /// In `ORDER BY`.
    variable: String,
    /// After `RETURN`.
    returned: String,
}

impl Shown {
    fn new(place: usize, column: &Column, identify: Option<&str>) -> Self {
        let name = quoted(&column.name);
        let property = identify.map(quoted);
        match (column.holds, property) {
            (Holds::Node, Some(property)) => {
                let variable = format!("n{place}");
                Self {
                    name: column.name.clone(),
                    yielded: format!("{name} AS {variable}"),
                    returned: format!(
                        "coalesce(gds.util.asNode({variable}).{property}, {variable}) AS {name}"
                    ),
                    variable,
                }
            }
            (Holds::Nodes, Some(property)) => Self {
                name: column.name.clone(),
                yielded: name.clone(),
                returned: format!("[n IN {name} | coalesce(gds.util.asNode(n).{property}, n)] AS {name}"),
                variable: name,
            },
            _ => Self {
                name: column.name.clone(),
                yielded: name.clone(),
                returned: name.clone(),
                variable: name,
            },
        }
    }
}

/// The order of the rows, so that it is the built-in engine's: a ranking from its highest score, of equals the node created
/// first; everything else by node or by index. What is not in the catalogue comes in the server's own order.
fn order(procedure: &Procedure, shown: &[Shown]) -> Option<String> {
    let variable =
        |name: &str| shown.iter().find(|shown| shown.name == name).map(|shown| shown.variable.as_str());
    match procedure.shape()? {
        Shape::Scores => Some(format!("{} DESC, {}", shown.last()?.variable, variable("nodeId")?)),
        Shape::Communities => variable("nodeId").map(str::to_owned),
        Shape::Paths => variable("index").map(str::to_owned),
        Shape::Pairs => {
            Some(format!("{}, {} DESC, {}", variable("node1")?, variable("similarity")?, variable("node2")?))
        }
        Shape::Traversal => None,
    }
}
