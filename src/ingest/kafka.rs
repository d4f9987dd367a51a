//! The poll thread: reads both topics as a member of the group and hands each partition's records,
//! in batches, to the worker that owns the partition.
//!
//! One thread polls, because librdkafka's per-partition queues lose wake-ups and partitions (rdkafka
//! issues 535, 651, 840); at over a million messages a second it is not what limits the engine. The
//! channels are bounded: when workers fall behind, polling waits, librdkafka's own queues fill and
//! fetching stops. Nothing is paused, nothing is sought, nothing is committed: a group offset would
//! decide nothing, since state is rebuilt from the log.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use thiserror::Error;

use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::windows::frame::WindowSpec;

use super::assignment::{Assignment, Share, Step};
use super::batch::Batch;
use super::client::{Broker, KafkaSettings, TopicState};
use super::context::{Change, Member};
use super::progress::{Progress, SourceProgress};
use super::shard::Shard;
use super::source::{Source, Topic};
use super::start::Start;
use super::statistics::Statistics;
use super::stop::Stop;

/// A question to a worker; it sends its answer itself.
pub struct Question(pub Box<dyn FnOnce(&Shard) + Send>);

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question")
    }
}

/// What a worker is told, in order.
#[derive(Debug)]
pub enum Order {
    /// Begin an empty state of this partition.
    Take {
        /// The partition.
        source: Source,
        /// Where reading begins.
        start: Start,
        /// Where to say how far it has been applied.
        progress: Arc<SourceProgress>,
    },
    /// Apply these records; an empty batch says that nothing else lies before its `next`.
    Records(Batch),
    /// Everything up to the end as it was at assignment has been handed over.
    CaughtUp(Source),
    /// Forget this partition.
    Drop(Source),
    /// Answer a question about the worker's partitions.
    Ask(Question),
    /// Look at the clock: a tick is due. Sent by the ticker.
    Wake,
    /// Publish once more and end. Sent when nothing else will come.
    Finish,
}

/// Why reading ended. Each ends the process, so that a supervisor starts it anew.
#[derive(Debug, Error)]
pub enum IngestError {
    /// The settings make no client.
    #[error("kafka: the client cannot be created: {0}")]
    Client(KafkaError),
    /// librdkafka cannot go on.
    #[error("kafka: fatal error {code:?}: {reason}")]
    Fatal {
        /// Its code.
        code: RDKafkaErrorCode,
        /// Its text.
        reason: String,
    },
    /// The records that were to be read next are no longer there.
    #[error("kafka: the log no longer has the offset to be read next; a restart reads it anew")]
    LogCut,
    /// An assignment could not be taken up.
    #[error("kafka: the assignment cannot be taken up: {0}")]
    Assignment(KafkaError),
    /// A worker has ended.
    #[error("a worker thread has ended")]
    WorkerGone,
}

/// Feeds a partition what comes before its first offset; the demo's past.
pub type Prelude = Box<dyn FnMut(Source) -> Vec<Batch> + Send>;

