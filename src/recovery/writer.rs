//! The thread that writes snapshots: compresses what workers have encoded, produces it, and reports
//! when the broker has it.
//!
//! Apart from the poll thread and the workers, since compressing a large state takes longer than
//! either may pause. Idempotent and acknowledged by all replicas: a snapshot counts when it is
//! safe.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer as _, ProducerContext};

use super::header::{Header, Of};
use super::records::{self, Record};

/// A state that a worker has encoded.
#[derive(Debug)]
pub struct Encoded {
    /// What it stands for.
    pub header: Header,
    /// The state.
    pub state: Vec<u8>,
    /// Tells it from others; grows.
    pub turn: u64,
    /// Which earlier one of its partition it overwrites.
    pub slot: u64,
    /// When it was ordered.
    pub ordered: Instant,
}

/// What became of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which.
    pub turn: u64,
    /// The state is that of every record before this offset.
    pub next_offset: i64,
    /// How it went; none if it could not be written.
    pub written: Option<Written>,
}

/// A snapshot that the broker has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its bytes in the topic.
    pub bytes: u64,
    /// From the order to the broker's word.
    pub took: Duration,
}

/// What the thread is given.
pub struct Writer {
    /// How to reach the broker.
    pub client: ClientConfig,
    /// The snapshot topic.
    pub topic: String,
    /// What is to be written.
    pub inbox: Receiver<Encoded>,
    /// Hears what became of it.
    pub reports: SyncSender<Report>,
    /// Raised when nothing else will come.
    pub done: Arc<AtomicBool>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// Laid over the client's settings.
const SETTINGS: [(&str, &str); 7] = [
    ("acks", "all"),
    // What is produced is compressed already.
    ("compression.type", "none"),
    ("enable.idempotence", "true"),
    ("linger.ms", "0"),
    ("message.max.bytes", "1000000"),
    // Later than this the next one is the better one.
    ("message.timeout.ms", "10000"),
    ("queue.buffering.max.kbytes", "65536"),
];
/// How long it waits for something to write before it looks after what is under way.
const POLL: Duration = Duration::from_millis(10);
/// How long a full queue may hold up a snapshot.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the log says that snapshots fail for one and the same reason.
const TELL: Duration = Duration::from_mins(1);
/// How long asking for the topic's partitions may take.
const LOOK: Duration = Duration::from_secs(1);

impl Writer {
    /// Writes until told that nothing else will come.
    ///
    /// # Errors
    /// The settings make no client.
    pub fn run(self) -> KafkaResult<()> {
        let mut config = self.client.clone();
        for (key, value) in SETTINGS {
            config.set(key, value);
        }
        let reports = self.reports.clone();
        let producer: Producer = config.create_with_context(Context {
            reports,
            reasons: Mutex::default(),
        })?;
        while !self.done.load(SeqCst) {
            match self.inbox.recv_timeout(POLL) {
                Ok(encoded) => self.write(&producer, encoded),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            producer.poll(Duration::ZERO);
        }
        Ok(())
    }

    fn write(&self, producer: &Producer, encoded: Encoded) {
        let partition = encoded.header.of.partition;
        let Encoded {
            header,
            state,
            turn,
            slot,
            ordered,
        } = encoded;
        let records = records::write(&header, &state, slot).unwrap_or_default();
        drop(state);
        let bytes: usize = records.iter().map(|record| record.value.len()).sum();
        let under_way = Arc::new(UnderWay {
            of: header.of,
            turn,
            next_offset: header.next_offset,
            bytes: bytes as u64,
            ordered,
            missing: AtomicUsize::new(records.len()),
            failed: AtomicBool::new(records.is_empty()),
        });
        if records.is_empty() {
            producer.context().warn(&under_way, "it cannot be encoded");
            producer.context().tell(&under_way);
        }
        for record in &records {
            if let Err(error) = self.send(producer, record, partition, &under_way) {
                producer.context().warn(&under_way, &error.to_string());
                under_way.failed.store(true, SeqCst);
                producer.context().one_less(&under_way);
            }
        }
    }

    fn send(
        &self,
        producer: &Producer,
        record: &Record,
        partition: i32,
        under_way: &Arc<UnderWay>,
    ) -> Result<(), KafkaError> {
        let until = Instant::now() + PATIENCE;
        let mut base = BaseRecord::with_opaque_to(&self.topic, Arc::clone(under_way))
            .partition(partition)
            .key(record.key.as_str())
            .payload(record.value.as_slice());
        loop {
            match producer.send(base) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back))
                    if Instant::now() < until && !self.done.load(SeqCst) =>
                {
                    base = back;
                    producer.poll(POLL);
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::UnknownPartition), back))
                    if Instant::now() < until && !self.done.load(SeqCst) =>
                {
                    // The topic was given partitions since this client last looked.
                    base = back;
                    if let Err(error) = producer.client().fetch_metadata(Some(&self.topic), LOOK) {
                        tracing::debug!(%error, "no metadata of the snapshot topic");
                    }
                    producer.poll(POLL);
                }
                Err((error, _)) => return Err(error),
            }
        }
    }
}

