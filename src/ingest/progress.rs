//! How far reading has come, for readiness and the engine's own metrics. Numbers only, one writer
//! each, read by anyone at any time; they belong to no figure, so every ordering is relaxed, but for
//! those that decide what may be shown.

use std::collections::BTreeMap;
use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::event::{Millis, Span};

use super::lease::{Lease, Moment};
use super::source::{Source, Topic};
use super::start::{Reach, Start};

/// One partition's progress.
#[derive(Debug)]
pub struct SourceProgress {
    /// Written by the worker: timestamp of the last applied record, negative if there is none.
    applied: AtomicI64,
    /// Written by the worker: the offset after the last applied record.
    next: AtomicI64,
    /// Written by the worker: stream time, [`Millis::MIN`] before the first event.
    stream: AtomicI64,
    /// Written by the poll thread: when the position was last found at the end.
    at_end: AtomicI64,
    /// Written by the poll thread: the offset after the log's last record.
    end: AtomicI64,
    /// Written by the worker: everything up to the end as it was at assignment is applied.
    caught_up: AtomicBool,
    /// Written once at assignment, or by the worker at the first record: since when every record
    /// has been read.
    since: AtomicI64,
    /// Whether the first record's timestamp says since when. Read and written by the worker alone.
    first_record_says: AtomicBool,
    /// When it was assigned to this process.
    taken: Millis,
}

impl SourceProgress {
    /// Of a partition that is read as decided at `now`.
    fn new(start: &Start, now: Millis) -> Self {
        let since = match start.reach {
            Reach::Everything => Millis::MIN,
            Reach::Since(since) => since,
            Reach::FirstRecord => now,
        };
        Self {
            applied: AtomicI64::new(-1),
            next: AtomicI64::new(start.offset),
            stream: AtomicI64::new(Millis::MIN.0),
            at_end: AtomicI64::new(-1),
            end: AtomicI64::new(start.end),
            caught_up: AtomicBool::new(false),
            since: AtomicI64::new(since.0),
            first_record_says: AtomicBool::new(start.reach == Reach::FirstRecord),
            taken: now,
        }
    }

    /// When it was assigned to this process.
    pub fn taken(&self) -> Millis {
        self.taken
    }

    /// The worker is about to apply a batch that begins with a record of this timestamp.
    pub fn first_record(&self, timestamp: Option<Millis>) {
        let Some(timestamp) = timestamp else { return };
        if self.first_record_says.load(Relaxed) {
            self.first_record_says.store(false, Relaxed);
            self.since.store(timestamp.0, Relaxed);
        }
    }

    /// The worker has applied everything before `next`, at `now`. A timestamp of the future must not
    /// make what comes later look fresh.
    pub fn applied(&self, next: i64, timestamp: Option<Millis>, now: Millis) {
        self.next.store(next, Relaxed);
        if let Some(timestamp) = timestamp {
            self.applied.store(timestamp.min(now).0, Relaxed);
        }
    }

    /// Stream time has come so far.
    pub fn streamed(&self, stream: Millis) {
        self.stream.store(stream.0, Relaxed);
    }

    /// How far stream time lies ahead of `now`; nothing if it does not.
    pub fn ahead(&self, now: Millis) -> Span {
        let stream = Millis(self.stream.load(Relaxed));
        if stream > now {
            stream - now
        } else {
            Span::ZERO
        }
    }

    /// The worker has applied everything up to the end as it was at assignment.
    pub fn caught_up(&self) {
        self.caught_up.store(true, Relaxed);
    }

    /// The poll thread found the log's end at `end`; with `reached` also that it has read up to it.
    pub fn found_end(&self, end: i64, reached: bool, now: Millis) {
        self.end.store(end, Relaxed);
        if reached && self.next.load(Relaxed) >= end {
            self.at_end.store(now.0, Relaxed);
        }
    }

    /// Since when every record is known; none since ever.
    pub fn since(&self) -> Option<Millis> {
        let since = Millis(self.since.load(Relaxed));
        (since > Millis::MIN).then_some(since)
    }

    /// Records that are in the log and not applied.
    pub fn lag(&self) -> i64 {
        (self.end.load(Relaxed) - self.next.load(Relaxed)).max(0)
    }

