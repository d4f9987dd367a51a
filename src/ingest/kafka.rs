//! The poll thread: reads both topics as a member of the group and hands each partition's records,
//! in batches, to the worker that owns the partition.
//!
//! One thread polls, because librdkafka's per-partition queues lose wake-ups and partitions (rdkafka
//! issues 535, 651, 840); at over a million messages a second it is not what limits the engine. The
//! channels are bounded: when workers fall behind, polling waits, librdkafka's own queues fill and
//! fetching stops. Nothing is paused, nothing is sought. Group offsets follow the snapshots: they
//! tell others how far this group is, and decide nothing.

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use thiserror::Error;

use crate::engine::settings::StateSettings;
use crate::event::Millis;
use crate::windows::frame::WindowSpec;

use super::batch::Batch;
use super::client::{Broker, KafkaSettings, TopicState};
use super::context::Member;
use super::note::Tell;
use super::poll_loop::PollLoop;
use super::progress::{Progress, SourceProgress};
use super::restore::Restored;
use super::shard::Shard;
use super::snapshots::{SnapshotOrder, Snapshots, WriterEnds};
use super::source::{Source, Topic};
use super::start::Start;
use super::stop::Stop;
use crate::recovery::tail::Tail;
use crate::recovery::topic::{SnapshotTopic, TopicError};
use crate::topics::{EVENTS, PARTITIONS, SNAPSHOTS, create_command};

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
    /// Begin a state of this partition: an empty one, or the one restored.
    Take {
        /// The partition.
        source: Source,
        /// Where reading begins.
        start: Start,
        /// Where to say how far it has been applied.
        progress: Arc<SourceProgress>,
        /// The state out of a snapshot.
        restored: Option<Restored>,
    },
    /// Encode this partition's state, and hand it to the writing thread.
    Snapshot(SnapshotOrder),
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

