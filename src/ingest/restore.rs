//! Where the partitions of an assignment begin: from the newest usable snapshot, else from as far
//! back in the log as the windows need.
//!
//! Runs in the group's callback, before anything is assigned, so it has a deadline: what cannot be
//! restored in time is read from the log, which is right too, only slower.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaResult;

use crate::engine::partition::Partition;
use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::recovery::choice::{Choice, Refusal, Taken, Wanted, choose};
use crate::recovery::encoding;
use crate::recovery::header::{Header, Of};
use crate::recovery::records::{Candidate, state};
use crate::recovery::tail::Tail;
use crate::windows::frame::WindowSpec;

use super::client::{Broker, KafkaSettings};
use super::context::lock;
use super::note::{Note, Tell};
use super::source::{Source, Topic};
use super::start::{self, LogBounds, Start};

/// How long one question to the broker may take.
const QUESTION: Duration = Duration::from_secs(5);
/// How long reading snapshots may take.
const RESTORE: Duration = Duration::from_secs(5);

/// A partition's state out of a snapshot.
pub struct Restored {
    /// The state.
    pub partition: Box<Partition>,
    /// What the snapshot said of itself.
    pub header: Header,
}

impl fmt::Debug for Restored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Restored")
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

/// Where one partition begins.
#[derive(Debug)]
pub(super) struct Begin {
    pub(super) source: Source,
    pub(super) start: Start,
    pub(super) restored: Option<Restored>,
}

/// What it takes to find out.
pub(super) struct Restore<'a> {
    pub(super) settings: &'a KafkaSettings,
    pub(super) state: &'a Arc<StateSettings>,
    pub(super) state_hash: u64,
    pub(super) windows: &'a [WindowSpec],
    pub(super) broker: &'a Broker,
    /// None when there are no snapshots.
    pub(super) tail: Option<&'a Mutex<Tail>>,
    pub(super) tell: &'a Tell,
    pub(super) now: Millis,
    /// How many partitions each topic was known to have before.
    pub(super) known: BTreeMap<Topic, i32>,
}

type Found = Option<Taken<Box<Partition>>>;

impl Restore<'_> {
    /// Where each of these begins.
    pub(super) fn begin(mut self, sources: &[Source]) -> KafkaResult<Vec<Begin>> {
        let begun = Instant::now();
        let bound = |&source: &Source| Ok((source, self.broker.bounds(source, None, QUESTION)?));
        let bounds: Vec<(Source, LogBounds)> =
            sources.iter().map(bound).collect::<KafkaResult<_>>()?;
        let mut snapshots = self.snapshots(&bounds, begun + RESTORE);
        let begins: KafkaResult<Vec<Begin>> = bounds
            .into_iter()
            .map(|(source, bounds)| self.one(source, bounds, snapshots.remove(&source).flatten()))
            .collect();
        self.tell.note(Note::RestoreTook(begun.elapsed()));
        begins
    }

    fn one(&self, source: Source, bounds: LogBounds, found: Found) -> KafkaResult<Begin> {
        let (start, restored) = match found {
            Some(taken) => {
                self.tell.note(Note::Restored);
                let header = taken.header;
                if taken.gap > 0 {
                    tracing::warn!(%source, records = taken.gap, "the log begins after the snapshot: records are lost");
                    self.tell.note(Note::Gap(source.topic, taken.gap));
                }
                let start =
                    start::from_snapshot(header.next_offset, header.since.map(Millis), bounds);
                let partition = taken.state;
                (start, Some(Restored { partition, header }))
            }
            None => (self.without_a_snapshot(source, bounds)?, None),
        };
        Ok(Begin {
            source,
            start,
            restored,
        })
    }

    fn without_a_snapshot(&self, source: Source, bounds: LogBounds) -> KafkaResult<Start> {
        self.tell.note(Note::Replayed);
        if self.settings.embedded {
            return Ok(start::from_the_beginning(bounds));
        }
        let known = self.known.get(&source.topic);
        if known.is_some_and(|&known| source.partition >= known) {
            tracing::warn!(%source, "a new partition: contacts in flight may lie in two; windows are incomplete until they have ended");
            self.tell.note(Note::Added(source.topic));
            return Ok(start::of_a_new_partition(bounds));
        }
        let wanted = start::wanted(source.topic, self.windows, self.state, self.now);
        let bounds = self.broker.bounds(source, Some(wanted), QUESTION)?;
        Ok(start::decide(bounds, wanted))
    }

    /// The newest usable snapshot of each; none of those that have none.
    fn snapshots(
        &mut self,
        bounds: &[(Source, LogBounds)],
        deadline: Instant,
    ) -> BTreeMap<Source, Found> {
        let Some(tail) = self.tail else {
            return BTreeMap::new();
        };
        let wanted: Vec<Of> = bounds
            .iter()
            .map(|(source, _)| self.settings.of(*source))
            .collect();
        let mut pile = match lock(tail).read(&wanted, deadline) {
            Ok(pile) => pile,
            Err(error) => {
                tracing::warn!(%error, "snapshots cannot be read; the log is read instead");
                return BTreeMap::new();
            }
        };
        for _ in 0..pile.damaged() {
            self.tell.note(Note::Refused(Refusal::Damaged));
        }
        let mut jobs = Vec::new();
        for ((source, bounds), of) in bounds.iter().zip(&wanted) {
            let (candidates, _) = pile.take(of);
            let newest = candidates.iter().max_by_key(|found| found.header.written);
            if let Some(had) = newest
                .map(|newest| newest.header.partitions)
                .filter(|&had| had > 0)
            {
                let known = self.known.entry(source.topic).or_default();
                *known = had.max(*known);
            }
            jobs.push((*source, *bounds, candidates));
        }
        let this = &*self;
        in_parallel(jobs, |(source, bounds, candidates)| {
            (
                source,
                this.choose(source, bounds, candidates, tail, deadline),
            )
        })
        .into_iter()
        .collect()
    }

    fn choose(
        &self,
        source: Source,
        bounds: LogBounds,
        candidates: Vec<Candidate>,
        tail: &Mutex<Tail>,
        deadline: Instant,
    ) -> Found {
        let wanted = Wanted {
            format: u32::from(encoding::FORMAT),
            settings: self.state_hash,
            low: bounds.low,
            high: bounds.high,
        };
        let topic = self.settings.topic(source.topic);
        let record_at = |offset| lock(tail).record_at(topic, source.partition, offset, deadline);
        let decode = |candidate: &Candidate| {
            let bytes = state(candidate).ok_or(Refusal::Damaged)?;
            let partition = encoding::decode(&bytes, Arc::clone(self.state));
            partition.map(Box::new).map_err(|_| Refusal::Damaged)
        };
        let Choice { taken, refused } = choose(candidates, &wanted, record_at, decode);
        for refusal in refused {
            tracing::warn!(%source, reason = refusal.reason(), "a snapshot is not used");
            self.tell.note(Note::Refused(refusal));
        }
        taken
    }
}

/// Does jobs on as many threads as there are cores.
fn in_parallel<J: Send, R: Send>(jobs: Vec<J>, work: impl Fn(J) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let jobs = Mutex::new(jobs);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(job) = lock(&jobs).pop() else { break };
                    let result = work(job);
                    lock(&done).push(result);
                }
            });
        }
    });
    done.into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
