//! The report of a run: one value, from which JSON, Markdown, HTML and the terminal's tables are made.
//!
//! [`json`] is for programs and keeps every digit; [`text`], [`markdown`] and [`html`] are for people, and share how a
//! number, a name and a result is written.

pub mod html;
pub mod json;
pub mod markdown;
mod numbers;
pub mod picture;
mod results;
pub mod text;
pub mod usage;
mod words;

#[cfg(test)]
pub(crate) mod fixtures;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::Severity;
use crate::progress::Outcome;
use usage::PodUsage;

/// What a run did and what came of it. Serialised, it is `report.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The pipeline's name.
    pub pipeline: String,
    /// Where it ran: `embedded`, `external` or `kubernetes`.
    pub target: String,
    /// How the run ended.
    pub status: Status,
    /// The digest of the pipeline file's values (SHA-256, hexadecimal).
    pub digest: String,
    /// The version of runner.
    pub version: String,
    /// When the run began (RFC 3339, UTC).
    pub started_at: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The stages, in order.
    pub stages: Vec<StageReport>,
    /// The rows, hop by hop.
    pub rows: Rows,
    /// Each comparison of two counts that must agree.
    pub reconciliation: Vec<Check>,
    /// What the graph holds after the run; left out where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<GraphCounts>,
    /// The graph as it is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// What the pods used of CPU and memory, on a cluster that says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub usage: Vec<PodUsage>,
    /// The results.
    pub analyses: Vec<AnalysisReport>,
    /// The findings that stood: warnings of the file, faults of the run.
    pub findings: Vec<Finding>,
    /// The pipeline file as it was written; it holds no secret, since secrets are never written in it.
    pub spec: String,
}

impl Report {
    /// How many assertions hold, and how many there are.
    fn assertions(&self) -> (usize, usize) {
        let all = || self.analyses.iter().flat_map(|analysis| &analysis.assertions);
        (all().filter(|assertion| assertion.ok).count(), all().count())
    }

    /// How many of the compared counts agree, and how many there are.
    fn checks(&self) -> (usize, usize) {
        (self.reconciliation.iter().filter(|check| check.ok).count(), self.reconciliation.len())
    }

    /// The longer name of the node with this name, where the picture knows one.
    fn title_of(&self, name: &str) -> Option<&str> {
        let nodes = &self.picture.as_ref()?.nodes;
        nodes.iter().find(|node| node.name == name)?.title.as_deref()
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// The graph is as the file says.
    Done,
    /// It is not; `findings` says why.
    Failed,
    /// Ctrl-C ended it; the same command goes on from there.
    Interrupted,
}

impl Status {
    /// A mark that stands beside the word.
    const fn mark(self) -> &'static str {
        match self {
            Self::Done => "✓",
            Self::Failed => "✗",
            Self::Interrupted => "■",
        }
    }

    /// What it means, in a sentence.
    const fn meaning(self) -> &'static str {
        match self {
            Self::Done => "The graph is as the file says.",
            Self::Failed => "The graph is not as the file says; the findings say why.",
            Self::Interrupted => "The run was stopped; the same command goes on from here.",
        }
    }
}

/// One stage of the run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StageReport {
    /// `validate`, `deploy`, `stream`, `analyse`, `report`.
    pub name: String,
    /// How it ended.
    pub status: Outcome,
    /// How long it took.
    pub seconds: f64,
    /// What came of it, in a few words.
    pub summary: String,
    /// Rows a second, for a stage that moves rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_second: Option<f64>,
}

