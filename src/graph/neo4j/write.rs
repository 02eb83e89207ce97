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

use super::bolt::{Answer, BoltError, Session};
use super::checkpoint::{MOVE, Verdict, moves, places, verdict};
use super::error::write_error;
use super::rows::Rows;
use super::{BEGINS_WITHIN, Neo4j};
use crate::graph::{Advance, Ahead, GraphError, ReadyRows, WriteBatch, WriteError, Written};

/// A batch is written within this time, or it is tried again.
const WRITTEN_WITHIN: Duration = Duration::from_mins(2);

/// After how long without a batch the server is asked whether it still knows the connection.
const ASKED_AFTER: Duration = Duration::from_secs(1);

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
