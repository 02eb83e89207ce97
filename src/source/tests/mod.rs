//! What a source gives, on the examples' files and on files made for the case.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod examples;

use std::path::Path;

use futures::TryStreamExt;

use super::*;
use crate::message::{Message, RowId};
use crate::spec;

/// The folder of the examples' pipelines.
fn pipelines() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/pipelines"))
}

/// A `source:` as it is written in a file.
fn source(yaml: &str) -> spec::Source {
    serde_yaml::from_str(yaml).unwrap()
}

fn no_secrets(_: &spec::SecretSource) -> Result<String, String> {
    Err("there are no secrets in tests".to_owned())
}

async fn opened(base: &Path, yaml: &str) -> Dataset {
    open(&source(yaml), base, &no_secrets).await.unwrap()
}

async fn faults(base: &Path, yaml: &str) -> Vec<SourceError> {
    open(&source(yaml), base, &no_secrets).await.unwrap_err()
}

async fn batches(dataset: &Dataset, after: Option<&RowId>, limit: Option<u64>) -> Vec<Batch> {
    dataset.scan(after, limit).try_collect().await.unwrap()
}

async fn messages(dataset: &Dataset, after: Option<&RowId>, limit: Option<u64>) -> Vec<Message> {
    let encoder = Encoder::new(&dataset.columns(), None, "digest".into()).unwrap();
    batches(dataset, after, limit).await.iter().flat_map(|batch| encoder.encode(batch).unwrap()).collect()
}

/// The values of messages as text.
fn values(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8(message.value.clone()).unwrap()).collect()
}
