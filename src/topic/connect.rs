//! Kafka Connect as the loader: a worker that is told, over its REST interface, to move a topic into Neo4j.
//!
//! [`Neo4jSink::config`] makes the configuration; [`Connect`] checks it, submits it and follows the connector until it has
//! read the topic to its end. The interface is Kafka's own (KIP-26, and the manual's chapter on Kafka Connect).

mod answer;
mod client;
mod config;
mod error;
mod follow;
mod sink;
mod trace;

pub use answer::{Part, Problem, State, Status};
pub use client::{Connect, Submitted, Worker};
pub use config::{ConnectorConfig, Secret};
pub use error::ConnectError;
pub use follow::{Look, Patience, group, left};
pub use sink::{NEO4J_SINK, Neo4jSink};
