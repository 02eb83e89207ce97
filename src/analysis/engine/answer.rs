//! What a procedure returns.

use serde_json::{Map, Value};

use crate::spec::Mode;

use super::Call;
use super::graph::Graph;
use super::statistics;

/// The result of a procedure.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The names of the columns, as GDS has them for the mode; timings, `configuration` and `path` are left
    /// out.
    pub columns: Vec<&'static str>,
    /// The rows, each with a cell for each column. In write mode of a procedure that finds paths or pairs,
    /// these are the relationships to write; otherwise the one row that sums the result up.
    pub rows: Vec<Vec<Cell>>,
    /// In write mode, the value to write to each node, by its index; none where a filter leaves the node out.
    pub node_values: Option<Vec<Option<Cell>>>,
}

/// A value in a result.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A node, by its index in the graph.
    Node(u32),
    /// Nodes in the order of a path or of their visits.
    Nodes(Vec<u32>),
    /// A whole number.
    Integer(i64),
    /// Whole numbers.
    Integers(Vec<i64>),
    /// A number.
    Float(f64),
    /// Numbers.
    Floats(Vec<f64>),
    /// A truth value.
    Boolean(bool),
    /// Named values, such as percentiles.
    Map(Map<String, Value>),
    /// No value.
    Null,
}

impl Answer {
    /// The answer of a procedure that gives each node values: `cells_of` has those of a node after `nodeId`,
    /// the first of which is the one to write, or nothing for a node that is filtered out; `stats` has the
    /// cells of the stats row.
    pub(super) fn per_node(
        call: &Call<'_>,
        graph: &Graph,
        cells_of: impl Fn(u32) -> Option<Vec<Cell>>,
        stats: impl FnOnce() -> Vec<Cell>,
    ) -> Self {
        if call.mode == Mode::Stream {
            let row = |node| cells_of(node).map(|cells| [vec![Cell::Node(node)], cells].concat());
            return Self {
                columns: call.procedure.stream_columns.to_vec(),
                rows: graph.nodes().filter_map(row).collect(),
                node_values: None,
            };
        }
        let value = |node| cells_of(node).and_then(|cells| cells.into_iter().next());
        Self {
            columns: call.procedure.stats_columns.to_vec(),
            rows: vec![stats()],
            node_values: (call.mode == Mode::Write).then(|| graph.nodes().map(value).collect()),
        }
    }

    /// The answer of a centrality: a score for each node, and a stats row that ends with their distribution.
    pub(super) fn scores(call: &Call<'_>, graph: &Graph, scores: &[f64], stats: Vec<Cell>) -> Self {
        let score = |node| Some(vec![Cell::Float(scores[super::cast::index(node)])]);
        let stats = || [stats, vec![Cell::Map(statistics::of_scores(scores))]].concat();
        Self::per_node(call, graph, score, stats)
    }

    /// The answer in stats mode alone, with the cells of its one row.
    pub(super) fn stats(call: &Call<'_>, cells: Vec<Cell>) -> Self {
        Self { columns: call.procedure.stats_columns.to_vec(), rows: vec![cells], node_values: None }
    }

    /// The answer of a procedure that visits nodes or finds paths or pairs: the same rows in stream and in
    /// write mode.
    pub(super) fn rows(call: &Call<'_>, rows: Vec<Vec<Cell>>) -> Self {
        Self { columns: call.procedure.stream_columns.to_vec(), rows, node_values: None }
    }
}
