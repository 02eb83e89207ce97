//! Which server of a cluster is the one to use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use neo4rs::{BoltMap, BoltType, Graph, query};
use serde::Deserialize;

use super::connection::{self, Address, Connection};
use super::error::graph_error;
use super::write::Kept;
use crate::graph::GraphError;

/// The server that is used.
pub(super) struct Server {
    pub address: Address,
    pub graph: Graph,
    pub version: String,
    pub edition: String,
    /// Whether it reads date-times without a zone as UTC.
    pub is_utc: bool,
    /// Whether another one may have to be used in its place one day.
    pub in_cluster: bool,
    lanes: Mutex<BTreeMap<u32, Lane>>,
}

/// The way of the batches that begin with a partition, one at a time: a connection, once there was one.
type Lane = Arc<tokio::sync::Mutex<Option<Kept>>>;

impl Server {
    /// The way of the batches that begin with a partition: what one that failed left open is in nobody else's way.
    pub(super) fn lane(&self, partition: u32) -> Lane {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(partition).or_default())
    }
}

/// Reaches the server at the address, or the one that it names as the one that writes.
pub(super) async fn find(address: &Address, connection: &Connection) -> Result<Server, GraphError> {
    let mut reached = connection::reach(address, connection).await?;
    let mut used = address.clone();
    let mut in_cluster = false;
    if address.routed {
        let table = table(&reached.graph, &connection.database).await?;
        in_cluster = !stands_alone(&table);
        if let Some(writer) = writer(&table).filter(|_| in_cluster).and_then(|writer| address.beside(writer))
        {
            reached = connection::reach(&writer, connection).await?;
            used = writer;
        }
    }
    Ok(Server {
        address: used,
        graph: reached.graph,
        version: reached.version,
        edition: reached.edition,
        is_utc: reached.is_utc,
        in_cluster,
        lanes: Mutex::new(BTreeMap::new()),
    })
}

/// What servers do for a database, by what they do: `WRITE`, `READ`, `ROUTE`.
#[derive(Debug, Deserialize)]
struct Role {
    role: String,
    addresses: Vec<String>,
}

/// Asks a server for the servers of a database.
async fn table(graph: &Graph, database: &str) -> Result<Vec<Role>, GraphError> {
    let failed = |error: neo4rs::Error| graph_error(&error);
    let statement = query("CALL dbms.routing.getRoutingTable($context, $database) YIELD servers")
        .param("context", BoltType::Map(BoltMap::new()))
        .param("database", database);
    let mut transaction = graph.start_txn().await.map_err(failed)?;
    let mut rows = transaction.execute(statement).await.map_err(failed)?;
    let row = rows.next(transaction.handle()).await.map_err(failed)?;
    let servers = row.and_then(|row| row.get::<Vec<Role>>("servers").ok()).unwrap_or_default();
    // Nothing was changed: an error here takes nothing away.
    let _ = transaction.rollback().await;
    Ok(servers)
}

fn stands_alone(table: &[Role]) -> bool {
    let addresses: BTreeSet<&String> = table.iter().flat_map(|role| &role.addresses).collect();
    addresses.len() <= 1
}

fn writer(table: &[Role]) -> Option<&str> {
    table.iter().find(|role| role.role == "WRITE")?.addresses.first().map(String::as_str)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn role(role: &str, addresses: &[&str]) -> Role {
        Role {
            role: role.to_owned(),
            addresses: addresses.iter().map(|&address| address.to_owned()).collect(),
        }
    }

    #[test]
    fn a_server_that_stands_alone_is_used_where_it_was_found() {
        let table = [role("WRITE", &["db:7687"]), role("READ", &["db:7687"]), role("ROUTE", &["db:7687"])];
        assert!(stands_alone(&table));
        assert!(stands_alone(&[]));
    }

    #[test]
    fn of_a_cluster_the_one_that_writes_is_used() {
        let table = [role("READ", &["a:7687", "c:7687"]), role("WRITE", &["b:7688"])];
        assert!(!stands_alone(&table));
        let address = Address::parse("neo4j+s://a").unwrap();
        let writer = address.beside(writer(&table).unwrap()).unwrap();
        assert_eq!((writer.to_string(), writer.encryption), ("b:7688".to_owned(), address.encryption));
    }
}
