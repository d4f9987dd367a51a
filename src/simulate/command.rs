//! `queuepulse simulate`: a simulated centre's events to a folder, standard output or Kafka.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use rapidhash::v3::rapidhash_v3;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientConfig, ClientContext};

use crate::event::{Millis, Span};

use super::{Faults, Options, Scale, SimEvent, Simulation, Topic};

/// How long Kafka may take to answer at all.
const ANSWER: Duration = Duration::from_secs(5);
/// How long Kafka may take to accept what is still buffered at the end.
const FLUSH: Duration = Duration::from_secs(35);

/// What `queuepulse simulate` is asked for.
#[derive(Args, Clone, Debug)]
pub struct SimulateArgs {
    /// The same seed gives the same events
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// When the first event happens (RFC 3339); default: now in real time, else now less the
    /// duration
    #[arg(long, value_name = "RFC3339", value_parser = parse_instant)]
    from: Option<Millis>,
    /// How much of the centre's time to simulate, as 90s, 30m, 1h30m
    #[arg(long, default_value = "1h", value_name = "DUR", value_parser = parse_span)]
    duration: Span,
    /// `demo`, `largest`, or `QUEUESxAGENTS` as 500x4000
    #[arg(long, default_value = "demo", value_parser = parse_scale)]
    scale: Scale,
    /// Time of day at the beginning as HH:MM, which decides shifts and rush hours; default: UTC's
    #[arg(long, value_name = "HH:MM", value_parser = parse_clock)]
    time_of_day: Option<Span>,
    /// Share of the events that are sent twice, 0..1
    #[arg(long, default_value = "0", value_name = "SHARE", value_parser = parse_share)]
    duplicates: f64,
    /// Share of the events that are sent late, 0..1
    #[arg(long, default_value = "0", value_name = "SHARE", value_parser = parse_share)]
    disorder: f64,
    /// How late a duplicated or disordered event may be sent
    #[arg(long, default_value = "30s", value_name = "DUR", value_parser = parse_span)]
    max_delay: Span,
    /// Events a second; default: flat out
    #[arg(long, value_name = "N", conflicts_with = "real_time", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// One second of the centre's time a second
    #[arg(long)]
    real_time: bool,
    /// Write NDJSON files, one per topic and partition, into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "brokers")]
    folder: Option<PathBuf>,
    /// Partitions of each topic in the folder
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1024))]
    partitions: u32,
    /// Produce to the Kafka at this address
    #[arg(long, value_name = "HOST:PORT")]
    brokers: Option<String>,
    /// Name of the topic of contact events
    #[arg(long, default_value = Topic::Contacts.name())]
    contact_topic: String,
    /// Name of the topic of agent events
    #[arg(long, default_value = Topic::Agents.name())]
    agent_topic: String,
    /// Name of the topic of queue events
    #[arg(long, default_value = Topic::Queues.name())]
    queue_topic: String,
}

/// Why the simulated events could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A file could not be made or written.
    #[error("cannot write {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Files of an earlier run would be read as part of this one.
    #[error("--folder {0}: it is not empty; give a new folder, or empty it")]
    NotEmpty(PathBuf),
    /// Standard output broke.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
    /// Kafka refused.
    #[error("cannot produce to {brokers}: {source}")]
    Kafka {
        /// The address given.
        brokers: String,
        /// What the client says.
        source: KafkaError,
    },
    /// Kafka took only a part.
    #[error("{count} events were not delivered to {brokers}")]
    Undelivered {
        /// The address given.
        brokers: String,
        /// How many.
        count: u64,
    },
}

