//! Checkpoints in the graph: the statement that moves them, and what they say.

use std::collections::BTreeMap;

use neo4rs::query;
use serde_json::Value;

use super::Neo4j;
use super::bolt::{Answer, Pack};
use crate::graph::{Advance, Checkpoint, GraphError, WriteBatch};
use crate::message::RowId;

/// Moves the checkpoints.
///
/// Parameters: `topic`; `mark`, the transaction's own; `advances`, a list of `{partition, offset, file, ordinal, lineage,
/// digest, deadLetters}`.
pub(super) const MOVE: &str = "\
UNWIND $advances AS advance
MERGE (checkpoint:RunnerCheckpoint {topic: $topic, partition: advance.partition})
SET checkpoint.lock = true
WITH checkpoint, advance, coalesce(checkpoint.offset, 0) AS stood, checkpoint.mark AS mark
SET checkpoint.offset = advance.offset, checkpoint.file = advance.file, checkpoint.ordinal = advance.ordinal,
    checkpoint.lineage = advance.lineage, checkpoint.digest = advance.digest,
    checkpoint.deadLetters = advance.deadLetters, checkpoint.mark = $mark
RETURN advance.partition AS partition, stood, mark";

/// Where a checkpoint stood before the transaction moved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stood {
    partition: u32,
    offset: u64,
    mark: Option<String>,
}

/// What to do about the checkpoints' places.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All stood at the batch's beginning.
    Write,
    /// The transaction of this mark wrote this very batch.
    WrittenBefore,
    /// One stood elsewhere: its partition, where it should have stood, and where it did.
    Fenced(u32, u64, u64),
}

pub(super) fn verdict(advances: &[Advance], stood: &[Stood], own_mark: Option<&str>) -> Verdict {
    let place = |advance: &Advance| stood.iter().find(|stood| stood.partition == advance.partition);
    let elsewhere = advances.iter().find_map(|advance| {
        let offset = place(advance).map_or(0, |stood| stood.offset);
        (offset != advance.from).then_some((advance.partition, advance.from, offset))
    });
    let is_ours = |advance: &Advance| {
        place(advance).is_some_and(|stood| {
            stood.offset == advance.checkpoint.offset
                && own_mark.is_some()
                && stood.mark.as_deref() == own_mark
        })
    };
    match elsewhere {
        _ if advances.iter().all(is_ours) => Verdict::WrittenBefore,
        None => Verdict::Write,
        Some((partition, expected, found)) => Verdict::Fenced(partition, expected, found),
    }
}

/// The parameters that move the checkpoints.
pub(super) fn moves(topic: &str, advances: &[Advance], mark: &str) -> Result<Pack, GraphError> {
    let mut parameters = Pack::default();
    parameters.map(3);
    parameters.text("topic");
    parameters.text(topic);
    parameters.text("mark");
    parameters.text(mark);
    parameters.text("advances");
    parameters.list(advances.len());
    for advance in advances {
        pack_advance(&mut parameters, advance)?;
    }
    Ok(parameters)
}

/// How a checkpoint moves, as the statement takes it.
fn pack_advance(pack: &mut Pack, advance: &Advance) -> Result<(), GraphError> {
    let checkpoint = &advance.checkpoint;
    pack.map(7);
    pack.text("partition");
    pack.integer(advance.partition.into());
    pack.text("offset");
    pack.count(checkpoint.offset, "offset")?;
    pack.text("file");
    match &checkpoint.row {
        Some(row) => pack.text(&row.file),
        None => pack.null(),
    }
    pack.text("ordinal");
    match &checkpoint.row {
        Some(row) => pack.count(row.ordinal, "ordinal")?,
        None => pack.null(),
    }
    pack.text("lineage");
    pack.text(&checkpoint.lineage);
    pack.text("digest");
    pack.text(&checkpoint.digest);
    pack.text("deadLetters");
    pack.count(checkpoint.dead_letters, "dead letters")
}

/// Where the checkpoints stood, by what the statement returned.
pub(super) fn places(batch: &WriteBatch, moved: &Answer) -> Result<Vec<Stood>, GraphError> {
    let place = |record: &Vec<Value>| {
        let [partition, offset, mark] = record.as_slice() else { return None };
        let partition = u32::try_from(partition.as_u64()?).ok()?;
        let mark = match mark {
            Value::Null => None,
            mark => Some(mark.as_str()?.to_owned()),
        };
        Some(Stood { partition, offset: offset.as_u64()?, mark })
    };
    let broken = |record: &Vec<Value>| GraphError::Checkpoint {
        topic: batch.topic.clone(),
        partition: record.first().map(Value::to_string).unwrap_or_default(),
        message: format!("it holds {}", Value::Array(record.clone())),
    };
    moved.records.iter().map(|record| place(record).ok_or_else(|| broken(record))).collect()
}

