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

    /// Follows a connector that works until nothing is left for it to read; `left` says how much there is, and `tell` hears of each look.
    ///
    /// # Errors
    /// Where a part of it fails, somebody pauses or deletes it, it stands still, or who is asked is away for longer than the patience.
    pub async fn follow(
        &self,
        name: &str,
        patience: Patience,
        left: impl AsyncFn() -> Result<u64, KafkaError>,
        mut tell: impl FnMut(Look<'_>),
    ) -> Result<(), ConnectError> {
        let mut pace = Pace::new(patience, Instant::now());
        loop {
            match self.look(name, &left).await {
                Ok(left) => {
                    tell(Look::Left(left));
                    if left == 0 {
                        return Ok(());
                    }
                    if let Some(waited) = pace.left(left, Instant::now()) {
                        return Err(ConnectError::StandsStill { name: name.to_owned(), left, waited });
                    }
                }
                Err(error) => {
                    // A worker that comes back does not know its connectors at once.
                    let is_back = matches!(error, ConnectError::Gone { .. }) && pace.is_away();
                    let longer = if is_back { BEGINS_WITHIN } else { Duration::ZERO };
                    if !(error.may_pass() || is_back) || !pace.may_wait(Instant::now(), longer) {
                        return Err(error);
                    }
                    tell(Look::Away(&error));
                }
            }
            sleep(INTERVAL).await;
        }
    }

    /// How much is left for a connector that works.
    async fn look(
        &self,
        name: &str,
        left: impl AsyncFn() -> Result<u64, KafkaError>,
    ) -> Result<u64, ConnectError> {
        let status = self.status(name).await?.ok_or_else(|| gone(name))?;
        if let Some(failure) = failure(name, &status) {
            return Err(failure);
        }
        if status.rests() {
            return Err(ConnectError::Rests { name: name.to_owned(), state: status.connector.state });
        }
        Ok(left().await?)
    }
}

/// How long a connector that is followed is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// While its worker or Kafka is away.
    pub away: Duration,
    /// While Kafka hears of nothing that it has read.
    pub still: Duration,
}

/// What a look at a connector that is followed has shown.
#[derive(Debug)]
pub enum Look<'a> {
    /// So many records are left to read.
    Left(u64),
    /// Who was asked is away, and will be asked again.
    Away(&'a ConnectError),
}

/// How a connector that is followed gets on.
#[derive(Debug)]
struct Pace {
    patience: Patience,
    /// When it was last known how much is left.
    heard: Instant,
    /// When last it was less than ever before.
    moved: Instant,
    least: u64,
    /// When somebody was last away.
    away: Option<Instant>,
}

impl Pace {
    fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, heard: now, moved: now, least: u64::MAX, away: None }
    }

    /// So much is left; for how long that has not become less, where it is too long. One who was away meanwhile, however often, is
    /// given as much longer as may be waited for him once.
    fn left(&mut self, left: u64, now: Instant) -> Option<Duration> {
        self.heard = now;
        if left < self.least {
            (self.least, self.moved) = (left, now);
        }
        let was_away = self.away.is_some_and(|away| away > self.moved);
        let longer = if was_away { self.patience.away } else { Duration::ZERO };
        Some(now - self.moved).filter(|waited| *waited >= self.patience.still + longer)
    }

    /// Somebody is away; whether that may be waited out, so much longer than usual.
    fn may_wait(&mut self, now: Instant, longer: Duration) -> bool {
        self.away = Some(now);
        now - self.heard < self.patience.away + longer
    }

    /// Whether somebody was away when last it was looked.
    fn is_away(&self) -> bool {
        self.away.is_some_and(|away| away > self.heard)
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

    const PATIENCE: Patience = Patience { away: Duration::from_secs(20), still: Duration::from_mins(1) };

    /// A pace that begins now, and the moments after.
    fn begin() -> (Pace, impl Fn(u64) -> Instant) {
        let begun = Instant::now();
        (Pace::new(PATIENCE, begun), move |seconds| begun + Duration::from_secs(seconds))
    }

    #[test]
    fn a_connector_stands_still_once_too_long_nothing_less_is_left() {
        let (mut pace, at) = begin();
        assert_eq!(pace.left(10, at(0)), None);
        assert_eq!(pace.left(9, at(50)), None, "it moves");
        assert_eq!(pace.left(9, at(100)), None);
        assert_eq!(pace.left(9, at(110)), Some(Duration::from_mins(1)));
        assert_eq!(pace.left(8, at(120)), None);
    }

    #[test]
    fn who_is_away_is_waited_for_and_the_connector_so_much_longer() {
        let (mut pace, at) = begin();
        assert_eq!(pace.left(10, at(0)), None);
        assert!(!pace.is_away());
        assert_eq!(pace.left(10, at(55)), None);
        assert!(pace.may_wait(at(74), Duration::ZERO) && pace.is_away());
        assert!(!pace.may_wait(at(75), Duration::ZERO), "it was too long");
        assert!(pace.may_wait(at(75), BEGINS_WITHIN), "and is not for one who comes back");
        assert_eq!(pace.left(10, at(76)), None);
        assert!(!pace.is_away());
        assert_eq!(pace.left(10, at(80)), Some(Duration::from_secs(80)));
    }

    #[test]
    fn one_who_comes_and_goes_is_not_waited_for_without_end() {
        let (mut pace, at) = begin();
        let looks = (0..20).map(|look| at(look * 10));
        let ended = looks.enumerate().find(|(look, now)| {
            if look % 2 == 0 { pace.left(10, *now).is_some() } else { !pace.may_wait(*now, Duration::ZERO) }
        });
        assert_eq!(ended, Some((8, at(80))));
    }

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
