//! A Kafka Connect worker with the connectors that Kafka ships.

use super::{Kafka, Server};

/// One worker, alone in its group.
pub struct Connect {
    pub server: Server,
}

impl Connect {
    /// A worker of Kafka 3.9 on a broker.
    pub fn start(kafka: &Kafka) -> Self {
        Self { server: Server::start("connect", vec![format!("bootstrap={}", kafka.address())]) }
    }

    /// The address of its REST interface.
    pub fn url(&self) -> &str {
        self.server.fact("rest")
    }
}
