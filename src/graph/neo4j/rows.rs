//! The rows of a batch, as a statement and its parameters.
//!
//! Raw Cypher is run for each row; of declared nodes and relationships there is a faster form, the [`Dictionary`].
//!
//! A server plans a statement anew while the graph grows, by counts that lag behind. It then merges relationships by looking
//! through all those of a node, though there is an index: measured 800 µs a row and growing, against 38. So the first plan is
//! kept, the one with the index; [`prepare`](crate::graph::GraphStore::prepare) has the counts brought up to date for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::bolt::{Answer, Pack, Session};
use super::dictionary::parameters;
use crate::graph::mapping::Dictionary;
use crate::graph::{WriteBatch, WriteError, Written, batch};
use crate::message::Event;

/// Keeps the plan that there is, whatever has become of the graph since.
const KEEP_THE_PLAN: &str = "CYPHER replan=skip ";

/// The rows of a batch, ready for the server.
#[derive(Debug)]
pub(in crate::graph) struct Rows {
    count: usize,
    /// How the server reads date-times without a zone.
    is_utc: bool,
    statement: String,
    parameters: Pack,
}

impl Rows {
    /// Makes the values ready. A row that the server cannot take is a fault of that record.
    pub(super) fn of(
        statement: &str,
        dictionary: Option<&Arc<Dictionary>>,
        events: &[&Event],
        is_utc: bool,
    ) -> Result<Self, WriteError> {
        let count = events.len();
        if let Some(dictionary) = dictionary.filter(|_| count > 0)
            && let Some(parameters) = parameters(dictionary, events, is_utc)
        {
            let statement = format!("{KEEP_THE_PLAN}{}", dictionary.statement);
            return Ok(Self { count, is_utc, statement, parameters });
        }
        let statement = format!("{KEEP_THE_PLAN}{}", batch::rows_statement(statement));
        Ok(Self { count, is_utc, statement, parameters: for_each(events)? })
    }

    /// Those of a batch for a server: the ones that were made ready, or anew. Events only ever leave a batch, so as many as there
    /// are rows are the same.
    pub(super) fn of_batch(
        batch: &WriteBatch,
        ready: Option<Self>,
        is_utc: bool,
    ) -> Result<Self, WriteError> {
        if let Some(rows) = ready.filter(|rows| rows.count == batch.events.len() && rows.suit(is_utc)) {
            return Ok(rows);
        }
        let events: Vec<&Event> = batch.events.iter().collect();
        Self::of(&batch.statement, batch.dictionary.as_ref(), &events, is_utc)
    }

    /// Whether they mean the same to a server that reads date-times without a zone as UTC, or does not.
    pub(super) fn suit(&self, is_utc: bool) -> bool {
        self.is_utc == is_utc
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Asks the server to write them. The answers are that to the statement and its [outcome](Self::written).
    pub(super) fn request(&self, session: &mut Session) {
        session.run(&self.statement, &self.parameters);
        session.pull();
    }

    /// What became of them, by the statement's outcome.
    pub(super) fn written(&self, outcome: &Answer) -> Written {
        let counter = |name: &str| {
            outcome.summary.get("stats").and_then(|counters| counters.get(name)?.as_u64()).unwrap_or_default()
        };
        // Only the statement that is run for each row has a record; it holds null where all rows came through.
        let came = outcome.records.first().and_then(|record| record.first()?.as_array());
        let wrote_nothing = came.map(|came| {
            let places =
                came.iter().filter_map(Value::as_u64).filter_map(|place| usize::try_from(place).ok());
            let came: BTreeSet<usize> = places.collect();
            (0..self.count).filter(|place| !came.contains(place)).collect()
        });
        Written {
            rows: self.count as u64,
            nodes_created: counter("nodes-created"),
            relationships_created: counter("relationships-created"),
            properties_set: counter("properties-set"),
            wrote_nothing: wrote_nothing.unwrap_or_default(),
        }
    }
}

/// The parameters of the statement that is run for each row: `rows`, a list of `[place, event]`, and `count`.
fn for_each(events: &[&Event]) -> Result<Pack, WriteError> {
    let mut parameters = Pack::default();
    parameters.map(2);
    parameters.text("count");
    parameters.count(events.len() as u64, "rows")?;
    parameters.text("rows");
    parameters.list(events.len());
    for (place, event) in events.iter().enumerate() {
        parameters.list(2);
        parameters.count(place as u64, "row")?;
        parameters
            .entries(event.len(), event.iter())
            .map_err(|error| WriteError::Record { position: Some(place), message: error.to_string() })?;
    }
    Ok(parameters)
}
