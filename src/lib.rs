//! `runner` turns one YAML file into a running graph pipeline: it checks the file, deploys Kafka and Neo4j, streams a
//! filtered parquet source through a topic into Neo4j by a Cypher mapping, runs graph analyses, and reports.
//!
//! The keys of the file are the folders of the code. Data flows down: a module imports only what the table in
//! `docs/architecture.md` allows, which `tests/` checks.

pub mod analysis;
pub mod cli;
pub mod diagnostic;
pub mod graph;
pub mod infrastructure;
pub mod message;
pub mod progress;
pub mod report;
pub mod share;
pub mod source;
pub mod spec;
pub mod stages;
pub mod topic;
pub mod validate;
