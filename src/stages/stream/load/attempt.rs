//! A record on its way into the graph, and what becomes of it.

use std::collections::BTreeMap;
use std::fmt;

use crate::graph::mapping::{CompiledMapping, Required};
use crate::graph::{Advance, Checkpoint};
use crate::message::{Event, EventReader, Origin, RowId};
use crate::topic::Record;

/// A record on its way into the graph.
#[derive(Debug)]
pub(in super::super) struct Attempt {
    pub record: Record,
    pub fate: Fate,
}

/// What a record comes to.
#[derive(Debug, PartialEq)]
pub(in super::super) enum Fate {
    /// It is written: the row.
    Event(Event),
    /// It is a dead letter.
    SetAside {
        /// Why it cannot be written.
        reason: Reason,
        /// Whether it stands among the dead letters already.
        kept: bool,
    },
    /// Its row is in the graph already.
    Duplicate,
}

/// Why a record cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::stages) struct Reason {
    /// The stable code, for programs.
    pub code: &'static str,
    /// The reason in words.
    pub words: String,
}

impl Reason {
    /// The graph refuses the row for its data.
    pub fn refused(words: String) -> Self {
        Self { code: "refused-by-graph", words }
    }

    /// The graph took the row, and nothing came of it.
    pub fn wrote_nothing() -> Self {
        let words = "the mapping's statement bound nothing for this row, so it wrote nothing";
        Self { code: "row-wrote-nothing", words: words.to_owned() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.words, self.code)
    }
}

impl Fate {
    pub fn set_aside(reason: Reason) -> Self {
        Self::SetAside { reason, kept: false }
    }

    pub fn event(&self) -> Option<&Event> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }

    pub fn event_mut(&mut self) -> Option<&mut Event> {
        if let Self::Event(event) = self { Some(event) } else { None }
    }
}

impl Attempt {
    /// What the record is called: by its row, or by its place in the topic where it has none.
    pub fn name(&self) -> String {
        match &self.record.origin {
            Some(origin) => origin.row.to_string(),
            None => format!("partition {} offset {}", self.record.partition, self.record.offset),
        }
    }
}

/// Reads records, in their order.
pub(in super::super) fn read(records: Vec<Record>, mapping: &CompiledMapping) -> Vec<Attempt> {
    let mut reader = EventReader::default();
    let attempt = |record: Record| {
        let fate = decode(&mut reader, &record.value, mapping).map_or_else(Fate::set_aside, Fate::Event);
        Attempt { record, fate }
    };
    records.into_iter().map(attempt).collect()
}

/// Finds the records whose row is not beyond the last one of its partition. They are duplicates: producers that were stopped
/// and woke up beside their successors repeat rows, but each of them sends its rows in order and without a gap, so what is
/// beyond the last row is the next one.
pub(super) fn find_duplicates(attempts: &mut [Attempt], checkpoints: &BTreeMap<u32, Checkpoint>) {
    let known = checkpoints.iter().filter_map(|(partition, one)| Some((*partition, one.row.as_ref()?)));
    let mut last: BTreeMap<u32, &RowId> = known.collect();
    for Attempt { record, fate } in attempts {
        let Some(row) = record.origin.as_ref().map(|origin| &origin.row) else { continue };
        if last.get(&record.partition).is_some_and(|last| row <= *last) {
            *fate = Fate::Duplicate;
        } else {
            last.insert(record.partition, row);
        }
    }
}

/// Reads a message: a JSON object with a value for each column that the mapping's keys need.
pub(in crate::stages) fn decode(
    reader: &mut EventReader,
    value: &[u8],
    mapping: &CompiledMapping,
) -> Result<Event, Reason> {
    let no_row = |words: String| Reason { code: "message-is-no-row", words };
    if value.is_empty() {
        return Err(no_row("the message has no value".to_owned()));
    }
    let event = reader.read(value).map_err(|error| {
        no_row(if error.is_data() { "not a JSON object".to_owned() } else { format!("not JSON: {error}") })
    })?;
    match mapping.missing(&event) {
        None => Ok(event),
        Some(Required { column, element, property }) => Err(Reason {
            code: "missing-key-value",
            words: format!(
                "`{column}` has no value, and `{property}` is what tells one `{element}` from another"
            ),
        }),
    }
}

/// How the checkpoints move over attempts, from where they stand.
pub(super) fn advances(
    attempts: &[Attempt],
    checkpoints: &BTreeMap<u32, Checkpoint>,
    digest: &str,
) -> Vec<Advance> {
    let mut advances = BTreeMap::<u32, (Advance, Option<&Origin>)>::new();
    for Attempt { record, fate } in attempts {
        let partition = record.partition;
        let (advance, last) = advances.entry(partition).or_insert_with(|| {
            let stands = checkpoints.get(&partition).cloned().unwrap_or_default();
            let checkpoint = Checkpoint { digest: digest.to_owned(), ..stands };
            (Advance { partition, from: checkpoint.offset, checkpoint }, None)
        });
        advance.checkpoint.offset = record.offset + 1;
        if let (Some(origin), true) = (&record.origin, *fate != Fate::Duplicate) {
            *last = Some(origin);
        }
        advance.checkpoint.dead_letters += u64::from(matches!(fate, Fate::SetAside { .. }));
    }
    let at_last_row = |(mut advance, last): (Advance, Option<&Origin>)| {
        if let Some(origin) = last {
            advance.checkpoint.row = Some(origin.row.clone());
            advance.checkpoint.lineage = origin.lineage.to_string();
        }
        advance
    };
    advances.into_values().map(at_last_row).collect()
}

/// The event at fault: the one that the engine names, or the only one of the batch.
pub(super) fn at_fault(attempts: &mut [Attempt], position: Option<usize>) -> Option<&mut Fate> {
    let is_event = |fate: &&mut Fate| matches!(fate, Fate::Event(_));
    let mut events = attempts.iter_mut().map(|attempt| &mut attempt.fate).filter(is_event);
    if let Some(position) = position {
        return events.nth(position);
    }
    let first = events.next();
    if events.next().is_some() { None } else { first }
}
