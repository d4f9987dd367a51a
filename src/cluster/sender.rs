//! The thread that publishes this instance's rows: once a whole second, what changed, then the beat.
//!
//! One idempotent producer and one partition, so that records arrive in the order in which they were
//! sent, and the beat after its rows. What may not have arrived is sent whole again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rapidhash::v3::rapidhash_v3;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use crate::event::{Millis, Span};
use crate::live::{Frames, Registry};
use crate::windows::frame::Frame;

use super::topic::RowsTopic;
use super::{Outbox, Record, Status};

/// Waits so long, or until the process is to end; whether it is.
pub type Wait = Box<dyn Fn(Duration) -> bool + Send>;

/// What was sent for one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Records, the beat included.
    pub records: u64,
    /// Keys and values, before compression.
    pub bytes: u64,
}

/// What the thread is given.
pub struct Sender {
    /// How to reach the broker.
    pub client: ClientConfig,
    /// Where to.
    pub topic: RowsTopic,
    /// Decides what is sent.
    pub outbox: Outbox,
    /// This instance's name.
    pub instance: String,
    /// Names of what frames number.
    pub registry: Arc<Registry>,
    /// What the workers publish.
    pub frames: Arc<Frames>,
    /// What the beat says; none while nothing may be published.
    pub status: Box<dyn Fn(Millis) -> Option<Status> + Send>,
    /// The wall clock.
    pub clock: fn() -> Millis,
    /// Ends it.
    pub wait: Wait,
    /// Hears what was sent.
    pub tell: Box<dyn Fn(Sent) + Send>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

/// Laid over the client's settings.
const SETTINGS: [(&str, &str); 6] = [
    ("acks", "all"),
    ("compression.type", "zstd"),
    ("enable.idempotence", "true"),
    ("linger.ms", "5"),
    // later than this it is too late to be shown
    ("message.timeout.ms", "10000"),
    ("queue.buffering.max.kbytes", "131072"),
];
/// How often the frames are looked at: adds so much delay at most.
const LOOK: Duration = Duration::from_millis(20);
/// An instant that lies further back is not worth sending.
const TOO_LATE: Span = Span::seconds(3);
/// How long a full queue may hold up a record.
const PATIENCE: Duration = Duration::from_secs(2);
/// When nothing has arrived for so long, though something was sent, the topic is asked for anew and has
/// another client: it may have been deleted, or the client may not be able to go on.
const UNHEARD: Duration = Duration::from_secs(10);

type Producer = BaseProducer<Deliveries>;

/// What became of what was sent.
#[derive(Debug, Default)]
struct Deliveries {
    arrived: AtomicU64,
    failed: AtomicU64,
    /// The offset after the last that arrived.
    next: AtomicI64,
}

impl ClientContext for Deliveries {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        match result {
            Ok(record) => {
                self.arrived.fetch_add(1, Relaxed);
                // Another topic: what arrived before is not there. (Of a record that the broker had
                // already, the offset is not known.)
                let offset = record.offset();
                if offset >= 0 && offset < self.next.swap(offset + 1, Relaxed) {
                    self.failed.fetch_add(1, Relaxed);
                }
            }
            Err(_) => {
                self.failed.fetch_add(1, Relaxed);
            }
        }
    }
}

impl Sender {
    /// Publishes until the process is to end.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn run(mut self) -> KafkaResult<()> {
        let mut config = self.client.clone();
        for (key, value) in SETTINGS {
            config.set(key, value);
        }
        let mut told = false;
        while let Some(partitions) = self.topic.wait_for(&self.client, &*self.wait)? {
            let partition = partition_of(&self.instance, partitions);
            let producer: Producer = config.create_with_context(Deliveries::default())?;
            self.outbox.forget();
            let arrived = self.publish_all(&producer, partition);
            if (arrived || !told) && !(self.wait)(Duration::ZERO) {
                let topic = &self.topic.name;
                tracing::warn!("kafka: live rows do not arrive at topic {topic}; sending anew");
                told = true;
            }
        }
        Ok(())
    }

    /// Publishes until the process is to end, or nothing has arrived for too long; whether anything
    /// did before.
    fn publish_all(&mut self, producer: &Producer, partition: i32) -> bool {
        let (mut published, mut failures, mut arrivals) = (Millis::MIN, 0, 0);
        let mut unheard = None::<Instant>;
        while !(self.wait)(LOOK) {
            producer.poll(Duration::ZERO);
            let deliveries = producer.context();
            let arrived = deliveries.arrived.load(Relaxed);
            if arrived > arrivals {
                arrivals = arrived;
                unheard = None;
            }
            let failed = deliveries.failed.load(Relaxed);
            if failed > failures {
                failures = failed;
                self.outbox.forget();
                unheard.get_or_insert_with(Instant::now);
            }
            if unheard.is_some_and(|since| since.elapsed() >= UNHEARD) {
                break;
            }
            let Some((frames, status)) = self.due(published) else {
                continue;
            };
            published = frames.first().map_or(published, |frame| frame.to);
            self.publish(producer, partition, &frames, &status);
        }
        arrivals > 0
    }

    /// The frames of a whole second after the one published, if they may be.
    fn due(&self, published: Millis) -> Option<(Vec<Arc<Frame>>, Status)> {
        let now = (self.clock)();
        // Asked first: what it says of the frames then holds of those taken up after it.
        let status = (self.status)(now)?;
        let frames = self.frames.latest()?;
        let to = frames.first()?.to;
        let whole = frames.iter().all(|frame| frame.now == to && frame.to == to);
        if !whole || to <= published || now - to > TOO_LATE {
            return None;
        }
        Some((frames, status))
    }

    fn publish(
        &mut self,
        producer: &Producer,
        partition: i32,
        frames: &[Arc<Frame>],
        status: &Status,
    ) {
        let mut sent = Sent::default();
        let mut lost = false;
        let topic = &self.topic.name;
        self.outbox
            .send(frames, &self.registry, status, &mut |record| {
                sent.records += 1;
                let bytes = record.key.len() + record.value.map_or(0, <[u8]>::len);
                sent.bytes += bytes as u64;
                lost = lost || produce(producer, topic, partition, record).is_err();
            });
        if lost {
            producer.context().failed.fetch_add(1, Relaxed);
        }
        (self.tell)(sent);
    }
}

fn produce(
    producer: &Producer,
    topic: &str,
    partition: i32,
    record: Record<'_>,
) -> Result<(), KafkaError> {
    let until = Instant::now() + PATIENCE;
    let mut base = BaseRecord::to(topic).key(record.key).partition(partition);
    if let Some(value) = record.value {
        base = base.payload(value);
    }
    loop {
        match producer.send(base) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                if Instant::now() < until =>
            {
                base = back;
                producer.poll(LOOK);
            }
            Err((error, _)) => return Err(error),
        }
    }
}

/// All records of an instance lie in one partition, so that they keep their order.
fn partition_of(instance: &str, partitions: i32) -> i32 {
    let partitions = u64::try_from(partitions).unwrap_or(1).max(1);
    i32::try_from(rapidhash_v3(instance.as_bytes()) % partitions).unwrap_or(0)
}