/// What the poll thread is given.
pub struct Intake {
    /// Where to read.
    pub settings: KafkaSettings,
    /// For how far back to read.
    pub state: Arc<StateSettings>,
    /// For how far back to read.
    pub windows: Arc<[WindowSpec]>,
    /// The workers' inboxes; [`Source::worker`] says whose a partition is.
    pub workers: Vec<SyncSender<Order>>,
    /// Batches that workers have done with.
    pub used: Receiver<Batch>,
    /// Where to say how far reading has come.
    pub progress: Arc<Progress>,
    /// Raised to end it.
    pub stop: Arc<Stop>,
    /// The wall clock.
    pub clock: fn() -> Millis,
    /// What comes before offset 0, if anything.
    pub prelude: Option<Prelude>,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

/// A batch is handed over when it has so many records or bytes, or when nothing more is to be had
/// at once, or after [`BATCH_AGE`].
const BATCH_RECORDS: usize = 512;
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_AGE: Duration = Duration::from_millis(20);
/// How long a poll waits when there is nothing to read.
const POLL: Duration = Duration::from_millis(50);
/// The clock is read once in so many records.
const LOOK: u32 = 128;
/// How often a broker or topic that is not there is asked for again.
const RETRY: Duration = Duration::from_secs(1);
/// Statistics, made once a second, are about the present assignment when it is this old.
const SETTLED: Duration = Duration::from_secs(3);

/// One partition being read.
struct Reading {
    /// The offset after the last record handed over or kept in `open`.
    next: i64,
    /// Fetching came to the end at this offset, past records that are never delivered (markers of
    /// transactions); negative when there is nothing to say.
    passed: i64,
    /// When it was taken; statistics made before that are about an earlier assignment.
    taken: Instant,
    open: Option<Batch>,
    progress: Arc<SourceProgress>,
}

struct Loop {
    settings: KafkaSettings,
    workers: Vec<SyncSender<Order>>,
    used: Receiver<Batch>,
    progress: Arc<Progress>,
    clock: fn() -> Millis,
    prelude: Option<Prelude>,
    assignment: Assignment,
    readings: BTreeMap<Source, Reading>,
    /// Readings with an open batch.
    kept: usize,
    /// Records kept since the last look at the clock.
    since_look: u32,
    /// When the oldest record kept back may have come in.
    opened: Instant,
    /// Errors that have been told since the broker last answered.
    told: Vec<RDKafkaErrorCode>,
}

/// Reads until told to stop. Waits for the broker and for the topics if they are not there yet,
/// saying so once.
pub fn run(intake: Intake) -> Result<(), IngestError> {
    let broker = Broker::new(intake.settings.clone()).map_err(IngestError::Client)?;
    if !wait_for_topics(&broker, &intake) {
        return Ok(());
    }
    let member = Member {
        settings: intake.settings.clone(),
        state: intake.state,
        windows: intake.windows,
        broker,
        clock: intake.clock,
        stop: Arc::clone(&intake.stop),
        noted: AtomicBool::new(false),
        changes: Mutex::default(),
        statistics: Mutex::default(),
    };
    let config = intake.settings.member();
    let consumer: BaseConsumer<Member> = config
        .create_with_context(member)
        .map_err(IngestError::Client)?;
    let begun = if intake.settings.embedded {
        consumer.context().take_all(&consumer)
    } else {
        consumer.subscribe(&Topic::ALL.map(|topic| intake.settings.topic(topic)))
    };
    begun.map_err(IngestError::Client)?;
    let mut poll_loop = Loop {
        settings: intake.settings.clone(),
        workers: intake.workers,
        used: intake.used,
        progress: intake.progress,
        clock: intake.clock,
        prelude: intake.prelude,
        assignment: Assignment::default(),
        readings: BTreeMap::new(),
        kept: 0,
        since_look: 0,
        opened: Instant::now(),
        told: Vec::new(),
    };
    while !intake.stop.is_raised() {
        poll_loop.once(&consumer)?;
    }
    poll_loop.hand_over_all()
}

/// Asks for both topics until they are there; `false` if told to stop before.
fn wait_for_topics(broker: &Broker, intake: &Intake) -> bool {
    let mut told = String::new();
    let mut tell = |line: String| {
        if told != line {
            tracing::warn!("{line}");
            told = line;
        }
    };
    let missing = |topic: &Topic| -> Option<String> {
        let name = intake.settings.topic(*topic);
        let brokers = &intake.settings.brokers;
        match broker.topic(name, RETRY) {
            Ok(TopicState::Partitions(_)) => {
                intake.progress.set_connected(true);
                None
            }
            Ok(TopicState::Missing) => {
                intake.progress.set_connected(true);
                intake.progress.set_topics_missing(true);
                Some(format!(
                    "kafka: topic {name} does not exist at {brokers}; waiting for it"
                ))
            }
            Err(_) => {
                intake.progress.set_connected(false);
                Some(format!(
                    "kafka: no broker answers at {brokers}; trying again every second"
                ))
            }
        }
    };
    loop {
        intake.progress.polled((intake.clock)());
        match Topic::ALL.iter().find_map(missing) {
            None => {
                intake.progress.set_topics_missing(false);
                return true;
            }
            Some(line) => tell(line),
        }
        if intake.stop.wait(RETRY) {
            return false;
        }
    }
}

impl Loop {
    fn once(&mut self, consumer: &BaseConsumer<Member>) -> Result<(), IngestError> {
        let timeout = if self.kept == 0 { POLL } else { Duration::ZERO };
        let polled = consumer.poll(timeout);
        if let Some((changes, statistics)) = consumer.context().take_notes() {
            // What was kept belongs to the assignment before the change.
            self.hand_over_all()?;
            for change in changes {
                self.change(change)?;
            }
            if let Some(statistics) = statistics {
                self.look_at(&statistics);
            }
        } else if polled.is_none() {
            self.drained()?;
        }
        match polled {
            Some(Ok(message)) => self.keep(&message),
            Some(Err(error)) => self.failed(consumer, &error),
            None => {
                self.progress.polled((self.clock)());
                Ok(())
            }
        }
    }

