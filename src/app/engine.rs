//! Builds the engine's parts and wires them.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use axum::Router;
use tokio::sync::oneshot;

use crate::config::Config;
use crate::decode::Limits;
use crate::event::Millis;
use crate::ingest::batch::Batch;
use crate::ingest::client::{Broker, KafkaSettings};
use crate::ingest::kafka::{self, Intake, Order, Prelude};
use crate::ingest::lease::Lease;
use crate::ingest::note::{Note, Tell};
use crate::ingest::progress::Progress;
use crate::ingest::queue_events::{QueueTable, Told};
use crate::ingest::shard::Shard;
use crate::ingest::snapshots::WriterEnds;
use crate::ingest::source::Topic;
use crate::ingest::stop::Stop;
use crate::ingest::tally::Tally;
use crate::live::{Centre, Frames, Registry};
use crate::recovery::cadence::AT_ONCE;
use crate::recovery::choice::Refusal;
use crate::recovery::writer::{Encoded, Writer};
use crate::shutdown::{HTTP, INTAKE, Running, SNAPSHOTS, WORKER};
use crate::telemetry::EngineMetrics;

use super::cluster::{self, Counts};
use super::http::Patience;
use super::threads::Threads;
use super::tick::Ticks;
use super::worker::Worker;
use super::{AppError, clock, http, site};

/// Orders that wait for a worker at most: batches of some hundred records.
const INBOX: usize = 8;
/// Encoded states that wait to be written at most: each may be some 10 MiB.
const ENCODED: usize = AT_ONCE;
/// Reports of snapshots that wait for the poll thread at most.
const REPORTS: usize = 1024;
/// Used batches that wait for the poll thread at most.
const USED: usize = 64;

/// How often it is asked whether a broker answers, and how long an answer may take.
const ASK: Duration = Duration::from_secs(2);
const ANSWER: Duration = Duration::from_secs(1);

/// What several threads share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// The configuration.
    pub config: Arc<Config>,
    /// How Kafka is reached.
    pub kafka: Arc<KafkaSettings>,
    /// Queues, by name and by number.
    pub registry: Arc<Registry>,
    /// What workers publish.
    pub frames: Arc<Frames>,
    /// The engine's own metrics.
    pub metrics: Arc<EngineMetrics>,
    /// How far reading has come.
    pub progress: Arc<Progress>,
    /// When to publish.
    pub ticks: Arc<Ticks>,
    /// Ends intake and the ticker.
    pub stop: Arc<Stop>,
    /// What all instances have published.
    pub centre: Arc<Centre>,
    /// How many partitions there are.
    pub counts: Arc<Counts>,
    /// The name of this instance.
    pub instance: Arc<str>,
}

/// The workers' inboxes, and what becomes of used batches and of encoded states.
pub(super) struct Channels {
    pub(super) inboxes: Vec<SyncSender<Order>>,
    used: Receiver<Batch>,
    snapshots: Option<Receiver<Encoded>>,
}

/// Starts every thread of the engine.
///
/// # Errors
/// Why it could not be started.
pub fn start(
    config: &Config,
    kafka: KafkaSettings,
    prelude: Option<Prelude>,
    announce: &mut dyn FnMut(&str),
) -> Result<Running, AppError> {
    let (listener, address) = http::listen(config.http.listen)?;
    let shared = share(config, kafka)?;
    let mut threads = Threads::default();
    let channels = start_workers(&shared, &mut threads)?;
    let inboxes = channels.inboxes.clone();
    start_asking(&shared, &mut threads, &shared.kafka.contact_topic)?;
    start_intake(&shared, &mut threads, channels, prelude)?;
    cluster::start(&shared, &mut threads)?;
    let router = site::router(&shared, inboxes.clone());
    let close = start_http(&mut threads, listener, router)?;
    announce(&format!("http://{address}"));
    Ok(Running {
        threads,
        progress: shared.progress,
        stop: shared.stop,
        workers: inboxes,
        ticks: shared.ticks,
        clock: clock::now,
        close,
    })
}

