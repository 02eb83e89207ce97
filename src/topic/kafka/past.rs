//! What stands in a topic already: the last row of each partition, and whether the topic is still the one it was.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::cluster::{Kafka, Watermarks, blocking, client, explain, signed, unsigned};
use super::error::KafkaError;
use super::headers::OriginReader;
use super::lane::{out_of_range, record};
use crate::message::{Origin, RowId};
use crate::topic::Record;

/// How many records it is looked back at first for one of runner's own.
const FIRST_LOOK: u64 = 1;
/// How many records it is looked back at most. Where all of them are somebody else's, rows are produced that are there
/// already; the loader skips them.
const FARTHEST_LOOK: u64 = 100_000;
/// How long nothing may come before reading is given up.
const SILENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether something came.
const TICK: Duration = Duration::from_millis(100);
/// The group that librdkafka wants for reading at all.
const READER_GROUP: &str = "runner";
/// What librdkafka would say.
const TIMED_OUT: ClientError = ClientError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);

/// What was loaded of a partition, as the graph's checkpoint says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The offset of the next record to load.
    pub offset: u64,
    /// The last row that was loaded.
    pub row: Option<RowId>,
}

impl Kafka {
    /// The last row that stands in each partition; none where it holds none of runner's own.
    ///
    /// The last message may be somebody else's, or a transaction's mark: it is looked back past those, up to 100,000.
    ///
    /// # Errors
    /// Where there is no such topic, or Kafka does not answer.
    pub async fn last_rows(&self, topic: &str) -> Result<BTreeMap<u32, Origin>, KafkaError> {
        let marks = self.watermarks(topic).await?;
        self.look_back(topic, marks, |record| record.origin).await
    }

    /// How far the records of each partition reach: what stands behind the last one, a transaction's mark or what was given up with
    /// it, is nothing that a reader gets.
    ///
    /// # Errors
    /// Where there is no such topic, or Kafka does not answer.
    pub async fn record_marks(&self, topic: &str) -> Result<BTreeMap<u32, Watermarks>, KafkaError> {
        let mut marks = self.watermarks(topic).await?;
        let ends = match self.look_back(topic, marks.clone(), |record| Some(record.offset + 1)).await {
            // Who may not read it takes the partitions' own ends.
            Err(KafkaError::NotAllowed { .. }) => return Ok(marks),
            ends => ends?,
        };
        for (partition, marks) in &mut marks {
            let is_known = marks.high - marks.low <= FARTHEST_LOOK;
            marks.high =
                ends.get(partition).copied().unwrap_or(if is_known { marks.low } else { marks.high });
        }
        Ok(marks)
    }

