//! Writing a batch with its checkpoints.
//!
//! The first statement of the transaction moves the checkpoints and says where they stood. It writes to each before it
//! reads it: a read before the lock is held would let two loaders read the same offset. It moves them wherever they
//! stand; where one does not stand at the batch's beginning, the transaction is rolled back. Partitions come in ascending
//! order, so that two loaders never wait for each other.
//!
//! The rows go with it, in the same breath: the server need not wait to hear that the checkpoints stood right, which they nearly
//! always do. The commit is sent only when all is known; behind it may come what the next batch needs before its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use neo4rs::query;
use serde_json::Value;

use super::bolt::{Answer, BoltError, Pack, Session};
use super::error::write_error;
use super::rows::Rows;
use super::{BEGINS_WITHIN, Neo4j};
use crate::graph::{Advance, Ahead, Checkpoint, GraphError, ReadyRows, WriteBatch, WriteError, Written};
use crate::message::RowId;

/// A batch is written within this time, or it is tried again.
const WRITTEN_WITHIN: Duration = Duration::from_mins(2);

/// After how long without a batch the server is asked whether it still knows the connection.
const ASKED_AFTER: Duration = Duration::from_secs(1);

/// Moves the checkpoints.
///
/// Parameters: `topic`; `mark`, the transaction's own; `advances`, a list of `{partition, offset, file, ordinal, lineage,
/// digest, deadLetters}`.
const MOVE: &str = "\
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
struct Stood {
    partition: u32,
    offset: u64,
    mark: Option<String>,
}

/// Transactions of which it is not known whether they happened, by topic and first partition.
#[derive(Debug)]
pub(super) struct Uncertain {
    /// Tells this store's marks from those of others.
    store: String,
    transactions: Mutex<Transactions>,
}

#[derive(Debug, Default)]
struct Transactions {
    begun: u64,
    uncertain: BTreeMap<(String, u32), (String, Written)>,
}

impl Default for Uncertain {
    fn default() -> Self {
        Self { store: format!("{:032x}", fastrand::u128(..)), transactions: Mutex::default() }
    }
}

impl Uncertain {
    /// The mark of the next transaction.
    fn next_mark(&self) -> String {
        let mut transactions = self.transactions.lock().unwrap_or_else(PoisonError::into_inner);
        transactions.begun += 1;
        format!("{}-{}", self.store, transactions.begun)
    }

    /// Keeps what a transaction did that is about to be committed.
    fn keep(&self, batch: &WriteBatch, mark: String, written: Written) {
        let mut transactions = self.transactions.lock().unwrap_or_else(PoisonError::into_inner);
        transactions.uncertain.insert(key(batch), (mark, written));
    }

    /// Takes out the transaction that may have written the batch.
    fn take(&self, batch: &WriteBatch) -> Option<(String, Written)> {
        let mut transactions = self.transactions.lock().unwrap_or_else(PoisonError::into_inner);
        transactions.uncertain.remove(&key(batch))
    }
}

fn key(batch: &WriteBatch) -> (String, u32) {
    (batch.topic.clone(), first_partition(batch))
}

fn first_partition(batch: &WriteBatch) -> u32 {
    batch.advances.first().map_or(0, |advance| advance.partition)
}

/// A connection between two batches, and what was sent ahead on it.
pub(super) struct Kept {
    session: Session,
    sent: Option<Sent>,
}

/// A transaction that was sent, as far as its commit.
struct Sent {
    topic: String,
    advances: Vec<Advance>,
    rows: usize,
    mark: String,
}

impl Sent {
    /// Whether it is that of a batch. What was sent ahead were all rows between its offsets, and rows only ever leave a batch.
    fn is_of(&self, batch: &WriteBatch, rows: &Rows) -> bool {
        self.topic == batch.topic && self.advances == batch.advances && self.rows == rows.len()
    }
}

/// What to do about the checkpoints' places.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// All stood at the batch's beginning.
    Write,
    /// The transaction of this mark wrote this very batch.
    WrittenBefore,
    /// One stood elsewhere: its partition, where it should have stood, and where it did.
    Fenced(u32, u64, u64),
}

