//! One round of the poll thread after the other: what the group changed, what came in, what is due.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};

use crate::event::Millis;
use crate::recovery::tail::timestamp_of;

use super::assignment::{Assignment, Share, Step};
use super::batch::Batch;
use super::client::KafkaSettings;
use super::context::{Change, Member, lock};
use super::kafka::{IngestError, Intake, Order, Prelude};
use super::note::{Note, Tell};
use super::progress::{Progress, SourceProgress};
use super::restore::Restored;
use super::snapshots::Snapshots;
use super::source::Source;
use super::start::Start;
use super::statistics::Statistics;

/// A batch is handed over when it has so many records or bytes, or when nothing more is to be had
/// at once, or after [`BATCH_AGE`].
const BATCH_RECORDS: usize = 512;
const BATCH_BYTES: usize = 256 * 1024;
const BATCH_AGE: Duration = Duration::from_millis(20);
/// How long a poll waits when there is nothing to read.
const POLL: Duration = Duration::from_millis(50);
/// The clock is read once in so many records.
const LOOK: u32 = 128;
/// How often snapshots, their reports and commits are looked after.
const LOOK_AFTER: Duration = Duration::from_millis(100);
/// How often the group is asked whether this process is still its member.
const ASK: Duration = Duration::from_millis(500);
/// A log that ends before what was read of it, and goes on doing so for so many statistics (made
/// once a second), is another log.
const SHRUNK: u32 = 15;
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
    /// Statistics in a row by which the log ends before `next`.
    shrunk: u32,
}

pub(super) struct PollLoop {
    settings: KafkaSettings,
    workers: Vec<SyncSender<Order>>,
    used: Receiver<Batch>,
    progress: Arc<Progress>,
    notes: Tell,
    snapshots: Arc<Mutex<Snapshots>>,
    clock: fn() -> Millis,
    prelude: Option<Prelude>,
    rows: bool,
    assignment: Assignment,
    /// States of partitions that are about to be taken.
    restored: BTreeMap<Source, Restored>,
    /// When snapshots were last looked after, and when the group was last asked.
    looked_after: Instant,
    asked: Instant,
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

impl PollLoop {
    pub(super) fn new(intake: Intake, snapshots: Arc<Mutex<Snapshots>>) -> Self {
        Self {
            settings: intake.settings,
            workers: intake.workers,
            used: intake.used,
            progress: intake.progress,
            notes: intake.tell,
            snapshots,
            clock: intake.clock,
            prelude: intake.prelude,
            rows: intake.rows,
            assignment: Assignment::default(),
            restored: BTreeMap::new(),
            looked_after: Instant::now(),
            asked: Instant::now(),
            readings: BTreeMap::new(),
            kept: 0,
            since_look: 0,
            opened: Instant::now(),
            told: Vec::new(),
        }
    }

    /// One round.
    pub(super) fn once(&mut self, consumer: &BaseConsumer<Member>) -> Result<(), IngestError> {
        let timeout = if self.kept == 0 { POLL } else { Duration::ZERO };
        let polled = consumer.poll(timeout);
        if let Some((changes, statistics)) = consumer.context().take_notes() {
            // What was kept belongs to the assignment before the change.
            self.hand_over_all()?;
            let changed = !changes.is_empty();
            for change in changes {
                let done = self.change(change);
                done.map_err(|error| self.fatal(consumer).unwrap_or(error))?;
            }
            if changed {
                self.progress.set_changing(false);
            }
            if let Some(statistics) = statistics {
                self.look_at(&statistics)?;
            }
        } else if polled.is_none() {
            self.drained()?;
        }
        match polled {
            Some(Ok(message)) => self.keep(&message)?,
            Some(Err(error)) => self.failed(consumer, &error)?,
            None => self.since_look = LOOK,
        }
        if self.since_look >= LOOK {
            self.since_look = 0;
            self.look(consumer)?;
        }
        Ok(())
    }

