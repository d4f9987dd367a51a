//! Topics of a real broker, and the simulator's events in them.

#![allow(
    dead_code,
    reason = "each integration test uses a part of this shared module"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{OwnedEvent, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

pub fn broker() -> String {
    std::env::var("QUEUEPULSE_KAFKA").unwrap_or_else(|_| panic!("run by tests/kafka/kafka.sh"))
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

pub fn client(brokers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config
}

/// Waits for what a client answers later.
pub fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(answer)
}

/// The topic that holds such events.
pub fn name(topics: &str, topic: Topic) -> String {
    let kind = match topic {
        Topic::Contacts => "contacts",
        Topic::Agents => "agents",
        Topic::Queues => "queues",
    };
    format!("{topics}-{kind}")
}

/// Creates the three topics.
pub fn create(brokers: &str, topics: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let names = Topic::ALL.map(|topic| name(topics, topic));
    let topic = |name| NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let wanted: Vec<NewTopic<'_>> = names.iter().map(|name| topic(name)).collect();
    for made in wait(admin.create_topics(&wanted, &AdminOptions::new())).unwrap() {
        made.unwrap();
    }
}

/// Creates one topic as it comes.
pub fn create_one(brokers: &str, name: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for made in wait(admin.create_topics(&[topic], &AdminOptions::new())).unwrap() {
        made.unwrap();
    }
}

/// Deletes one topic.
pub fn delete_one(brokers: &str, name: &str) {
    let admin: AdminClient<DefaultClientContext> = client(brokers).create().unwrap();
    for deleted in wait(admin.delete_topics(&[name], &AdminOptions::new())).unwrap() {
        deleted.unwrap();
    }
}

/// Produces events into the three topics, spread as every client spreads them.
pub struct Sender {
    producer: BaseProducer,
    topics: String,
    partitions: i32,
}

impl Sender {
    pub fn new(brokers: &str, topics: &str, partitions: i32) -> Self {
        let mut config = client(brokers);
        config.set("queue.buffering.max.messages", "200000");
        config.set("enable.idempotence", "true");
        config.set("topic.metadata.refresh.interval.ms", "1000");
        Self {
            producer: config.create().unwrap(),
            topics: topics.to_owned(),
            partitions,
        }
    }

    pub fn send(&self, event: &OwnedEvent) {
        let name = name(&self.topics, event.topic);
        let mut record = BaseRecord::to(&name)
            .key(&event.key)
            .payload(&event.json)
            .timestamp(event.sent.0);
        // Every engine reads the whole table of queues, wherever in it a record lies.
        if event.topic != Topic::Queues {
            record = record.partition(partition_of(&event.key, self.partitions));
        }
        while let Err((error, back)) = self.producer.send(record) {
            // Full, or a partition that was added a moment ago.
            let passing = [
                RDKafkaErrorCode::QueueFull,
                RDKafkaErrorCode::UnknownPartition,
            ];
            let passes = |code: &RDKafkaErrorCode| error == KafkaError::MessageProduction(*code);
            assert!(passing.iter().any(passes), "{error}");
            self.producer.poll(Duration::from_millis(10));
            record = back;
        }
    }

    /// Lets the client take in what the broker has said.
    pub fn serve(&self) {
        self.producer.poll(Duration::ZERO);
    }

    pub fn flush(&self) {
        self.producer.flush(Duration::from_mins(1)).unwrap();
    }
}