    /// Keeps a record in its partition's open batch.
    fn keep(&mut self, message: &BorrowedMessage<'_>) -> Result<(), IngestError> {
        let Some(topic) = self.settings.topic_named(message.topic()) else {
            return Ok(());
        };
        let partition = message.partition();
        let source = Source { topic, partition };
        let Some(reading) = self.readings.get_mut(&source) else {
            return Ok(());
        };
        if message.offset() < reading.next {
            return Ok(());
        }
        let batch = open(reading, source, &self.used, &mut self.kept);
        let timestamp = message
            .timestamp()
            .to_millis()
            .filter(|&millis| millis >= 0);
        batch.push(message.offset(), message.payload(), timestamp.map(Millis));
        let full = batch.len() >= BATCH_RECORDS || batch.bytes() >= BATCH_BYTES;
        reading.next = message.offset() + 1;
        if full {
            self.hand_over(source)?;
        }
        self.since_look += 1;
        if self.since_look >= LOOK {
            self.since_look = 0;
            self.progress.polled((self.clock)());
            if self.opened.elapsed() >= BATCH_AGE {
                self.hand_over_all()?;
            }
        }
        Ok(())
    }

    /// Nothing more is to be had at once: what was fetched has been delivered.
    fn drained(&mut self) -> Result<(), IngestError> {
        for (&source, reading) in &mut self.readings {
            if reading.passed > reading.next {
                reading.next = reading.passed;
                open(reading, source, &self.used, &mut self.kept).next = reading.passed;
            }
            reading.passed = -1;
        }
        self.hand_over_all()
    }

    fn hand_over_all(&mut self) -> Result<(), IngestError> {
        self.opened = Instant::now();
        if self.kept == 0 {
            return Ok(());
        }
        let open =
            |(source, reading): (&Source, &Reading)| reading.open.is_some().then_some(*source);
        let sources: Vec<Source> = self.readings.iter().filter_map(open).collect();
        sources
            .into_iter()
            .try_for_each(|source| self.hand_over(source))
    }

    fn hand_over(&mut self, source: Source) -> Result<(), IngestError> {
        let Some(reading) = self.readings.get_mut(&source) else {
            return Ok(());
        };
        let next = reading.next;
        if let Some(batch) = reading.open.take() {
            self.kept -= 1;
            self.tell(source, Order::Records(batch))?;
        }
        let step = self.assignment.read_to(source, next);
        step.map_or(Ok(()), |step| self.carry_out(step))
    }

    fn tell(&self, source: Source, order: Order) -> Result<(), IngestError> {
        let worker = self.workers.get(source.worker(self.workers.len()));
        let sent = worker.map(|worker| worker.send(order));
        sent.and_then(Result::ok).ok_or(IngestError::WorkerGone)
    }

