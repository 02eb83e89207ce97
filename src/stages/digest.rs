//! Digests, as the report and the checkpoints show them.

use sha2::{Digest as _, Sha256};

/// A text's SHA-256, hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
