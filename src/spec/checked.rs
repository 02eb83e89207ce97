//! The mark of a thing that validation has passed.

use std::ops::Deref;

/// A value that validation has passed. Only `validate` makes one, so a function that asks for `Checked<Pipeline>` cannot
/// be called with a file that nobody looked at.
#[derive(Debug, Clone)]
pub struct Checked<T>(T);

impl<T> Checked<T> {
    /// Marks a value as checked; the caller vouches that no finding of severity error stands against it.
    pub(crate) const fn vouch(value: T) -> Self {
        Self(value)
    }
}

impl<T> Deref for Checked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