/// Counts what Kafka did not take.
#[derive(Debug, Default)]
struct Deliveries {
    failed: AtomicU64,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if result.is_err() {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the events asked for and returns how many there were. `now` is the wall clock.
pub fn simulate(args: &SimulateArgs, now: Millis) -> Result<u64, SimulateError> {
    let from = args.from.unwrap_or_else(|| first_event(args, now));
    let mut simulation = Simulation::new(&Options {
        seed: args.seed,
        from,
        time_of_day: args.time_of_day,
        scale: args.scale,
        faults: Faults {
            duplicates: args.duplicates,
            disorder: args.disorder,
            within: args.max_delay,
        },
    });
    let mut sink = Sink::open(args)?;
    let mut pace = Pace {
        started: Instant::now(),
        from,
        rate: args.rate,
        real: args.real_time,
    };
    let mut count = 0;
    loop {
        let event = simulation.next_event();
        if event.sent > from + args.duration {
            break;
        }
        if pace.must_wait(count, event.sent) {
            sink.flush()?;
            pace.wait(count, event.sent);
        }
        if !sink.write(&event)? {
            return Ok(count);
        }
        count += 1;
    }
    sink.finish()?;
    Ok(count)
}

/// When the first event happens if it is not said: so that the last one is of now, or, sent in real
/// time, each is of the moment at which it is sent.
fn first_event(args: &SimulateArgs, now: Millis) -> Millis {
    if args.real_time {
        now
    } else {
        now - args.duration
    }
}

/// When each event is due on the machine's own monotonic clock.
struct Pace {
    started: Instant,
    from: Millis,
    rate: Option<u32>,
    real: bool,
}

impl Pace {
    fn due(&self, count: u64, sent: Millis) -> Duration {
        match self.rate {
            Some(rate) => Duration::from_secs_f64(count as f64 / f64::from(rate.max(1))),
            None if self.real => Duration::from_millis((sent - self.from).0.max(0) as u64),
            None => Duration::ZERO,
        }
    }

    fn must_wait(&self, count: u64, sent: Millis) -> bool {
        (self.real || self.rate.is_some())
            && self.due(count, sent) > self.started.elapsed() + Duration::from_millis(2)
    }

    fn wait(&mut self, count: u64, sent: Millis) {
        let due = self.due(count, sent);
        while let Some(left) = due.checked_sub(self.started.elapsed()) {
            std::thread::park_timeout(left);
        }
    }
}

enum Sink {
    Files(Vec<(PathBuf, BufWriter<File>)>, usize),
    Output(BufWriter<io::Stdout>),
    Kafka {
        brokers: String,
        producer: BaseProducer<Deliveries>,
        topics: [String; 3],
    },
}

impl Sink {
    fn open(args: &SimulateArgs) -> Result<Self, SimulateError> {
        let topics = [
            args.contact_topic.clone(),
            args.agent_topic.clone(),
            args.queue_topic.clone(),
        ];
        if let Some(folder) = &args.folder {
            let partitions = args.partitions as usize;
            return Ok(Self::Files(
                open_files(folder, &topics, partitions)?,
                partitions,
            ));
        }
        let Some(brokers) = &args.brokers else {
            return Ok(Self::Output(BufWriter::with_capacity(
                1 << 16,
                io::stdout(),
            )));
        };
        let producer = connect(brokers).map_err(|source| SimulateError::Kafka {
            brokers: brokers.clone(),
            source,
        })?;
        Ok(Self::Kafka {
            brokers: brokers.clone(),
            producer,
            topics,
        })
    }

    /// Writes one event; false when nobody reads any more.
    fn write(&mut self, event: &SimEvent<'_>) -> Result<bool, SimulateError> {
        match self {
            Self::Files(files, partitions) => {
                let file = event.topic as usize * *partitions + spread(event.key, *partitions);
                let (path, file) = &mut files[file];
                line(file, event.json).map_err(|source| SimulateError::File {
                    path: path.clone(),
                    source,
                })?;
            }
            Self::Output(output) => match line(output, event.json) {
                Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                written => written?,
            },
            Self::Kafka {
                brokers,
                producer,
                topics,
            } => {
                produce(producer, &topics[event.topic as usize], event).map_err(|source| {
                    SimulateError::Kafka {
                        brokers: brokers.clone(),
                        source,
                    }
                })?;
            }
        }
        Ok(true)
    }

    /// Makes what was written visible.
    fn flush(&mut self) -> Result<(), SimulateError> {
        match self {
            Self::Files(files, _) => {
                for (path, file) in files {
                    file.flush().map_err(|source| SimulateError::File {
                        path: path.clone(),
                        source,
                    })?;
                }
            }
            Self::Output(output) => match output.flush() {
                Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => {}
                flushed => flushed?,
            },
            Self::Kafka { producer, .. } => {
                producer.poll(Duration::ZERO);
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), SimulateError> {
        if let Self::Kafka {
            brokers, producer, ..
        } = self
        {
            let brokers = brokers.clone();
            if let Err(source) = producer.flush(FLUSH) {
                return Err(SimulateError::Kafka { brokers, source });
            }
            return match producer.context().failed.load(Ordering::Relaxed) {
                0 => Ok(()),
                count => Err(SimulateError::Undelivered { brokers, count }),
            };
        }
        self.flush()
    }
}

/// A producer, once the brokers have answered.
fn connect(brokers: &str) -> Result<BaseProducer<Deliveries>, KafkaError> {
    let producer: BaseProducer<Deliveries> = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("linger.ms", "20")
        .set("compression.type", "zstd")
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", "30000")
        .set("log_level", "0")
        .create_with_context(Deliveries::default())?;
    producer.client().fetch_metadata(None, ANSWER)?;
    Ok(producer)
}

fn open_files(
    folder: &Path,
    topics: &[String],
    partitions: usize,
) -> Result<Vec<(PathBuf, BufWriter<File>)>, SimulateError> {
    let fault = |path: &Path| {
        let path = path.to_owned();
        move |source| SimulateError::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(fault(folder))?;
    let mut entries = std::fs::read_dir(folder).map_err(fault(folder))?;
    if entries.next().is_some() {
        return Err(SimulateError::NotEmpty(folder.to_owned()));
    }
    let mut files = Vec::with_capacity(topics.len() * partitions);
    for topic in topics {
        for partition in 0..partitions {
            let path = folder.join(format!("{topic}-{partition}.ndjson"));
            let file = File::create(&path).map_err(fault(&path))?;
            files.push((path, BufWriter::new(file)));
        }
    }
    Ok(files)
}

fn line(output: &mut impl Write, json: &[u8]) -> io::Result<()> {
    output.write_all(json)?;
    output.write_all(b"\n")
}

/// Hands a record over; when the client's buffer is full, waits until there is room.
fn produce(
    producer: &BaseProducer<Deliveries>,
    topic: &str,
    event: &SimEvent<'_>,
) -> Result<(), KafkaError> {
    let record = BaseRecord::to(topic)
        .key(event.key)
        .payload(event.json)
        .timestamp(event.sent.0);
    let mut outcome = producer.send(record);
    while let Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), record)) = outcome {
        producer.poll(Duration::from_millis(50));
        outcome = producer.send(record);
    }
    outcome.map_err(|(fault, _)| fault)
}

/// The partition of a key: an id's events stay in one file.
fn spread(key: &[u8], partitions: usize) -> usize {
    rapidhash_v3(key) as usize % partitions
}

fn parse_instant(text: &str) -> Result<Millis, String> {
    let stamp: jiff::Timestamp = text
        .parse()
        .map_err(|_| format!("{text:?} is no RFC 3339 time with an offset"))?;
    Ok(Millis(stamp.as_millisecond()))
}

fn parse_span(text: &str) -> Result<Span, String> {
    let span: jiff::SignedDuration = text
        .parse()
        .map_err(|_| format!("{text:?} is no duration such as 90s, 30m, 1h30m"))?;
    if span.is_negative() {
        return Err(format!("{text:?} is negative"));
    }
    Ok(Span(span.as_millis() as i64))
}

fn parse_clock(text: &str) -> Result<Span, String> {
    let time = jiff::civil::Time::strptime("%H:%M", text)
        .map_err(|_| format!("{text:?} is no time of day such as 09:30"))?;
    Ok(Span::minutes(
        i64::from(time.hour()) * 60 + i64::from(time.minute()),
    ))
}

fn parse_share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok();
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| format!("{text:?} is not a number from 0 to 1"))
}