/// The rows of this run, hop by hop. After a second run of an unchanged pipeline, what was done before counts as
/// `alreadyLoaded`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rows {
    /// Rows of the source files that this run has passed, pruned row groups included. It begins behind the last row that earlier runs
    /// have brought on their way.
    pub read: u64,
    /// Of these, rows that the filter dropped.
    pub filtered_out: u64,
    /// Messages that earlier runs had brought into the graph, or to the dead letters; they are not of the rows `read`.
    pub already_loaded: u64,
    /// Messages put into the topic.
    pub produced: u64,
    /// Messages taken from the topic.
    pub consumed: u64,
    /// Rows written to the graph.
    pub written: u64,
    /// Records that could not be written.
    pub dead_letters: u64,
    /// Records of rows that were in the graph already, left out: a producer that was stopped woke up beside its successor.
    #[serde(default)]
    pub duplicates: u64,
    /// How often something was tried again after a passing fault, such as a server that was away: a batch, a question, a connection.
    #[serde(default)]
    pub retries: u64,
    /// Records that stand in the partitions of the run's other producers, from earlier runs as well.
    #[serde(default)]
    pub other_producers: u64,
    /// Records that the other loaders of the run have taken from the topic, written or set aside.
    #[serde(default)]
    pub other_loaders: u64,
}

impl Rows {
    /// How many rows and records the run has moved; none where everything was done before.
    #[must_use]
    pub const fn moved(&self) -> u64 {
        self.produced + self.consumed + self.other_loaders
    }
}

/// A comparison of two counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What is compared, such as `rows read = filtered out + produced`.
    pub what: String,
    /// What it must be.
    pub expected: u64,
    /// What it is.
    pub actual: u64,
    /// Whether they agree.
    pub ok: bool,
}

/// Counts of the graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GraphCounts {
    /// Nodes by label; runner's own checkpoint nodes are left out.
    pub nodes: IndexMap<String, u64>,
    /// Relationships by type.
    pub relationships: IndexMap<String, u64>,
}

/// The graph as it is drawn: its strongest nodes, and one edge for all relationships between two of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// The nodes.
    pub nodes: Vec<PictureNode>,
    /// The edges.
    pub edges: Vec<PictureEdge>,
    /// How many nodes the graph has in all.
    pub total_nodes: u64,
    /// How many relationships the graph has in all.
    pub total_relationships: u64,
    /// What gives a node its size: an analysis' name and column, or `degree`.
    pub sized_by: String,
    /// Whether `x` and `y` are longitude and latitude; else the renderer lays the nodes out.
    pub geographic: bool,
}

/// A node of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureNode {
    /// The value that names it.
    pub name: String,
    /// A longer name, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its label.
    pub label: String,
    /// What gives it its size.
    pub weight: f64,
    /// Longitude in degrees, in a geographic picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub x: Option<f64>,
    /// Latitude in degrees, in a geographic picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub y: Option<f64>,
}

/// All relationships from one node to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureEdge {
    /// Where they begin: an index into `nodes`.
    pub source: usize,
    /// Where they end.
    pub target: usize,
    /// How many they are.
    pub count: u64,
}

/// The result of one analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisReport {
    /// Its name in the file.
    pub name: String,
    /// What computed it: `builtin`, `gds 2.13.2`, `cypher`.
    pub engine: String,
    /// The procedure or `cypher`.
    pub procedure: String,
    /// The names of the columns.
    pub columns: Vec<String>,
    /// The rows, each in the order of the columns; at most `keep` of them.
    pub rows: Vec<Vec<Value>>,
    /// How many rows there were in all.
    pub total_rows: u64,
    /// How many rows people are shown.
    pub top: usize,
    /// The column to draw as bars: a number a row, named by the columns before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// The column whose values name nodes of the picture, so that people are shown their longer names beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_column: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// The assertions, and how each came out.
    pub assertions: Vec<AssertionReport>,
}

impl AnalysisReport {
    /// What computed it, in a few words: `pageRank by builtin`.
    fn by(&self) -> String {
        if self.procedure == self.engine {
            return self.engine.clone();
        }
        format!("{} by {}", self.procedure, self.engine)
    }
}

/// How an assertion came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AssertionReport {
    /// What was asserted, in words.
    pub what: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// A finding in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The stable code.
    pub code: String,
    /// How much it weighs.
    pub severity: Severity,
    /// What it says.
    pub message: String,
    /// `file:line:column`, where it has a place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do.
    pub help: Vec<String>,
}