fn checkpoint(topic: &str, row: &neo4rs::Row) -> Result<(u32, Checkpoint), GraphError> {
    let read = || -> Result<(u32, Checkpoint), neo4rs::DeError> {
        let file: Option<String> = row.get("file")?;
        let row_id = match file {
            Some(file) => Some(RowId { file: file.into(), ordinal: row.get("ordinal")? }),
            None => None,
        };
        let checkpoint = Checkpoint {
            offset: row.get("offset")?,
            row: row_id,
            lineage: row.get::<Option<String>>("lineage")?.unwrap_or_default(),
            digest: row.get::<Option<String>>("digest")?.unwrap_or_default(),
            dead_letters: row.get("deadLetters")?,
        };
        Ok((row.get("partition")?, checkpoint))
    };
    read().map_err(|error| broken(topic, row, &error.to_string()))
}

fn broken(topic: &str, row: &neo4rs::Row, message: &str) -> GraphError {
    GraphError::Checkpoint {
        topic: topic.to_owned(),
        partition: row.get::<i64>("partition").map(|partition| partition.to_string()).unwrap_or_default(),
        message: message.to_owned(),
    }
}

impl Neo4j {
    /// How far each partition of a topic has come.
    pub(super) async fn read_checkpoints(
        &self,
        topic: &str,
    ) -> Result<BTreeMap<u32, Checkpoint>, GraphError> {
        const CHECKPOINTS: &str = "\
            MATCH (c:RunnerCheckpoint {topic: $topic}) WHERE c.offset IS NOT NULL \
            RETURN c.partition AS partition, c.offset AS offset, c.file AS file, c.ordinal AS ordinal, \
                   c.lineage AS lineage, c.digest AS digest, c.deadLetters AS deadLetters";
        let mut checkpoints = BTreeMap::new();
        self.rows(query(CHECKPOINTS).param("topic", topic), |row| {
            let (partition, checkpoint) = checkpoint(topic, &row)?;
            checkpoints.insert(partition, checkpoint);
            Ok(())
        })
        .await?;
        Ok(checkpoints)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advances(from: u64, to: u64) -> Vec<Advance> {
        let checkpoint = Checkpoint { offset: to, ..Checkpoint::default() };
        (0..2).map(|partition| Advance { partition, from, checkpoint: checkpoint.clone() }).collect()
    }

    fn stood(offset: u64, mark: Option<&str>) -> Vec<Stood> {
        (0..2).map(|partition| Stood { partition, offset, mark: mark.map(str::to_owned) }).collect()
    }

    #[test]
    fn a_batch_is_written_where_all_checkpoints_stand_at_its_beginning() {
        assert_eq!(verdict(&advances(5, 9), &stood(5, Some("other")), None), Verdict::Write);
        let mut one_elsewhere = stood(5, None);
        one_elsewhere[1].offset = 7;
        assert_eq!(verdict(&advances(5, 9), &one_elsewhere, None), Verdict::Fenced(1, 5, 7));
    }

    #[test]
    fn a_batch_of_an_uncertain_commit_that_did_arrive_is_known_by_its_mark() {
        let own = Some("store-1");
        assert_eq!(verdict(&advances(5, 9), &stood(9, own), own), Verdict::WrittenBefore);
        assert_eq!(verdict(&advances(5, 9), &stood(5, None), own), Verdict::Write);
    }

    #[test]
    fn another_loaders_batch_with_the_same_end_is_not_taken_for_ours() {
        assert_eq!(
            verdict(&advances(5, 9), &stood(9, Some("other-1")), Some("store-1")),
            Verdict::Fenced(0, 5, 9)
        );
        assert_eq!(verdict(&advances(5, 9), &stood(9, None), None), Verdict::Fenced(0, 5, 9));
    }

    #[test]
    fn a_batch_without_records_is_written_before_only_by_its_own_mark() {
        assert_eq!(verdict(&advances(9, 9), &stood(9, Some("store-1")), Some("store-2")), Verdict::Write);
    }
}
