//! Where a message comes from, as its headers say it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Header, Headers, Message as _, OwnedHeaders};

use crate::message::{DIGEST_HEADER, FILE_HEADER, LINEAGE_HEADER, ORDINAL_HEADER, Origin, RowId};

/// Writes origins into headers. Rows come file by file, so what a file's rows share is prepared once.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    of: Option<(Origin, OwnedHeaders)>,
}

impl Stamp {
    /// The headers for an origin.
    pub(super) fn headers(&mut self, origin: &Origin) -> OwnedHeaders {
        let is_prepared = |of: &Origin| {
            of.row.file == origin.row.file && of.lineage == origin.lineage && of.digest == origin.digest
        };
        let prepared = match &mut self.of {
            Some((of, headers)) if is_prepared(of) => headers,
            of => &of.insert((origin.clone(), shared(origin))).1,
        };
        let mut digits = [0; DIGITS];
        prepared
            .clone()
            .insert(Header { key: ORDINAL_HEADER, value: Some(decimal(origin.row.ordinal, &mut digits)) })
    }
}

/// The headers that all rows of a file share.
fn shared(origin: &Origin) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(4)
        .insert(Header { key: FILE_HEADER, value: Some(&*origin.row.file) })
        .insert(Header { key: LINEAGE_HEADER, value: Some(&*origin.lineage) })
        .insert(Header { key: DIGEST_HEADER, value: Some(&*origin.digest) })
}

/// The greatest integer of a graph's property.
const MOST_ROWS: u64 = i64::MAX.unsigned_abs();
/// The most digits of a `u64`.
const DIGITS: usize = 20;

/// A number in decimal digits, without an allocation.
fn decimal(mut number: u64, digits: &mut [u8; DIGITS]) -> &[u8] {
    let mut start = DIGITS;
    for (place, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        start = place;
        if number == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}

/// Reads origins from headers; what one message shares with the one before it is not kept twice.
#[derive(Debug, Default)]
pub(super) struct OriginReader {
    last: Option<Origin>,
}

impl OriginReader {
    /// Where a message comes from; none where its headers do not say so wholly, as those of somebody else's message.
    pub(super) fn read(&mut self, message: &BorrowedMessage<'_>) -> Option<Origin> {
        let headers = message.headers()?;
        // rdkafka panics at a header whose name is not UTF-8, which Kafka's protocol wants but no broker checks.
        catch_unwind(AssertUnwindSafe(|| self.origin(pairs(headers)))).ok().flatten()
    }

    fn origin<'a>(&mut self, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Origin> {
        let (mut file, mut ordinal, mut lineage, mut digest) = (None, None, None, None);
        for (name, value) in headers {
            match name {
                FILE_HEADER => file = Some(value),
                ORDINAL_HEADER => ordinal = Some(value),
                LINEAGE_HEADER => lineage = Some(value),
                DIGEST_HEADER => digest = Some(value),
                _ => {}
            }
        }
        // No file has more rows than a checkpoint in the graph can hold: such a number is not runner's.
        let ordinal = str::from_utf8(ordinal?).ok()?.parse().ok().filter(|ordinal| *ordinal <= MOST_ROWS)?;
        let last = self.last.as_ref();
        let origin = Origin {
            row: RowId { file: text(file?, last.map(|last| &last.row.file))?, ordinal },
            lineage: text(lineage?, last.map(|last| &last.lineage))?,
            digest: text(digest?, last.map(|last| &last.digest))?,
        };
        self.last = Some(origin.clone());
        Some(origin)
    }
}

/// The headers that have a value.
pub(super) fn pairs(headers: &impl Headers) -> impl Iterator<Item = (&str, &[u8])> {
    headers.iter().filter_map(|header| Some((header.key, header.value?)))
}

/// A text; the last one where it is the same.
fn text(bytes: &[u8], last: Option<&Arc<str>>) -> Option<Arc<str>> {
    match last.filter(|last| last.as_bytes() == bytes) {
        Some(last) => Some(Arc::clone(last)),
        None => str::from_utf8(bytes).ok().map(Arc::from),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(("[ab]{0,2}", 0..=MOST_ROWS, "[cd]?", "é?"), 1..20)) {
            let (mut stamp, mut reader) = (Stamp::default(), OriginReader::default());
            for (file, ordinal, lineage, digest) in rows {
                let row = RowId { file: file.into(), ordinal };
                let origin = Origin { row, lineage: lineage.into(), digest: digest.into() };
                let headers = stamp.headers(&origin);
                prop_assert_eq!(reader.origin(pairs(&headers)), Some(origin));
            }
        }

        #[test]
        fn any_headers_can_be_read(headers in prop::collection::vec((0_usize..6, any::<Vec<u8>>()), 0..8)) {
            const NAMES: [&str; 6] = [FILE_HEADER, ORDINAL_HEADER, LINEAGE_HEADER, DIGEST_HEADER, "", "traceparent"];
            let pairs = headers.iter().map(|(name, value)| (NAMES[*name], value.as_slice()));
            let _ = OriginReader::default().origin(pairs);
        }

        #[test]
        fn numbers_are_written_as_rust_does(number in any::<u64>()) {
            let mut digits = [0; DIGITS];
            let expected = number.to_string();
            prop_assert_eq!(decimal(number, &mut digits), expected.as_bytes());
        }
    }

    #[test]
    fn a_message_without_one_of_the_headers_is_somebody_elses() {
        let whole: [(&str, &[u8]); 4] =
            [(FILE_HEADER, b"a"), (ORDINAL_HEADER, b"7"), (LINEAGE_HEADER, b"l"), (DIGEST_HEADER, b"d")];
        let read = |headers: &[(&'static str, &'static [u8])]| {
            OriginReader::default().origin(headers.iter().copied())
        };
        assert!(read(&whole).is_some());
        for absent in 0..whole.len() {
            let mut headers = whole.to_vec();
            headers.remove(absent);
            assert_eq!(read(&headers), None);
        }
        for no_row in [b"-7".as_slice(), b"", b"7 ", b"\xff", b"9223372036854775808"] {
            let mut headers = whole;
            headers[1].1 = no_row;
            assert_eq!(read(&headers), None);
        }
    }
}
