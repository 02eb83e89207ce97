//! The few conversions between number types that the algorithms need, each with its bound.

/// A node as a position in a slice. `u32` always fits in `usize` on the platforms that Rust's `std` has
/// threads for.
pub(super) const fn index(node: u32) -> usize {
    node as usize
}

/// A position in a slice of nodes as a node. Graphs have at most `u32::MAX` nodes, so nothing is cut off.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a graph's node count is a u32, and so is every position below it"
)]
pub(super) const fn node(index: usize) -> u32 {
    index as u32
}

/// A count as a floating-point number, exact below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of nodes and relationships stay far below 2^53")]
pub(super) const fn float(count: usize) -> f64 {
    count as f64
}

/// A count as the integer type of results.
pub(super) fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The whole part of a number that is not negative; what is too large becomes `u64::MAX`, and NaN becomes 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is wanted"
)]
pub(super) const fn whole(number: f64) -> u64 {
    number as u64
}

/// A rank among sorted values, rounded up; it is used only where `number` is between 0 and a slice's length.
pub(super) fn rank(number: f64) -> usize {
    usize::try_from(whole(number.ceil())).unwrap_or(usize::MAX)
}
