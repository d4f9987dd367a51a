//! Where the partitions of an assignment begin: from the newest usable snapshot, else from as far
//! back in the log as the windows need.
//!
//! Runs in the group's callback, before anything is assigned, so it has a deadline: what cannot be
//! restored in time is read from the log, which is right too, only slower. A slow broker is asked
//! again before that: a whole log read back takes minutes, a second attempt seconds. While it waits
//! the process shows nothing of its own (its lease has ended), as it would while it read the log;
//! and the wait, with all other questions, stays below `max.poll.interval.ms`, so that the group bears
//! it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult};

use crate::engine::partition::Partition;
use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::recovery::choice::{Choice, Refusal, Taken, Wanted, choose};
use crate::recovery::encoding;
use crate::recovery::header::{Header, Of};
use crate::recovery::records::{Candidate, Damage, state};
use crate::recovery::tail::Tail;
use crate::windows::frame::WindowSpec;

use super::client::{Broker, KafkaSettings};
use super::context::lock;
use super::note::{Note, Tell};
use super::patience::Patience;
use super::source::{Source, Topic};
use super::start::{self, LogBounds, Start};
use super::stop::Stop;

/// How long one question to the broker may take.
const QUESTION: Duration = Duration::from_secs(5);
/// How long reading snapshots may take.
const RESTORE: Patience = Patience {
    attempt: Duration::from_secs(5),
    pause: Duration::from_millis(500),
    all: Duration::from_secs(15),
};

/// How many damaged records are told one by one.
const DAMAGED_TOLD: usize = 8;

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
    /// Told when the process is to end.
    pub(super) stop: &'a Stop,
    /// How many partitions each topic was known to have before.
    pub(super) known: BTreeMap<Topic, i32>,
}

type Found = Option<Taken<Box<Partition>>>;
type Chosen = Choice<Box<Partition>>;

impl Restore<'_> {
    /// Where each of these begins.
    pub(super) fn begin(mut self, sources: &[Source]) -> KafkaResult<Vec<Begin>> {
        let begun = Instant::now();
        let bound = |&source: &Source| Ok((source, self.broker.bounds(source, None, QUESTION)?));
        let bounds: Vec<(Source, LogBounds)> =
            sources.iter().map(bound).collect::<KafkaResult<_>>()?;
        let mut snapshots = self.snapshots(&bounds, begun);
        if self.stop.is_raised() {
            return Err(KafkaError::Canceled);
        }
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

    /// The newest usable snapshot of each; none of those that have none, or of which none could be
    /// read for all the time there is.
    fn snapshots(
        &mut self,
        bounds: &[(Source, LogBounds)],
        begun: Instant,
    ) -> BTreeMap<Source, Found> {
        let mut found = BTreeMap::new();
        let (Some(tail), stop) = (self.tail, self.stop) else {
            return found;
        };
        RESTORE.persist(
            bounds.to_vec(),
            || begun.elapsed(),
            |pause| stop.wait(pause),
            |left, attempt| {
                let deadline = begun + attempt.deadline;
                let (chosen, unread) = self.look(&left, tail, deadline, attempt.first);
                let settled = |source: &Source, choice: &Choice<_>| {
                    attempt.last || choice.taken.is_some() || !unread.contains(source)
                };
                for (source, choice) in chosen {
                    if settled(&source, &choice) {
                        found.insert(source, self.told(source, choice));
                    }
                }
                let again = |(source, _): &(Source, LogBounds)| !found.contains_key(source);
                let left: Vec<_> = left.into_iter().filter(again).collect();
                if !left.is_empty() {
                    let (partitions, last) = (left.len(), attempt.last);
                    tracing::warn!(partitions, last, "snapshots could not be read in time");
                }
                left
            },
        );
        found
    }

    /// What may be begun from, and of which something could not be read in time.
    fn look(
        &mut self,
        bounds: &[(Source, LogBounds)],
        tail: &Mutex<Tail>,
        deadline: Instant,
        first: bool,
    ) -> (Vec<(Source, Chosen)>, BTreeSet<Source>) {
        let wanted: Vec<Of> = bounds
            .iter()
            .map(|(source, _)| self.settings.of(*source))
            .collect();
        let (mut pile, cut) = match lock(tail).read(&wanted, deadline) {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "snapshots cannot be read");
                let all = bounds.iter().map(|(source, _)| *source);
                return (Vec::new(), all.collect());
            }
        };
        if first {
            self.tell_damaged(pile.damaged());
        }
        let mut jobs = Vec::new();
        let mut unread = BTreeSet::new();
        for ((source, bounds), of) in bounds.iter().zip(&wanted) {
            let (candidates, _) = pile.take(of);
            self.learn_partitions(*source, &candidates);
            if cut.contains(&of.partition) {
                unread.insert(*source);
            }
            jobs.push((*source, *bounds, candidates));
        }
        let this = &*self;
        let chosen = in_parallel(jobs, |(source, bounds, candidates)| {
            let choice = this.choose(source, bounds, candidates, tail, deadline);
            (source, choice)
        });
        let late = chosen
            .iter()
            .filter(|(_, choice)| choice.refused.contains(&Refusal::Unread));
        unread.extend(late.map(|(source, _)| *source));
        (chosen, unread)
    }

    /// Counts damaged records, and says where the first few lie.
    fn tell_damaged(&self, damaged: &[Damage]) {
        let topic = self.settings.snapshot_topic.as_deref().unwrap_or_default();
        for damage in damaged.iter().take(DAMAGED_TOLD) {
            let (partition, offset, reason) = (damage.partition, damage.offset, damage.what);
            tracing::warn!(
                topic,
                partition,
                offset,
                reason,
                "a record of the snapshot topic is damaged"
            );
        }
        if damaged.len() > DAMAGED_TOLD {
            let (count, told) = (damaged.len(), DAMAGED_TOLD);
            tracing::warn!(
                topic,
                count,
                told,
                "more records of the snapshot topic are damaged"
            );
        }
        for _ in damaged {
            self.tell.note(Note::Refused(Refusal::Damaged));
        }
    }

    /// How many partitions the topic had when the newest of these was written.
    fn learn_partitions(&mut self, source: Source, candidates: &[Candidate]) {
        let newest = candidates.iter().max_by_key(|found| found.header.written);
        if let Some(newest) = newest.filter(|newest| newest.header.partitions > 0) {
            let known = self.known.entry(source.topic).or_default();
            *known = newest.header.partitions.max(*known);
        }
    }

    /// The snapshot that was chosen; why others were not is told.
    fn told(&self, source: Source, choice: Chosen) -> Found {
        for refusal in choice.refused {
            tracing::warn!(%source, reason = refusal.reason(), "a snapshot is not used");
            self.tell.note(Note::Refused(refusal));
        }
        choice.taken
    }

    fn choose(
        &self,
        source: Source,
        bounds: LogBounds,
        candidates: Vec<Candidate>,
        tail: &Mutex<Tail>,
        deadline: Instant,
    ) -> Chosen {
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
        choose(candidates, &wanted, record_at, decode)
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
