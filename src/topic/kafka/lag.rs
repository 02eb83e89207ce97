//! How far loading is behind.

use std::collections::BTreeMap;

use super::cluster::{Kafka, Watermarks};
use super::error::KafkaError;

/// How far loading is behind in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// The partition.
    pub partition: u32,
    /// How far it reaches.
    pub marks: Watermarks,
    /// The next record to load, as the graph says; none where nothing was loaded.
    pub checkpoint: Option<u64>,
    /// The next record to load, as the group's committed offset says to others.
    pub committed: Option<u64>,
}

impl Lag {
    /// How many records are still to be loaded; a transaction's mark counts as one.
    #[must_use]
    pub fn behind(&self) -> u64 {
        self.marks.high.saturating_sub(self.checkpoint.unwrap_or(self.marks.low).max(self.marks.low))
    }

    /// How many records are gone that were not loaded.
    #[must_use]
    pub fn gone(&self) -> u64 {
        self.marks.low.saturating_sub(self.checkpoint.unwrap_or(self.marks.low))
    }
}

impl Kafka {
    /// How far loading is behind in each partition. `checkpoints` are the graph's.
    ///
    /// # Errors
    /// Where there is no such topic, or Kafka does not answer.
    pub async fn lag(
        &self,
        topic: &str,
        group: &str,
        checkpoints: &BTreeMap<u32, u64>,
    ) -> Result<Vec<Lag>, KafkaError> {
        let marks = self.watermarks(topic).await?;
        let partitions = u32::try_from(marks.len()).unwrap_or(u32::MAX);
        // The offsets that others see are of no weight here: without them the lag is known all the same.
        let committed = self.committed(topic, group, partitions).await.unwrap_or_default();
        let lag = |(&partition, &marks): (&u32, &Watermarks)| Lag {
            partition,
            marks,
            checkpoint: checkpoints.get(&partition).copied(),
            committed: committed.get(&partition).copied(),
        };
        Ok(marks.iter().map(lag).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_behind_and_what_is_gone_are_counted() {
        let lag = |low, high, checkpoint| {
            let lag = Lag { partition: 0, marks: Watermarks { low, high }, checkpoint, committed: None };
            (lag.behind(), lag.gone())
        };
        assert_eq!(lag(0, 10, None), (10, 0));
        assert_eq!(lag(0, 10, Some(7)), (3, 0));
        assert_eq!(lag(5, 10, None), (5, 0));
        assert_eq!(lag(5, 10, Some(3)), (5, 2));
        assert_eq!(lag(0, 0, Some(3)), (0, 0));
    }
}
