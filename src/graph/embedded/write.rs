//! Writing a batch with its checkpoint.

use std::collections::BTreeMap;

use kglite::api::cypher::CypherResult;
use kglite::api::{KgError, KgErrorCode, PropMap, Value as EngineValue};

use super::engine::{OpenGraph, graph_error, headline, is_of_the_statement};
use super::value::{Parameters, to_map};
use crate::graph::{Advance, Checkpoint, GraphError, WriteBatch, WriteError, Written, batch};
use crate::message::RowId;

/// A batch, ready for the engine.
pub(super) struct Write {
    statement: String,
    parameters: Parameters,
    topic: String,
    /// For each partition, the offset at which the batch begins.
    begins: Vec<(u32, u64)>,
    rows: usize,
}

impl Write {
    /// Makes the values ready. A row that the engine cannot take is a fault of that record.
    pub(super) fn new(batch: &WriteBatch) -> Result<Self, WriteError> {
        let mut rows = Vec::with_capacity(batch.events.len());
        for (position, event) in batch.events.iter().enumerate() {
            let event = to_map(event.iter()).map_err(|error| WriteError::Record {
                position: Some(position),
                message: error.to_string(),
            })?;
            let pairs =
                [("event".to_owned(), EngineValue::Map(event)), ("i".to_owned(), integer(position as u64)?)];
            rows.push(EngineValue::Map(PropMap::from_iter(pairs)));
        }
        let advances = batch.advances.iter().map(advance).collect::<Result<Vec<_>, GraphError>>()?;
        Ok(Self {
            statement: batch::statement(&batch.statement),
            parameters: parameters(&batch.topic, advances, rows),
            topic: batch.topic.clone(),
            begins: batch.advances.iter().map(|advance| (advance.partition, advance.from)).collect(),
            rows: batch.events.len(),
        })
    }

    /// Writes it.
    pub(super) fn run(self, graph: &OpenGraph) -> Result<Written, WriteError> {
        let new_checkpoints = self.test(graph)?;
        let result = self.execute(graph)?;
        let came_through = result.rows.first().and_then(|row| row.first());
        let stats = result.stats.unwrap_or_default();
        let own_properties = self.begins.len() as u64 * batch::PROPERTIES_PER_ADVANCE;
        Ok(Written {
            rows: self.rows as u64,
            wrote_nothing: others(self.rows, came_through),
            nodes_created: (stats.nodes_created as u64).saturating_sub(new_checkpoints),
            relationships_created: stats.relationships_created as u64,
            properties_set: (stats.properties_set as u64).saturating_sub(own_properties),
        })
    }

    pub(super) fn execute(&self, graph: &OpenGraph) -> Result<CypherResult, WriteError> {
        let outcome =
            graph.execute(&self.statement, &self.parameters).map_err(|error| write_error(&error))?;
        Ok(outcome.result)
    }

    /// Tests that each checkpoint stands where the batch begins, and counts those that are not there yet. The statement
    /// tests it as well; here it can also be told where a checkpoint stands, and nothing else can write in between.
    fn test(&self, graph: &OpenGraph) -> Result<u64, WriteError> {
        let mut new = 0;
        for &(partition, expected) in &self.begins {
            let stands = offset(graph, &self.topic, partition)?;
            new += u64::from(stands.is_none());
            let found = stands.unwrap_or_default();
            if found != expected {
                return Err(WriteError::Fenced { topic: self.topic.clone(), partition, expected, found });
            }
        }
        Ok(new)
    }
}

/// The places of a batch that are not in the list.
fn others(rows: usize, came_through: Option<&EngineValue>) -> Vec<usize> {
    let mut missing = vec![true; rows];
    if let Some(EngineValue::List(places)) = came_through {
        for place in places {
            let EngineValue::Int64(place) = place else { continue };
            let slot = usize::try_from(*place).ok().and_then(|place| missing.get_mut(place));
            if let Some(slot) = slot {
                *slot = false;
            }
        }
    }
    missing.iter().enumerate().filter(|(_, missing)| **missing).map(|(place, _)| place).collect()
}

/// How a checkpoint moves, as the statement takes it.
fn advance(advance: &Advance) -> Result<EngineValue, GraphError> {
    let checkpoint = &advance.checkpoint;
    let (file, ordinal) = match &checkpoint.row {
        Some(row) => (EngineValue::String(row.file.to_string()), integer(row.ordinal)?),
        None => (EngineValue::Null, EngineValue::Null),
    };
    let fields = [
        ("partition", EngineValue::Int64(advance.partition.into())),
        ("from", integer(advance.from)?),
        ("offset", integer(checkpoint.offset)?),
        ("file", file),
        ("ordinal", ordinal),
        ("lineage", EngineValue::String(checkpoint.lineage.clone())),
        ("digest", EngineValue::String(checkpoint.digest.clone())),
        ("deadLetters", integer(checkpoint.dead_letters)?),
    ];
    Ok(EngineValue::Map(fields.into_iter().collect()))
}

