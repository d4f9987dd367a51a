//! The callbacks of the group's member. They run on the poll thread and nowhere else: librdkafka
//! calls them from inside `poll`. They answer the group and note what happened; the poll loop acts
//! on the notes as soon as `poll` returns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::windows::frame::WindowSpec;

use super::client::{Broker, KafkaSettings, TopicState};
use super::kafka::ensured;
use super::note::{Note, Tell};
use super::progress::Progress;
use super::restore::{Begin, Restore};
use super::snapshots::Snapshots;
use super::source::{Source, Topic};
use super::statistics::Statistics;
use super::stop::Stop;
use crate::recovery::tail::Tail;

/// What the group did.
#[derive(Debug)]
pub(super) enum Change {
    /// Partitions were assigned, with the place to begin each.
    Given {
        begins: Vec<Begin>,
        replaces_all: bool,
        /// Partitions of both topics, whoever has them.
        all: usize,
    },
    /// Partitions were revoked, or lost.
    Taken(Vec<Source>),
    /// The assignment could not be taken up.
    Failed(KafkaError),
}

/// How long one question to the broker may take, and all those of one assignment.
const QUESTION: Duration = Duration::from_secs(5);
const ASSIGNMENT: Duration = Duration::from_secs(30);
/// How long the group may take to say whether this process is its member, before it is asked again.
const ANSWER: Duration = Duration::from_secs(1);

/// What the callbacks need, and where they leave their notes.
pub(super) struct Member {
    pub(super) settings: KafkaSettings,
    pub(super) state: Arc<StateSettings>,
    pub(super) windows: Arc<[WindowSpec]>,
    pub(super) state_hash: u64,
    pub(super) broker: Broker,
    /// Reads snapshots; none if there are none.
    pub(super) tail: Option<Mutex<Tail>>,
    pub(super) snapshots: Arc<Mutex<Snapshots>>,
    pub(super) progress: Arc<Progress>,
    pub(super) tell: Tell,
    pub(super) clock: fn() -> Millis,
    pub(super) stop: Arc<Stop>,
    pub(super) noted: AtomicBool,
    pub(super) changes: Mutex<Vec<Change>>,
    pub(super) statistics: Mutex<Option<Statistics>>,
}

impl ClientContext for Member {
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, message, "librdkafka");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }

    fn stats_raw(&self, json: &[u8]) {
        *lock(&self.statistics) = Statistics::parse(json);
        self.noted.store(true, Relaxed);
    }
}

impl ConsumerContext for Member {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        err: RDKafkaRespErr,
        partitions: &mut TopicPartitionList,
    ) {
        // Nothing is shown until the workers know.
        self.progress.set_changing(true);
        let change = match err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self
                .assign(consumer, partitions)
                .unwrap_or_else(Change::Failed),
            _ => self.unassign(consumer, partitions),
        };
        lock(&self.changes).push(change);
        self.noted.store(true, Relaxed);
    }
}

impl Member {
    /// Takes the notes, if there are any; one relaxed load when there are none.
    pub(super) fn take_notes(&self) -> Option<(Vec<Change>, Option<Statistics>)> {
        if !self.noted.load(Relaxed) {
            return None;
        }
        self.noted.store(false, Relaxed);
        let changes = std::mem::take(&mut *lock(&self.changes));
        Some((changes, lock(&self.statistics).take()))
    }

    /// Takes every partition of both topics, without a group.
    pub(super) fn take_all(&self, consumer: &BaseConsumer<Self>) -> KafkaResult<()> {
        let mut all = TopicPartitionList::new();
        for topic in Topic::ALL {
            let name = self.settings.topic(topic);
            if let TopicState::Partitions(count) = self.broker.topic(name, QUESTION)? {
                (0..count).for_each(|partition| {
                    all.add_partition(name, partition);
                });
            }
        }
        let given = self.assign(consumer, &mut all)?;
        lock(&self.changes).push(given);
        self.noted.store(true, Relaxed);
        Ok(())
    }

