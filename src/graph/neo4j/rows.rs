//! The rows of a batch, as statements.
//!
//! Raw Cypher is run for each row; of declared nodes and relationships there is a faster form, the [`Dictionary`]. Where
//! the socket waits for acknowledgements, either goes in pieces that fit the driver's buffer.
//!
//! A server plans a statement anew while the graph grows, by counts that lag behind. It then merges relationships by looking
//! through all those of a node, though there is an index: measured 800 µs a row and growing, against 38. So the first plan is
//! kept, the one with the index; [`prepare`](crate::graph::GraphStore::prepare) has the counts brought up to date for it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use neo4rs::{BoltMap, BoltType, Txn, query};

use super::dictionary::parameters;
use super::error::write_error;
use super::value::{integer, list, size, to_map};
use super::write::run;
use crate::graph::mapping::Dictionary;
use crate::graph::{WriteBatch, WriteError, Written, batch};
use crate::message::Event;

/// The driver's buffer: a longer message goes out in several writes, which is slow on sockets that wait for acknowledgements.
const BUFFER: usize = 8 * 1024;
/// What a message has beside its statement and its rows: names, the database, markers.
const BESIDE: usize = 256;

/// Keeps the plan that there is, whatever has become of the graph since.
const KEEP_THE_PLAN: &str = "CYPHER replan=skip ";

/// The rows of a batch, ready for the server.
#[derive(Debug)]
pub(in crate::graph) struct Rows {
    count: usize,
    /// How the server reads date-times without a zone.
    is_utc: bool,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// A statement for each row.
    Each { statement: String, rows: Vec<BoltType> },
    /// A statement for all of them.
    All { dictionary: Arc<Dictionary>, whole: BoltMap },
}

impl Rows {
    /// Makes the values ready. A row that the server cannot take is a fault of that record.
    pub(super) fn of(
        statement: &str,
        dictionary: Option<&Arc<Dictionary>>,
        events: &[&Event],
        is_utc: bool,
    ) -> Result<Self, WriteError> {
        if let Some(dictionary) = dictionary.filter(|_| !events.is_empty())
            && let Some(whole) = parameters(dictionary, events, is_utc)
        {
            return Ok(Self {
                count: events.len(),
                is_utc,
                form: Form::All { dictionary: Arc::clone(dictionary), whole },
            });
        }
        let mut rows = Vec::with_capacity(events.len());
        for (place, event) in events.iter().enumerate() {
            let event = to_map(event.iter())
                .map_err(|error| WriteError::Record { position: Some(place), message: error.to_string() })?;
            rows.push(list(vec![integer(place as u64, "row")?, BoltType::Map(event)]));
        }
        let form = Form::Each { statement: batch::rows_statement(statement), rows };
        Ok(Self { count: events.len(), is_utc, form })
    }

    /// Those of a batch for a server: the ones that were made ready, or anew. Events only ever leave a batch, so as many as there
    /// are rows are the same.
    pub(super) fn of_batch(
        batch: &WriteBatch,
        ready: Option<Self>,
        is_utc: bool,
    ) -> Result<Self, WriteError> {
        if let Some(rows) = ready.filter(|rows| rows.count == batch.events.len() && rows.is_utc == is_utc) {
            return Ok(rows);
        }
        let events: Vec<&Event> = batch.events.iter().collect();
        Self::of(&batch.statement, batch.dictionary.as_ref(), &events, is_utc)
    }

    /// Writes them, the rows of this batch: in one statement, or in several small ones.
    pub(super) async fn write(
        self,
        transaction: &mut Txn,
        batch: &WriteBatch,
        at_once: bool,
    ) -> Result<Written, WriteError> {
        match self.form {
            Form::Each { statement, rows } => each(transaction, &statement, rows, at_once).await,
            Form::All { dictionary, whole } => {
                let pieces = if at_once {
                    vec![whole]
                } else {
                    let rows = fitting(&whole, batch.events.len(), room(&dictionary.statement));
                    let events: Vec<&Event> = batch.events.iter().collect();
                    let piece = |events| parameters(&dictionary, events, self.is_utc).unwrap_or_default();
                    events.chunks(rows).map(piece).collect()
                };
                all(transaction, &dictionary.statement, pieces, batch.events.len()).await
            }
        }
    }
}

