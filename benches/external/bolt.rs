//! The ceiling: Bolt 4.4 and `PackStream` by hand, two batches in flight on each connection, without checkpoints.
//!
//! The statement is the one that declared mappings get, and date-times go as native ones. Nothing is read from Kafka. See
//! <https://neo4j.com/docs/bolt/current/bolt/message/> and <https://neo4j.com/docs/bolt/current/packstream/>.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chrono::NaiveDateTime;
use serde::Deserialize;

use crate::lines;

/// Bolt's first words: its magic number, then 4.4 and three times nothing.
const HANDSHAKE: [u8; 20] = [0x60, 0x60, 0xb0, 0x17, 0, 0, 4, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// The most bytes of a chunk.
const CHUNK: usize = 0xffff;
const IN_FLIGHT: usize = 2;

/// A row.
#[derive(Deserialize)]
pub struct Trip {
    #[serde(rename = "PULocationID")]
    from: i64,
    #[serde(rename = "DOLocationID")]
    to: i64,
    #[serde(rename = "trip_distance")]
    distance: f64,
    #[serde(rename = "fare_amount")]
    fare: f64,
    #[serde(rename = "tpep_pickup_datetime")]
    pickup: Moment,
    #[serde(rename = "tpep_dropoff_datetime")]
    dropoff: Moment,
}

/// Seconds since 1970.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Moment(i64);

impl TryFrom<String> for Moment {
    type Error = chrono::ParseError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse::<NaiveDateTime>().map(|time| Self(time.and_utc().timestamp()))
    }
}

pub fn trips(file: &[u8]) -> Vec<Trip> {
    lines(file).map(|line| serde_json::from_slice(line).unwrap()).collect()
}

/// Where the rows go.
pub struct Way<'a> {
    pub address: &'a str,
    pub password: &'a str,
    pub label: &'a str,
}

/// Writes all trips; each connection takes its share of them.
pub fn write(way: &Way<'_>, trips: &[Trip], batch: usize, connections: usize) {
    let share = trips.len().div_ceil(connections);
    std::thread::scope(|scope| {
        for trips in trips.chunks(share) {
            scope.spawn(move || {
                let mut session = Session::open(way);
                for batch in trips.chunks(batch) {
                    session.send(&statement(way.label), batch);
                }
                session.finish();
            });
        }
    });
}

fn statement(label: &str) -> String {
    format!(
        "UNWIND $n0 AS k MERGE (n:{label} {{name: k[1]}}) WITH n, k[0] AS i ORDER BY i WITH collect(n) AS n0 \
         UNWIND $rows AS row WITH row, n0[row[0]] AS p, n0[row[1]] AS d \
         CREATE (p)-[:TRIP_{label} {{distance: row[2], fare: row[3], pickup_dt: row[4], dropoff_dt: row[5]}}]->(d)"
    )
}

/// A connection that is logged in.
struct Session {
    stream: TcpStream,
    /// Messages that were sent and not answered yet, of each batch.
    unanswered: VecDeque<usize>,
    out: Vec<u8>,
    message: Pack,
}

impl Session {
    fn open(way: &Way<'_>) -> Self {
        let mut stream = TcpStream::connect(way.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&HANDSHAKE).unwrap();
        let mut version = [0; 4];
        stream.read_exact(&mut version).unwrap();
        assert_eq!(version, [0, 0, 4, 4]);
        let mut session =
            Self { stream, unanswered: VecDeque::new(), out: Vec::new(), message: Pack::default() };
        session.message.hello(way.password);
        session.chunk();
        session.flush(1);
        session.answer();
        session
    }

    /// Sends a batch, once no more than one other is in flight.
    fn send(&mut self, statement: &str, batch: &[Trip]) {
        while self.unanswered.len() >= IN_FLIGHT {
            self.answer();
        }
        self.message.run(statement, batch);
        self.chunk();
        self.message.pull();
        self.chunk();
        self.flush(2);
    }

    fn finish(&mut self) {
        while !self.unanswered.is_empty() {
            self.answer();
        }
    }

    /// Cuts the message into chunks behind what is to be sent.
    fn chunk(&mut self) {
        for chunk in self.message.0.chunks(CHUNK) {
            self.out.extend_from_slice(&u16::try_from(chunk.len()).unwrap().to_be_bytes());
            self.out.extend_from_slice(chunk);
        }
        self.out.extend_from_slice(&[0, 0]);
        self.message.0.clear();
    }