    /// What `pick` makes of the last record of each partition of which it makes something.
    async fn look_back<T: Send + 'static>(
        &self,
        topic: &str,
        mut open: BTreeMap<u32, Watermarks>,
        pick: fn(Record) -> Option<T>,
    ) -> Result<BTreeMap<u32, T>, KafkaError> {
        let mut found = BTreeMap::new();
        let mut look = FIRST_LOOK;
        loop {
            open.retain(|partition, marks| marks.low < marks.high && !found.contains_key(partition));
            if open.is_empty() || look > FARTHEST_LOOK {
                return Ok(found);
            }
            let range = |marks: &Watermarks| marks.high.saturating_sub(look).max(marks.low)..marks.high;
            let ranges: BTreeMap<_, _> =
                open.iter().map(|(partition, marks)| (*partition, range(marks))).collect();
            let keep = move |last: &mut BTreeMap<u32, T>, record: Record, _: &BorrowedMessage<'_>| {
                let partition = record.partition;
                if let Some(picked) = pick(record) {
                    last.insert(partition, picked);
                }
            };
            found.append(&mut self.read(topic, ranges.clone(), BTreeMap::new(), keep).await?);
            for (partition, marks) in &mut open {
                marks.high = ranges.get(partition).map_or(marks.low, |range| range.start);
            }
            look *= 10;
        }
    }

    /// Where loading goes on in each partition: where the graph's checkpoint stands.
    ///
    /// A partition of which nothing was loaded begins with its first record; `others_fill_it` says that it may have lost
    /// records before, which no run of this pipeline has to load.
    ///
    /// # Errors
    /// Where the topic lacks records that were not loaded, is another one than the graph was loaded from, or Kafka does not
    /// answer.
    pub async fn starts(
        &self,
        topic: &str,
        loaded: &BTreeMap<u32, Loaded>,
        others_fill_it: bool,
    ) -> Result<BTreeMap<u32, u64>, KafkaError> {
        let marks = self.watermarks(topic).await?;
        let mut starts = BTreeMap::new();
        for (&partition, marks) in &marks {
            let from = match loaded.get(&partition) {
                Some(loaded) => loaded.offset,
                None if others_fill_it => marks.low,
                None => 0,
            };
            if from < marks.low || from > marks.high {
                return Err(out_of_range(topic.to_owned(), partition, from, marks.low, marks.high));
            }
            starts.insert(partition, from);
        }
        self.recognise(topic, loaded, &marks).await?;
        Ok(starts)
    }

    /// Looks whether the records before the checkpoints are those that were loaded: a topic that was deleted and made
    /// again has others, or ends before.
    async fn recognise(
        &self,
        topic: &str,
        loaded: &BTreeMap<u32, Loaded>,
        marks: &BTreeMap<u32, Watermarks>,
    ) -> Result<(), KafkaError> {
        let ranges = loaded.iter().filter_map(|(partition, loaded)| {
            let low = marks.get(partition)?.low;
            (loaded.row.is_some() && loaded.offset > low)
                .then(|| (*partition, loaded.offset - 1..loaded.offset))
        });
        let keep = |last: &mut Vec<Record>, record: Record, _: &BorrowedMessage<'_>| last.push(record);
        let last = self.read(topic, ranges.collect(), Vec::new(), keep).await?;
        for record in last {
            let row = loaded.get(&record.partition).and_then(|loaded| loaded.row.as_ref());
            let (Some(found), Some(row)) = (record.origin.map(|origin| origin.row), row) else { continue };
            // A smaller row is the duplicate of one before it, if the loaded one stands before it too.
            if found == *row
                || (found < *row
                    && self.stands_before(topic, marks, record.partition, record.offset, row).await?)
            {
                continue;
            }
            return Err(KafkaError::OtherRecord {
                topic: topic.to_owned(),
                partition: record.partition,
                offset: record.offset,
                found,
                loaded: row.clone(),
            });
        }
        Ok(())
    }

    /// Whether a row stands before an offset, not too far back; where the topic does not reach back that far, it may.
    async fn stands_before(
        &self,
        topic: &str,
        marks: &BTreeMap<u32, Watermarks>,
        partition: u32,
        offset: u64,
        row: &RowId,
    ) -> Result<bool, KafkaError> {
        let low = marks.get(&partition).map_or(0, |marks| marks.low);
        let from = offset.saturating_sub(FARTHEST_LOOK).max(low);
        let row = row.clone();
        let seek = move |found: &mut bool, record: Record, _: &BorrowedMessage<'_>| {
            *found |= record.origin.is_some_and(|origin| origin.row == row);
        };
        let found = self.read(topic, BTreeMap::from([(partition, from..offset)]), false, seek).await?;
        Ok(found || from > 0)
    }

    /// Reads ranges of partitions, and gives each record to `each`, with the state that is returned at last.
    pub(super) async fn read<T, F>(
        &self,
        topic: &str,
        ranges: BTreeMap<u32, Range<u64>>,
        state: T,
        mut each: F,
    ) -> Result<T, KafkaError>
    where
        T: Send + 'static,
        F: FnMut(&mut T, Record, &BorrowedMessage<'_>) + Send + 'static,
    {
        let kafka = self.clone();
        let topic = topic.to_owned();
        blocking(move || {
            let mut state = state;
            kafka.read_here(&topic, ranges, |record, message| each(&mut state, record, message))?;
            Ok(state)
        })
        .await?
    }

    /// Reads ranges of partitions, on this thread.
    fn read_here(
        &self,
        topic: &str,
        mut open: BTreeMap<u32, Range<u64>>,
        mut each: impl FnMut(Record, &BorrowedMessage<'_>),
    ) -> Result<(), KafkaError> {
        open.retain(|_, range| !range.is_empty());
        if open.is_empty() {
            return Ok(());
        }
        let mut config = self.config()?;
        // A group is wanted by librdkafka; nothing is committed, and nobody joins.
        config
            .set("group.id", READER_GROUP)
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("queued.min.messages", "10000");
        let reader = client(&config)?;
        let failed = |error: &ClientError| {
            explain(self.connection(), reader.context(), &format!("read from topic `{topic}`"), error)
        };
        let mut assignment = TopicPartitionList::new();
        for (partition, range) in &open {
            let start = Offset::Offset(i64::try_from(range.start).unwrap_or(i64::MAX));
            assignment
                .add_partition_offset(topic, signed(*partition), start)
                .map_err(|error| failed(&error))?;
        }
        reader.assign(&assignment).map_err(|error| failed(&error))?;
        let mut origins = OriginReader::default();
        let mut heard = Instant::now();
        while !open.is_empty() {
            match reader.poll(TICK) {
                None if heard.elapsed() > SILENCE => return Err(failed(&TIMED_OUT)),
                None => continue,
                // The range's end was known before: what was fetched since then ends behind it.
                Some(Err(ClientError::PartitionEOF(partition))) => {
                    open.remove(&u32::try_from(partition).unwrap_or_default());
                }
                Some(Err(error)) if is_passing(&error) => continue,
                Some(Err(error)) => return Err(failed(&error)),
                Some(Ok(message)) => {
                    let partition = u32::try_from(message.partition()).unwrap_or_default();
                    let Some(range) = open.get(&partition).cloned() else { continue };
                    let next = unsigned(message.offset()) + 1;
                    if range.contains(&unsigned(message.offset())) {
                        each(record(&mut origins, partition, &message), &message);
                    }
                    if next >= range.end {
                        open.remove(&partition);
                    }
                }
            }
            heard = Instant::now();
        }
        Ok(())
    }
}

/// Whether librdkafka tries again by itself.
fn is_passing(error: &ClientError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, Resolve};
    matches!(error.rdkafka_error_code(), Some(AllBrokersDown | BrokerTransportFailure | Resolve))
}
