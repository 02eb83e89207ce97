//! Where a run goes on: the decision between a checkpoint and the source of today.

use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

use crate::graph::{self, Checkpoint};
use crate::message::{Origin, RowId};
use crate::share::Share;
use crate::source::DataFile;
use crate::stages::digest::sha256;

/// How many hexadecimal digits of a hash are kept: 64 bits, plenty to tell two versions of one file apart.
const DIGITS: usize = 16;

/// The digest of what the graph was loaded by: the definition of the rows, and the mapping.
///
/// It is kept in each checkpoint as `rows.mapping`, so that a run can say which of the two changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The digest of what makes a row: filter, select, look-up tables, key.
    pub rows: String,
    /// The digest of the statement that a row is written by.
    pub mapping: String,
}

impl Digest {
    /// The digest of a definition of rows and a statement.
    #[must_use]
    pub fn of(rows: &str, mapping: &str) -> Self {
        Self { rows: short_hash(rows), mapping: short_hash(mapping) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.rows, self.mapping)
    }
}

/// The first digits of a text's SHA-256.
fn short_hash(text: &str) -> String {
    let mut digits = sha256(text);
    digits.truncate(DIGITS);
    digits
}

/// Where a run goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// How many messages earlier runs have brought into the graph or to the dead letters: the sum of the offsets.
    pub offset: u64,
    /// The last row that is done; the run goes on after it.
    pub after: Option<RowId>,
    /// How many rows of the source lie up to and including that row, filtered ones included.
    pub passed: u64,
}

/// Why a run cannot go on from a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ResumeError {
    /// The rows are defined otherwise now.
    #[error(
        "the source's `filter`, `select` or `tables`, the topic's `key` or the number of `producers` changed since the graph was loaded"
    )]
    RowsChanged,
    /// The mapping is another now.
    #[error("the mapping changed since the graph was loaded")]
    MappingChanged,
    /// The file that holds the last loaded row is gone.
    #[error("`{file}`, of which rows are in the graph, is not among the source's files any more")]
    FileGone {
        /// The file's name.
        file: String,
    },
    /// A file that was read is another now, or a new one came before it in name order.
    #[error("`{file}`, or a file before it in name order, changed since the graph was loaded")]
    FileChanged {
        /// The file's name.
        file: String,
    },
}

/// Decides where a run goes on: after the last row that any partition holds.
///
/// A transaction moves the checkpoints of all partitions that its rows went to, and rows are loaded in their order, so every
/// row up to that one is in the graph.
pub(in crate::stages) fn decide(
    checkpoints: &BTreeMap<u32, Checkpoint>,
    files: &[DataFile],
    digest: &Digest,
) -> Result<Resume, ResumeError> {
    decide_on(checkpoints, &known(files), digest)
}

/// Refuses rows of another definition, or of files that changed: those of one producer's as well as those of the others, since a file that
/// comes between two others falls to another producer than it did.
pub(in crate::stages) fn same_rows(
    last: &BTreeMap<u32, Origin>,
    files: &[DataFile],
    digest: &Digest,
) -> Result<(), ResumeError> {
    same_rows_of(last, &known(files), digest)
}