/// How much room there is for rows in a message that fits the buffer.
fn room(statement: &str) -> usize {
    BUFFER.saturating_sub(BESIDE + statement.len())
}

async fn each(
    transaction: &mut Txn,
    statement: &str,
    rows: Vec<BoltType>,
    at_once: bool,
) -> Result<Written, WriteError> {
    let mut written = Written { rows: rows.len() as u64, ..Written::default() };
    let room = if at_once { usize::MAX } else { room(statement) };
    let statement = format!("{KEEP_THE_PLAN}{statement}");
    for piece in pieces(rows, room) {
        let statement = query(&statement)
            .param("count", integer(piece.rows.len() as u64, "rows")?)
            .param("rows", list(piece.rows));
        let (rows, counters) = run(transaction, statement).await?;
        let came_through = rows.first().and_then(|row| row.get::<Option<Vec<usize>>>("came").ok()).flatten();
        if let Some(came_through) = came_through {
            let came_through: BTreeSet<usize> = came_through.into_iter().collect();
            written.wrote_nothing.extend(piece.places.filter(|place| !came_through.contains(place)));
        }
        written.nodes_created += counters.nodes_created;
        written.relationships_created += counters.relationships_created;
        written.properties_set += counters.properties_set;
    }
    Ok(written)
}

async fn all(
    transaction: &mut Txn,
    statement: &str,
    pieces: Vec<BoltMap>,
    rows: usize,
) -> Result<Written, WriteError> {
    let mut written = Written { rows: rows as u64, ..Written::default() };
    let statement = format!("{KEEP_THE_PLAN}{statement}");
    for piece in pieces {
        let statement = query(&statement).with_params(piece);
        let summary = transaction.run(statement).await.map_err(|error| write_error(&error))?;
        written.nodes_created += summary.nodes_created();
        written.relationships_created += summary.relationships_created();
        written.properties_set += summary.properties_set();
    }
    Ok(written)
}

/// Rows that are written together.
struct Piece {
    places: Range<usize>,
    rows: Vec<BoltType>,
}

/// Cuts rows so that each piece fits, a row at least.
fn pieces(rows: Vec<BoltType>, room: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut taken = 0;
    for (place, row) in rows.into_iter().enumerate() {
        let size = if room == usize::MAX { 0 } else { size(&row) };
        match pieces.last_mut() {
            Some(piece) if taken + size <= room => {
                taken += size;
                piece.places.end = place + 1;
                piece.rows.push(row);
            }
            _ => {
                taken = size;
                pieces.push(Piece { places: place..place + 1, rows: vec![row] });
            }
        }
    }
    pieces
}

/// How many of the rows fit, going by their average; one at least.
fn fitting(whole: &BoltMap, rows: usize, room: usize) -> usize {
    let total: usize = whole.value.values().map(size).sum();
    (room / (total / rows.max(1)).max(1)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(rows: usize, room: usize) -> Vec<Range<usize>> {
        let rows = (0..rows).map(|_| BoltType::from("x".repeat(95))).collect();
        pieces(rows, room).into_iter().map(|piece| piece.places).collect()
    }

    #[test]
    fn rows_are_cut_so_that_each_piece_fits() {
        assert_eq!(places(5, 200), [0..2, 2..4, 4..5]);
        assert_eq!(places(2, 50), [0..1, 1..2]);
        assert_eq!(places(300, usize::MAX).as_slice(), std::slice::from_ref(&(0..300)));
        assert!(places(0, 200).is_empty());
    }
}
