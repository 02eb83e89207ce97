//! Asking again: a cluster that has answered before may be away for a while, or be handing something from one broker to another.

use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::cluster::PATIENCE;
use super::error::KafkaError;

/// How long it is waited before a question is asked again that was not answered.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// How long it is waited before a broker is asked again that is taking over.
const SETTLING: Duration = Duration::from_millis(100);

/// Asks, and asks again while a cluster is away that has answered before: as long as the patience lasts and `goes_on` says so.
///
/// # Errors
/// What the last answer was.
pub async fn patiently<T>(
    patience: Duration,
    goes_on: impl Fn() -> bool,
    ask: impl AsyncFn() -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let begun = Instant::now();
    loop {
        match ask().await {
            Err(error) if error.may_pass() && begun.elapsed() < patience && goes_on() => {
                tokio::time::sleep(ASKED_EVERY).await;
            }
            outcome => return outcome,
        }
    }
}

/// Waits while brokers are handing over what is asked for: as long as a request may take.
pub(super) struct Settling(Instant);

impl Settling {
    /// Begins when something is asked for the first time.
    pub fn begin() -> Self {
        Self(Instant::now())
    }

    /// Waits a moment before the same is asked again; says whether it is worth it.
    pub async fn again(&self, error: &KafkaError) -> bool {
        let again = matches!(error, KafkaError::Unsettled { .. }) && self.0.elapsed() < PATIENCE;
        if again {
            tokio::time::sleep(SETTLING).await;
        }
        again
    }
}

/// Whether a broker says that it does not have, not yet or not any more, what it is asked for: after a start or an election.
///
/// Kafka's protocol guide marks these codes as retriable. A leader that has just started answers so until it has taken over.
pub(super) fn is_settling(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode::{
        CoordinatorLoadInProgress, CoordinatorNotAvailable, FencedLeaderEpoch, KafkaStorageError,
        LeaderNotAvailable, NotController, NotCoordinator, NotLeaderForPartition, OffsetNotAvailable,
        PreferredLeaderNotAvailable, ReplicaNotAvailable, UnknownLeaderEpoch, UnstableOffsetCommit,
    };
    matches!(
        code,
        CoordinatorLoadInProgress
            | CoordinatorNotAvailable
            | FencedLeaderEpoch
            | KafkaStorageError
            | LeaderNotAvailable
            | NotController
            | NotCoordinator
            | NotLeaderForPartition
            | OffsetNotAvailable
            | PreferredLeaderNotAvailable
            | ReplicaNotAvailable
            | UnknownLeaderEpoch
            | UnstableOffsetCommit
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use std::cell::Cell;

    use rdkafka::error::KafkaError as ClientError;

    use super::*;
    use crate::topic::kafka::cluster::explain;
    use crate::topic::kafka::{Connection, Health};

    /// What it comes to that a broker is not the leader.
    fn unsettled() -> KafkaError {
        let refusal = ClientError::OffsetFetch(RDKafkaErrorCode::NotLeaderForPartition);
        explain(&Connection::default(), &Health::default(), "asking", &refusal)
    }

    #[tokio::test]
    async fn a_broker_that_takes_over_is_asked_again_and_what_is_none_is_told_at_once() {
        let settling = Settling::begin();
        assert!(settling.again(&unsettled()).await);
        assert!(!settling.again(&KafkaError::NoTopic { topic: "t".to_owned() }).await);
        let long_ago = Settling(Instant::now().checked_sub(PATIENCE).unwrap());
        assert!(!long_ago.again(&unsettled()).await);
    }

    #[tokio::test]
    async fn one_who_is_patient_waits_for_it_too_and_goes_on_only_while_it_is_wanted() {
        let times = Cell::new(0);
        let ask = async || {
            times.set(times.get() + 1);
            if times.get() % 2 == 1 { Err(unsettled()) } else { Ok(times.get()) }
        };
        let patience = Duration::from_mins(1);
        assert_eq!(patiently(patience, || true, ask).await.unwrap(), 2);
        assert!(patiently(patience, || false, ask).await.is_err());
    }
}
