//! Bolt for batches, beside the driver, which is for all that is asked.
//!
//! The driver waits for the answer to each message of a transaction before it sends the next, and makes a tree of the rows before
//! it writes them. Here rows are packed as they are read, and all that comes before the commit goes out at once. Measured with both
//! on the same machine: docs/benchmarks.md.
//!
//! Version 4.4 of the protocol, which Neo4j speaks from 4.4 to this day: <https://neo4j.com/docs/bolt/current/bolt/message/>. A request has
//! one answer, a summary; before the summary of a [`pull`](Session::pull) come records. The server answers in order, and after a
//! failure ignores what comes until it is [reset](Session::reset).

mod pack;
mod socket;
mod unpack;

use std::io;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};

use self::socket::Socket;
use super::connection::{Address, Connection};
use crate::spec::Password;

pub(super) use self::pack::Pack;
pub(super) use self::unpack::unpack;

/// The magic number, and the versions on offer: 4.4, and three times none.
const HANDSHAKE: [u8; 20] = [0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// How much room for requests is kept: that of a batch, but not of an unusually large one.
const KEPT: usize = 1024 * 1024;
/// The most bytes of a chunk.
const CHUNK: usize = 0xffff;

/// What a request or an answer is: the second byte of its message.
mod tag {
    pub(super) const HELLO: u8 = 0x01;
    pub(super) const RESET: u8 = 0x0f;
    pub(super) const RUN: u8 = 0x10;
    pub(super) const BEGIN: u8 = 0x11;
    pub(super) const COMMIT: u8 = 0x12;
    pub(super) const PULL: u8 = 0x3f;
    pub(super) const SUCCESS: u8 = 0x70;
    pub(super) const RECORD: u8 = 0x71;
    pub(super) const IGNORED: u8 = 0x7e;
    pub(super) const FAILURE: u8 = 0x7f;
}

/// Why there is no answer to a request.
#[derive(Debug, Error)]
pub(super) enum BoltError {
    /// The server refuses it, with a status code.
    #[error("{message} ({code})")]
    Server {
        /// Such as `Neo.ClientError.Statement.TypeError`.
        code: String,
        /// In words.
        message: String,
    },
    /// The server refused an earlier one.
    #[error("the server ignored a request")]
    Ignored,
    /// The connection ended, or never was.
    #[error(transparent)]
    Lost(#[from] io::Error),
    /// The server does not speak this version.
    #[error("the server does not speak Bolt 4.4, which batches are written by")]
    Version,
    /// What came is no answer, or the middle of one.
    #[error("what the server sent is no answer of Bolt")]
    Torn,
}

/// A statement's records, each a list of values, and what its summary says.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub records: Vec<Vec<Value>>,
    pub summary: Map<String, Value>,
}

/// A connection that is logged in.
pub(super) struct Session {
    socket: BufReader<Box<dyn Socket>>,
    /// Requests that are not sent yet.
    out: Vec<u8>,
    /// How many requests have no answer yet.
    unanswered: usize,
    /// How many transactions were begun and not ended: two where one was sent ahead.
    open: u8,
    /// Something was given up in the middle of being sent or received: nobody can tell where the next answer begins.
    is_torn: bool,
    /// When the server last said something.
    last_heard: Instant,
}

impl Session {
    /// Connects and logs in.
    pub(super) async fn open(address: &Address, connection: &Connection) -> Result<Self, BoltError> {
        let mut socket = socket::connect(address, connection).await?;
        socket.write_all(&HANDSHAKE).await?;
        socket.flush().await?;
        let mut version = [0; 4];
        socket.read_exact(&mut version).await?;
        if version != [0, 0, 4, 4] {
            return Err(BoltError::Version);
        }
        let mut session = Self::over(socket);
        let password = connection.password.as_ref().map_or("", Password::reveal);
        session.request(
            tag::HELLO,
            &[&texts(&[
                ("user_agent", concat!("runner/", env!("CARGO_PKG_VERSION"))),
                ("scheme", "basic"),
                ("principal", &connection.user),
                ("credentials", password),
            ])],
        );
        session.flush().await?;
        session.answer().await?;
        Ok(session)
    }

    /// A session over a socket on which the version is agreed on.
    fn over(socket: Box<dyn Socket>) -> Self {
        Self {
            socket: BufReader::new(socket),
            out: Vec::new(),
            unanswered: 0,
            open: 0,
            is_torn: false,
            last_heard: Instant::now(),
        }
    }

    /// Whether it can be used for another transaction.
    pub(super) fn is_ready(&self) -> bool {
        self.open == 0 && !self.is_torn && self.unanswered == 0 && self.out.is_empty()
    }

    /// For how long the server has said nothing.
    pub(super) fn idle_for(&self) -> Duration {
        self.last_heard.elapsed()
    }

    /// Begins a transaction. It may be asked for right behind the commit of the one before.
    pub(super) fn begin(&mut self, database: &str) {
        self.open += 1;
        self.request(tag::BEGIN, &[&texts(&[("db", database)])]);
    }

    /// Runs a statement. Its parameters are a map.
    pub(super) fn run(&mut self, statement: &str, parameters: &Pack) {
        let mut text = Pack::default();
        text.text(statement);
        self.request(tag::RUN, &[&text, parameters, &texts(&[])]);
    }

    /// Asks for all records of the statement before.
    pub(super) fn pull(&mut self) {
        let mut all = Pack::default();
        all.map(1);
        all.text("n");
        all.integer(-1);
        self.request(tag::PULL, &[&all]);
    }

    /// Sends the requests so far.
    pub(super) async fn flush(&mut self) -> Result<(), BoltError> {
        self.is_torn = true;
        self.socket.write_all(&self.out).await?;
        self.socket.flush().await?;
        self.is_torn = false;
        self.out.clear();
        self.out.shrink_to(KEPT);
        Ok(())
    }

    /// The answer to the oldest request that has none.
    pub(super) async fn answer(&mut self) -> Result<Answer, BoltError> {
        let mut answer = Answer::default();
        loop {
            let message = self.receive().await?;
            let [_, kind, fields @ ..] = message.as_slice() else { return Err(self.torn()) };
            let (kind, mut fields) = (*kind, fields);
            let value = if fields.is_empty() { None } else { unpack(&mut fields) };
            match (kind, value) {
                (tag::RECORD, Some(Value::Array(record))) => answer.records.push(record),
                (tag::SUCCESS, Some(Value::Object(summary))) => {
                    self.unanswered = self.unanswered.saturating_sub(1);
                    answer.summary = summary;
                    return Ok(answer);
                }
                (tag::FAILURE, Some(Value::Object(failure))) => {
                    self.unanswered = self.unanswered.saturating_sub(1);
                    let text =
                        |name: &str| failure.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                    return Err(BoltError::Server { code: text("code"), message: text("message") });
                }
                (tag::IGNORED, _) => {
                    self.unanswered = self.unanswered.saturating_sub(1);
                    return Err(BoltError::Ignored);
                }
                _ => return Err(self.torn()),
            }
        }
    }

    /// Commits the transaction; the answer is [`committed`](Self::committed).
    pub(super) fn commit(&mut self) {
        self.request(tag::COMMIT, &[]);
    }

    /// Whether the transaction was committed.
    pub(super) async fn committed(&mut self) -> Result<(), BoltError> {
        self.answer().await?;
        self.open = self.open.saturating_sub(1);
        Ok(())
    }

    /// Takes back what was done since the transaction began, and makes the session ready for the next one. The server drops at once
    /// what it is busy with.
    pub(super) async fn reset(&mut self) -> Result<(), BoltError> {
        if self.is_torn || !self.out.is_empty() {
            return Err(BoltError::Torn);
        }
        self.request(tag::RESET, &[]);
        self.flush().await?;
        while self.unanswered > 1 {
            match self.answer().await {
                Ok(_) | Err(BoltError::Server { .. } | BoltError::Ignored) => {}
                Err(error) => return Err(error),
            }
        }
        self.answer().await?;
        self.open = 0;
        Ok(())
    }

    fn torn(&mut self) -> BoltError {
        self.is_torn = true;
        BoltError::Torn
    }

    /// Puts a request behind the others: a structure, cut into chunks, each behind its length, the last one empty.
    fn request(&mut self, tag: u8, fields: &[&Pack]) {
        let mut head = Pack::default();
        head.structure(tag, u8::try_from(fields.len()).unwrap_or_default());
        let parts = || std::iter::once(&head).chain(fields.iter().copied()).map(Pack::bytes);
        let mut left: usize = parts().map(<[u8]>::len).sum();
        self.out.reserve(left + 2 * (left / CHUNK + 2));
        let mut room = 0;
        for mut part in parts() {
            while !part.is_empty() {
                if room == 0 {
                    let chunk = u16::try_from(left).unwrap_or(u16::MAX);
                    self.out.extend_from_slice(&chunk.to_be_bytes());
                    room = usize::from(chunk);
                }
                let (now, later) = part.split_at(part.len().min(room));
                self.out.extend_from_slice(now);
                (part, room, left) = (later, room - now.len(), left - now.len());
            }
        }
        self.out.extend_from_slice(&[0, 0]);
        self.unanswered += 1;
    }

    /// A message, its chunks put together.
    async fn receive(&mut self) -> Result<Vec<u8>, BoltError> {
        self.is_torn = true;
        let mut message = Vec::new();
        loop {
            let chunk = usize::from(self.socket.read_u16().await?);
            if chunk > 0 {
                let from = message.len();
                message.resize(from + chunk, 0);
                self.socket.read_exact(message.get_mut(from..).unwrap_or_default()).await?;
            } else if !message.is_empty() {
                break;
            }
            // An empty chunk between messages only says that the server is still there.
        }
        self.is_torn = false;
        self.last_heard = Instant::now();
        Ok(message)
    }
}

/// A map of texts.
fn texts(entries: &[(&str, &str)]) -> Pack {
    let mut pack = Pack::default();
    pack.map(entries.len());
    for (name, text) in entries {
        pack.text(name);
        pack.text(text);
    }
    pack
}

#[cfg(test)]
mod tests;
