//! Wires the rows of all instances: the thread that publishes ours, the one that reads everyone's,
//! and how this process stands to the others.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rapidhash::v3::rapidhash_v3;

use crate::cluster::{Inbox, Outbox, Reader, RowsTopic, Sender, Status, Told, Wait};
use crate::config::Config;
use crate::event::Millis;
use crate::ingest::client::{Broker, KafkaSettings, TopicState};
use crate::ingest::source::{Source, Topic};
use crate::live::{Share, Standing};
use crate::shutdown::INTAKE;

use super::engine::Shared;
use super::site::known_since;
use super::threads::Threads;
use super::{AppError, clock};

/// How often the topics' partitions are counted again.
const COUNT: Duration = Duration::from_secs(10);
const QUESTION: Duration = Duration::from_secs(1);

/// How many partitions the contact and the agent topic have; 0 while that is not known.
#[derive(Debug, Default)]
pub struct Counts([AtomicU32; 2]);

impl Counts {
    fn get(&self) -> [u32; 2] {
        [self.0[0].load(Relaxed), self.0[1].load(Relaxed)]
    }
}

/// Starts the threads of an instance that ingests, unless rows are switched off.
///
/// # Errors
/// The system refuses another thread.
pub(super) fn start(shared: &Shared, threads: &mut Threads) -> Result<(), AppError> {
    if !enabled(shared) {
        return Ok(());
    }
    let topic = topic(shared);
    let sender = sender(shared, topic.clone());
    threads.start(&format!("{INTAKE}: rows out"), move || Ok(sender.run()?))?;
    let about = shared.clone();
    let needed = move || standing(&about) != Standing::Alone;
    let instance = Some(shared.instance.to_string());
    start_reader(shared, threads, topic, instance, Box::new(needed))
}

/// Starts the threads of a viewer.
///
/// # Errors
/// The system refuses another thread.
pub(super) fn start_viewer(shared: &Shared, threads: &mut Threads) -> Result<(), AppError> {
    let topic = topic(shared);
    start_reader(shared, threads, topic, None, Box::new(|| true))
}

fn start_reader(
    shared: &Shared,
    threads: &mut Threads,
    topic: RowsTopic,
    instance: Option<String>,
    needed: Box<dyn Fn() -> bool + Send>,
) -> Result<(), AppError> {
    let metrics = Arc::clone(&shared.metrics);
    let windows = shared.config.windows.len();
    let registry = Arc::clone(&shared.registry);
    let reader = Reader {
        client: shared.kafka.outsider(),
        topic,
        inbox: Inbox::new(
            &shared.kafka.group,
            shape(&shared.config),
            windows,
            registry,
        ),
        instance,
        centre: Arc::clone(&shared.centre),
        needed,
        clock: clock::now,
        wait: wait(shared),
        tell: Box::new(move |told| match told {
            Told::Beat => metrics.cluster().beat(),
            Told::Unreadable => metrics.cluster().unreadable(),
            Told::Row | Told::NotOurs => {}
        }),
    };
    threads.start(&format!("{INTAKE}: rows in"), move || Ok(reader.run()?))?;
    Ok(())
}

fn sender(shared: &Shared, topic: RowsTopic) -> Sender {
    let config = &shared.config;
    let instance = shared.instance.to_string();
    let run = clock::now().0.unsigned_abs();
    let metrics = Arc::clone(&shared.metrics);
    Sender {
        client: shared.kafka.outsider(),
        topic,
        outbox: Outbox::new(&shared.kafka.group, &instance, run, shape(config)),
        instance,
        registry: Arc::clone(&shared.registry),
        frames: Arc::clone(&shared.frames),
        status: status(shared),
        clock: clock::now,
        wait: wait(shared),
        tell: Box::new(move |sent| metrics.cluster().sent(sent.records, sent.bytes)),
    }
}

/// Whether rows are published and read.
pub(super) fn enabled(shared: &Shared) -> bool {
    shared.config.cluster.enabled && !shared.kafka.embedded
}

fn topic(shared: &Shared) -> RowsTopic {
    let name = shared.config.kafka.rows_topic();
    RowsTopic::new(name, shared.kafka.create_topics)
}

fn wait(shared: &Shared) -> Wait {
    let stop = Arc::clone(&shared.stop);
    Box::new(move |at_most| {
        if at_most.is_zero() {
            stop.is_raised()
        } else {
            stop.wait(at_most)
        }
    })
}