/// Starts every thread of a viewer: it reads what the instances publish, and ingests nothing.
///
/// # Errors
/// Why it could not be started.
pub fn start_viewer(
    config: &Config,
    kafka: KafkaSettings,
    announce: &mut dyn FnMut(&str),
) -> Result<Running, AppError> {
    let (listener, address) = http::listen(config.http.listen)?;
    let shared = share(config, kafka)?;
    let mut threads = Threads::default();
    start_asking(&shared, &mut threads, &shared.config.kafka.rows_topic())?;
    let table = queue_table(&shared);
    threads.start(&format!("{INTAKE}: queues"), move || Ok(table.run()?))?;
    cluster::start_viewer(&shared, &mut threads)?;
    let close = start_http(&mut threads, listener, site::router_of_viewer(&shared))?;
    announce(&format!("http://{address}"));
    Ok(Running {
        threads,
        progress: shared.progress,
        stop: shared.stop,
        workers: Vec::new(),
        ticks: shared.ticks,
        clock: clock::now,
        close,
    })
}

pub(super) fn share(config: &Config, kafka: KafkaSettings) -> Result<Shared, AppError> {
    let config = Arc::new(config.clone());
    let views = Arc::clone(&config);
    let file =
        move |client: &str, queue: &str, channel: &str| views.view_for(client, queue, channel);
    Ok(Shared {
        registry: Arc::new(Registry::new(Arc::clone(&config.state), Box::new(file))),
        frames: Arc::new(Frames::new(workers(&config))),
        metrics: Arc::new(EngineMetrics::new()?),
        progress: Arc::new(Progress::new(lease(&config, &kafka))),
        ticks: Arc::default(),
        stop: Arc::default(),
        centre: Arc::default(),
        counts: Arc::default(),
        instance: cluster::name(&kafka).into(),
        kafka: Arc::new(kafka),
        config,
    })
}

/// Only in the demo nobody else can be given the partitions.
fn lease(config: &Config, kafka: &KafkaSettings) -> Lease {
    if kafka.embedded {
        Lease::of_nobody_else()
    } else {
        Lease::of_member(config.kafka.session_timeout)
    }
}

/// How many workers: as configured, else one for each core.
fn workers(config: &Config) -> usize {
    match config.workers {
        0 => std::thread::available_parallelism().map_or(1, Into::into),
        some => some,
    }
}

fn limits(config: &Config) -> Limits {
    Limits {
        max_bytes: config.kafka.max_record_bytes,
        ..Limits::default()
    }
}

pub(super) fn start_workers(shared: &Shared, threads: &mut Threads) -> Result<Channels, AppError> {
    let (back, used) = sync_channel(USED);
    let (write, snapshots) = match &shared.kafka.snapshot_topic {
        Some(_) => {
            let (write, snapshots) = sync_channel(ENCODED);
            (Some(write), Some(snapshots))
        }
        None => (None, None),
    };
    let mut inboxes = Vec::new();
    for number in 0..workers(&shared.config) {
        let (inbox, orders) = sync_channel(INBOX);
        inboxes.push(inbox);
        let settings = Arc::clone(&shared.config.state);
        let worker = Worker {
            inbox: orders,
            used: back.clone(),
            shard: shard_of(shared),
            settings,
            limits: limits(&shared.config),
            ticks: Arc::clone(&shared.ticks),
            publisher: shared.frames.publisher(number),
            progress: Arc::clone(&shared.progress),
            kafka: Arc::clone(&shared.kafka),
            metrics: Arc::clone(&shared.metrics),
            owned: BTreeMap::new(),
            shown_to: Millis::MIN,
            changes: 0,
            snapshots: write.clone(),
            state_hash: shared.config.state_hash(),
        };
        threads.start(&format!("{WORKER} {number}"), move || {
            worker.run();
            Ok(())
        })?;
    }
    Ok(Channels {
        inboxes,
        used,
        snapshots,
    })
}

/// Partitions and tables of a worker.
fn shard_of(shared: &Shared) -> Shard {
    let numbering: Arc<Registry> = Arc::clone(&shared.registry);
    let config = &shared.config;
    let made = Shard::new(numbering, &config.state, &config.windows);
    if cluster::enabled(shared) {
        made.with_rates()
    } else {
        made
    }
}

fn start_intake(
    shared: &Shared,
    threads: &mut Threads,
    channels: Channels,
    prelude: Option<Prelude>,
) -> Result<(), AppError> {
    let Channels {
        inboxes,
        used,
        snapshots,
    } = channels;
    let writer = snapshots.map(|inbox| start_writer(shared, threads, inbox));
    let (ticks, woken) = (Arc::clone(&shared.ticks), inboxes.clone());
    let (progress, stop) = (Arc::clone(&shared.progress), Arc::clone(&shared.stop));
    threads.start(&format!("{INTAKE}: ticks"), move || {
        ticks.run(&woken, &progress, &stop, clock::now)
    })?;
    let table = queue_table(shared);
    threads.start(&format!("{INTAKE}: queues"), move || Ok(table.run()?))?;
    let intake = Intake {
        settings: KafkaSettings::clone(&shared.kafka),
        state: Arc::clone(&shared.config.state),
        state_hash: shared.config.state_hash(),
        writer: writer.transpose()?,
        tell: hear(shared),
        windows: shared.config.windows.clone().into(),
        workers: inboxes,
        used,
        progress: Arc::clone(&shared.progress),
        stop: Arc::clone(&shared.stop),
        clock: clock::now,
        prelude,
        rows: cluster::enabled(shared),
    };
    threads.start(&format!("{INTAKE}: kafka"), move || Ok(kafka::run(intake)?))?;
    Ok(())
}

