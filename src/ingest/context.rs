//! The callbacks of the group's member. They run on the poll thread and nowhere else: librdkafka
//! calls them from inside `poll`. They answer the group and note what happened; the poll loop acts
//! on the notes as soon as `poll` returns.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::windows::frame::WindowSpec;

use super::client::{Broker, KafkaSettings, TopicState};
use super::source::{Source, Topic};
use super::start::{self, Start};
use super::statistics::Statistics;
use super::stop::Stop;

/// What the group did.
#[derive(Debug)]
pub(super) enum Change {
    /// Partitions were assigned, with the place to begin each.
    Given {
        starts: Vec<(Source, Start)>,
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

/// What the callbacks need, and where they leave their notes.
pub(super) struct Member {
    pub(super) settings: KafkaSettings,
    pub(super) state: Arc<StateSettings>,
    pub(super) windows: Arc<[WindowSpec]>,
    pub(super) broker: Broker,
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
        let (starts, all) = if given.is_empty() {
            (Vec::new(), 0)
        } else {
            self.patiently(|| Ok((self.starts(&given)?, self.all_partitions()?)))?
        };
        for (source, start) in &starts {
            let topic = self.settings.topic(source.topic);
            let offset = Offset::Offset(start.offset);
            partitions.set_partition_offset(topic, source.partition, offset)?;
        }
        if cooperative {
            consumer.incremental_assign(partitions)?;
        } else {
            consumer.assign(partitions)?;
        }
        Ok(Change::Given {
            starts,
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

    fn starts(&self, sources: &[Source]) -> KafkaResult<Vec<(Source, Start)>> {
        let now = (self.clock)();
        let start_of = |&source: &Source| {
            let start = if self.settings.embedded {
                start::from_the_beginning(self.broker.bounds(source, None, QUESTION)?)
            } else {
                let wanted = start::wanted(source.topic, &self.windows, &self.state, now);
                let bounds = self.broker.bounds(source, Some(wanted), QUESTION)?;
                start::decide(bounds, wanted)
            };
            Ok((source, start))
        };
        sources.iter().map(start_of).collect()
    }

    fn all_partitions(&self) -> KafkaResult<usize> {
        let mut all = 0;
        for topic in Topic::ALL {
            let name = self.settings.topic(topic);
            if let TopicState::Partitions(count) = self.broker.topic(name, QUESTION)? {
                all += usize::try_from(count).unwrap_or(0);
            }
        }
        Ok(all)
    }

    /// Asks again while the broker does not answer: a wrong place to begin would be worse than the
    /// wait, which the group bears as long as `max.poll.interval.ms`.
    fn patiently<T>(&self, ask: impl Fn() -> KafkaResult<T>) -> KafkaResult<T> {
        let until = Instant::now() + ASSIGNMENT;
        loop {
            match ask() {
                Err(error) if Instant::now() < until => {
                    tracing::warn!(%error, "cannot look up where to begin; asking again");
                    if self.stop.wait(Duration::from_millis(500)) {
                        return Err(error);
                    }
                }
                answer => return answer,
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