    /// Every [`LOOK`] records, and when there are none: what the clock has to say.
    fn look(&mut self, consumer: &BaseConsumer<Member>) -> Result<(), IngestError> {
        let now = (self.clock)();
        self.progress.polled(now);
        if self.opened.elapsed() >= BATCH_AGE {
            self.hand_over_all()?;
        }
        if self.looked_after.elapsed() < LOOK_AFTER {
            return Ok(());
        }
        self.looked_after = Instant::now();
        let member = consumer.context();
        let readings = &self.readings;
        let next = |source| readings.get(&source).map_or(0, |reading| reading.next);
        let mut snapshots = lock(&self.snapshots);
        snapshots.hear();
        snapshots.order_due(next);
        let held = self.progress.lease(now).0.is_held();
        let ask = !held && self.asked.elapsed() >= ASK;
        let Some(offsets) = snapshots.take_news(ask) else {
            return Ok(());
        };
        drop(snapshots);
        if ask {
            self.asked = Instant::now();
            member.ask(consumer, &offsets);
        } else {
            member.commit(consumer, &offsets, "");
        }
        Ok(())
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
        let holes = message.offset() - reading.next;
        if holes < 0 {
            return Ok(());
        }
        if holes > 0 {
            self.notes.note(Note::Holes(topic, holes.unsigned_abs()));
        }
        let batch = open(reading, source, &self.used, &mut self.kept);
        batch.push(message.offset(), message.payload(), timestamp_of(message));
        let full = batch.len() >= BATCH_RECORDS || batch.bytes() >= BATCH_BYTES;
        reading.next = message.offset() + 1;
        if full {
            self.hand_over(source)?;
        }
        self.since_look += 1;
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

    pub(super) fn hand_over_all(&mut self) -> Result<(), IngestError> {
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
        let sent = worker.is_some_and(|worker| worker.send(order).is_ok());
        sent.then_some(()).ok_or(IngestError::WorkerGone)
    }

    fn change(&mut self, change: Change) -> Result<(), IngestError> {
        let steps = match change {
            Change::Given {
                begins,
                replaces_all,
                all,
            } => {
                let starts: Vec<(Source, Start)> = begins
                    .iter()
                    .map(|begin| (begin.source, begin.start))
                    .collect();
                let restored = begins.into_iter();
                self.restored = restored
                    .filter_map(|begin| Some((begin.source, begin.restored?)))
                    .collect();
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
            Share::Some { owned, of } if self.rows => tracing::info!(
                owned,
                of,
                "the group has another member: the centre is made of all members' rows"
            ),
            Share::Some { owned, of } => tracing::warn!(
                owned,
                of,
                "the group has another member, and cluster.enabled is off: what is shown is a part \
                 of the centre only"
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
                self.progress.changes();
                lock(&self.snapshots).lose(source);
                self.tell(source, Order::Drop(source))
            }
            Step::CaughtUp(source) => self.tell(source, Order::CaughtUp(source)),
        }
    }

    fn take(&mut self, source: Source, start: Start) -> Result<(), IngestError> {
        self.progress.changes();
        let progress = self.progress.take(source, &start, (self.clock)());
        let reading = Reading {
            next: start.offset,
            passed: -1,
            taken: Instant::now(),
            open: None,
            progress: Arc::clone(&progress),
            shrunk: 0,
        };
        self.readings.insert(source, reading);
        lock(&self.snapshots).take(source, start.offset);
        let behind = u64::try_from(start.end - start.offset).unwrap_or(0);
        self.notes.note(Note::Behind(behind));
        let taken = Order::Take {
            source,
            start,
            progress,
            restored: self.restored.remove(&source),
        };
        self.tell(source, taken)?;
        let before = self.prelude.as_mut().map(|prelude| prelude(source));
        before
            .unwrap_or_default()
            .into_iter()
            .try_for_each(|batch| self.tell(source, Order::Records(batch)))
    }

    /// Notes where the logs end now, and which partitions have been read that far.
    fn look_at(&mut self, statistics: &Statistics) -> Result<(), IngestError> {
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
            let shrunk = tail.fresh && tail.end < reading.next;
            reading.shrunk = if shrunk { reading.shrunk + 1 } else { 0 };
            if reading.shrunk >= SHRUNK {
                return Err(IngestError::LogCut);
            }
        }
        Ok(())
    }

    /// Why librdkafka cannot go on, if it cannot.
    fn fatal(&self, consumer: &BaseConsumer<Member>) -> Option<IngestError> {
        let (code, reason) = consumer.client().fatal_error()?;
        Some(match code {
            RDKafkaErrorCode::FencedInstanceId | RDKafkaErrorCode::UnreleasedInstanceId => {
                let instance = self.settings.properties.get("group.instance.id");
                IngestError::Fenced {
                    group: self.settings.group.clone(),
                    instance: instance.cloned().unwrap_or_default(),
                }
            }
            code => IngestError::Fatal { code, reason },
        })
    }

    fn failed(
        &mut self,
        consumer: &BaseConsumer<Member>,
        error: &KafkaError,
    ) -> Result<(), IngestError> {
        if let Some(fatal) = self.fatal(consumer) {
            return Err(fatal);
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