fn parameters(topic: &str, advances: Vec<EngineValue>, rows: Vec<EngineValue>) -> Parameters {
    Parameters::from([
        ("topic".to_owned(), EngineValue::String(topic.to_owned())),
        ("advances".to_owned(), EngineValue::List(advances)),
        ("rows".to_owned(), EngineValue::List(rows)),
    ])
}

/// The parameters of a batch without rows, for planning its statement.
pub(super) fn no_rows() -> Parameters {
    parameters("", Vec::new(), Vec::new())
}

fn integer(number: u64) -> Result<EngineValue, GraphError> {
    i64::try_from(number)
        .map(EngineValue::Int64)
        .map_err(|_| GraphError::IntegerTooLarge { place: "offset".to_owned(), value: number.to_string() })
}

/// What the engine's error means for a batch.
fn write_error(error: &KgError) -> WriteError {
    let message = headline(error);
    match error.code() {
        KgErrorCode::CypherExecution if is_of_the_statement(&message) => {
            WriteError::Fatal(graph_error(error))
        }
        KgErrorCode::CypherExecution
        | KgErrorCode::CypherTypeMismatch
        | KgErrorCode::Validation
        | KgErrorCode::Expr
        | KgErrorCode::ConstraintViolation
        | KgErrorCode::OntologyViolation => WriteError::Record { position: None, message },
        KgErrorCode::CypherTimeout | KgErrorCode::Cancelled | KgErrorCode::TransactionConflict => {
            WriteError::Transient { message }
        }
        _ => WriteError::Fatal(graph_error(error)),
    }
}

/// Where the checkpoint of a partition stands; `None` where there is none.
fn offset(graph: &OpenGraph, topic: &str, partition: u32) -> Result<Option<u64>, GraphError> {
    const OFFSET: &str =
        "MATCH (c:RunnerCheckpoint {topic: $topic, partition: $partition}) RETURN coalesce(c.offset, 0)";
    let parameters = Parameters::from([
        ("topic".to_owned(), EngineValue::String(topic.to_owned())),
        ("partition".to_owned(), EngineValue::Int64(partition.into())),
    ]);
    let rows = graph.read(OFFSET, &parameters).map_err(|error| graph_error(&error))?.result.rows;
    Ok(match rows.first().and_then(|row| row.first()) {
        Some(EngineValue::Int64(offset)) => u64::try_from(*offset).ok(),
        _ => None,
    })
}

/// How far each partition of a topic has come.
pub(super) fn checkpoints(graph: &OpenGraph, topic: &str) -> Result<BTreeMap<u32, Checkpoint>, GraphError> {
    const CHECKPOINTS: &str = "\
        MATCH (c:RunnerCheckpoint {topic: $topic}) WHERE c.offset IS NOT NULL \
        RETURN c.partition, c.offset, c.file, c.ordinal, c.lineage, c.digest, c.deadLetters";
    let parameters = Parameters::from([("topic".to_owned(), EngineValue::String(topic.to_owned()))]);
    let rows = graph.read(CHECKPOINTS, &parameters).map_err(|error| graph_error(&error))?.result.rows;
    rows.iter().map(|row| checkpoint(topic, row)).collect()
}

fn checkpoint(topic: &str, row: &[EngineValue]) -> Result<(u32, Checkpoint), GraphError> {
    let broken = |message: &str| GraphError::Checkpoint {
        topic: topic.to_owned(),
        partition: row.first().map(|value| format!("{value:?}")).unwrap_or_default(),
        message: message.to_owned(),
    };
    let [partition, offset, file, ordinal, lineage, digest, dead_letters] = row else {
        return Err(broken("it has other columns than asked for"));
    };
    let number = |value: &EngineValue, name: &str| match value {
        EngineValue::Int64(number) => {
            u64::try_from(*number).map_err(|_| broken(&format!("its {name} is negative")))
        }
        _ => Err(broken(&format!("its {name} is no integer"))),
    };
    let text = |value: &EngineValue| match value {
        EngineValue::String(text) => text.clone(),
        _ => String::new(),
    };
    let row_id = match file {
        EngineValue::String(file) => {
            Some(RowId { file: file.as_str().into(), ordinal: number(ordinal, "ordinal")? })
        }
        _ => None,
    };
    let partition = u32::try_from(number(partition, "partition")?)
        .map_err(|_| broken("its partition is out of range"))?;
    let checkpoint = Checkpoint {
        offset: number(offset, "offset")?,
        row: row_id,
        lineage: text(lineage),
        digest: text(digest),
        dead_letters: number(dead_letters, "deadLetters")?,
    };
    Ok((partition, checkpoint))
}
