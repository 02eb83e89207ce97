//! Nothing lost and nothing doubled: by racing loaders, and by a server that dies.

use std::time::Duration;

use runner::graph::WriteError;
use serde_json::Map;

use super::*;
use crate::servers::{Neo4jOptions, unique};

const ROWS: u64 = 20_000;
const AT_ONCE: u64 = 250;
/// Each row makes one node, so that a row that is written twice is seen.
const CREATE: &str = "CREATE (:Row {n: event.n})";

fn rows() -> CompiledMapping {
    compiled(json!({ "cypher": CREATE }))
}

/// Loads all rows from where the checkpoint stands. Tells how many batches it wrote, and how often it was told off or tried again.
async fn load(store: &Neo4j, topic: &str) -> (u64, u64, u64) {
    let mapping = rows();
    let (mut from, mut written, mut fenced, mut again) = (0, 0, 0, 0);
    while from < ROWS {
        let events = (from..from + AT_ONCE).map(|n| json!({ "n": n })).collect();
        match store.write(&batch(&mapping, topic, from, events)).await {
            Ok(_) => {
                written += 1;
                from += AT_ONCE;
            }
            Err(WriteError::Fenced { found, .. }) => {
                fenced += 1;
                from = found;
            }
            Err(WriteError::Transient { message }) => {
                again += 1;
                assert!(again < 1_000, "{message}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    (written, fenced, again)
}

async fn expect_each_row_once(store: &Neo4j) {
    let question = "MATCH (r:Row) RETURN count(r) AS rows, count(DISTINCT r.n) AS distinct";
    let table = store.query(question, Map::new()).await.unwrap();
    assert_eq!(table.rows, [vec![json!(ROWS), json!(ROWS)]]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_loaders_write_each_row_once() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    store.prepare(&rows().schema).await.unwrap();
    let topic = unique("raced");
    let racers = (0..3).map(|_| async {
        let store = connect(&server).await;
        load(&store, &topic).await
    });
    let outcomes = futures::future::join_all(racers).await;
    let written: u64 = outcomes.iter().map(|(written, ..)| written).sum();
    let fenced: u64 = outcomes.iter().map(|(_, fenced, _)| fenced).sum();
    assert_eq!(written, ROWS / AT_ONCE, "{outcomes:?}");
    assert!(fenced > 0, "{outcomes:?}");
    expect_each_row_once(&store).await;
    assert_eq!(store.checkpoints(&topic).await.unwrap()[&0].offset, ROWS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_while_it_is_written_to_has_each_row_once() {
    let mut server = servers::Neo4j::start(&Neo4jOptions::default());
    let store = Arc::new(connect(&server).await);
    store.prepare(&rows().schema).await.unwrap();
    let topic = unique("killed");
    let loading = tokio::spawn({
        let (store, topic) = (Arc::clone(&store), topic.clone());
        async move { load(&store, &topic).await }
    });
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        tokio::task::block_in_place(|| {
            server.server.kill();
            server.server.restart();
        });
    }
    let (_, fenced, again) = loading.await.unwrap();
    assert_eq!(fenced, 0, "its own batch was taken for another's");
    assert!(again > 0, "it was never disturbed");
    expect_each_row_once(&store).await;
}