    fn change(&mut self, change: Change) -> Result<(), IngestError> {
        let steps = match change {
            Change::Given {
                starts,
                replaces_all,
                all,
            } => {
                let steps = self.assignment.given(&starts, replaces_all);
                self.tell_share(all);
                steps
            }
            Change::Taken(sources) => self.assignment.taken(&sources),
            Change::Failed(error) => return Err(IngestError::Assignment(error)),
        };
        steps.into_iter().try_for_each(|step| self.carry_out(step))
    }

    fn tell_share(&self, all: usize) {
        let share = self.assignment.share(all);
        self.progress
            .set_shared(matches!(share, Share::Some { .. }));
        match share {
            Share::Some { owned, of } => tracing::warn!(
                owned,
                of,
                "the group has another member: figures are right with one instance only"
            ),
            Share::Everything => tracing::info!(partitions = all, "all partitions are assigned"),
            Share::Nothing => tracing::info!("no partition is assigned"),
        }
    }

    fn carry_out(&mut self, step: Step) -> Result<(), IngestError> {
        match step {
            Step::Take(source, start) => self.take(source, start),
            Step::Drop(source) => {
                self.readings.remove(&source);
                self.progress.drop_source(source);
                self.tell(source, Order::Drop(source))
            }
            Step::CaughtUp(source) => self.tell(source, Order::CaughtUp(source)),
        }
    }

    fn take(&mut self, source: Source, start: Start) -> Result<(), IngestError> {
        let progress = self.progress.take(source, &start, (self.clock)());
        let reading = Reading {
            next: start.offset,
            passed: -1,
            taken: Instant::now(),
            open: None,
            progress: Arc::clone(&progress),
        };
        self.readings.insert(source, reading);
        let taken = Order::Take {
            source,
            start,
            progress,
        };
        self.tell(source, taken)?;
        let before = self.prelude.as_mut().map(|prelude| prelude(source));
        before
            .unwrap_or_default()
            .into_iter()
            .try_for_each(|batch| self.tell(source, Order::Records(batch)))
    }

    /// Notes where the logs end now, and which partitions have been read that far.
    fn look_at(&mut self, statistics: &Statistics) {
        let now = (self.clock)();
        if statistics.connected() && !self.told.is_empty() {
            tracing::info!("kafka: connected again");
            self.told.clear();
        }
        self.progress.set_connected(statistics.connected());
        for (source, reading) in &mut self.readings {
            let topic = self.settings.topic(source.topic);
            let Some(tail) = statistics.tail(topic, source.partition) else {
                continue;
            };
            if reading.taken.elapsed() >= SETTLED {
                reading.passed = tail.end_fetched;
            }
            let reached = tail.fresh && reading.next >= tail.end;
            reading.progress.found_end(tail.end, reached, now);
        }
    }

    fn failed(
        &mut self,
        consumer: &BaseConsumer<Member>,
        error: &KafkaError,
    ) -> Result<(), IngestError> {
        if let Some((code, reason)) = consumer.client().fatal_error() {
            return Err(IngestError::Fatal { code, reason });
        }
        if let KafkaError::PartitionEOF(_) = error {
            return Ok(());
        }
        let code = error.rdkafka_error_code();
        match code {
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                return Err(IngestError::LogCut);
            }
            // One broker's trouble; all of them is told.
            Some(RDKafkaErrorCode::BrokerTransportFailure | RDKafkaErrorCode::Resolve) => {}
            Some(code) if !self.told.contains(&code) => {
                self.told.push(code);
                tracing::warn!(%error, "kafka: reading has stopped; trying again");
            }
            _ => {}
        }
        Ok(())
    }
}

/// A reading's open batch: one that a worker is done with, else a new one.
fn open<'a>(
    reading: &'a mut Reading,
    source: Source,
    used: &Receiver<Batch>,
    kept: &mut usize,
) -> &'a mut Batch {
    reading.open.get_or_insert_with(|| {
        *kept += 1;
        let mut batch = used.try_recv().unwrap_or_else(|_| Batch::new(source));
        batch.reset(source);
        batch
    })
}

#[cfg(test)]
mod tests;