    /// Whether it has caught up.
    pub fn is_caught_up(&self) -> bool {
        self.caught_up.load(Relaxed)
    }

    /// How far in time it is known to be complete: the last time its end was reached, else the
    /// timestamp of the last applied record.
    fn known_to(&self) -> Option<Millis> {
        let known = self.at_end.load(Relaxed).max(self.applied.load(Relaxed));
        (known >= 0).then_some(Millis(known))
    }

    /// The timestamp of the last applied record.
    fn last_record(&self) -> Option<Millis> {
        let applied = self.applied.load(Relaxed);
        (applied >= 0).then_some(Millis(applied))
    }
}

/// All partitions' progress, and the poll loop's own.
#[derive(Debug)]
pub struct Progress {
    sources: ArcSwap<BTreeMap<Source, Arc<SourceProgress>>>,
    /// What the lease's steady clock counts from.
    begun: Instant,
    lease: Mutex<Lease>,
    /// The group changes the assignment.
    changing: AtomicBool,
    /// Partitions given or taken away of which the latest frame of their worker does not know yet.
    unpublished: AtomicI64,
    /// Frames of earlier ticks may hold what was taken away, or lack what was given.
    shown_from: AtomicU64,
    polled: AtomicI64,
    /// When a broker last answered, in milliseconds since `begun`; 0 before the first answer.
    heard: AtomicU64,
    connected: AtomicBool,
    queues_read: AtomicBool,
    topics_missing: AtomicBool,
    /// How the snapshot topic is could not be asked.
    snapshots_unseen: AtomicBool,
    shared: AtomicBool,
    ending: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new(Lease::default())
    }
}

impl Progress {
    /// Of a process that reads under this lease.
    pub fn new(lease: Lease) -> Self {
        Self {
            sources: ArcSwap::default(),
            begun: Instant::now(),
            lease: Mutex::new(lease),
            changing: AtomicBool::new(false),
            unpublished: AtomicI64::new(0),
            shown_from: AtomicU64::new(0),
            polled: AtomicI64::new(0),
            heard: AtomicU64::new(0),
            connected: AtomicBool::new(false),
            queues_read: AtomicBool::new(false),
            topics_missing: AtomicBool::new(false),
            snapshots_unseen: AtomicBool::new(false),
            shared: AtomicBool::new(false),
            ending: AtomicBool::new(false),
        }
    }

    /// The lease, at the instant that the wall clock says.
    pub fn lease(&self, wall: Millis) -> (MutexGuard<'_, Lease>, Moment) {
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: an earlier moment must not follow a later one.
        let steady = self.begun.elapsed();
        (lease, Moment { steady, wall })
    }

    /// Whether figures may be shown to someone who looks now.
    pub fn shows(&self, wall: Millis) -> bool {
        let (lease, now) = self.lease(wall);
        lease.shows(now)
    }

    /// The group begins to change the assignment, or the workers have been told of the change.
    /// Nothing is shown in between.
    pub fn set_changing(&self, changing: bool) {
        self.changing.store(changing, SeqCst);
    }

    /// A partition is given or taken away: nothing is shown until its worker has published with it,
    /// or without it. A worker that is given several publishes in between, with some of them.
    pub fn changes(&self) {
        self.unpublished.fetch_add(1, SeqCst);
    }

    /// A worker has published a frame that knows of so many changes.
    pub fn published(&self, changes: i64, tick: u64) {
        self.shown_from.fetch_max(tick, SeqCst);
        self.unpublished.fetch_sub(changes, SeqCst);
    }

    /// Whether the frames of this tick hold all that is assigned and nothing else.
    pub fn is_settled(&self, tick: Option<u64>) -> bool {
        !self.is_changing() && tick.is_some_and(|tick| tick >= self.shown_from())
    }

    /// Whether the group is changing the assignment right now: until it has, partitions are still this
    /// process's, since the others wait for it to let go.
    pub fn is_handing_over(&self) -> bool {
        self.changing.load(SeqCst)
    }

    fn is_changing(&self) -> bool {
        self.changing.load(SeqCst) || self.unpublished.load(SeqCst) > 0
    }

