//! Tests of the whole program, and of the house it is built as. One binary, so that the engines are linked once.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod architecture;
mod cli;
mod cluster;
mod connectors;
mod corpus;
mod external;
mod faults;
mod harness;
mod kafka;
mod kills;
mod neo4j;
mod proxy;
mod run;
mod servers;
mod torture;
