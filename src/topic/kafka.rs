//! The topic as Kafka: made, filled, read and watched.
//!
//! [`Kafka`] is a cluster that answers. A [`Producer`] puts rows in, a [`Consumer`] takes them out by [`Lane`]s, one a
//! partition. What happened before is read from the topic itself: [`Kafka::last_rows`].

mod certificate;
mod cluster;
mod complaint;
mod connection;
mod consumer;
mod error;
mod headers;
mod health;
mod lane;
mod past;
mod producer;
mod setup;

pub use certificate::CertificateFault;
pub use cluster::{Kafka, PATIENCE, Watermarks};
pub use connection::{Connection, Login, Tls};
pub use consumer::{Consumer, ConsumerOptions};
pub use error::KafkaError;
pub use health::Health;
pub use lane::{Lane, LaneBatch};
pub use past::Loaded;
pub use producer::{Produced, Producer, ProducerOptions};
pub use setup::{Difference, Risk, TopicState};