    /// Looks up where each partition begins, writes it into the list and assigns once: a seek after
    /// an assignment fails or is lost (librdkafka issues 3959, 2190).
    fn assign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &mut TopicPartitionList,
    ) -> KafkaResult<Change> {
        let given = self.sources(partitions);
        let cooperative = is_cooperative(consumer);
        let (begins, all) = if given.is_empty() {
            (Vec::new(), 0)
        } else if let Some(begun) = self.patiently(|| self.begin(&given))? {
            begun
        } else {
            return Ok(Change::Taken(Vec::new()));
        };
        for begin in &begins {
            let topic = self.settings.topic(begin.source.topic);
            let offset = Offset::Offset(begin.start.offset);
            partitions.set_partition_offset(topic, begin.source.partition, offset)?;
        }
        if cooperative {
            consumer.incremental_assign(partitions)?;
        } else {
            consumer.assign(partitions)?;
        }
        let (mut lease, now) = self.progress.lease((self.clock)());
        lease.given(now);
        drop(lease);
        Ok(Change::Given {
            begins,
            replaces_all: !cooperative,
            all,
        })
    }

    fn unassign(
        &self,
        consumer: &BaseConsumer<Self>,
        partitions: &mut TopicPartitionList,
    ) -> Change {
        let taken = self.sources(partitions);
        if consumer.assignment_lost() {
            // Someone else may have them already: nothing is written or committed.
            self.progress.lease((self.clock)()).0.lost();
            self.tell.note(Note::Lost);
            tracing::warn!("the group has taken the assignment away");
        } else {
            self.last_words(consumer, &taken);
        }
        let done = if is_cooperative(consumer) {
            consumer.incremental_unassign(partitions)
        } else {
            consumer.unassign()
        };
        match done {
            Ok(()) => Change::Taken(taken),
            Err(error) => Change::Failed(error),
        }
    }

    fn sources(&self, partitions: &TopicPartitionList) -> Vec<Source> {
        let source = |name: &str, partition| {
            let topic = self.settings.topic_named(name)?;
            Some(Source { topic, partition })
        };
        let elements = partitions.elements();
        elements
            .iter()
            .filter_map(|element| source(element.topic(), element.partition()))
            .collect()
    }

    /// Final snapshots, and how far they are, for whoever is given the partitions next.
    fn last_words(&self, consumer: &BaseConsumer<Self>, taken: &[Source]) {
        let mut snapshots = lock(&self.snapshots);
        snapshots.finals(taken);
        if let Some(offsets) = snapshots.take_news(false) {
            self.commit(consumer, &offsets, "");
        }
    }

    /// Tells the group how far snapshots are. Whether it heard is not heard of: rdkafka 0.39 passes
    /// no answers of asynchronous commits on, and waiting for one could take minutes.
    pub(super) fn commit(
        &self,
        consumer: &BaseConsumer<Self>,
        offsets: &[(Source, i64)],
        remark: &str,
    ) {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (source, next) in offsets {
            let topic = self.settings.topic(source.topic);
            let mut element = list.add_partition(topic, source.partition);
            if !remark.is_empty() {
                element.set_metadata(remark);
            }
            if let Err(error) = element.set_offset(Offset::Offset(*next)) {
                tracing::debug!(%error, %source, "no offset to commit");
            }
        }
        if let Err(error) = consumer.commit(&list, CommitMode::Async) {
            tracing::debug!(%error, "a commit was not sent");
        }
    }

    /// Asks the group whether this process is still its member: commits with a remark that nobody
    /// else makes, and looks whether it stands there. The coordinator accepts a commit from its
    /// member only, and answers one client in the order of its questions.
    pub(super) fn ask(&self, consumer: &BaseConsumer<Self>, offsets: &[(Source, i64)]) {
        let Some((source, _)) = offsets.first() else {
            return;
        };
        let now = (self.clock)();
        let proof = self.progress.lease(now).0.proof();
        let remark = format!("{} {} {proof}", std::process::id(), now.0);
        self.commit(consumer, offsets, &remark);
        let topic = self.settings.topic(source.topic);
        let mut list = TopicPartitionList::with_capacity(1);
        list.add_partition(topic, source.partition);
        let stands_there = |found: &TopicPartitionList| {
            let element = found.find_partition(topic, source.partition);
            element.is_some_and(|element| element.metadata() == remark)
        };
        match consumer.committed_offsets(list, ANSWER) {
            Ok(found) if stands_there(&found) => {
                tracing::info!("the group has confirmed that this is its member");
                self.progress.lease((self.clock)()).0.confirmed(proof);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the group does not answer"),
        }
    }

    fn begin(&self, sources: &[Source]) -> KafkaResult<(Vec<Begin>, usize)> {
        let partitions = self.partitions()?;
        let all = partitions
            .values()
            .map(|&count| usize::try_from(count).unwrap_or(0))
            .sum();
        let known = Topic::ALL.into_iter().filter_map(|topic| {
            let known = lock(&self.snapshots).partitions(topic)?;
            Some((topic, known))
        });
        let restore = Restore {
            settings: &self.settings,
            state: &self.state,
            state_hash: self.state_hash,
            windows: &self.windows,
            broker: &self.broker,
            tail: self.tail.as_ref(),
            tell: &self.tell,
            now: (self.clock)(),
            stop: &self.stop,
            known: known.collect(),
        };
        let begins = restore.begin(sources)?;
        lock(&self.snapshots).set_partitions(partitions);
        Ok((begins, all))
    }

    /// How many partitions each topic has; the snapshot topic is given as many.
    fn partitions(&self) -> KafkaResult<BTreeMap<Topic, i32>> {
        let mut partitions = BTreeMap::new();
        for topic in Topic::ALL {
            let name = self.settings.topic(topic);
            if let TopicState::Partitions(count) = self.broker.topic(name, QUESTION)? {
                partitions.insert(topic, count);
            }
        }
        let grown =
            |topic| lock(&self.snapshots).partitions(topic) < partitions.get(&topic).copied();
        if Topic::ALL.into_iter().any(grown)
            && let Err(error) = ensured(&self.broker, &self.settings)
        {
            tracing::warn!("{error}");
        }
        Ok(partitions)
    }

    /// Asks again while the broker does not answer: a wrong place to begin would be worse than the
    /// wait, which the group bears as long as `max.poll.interval.ms`. None when told to end
    /// meanwhile: then nothing is begun, which is no failure.
    fn patiently<T>(&self, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<Option<T>> {
        let until = Instant::now() + ASSIGNMENT;
        loop {
            match ask() {
                Ok(answer) => return Ok(Some(answer)),
                Err(_) if self.stop.is_raised() => return Ok(None),
                Err(error) if Instant::now() < until => {
                    tracing::warn!(%error, "cannot look up where to begin; asking again");
                    if self.stop.wait(Duration::from_millis(500)) {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_cooperative<C: ConsumerContext>(consumer: &BaseConsumer<C>) -> bool {
    matches!(
        consumer.rebalance_protocol(),
        RebalanceProtocol::Cooperative
    )
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
