#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use proptest::prelude::*;

use super::*;
use crate::message::{self, Event, EventReader, Message, RowId};
use crate::progress::{Interrupt, Progress};
use crate::report::Rows;
use crate::share::Share;
use crate::stages::{Origin, deploy, validate};
use crate::topic::{Record, memory};

/// What a message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Good,
    NoJson,
    NoObject,
    NullKey,
    TextForANumber,
}

impl Content {
    fn value(self, ordinal: u64) -> Vec<u8> {
        let row = |from: &str| {
            format!(
                r#"{{"PULocationID": {from}, "DOLocationID": {}, "trip_distance": {ordinal}.5, "fare_amount": 3.0,
                "tpep_pickup_datetime": "2022-03-01T00:13:08", "tpep_dropoff_datetime": "2022-03-01T00:20:00"}}"#,
                ordinal % 7
            )
        };
        match self {
            Self::Good => row(&(ordinal % 5).to_string()),
            Self::NoJson => "{\"PULocationID\": ".to_owned(),
            Self::NoObject => "[1, 2]".to_owned(),
            Self::NullKey => row("null"),
            Self::TextForANumber => row("\"Bronx\""),
        }
        .into_bytes()
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        12 => Just(Content::Good),
        1 => Just(Content::NoJson),
        1 => Just(Content::NoObject),
        1 => Just(Content::NullKey),
        1 => Just(Content::TextForANumber),
    ]
}

/// The main example's plan, with batches of a size.
async fn plan() -> Plan {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/bronx-taxi.yaml");
    let origin = Origin::new(path);
    let document = crate::spec::load::read(&origin.path, &|_| None);
    validate::validate(&document, &origin, false).await.unwrap()
}

fn origin(ordinal: u64) -> message::Origin {
    let row = RowId { file: "a.parquet".into(), ordinal };
    message::Origin { row, lineage: "lineage".into(), digest: "digest".into() }
}

/// Loads a topic into an open graph; `change` has a hand in how.
async fn run(
    plan: &Plan,
    endpoints: &Endpoints,
    consumer: Consumer,
    change: impl Fn(&mut Job),
) -> Result<Rows, LoadError> {
    let counters = Arc::default();
    let (progress, _) = Progress::channel();
    let (_interrupter, interrupt) = Interrupt::channel();
    let watch = Watch { counters: &counters, progress: &progress, interrupt: &interrupt };
    let mut job = Job::new(plan, endpoints, &watch);
    change(&mut job);
    Loader::new(&job, BTreeMap::new(), DeadLetters::Nowhere).run(consumer).await?;
    Ok(counters.rows(0))
}

/// Where the checkpoints of the pipeline's topic stand.
async fn checkpoints(plan: &Plan, endpoints: &Endpoints) -> Vec<Checkpoint> {
    let checkpoints = endpoints.store.checkpoints(&plan.pipeline.spec.topic.name).await.unwrap();
    checkpoints.into_values().collect()
}

/// Loads messages into an empty graph; the counts, where the checkpoints stand, and the relationships of the graph.
async fn load(plan: &Plan, contents: &[Content], batch_rows: usize) -> (Rows, u64, u64) {
    let endpoints = deploy::in_memory(plan).await.unwrap();
    let (mut producer, consumer) = memory::open(3, contents.len(), &BTreeMap::new());
    for (ordinal, content) in (0..).zip(contents) {
        let message = Message {
            key: Some(format!("{}", ordinal % 4).into_bytes()),
            value: content.value(ordinal),
            origin: origin(ordinal),
        };
        producer.produce(message, Share::WHOLE).await.unwrap();
    }
    drop(producer);
    let change = |job: &mut Job| {
        job.batch_rows = batch_rows;
        job.max_errors = u64::MAX;
    };
    let rows = run(plan, &endpoints, consumer, change).await.unwrap();
    let next = checkpoints(plan, &endpoints).await.iter().map(|checkpoint| checkpoint.offset).sum();
    let counts = endpoints.store.counts().await.unwrap();
    (rows, next, counts.relationships.get("TRIP").copied().unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_record_is_written_or_set_aside_whatever_the_others_are(
        contents in prop::collection::vec(content(), 1..120),
        batch_rows in 1_usize..50,
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let (rows, next, relationships) = load(&plan().await, &contents, batch_rows).await;
            let good = contents.iter().filter(|content| **content == Content::Good).count() as u64;
            let all = contents.len() as u64;
            assert_eq!((rows.consumed, rows.written, rows.dead_letters), (all, good, all - good));
            assert_eq!(next, all);
            assert_eq!(relationships, good);
        });
    }
}

