//! The rows of a batch, as statements.

use std::collections::BTreeSet;
use std::ops::Range;

use neo4rs::{BoltType, Txn, query};

use super::value::{integer, list, size, to_bolt};
use super::write::run;
use crate::graph::{WriteBatch, WriteError, Written, batch};

/// The driver's buffer: a longer message goes out in several writes, which is slow on sockets that wait for acknowledgements.
const BUFFER: usize = 8 * 1024;
/// What a message has beside its statement and its rows: names, the database, markers.
const BESIDE: usize = 256;

/// The rows of a batch.
pub(super) struct Rows {
    statement: String,
    rows: Vec<BoltType>,
}

impl Rows {
    /// Makes the values ready. A row that the server cannot take is a fault of that record.
    pub(super) fn of(batch: &WriteBatch) -> Result<Self, WriteError> {
        let mut rows = Vec::with_capacity(batch.events.len());
        for (place, event) in batch.events.iter().enumerate() {
            let event = to_bolt(event, "event")
                .map_err(|error| WriteError::Record { position: Some(place), message: error.to_string() })?;
            rows.push(list(vec![integer(place as u64, "row")?, event]));
        }
        Ok(Self { statement: batch::rows_statement(&batch.statement), rows })
    }

    /// Writes them: all in one statement, or in several small ones.
    pub(super) async fn write(self, transaction: &mut Txn, at_once: bool) -> Result<Written, WriteError> {
        let mut written = Written { rows: self.rows.len() as u64, ..Written::default() };
        let room = if at_once { usize::MAX } else { BUFFER.saturating_sub(BESIDE + self.statement.len()) };
        for piece in pieces(self.rows, room) {
            let places = piece.places.clone();
            let statement = query(&self.statement)
                .param("count", integer(piece.rows.len() as u64, "rows")?)
                .param("rows", list(piece.rows));
            let (rows, counters) = run(transaction, statement).await?;
            let came_through =
                rows.first().and_then(|row| row.get::<Option<Vec<usize>>>("came").ok()).flatten();
            if let Some(came_through) = came_through {
                let came_through: BTreeSet<usize> = came_through.into_iter().collect();
                written.wrote_nothing.extend(places.filter(|place| !came_through.contains(place)));
            }
            written.nodes_created += counters.nodes_created;
            written.relationships_created += counters.relationships_created;
            written.properties_set += counters.properties_set;
        }
        Ok(written)
    }
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
        assert_eq!(places(300, usize::MAX), [0..300]);
        assert!(places(0, 200).is_empty());
    }
}
