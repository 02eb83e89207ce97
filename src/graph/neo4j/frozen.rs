//! Loaders that were frozen: a process that was stopped in the middle of a transaction keeps the locks of its checkpoints as
//! long as its connection stands, and its successor would wait for them without end. So the one that waits asks the server for
//! whom, and ends that transaction where its client says nothing. Whoever wakes up finds its batch undone, and is fenced.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use neo4rs::query;

use super::Neo4j;
use crate::graph::GraphError;

/// How long a transaction waits before it is asked for whom, and before that is asked again: between two statements of a batch
/// lie milliseconds, so one that has none at both times is frozen.
const ASKED_EVERY: Duration = Duration::from_secs(4);

/// The transactions that the user may see: all of its own.
const TRANSACTIONS: &str = "\
SHOW TRANSACTIONS YIELD transactionId, status, parameters, currentQuery
RETURN transactionId AS id, status, parameters.mark AS mark, coalesce(currentQuery, '') AS query";

/// A transaction on the server.
#[derive(Debug, Clone)]
struct Transaction {
    id: String,
    /// `Running`, or `Blocked by: [neo4j-transaction-7]`.
    status: String,
    /// The mark that its statement puts on checkpoints.
    mark: Option<String>,
    /// The statement that it runs now.
    query: String,
}

impl Neo4j {
    /// Ends transactions that keep the one of this mark waiting while their own clients say nothing, until it is dropped.
    pub(super) async fn end_frozen(&self, mark: &str) -> Infallible {
        let mut silent = BTreeSet::new();
        loop {
            tokio::time::sleep(ASKED_EVERY).await;
            // Where the server does not answer, or the user may not ask, the batch waits as long as it may.
            let before = std::mem::take(&mut silent);
            silent = self.transactions().await.map(|all| silent_before(&all, mark)).unwrap_or_default();
            let frozen: Vec<String> = silent.intersection(&before).cloned().collect();
            if !frozen.is_empty() {
                let _ =
                    self.rows(query("TERMINATE TRANSACTIONS $ids").param("ids", frozen), |_| Ok(())).await;
            }
        }
    }

    async fn transactions(&self) -> Result<Vec<Transaction>, GraphError> {
        let mut all = Vec::new();
        self.rows(query(TRANSACTIONS), |row| {
            let read = || -> Result<Transaction, neo4rs::DeError> {
                let (id, status, query) = (row.get("id")?, row.get("status")?, row.get("query")?);
                Ok(Transaction { id, status, mark: row.get("mark")?, query })
            };
            all.extend(read());
            Ok(())
        })
        .await?;
        Ok(all)
    }
}

/// The transactions that the one of a mark waits for, and that run nothing.
fn silent_before(all: &[Transaction], mark: &str) -> BTreeSet<String> {
    let Some(waiting) = all.iter().find(|one| one.mark.as_deref() == Some(mark)) else {
        return BTreeSet::new();
    };
    let Some(holders) = waiting.status.strip_prefix("Blocked by:") else { return BTreeSet::new() };
    let names: Vec<&str> = holders.trim().trim_matches(['[', ']']).split(',').map(str::trim).collect();
    let is_silent = |one: &&Transaction| names.contains(&one.id.as_str()) && one.query.is_empty();
    all.iter().filter(is_silent).map(|one| one.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transaction(id: &str, status: &str, mark: Option<&str>, query: &str) -> Transaction {
        Transaction {
            id: id.to_owned(),
            status: status.to_owned(),
            mark: mark.map(str::to_owned),
            query: query.to_owned(),
        }
    }

    #[test]
    fn only_the_silent_ones_among_those_that_it_waits_for_are_frozen() {
        let all = [
            transaction("t-1", "Running", None, ""),
            transaction("t-2", "Running", None, "UNWIND"),
            transaction("t-3", "Running", None, ""),
            transaction("t-4", "Blocked by: [t-1, t-2]", Some("ours"), "MERGE"),
            transaction("t-5", "Blocked by: [t-3]", Some("another's"), "MERGE"),
        ];
        assert_eq!(silent_before(&all, "ours"), BTreeSet::from(["t-1".to_owned()]));
        assert_eq!(silent_before(&all[..3], "ours"), BTreeSet::new());
        let running = [transaction("t-4", "Running", Some("ours"), "MERGE")];
        assert_eq!(silent_before(&running, "ours"), BTreeSet::new());
    }
}
