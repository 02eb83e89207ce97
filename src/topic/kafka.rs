//! The topic as Kafka: made, filled, read and watched.
//!
//! [`Kafka`] is a cluster that answers. A [`Producer`] puts rows in, a [`Consumer`] takes them out by [`Lane`]s, one a
//! partition. What happened before is read from the topic itself: [`Kafka::last_rows`].

mod certificate;
mod cluster;
mod complaint;
mod connection;
mod consumer;
mod dead_letters;
mod error;
mod groups;
mod headers;
mod health;
mod lag;
mod lane;
mod past;
mod patience;
mod producer;
mod replay;
mod sender;
mod setup;

pub use certificate::CertificateFault;
pub use cluster::{Kafka, PATIENCE, Watermarks};
pub use connection::{Connection, Login, Tls};
pub use consumer::{Consumer, ConsumerOptions};
pub use dead_letters::{DeadLetter, DeadLetters, Place, Refused};
pub use error::KafkaError;
pub use groups::{Note, Notebook};
pub use health::Health;
pub use lag::Lag;
pub use lane::{Lane, LaneBatch};
pub use past::Loaded;
pub use patience::patiently;
pub use producer::{Produced, Producer};
pub use replay::{Replay, Replayed};
pub use sender::ProducerOptions;
pub use setup::{Difference, Risk, TopicState};