#[tokio::test]
async fn too_many_errors_end_the_run_and_name_the_first() {
    let plan = plan().await;
    let endpoints = deploy::in_memory(&plan).await.unwrap();
    let (mut producer, consumer) = memory::open(1, 8, &BTreeMap::new());
    for ordinal in 0..3 {
        let message = Message { key: None, value: Content::NullKey.value(ordinal), origin: origin(ordinal) };
        producer.produce(message, Share::WHOLE).await.unwrap();
    }
    drop(producer);
    let error = run(&plan, &endpoints, consumer, |job| job.max_errors = 2).await.unwrap_err();
    let LoadError::TooManyErrors { failed: 3, limit: 2, examples } = error else { panic!("{error}") };
    let first =
        "a.parquet:0: `PULocationID` has no value, and `name` is what tells one `Location` from another";
    assert!(examples[0].starts_with(first), "{}", examples[0]);
}

#[tokio::test]
async fn rows_that_wrote_nothing_stay_counted_in_the_last_checkpoint() {
    let mut plan = plan().await;
    let mapping = serde_json::json!({ "cypher": "MATCH (a:Nowhere) CREATE (a)-[:TO]->(:B {name: event.PULocationID})" });
    let mapping = serde_json::from_value(mapping).unwrap();
    plan.mapping = crate::graph::mapping::compile(&mapping, None).unwrap();
    let endpoints = deploy::in_memory(&plan).await.unwrap();
    let (mut producer, consumer) = memory::open(1, 8, &BTreeMap::new());
    for ordinal in 0..3 {
        let message = Message { key: None, value: Content::Good.value(ordinal), origin: origin(ordinal) };
        producer.produce(message, Share::WHOLE).await.unwrap();
    }
    drop(producer);
    let rows = run(&plan, &endpoints, consumer, |_| {}).await.unwrap();
    assert_eq!(rows.dead_letters, 3);
    let checkpoints = checkpoints(&plan, &endpoints).await;
    assert_eq!(checkpoints.iter().map(|checkpoint| checkpoint.dead_letters).sum::<u64>(), 3);
}

#[tokio::test]
async fn a_row_that_is_not_beyond_the_last_one_of_its_partition_is_left_out() {
    let plan = plan().await;
    let record = |offset, ordinal| {
        let value = Content::Good.value(ordinal);
        Record { partition: 0, offset, key: None, value, origin: Some(origin(ordinal)) }
    };
    // A producer that was stopped after row 2 wakes up when its successor has sent row 4.
    let records =
        [0, 1, 2, 3, 4, 3, 5, 4, 6].into_iter().zip(0..).map(|(ordinal, offset)| record(offset, ordinal));
    let mut attempts = attempt::read(records.collect(), &plan.mapping);
    attempt::find_duplicates(&mut attempts, &BTreeMap::new());
    let left_out: Vec<u64> = attempts
        .iter()
        .filter(|attempt| attempt.fate == Fate::Duplicate)
        .map(|attempt| attempt.record.offset)
        .collect();
    assert_eq!(left_out, [5, 7]);
    let advances = attempt::advances(&attempts, &BTreeMap::new(), "digest");
    let [Advance { from: 0, checkpoint, .. }] = advances.as_slice() else { panic!("{advances:?}") };
    assert_eq!((checkpoint.offset, checkpoint.row.clone()), (9, Some(origin(6).row)));
}

/// A mapping of which `from` is the only column that must have a value.
fn keyed() -> CompiledMapping {
    let cypher = "MERGE (:Zone {id: event.from}) CREATE (:Trip {distance: event.distance})";
    let mapping = serde_json::from_value(serde_json::json!({ "cypher": cypher })).unwrap();
    crate::graph::mapping::compile(&mapping, None).unwrap()
}

fn decoded(value: &[u8]) -> Result<Event, Reason> {
    attempt::decode(&mut EventReader::default(), value, &keyed())
}

fn is_row_or_reason(value: &[u8]) -> bool {
    decoded(value).is_ok_and(|event| event.get("from").is_some_and(|from| !from.is_null()))
        || decoded(value)
            .is_err_and(|reason| ["message-is-no-row", "missing-key-value"].contains(&reason.code))
}

proptest! {
    #[test]
    fn any_bytes_are_a_row_or_a_dead_letter(value in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(is_row_or_reason(&value));
    }

    #[test]
    fn a_mutated_row_is_a_row_or_a_dead_letter(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_usize, any::<u8>()), 0..4),
    ) {
        let mut value = br#"{"from": 159, "distance": 1.5e3, "note": "\u00e9\ud83d\ude80", "list": [1, null, {"a": true}]}"#.to_vec();
        for (at, removed, byte) in changes {
            let start = at.index(value.len());
            let end = (start + removed).min(value.len());
            value.splice(start..end, [byte]);
        }
        prop_assert!(is_row_or_reason(&value));
    }
}

#[test]
fn a_message_nested_without_end_is_a_dead_letter() {
    let value = [b"{\"from\":".as_slice(), &b"[".repeat(1_000_000)].concat();
    assert_eq!(decoded(&value).unwrap_err().code, "message-is-no-row");
}