    /// The first tick whose frames hold all that is assigned and nothing else.
    pub fn shown_from(&self) -> u64 {
        self.shown_from.load(SeqCst)
    }

    /// A partition is read as decided at `now`; called by the poll thread alone.
    pub fn take(&self, source: Source, start: &Start, now: Millis) -> Arc<SourceProgress> {
        let progress = Arc::new(SourceProgress::new(start, now));
        let mut sources = BTreeMap::clone(&self.sources.load());
        sources.insert(source, Arc::clone(&progress));
        self.sources.store(Arc::new(sources));
        progress
    }

    /// A partition is read no more; called by the poll thread alone.
    pub fn drop_source(&self, source: Source) {
        let mut sources = BTreeMap::clone(&self.sources.load());
        sources.remove(&source);
        self.sources.store(Arc::new(sources));
    }

    /// One partition's progress, if it is read.
    pub fn source(&self, source: Source) -> Option<Arc<SourceProgress>> {
        self.sources.load().get(&source).cloned()
    }

    /// The partitions that are read.
    pub fn owned(&self) -> Vec<Source> {
        self.sources.load().keys().copied().collect()
    }

    /// The poll loop has gone round.
    pub fn polled(&self, now: Millis) {
        let (mut lease, moment) = self.lease(now);
        lease.tick(moment);
        self.polled.store(now.0, Relaxed);
    }

    /// When the poll loop last went round, if it ever did.
    pub fn last_poll(&self) -> Option<Millis> {
        let polled = self.polled.load(Relaxed);
        (polled > 0).then_some(Millis(polled))
    }

    /// A broker has answered a question just now.
    pub fn heard(&self) {
        let now = self.begun.elapsed().as_millis();
        self.heard
            .store(u64::try_from(now).unwrap_or(u64::MAX), Relaxed);
    }

    /// How long ago a broker last answered; since the beginning if none has.
    pub fn broker_silence(&self) -> Span {
        let heard = Duration::from_millis(self.heard.load(Relaxed));
        let silence = self.begun.elapsed().saturating_sub(heard).as_millis();
        Span(i64::try_from(silence).unwrap_or(i64::MAX))
    }

    /// Whether a broker is connected.
    pub fn set_connected(&self, connected: bool) {
        self.connected.store(connected, Relaxed);
    }

    /// Whether a broker is connected.
    pub fn is_connected(&self) -> bool {
        self.connected.load(Relaxed)
    }

    /// Whether a broker answers: a connection to one that hangs stays.
    fn is_reached(&self) -> bool {
        let silence = self.broker_silence();
        let lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_connected() && !lease.outlasts_session(silence)
    }

    /// The queue topic has been read to its end once.
    pub fn set_queues_read(&self) {
        self.queues_read.store(true, Relaxed);
    }

    /// Whether the queue topic has been read to its end once.
    pub fn queues_read(&self) -> bool {
        self.queues_read.load(Relaxed)
    }

    /// Whether a topic that is to be read does not exist.
    pub fn set_topics_missing(&self, missing: bool) {
        self.topics_missing.store(missing, Relaxed);
    }

    /// Whether the broker does not say how the snapshot topic is.
    pub fn set_snapshots_unseen(&self, unseen: bool) {
        self.snapshots_unseen.store(unseen, Relaxed);
    }

    /// Whether the group has another member, so that this process sees only a part.
    pub fn set_shared(&self, shared: bool) {
        self.shared.store(shared, Relaxed);
    }

    /// Whether the group has another member.
    pub fn is_shared(&self) -> bool {
        self.shared.load(Relaxed)
    }

    /// Whether a partition still catches up, or none is assigned yet.
    pub fn catching_up(&self) -> bool {
        let sources = self.sources.load();
        sources.is_empty() || !sources.values().all(|source| source.is_caught_up())
    }

    /// The process is about to end.
    pub fn set_ending(&self) {
        self.ending.store(true, Relaxed);
    }

