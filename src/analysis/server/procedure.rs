//! What the server says of a procedure: its modes, its columns, and whether it can estimate its memory.

use serde_json::Value;

use super::super::AnalysisError;
use super::statement;
use crate::graph::{GraphStore, Table};
use crate::spec::Mode;
use crate::spec::gds::{self, Shape};

/// Columns that hold the database's ids of nodes; `from` and `to` are those of `gds.bridges`.
const NODES: [&str; 9] =
    ["nodeId", "node1", "node2", "sourceNode", "targetNode", "sourceNodeId", "targetNodeId", "from", "to"];
/// The column that holds a list of them.
const NODE_LIST: &str = "nodeIds";

/// A procedure in one of its modes, as the server has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Procedure {
    /// Its name without `gds.` and without the mode.
    pub name: String,
    /// The mode.
    pub mode: Mode,
    /// The catalogue's entry, for a procedure that is in it.
    pub known: Option<&'static gds::Procedure>,
    /// The columns of the result that are of interest, in the order in which they are shown.
    pub columns: Vec<Column>,
    /// Whether it can say how much memory it needs.
    pub estimates: bool,
}

/// A column of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// The id of a node.
    Node,
    /// Ids of nodes.
    Nodes,
    /// A path of database objects.
    Path,
    /// Anything else.
    Value,
}

impl Procedure {
    /// Its full name: `gds.pageRank.stream`.
    pub(super) fn full_name(&self) -> String {
        full_name(&self.name, self.mode)
    }

    /// What its rows are about, where it streams and is in the catalogue.
    pub(super) fn shape(&self) -> Option<Shape> {
        self.known.filter(|_| self.mode == Mode::Stream).map(|known| known.shape)
    }
}

/// The full name of a procedure in a mode.
fn full_name(name: &str, mode: Mode) -> String {
    format!("gds.{name}.{mode}")
}

/// Asks the server for a procedure.
///
/// # Errors
/// Where the server has no procedure of that name, or not in that mode.
pub(super) async fn find(store: &dyn GraphStore, name: &str, mode: Mode) -> Result<Procedure, AnalysisError> {
    let name = name.strip_prefix("gds.").unwrap_or(name);
    let offered = statement::procedures(&format!("gds.{name}."));
    let offered = store.call(&offered.cypher, offered.parameters).await?;
    if let Some(procedure) = read(&offered, name, mode) {
        return Ok(procedure);
    }
    let modes = modes(&offered, name);
    if !modes.is_empty() {
        return Err(AnalysisError::NoSuchMode { name: name.to_owned(), mode, modes });
    }
    let all = statement::procedures("gds.");
    let all = store.call(&all.cypher, all.parameters).await?;
    Err(AnalysisError::NoSuchProcedure { name: name.to_owned(), known: streamed(&all) })
}

/// The procedure in a table of procedures.
pub(super) fn read(table: &Table, name: &str, mode: Mode) -> Option<Procedure> {
    let wanted = full_name(name, mode);
    let estimate = format!("{wanted}.estimate");
    let known = gds::find(name);
    let (_, described) = entries(table).find(|(found, _)| *found == wanted)?;
    Some(Procedure {
        name: name.to_owned(),
        mode,
        known,
        columns: shown(&described.iter().filter_map(column).collect::<Vec<_>>(), known, mode),
        estimates: entries(table).any(|(found, _)| found == estimate),
    })
}

/// The rows of a table of procedures: the full name, and the description of the columns.
fn entries(table: &Table) -> impl Iterator<Item = (&str, &[Value])> {
    table.rows.iter().filter_map(|row| {
        let [Value::String(name), Value::Array(columns)] = row.as_slice() else { return None };
        Some((name.as_str(), columns.as_slice()))
    })
}

/// The modes in which a table of procedures has one.
fn modes(table: &Table, name: &str) -> Vec<String> {
    let prefix = format!("gds.{name}.");
    let after = entries(table).filter_map(|(found, _)| found.strip_prefix(&prefix));
    after.filter(|mode| ["stream", "stats", "write"].contains(mode)).map(str::to_owned).collect()
}

/// The names of the procedures that stream, as a file names them.
fn streamed(table: &Table) -> Vec<String> {
    let name = |(full, _): (&str, _)| {
        Some(full.strip_prefix("gds.")?.strip_suffix(".stream").filter(|name| !name.is_empty())?.to_owned())
    };
    entries(table).filter_map(name).collect()
}

/// A column from its description: a map with `name` and `type`, the latter such as `INTEGER` or `LIST<INTEGER>`.
fn column(description: &Value) -> Option<Column> {
    let text = |key: &str| description.get(key).and_then(Value::as_str);
    let (name, kind) = (text("name")?, text("type").unwrap_or_default());
    let holds = if kind.starts_with("PATH") {
        Holds::Path
    } else if kind.starts_with("INTEGER") && NODES.contains(&name) {
        Holds::Node
    } else if kind.starts_with("LIST") && name == NODE_LIST {
        Holds::Nodes
    } else {
        Holds::Value
    };
    Some(Column { name: name.to_owned(), holds })
}

/// The columns that are shown, in order: for a procedure of the catalogue those that the built-in engine has, so that reports
/// read alike; else all but paths of database objects, timings and the echo of the configuration.
fn shown(columns: &[Column], known: Option<&gds::Procedure>, mode: Mode) -> Vec<Column> {
    let wanted = known.map(|known| match mode {
        Mode::Stream => known.stream_columns,
        Mode::Stats | Mode::Write => known.stats_columns,
    });
    let told = |column: &&Column| {
        column.holds != Holds::Path && column.name != "configuration" && !column.name.ends_with("Millis")
    };
    let Some(wanted) = wanted else {
        return columns.iter().filter(told).cloned().collect();
    };
    let by_name = |name: &&str| columns.iter().find(|column| column.name == **name);
    let written = columns.iter().filter(|column| mode == Mode::Write && column.name.ends_with("Written"));
    let found: Vec<Column> = wanted.iter().filter_map(by_name).chain(written).cloned().collect();
    if found.is_empty() { columns.iter().filter(told).cloned().collect() } else { found }
}