/// Starts the thread that asks whether a broker answers, of a topic that this process may read. Apart
/// from what reads: a member without partitions and a viewer of a silent topic hear nothing else.
fn start_asking(shared: &Shared, threads: &mut Threads, topic: &str) -> Result<(), AppError> {
    let (shared, topic) = (shared.clone(), topic.to_owned());
    threads.start(&format!("{INTAKE}: broker"), move || {
        let broker = Broker::new(KafkaSettings::clone(&shared.kafka))?;
        while !shared.stop.wait(ASK) {
            if broker.answers(&topic, ANSWER) {
                shared.progress.heard();
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// Starts the thread that writes snapshots.
fn start_writer(
    shared: &Shared,
    threads: &mut Threads,
    inbox: Receiver<Encoded>,
) -> Result<WriterEnds, AppError> {
    let (tell, reports) = sync_channel(REPORTS);
    let done = Arc::new(AtomicBool::new(false));
    let writer = Writer {
        client: shared.kafka.outsider(),
        topic: shared.kafka.snapshot_topic.clone().unwrap_or_default(),
        inbox,
        reports: tell,
        done: Arc::clone(&done),
    };
    threads.start(SNAPSHOTS, move || Ok(writer.run()?))?;
    Ok(WriterEnds { reports, done })
}

/// What happens to snapshots and assignments goes to the engine's own metrics.
fn hear(shared: &Shared) -> Tell {
    let (metrics, kafka) = (Arc::clone(&shared.metrics), Arc::clone(&shared.kafka));
    let topics = Topic::ALL.map(|topic| kafka.topic(topic));
    let reasons = Refusal::ALL.map(Refusal::reason);
    metrics.recovery().begin(topics, reasons);
    Tell::new(move |note| {
        let metrics = metrics.recovery();
        match note {
            Note::Written { bytes, took } => metrics.written(bytes, took),
            Note::Failed => metrics.failed(),
            Note::Refused(refusal) => metrics.refused(refusal.reason()),
            Note::Restored => metrics.begun("snapshot"),
            Note::Replayed => metrics.begun("log"),
            Note::RestoreTook(took) => metrics.restored(took),
            Note::Behind(records) => metrics.replayed(records),
            Note::Gap(topic, records) => metrics.gap(kafka.topic(topic), records),
            Note::Holes(topic, offsets) => metrics.holes(kafka.topic(topic), offsets),
            Note::Added(topic) => metrics.added(kafka.topic(topic)),
            Note::Lost => metrics.lost(),
        }
    })
}

fn queue_table(shared: &Shared) -> QueueTable {
    let metrics = Arc::clone(&shared.metrics);
    let topic = shared.kafka.queue_topic.clone().unwrap_or_default();
    QueueTable {
        settings: KafkaSettings::clone(&shared.kafka),
        limits: limits(&shared.config),
        max_ahead: shared.config.state.max_ahead,
        registry: Arc::clone(&shared.registry),
        progress: Arc::clone(&shared.progress),
        tell: Box::new(move |told| match told {
            Told::Record(result) => {
                let mut tally = Tally::default();
                tally.note(result);
                metrics.records(&topic, tally.records());
                for (reason, count) in tally.discarded() {
                    metrics.discarded(reason, count);
                }
            }
            Told::Refused(setting) => metrics.bad_setting(setting),
        }),
        stop: Arc::clone(&shared.stop),
    }
}

fn start_http(
    threads: &mut Threads,
    listener: TcpListener,
    router: Router,
) -> Result<oneshot::Sender<()>, AppError> {
    let runtime = http::runtime()?;
    http::hear_signals(&runtime, &http::ENDING, threads.teller())?;
    let (close, closed) = oneshot::channel();
    threads.start(HTTP, move || {
        http::serve(&runtime, listener, &router, Patience::default(), closed)
    })?;
    Ok(close)
}