type Producer = BaseProducer<Context>;

/// A snapshot whose records the broker does not all have yet.
#[derive(Debug)]
struct UnderWay {
    of: Of,
    turn: u64,
    next_offset: i64,
    bytes: u64,
    ordered: Instant,
    missing: AtomicUsize,
    failed: AtomicBool,
}

struct Context {
    reports: SyncSender<Report>,
    reasons: Mutex<Reasons>,
}

/// Why snapshots failed, and when the log said so. A handful: they are the broker's and the client's
/// error codes.
#[derive(Debug, Default)]
struct Reasons(BTreeMap<String, Instant>);

impl Reasons {
    /// Whether this one is to be told now: all partitions fail together, again and again.
    fn is_due(&mut self, reason: &str, now: Instant) -> bool {
        let told = self.0.get(reason);
        let due = told.is_none_or(|told| now.saturating_duration_since(*told) >= TELL);
        if due {
            self.0.insert(reason.to_owned(), now);
        }
        due
    }
}

impl Context {
    fn warn(&self, under_way: &UnderWay, reason: &str) {
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if reasons.is_due(reason, Instant::now()) {
            let Of {
                topic, partition, ..
            } = &under_way.of;
            tracing::warn!(
                "kafka: a snapshot of {topic}/{partition} was not written: {reason}; figures are \
                 right, and the next one is tried in its turn; said once a minute of each reason"
            );
        }
    }

    /// One record of it has come through, or has not.
    fn one_less(&self, under_way: &UnderWay) {
        if under_way.missing.fetch_sub(1, SeqCst) == 1 {
            self.tell(under_way);
        }
    }

    fn tell(&self, under_way: &UnderWay) {
        let whole = !under_way.failed.load(SeqCst);
        let report = Report {
            turn: under_way.turn,
            next_offset: under_way.next_offset,
            written: whole.then(|| Written {
                bytes: under_way.bytes,
                took: under_way.ordered.elapsed(),
            }),
        };
        // Nobody waits for it any more.
        let _ = self.reports.try_send(report);
    }
}

impl ClientContext for Context {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<UnderWay>;

    fn delivery(&self, result: &DeliveryResult<'_>, under_way: Arc<UnderWay>) {
        if let Err((error, _)) = result {
            self.warn(&under_way, &error.to_string());
            under_way.failed.store(true, SeqCst);
        }
        self.one_less(&under_way);
    }
}

/// A snapshot cannot fail for its size alone.
const _: () = assert!(records::PIECE + 64 * 1024 < 1_000_000);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_told_once_a_minute_and_another_at_once() {
        let mut reasons = Reasons::default();
        let begun = Instant::now();
        let at = |seconds| begun + Duration::from_secs(seconds);
        for (seconds, reason, due) in [
            (0, "timed out", true),
            (5, "timed out", false),
            (5, "not authorized", true),
            (59, "timed out", false),
            (60, "timed out", true),
            (64, "not authorized", false),
            (65, "not authorized", true),
        ] {
            assert_eq!(
                reasons.is_due(reason, at(seconds)),
                due,
                "{seconds} {reason}"
            );
        }
    }
}
