//! A share of a run: one of several loaders that divide a topic's partitions among themselves.
//!
//! Only loading is divided. In a partition "beyond the last row" has to mean "the next row", which needs one order of all files, so
//! one producer reads them all; it is several times as fast as a loader. Two loaders of one share do no harm: the checkpoint
//! in the graph lets one of them pass.

use std::str::FromStr;

use thiserror::Error;

/// One share of several; the whole, where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    index: u32,
    count: u32,
}

impl Share {
    /// Everything.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Whether the partition is loaded by this share.
    #[must_use]
    pub const fn owns(self, partition: u32) -> bool {
        partition % self.count == self.index
    }

    /// Whether this share also produces, waits for the others, analyses and reports.
    #[must_use]
    pub const fn leads(self) -> bool {
        self.index == 0
    }

    /// Whether there are others.
    #[must_use]
    pub const fn has_others(self) -> bool {
        self.count > 1
    }
}

impl Default for Share {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// A text that names no share.
#[derive(Debug, Error)]
#[error("write INDEX/COUNT, the index counted from 0, such as 0/3")]
pub struct NoShare;

impl FromStr for Share {
    type Err = NoShare;

    fn from_str(text: &str) -> Result<Self, NoShare> {
        let (index, count) = text.split_once('/').ok_or(NoShare)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| NoShare);
        let share = Self { index: number(index)?, count: number(count)? };
        if share.index < share.count { Ok(share) } else { Err(NoShare) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_is_written_as_a_fraction_counted_from_nought() {
        let share: Share = "2/3".parse().unwrap();
        assert!(!share.leads() && share.has_others());
        assert!("0/1".parse::<Share>().unwrap() == Share::WHOLE);
        for text in ["", "3", "3/3", "1/0", "-1/2", "a/b", "0/1/2"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn each_partition_is_in_exactly_one_share(partition in 0_u32..1_000, count in 1_u32..50) {
            let owners = (0..count).filter(|index| Share { index: *index, count }.owns(partition));
            prop_assert_eq!(owners.count(), 1);
        }
    }
}
