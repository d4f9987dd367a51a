//! The poll thread's side of snapshots: orders them of the workers, hears what became of them, and
//! knows which offsets the group may be told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use crate::event::Millis;
use crate::recovery::cadence::Cadence;
use crate::recovery::writer::Report;

use super::kafka::{Order, hand_over};
use super::note::{Note, Tell};
use super::source::{Source, Topic};

/// What a worker needs to know to take a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotOrder {
    /// The partition.
    pub source: Source,
    /// Tells it from others; grows.
    pub turn: u64,
    /// Grows by one with each of this partition: which earlier one it overwrites.
    pub slot: u64,
    /// The time to write into it.
    pub now: Millis,
    /// How many partitions the topic has.
    pub partitions: i32,
    /// When it was ordered.
    pub ordered: Instant,
}

/// The ends of the writing thread that the poll thread holds.
pub struct WriterEnds {
    /// What became of snapshots.
    pub reports: Receiver<Report>,
    /// Raised when nothing else is to be written.
    pub done: Arc<AtomicBool>,
}

impl fmt::Debug for WriterEnds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterEnds").finish_non_exhaustive()
    }
}

impl Drop for WriterEnds {
    fn drop(&mut self) {
        self.done.store(true, SeqCst);
    }
}

/// How long final snapshots may take.
const FINALS: Duration = Duration::from_secs(3);

/// Snapshots that are due, under way and written.
pub(super) struct Snapshots {
    /// None when there is no snapshot topic.
    writer: Option<WriterEnds>,
    workers: Vec<SyncSender<Order>>,
    tell: Tell,
    clock: fn() -> Millis,
    begun: Instant,
    cadence: Cadence<Source>,
    /// By turn.
    under_way: BTreeMap<u64, Source>,
    turn: u64,
    /// The next slot of each partition. Begins anywhere: a process does not know where the one before
    /// it ended.
    slots: BTreeMap<Source, u64>,
    /// Where each partition would begin if it were assigned anew.
    safe: BTreeMap<Source, i64>,
    /// Something of it is not committed.
    news: bool,
    partitions: BTreeMap<Topic, i32>,
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshots").finish_non_exhaustive()
    }
}

impl Snapshots {
    pub(super) fn new(
        writer: Option<WriterEnds>,
        workers: Vec<SyncSender<Order>>,
        tell: Tell,
        clock: fn() -> Millis,
    ) -> Self {
        Self {
            writer,
            workers,
            tell,
            clock,
            begun: Instant::now(),
            cadence: Cadence::default(),
            under_way: BTreeMap::new(),
            turn: 0,
            slots: BTreeMap::new(),
            safe: BTreeMap::new(),
            news: false,
            partitions: BTreeMap::new(),
        }
    }

    /// How many partitions each topic has.
    pub(super) fn set_partitions(&mut self, partitions: BTreeMap<Topic, i32>) {
        self.partitions = partitions;
    }

    /// How many partitions a topic was known to have.
    pub(super) fn partitions(&self, topic: Topic) -> Option<i32> {
        self.partitions.get(&topic).copied()
    }

    /// A partition is read from this offset on.
    pub(super) fn take(&mut self, source: Source, from: i64) {
        let topic = match source.topic {
            Topic::Contact => 0,
            Topic::Agent => 1,
        };
        let place = source.partition.unsigned_abs() * 2 + topic;
        self.cadence.take(source, place, self.begun.elapsed());
        self.safe.insert(source, from);
    }

    /// A partition is read no more.
    pub(super) fn lose(&mut self, source: Source) {
        self.cadence.lose(source);
        self.safe.remove(&source);
        self.under_way.retain(|_, other| *other != source);
    }

    /// Orders what is due, `next` being the offset that a partition is at.
    pub(super) fn order_due(&mut self, next: impl Fn(Source) -> i64) {
        if self.writer.is_none() {
            return;
        }
        while let Some(source) = self.cadence.due(self.begun.elapsed(), &next) {
            // A worker that is busy is asked again an interval later.
            if !self.order(source, Instant::now()) {
                self.cadence.failed(source);
            }
        }
    }

    /// Hears what became of those that were ordered.
    pub(super) fn hear(&mut self) {
        while let Some(report) = self
            .writer
            .as_ref()
            .and_then(|ends| ends.reports.try_recv().ok())
        {
            self.heard(&report);
        }
    }

    /// Takes a last snapshot of each of these, and waits until they are written, but not for long.
    pub(super) fn finals(&mut self, sources: &[Source]) {
        if self.writer.is_none() {
            return;
        }
        let deadline = Instant::now() + FINALS;
        let first = self.turn + 1;
        for &source in sources {
            if self.safe.contains_key(&source) {
                self.order(source, deadline);
            }
        }
        while self.under_way.keys().any(|turn| *turn >= first) {
            let left = deadline.saturating_duration_since(Instant::now());
            let writer = self.writer.as_ref();
            let report = writer.and_then(|ends| ends.reports.recv_timeout(left).ok());
            let Some(report) = report else {
                tracing::warn!("not every final snapshot was written in time");
                break;
            };
            self.heard(&report);
        }
    }

    /// The offsets that the group may be told, if there are new ones, or in any case.
    pub(super) fn take_news(&mut self, in_any_case: bool) -> Option<Vec<(Source, i64)>> {
        let wanted = (self.news || in_any_case) && !self.safe.is_empty();
        self.news = self.news && !wanted;
        wanted.then(|| {
            self.safe
                .iter()
                .map(|(&source, &next)| (source, next))
                .collect()
        })
    }

    fn order(&mut self, source: Source, deadline: Instant) -> bool {
        self.turn += 1;
        let now = (self.clock)();
        let slot = self.slots.entry(source).or_insert(now.0.unsigned_abs());
        *slot += 1;
        let ordered = SnapshotOrder {
            source,
            turn: self.turn,
            slot: *slot,
            now,
            partitions: self.partitions(source.topic).unwrap_or(0),
            ordered: Instant::now(),
        };
        let worker = self.workers.get(source.worker(self.workers.len()));
        let told =
            worker.is_some_and(|worker| hand_over(worker, Order::Snapshot(ordered), deadline));
        if told {
            self.under_way.insert(self.turn, source);
        }
        told
    }

    fn heard(&mut self, report: &Report) {
        let source = self.under_way.remove(&report.turn);
        let Some(written) = report.written else {
            self.tell.note(Note::Failed);
            if let Some(source) = source {
                self.cadence.failed(source);
            }
            return;
        };
        self.tell.note(Note::Written {
            bytes: written.bytes,
            took: written.took,
        });
        if let Some(source) = source {
            let next = report.next_offset;
            self.cadence.written(source, next, written.bytes);
            let safe = self.safe.entry(source).or_insert(next);
            self.news |= *safe < next;
            *safe = (*safe).max(next);
        }
    }
}
