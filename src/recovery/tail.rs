//! Reads the tails of the snapshot partitions, and single records of the source logs, with one
//! client outside the group that is kept open.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::event::Millis;

use super::choice::Found;
use super::header::{Fingerprint, Of};
use super::records::Pile;

/// Records of a partition's tail that are read at first; if there is no snapshot of one that is
/// wanted among them, four times as many, and so on.
const TAIL: i64 = 16;
const POLL: Duration = Duration::from_millis(20);

/// The reading client.
pub struct Tail {
    client: BaseConsumer<Quiet>,
    topic: String,
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Quiet {}

/// What of a partition is still to be read: from the first offset up to the second.
type Ranges = BTreeMap<i32, (i64, i64)>;

impl Tail {
    /// A client for this topic; connects when it first reads.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn new(client: &ClientConfig, topic: &str) -> KafkaResult<Self> {
        let mut config = client.clone();
        // Assigning by hand needs a group's name, but no group is joined. A short wait, since the
        // end of a partition is only told after it.
        config.set("group.id", "queuepulse-snapshots");
        config.set("fetch.wait.max.ms", "10");
        config.set("enable.partition.eof", "true");
        config.set("queued.max.messages.kbytes", "65536");
        Ok(Self {
            client: config.create_with_context(Quiet)?,
            topic: topic.to_owned(),
        })
    }

    /// Reads back from the ends of the snapshot partitions until there is a complete snapshot of
    /// each that is wanted, or nothing is left to read, or the deadline has passed: then the second
    /// is the partitions of which there is none and that were not read to their beginning.
    ///
    /// # Errors
    /// The broker does not answer.
    pub fn read(&self, wanted: &[Of], deadline: Instant) -> KafkaResult<(Pile, BTreeSet<i32>)> {
        let mut pile = Pile::default();
        let mut unread = Ranges::new();
        for of in wanted {
            if !unread.contains_key(&of.partition)
                && let Some(range) = self.bounds(of.partition, deadline)?
            {
                unread.insert(of.partition, range);
            }
        }
        let lacks = |pile: &Pile, partition: i32| {
            let mut own = wanted.iter().filter(|of| of.partition == partition);
            own.any(|of| !pile.has(of))
        };
        let mut length = TAIL;
        let mut cut = BTreeSet::new();
        while cut.is_empty() && Instant::now() < deadline {
            let mut now = Ranges::new();
            for (&partition, (low, high)) in &mut unread {
                if *low < *high && lacks(&pile, partition) {
                    let from = (*high - length).max(*low);
                    now.insert(partition, (from, *high));
                    *high = from;
                }
            }
            if now.is_empty() {
                break;
            }
            let these: BTreeSet<i32> = now.keys().copied().collect();
            let whole = self.read_ranges(&self.topic, now, deadline, &mut |message| {
                if let Some(value) = message.payload() {
                    let at = (message.partition(), message.offset());
                    pile.add(at, value, &|of| wanted.contains(of));
                }
            })?;
            if !whole {
                cut = these;
            }
            length *= 4;
        }
        let left = unread.iter().filter(|(_, (low, high))| low < high);
        cut.extend(left.map(|(partition, _)| *partition));
        cut.retain(|&partition| lacks(&pile, partition));
        Ok((pile, cut))
    }

    /// What the source log holds at an offset.
    pub fn record_at(&self, topic: &str, partition: i32, offset: i64, deadline: Instant) -> Found {
        let mut found = Found::Nothing;
        let range = Ranges::from([(partition, (offset, offset + 1))]);
        let read = self.read_ranges(topic, range, deadline, &mut |message| {
            let timestamp = timestamp_of(message);
            let fingerprint = Fingerprint::of(message.offset(), timestamp, message.payload());
            if message.offset() == offset {
                found = Found::Record(fingerprint);
            }
        });
        match read {
            Ok(true) => found,
            Ok(false) | Err(_) => Found::Unread,
        }
    }

    /// First and last offset of a snapshot partition; none if it does not exist.
    fn bounds(&self, partition: i32, deadline: Instant) -> KafkaResult<Option<(i64, i64)>> {
        let left = deadline.saturating_duration_since(Instant::now());
        match self.client.fetch_watermarks(&self.topic, partition, left) {
            Ok(bounds) => Ok(Some(bounds)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads ranges of a topic's partitions; whether all were read in time.
    fn read_ranges(
        &self,
        topic: &str,
        mut ranges: Ranges,
        deadline: Instant,
        each: &mut dyn FnMut(&BorrowedMessage<'_>),
    ) -> KafkaResult<bool> {
        let mut list = TopicPartitionList::with_capacity(ranges.len());
        for (&partition, &(from, _)) in &ranges {
            list.add_partition_offset(topic, partition, Offset::Offset(from))?;
        }
        self.client.assign(&list)?;
        while !ranges.is_empty() && Instant::now() < deadline {
            match self.client.poll(POLL) {
                Some(Ok(message)) => {
                    let partition = message.partition();
                    let Some(&(_, to)) = ranges.get(&partition) else {
                        continue;
                    };
                    if message.offset() < to {
                        each(&message);
                    }
                    if message.offset() + 1 >= to {
                        ranges.remove(&partition);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ranges.remove(&partition);
                }
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::OffsetOutOfRange | RDKafkaErrorCode::AutoOffsetReset,
                ))) => break,
                // Trouble with one broker passes, or the deadline does.
                Some(Err(_)) | None => {}
            }
        }
        self.client.unassign()?;
        Ok(ranges.is_empty())
    }
}

/// The timestamp that belongs to the log, if a record has one.
pub fn timestamp_of(message: &BorrowedMessage<'_>) -> Option<Millis> {
    let millis = message.timestamp().to_millis();
    millis.filter(|&millis| millis >= 0).map(Millis)
}

fn is_absent(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
        )
    )
}
