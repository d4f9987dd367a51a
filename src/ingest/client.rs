//! Settings of the Kafka clients, and the questions asked of the broker outside the group.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::event::Millis;
use crate::recovery::header::Of;

use super::source::{Source, Topic};
use super::start::LogBounds;

/// Where to read, and how to connect.
#[derive(Clone, PartialEq, Eq)]
pub struct KafkaSettings {
    /// The brokers' addresses, for messages.
    pub brokers: String,
    /// The topic of contact events.
    pub contact_topic: String,
    /// The topic of agent events.
    pub agent_topic: String,
    /// The compacted topic of queue events, if there is one.
    pub queue_topic: Option<String>,
    /// Where snapshots are kept; none if they are not.
    pub snapshot_topic: Option<String>,
    /// The snapshot topic may be created, and given more partitions.
    pub create_topics: bool,
    /// The consumer group.
    pub group: String,
    /// librdkafka's properties, over the engine's own. May hold secrets.
    pub properties: BTreeMap<String, String>,
    /// The broker is embedded in this process: it cannot search by time, so each partition is read
    /// from its first record; and nobody else reads, so all partitions are taken without a group,
    /// whose members the broker would first wait for.
    pub embedded: bool,
}

impl fmt::Debug for KafkaSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSettings")
            .field("brokers", &self.brokers)
            .field("contact_topic", &self.contact_topic)
            .field("agent_topic", &self.agent_topic)
            .field("queue_topic", &self.queue_topic)
            .field("snapshot_topic", &self.snapshot_topic)
            .finish_non_exhaustive()
    }
}

impl KafkaSettings {
    /// The name of a topic.
    pub fn topic(&self, topic: Topic) -> &str {
        match topic {
            Topic::Contact => &self.contact_topic,
            Topic::Agent => &self.agent_topic,
        }
    }

    /// Which of the two topics has this name.
    pub fn topic_named(&self, name: &str) -> Option<Topic> {
        Topic::ALL
            .into_iter()
            .find(|&topic| self.topic(topic) == name)
    }

    /// Whose state a partition's snapshots are.
    pub fn of(&self, source: Source) -> Of {
        Of {
            group: self.group.clone(),
            topic: self.topic(source.topic).to_owned(),
            partition: source.partition,
        }
    }

    /// A client that is no member of a group, and may produce.
    pub fn outsider(&self) -> ClientConfig {
        let mut config = self.any();
        config.set("group.protocol", "classic");
        config
    }

    /// What all clients have in common.
    fn any(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        let properties = self.properties.iter();
        let given = properties.map(|(key, value)| (key.as_str(), value.as_str()));
        for (key, value) in DEFAULTS.into_iter().chain(given).chain(FIXED) {
            config.set(key, value);
        }
        config.set("bootstrap.servers", &self.brokers);
        config.set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    /// The member of the group; its statistics tell where the logs end. Under the newer group
    /// protocol the coordinator decides on sessions and on who gets what, and librdkafka refuses to
    /// be told.
    pub(super) fn member(&self) -> ClientConfig {
        let mut config = self.any();
        config.set("group.id", &self.group);
        config.set("statistics.interval.ms", "1000");
        if config.get("group.protocol") == Some("consumer") {
            for decided in DECIDED_BY_THE_COORDINATOR {
                config.remove(decided);
            }
        }
        config
    }
}

/// What every client begins with; the properties given are laid over it. Memory is bounded, and a
/// broker that went away is noticed soon. An engine that catches up keeps librdkafka's queue full, and
/// librdkafka then waits a whole second, unless told otherwise, before it asks for more.
const DEFAULTS: [(&str, &str); 14] = [
    ("check.crcs", "true"),
    ("client.id", "queuepulse"),
    ("fetch.message.max.bytes", "1048576"),
    ("fetch.queue.backoff.ms", "10"),
    ("fetch.wait.max.ms", "50"),
    ("group.protocol", "classic"),
    ("heartbeat.interval.ms", "2000"),
    ("max.poll.interval.ms", "60000"),
    ("partition.assignment.strategy", "range"),
    ("queued.max.messages.kbytes", "16384"),
    ("reconnect.backoff.max.ms", "5000"),
    ("session.timeout.ms", "10000"),
    ("socket.keepalive.enable", "true"),
    ("topic.metadata.refresh.interval.ms", "30000"),
];

const DECIDED_BY_THE_COORDINATOR: [&str; 3] = [
    "heartbeat.interval.ms",
    "partition.assignment.strategy",
    "session.timeout.ms",
];

/// What nothing is laid over: where reading begins is always said, so nothing is committed or reset
/// by itself; aborted transactions are not read; no topic is made by asking for it.
const FIXED: [(&str, &str); 6] = [
    ("allow.auto.create.topics", "false"),
    ("auto.offset.reset", "error"),
    ("enable.auto.commit", "false"),
    ("enable.auto.offset.store", "false"),
    ("enable.partition.eof", "true"),
    ("isolation.level", "read_committed"),
];

/// A client outside the group, for metadata and offsets, kept open.
pub struct Broker {
    settings: KafkaSettings,
    client: BaseConsumer<Quiet>,
}

/// Logs what librdkafka says at debug level only; what matters is returned as an error.
#[derive(Debug)]
pub struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Quiet {}

/// What the broker knows of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicState {
    /// It is there, with so many partitions.
    Partitions(i32),
    /// There is no such topic.
    Missing,
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").finish_non_exhaustive()
    }
}