fn verdict(advances: &[Advance], stood: &[Stood], own_mark: Option<&str>) -> Verdict {
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

impl Neo4j {
    /// Writes a batch, its rows ready or not.
    pub(super) async fn write_batch(
        &self,
        batch: &WriteBatch,
        ready: Option<Rows>,
        ahead: Option<Ahead<'_>>,
    ) -> Result<Written, WriteError> {
        let server = self.server();
        let rows = Rows::of_batch(batch, ready, server.is_utc)?;
        let lane = server.lane(first_partition(batch));
        let mut lane = lane.lock().await;
        // What is given up in the middle ends with its connection.
        let mut kept = match usable(lane.take(), batch, &rows).await {
            Some(kept) => kept,
            None => {
                Kept { session: soon(Session::open(&server.address, &self.connection)).await?, sent: None }
            }
        };
        let ahead = ahead.filter(|ahead| ahead.rows.0.suit(server.is_utc));
        let transaction = Box::pin(self.transaction(&mut kept, batch, &rows, ahead));
        let outcome = tokio::time::timeout(WRITTEN_WITHIN, transaction).await.unwrap_or_else(|_| {
            let message = format!("the batch was not written within {} s", WRITTEN_WITHIN.as_secs());
            Err(WriteError::Transient { message })
        });
        *lane = if kept.sent.is_some() { Some(kept) } else { ready_again(kept.session).await };
        if server.in_cluster && matches!(outcome, Err(WriteError::Transient { .. })) {
            self.reroute().await;
        }
        outcome
    }

    /// Takes back what was sent ahead, and lets go of its locks.
    pub(super) async fn take_back(&self, partition: u32) {
        let lane = self.server().lane(partition);
        let mut lane = lane.lock().await;
        if let Some(kept) = lane.take() {
            *lane = ready_again(kept.session).await;
        }
    }

    /// Asks for a batch's transaction, as far as its commit, and returns its mark. The answers: to its beginning, two to the
    /// checkpoints' statement, and two to that of the rows, where there are any.
    fn request(
        &self,
        session: &mut Session,
        (topic, advances): (&str, &[Advance]),
        rows: &Rows,
    ) -> Result<String, GraphError> {
        let mark = self.uncertain.next_mark();
        let moves = moves(topic, advances, &mark)?;
        session.begin(&self.connection.database);
        session.run(MOVE, &moves);
        session.pull();
        if rows.len() > 0 {
            rows.request(session);
        }
        Ok(mark)
    }

    async fn transaction(
        &self,
        Kept { session, sent }: &mut Kept,
        batch: &WriteBatch,
        rows: &Rows,
        ahead: Option<Ahead<'_>>,
    ) -> Result<Written, WriteError> {
        let failed = |error: BoltError| write_error(&error);
        let mark = if let Some(sent) = sent.take() {
            sent.mark
        } else {
            let mark = self.request(session, (&batch.topic, &batch.advances), rows)?;
            session.flush().await.map_err(failed)?;
            mark
        };
        soon(session.answer()).await?;
        let stood = tokio::select! {
            stood = outcome(session) => places(batch, &stood?)?,
            never = self.end_frozen(&mark) => match never {},
        };
        let before = self.uncertain.take(batch);
        match verdict(&batch.advances, &stood, before.as_ref().map(|(mark, _)| mark.as_str())) {
            Verdict::Write => {}
            Verdict::WrittenBefore => return Ok(before.map(|(_, written)| written).unwrap_or_default()),
            Verdict::Fenced(partition, expected, found) => {
                return Err(WriteError::Fenced { topic: batch.topic.clone(), partition, expected, found });
            }
        }
        let written = match rows.len() {
            0 => Written::default(),
            _ => rows.written(&outcome(session).await?),
        };
        if batch.must_write && !written.wrote_nothing.is_empty() {
            return Err(WriteError::WroteNothing { positions: written.wrote_nothing });
        }
        self.uncertain.keep(batch, mark, written.clone());
        // An error is no proof that nothing happened: a server that goes down answers so for what it has committed.
        session.commit();
        let next = ahead.and_then(|Ahead { advances, rows: ReadyRows(rows) }| {
            let mark = self.request(session, (&batch.topic, &advances), rows).ok()?;
            Some(Sent { topic: batch.topic.clone(), advances, rows: rows.len(), mark })
        });
        session.flush().await.map_err(failed)?;
        session.committed().await.map_err(failed)?;
        self.uncertain.take(batch);
        *sent = next;
        Ok(written)
    }

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

/// What a server that is there does without delay.
async fn soon<T>(answer: impl Future<Output = Result<T, BoltError>>) -> Result<T, WriteError> {
    match tokio::time::timeout(BEGINS_WITHIN, answer).await {
        Ok(answer) => answer.map_err(|error| write_error(&error)),
        Err(_) => Err(WriteError::Transient { message: "Neo4j does not answer".to_owned() }),
    }
}

/// A connection of before, unless it has ended in the meantime: while batch follows on batch the server is not asked. What was sent
/// ahead on it stays where it is this batch's.
async fn usable(kept: Option<Kept>, batch: &WriteBatch, rows: &Rows) -> Option<Kept> {
    match kept? {
        Kept { session, sent: Some(sent) } if sent.is_of(batch, rows) => {
            Some(Kept { session, sent: Some(sent) })
        }
        Kept { mut session, sent } => {
            if sent.is_some() || session.idle_for() >= ASKED_AFTER {
                soon(session.reset()).await.ok()?;
            }
            Some(Kept { session, sent: None })
        }
    }
}

/// A connection without what a transaction left open: the server would keep its locks. Where that cannot be had, there is none: the
/// server ends the transaction of a connection that is closed.
async fn ready_again(mut session: Session) -> Option<Kept> {
    if !session.is_ready() {
        soon(session.reset()).await.ok()?;
    }
    Some(Kept { session, sent: None })
}

/// The outcome of a statement that was run and whose records were asked for.
async fn outcome(session: &mut Session) -> Result<Answer, WriteError> {
    let failed = |error: BoltError| write_error(&error);
    session.answer().await.map_err(failed)?;
    session.answer().await.map_err(failed)
}

/// The parameters that move the checkpoints.
fn moves(topic: &str, advances: &[Advance], mark: &str) -> Result<Pack, GraphError> {
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
fn places(batch: &WriteBatch, moved: &Answer) -> Result<Vec<Stood>, GraphError> {
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
