//! A share of a run: one of several workers that divide numbered things among themselves, in turn.
//!
//! Loaders divide a topic's partitions. Two of one share do no harm: the checkpoint in the graph lets one of them pass. Producers
//! divide the files, and the partitions with them: in a partition "beyond the last row" has to mean "the next row", which needs
//! one order of the rows that go there, and so one producer.

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

    /// All shares of so many workers, at least one.
    pub fn all(count: u32) -> impl Iterator<Item = Self> {
        let count = count.max(1);
        (0..count).map(move |index| Self { index, count })
    }

    /// The share of so many workers, at least one, that the thing of this number falls to.
    #[must_use]
    pub const fn of(number: u32, count: u32) -> Self {
        let count = if count == 0 { 1 } else { count };
        Self { index: number % count, count }
    }

    /// Which of the shares it is, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// Whether the thing of this number falls to this share.
    #[must_use]
    pub const fn owns(self, number: u32) -> bool {
        number % self.count == self.index
    }

    /// How many of so many things fall to this share.
    #[must_use]
    pub const fn size(self, total: u32) -> u32 {
        total.saturating_sub(self.index).div_ceil(self.count)
    }

    /// The number of the `n`th thing that falls to this share, counted from 0.
    #[must_use]
    pub const fn nth(self, n: u32) -> u32 {
        self.index.saturating_add(n.saturating_mul(self.count))
    }

    /// Whether this share waits for the others, analyses and reports.
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
        fn each_thing_falls_to_exactly_one_share(number in 0_u32..1_000, count in 1_u32..50) {
            let owners: Vec<Share> = Share::all(count).filter(|share| share.owns(number)).collect();
            prop_assert_eq!(owners, [Share::of(number, count)]);
        }

        #[test]
        fn a_share_is_counted_as_it_is_dealt(total in 0_u32..200, count in 1_u32..50) {
            for share in Share::all(count) {
                let dealt: Vec<u32> = (0..total).filter(|number| share.owns(*number)).collect();
                let counted: Vec<u32> = (0..share.size(total)).map(|n| share.nth(n)).collect();
                prop_assert_eq!(dealt, counted);
            }
        }
    }
}
