//! The dead letters of the in-process topic: one JSON line for each record that could not be written.
//!
//! A line is on disk before the graph is saved with a checkpoint beyond its record, and lines that lie beyond the saved
//! checkpoint are dropped when the file is opened: after a kill, each dead letter stands there exactly once.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::DeadLetterError;
use crate::graph::Checkpoint;
use crate::topic::Record;

/// The file of dead letters, open for appending.
#[derive(Debug)]
pub(in super::super) struct LetterFile {
    path: PathBuf,
    file: File,
}

impl LetterFile {
    /// Opens the file, without the lines of records that lie beyond the checkpoints.
    ///
    /// # Errors
    /// Where the file cannot be opened or written.
    pub(in super::super) fn open(
        path: &Path,
        checkpoints: &BTreeMap<u32, Checkpoint>,
    ) -> Result<Self, DeadLetterError> {
        let open = || {
            let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
            file.set_len(length_before(&file, checkpoints)?)?;
            Ok(file)
        };
        let file = open().map_err(|source| DeadLetterError::file(path, source))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Appends a record with the reason that it could not be written.
    pub(super) fn append(
        &mut self,
        topic: &str,
        record: &Record,
        reason: &str,
    ) -> Result<(), DeadLetterError> {
        let origin = record.origin.as_ref();
        let text = |bytes: &[u8]| Value::from(String::from_utf8_lossy(bytes).into_owned());
        let line = json!({
            "topic": topic,
            "partition": record.partition,
            "offset": record.offset,
            "error": reason,
            "file": origin.map(|origin| &*origin.row.file),
            "ordinal": origin.map(|origin| origin.row.ordinal),
            "stream": origin.map(|origin| &*origin.digest),
            "key": record.key.as_deref().map(text),
            "value": text(&record.value),
        });
        // One write call a line: a kill leaves at most the last line cut short, and that one is dropped on opening.
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|source| DeadLetterError::file(&self.path, source))
    }

    /// Makes what was appended safe against a power cut.
    pub(super) fn sync(&self) -> Result<(), DeadLetterError> {
        self.file.sync_data().map_err(|source| DeadLetterError::file(&self.path, source))
    }
}

/// The length of the leading lines that are whole and lie before the checkpoints. Lines stand in the order of the rows, and all
/// checkpoints move together, so what follows the first line that lies beyond does so too.
fn length_before(file: &File, checkpoints: &BTreeMap<u32, Checkpoint>) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut kept = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if !line.ends_with(b"\n") || !lies_before(&line, checkpoints) {
            return Ok(kept);
        }
        kept += length as u64;
    }
}

/// Whether a line is of a record before its partition's checkpoint.
fn lies_before(line: &[u8], checkpoints: &BTreeMap<u32, Checkpoint>) -> bool {
    let Ok(Place { partition, offset }) = serde_json::from_slice(line) else { return false };
    checkpoints.get(&partition).is_some_and(|checkpoint| offset < checkpoint.offset)
}

/// Where the record of a line stood.
#[derive(Deserialize)]
struct Place {
    partition: u32,
    offset: u64,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use super::*;
    use crate::message::{Origin, RowId};

    fn record(partition: u32, offset: u64, value: &[u8]) -> Record {
        let row = RowId { file: "a.parquet".into(), ordinal: offset };
        let origin = Origin { row, lineage: "l".into(), digest: "d".into() };
        Record { partition, offset, key: None, value: value.to_vec(), origin: Some(origin) }
    }

    fn checkpoints(offsets: &[u64]) -> BTreeMap<u32, Checkpoint> {
        (0..).zip(offsets.iter().map(|&offset| Checkpoint { offset, ..Checkpoint::default() })).collect()
    }

    #[test]
    fn lines_beyond_the_checkpoints_and_half_lines_are_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.dlq.jsonl");
        let mut letters = LetterFile::open(&path, &BTreeMap::new()).unwrap();
        for (partition, offset) in [(0, 3), (1, 0), (0, 5), (1, 1)] {
            letters.append("t", &record(partition, offset, b"{}"), "null key").unwrap();
        }
        let whole = std::fs::read_to_string(&path).unwrap();
        assert_eq!(whole.lines().count(), 4);

        LetterFile::open(&path, &checkpoints(&[5, 1])).unwrap();
        let kept: String = whole.split_inclusive('\n').take(2).collect();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);

        std::fs::write(&path, format!("{kept}{{\"partition\": 0, \"off")).unwrap();
        LetterFile::open(&path, &checkpoints(&[9, 9])).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), kept);
    }

    #[test]
    fn a_line_says_which_row_it_was_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.dlq.jsonl");
        let mut letters = LetterFile::open(&path, &BTreeMap::new()).unwrap();
        letters.append("t", &record(2, 7, b"not \xff JSON"), "not JSON").unwrap();
        let line: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let expected = json!({
            "topic": "t", "partition": 2, "offset": 7, "error": "not JSON", "file": "a.parquet", "ordinal": 7,
            "stream": "d", "key": null, "value": "not \u{fffd} JSON",
        });
        assert_eq!(line, expected);
    }
}