    /// Whether the process is about to end.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Relaxed)
    }

    /// Why figures cannot be relied on; `None` when they can.
    pub fn unready(&self) -> Option<&'static str> {
        if self.ending.load(Relaxed) {
            Some("ending")
        } else if self.topics_missing.load(Relaxed) {
            Some("kafka.contact_topic or kafka.agent_topic does not exist")
        } else if self.sources.load().is_empty() && !self.is_reached() {
            Some("no broker of kafka.brokers answers")
        } else if self.snapshots_unseen.load(Relaxed) {
            Some("kafka.snapshot_topic cannot be looked at; the log says why")
        } else if self.sources.load().is_empty() {
            Some(
                "no partition is assigned yet: kafka.group has just been joined, or has more members than partitions",
            )
        } else if !self.queues_read.load(Relaxed) {
            Some("the queue topic is being read")
        } else if self.catching_up() {
            Some("catching up")
        } else if self.is_changing() {
            Some("the assignment is changing")
        } else {
            None
        }
    }

    /// Records that are in the logs and not applied, by partition.
    pub fn lags(&self) -> Vec<(Source, i64)> {
        let sources = self.sources.load();
        sources
            .iter()
            .map(|(&source, progress)| (source, progress.lag()))
            .collect()
    }

    /// The instant up to which all partitions are known to be complete; `None` when one never was,
    /// or none is read.
    pub fn known_to(&self) -> Option<Millis> {
        let sources = self.sources.load();
        let known: Option<Vec<_>> = sources.values().map(|source| source.known_to()).collect();
        known?.into_iter().min()
    }

    /// Since when every record of a topic has been read, in all its partitions.
    pub fn since(&self, topic: Topic) -> Millis {
        let sources = self.sources.load();
        let of_topic = sources.iter().filter(|(source, _)| source.topic == topic);
        let since = of_topic.map(|(_, progress)| Millis(progress.since.load(Relaxed)));
        since.max().unwrap_or(Millis::MIN)
    }

    /// How far stream time lies ahead of `now`, in the partition of a topic where it is furthest; none
    /// if no partition of it is read.
    pub fn ahead(&self, topic: Topic, now: Millis) -> Option<Span> {
        let sources = self.sources.load();
        let of_topic = sources.iter().filter(|(source, _)| source.topic == topic);
        of_topic.map(|(_, progress)| progress.ahead(now)).max()
    }

    /// The timestamp of a topic's last applied record.
    pub fn last_record(&self, topic: Topic) -> Option<Millis> {
        let sources = self.sources.load();
        let of_topic = sources.iter().filter(|(source, _)| source.topic == topic);
        of_topic
            .filter_map(|(_, progress)| progress.last_record())
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Source = Source {
        topic: Topic::Contact,
        partition: 0,
    };
    const B: Source = Source {
        topic: Topic::Agent,
        partition: 0,
    };

    fn start(end: i64, reach: Reach) -> Start {
        let offset = 0;
        Start { offset, end, reach }
    }

    #[test]
    fn a_topic_is_known_since_the_latest_of_its_partitions() {
        let progress = Progress::default();
        let partition = |partition| Source { partition, ..A };
        progress.take(partition(0), &start(9, Reach::Everything), Millis(900));
        assert_eq!(progress.since(Topic::Contact), Millis::MIN);
        progress.take(
            partition(1),
            &start(9, Reach::Since(Millis(300))),
            Millis(900),
        );
        assert_eq!(progress.since(Topic::Contact), Millis(300));
        let cut = progress.take(partition(2), &start(9, Reach::FirstRecord), Millis(900));
        assert_eq!(progress.since(Topic::Contact), Millis(900));
        cut.first_record(None);
        cut.first_record(Some(Millis(400)));
        cut.first_record(Some(Millis(500)));
        assert_eq!(progress.since(Topic::Contact), Millis(400));
    }

    #[test]
    fn a_quiet_partition_is_as_fresh_as_the_last_look_at_its_end() {
        let progress = Progress::default();
        let (a, b) = (
            progress.take(A, &start(2, Reach::Everything), Millis(0)),
            progress.take(B, &start(0, Reach::Everything), Millis(0)),
        );
        b.found_end(0, true, Millis(900));
        assert_eq!(progress.known_to(), None, "nothing of A is applied");
        a.applied(1, Some(Millis(500)), Millis(900));
        assert_eq!(progress.known_to(), Some(Millis(500)));
        // The end was fetched, but the worker has not applied the last record yet.
        a.found_end(2, true, Millis(950));
        assert_eq!((progress.known_to(), a.lag()), (Some(Millis(500)), 1));
        a.applied(2, Some(Millis(510)), Millis(950));
        a.found_end(2, true, Millis(960));
        assert_eq!((progress.known_to(), a.lag()), (Some(Millis(900)), 0));
        assert_eq!(progress.last_record(Topic::Contact), Some(Millis(510)));
        assert_eq!(progress.last_record(Topic::Agent), None);
    }

    #[test]
    fn stream_time_may_run_ahead_but_nothing_is_fresher_than_the_clock() {
        let progress = Progress::default();
        let a = progress.take(A, &start(2, Reach::Everything), Millis(0));
        let now = Millis(1000);
        assert_eq!(progress.ahead(Topic::Contact, now), Some(Span::ZERO));
        assert_eq!(progress.ahead(Topic::Agent, now), None);
        a.streamed(Millis(5000));
        a.applied(1, Some(Millis(5000)), now);
        assert_eq!(progress.ahead(Topic::Contact, now), Some(Span(4000)));
        let later = Some(Span::ZERO);
        assert_eq!(progress.ahead(Topic::Contact, Millis(6000)), later);
        assert_eq!(progress.known_to(), Some(now), "and grows old from then on");
    }

    #[test]
    fn while_partitions_come_and_go_nothing_is_shown_and_then_only_later_frames() {
        let progress = Progress::default();
        progress.set_queues_read();
        progress
            .take(A, &start(0, Reach::Everything), Millis(0))
            .caught_up();
        assert_eq!((progress.unready(), progress.shown_from()), (None, 0));
        progress.set_changing(true);
        assert_eq!(progress.unready(), Some("the assignment is changing"));
        progress.changes();
        progress.changes();
        progress.set_changing(false);
        progress.published(1, 7);
        assert_eq!(progress.unready(), Some("the assignment is changing"));
        progress.published(1, 6);
        assert_eq!((progress.unready(), progress.shown_from()), (None, 7));
        assert!(progress.is_settled(Some(7)) && !progress.is_settled(Some(6)));
    }

    #[test]
    fn a_broker_that_never_answered_is_silent_since_the_beginning() {
        let mut progress = Progress::default();
        progress.begun -= Duration::from_mins(1);
        assert!(progress.broker_silence() >= Span::seconds(60));
        progress.heard();
        assert!(progress.broker_silence() < Span::seconds(60));
    }

    #[test]
    fn a_connection_to_a_broker_that_hangs_is_none() {
        let mut progress = Progress::new(Lease::of_member(Span::seconds(10)));
        progress.set_connected(true);
        progress.begun -= Duration::from_secs(9);
        let unready = progress.unready().unwrap_or_default();
        assert!(unready.starts_with("no partition is assigned yet"));
        progress.begun -= Duration::from_secs(2);
        let silent = Some("no broker of kafka.brokers answers");
        assert_eq!(progress.unready(), silent);
        progress.heard();
        assert_ne!(progress.unready(), silent);
    }

    #[test]
    fn ready_means_everything_is_read_once() {
        let progress = Progress::default();
        let unready = || progress.unready().unwrap_or_default();
        assert_eq!(unready(), "no broker of kafka.brokers answers");
        progress.set_connected(true);
        assert!(unready().starts_with("no partition is assigned yet"));
        let a = progress.take(A, &start(0, Reach::Everything), Millis(0));
        assert_eq!(progress.unready(), Some("the queue topic is being read"));
        progress.set_queues_read();
        assert_eq!(progress.unready(), Some("catching up"));
        a.caught_up();
        assert_eq!(progress.unready(), None);
        progress.set_snapshots_unseen(true);
        assert!(unready().starts_with("kafka.snapshot_topic cannot be looked at"));
        progress.set_snapshots_unseen(false);
        progress.set_topics_missing(true);
        assert!(unready().ends_with("does not exist"));
        progress.set_topics_missing(false);
        progress.drop_source(A);
        assert!(progress.catching_up());
    }
}