fn same_rows_of(
    last: &BTreeMap<u32, Origin>,
    files: &[Known<'_>],
    digest: &Digest,
) -> Result<(), ResumeError> {
    for origin in last.values() {
        if *origin.digest != *digest.rows {
            return Err(ResumeError::RowsChanged);
        }
        rows_up_to(&origin.row, &origin.lineage, files)?;
    }
    Ok(())
}

/// Decides where a producer goes on whose rows stand in the partitions of its share, each with a last row of its own: after the
/// first of these. Rows between it and the others are seen again; a partition skips those that are not beyond its own last.
pub(in crate::stages) fn after_all(
    last: &BTreeMap<u32, Origin>,
    (share, partitions): (Share, u32),
    files: &[DataFile],
) -> Result<Resume, ResumeError> {
    after_all_of(last, (share, partitions), &known(files))
}

fn after_all_of(
    last: &BTreeMap<u32, Origin>,
    (share, partitions): (Share, u32),
    files: &[Known<'_>],
) -> Result<Resume, ResumeError> {
    let mut first: Option<Resume> = None;
    let own: Vec<&Origin> =
        last.iter().filter(|(partition, _)| share.owns(**partition)).map(|(_, origin)| origin).collect();
    for origin in &own {
        let passed = rows_up_to(&origin.row, &origin.lineage, files)?;
        if first.as_ref().is_none_or(|first| passed < first.passed) {
            first = Some(Resume { offset: 0, after: Some(origin.row.clone()), passed });
        }
    }
    let is_whole = own.len() == usize::try_from(share.size(partitions)).unwrap_or(usize::MAX);
    Ok(first.filter(|_| is_whole).unwrap_or_default())
}

/// The last row of each partition: the topic's own, or the graph's where the topic does not hold it any more.
pub(in crate::stages) fn last_rows(
    mut in_topic: BTreeMap<u32, Origin>,
    checkpoints: &BTreeMap<u32, Checkpoint>,
) -> BTreeMap<u32, Origin> {
    for (partition, checkpoint) in checkpoints {
        let Some(origin) = origin(checkpoint) else { continue };
        if in_topic.get(partition).is_none_or(|known| known.row < origin.row) {
            in_topic.insert(*partition, origin);
        }
    }
    in_topic
}

/// The last row that a checkpoint holds, as its message said.
fn origin(checkpoint: &Checkpoint) -> Option<Origin> {
    let rows = checkpoint.digest.split('.').next().unwrap_or_default();
    let row = checkpoint.row.clone()?;
    Some(Origin { row, lineage: checkpoint.lineage.as_str().into(), digest: rows.into() })
}

/// Refuses checkpoints of a graph that was loaded by another definition.
pub(in crate::stages) fn same_digest(
    checkpoints: &BTreeMap<u32, Checkpoint>,
    digest: &Digest,
) -> Result<(), ResumeError> {
    for checkpoint in checkpoints.values() {
        let (rows, mapping) = checkpoint.digest.split_once('.').unwrap_or((&checkpoint.digest, ""));
        if rows != digest.rows {
            return Err(ResumeError::RowsChanged);
        }
        if mapping != digest.mapping {
            return Err(ResumeError::MappingChanged);
        }
    }
    Ok(())
}

/// A file as the decision sees it: its name, its rows, its lineage.
type Known<'a> = (&'a str, u64, &'a str);

fn known(files: &[DataFile]) -> Vec<Known<'_>> {
    files.iter().map(|file| (&*file.name, file.rows, &*file.lineage)).collect()
}

fn decide_on(
    checkpoints: &BTreeMap<u32, Checkpoint>,
    files: &[Known<'_>],
    digest: &Digest,
) -> Result<Resume, ResumeError> {
    same_digest(checkpoints, digest)?;
    let last = checkpoints.values().filter(|checkpoint| checkpoint.row.is_some());
    let Some(last) = last.max_by(|one, other| one.row.cmp(&other.row)) else {
        return Ok(Resume::default());
    };
    let passed = match &last.row {
        Some(row) => rows_up_to(row, &last.lineage, files)?,
        None => 0,
    };
    let offset = graph::loaded(checkpoints);
    Ok(Resume { offset, after: last.row.clone(), passed })
}

/// How many rows of the source lie up to and including a row, where the files up to it are unchanged.
fn rows_up_to(row: &RowId, lineage: &str, files: &[Known<'_>]) -> Result<u64, ResumeError> {
    let mut before = 0;
    for (name, rows, known) in files {
        if *name == &*row.file {
            if *known != lineage {
                return Err(ResumeError::FileChanged { file: row.file.to_string() });
            }
            return Ok(before + row.ordinal + 1);
        }
        before += rows;
    }
    Err(ResumeError::FileGone { file: row.file.to_string() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

    use super::*;

    fn digest() -> Digest {
        Digest::of("select a", "MERGE (n)")
    }

    fn files() -> [(&'static str, u64, &'static str); 2] {
        [("a.parquet", 100, "lineage-a"), ("b.parquet", 50, "lineage-b")]
    }

    fn checkpoint(offset: u64, file: &str, ordinal: u64, lineage: &str) -> Checkpoint {
        Checkpoint {
            offset,
            row: Some(RowId { file: file.into(), ordinal }),
            lineage: lineage.to_owned(),
            digest: digest().to_string(),
            dead_letters: 0,
        }
    }

    fn at(checkpoints: impl IntoIterator<Item = Checkpoint>) -> Result<Resume, ResumeError> {
        decide_on(&(0..).zip(checkpoints).collect(), &files(), &digest())
    }

    #[test]
    fn an_empty_graph_begins_with_the_first_row() {
        assert_eq!(at([]), Ok(Resume::default()));
    }

    #[test]
    fn a_run_goes_on_after_the_last_row_of_any_partition() {
        let resume =
            at([checkpoint(7, "a.parquet", 99, "lineage-a"), checkpoint(5, "b.parquet", 9, "lineage-b")]);
        let after = Some(RowId { file: "b.parquet".into(), ordinal: 9 });
        assert_eq!(resume, Ok(Resume { offset: 12, after, passed: 110 }));
    }

    #[test]
    fn a_changed_definition_is_told_from_a_changed_mapping() {
        let checkpoints = BTreeMap::from([(0, checkpoint(7, "a.parquet", 9, "lineage-a"))]);
        let decide = |digest: &Digest| decide_on(&checkpoints, &files(), digest);
        assert_eq!(decide(&Digest::of("select b", "MERGE (n)")), Err(ResumeError::RowsChanged));
        assert_eq!(decide(&Digest::of("select a", "CREATE (n)")), Err(ResumeError::MappingChanged));
    }

    fn last(rows: &[(u32, &str, u64, &str)]) -> BTreeMap<u32, Origin> {
        let origin = |file: &str, ordinal, lineage: &str| Origin {
            row: RowId { file: file.into(), ordinal },
            lineage: lineage.into(),
            digest: digest().rows.into(),
        };
        rows.iter()
            .map(|(partition, file, ordinal, lineage)| (*partition, origin(file, *ordinal, lineage)))
            .collect()
    }

    #[test]
    fn a_producer_goes_on_after_the_first_of_the_last_rows_of_its_own_partitions() {
        // Of two producers, the second has the second file, and partitions 1 and 3 of five.
        let [_, second] = files();
        let share = Share::of(1, 2);
        let rows = [(0, "a.parquet", 3, "lineage-a"), (1, "b.parquet", 40, "lineage-b")];
        let at = |rows: &[_]| after_all_of(&last(rows), (share, 5), &[second]).unwrap();
        assert_eq!(at(&rows), Resume::default(), "partition 3 has none");
        let third = (3, "b.parquet", 7, "lineage-b");
        let after = Some(RowId { file: "b.parquet".into(), ordinal: 7 });
        assert_eq!(at(&[rows[0], rows[1], third]), Resume { offset: 0, after, passed: 8 });
    }

    #[test]
    fn a_file_between_two_others_is_seen_whatever_producer_has_it() {
        let rows = last(&[(0, "a.parquet", 3, "lineage-a"), (1, "b.parquet", 40, "lineage-b")]);
        let now =
            [("a.parquet", 100, "lineage-a"), ("aa.parquet", 9, "lineage-aa"), ("b.parquet", 50, "another")];
        let changed = Err(ResumeError::FileChanged { file: "b.parquet".to_owned() });
        assert_eq!(same_rows_of(&rows, &now, &digest()), changed);
        let gone = Err(ResumeError::FileGone { file: "b.parquet".to_owned() });
        assert_eq!(same_rows_of(&rows, &now[..1], &digest()), gone);
        assert_eq!(same_rows_of(&rows, &files(), &digest()), Ok(()));
        assert_eq!(same_rows_of(&rows, &files(), &Digest::of("select b", "")), Err(ResumeError::RowsChanged));
    }

    #[test]
    fn a_graph_that_is_ahead_of_its_topic_has_the_last_word() {
        let checkpoint = checkpoint(7, "a.parquet", 9, "lineage-a");
        let in_graph = origin(&checkpoint).unwrap();
        let at = |ordinal| Origin { row: RowId { file: "a.parquet".into(), ordinal }, ..in_graph.clone() };
        let last = |in_topic: BTreeMap<u32, Origin>| {
            let last = last_rows(in_topic, &BTreeMap::from([(0, checkpoint.clone())]));
            last.get(&0).map(|origin| origin.row.ordinal)
        };
        assert_eq!(last(BTreeMap::new()), Some(9));
        assert_eq!(last(BTreeMap::from([(0, at(8))])), Some(9));
        assert_eq!(last(BTreeMap::from([(0, at(10))])), Some(10));
    }

    #[test]
    fn a_file_that_is_gone_is_told_from_one_that_changed() {
        let gone = at([checkpoint(7, "0.parquet", 9, "lineage-0")]).unwrap_err();
        assert_eq!(gone, ResumeError::FileGone { file: "0.parquet".to_owned() });
        let changed = at([checkpoint(7, "b.parquet", 9, "another")]).unwrap_err();
        assert_eq!(changed, ResumeError::FileChanged { file: "b.parquet".to_owned() });
    }
}