impl Broker {
    /// A client; connects when it is first asked something.
    pub fn new(settings: KafkaSettings) -> KafkaResult<Self> {
        let client = settings.outsider().create_with_context(Quiet)?;
        Ok(Self { settings, client })
    }

    /// Asks for a topic.
    pub fn topic(&self, name: &str, at_most: Duration) -> KafkaResult<TopicState> {
        let metadata = self.client.fetch_metadata(Some(name), at_most)?;
        let found = metadata.topics().iter().find(|topic| topic.name() == name);
        let Some(topic) = found else {
            return Ok(TopicState::Missing);
        };
        match topic.error().map(RDKafkaErrorCode::from) {
            None => {
                let partitions = i32::try_from(topic.partitions().len()).unwrap_or(i32::MAX);
                Ok(TopicState::Partitions(partitions))
            }
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::InvalidTopic,
            ) => Ok(TopicState::Missing),
            Some(code) => Err(KafkaError::MetadataFetch(code)),
        }
    }

    /// Whether a broker answers at all, whatever it says of this topic.
    pub fn answers(&self, topic: &str, at_most: Duration) -> bool {
        self.client.fetch_metadata(Some(topic), at_most).is_ok()
    }

    /// Asks where a partition's log begins and ends, and where the records from `wanted` on begin;
    /// without `wanted`, only the first two.
    pub fn bounds(
        &self,
        source: Source,
        wanted: Option<Millis>,
        at_most: Duration,
    ) -> KafkaResult<LogBounds> {
        let topic = self.settings.topic(source.topic);
        let (low, high) = self.watermarks(topic, source.partition, at_most)?;
        let found = match wanted {
            Some(wanted) => self.offset_at(topic, source.partition, wanted, at_most)?,
            None => None,
        };
        Ok(LogBounds { low, high, found })
    }

    /// The first offset of a partition, and the one after the last.
    pub fn watermarks(
        &self,
        topic: &str,
        partition: i32,
        at_most: Duration,
    ) -> KafkaResult<(i64, i64)> {
        self.client.fetch_watermarks(topic, partition, at_most)
    }

    fn offset_at(
        &self,
        topic: &str,
        partition: i32,
        wanted: Millis,
        at_most: Duration,
    ) -> KafkaResult<Option<i64>> {
        let mut times = TopicPartitionList::with_capacity(1);
        times.add_partition_offset(topic, partition, Offset::Offset(wanted.0.max(0)))?;
        let offsets = self.client.offsets_for_times(times, at_most)?;
        let Some(element) = offsets.find_partition(topic, partition) else {
            return Ok(None);
        };
        element.error()?;
        Ok(match element.offset() {
            Offset::Offset(offset) => Some(offset),
            Offset::Beginning
            | Offset::End
            | Offset::Stored
            | Offset::Invalid
            | Offset::OffsetTail(_) => None,
        })
    }
}
