//! Reports of `tests/data/report/`, for the tests beside the renderers.

#![expect(clippy::expect_used, reason = "a fixture that cannot be read is a broken test")]

use super::Report;

/// The main example, from the real rows and the reference results of Graph Data Science.
pub(crate) fn bronx() -> Report {
    read(include_str!("../../tests/data/report/bronx.json"))
}

/// A run that ended with dead letters, findings and a false assertion.
pub(super) fn failed() -> Report {
    read(include_str!("../../tests/data/report/failed.json"))
}

/// Names that would break out of whatever they are put into.
pub(super) fn hostile() -> Report {
    read(include_str!("../../tests/data/report/hostile.json"))
}

/// The strongest 300 nodes of a large graph with four labels.
pub(super) fn large() -> Report {
    read(include_str!("../../tests/data/report/large.json"))
}

/// A run that was interrupted before it did anything.
pub(super) fn empty() -> Report {
    read(include_str!("../../tests/data/report/empty.json"))
}

fn read(text: &str) -> Report {
    serde_json::from_str(text).expect("the fixture is a report")
}
