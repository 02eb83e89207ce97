#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use proptest::prelude::*;

use super::*;
use crate::message::{self, Message, RowId};
use crate::stages::{Origin, deploy, validate};
use crate::topic::memory;

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

/// Loads messages into an empty graph; the loaded counts and the relationships of the graph.
async fn load(plan: &Plan, contents: &[Content], batch_rows: usize) -> (Loaded, u64) {
    let endpoints = deploy::in_memory(plan).await.unwrap();
    let (mut producer, consumer) = memory::open(3, contents.len(), &BTreeMap::new());
    for (ordinal, content) in (0..).zip(contents) {
        let message = Message {
            key: Some(format!("{}", ordinal % 4).into_bytes()),
            value: content.value(ordinal),
            origin: origin(ordinal),
        };
        producer.produce(message).await.unwrap();
    }
    drop(producer);
    let mut lane = Loader::new(plan, &endpoints).unwrap();
    lane.batch_rows = batch_rows;
    lane.max_errors = u64::MAX;
    let loaded = lane.run(consumer).await.unwrap();
    let counts = endpoints.store.counts().await.unwrap();
    (loaded, counts.relationships.get("TRIP").copied().unwrap_or_default())
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
            let (loaded, relationships) = load(&plan().await, &contents, batch_rows).await;
            let good = contents.iter().filter(|content| **content == Content::Good).count() as u64;
            let all = contents.len() as u64;
            assert_eq!((loaded.consumed, loaded.written, loaded.dead_letters), (all, good, all - good));
            assert_eq!(loaded.next_offset, all);
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
        producer.produce(message).await.unwrap();
    }
    drop(producer);
    let mut loader = Loader::new(&plan, &endpoints).unwrap();
    loader.max_errors = 2;
    let error = loader.run(consumer).await.unwrap_err();
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
        producer.produce(message).await.unwrap();
    }
    drop(producer);
    let loaded = Loader::new(&plan, &endpoints).unwrap().run(consumer).await.unwrap();
    assert_eq!(loaded.dead_letters, 3);
    let checkpoints = endpoints.store.checkpoints(&plan.pipeline.spec.topic.name).await.unwrap();
    assert_eq!(checkpoints.values().map(|checkpoint| checkpoint.dead_letters).sum::<u64>(), 3);
}
