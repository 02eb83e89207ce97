//! Where a message comes from, as its headers say it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rdkafka::message::{BorrowedMessage, Header, Headers, Message as _, OwnedHeaders};

use crate::message::{Origin, ROW_HEADER, RowId, STREAM_HEADER};

/// Writes origins into headers. Rows come file by file, so what a file's rows share is prepared once.
#[derive(Debug, Default)]
pub(super) struct Stamp {
    of: Option<Prepared>,
}

#[derive(Debug)]
struct Prepared {
    origin: Origin,
    /// The header that all rows of the file share.
    shared: OwnedHeaders,
    /// `FILE:`, behind which the ordinal comes.
    row: Vec<u8>,
    file_ends: usize,
}

impl Prepared {
    fn of(origin: &Origin) -> Self {
        let shared = OwnedHeaders::new_with_capacity(2)
            .insert(Header { key: STREAM_HEADER, value: Some(&origin.stream()) });
        let row = [origin.row.file.as_bytes(), b":"].concat();
        Self { origin: origin.clone(), shared, file_ends: row.len(), row }
    }

    fn is_of(&self, origin: &Origin) -> bool {
        let Origin { row, lineage, digest } = &self.origin;
        row.file == origin.row.file && *lineage == origin.lineage && *digest == origin.digest
    }
}

impl Stamp {
    /// The headers for an origin.
    pub(super) fn headers(&mut self, origin: &Origin) -> OwnedHeaders {
        let prepared = match &mut self.of {
            Some(prepared) if prepared.is_of(origin) => prepared,
            of => of.insert(Prepared::of(origin)),
        };
        prepared.row.truncate(prepared.file_ends);
        prepared.row.extend_from_slice(decimal(origin.row.ordinal, &mut [0; DIGITS]));
        prepared.shared.clone().insert(Header { key: ROW_HEADER, value: Some(&prepared.row) })
    }
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
        let (mut row, mut stream) = (None, None);
        for (name, value) in headers {
            match name {
                ROW_HEADER => row = Some(value),
                STREAM_HEADER => stream = Some(value),
                _ => {}
            }
        }
        let (file, ordinal) = str::from_utf8(row?).ok()?.rsplit_once(':')?;
        // No file has more rows than a checkpoint in the graph can hold: such a number is not runner's.
        let ordinal = plain_number(ordinal).filter(|ordinal| *ordinal <= MOST_ROWS)?;
        let (digest, lineage) = str::from_utf8(stream?).ok()?.split_once('/')?;
        let last = self.last.as_ref();
        let origin = Origin {
            row: RowId { file: text(file, last.map(|last| &last.row.file)), ordinal },
            lineage: text(lineage, last.map(|last| &last.lineage)),
            digest: text(digest, last.map(|last| &last.digest)),
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
fn text(text: &str, last: Option<&Arc<str>>) -> Arc<str> {
    last.filter(|last| ***last == *text).map_or_else(|| text.into(), Arc::clone)
}

/// A number in decimal digits and nothing else: Rust would read a `+` before them, too.
fn plain_number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(("[ab:/]{0,3}", 0..=MOST_ROWS, "[cd/]?", "[0-9é]?"), 1..20)) {
            let (mut stamp, mut reader) = (Stamp::default(), OriginReader::default());
            for (file, ordinal, lineage, digest) in rows {
                let row = RowId { file: file.into(), ordinal };
                let origin = Origin { row, lineage: lineage.into(), digest: digest.into() };
                let headers = stamp.headers(&origin);
                prop_assert_eq!(reader.origin(pairs(&headers)), Some(origin));
            }
        }

        #[test]
        fn any_headers_can_be_read(headers in prop::collection::vec((0_usize..4, any::<Vec<u8>>()), 0..8)) {
            const NAMES: [&str; 4] = [ROW_HEADER, STREAM_HEADER, "", "traceparent"];
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
        let whole: [(&str, &[u8]); 2] = [(ROW_HEADER, b"a:7"), (STREAM_HEADER, b"d/l")];
        let read = |headers: &[(&'static str, &'static [u8])]| {
            OriginReader::default().origin(headers.iter().copied())
        };
        assert!(read(&whole).is_some());
        for absent in 0..whole.len() {
            let mut headers = whole.to_vec();
            headers.remove(absent);
            assert_eq!(read(&headers), None);
        }
        for no_row in [
            b"a:-7".as_slice(),
            b"",
            b"a",
            b"7",
            b"a:",
            b"a:+7",
            b"a:7 ",
            b"\xff:7",
            b"a:9223372036854775808",
        ] {
            assert_eq!(read(&[(ROW_HEADER, no_row), whole[1]]), None);
        }
        for no_stream in [b"".as_slice(), b"d", b"\xff/l"] {
            assert_eq!(read(&[whole[0], (STREAM_HEADER, no_stream)]), None);
        }
    }
}