/// The name of this instance: as the group knows it, else one that nobody else has.
pub(super) fn name(kafka: &KafkaSettings) -> String {
    let known = kafka.properties.get("group.instance.id");
    known.cloned().unwrap_or_else(|| {
        let begun = clock::now().0.unsigned_abs();
        format!("unnamed-{:x}-{:x}", std::process::id(), begun % 0x100_0000)
    })
}

/// What rows depend on: what counts, and which windows there are.
fn shape(config: &Config) -> u64 {
    let windows: Vec<String> = config
        .windows
        .iter()
        .map(|window| format!("{:?}", window.kind))
        .collect();
    config.state_hash() ^ rapidhash_v3(windows.join(",").as_bytes())
}

/// What the beat says, or that nothing may be published: the lease on the partitions is what decides
/// that. Asks for the number of partitions now and then.
fn status(shared: &Shared) -> Box<dyn Fn(Millis) -> Option<Status> + Send> {
    let shared = shared.clone();
    let asking = Mutex::new((None::<Broker>, None::<Instant>));
    Box::new(move |now| {
        let progress = &shared.progress;
        let settled = progress.is_settled(shared.frames.tick());
        if !progress.shows(now) || !settled || progress.is_ending() {
            return None;
        }
        count(
            &shared,
            &mut asking.lock().unwrap_or_else(PoisonError::into_inner),
        );
        Some(Status {
            partitions: shared.counts.get(),
            known_to: progress.known_to(),
            since: [Topic::Contact, Topic::Agent].map(|topic| known_since(&shared, topic, now)),
        })
    })
}

/// Counts the topics' partitions, if it is time.
fn count(shared: &Shared, (broker, asked): &mut (Option<Broker>, Option<Instant>)) {
    if asked.is_some_and(|asked| asked.elapsed() < COUNT) {
        return;
    }
    *asked = Some(Instant::now());
    if broker.is_none() {
        *broker = Broker::new((*shared.kafka).clone()).ok();
    }
    let Some(broker) = broker else { return };
    for (topic, count) in Topic::ALL.into_iter().zip(&shared.counts.0) {
        let found = broker.topic(shared.kafka.topic(topic), QUESTION);
        if let Ok(TopicState::Partitions(partitions)) = found {
            count.store(partitions.unsigned_abs(), Relaxed);
        }
    }
}

/// How this process stands to the others.
pub(super) fn standing(shared: &Shared) -> Standing {
    if !enabled(shared) {
        return Standing::Alone;
    }
    let owned = shared.progress.owned();
    let counts = shared.counts.get();
    let have = |topic: Topic| owned.iter().filter(|source| source.topic == topic).count();
    let all = Topic::ALL
        .into_iter()
        .zip(counts)
        .all(|(topic, count)| have(topic) >= usize::try_from(count).unwrap_or(usize::MAX));
    let alone = if counts == [0, 0] {
        !owned.is_empty() && !shared.progress.is_shared()
    } else {
        all
    };
    // While partitions are handed over what was shown stands, as it does among others.
    if alone && !shared.progress.is_handing_over() {
        return Standing::Alone;
    }
    Standing::Among {
        share: if shared.config.export.all {
            Share::All
        } else {
            Share::Of(own_now(&owned, counts[0]))
        },
        unready: unready(shared),
    }
}

/// How a viewer stands to the others.
pub(super) fn standing_of_viewer(shared: &Shared) -> Standing {
    Standing::Among {
        share: if shared.config.export.all {
            Share::All
        } else {
            Share::Of(Vec::new())
        },
        unready: unready(shared),
    }
}

/// By contact partition, whether it is ours.
fn own_now(owned: &[Source], count: u32) -> Vec<bool> {
    let mut own = vec![false; usize::try_from(count).unwrap_or(0)];
    for source in owned.iter().filter(|source| source.topic == Topic::Contact) {
        let place = usize::try_from(source.partition).ok();
        if let Some(place) = place.and_then(|place| own.get_mut(place)) {
            *place = true;
        }
    }
    own
}

/// The settings of queues must be known before anything is shown.
fn unready(shared: &Shared) -> Option<String> {
    let read = shared.progress.queues_read();
    (!read).then(|| "the queue topic is being read".to_owned())
}
