//! Nothing lost and nothing doubled: by racing loaders, and by a server that dies.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use runner::graph::WriteError;
use serde_json::Map;

use super::*;
use crate::servers::{Neo4jOptions, Neo4jVersion, unique};

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

/// What the proxy does with the next commit.
const PASS: u8 = 0;
const CUT_BEFORE: u8 = 1;
const CUT_AFTER: u8 = 2;

/// A proxy that cuts the connection at a commit: before the server has it, or once it has answered.
fn proxy(server: &str, plan: Arc<AtomicU8>) -> String {
    /// A message of two bytes, COMMIT, as a chunk.
    const COMMIT: [u8; 6] = [0, 2, 0xB0, 0x12, 0, 0];
    let server = server.to_owned();
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let upstream = TcpStream::connect(&server).unwrap();
            let (mut from_client, mut to_server) =
                (client.try_clone().unwrap(), upstream.try_clone().unwrap());
            let (mut from_server, mut to_client) = (upstream, client);
            let cut = Arc::new(AtomicU8::new(PASS));
            let (plan, cutting) = (Arc::clone(&plan), Arc::clone(&cut));
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_client.read(&mut bytes) {
                    if bytes[..length].ends_with(&COMMIT) {
                        cutting.store(plan.swap(PASS, Ordering::SeqCst), Ordering::SeqCst);
                    }
                    if cutting.load(Ordering::SeqCst) == CUT_BEFORE {
                        let _ = from_client.shutdown(Shutdown::Both);
                        break;
                    }
                    to_server.write_all(&bytes[..length]).unwrap();
                }
                let _ = to_server.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let mut bytes = vec![0; 65_536];
                while let Ok(length @ 1..) = from_server.read(&mut bytes) {
                    if cut.load(Ordering::SeqCst) == CUT_AFTER
                        || to_client.write_all(&bytes[..length]).is_err()
                    {
                        break;
                    }
                }
                let _ = to_client.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_known_when_the_batch_comes_again() {
    let server = servers::Neo4j::shared();
    let plan = Arc::new(AtomicU8::new(PASS));
    let address = proxy(server.address(), Arc::clone(&plan));
    let store = Neo4j::connect(&connection(&format!("bolt://{address}"))).await.unwrap();
    store.prepare(&rows().schema).await.unwrap();
    let (mapping, topic) = (rows(), unique("lost"));
    for (number, cut) in [CUT_BEFORE, CUT_AFTER, CUT_AFTER, PASS].into_iter().enumerate() {
        plan.store(cut, Ordering::SeqCst);
        let from = number as u64 * 3;
        let batch = batch(&mapping, &topic, from, (from..from + 3).map(|n| json!({ "n": n })).collect());
        let first = store.write(&batch).await;
        if cut == PASS {
            assert_eq!(first.unwrap().nodes_created, 3);
            continue;
        }
        assert!(matches!(first, Err(WriteError::Transient { .. })), "{first:?}");
        let committed = store.checkpoints(&topic).await.unwrap().get(&0).map_or(0, |stands| stands.offset);
        assert_eq!(committed, if cut == CUT_AFTER { from + 3 } else { from });
        let again = store.write(&batch).await.unwrap();
        assert_eq!((again.rows, again.nodes_created), (3, 3));
    }
    assert_eq!(server.value("MATCH (r:Row) RETURN count(r)"), 12);
    // The same batch of another loader is not taken for its own.
    let other = connect(&server).await;
    let error = other.write(&batch(&mapping, &topic, 9, vec![json!({ "n": 9 }); 3])).await.unwrap_err();
    assert!(matches!(error, WriteError::Fenced { found: 12, .. }), "{error:?}");
}

#[tokio::test]
async fn the_newest_server_is_written_to_as_well() {
    let options = Neo4jOptions { version: Neo4jVersion::V2026, ..Neo4jOptions::default() };
    let server = servers::Neo4j::start(&options);
    let store = connect(&server).await;
    assert!(store.version().starts_with("2026."), "{}", store.version());
    let declared = compiled(json!({
        "nodes": [{ "label": "Row", "keys": { "n": {} } }],
        "relationships": [{ "type": "SELF", "from": "Row", "to": "Row", "mode": "merge", "keys": { "n": {} } }],
    }));
    let topic = unique("newest");
    for (mapping, from) in [(&declared, 0), (&trips(), 2)] {
        store.prepare(&mapping.schema).await.unwrap();
        let events = (1..3)
            .map(|n| json!({ "n": n, "from": n, "to": 1, "distance": 1.0, "at": "2022-03-01T00:10:00" }));
        let written = store.write(&batch(mapping, &topic, from, events.collect())).await.unwrap();
        assert_eq!((written.nodes_created, written.relationships_created), (2, 2));
    }
    assert_eq!(store.counts().await.unwrap().relationships.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loader_that_froze_in_its_transaction_does_not_keep_its_successor_waiting() {
    let server = servers::Neo4j::shared();
    let store = connect(&server).await;
    store.prepare(&rows().schema).await.unwrap();
    let topic = unique("frozen");
    let graph = server.graph();
    let mut frozen = graph.start_txn().await.unwrap();
    let hold = format!(
        "MERGE (c:RunnerCheckpoint {{topic: '{topic}', partition: 0}}) SET c.lock = true, c.offset = 7"
    );
    frozen.run(neo4rs::query(&hold)).await.unwrap();
    let begun = std::time::Instant::now();
    store.write(&batch(&rows(), &topic, 0, vec![json!({ "n": 1 })])).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    frozen.commit().await.unwrap_err();
    assert_eq!(store.checkpoints(&topic).await.unwrap()[&0].offset, 1);
}
