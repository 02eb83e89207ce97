//! What can go wrong with a Kafka Connect worker and its connectors.

use std::time::Duration;

use thiserror::Error;

use super::answer::{Problem, State};
use crate::topic::kafka::KafkaError;

/// A worker or a connector could not do what it was asked for. No password is in any of them.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The address is none.
    #[error("`{address}` is not the address of a Kafka Connect worker: {message}")]
    Address {
        /// The address, without a password.
        address: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing answers there.
    #[error("no Kafka Connect worker answers at `{address}`: {message}")]
    Unreachable {
        /// The address.
        address: String,
        /// What was in the way.
        message: String,
    },
    /// Something answers, but not as a worker does.
    #[error("what answers at `{address}` is no Kafka Connect worker: {message}")]
    NoWorker {
        /// The address.
        address: String,
        /// What it said.
        message: String,
    },
    /// The worker does not have the connector's class.
    #[error("the Kafka Connect worker at `{address}` has no plugin `{class}`")]
    NoPlugin {
        /// The address.
        address: String,
        /// The class.
        class: String,
        /// The classes of the sinks and sources that it has.
        installed: Vec<String>,
    },
    /// The connector refuses its configuration.
    #[error("the connector refuses its configuration: {}", listed(problems))]
    Invalid {
        /// What is wrong, key by key; one or more.
        problems: Vec<Problem>,
    },
    /// The worker refuses a request.
    #[error("the Kafka Connect worker refuses `{request}`: {message} (HTTP {status})")]
    Refused {
        /// The method and the path.
        request: String,
        /// The status.
        status: u16,
        /// What it says.
        message: String,
    },
    /// The connector has failed, or one of its tasks.
    #[error("{}: {cause}", part(name, *task, worker))]
    Failed {
        /// The connector.
        name: String,
        /// The task; none where it is the connector itself.
        task: Option<u32>,
        /// The worker that it ran on.
        worker: String,
        /// Why, in a line.
        cause: String,
        /// The whole stack trace.
        trace: String,
    },
    /// The connector does not get to work.
    #[error("connector `{name}` is {state} and does not begin")]
    Idle {
        /// The connector.
        name: String,
        /// How it is.
        state: State,
    },
    /// The connector has not failed, and Kafka hears of nothing that it has read.
    #[error("connector `{name}` has not failed, and has got no further for {} s: {left} records are left to read", waited.as_secs())]
    StandsStill {
        /// The connector.
        name: String,
        /// How many records it has not read.
        left: u64,
        /// For how long that has been so.
        waited: Duration,
    },
    /// Somebody told the connector to pause or to stop.
    #[error("connector `{name}` was {state} by somebody else")]
    Rests {
        /// The connector.
        name: String,
        /// How it is.
        state: State,
    },
    /// There is no such connector, or not any more.
    #[error("the worker has no connector `{name}`")]
    Gone {
        /// The connector.
        name: String,
    },
    /// How much is left to read is not known.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
}

impl ConnectError {
    /// Whether it may be over when the same is asked again, of a worker that has answered before.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Refused { status: 502..=504, .. } => true,
            // A worker's own request to another one, or to Kafka.
            Self::Refused { status: 500, message, .. } => message.contains("timed out"),
            Self::Kafka(error) => error.may_pass(),
            _ => false,
        }
    }
}

/// The first problem, and how many more there are.
fn listed(problems: &[Problem]) -> String {
    match problems {
        [] => "it says no more".to_owned(),
        [Problem { key, message }] => format!("`{key}`: {message}"),
        [Problem { key, message }, others @ ..] => format!("`{key}`: {message}, and {} more", others.len()),
    }
}

fn part(name: &str, task: Option<u32>, worker: &str) -> String {
    let what = task
        .map_or_else(|| format!("connector `{name}`"), |task| format!("task {task} of connector `{name}`"));
    format!("{what} failed on worker `{worker}`")
}