fn parse_scale(text: &str) -> Result<Scale, String> {
    match text {
        "demo" => return Ok(Scale::DEMO),
        "largest" => return Ok(Scale::LARGEST),
        _ => {}
    }
    let parts = text.split_once('x');
    let numbers = parts.and_then(|(queues, agents)| {
        Some((queues.parse().ok()?, agents.parse().ok()?)).filter(|(q, a)| *q > 0 && *a > 0)
    });
    let (queues, agents): (u32, u32) =
        numbers.ok_or_else(|| format!("{text:?} is not demo, largest or QUEUESxAGENTS"))?;
    if queues > 1_000_000 || agents > 10_000_000 {
        return Err(format!(
            "{text:?} is more than 1000000 queues or 10000000 agents"
        ));
    }
    Ok(Scale::of(queues, agents))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SimulateArgs,
    }

    #[test]
    fn events_in_real_time_are_of_the_moment_at_which_they_are_sent() {
        let now = Millis(1_767_603_600_000);
        let first = |line: &[&str]| first_event(&Line::parse_from(line).args, now);
        assert_eq!(first(&["simulate", "--real-time"]), now);
        assert_eq!(
            first(&["simulate", "--duration", "2h"]),
            now - Span::minutes(120)
        );
    }

    #[test]
    fn keys_that_differ_in_their_last_digits_go_to_all_partitions() {
        let mut counts = [0; 4];
        for agent in 0..400 {
            counts[spread(format!("WK{agent:05}").as_bytes(), 4)] += 1;
        }
        assert!(counts.iter().all(|&count| count > 60), "{counts:?}");
    }
}