    fn flush(&mut self, messages: usize) {
        self.stream.write_all(&self.out).unwrap();
        self.out.clear();
        self.unanswered.push_back(messages);
    }

    /// Reads the answers to the oldest batch: each must be a success.
    fn answer(&mut self) {
        const SUCCESS: u8 = 0x70;
        for _ in 0..self.unanswered.pop_front().unwrap_or_default() {
            let message = self.receive();
            assert_eq!(message.get(1), Some(&SUCCESS), "{}", String::from_utf8_lossy(&message));
        }
    }

    fn receive(&mut self) -> Vec<u8> {
        let mut message = Vec::new();
        loop {
            let mut length = [0; 2];
            self.stream.read_exact(&mut length).unwrap();
            let length = usize::from(u16::from_be_bytes(length));
            if length == 0 && !message.is_empty() {
                return message;
            }
            let from = message.len();
            message.resize(from + length, 0);
            self.stream.read_exact(&mut message[from..]).unwrap();
        }
    }
}

/// A message in `PackStream`.
#[derive(Default)]
struct Pack(Vec<u8>);

impl Pack {
    fn hello(&mut self, password: &str) {
        self.0.extend_from_slice(&[0xb1, 0x01]);
        let fields = [
            ("user_agent", "bench/1"),
            ("scheme", "basic"),
            ("principal", "neo4j"),
            ("credentials", password),
        ];
        self.map(fields.len());
        for (key, value) in fields {
            self.text(key);
            self.text(value);
        }
    }

    /// Each zone once, sorted, and rows that point at them.
    fn run(&mut self, statement: &str, batch: &[Trip]) {
        let mut zones: Vec<i64> = batch.iter().flat_map(|trip| [trip.from, trip.to]).collect();
        zones.sort_unstable();
        zones.dedup();
        let place = |zone: i64| i64::try_from(zones.binary_search(&zone).unwrap()).unwrap();
        self.0.extend_from_slice(&[0xb3, 0x10]);
        self.text(statement);
        self.map(2);
        self.text("n0");
        self.list(zones.len());
        for zone in &zones {
            self.list(2);
            self.integer(place(*zone));
            self.integer(*zone);
        }
        self.text("rows");
        self.list(batch.len());
        for trip in batch {
            self.list(6);
            self.integer(place(trip.from));
            self.integer(place(trip.to));
            self.float(trip.distance);
            self.float(trip.fare);
            self.moment(&trip.pickup);
            self.moment(&trip.dropoff);
        }
        self.map(0);
    }

    fn pull(&mut self) {
        self.0.extend_from_slice(&[0xb1, 0x3f]);
        self.map(1);
        self.text("n");
        self.integer(-1);
    }

    fn map(&mut self, entries: usize) {
        self.0.push(0xa0 | u8::try_from(entries).unwrap());
    }

    fn list(&mut self, items: usize) {
        if items < 16 {
            self.0.push(0x90 | u8::try_from(items).unwrap());
        } else {
            self.0.push(0xd6);
            self.0.extend_from_slice(&u32::try_from(items).unwrap().to_be_bytes());
        }
    }

    fn text(&mut self, text: &str) {
        self.0.push(0xd2);
        self.0.extend_from_slice(&u32::try_from(text.len()).unwrap().to_be_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn integer(&mut self, integer: i64) {
        if let Ok(small) = i8::try_from(integer)
            && small >= -16
        {
            self.0.push(small.cast_unsigned());
        } else if let Ok(short) = i16::try_from(integer) {
            self.0.push(0xc9);
            self.0.extend_from_slice(&short.to_be_bytes());
        } else {
            self.0.push(0xcb);
            self.0.extend_from_slice(&integer.to_be_bytes());
        }
    }

    fn float(&mut self, float: f64) {
        self.0.push(0xc1);
        self.0.extend_from_slice(&float.to_be_bytes());
    }

    /// A date-time at the offset 0: the seconds of its wall clock, nanoseconds, the offset.
    fn moment(&mut self, moment: &Moment) {
        self.0.extend_from_slice(&[0xb3, 0x46]);
        self.integer(moment.0);
        self.integer(0);
        self.integer(0);
    }
}
