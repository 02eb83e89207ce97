//! Following a connector until it has read the topic to its end.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::answer::Status;
use super::client::{Connect, Submitted};
use super::error::ConnectError;
use crate::topic::kafka::{Kafka, KafkaError};

/// How often the connector is looked at.
const INTERVAL: Duration = Duration::from_millis(500);
/// A connector gets to work within this time: the workers wait for one of them that is missing before they share out its part.
const BEGINS_WITHIN: Duration = Duration::from_mins(1);
/// A part that is started again says so within this time; until then it still shows why it failed before.
const RESTARTS_WITHIN: Duration = Duration::from_secs(3);

/// The consumer group of a sink connector, which is Kafka Connect's to name.
#[must_use]
pub fn group(connector: &str) -> String {
    format!("connect-{connector}")
}

/// How many records before `ends` a sink connector has not read yet, as far as its group has told Kafka. Workers tell it every
/// `offset.flush.interval.ms`, by default once a minute.
///
/// # Errors
/// Where Kafka does not answer.
pub async fn left(
    kafka: &Kafka,
    topic: &str,
    connector: &str,
    ends: &BTreeMap<u32, u64>,
) -> Result<u64, KafkaError> {
    let partitions = ends.keys().last().map_or(0, |last| last + 1);
    let read = kafka.committed(topic, &group(connector), partitions).await?;
    let marks = kafka.watermarks(topic).await?;
    let lows = marks.into_iter().map(|(partition, marks)| (partition, marks.low)).collect();
    Ok(unread(ends, &read, &lows))
}

/// How many records are between what was read and the ends. What a partition has lost is not left to read.
fn unread(ends: &BTreeMap<u32, u64>, read: &BTreeMap<u32, u64>, lows: &BTreeMap<u32, u64>) -> u64 {
    let of = |offsets: &BTreeMap<u32, u64>, partition| offsets.get(partition).copied().unwrap_or_default();
    ends.iter().map(|(partition, end)| end.saturating_sub(of(read, partition).max(of(lows, partition)))).sum()
}

impl Connect {
    /// Sees a connector to work that was just submitted: one that rests is told to go on, and what failed under an earlier
    /// configuration or in an earlier run is started again.
    ///
    /// # Errors
    /// Where a part of it fails, or it does not begin within a minute.
    pub async fn begin(&self, name: &str, submitted: Submitted) -> Result<Status, ConnectError> {
        let begun = Instant::now();
        let mut resumed = false;
        let mut restarted = None;
        loop {
            let status = self.status(name).await?;
            match &status {
                Some(status) if status.works() => return Ok(status.clone()),
                Some(status) if status.rests() && !resumed => {
                    self.resume(name).await?;
                    resumed = true;
                }
                Some(status) if status.failed().is_some() => match restarted {
                    None if submitted != Submitted::Created => {
                        self.restart(name).await?;
                        restarted = Some(Instant::now());
                    }
                    Some(at) if Instant::now() < at + RESTARTS_WITHIN => {}
                    _ => return Err(failure(name, status).unwrap_or_else(|| gone(name))),
                },
                _ => {}
            }
            if begun.elapsed() > BEGINS_WITHIN {
                return Err(match status {
                    Some(status) => {
                        ConnectError::Idle { name: name.to_owned(), state: status.connector.state }
                    }
                    None => gone(name),
                });
            }
            sleep(INTERVAL).await;
        }
    }

    /// Follows a connector that works until nothing is left for it to read; `left` says how much there is, and `tell` hears it
    /// and may stop following by returning false. Says whether nothing was left.
    ///
    /// # Errors
    /// Where a part of it fails, somebody pauses or deletes it, or how much is left is not known.
    pub async fn follow(
        &self,
        name: &str,
        mut left: impl AsyncFnMut() -> Result<u64, KafkaError>,
        mut tell: impl FnMut(u64, &Status) -> bool,
    ) -> Result<bool, ConnectError> {
        loop {
            let status = self.status(name).await?.ok_or_else(|| gone(name))?;
            if let Some(failure) = failure(name, &status) {
                return Err(failure);
            }
            if status.rests() {
                return Err(ConnectError::Rests { name: name.to_owned(), state: status.connector.state });
            }
            let left = left().await?;
            if !tell(left, &status) {
                return Ok(left == 0);
            }
            if left == 0 {
                return Ok(true);
            }
            sleep(INTERVAL).await;
        }
    }
}

fn gone(name: &str) -> ConnectError {
    ConnectError::Gone { name: name.to_owned() }
}

/// The fault of the part that has failed.
fn failure(name: &str, status: &Status) -> Option<ConnectError> {
    let (task, part) = status.failed()?;
    Some(ConnectError::Failed {
        name: name.to_owned(),
        task,
        worker: part.worker_id.clone(),
        cause: part.cause(),
        trace: part.trace.clone().unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_is_between_the_committed_offsets_and_the_ends() {
        let of = |offsets: &[(u32, u64)]| offsets.iter().copied().collect::<BTreeMap<_, _>>();
        let ends = of(&[(0, 10), (1, 5), (2, 0)]);
        assert_eq!(unread(&ends, &of(&[]), &of(&[])), 15);
        assert_eq!(unread(&ends, &of(&[(0, 10), (1, 2)]), &of(&[])), 3);
        assert_eq!(unread(&ends, &of(&[(0, 12), (1, 5)]), &of(&[])), 0);
        assert_eq!(unread(&ends, &of(&[]), &of(&[(0, 8)])), 7);
    }
}
