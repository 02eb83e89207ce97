//! The best few of many candidates.

use std::cmp::Ordering;

/// Which end of the order is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// The candidates with the highest priority.
    Highest,
    /// The candidates with the lowest priority.
    Lowest,
}

/// Keeps a bounded number of candidates, the best first. Among equal priorities it keeps those that GDS's
/// `BoundedLongPriorityQueue` keeps: a new one goes before the equal one that a binary search meets.
pub(super) struct Top<T> {
    keep: Keep,
    bound: usize,
    entries: Vec<(T, f64)>,
}

impl<T> Top<T> {
    /// Room for `bound` candidates.
    pub(super) fn new(keep: Keep, bound: usize) -> Self {
        Self { keep, bound, entries: Vec::new() }
    }

    /// Takes the candidate in if there is room or it is better than the last one.
    pub(super) fn offer(&mut self, candidate: T, priority: f64) {
        let is_full = self.entries.len() >= self.bound;
        let is_better = self.entries.last().is_some_and(|(_, last)| self.order(priority, *last).is_lt());
        if is_full && !is_better {
            return;
        }
        let place = self.place(priority);
        self.entries.insert(place, (candidate, priority));
        self.entries.truncate(self.bound);
    }

    /// The kept candidates with their priorities, the best first.
    pub(super) fn into_entries(self) -> Vec<(T, f64)> {
        self.entries
    }

    fn order(&self, one: f64, other: f64) -> Ordering {
        match self.keep {
            Keep::Highest => other.total_cmp(&one),
            Keep::Lowest => one.total_cmp(&other),
        }
    }

    /// Java's binary search, which fixes the one that is met among equals.
    fn place(&self, priority: f64) -> usize {
        let (mut low, mut high) = (0, self.entries.len());
        while low < high {
            let middle = low + (high - 1 - low) / 2;
            match self.order(self.entries[middle].1, priority) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return middle,
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(keep: Keep, bound: usize) -> Vec<(char, f64)> {
        let mut top = Top::new(keep, bound);
        for (candidate, priority) in [('a', 1.0), ('b', 3.0), ('c', 2.0), ('d', 3.0), ('e', 0.5)] {
            top.offer(candidate, priority);
        }
        top.into_entries()
    }

    #[test]
    fn the_best_are_kept_in_order() {
        assert_eq!(kept(Keep::Highest, 3), [('d', 3.0), ('b', 3.0), ('c', 2.0)]);
        assert_eq!(kept(Keep::Lowest, 2), [('e', 0.5), ('a', 1.0)]);
        assert_eq!(kept(Keep::Lowest, 9).len(), 5);
    }
}
