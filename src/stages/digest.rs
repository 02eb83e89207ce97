//! Digests, as the report and the checkpoints show them.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// A text's SHA-256, hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}
