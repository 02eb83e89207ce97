//! The dead letters of a pipeline's topic: looked at, and produced again.

use std::path::Path as FilePath;
use std::sync::mpsc;

use serde_json::Value;

use super::run::Options;
use super::validate::Plan;
use super::{Fault, Target, deploy, fault};
use crate::topic::kafka::{KafkaError, Replay, Replayed};

pub use crate::topic::kafka::{DeadLetter, Place};

/// The dead letters, in the order in which they came about.
///
/// # Errors
/// Where they are in no topic, or Kafka does not answer.
pub async fn list(plan: &Plan, options: &Options, most: Option<usize>) -> Result<Vec<DeadLetter>, Fault> {
    if options.target(plan) == Target::Embedded {
        let topic = plan.pipeline.spec.topic.dead_letters();
        return Err(fault::letters_in_file(&deploy::state(plan, options)?.dead_letters(&topic)));
    }
    let (sender, letters) = mpsc::channel();
    let mut left = most.unwrap_or(usize::MAX);
    let keep = move |letter| {
        if left > 0 {
            left -= 1;
            // Without a receiver nobody wants it.
            let _ = sender.send(letter);
        }
    };
    let (kafka, _open) = deploy::kafka(plan, options).await?;
    kafka.dead_letters(&plan.pipeline.spec.topic, keep).await.map_err(|error| placed(plan, error))?;
    Ok(letters.into_iter().collect())
}

/// The dead letter of one record.
///
/// # Errors
/// Where there is none, or Kafka does not answer.
pub async fn one(plan: &Plan, options: &Options, place: Place) -> Result<DeadLetter, Fault> {
    let found = list(plan, options, None).await?.into_iter().find(|letter| letter.place == place);
    found.ok_or_else(|| fault::no_dead_letter(&plan.pipeline.spec.topic.dead_letters(), place))
}

/// Produces dead letters again: all, or one, which may carry another value.
///
/// # Errors
/// Where there is no such letter, the value is no JSON, or Kafka does not answer.
pub async fn replay(
    plan: &Plan,
    options: &Options,
    place: Option<Place>,
    value: Option<&FilePath>,
) -> Result<Replayed, Fault> {
    let letters = match place {
        Some(place) => vec![one(plan, options, place).await?],
        None => list(plan, options, None).await?,
    };
    let mended = value.map(read).transpose()?;
    let again = |letter: DeadLetter| Replay {
        place: letter.place,
        key: letter.key,
        value: mended.clone().unwrap_or(letter.value),
    };
    let letters = letters.into_iter().map(again).collect();
    let (kafka, _open) = deploy::kafka(plan, options).await?;
    let replayed = kafka.replay(&plan.pipeline.spec.topic, letters).await;
    replayed.map_err(|error| placed(plan, error))
}

/// A fault of Kafka, where the file speaks of it.
fn placed(plan: &Plan, error: KafkaError) -> Fault {
    Fault::from(error).in_cluster(&plan.pipeline.spec.infrastructure, &[])
}

/// The mended value: a file with a JSON object.
fn read(path: &FilePath) -> Result<Vec<u8>, Fault> {
    let text = std::fs::read(path).map_err(|error| fault::mended_value(path, &error.to_string()))?;
    match serde_json::from_slice::<Value>(&text) {
        Ok(Value::Object(object)) => Ok(Value::Object(object).to_string().into_bytes()),
        Ok(_) => Err(fault::mended_value(path, "it holds no JSON object")),
        Err(error) => Err(fault::mended_value(path, &error.to_string())),
    }
}
