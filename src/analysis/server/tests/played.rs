//! A store that records what it is asked and plays back tables.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::future::pending;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::manual;
use crate::graph::{
    Checkpoint, Counts, GraphError, GraphSchema, GraphStore, Prepared, ProjectedGraph,
    ProjectedRelationships, Table, WriteBatch, WriteError, Written,
};
use crate::spec::Projection;

type Answer = Result<Table, GraphError>;

/// A store that records what it is asked and plays back tables.
pub(super) struct Played {
    version: Option<&'static str>,
    answers: Mutex<BTreeMap<String, VecDeque<Answer>>>,
    asked: Mutex<Vec<(String, Map<String, Value>)>>,
    hanging: Option<&'static str>,
    terminated: Notify,
}

/// A table of rows.
pub(super) fn table(columns: &[&str], rows: Value) -> Table {
    Table {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: serde_json::from_value(rows).unwrap(),
        warnings: Vec::new(),
    }
}

impl Played {
    pub(super) fn without_gds() -> Self {
        Self {
            version: None,
            answers: Mutex::default(),
            asked: Mutex::default(),
            hanging: None,
            terminated: Notify::new(),
        }
    }

    pub(super) fn with_gds() -> Self {
        Self { version: Some("2.13.10"), ..Self::without_gds() }
    }

    /// Answers a call of that name so; of several answers the first comes first.
    pub(super) fn plays(self, name: &str, answer: Answer) -> Self {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.entry(name.to_owned()).or_default().push_back(answer);
        std::mem::drop(answers);
        self
    }

    /// A call of that name lasts until transactions are terminated.
    pub(super) fn hangs(self, name: &'static str) -> Self {
        Self { hanging: Some(name), ..self }
    }

    fn asked(&self) -> Vec<(String, Map<String, Value>)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was called, in order.
    pub(super) fn called(&self) -> Vec<String> {
        self.asked().iter().map(|(cypher, _)| name(cypher)).collect()
    }

    /// The parameters of each call of that name.
    pub(super) fn all_parameters(&self, wanted: &str) -> Vec<Map<String, Value>> {
        self.asked()
            .into_iter()
            .filter(|(cypher, _)| name(cypher) == wanted)
            .map(|(_, parameters)| parameters)
            .collect()
    }

    /// The parameters of the only call of that name.
    pub(super) fn parameters(&self, wanted: &str) -> Map<String, Value> {
        self.all_parameters(wanted).pop().unwrap()
    }

    /// The statement of a call of that name.
    pub(super) fn statement(&self, wanted: &str) -> String {
        self.asked().into_iter().map(|(cypher, _)| cypher).find(|cypher| name(cypher) == wanted).unwrap()
    }

    /// All that was asked. The part of a projection's name that is another each time is left out.
    pub(super) fn transcript(&self) -> String {
        let asked = self.asked();
        let projection = asked.iter().find_map(|(_, parameters)| parameters.get("graph")?.as_str()).unwrap();
        let text = asked.iter().fold(String::new(), |mut text, (cypher, parameters)| {
            writeln!(text, "{cypher}\n{}\n", serde_json::to_string(parameters).unwrap()).unwrap();
            text
        });
        text.replace(projection.rsplit_once('/').unwrap().1, "…")
    }

    fn answer(&self, cypher: &str, parameters: &Map<String, Value>) -> Answer {
        let name = name(cypher);
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((cypher.to_owned(), parameters.clone()));
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answers.get_mut(&name).and_then(VecDeque::pop_front) {
            return answer;
        }
        Ok(match name.as_str() {
            "SHOW PROCEDURES" => manual::beginning_with(parameters["prefix"].as_str().unwrap()),
            "SHOW TRANSACTIONS" => table(&["transactionId"], json!([["neo4j-transaction-1"]])),
            "gds.debug.sysInfo" => table(&["value"], json!([[1_073_741_824]])),
            name if name.ends_with(".estimate") => {
                table(&["requiredMemory", "bytesMin"], json!([["[593 KiB ... 600 KiB]", 607_576]]))
            }
            "gds.graph.project" => table(&["nodeCount", "relationshipCount"], json!([[42, 1530]])),
            _ => Table::default(),
        })
    }
}

/// What a statement calls, or its first words.
fn name(cypher: &str) -> String {
    let words: Vec<&str> = cypher.split([' ', '(', '\n']).collect();
    match words.as_slice() {
        ["CALL", name, ..] => (*name).to_owned(),
        [first @ ("SHOW" | "TERMINATE"), second, ..] => format!("{first} {second}"),
        [first, ..] => (*first).to_owned(),
        [] => String::new(),
    }
}

fn unused<T, E: From<GraphError>>() -> BoxFuture<'static, Result<T, E>> {
    Box::pin(async { Err(GraphError::Engine { message: "no analysis does this".to_owned() }.into()) })
}

impl GraphStore for Played {
    fn engine(&self) -> String {
        "Neo4j 5.26.30".to_owned()
    }

    fn gds_version(&self) -> BoxFuture<'_, Result<Option<String>, GraphError>> {
        Box::pin(async { Ok(self.version.map(str::to_owned)) })
    }

    fn call<'a>(&'a self, cypher: &'a str, parameters: Map<String, Value>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let answer = self.answer(cypher, &parameters);
            let name = name(cypher);
            if name == "TERMINATE TRANSACTIONS" {
                self.terminated.notify_one();
            }
            if self.hanging == Some(name.as_str()) {
                self.terminated.notified().await;
                return Err(GraphError::Execution {
                    message: "The transaction has been terminated.".to_owned(),
                });
            }
            answer
        })
    }

    fn query<'a>(&'a self, cypher: &'a str, parameters: Map<String, Value>) -> BoxFuture<'a, Answer> {
        Box::pin(async move { self.answer(cypher, &parameters) })
    }

    fn project<'a>(
        &'a self,
        _: &'a Projection,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<ProjectedGraph, GraphError>> {
        let trip = ProjectedRelationships {
            sources: vec![0],
            targets: vec![1],
            properties: IndexMap::from([("distance".to_owned(), vec![Some(1.0)])]),
        };
        let graph = ProjectedGraph {
            ids: vec![7, 11],
            names: vec![json!(159), json!(212)],
            labels: vec!["Location".into(), "Location".into()],
            relationships: IndexMap::from([("TRIP".to_owned(), trip)]),
        };
        Box::pin(async { Ok(graph) })
    }

    fn checkpoints<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<BTreeMap<u32, Checkpoint>, GraphError>> {
        unused()
    }

    fn prepare<'a>(&'a self, _: &'a GraphSchema) -> BoxFuture<'a, Result<Prepared, GraphError>> {
        unused()
    }

    fn write<'a>(&'a self, _: &'a WriteBatch) -> BoxFuture<'a, Result<Written, WriteError>> {
        unused()
    }

    fn set_node_property<'a>(
        &'a self,
        _: &'a str,
        _: &'a [(u64, Value)],
    ) -> BoxFuture<'a, Result<u64, GraphError>> {
        unused()
    }

    fn persist(&self) -> BoxFuture<'_, Result<(), GraphError>> {
        Box::pin(pending())
    }

    fn counts(&self) -> BoxFuture<'_, Result<Counts, GraphError>> {
        unused()
    }
}
