//! How far a log was heard, so that it is taken up again with nothing twice and nothing left out.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;

/// How far the log of a pod was heard.
///
/// Lines are not counted from the first: the kubelet begins another file after some megabytes, and says only what is in the last one.
/// Each line has the moment at which it was written instead. A kubelet is asked by the second, and says the lines of that second again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The last second in which a line was written.
    second: Option<i64>,
    /// The lines of that second, and how often each was heard.
    heard: BTreeMap<String, usize>,
    /// Those of them that are to come again.
    again: BTreeMap<String, usize>,
}

impl Place {
    /// From when on the log is to be said; none for all of it. Until the next call, what was heard of that second is taken for the same.
    pub(super) fn resume(&mut self) -> Option<Timestamp> {
        self.again.clone_from(&self.heard);
        Timestamp::from_second(self.second?).ok()
    }

    /// The words of a line, without the moment at which it was written; none where they were heard before.
    pub fn news<'l>(&mut self, line: &'l str) -> Option<&'l str> {
        let stamped = line.split_once(' ').and_then(|(moment, words)| Some((moment.parse().ok()?, words)));
        // The rest of a line that was cut in two.
        let Some((moment, words)): Option<(Timestamp, &str)> = stamped else { return Some(line) };
        if let Some(left) = self.again.get_mut(line).filter(|left| **left > 0) {
            *left -= 1;
            return None;
        }
        let second = moment.as_second();
        if self.second.is_none_or(|last| last < second) {
            self.second = Some(second);
            self.heard.clear();
        }
        if self.second == Some(second) {
            *self.heard.entry(line.to_owned()).or_default() += 1;
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is new of lines.
    fn hear<'l>(place: &mut Place, lines: &[&'l str]) -> Vec<&'l str> {
        lines.iter().filter_map(|line| place.news(line)).collect()
    }

    #[test]
    fn a_log_that_is_taken_up_again_says_nothing_twice() {
        let mut place = Place::default();
        assert_eq!(place.resume(), None);
        let first = ["2026-11-24T10:00:00.5Z a", "2026-11-24T10:00:01.25Z b", "2026-11-24T10:00:01.5Z c"];
        assert_eq!(hear(&mut place, &first), ["a", "b", "c"]);
        assert_eq!(place.resume().map(|moment| moment.to_string()).as_deref(), Some("2026-11-24T10:00:01Z"));
        let second = ["2026-11-24T10:00:01.25Z b", "2026-11-24T10:00:01.5Z c", "2026-11-24T10:00:01.5Z d"];
        assert_eq!(hear(&mut place, &second), ["d"]);
    }

    #[test]
    fn lines_that_are_equal_to_the_letter_are_counted() {
        let mut place = Place::default();
        let line = "2026-11-24T10:00:00.000000000Z a";
        assert_eq!(hear(&mut place, &[line, line]), ["a", "a"]);
        place.resume();
        assert_eq!(hear(&mut place, &[line, line, line]), ["a"]);
    }

    #[test]
    fn a_log_that_was_begun_anew_loses_no_line() {
        let mut place = Place::default();
        assert_eq!(hear(&mut place, &["2026-11-24T10:00:00Z a", "2026-11-24T10:00:00Z b"]), ["a", "b"]);
        place.resume();
        assert_eq!(hear(&mut place, &["2026-11-24T10:00:07+00:00 c", "2026-11-24T10:00:07Z d"]), ["c", "d"]);
    }

    #[test]
    fn two_streams_that_overtake_each_other_lose_no_line() {
        let mut place = Place::default();
        let lines = ["2026-11-24T10:00:01.1Z out", "2026-11-24T10:00:00.9Z err", "of a line that was cut"];
        assert_eq!(hear(&mut place, &lines), ["out", "err", "of a line that was cut"]);
    }
}
