//! How a client's connections are doing: what librdkafka says about them is kept here instead of being printed.
//!
//! librdkafka answers most requests that cannot be made with "timed out"; why is only in its log lines and error events.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use super::complaint::Complaint;

/// How many complaints are kept: enough for one of each broker of a bootstrap list.
const KEPT: usize = 16;

/// How a client's connections are doing.
#[derive(Debug, Default)]
pub struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    complaints: VecDeque<Complaint>,
    down_since: Option<Instant>,
    outages: u64,
}

impl Health {
    /// Since when no broker can be reached; `None` while one can.
    pub fn down_since(&self) -> Option<Instant> {
        self.lock().down_since
    }

    /// For how long no broker could be reached so far.
    pub fn down_for(&self) -> Duration {
        self.down_since().map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// How often it came so far that no broker could be reached.
    pub fn outages(&self) -> u64 {
        self.lock().outages
    }

    /// A broker answered: what was said before is of the past.
    pub(super) fn answered(&self) {
        let mut state = self.lock();
        if state.down_since.is_some() {
            *state = State { outages: state.outages, ..State::default() };
        }
    }

    /// What was complained about, oldest first.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        self.lock().complaints.iter().cloned().collect()
    }

    fn complain(&self, code: Option<RDKafkaErrorCode>, words: &str) {
        let mut state = self.lock();
        if code == Some(RDKafkaErrorCode::AllBrokersDown) {
            if state.down_since.is_none() {
                state.down_since = Some(Instant::now());
                state.outages += 1;
            }
            return;
        }
        if state.complaints.len() == KEPT {
            state.complaints.pop_front();
        }
        state.complaints.push_back(Complaint { code, words: words.to_owned() });
    }

    /// A thread that broke down while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Health {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, line: &str) {
        // Lost connections are not always an error event, but always such a line: `[thrd:…]: address: words`.
        if facility == "FAIL" {
            let words =
                line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map_or(line, |rest| rest.1);
            self.complain(None, words);
        }
    }

    fn error(&self, error: ClientError, reason: &str) {
        let code = error.rdkafka_error_code();
        // The end of a partition comes as an error, too.
        if code != Some(RDKafkaErrorCode::PartitionEOF) {
            self.complain(code, reason);
        }
    }
}

impl ConsumerContext for Health {}

#[cfg(test)]
mod tests {
    use super::*;

    fn down(health: &Health) {
        health.error(ClientError::Global(RDKafkaErrorCode::AllBrokersDown), "1/1 brokers are down");
    }

    #[test]
    fn a_cluster_is_down_until_a_broker_answers() {
        let health = Health::default();
        assert_eq!(health.down_since(), None);
        down(&health);
        let since = health.down_since();
        assert!(since.is_some());
        down(&health);
        assert_eq!((health.down_since(), health.outages()), (since, 1), "it is down since it first was");
        health.answered();
        assert_eq!((health.down_since(), health.complaints().len()), (None, 0));
        health.error(ClientError::Global(RDKafkaErrorCode::PartitionEOF), "Fetch reached end of partition");
        assert_eq!(health.complaints().len(), 0, "that is no complaint");
        down(&health);
        assert_eq!(health.outages(), 2);
    }

    #[test]
    fn complaints_are_kept_without_the_thread_and_the_oldest_go() {
        let health = Health::default();
        for n in 0..20 {
            health.log(
                RDKafkaLogLevel::Info,
                "FAIL",
                &format!("[thrd:b:1/bootstrap]: b:1/bootstrap: no {n}"),
            );
        }
        health.log(RDKafkaLogLevel::Info, "CONFWARN", "[thrd:app]: something else");
        let words: Vec<_> = health.complaints().into_iter().map(|complaint| complaint.words).collect();
        assert_eq!(words.len(), KEPT);
        assert_eq!(words.first().map(String::as_str), Some("b:1/bootstrap: no 4"));
    }
}
