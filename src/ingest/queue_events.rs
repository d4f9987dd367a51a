//! The queue topic, read as a table: whole, from its beginning, by every instance, outside the
//! consumer group; then followed. It changes what is shown, never what is counted.
//!
//! Of one key the latest `time` wins, whatever the order of records; so reading it again changes
//! nothing, which is what a changed number of partitions is answered with.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::decode::{Limits, decode};
use crate::event::{Discard, Event, Millis, QueueEvent, Span};
use crate::live::{BadSetting, Registry};
use crate::recovery::tail::timestamp_of;
use crate::topics::{QUEUES, create_command};

use super::batch::is_ahead;
use super::client::{Broker, KafkaSettings, Quiet, TopicState};
use super::progress::Progress;
use super::stop::Stop;

/// What the table's reader tells of what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// A record was applied, or was not for this reason.
    Record(Result<(), Discard>),
    /// A setting was refused; the record's others apply.
    Refused(BadSetting),
}

/// What the table's reader is given.
pub struct QueueTable {
    /// Where to read.
    pub settings: KafkaSettings,
    /// Larger records are refused.
    pub limits: Limits,
    /// How far an event's time may lie after its record's own timestamp.
    pub max_ahead: Span,
    /// What the events change.
    pub registry: Arc<Registry>,
    /// Where to say that it has been read.
    pub progress: Arc<Progress>,
    /// Hears what became of each record.
    pub tell: Box<dyn Fn(Told) + Send>,
    /// Raised to end it.
    pub stop: Arc<Stop>,
}

impl fmt::Debug for QueueTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueTable").finish_non_exhaustive()
    }
}

/// How often the topic's partitions are looked at again.
const LOOK: Duration = Duration::from_secs(30);
/// How often a broker or topic that is not there is asked for again.
const RETRY: Duration = Duration::from_secs(1);
/// How long one question to the broker may take.
const QUESTION: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(100);

impl QueueTable {
    /// Reads until told to stop. A topic that does not exist is an empty table, told once.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn run(&self) -> KafkaResult<()> {
        let Some(topic) = self.settings.queue_topic.as_deref() else {
            self.progress.set_queues_read();
            while !self.stop.wait(LOOK) {}
            return Ok(());
        };
        let broker = Broker::new(self.settings.clone())?;
        // Assigning by hand needs a group's name, but no group is joined.
        let mut config = self.settings.outsider();
        config.set("group.id", "queuepulse-table");
        let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet)?;
        let mut missing_told = false;
        let mut assigned = 0;
        while !self.stop.is_raised() {
            match broker.topic(topic, QUESTION) {
                Ok(TopicState::Partitions(partitions)) => {
                    if partitions == assigned
                        || self.read_from_the_beginning(&broker, &consumer, topic, partitions)
                    {
                        assigned = partitions;
                        self.follow(&consumer, Instant::now() + LOOK);
                    } else {
                        self.stop.wait(RETRY);
                    }
                }
                Ok(TopicState::Missing) => {
                    if !missing_told {
                        let brokers = &self.settings.brokers;
                        let command = create_command(brokers, topic, 1, QUEUES);
                        tracing::warn!(
                            "kafka: topic {topic} does not exist; the file's settings hold; create \
                             it with: {command}"
                        );
                        missing_told = true;
                    }
                    self.progress.set_queues_read();
                    self.stop.wait(RETRY);
                }
                Err(_) => {
                    self.stop.wait(RETRY);
                }
            }
        }
        Ok(())
    }

    /// Reads every partition from its first record to where it ends now; whether that was done.
    fn read_from_the_beginning(
        &self,
        broker: &Broker,
        consumer: &BaseConsumer<Quiet>,
        topic: &str,
        partitions: i32,
    ) -> bool {
        let begun = begin(broker, consumer, topic, partitions);
        let mut ends = match begun {
            Ok(ends) => ends,
            Err(error) => {
                tracing::warn!(%error, "kafka: topic {topic} cannot be read");
                return false;
            }
        };
        while !ends.is_empty() && !self.stop.is_raised() {
            match consumer.poll(POLL) {
                Some(Ok(message)) => {
                    self.apply(&message);
                    let next = message.offset() + 1;
                    if ends
                        .get(&message.partition())
                        .is_some_and(|&end| next >= end)
                    {
                        ends.remove(&message.partition());
                    }
                }
                // The end, also where the last offsets hold no record.
                Some(Err(KafkaError::PartitionEOF(partition))) => {
                    ends.remove(&partition);
                }
                Some(Err(_)) | None => {}
            }
        }
        if ends.is_empty() {
            self.progress.set_queues_read();
        }
        ends.is_empty()
    }

    fn follow(&self, consumer: &BaseConsumer<Quiet>, until: Instant) {
        while Instant::now() < until && !self.stop.is_raised() {
            if let Some(Ok(message)) = consumer.poll(POLL) {
                self.apply(&message);
            }
        }
    }

    fn apply(&self, message: &BorrowedMessage<'_>) {
        let timestamp = timestamp_of(message);
        let read = read(message.payload(), timestamp, &self.limits, self.max_ahead);
        let result = read.map(|event| {
            let refused = &mut |setting| (self.tell)(Told::Refused(setting));
            self.registry.apply(&event, refused);
        });
        (self.tell)(Told::Record(result));
    }
}

/// The event of a record. One that lies ahead of its record's own timestamp is refused: the latest
/// `time` wins, so it would stand for as long.
fn read<'a>(
    value: Option<&'a [u8]>,
    timestamp: Option<Millis>,
    limits: &Limits,
    max_ahead: Span,
) -> Result<QueueEvent<'a>, Discard> {
    match decode(value.ok_or(Discard::Tombstone)?, limits)? {
        Event::Queue(event) if is_ahead(event.time, timestamp, max_ahead) => {
            Err(Discard::FutureTime)
        }
        Event::Queue(event) => Ok(event),
        Event::Contact(_) | Event::Agent(_) => Err(Discard::WrongTopic),
    }
}

/// Assigns every partition from its first record; where each ends now, those without records left
/// out.
fn begin(
    broker: &Broker,
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partitions: i32,
) -> KafkaResult<BTreeMap<i32, i64>> {
    let mut list = TopicPartitionList::new();
    let mut ends = BTreeMap::new();
    for partition in 0..partitions {
        let (low, high) = broker.watermarks(topic, partition, QUESTION)?;
        list.add_partition_offset(topic, partition, Offset::Offset(low))?;
        if high > low {
            ends.insert(partition, high);
        }
    }
    consumer.assign(&list)?;
    Ok(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_ahead_of_its_record_would_stand_until_then_and_is_refused() {
        let time = 1_767_603_600_000_i64;
        let value = format!(
            r#"{{"id":"e","type":"queue.configured","time":{time},"client_id":"acme","queue_id":"q"}}"#
        );
        let result = |timestamp| {
            let limits = Limits::default();
            let read = read(
                Some(value.as_bytes()),
                timestamp,
                &limits,
                Span::seconds(60),
            );
            read.map(|event| event.time)
        };
        for (timestamp, expected) in [
            (Some(Millis(time)), Ok(Millis(time))),
            (Some(Millis(time - 60_000)), Ok(Millis(time))),
            (Some(Millis(time - 60_001)), Err(Discard::FutureTime)),
            (None, Ok(Millis(time))),
        ] {
            assert_eq!(result(timestamp), expected, "{timestamp:?}");
        }
    }
}