/// Gives a worker an order as soon as there is room in its inbox; whether that was in time.
pub fn hand_over(worker: &SyncSender<Order>, mut order: Order, deadline: Instant) -> bool {
    let until_it_has_room = Stop::default();
    loop {
        match worker.try_send(order) {
            Ok(()) => return true,
            Err(TrySendError::Full(back)) if Instant::now() < deadline => order = back,
            Err(_) => return false,
        }
        until_it_has_room.wait(Duration::from_millis(5));
    }
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
    #[error(
        "kafka: a log no longer has the offset to be read next (records were deleted, or the topic \
         was made anew); a restart goes on from a snapshot or from the log"
    )]
    LogCut,
    /// Another process is the member that this one was.
    #[error(
        "kafka: another process of group {group} runs with the same kafka.instance {instance:?}; \
         give each its own"
    )]
    Fenced {
        /// The group.
        group: String,
        /// The name of this instance.
        instance: String,
    },
    /// There is no snapshot topic as it must be.
    #[error("kafka: {0}")]
    SnapshotTopic(#[from] TopicError),
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
    /// The hash of the settings that count: a snapshot of another one is not used.
    pub state_hash: u64,
    /// The thread that writes snapshots; none if there are none.
    pub writer: Option<WriterEnds>,
    /// Hears what happens.
    pub tell: Tell,
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
    /// Other members' live rows are read, so that what is shown is the whole centre.
    pub rows: bool,
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

/// How often a broker or topic that is not there is asked for again.
const RETRY: Duration = Duration::from_secs(1);

/// Reads until told to stop, then takes final snapshots and leaves. Waits for the broker and for the
/// topics if they are not there yet, saying so once.
pub fn run(mut intake: Intake) -> Result<(), IngestError> {
    let broker = Broker::new(intake.settings.clone()).map_err(IngestError::Client)?;
    if !wait_for_topics(&broker, &intake) || !ensure_snapshot_topic(&broker, &intake)? {
        return Ok(());
    }
    let snapshots = Arc::new(Mutex::new(Snapshots::new(
        intake.writer.take(),
        intake.workers.clone(),
        intake.tell.clone(),
        intake.clock,
    )));
    let consumer = consumer(broker, &intake, &snapshots)?;
    let begun = if intake.settings.embedded {
        consumer.context().take_all(&consumer)
    } else {
        consumer.subscribe(&Topic::ALL.map(|topic| intake.settings.topic(topic)))
    };
    begun.map_err(IngestError::Client)?;
    let stop = Arc::clone(&intake.stop);
    let mut poll_loop = PollLoop::new(intake, snapshots);
    let mut ended = Ok(());
    while ended.is_ok() && !stop.is_raised() {
        ended = poll_loop.once(&consumer);
    }
    let handed_over = poll_loop.hand_over_all();
    // Closing revokes the assignment, and so takes the final snapshots.
    drop(consumer);
    ended.and(handed_over)
}

fn consumer(
    broker: Broker,
    intake: &Intake,
    snapshots: &Arc<Mutex<Snapshots>>,
) -> Result<BaseConsumer<Member>, IngestError> {
    let settings = intake.settings.clone();
    let tail = match &settings.snapshot_topic {
        Some(topic) => {
            let tail = Tail::new(&settings.outsider(), topic).map_err(IngestError::Client)?;
            Some(Mutex::new(tail))
        }
        None => None,
    };
    let config = settings.member();
    let member = Member {
        settings,
        state: Arc::clone(&intake.state),
        state_hash: intake.state_hash,
        windows: Arc::clone(&intake.windows),
        broker,
        tail,
        snapshots: Arc::clone(snapshots),
        progress: Arc::clone(&intake.progress),
        tell: intake.tell.clone(),
        clock: intake.clock,
        stop: Arc::clone(&intake.stop),
        noted: AtomicBool::new(false),
        changes: Mutex::default(),
        statistics: Mutex::default(),
    };
    config
        .create_with_context(member)
        .map_err(IngestError::Client)
}

/// Sees to it that there is a snapshot topic with enough partitions, trying again while the broker
/// does not answer; `false` if told to stop before.
fn ensure_snapshot_topic(broker: &Broker, intake: &Intake) -> Result<bool, IngestError> {
    loop {
        let ensured = ensured(broker, &intake.settings);
        intake.progress.set_snapshots_unseen(ensured.is_err());
        match ensured {
            Ok(()) => {
                if let Some(topic) = snapshot_topic(&intake.settings) {
                    topic.check();
                }
                return Ok(true);
            }
            Err(refused @ TopicError::Refused { .. }) => return Err(refused.into()),
            Err(TopicError::Kafka(error)) => {
                tracing::warn!(%error, "kafka: cannot look at the snapshot topic; trying again");
            }
        }
        intake.progress.polled((intake.clock)());
        if intake.stop.wait(RETRY) {
            return Ok(false);
        }
    }
}

/// Sees to it that the snapshot topic, if there is to be one, has as many partitions as each topic
/// that is read.
pub(super) fn ensured(broker: &Broker, settings: &KafkaSettings) -> Result<(), TopicError> {
    let Some(topic) = snapshot_topic(settings) else {
        return Ok(());
    };
    let count = |name: &str| match broker.topic(name, QUESTION)? {
        TopicState::Partitions(partitions) => Ok::<_, KafkaError>(Some(partitions)),
        TopicState::Missing => Ok(None),
    };
    let mut wanted = 1;
    for topic in Topic::ALL {
        wanted = wanted.max(count(settings.topic(topic))?.unwrap_or(1));
    }
    topic.ensure(count(&topic.name)?, wanted)
}

fn snapshot_topic(settings: &KafkaSettings) -> Option<SnapshotTopic> {
    Some(SnapshotTopic {
        client: settings.outsider(),
        name: settings.snapshot_topic.clone()?,
        may_create: settings.create_topics,
    })
}

/// How long one question to the broker may take.
const QUESTION: Duration = Duration::from_secs(5);

/// Asks for both topics until they are there; `false` if told to stop before.
fn wait_for_topics(broker: &Broker, intake: &Intake) -> bool {
    let (settings, progress) = (&intake.settings, &intake.progress);
    let mut told = String::new();
    loop {
        progress.polled((intake.clock)());
        let found = partitions(broker, settings);
        progress.set_connected(found.is_ok());
        let line = match found {
            Ok(found) => match told_of_missing(settings, found) {
                None => {
                    progress.set_topics_missing(false);
                    return true;
                }
                Some(line) => {
                    progress.set_topics_missing(true);
                    line
                }
            },
            Err(_) => format!(
                "kafka: no broker answers at {}; trying again every second",
                settings.brokers
            ),
        };
        if told != line {
            tracing::warn!("{line}");
            told = line;
        }
        if intake.stop.wait(RETRY) {
            return false;
        }
    }
}

/// How many partitions each topic has; none of one that does not exist.
fn partitions(broker: &Broker, settings: &KafkaSettings) -> Result<[Option<i32>; 2], KafkaError> {
    let mut found = [None; 2];
    for (topic, found) in Topic::ALL.into_iter().zip(&mut found) {
        *found = match broker.topic(settings.topic(topic), RETRY)? {
            TopicState::Partitions(partitions) => Some(partitions),
            TopicState::Missing => None,
        };
    }
    Ok(found)
}

/// Which topics do not exist, and the commands that create them: also the snapshot topic's, unless the
/// engine creates it. That one comes first, since the engine begins as soon as there are events.
fn told_of_missing(settings: &KafkaSettings, found: [Option<i32>; 2]) -> Option<String> {
    let topics = Topic::ALL.into_iter().zip(found);
    let missing = topics.filter(|(_, found)| found.is_none());
    let missing: Vec<&str> = missing.map(|(topic, _)| settings.topic(topic)).collect();
    if missing.is_empty() {
        return None;
    }
    let partitions = found.into_iter().flatten().max().unwrap_or(PARTITIONS);
    let brokers = &settings.brokers;
    let create = |topic: &str, wanted| create_command(brokers, topic, partitions, wanted);
    let mut commands = Vec::new();
    if let Some(snapshots) = &settings.snapshot_topic
        && !settings.create_topics
    {
        commands.push(create(snapshots, SNAPSHOTS));
    }
    commands.extend(missing.iter().map(|name| create(name, EVENTS)));
    Some(format!(
        "kafka: topic {} does not exist at {brokers}; waiting for it; to create what is missing: {}",
        missing.join(" does not exist, topic "),
        commands.join(" && ")
    ))
}

#[cfg(test)]
mod tests;
