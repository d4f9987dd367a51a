//! The composition root: builds every part, wires them in the order of the data path, and is the
//! only one to start threads.
//!
//! ```text
//! Kafka ─▶ poll thread ──(8 orders a worker)──▶ workers ──(one frame a tick)──▶ HTTP
//!          queue table ──▶ registry                ▲
//!                          ticker ─────────────────┘
//! ```

pub mod clock;
pub mod cluster;
pub mod condition;
pub mod demo;
pub mod engine;
pub mod http;
pub mod site;
pub mod threads;
pub mod tick;
pub mod top;
pub mod worker;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::config::{Config, KafkaConfig};
use crate::ingest::client::KafkaSettings;
use crate::ingest::embedded::EmbeddedBroker;
use crate::ingest::kafka::IngestError;
use crate::shutdown::INTAKE;

use demo::{Day, DemoOptions};

/// Why the process ends with a failure.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The address is taken, or not ours.
    #[error("http.listen: cannot listen on {address}: {reason}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The system refuses what it takes to run.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
    /// Reading ended.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// A client of Kafka could not be made.
    #[error("kafka: {0}")]
    Kafka(#[from] rdkafka::error::KafkaError),
    /// A metric is declared twice.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The poll thread does not go round any more.
    #[error(
        "the poll thread has been stuck for a minute; a restart goes on from the last snapshot"
    )]
    Stuck,
    /// A thread has panicked.
    #[error("thread {0} has panicked")]
    ThreadPanicked(String),
}

/// Runs the engine on a Kafka until it is asked to end. `announce` is told where to look.
///
/// # Errors
/// Why it could not start, or had to end.
pub fn run(config: &Config, announce: &mut dyn FnMut(&str)) -> Result<(), AppError> {
    let kafka = kafka_settings(&config.kafka);
    engine::start(config, kafka, None, announce)?.until_asked()
}

/// Shows what the instances of a group have read until it is asked to end: a process that takes no
/// partitions. `announce` is told where to look.
///
/// # Errors
/// Why it could not start, or had to end.
pub fn view(config: &Config, announce: &mut dyn FnMut(&str)) -> Result<(), AppError> {
    let kafka = kafka_settings(&config.kafka);
    engine::start_viewer(config, kafka, announce)?.until_asked()
}

/// Runs the demo until it is asked to end: as [`run`], on a broker and a centre of its own.
///
/// # Errors
/// Why it could not start, or had to end.
pub fn demo(
    config: &Config,
    options: DemoOptions,
    announce: &mut dyn FnMut(&str),
) -> Result<(), AppError> {
    let broker = EmbeddedBroker::start(&demo::topics())?;
    let address = broker.address().to_owned();
    let mut day = Day::new(options.seed, clock::now());
    let kafka = KafkaSettings {
        brokers: address.clone(),
        embedded: true,
        snapshot_topic: None,
        ..kafka_settings(&config.kafka)
    };
    let mut running = engine::start(config, kafka, Some(day.take_past()), announce)?;
    announce(&format!("Kafka for events of your own: {address}"));
    let stop = Arc::clone(&running.stop);
    let produce = move || Ok(day.produce(&address, &stop, clock::now)?);
    running.threads.start(&format!("{INTAKE}: demo"), produce)?;
    let ended = running.until_asked();
    drop(broker);
    ended
}

/// How the engine reaches Kafka.
fn kafka_settings(config: &KafkaConfig) -> KafkaSettings {
    let mut properties = config.all_properties();
    if config.instance.is_empty()
        && let Some(host) = host_name()
    {
        properties.insert("group.instance.id".to_owned(), host);
    }
    KafkaSettings {
        brokers: config.brokers.clone(),
        group: config.group.clone(),
        contact_topic: config.contact_topic.clone(),
        agent_topic: config.agent_topic.clone(),
        queue_topic: config.queue_topic.clone(),
        snapshot_topic: config.snapshot_topic.clone(),
        create_topics: config.create_topics,
        properties,
        embedded: false,
    }
}

/// The host's name, where the system says it in a file.
fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}
