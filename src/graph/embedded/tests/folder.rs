//! The state folder: what stays, who may write, and what a kill leaves.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;

use super::*;

/// Tells the child of the kill test which folder to write to.
const FOLDER: &str = "RUNNER_TEST_FOLDER";
const ROWS: u64 = 4_000;
const BATCH: u64 = 100;

/// All that a graph holds, in the order of creation.
async fn content(store: &Embedded) -> Vec<Vec<Value>> {
    let mut all = rows(store, "MATCH (n:Location) RETURN id(n), n.name ORDER BY id(n)").await;
    let trips =
        "MATCH (a)-[t:TRIP]->(b) RETURN id(t), a.name, b.name, t.distance, t.pickup_dt ORDER BY id(t)";
    all.extend(rows(store, trips).await);
    all
}

/// Loads what the checkpoint says is not loaded yet, and saves after every few batches.
async fn load(store: &Embedded) {
    store.prepare(&schema(TRIPS)).await.unwrap();
    let checkpoint = store.checkpoints("trips").await.unwrap().remove(&0).unwrap_or_default();
    let mut from = checkpoint.offset;
    while from < ROWS {
        let events =
            (from..from + BATCH).map(|number| trip(number * 7 % 43, number * 5 % 41, number)).collect();
        store.write(&batch(TRIPS, from, events)).await.unwrap();
        if from % (3 * BATCH) == 0 {
            store.persist().await.unwrap();
        }
        from += BATCH;
    }
    store.persist().await.unwrap();
}

#[tokio::test]
async fn what_was_persisted_is_there_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    store.prepare(&schema(TRIPS)).await.unwrap();
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10), trip(2, 3, 11)])).await.unwrap();
    store.persist().await.unwrap();
    let (stored, counts) = (content(&store).await, store.counts().await.unwrap());
    store.write(&batch(TRIPS, 2, vec![trip(4, 5, 12)])).await.unwrap();
    drop(store);

    let store = Embedded::open(folder.path(), "bronx").unwrap();
    assert_eq!(content(&store).await, stored);
    assert_eq!(store.counts().await.unwrap(), counts);
    assert_eq!(store.checkpoints("trips").await.unwrap()[&0].offset, 2);
    assert_eq!(store.prepare(&schema(TRIPS)).await.unwrap(), Prepared::default());
    store.write(&batch(TRIPS, 2, vec![trip(4, 5, 12)])).await.unwrap();
}

#[tokio::test]
async fn a_run_that_changes_nothing_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    store.prepare(&schema(TRIPS)).await.unwrap();
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10)])).await.unwrap();
    store.persist().await.unwrap();
    drop(store);
    let file = folder.path().join("graph.kgl");
    let saved = fs::metadata(&file).unwrap().modified().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    store.prepare(&schema(TRIPS)).await.unwrap();
    store.counts().await.unwrap();
    store.persist().await.unwrap();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), saved);
}

#[tokio::test]
async fn one_process_writes_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    let error = Embedded::open(folder.path(), "bronx").unwrap_err();
    let holder = format!("process {}", std::process::id());
    assert!(matches!(&error, GraphError::InUse { .. }) && error.to_string().contains(&holder), "{error}");
    assert!(matches!(Embedded::clear(folder.path(), "bronx"), Err(GraphError::InUse { .. })));
    Embedded::look(folder.path(), "bronx").unwrap();
    drop(store);
    Embedded::open(folder.path(), "bronx").unwrap();
}

#[tokio::test]
async fn who_only_looks_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bronx");
    let store = Embedded::look(&place, "bronx").unwrap();
    assert_eq!(store.query("MATCH (n) RETURN count(n) AS n", Map::new()).await.unwrap().rows, [[json!(0)]]);
    assert!(!place.exists());
}

#[test]
fn another_pipelines_folder_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path(), "bronx").unwrap());
    let error = Embedded::open(folder.path(), "queens").unwrap_err();
    assert!(matches!(&error, GraphError::OtherPipeline { found, .. } if found == "bronx"), "{error}");
    assert!(Embedded::clear(folder.path(), "queens").is_err());
}

#[test]
fn a_folder_that_is_not_ours_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    assert!(matches!(Embedded::open(folder.path(), "bronx"), Err(GraphError::NotOurs { .. })));
    assert!(matches!(Embedded::clear(folder.path(), "bronx"), Err(GraphError::NotOurs { .. })));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_later_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("state.json"), r#"{"format": 2, "pipeline": "bronx"}"#).unwrap();
    assert!(matches!(Embedded::open(folder.path(), "bronx"), Err(GraphError::OtherFormat { found: 2, .. })));
}

#[tokio::test]
async fn clearing_removes_the_graph_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    store.write(&batch(TRIPS, 0, vec![trip(1, 2, 10)])).await.unwrap();
    store.persist().await.unwrap();
    drop(store);
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    Embedded::clear(folder.path(), "bronx").unwrap();
    assert!(folder.path().join("notes.txt").exists());
    assert!(!folder.path().join("graph.kgl").exists());
    Embedded::clear(&folder.path().join("never made"), "bronx").unwrap();
    assert!(!folder.path().join("never made").exists());
}

#[tokio::test]
async fn a_broken_graph_file_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    drop(Embedded::open(folder.path(), "bronx").unwrap());
    fs::write(folder.path().join("graph.kgl"), "no graph").unwrap();
    assert!(matches!(Embedded::open(folder.path(), "bronx"), Err(GraphError::Open { .. })));
    assert_eq!(fs::read_to_string(folder.path().join("graph.kgl")).unwrap(), "no graph");
}

/// The child of the test below: it loads until it is killed.
#[tokio::test]
#[ignore = "only as the child of the kill test"]
async fn child_that_is_killed() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).unwrap());
    load(&Embedded::open(&folder, "bronx").unwrap()).await;
}

#[tokio::test]
async fn a_load_that_is_killed_again_and_again_ends_in_the_same_graph() {
    let undisturbed = Embedded::in_memory().unwrap();
    load(&undisturbed).await;
    let folder = tempfile::tempdir().unwrap();
    let mut kills = 0_u32;
    for attempt in 0_u64.. {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "graph::embedded::tests::folder::child_that_is_killed", "--ignored"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Longer and longer, so that it comes to an end on any machine; uneven, so that it strikes everywhere.
        let patience = Duration::from_millis(60 + attempt * 9 + attempt * attempt * 37 % 50);
        tokio::time::sleep(patience).await;
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the child failed");
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
    }
    let store = Embedded::open(folder.path(), "bronx").unwrap();
    assert_eq!(content(&store).await, content(&undisturbed).await, "after {kills} kills");
}
