//! From an event to where it is seen: /metrics and the event stream of an engine on a real Kafka.
//!
//!     tests/kafka/kafka.sh cargo bench --bench latency -- [QUEUES] [SECONDS] [RATE…]
//!
//! 100 queues, 30 seconds and 1,000, 10,000 and 50,000 events a second unless asked for others. A simulated centre's
//! events are made beforehand and sent at the rate; up to 7,300 a second its time runs as the clock's, beyond
//! that faster. Among them go probes, 200 a second: each is one more contact waiting in one of 16 queues
//! of their own, one to a partition. So the count that a reader finds there says which probes it sees.
//!
//! A probe's time runs from when it was due to be sent, so a late sender, the producer's linger and
//! Kafka are in it; it ends when the reader has the whole answer. /metrics is read again and again, 20 ms
//! apart: a scraper's interval is not in it. The stream is asked with `brief`, as the wallboard does.

#![allow(clippy::print_stdout, reason = "a bench tells its results")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench stops at the first surprise"
)]
#![allow(clippy::disallowed_methods, reason = "a bench has a clock, and waits")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "../tests/kafka/engine.rs"]
mod engine;
#[path = "../tests/kafka/topics.rs"]
mod topics;

use std::io::{BufRead, BufReader};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use engine::Engine;
use hdrhistogram::Histogram;
use queuepulse::event::{Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};
use serde::Deserialize;

const PARTITIONS: i32 = 16;
const RATES: [u64; 3] = [1_000, 10_000, 50_000];
/// Probes a second.
const PROBES: u64 = 200;
/// Queues of probes.
const LANES: usize = PARTITIONS as usize;
/// Events that one agent and his contacts make in 1,000 seconds.
const BY_AGENT: u64 = 73;
/// The centre's time that is read before anything is measured, after its agents have logged in.
const BEFORE: u64 = 120;
/// Between two looks at /metrics.
const PAUSE: Duration = Duration::from_millis(20);
/// Probes that are not seen by then will not be.
const PATIENCE: Duration = Duration::from_secs(30);
const WANTED: u64 = 500;

fn main() {
    let Ok(brokers) = std::env::var("QUEUEPULSE_KAFKA") else {
        println!("run by tests/kafka/kafka.sh");
        return;
    };
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse::<u64>().ok());
    let queues = u32::try_from(numbers.next().unwrap_or(100)).unwrap();
    let seconds = numbers.next().unwrap_or(30);
    let asked: Vec<u64> = numbers.collect();
    let rates = if asked.is_empty() { &RATES[..] } else { &asked };
    println!("{queues} queues, {seconds} s, {PROBES} probes a second");
    for &rate in rates {
        measure(&brokers, queues, seconds, rate);
    }
}

/// A centre of a size, what it did before, and what it is to do at the rate.
struct Input {
    before: Vec<OwnedEvent>,
    events: Vec<OwnedEvent>,
}

impl Input {
    fn new(queues: u32, seconds: u64, rate: u64) -> Self {
        let agents = (rate * 1000 / BY_AGENT).min(u64::from(Scale::LARGEST.agents));
        let events = rate * seconds;
        let lasts = events * 1000 / (agents * BY_AGENT / 1000).max(1);
        let from = topics::now() - i64::try_from(lasts + BEFORE * 1000).unwrap();
        let mut simulation = Simulation::new(&Options {
            seed: 1,
            from: Millis(from),
            time_of_day: Some(Span::hours(10)),
            scale: Scale {
                queues,
                clients: Scale::of(queues, 1).clients,
                agents: u32::try_from(agents).unwrap(),
                ..Scale::LARGEST
            },
            faults: Faults::default(),
        });
        let begins = Millis(from + i64::try_from(BEFORE * 1000).unwrap());
        let mut before: Vec<OwnedEvent> = Vec::new();
        while before.last().is_none_or(|event| event.sent < begins) {
            before.extend(simulation.next());
        }
        let events = simulation.take(usize::try_from(events).unwrap()).collect();
        Self { before, events }
    }
}

fn measure(brokers: &str, queues: u32, seconds: u64, rate: u64) {
    let name = format!("latency-{rate}");
    topics::create(brokers, &name, PARTITIONS);
    let input = Input::new(queues, seconds, rate);
    let sender = topics::Sender::new(brokers, &name, PARTITIONS);
    for (number, event) in input.before.iter().enumerate() {
        sender.send(event);
        if number % 1024 == 0 {
            sender.serve();
        }
    }
    sender.flush();
    let engine = Engine::start(&engine::reading(brokers, &name, &name));
    let counted = |events: &[OwnedEvent]| {
        let counted = events.iter().filter(|event| event.topic != Topic::Queues);
        counted.count()
    };
    engine.wait_until_read(counted(&input.before));

    let total = PROBES * seconds;
    let (metrics, stream) = (engine.address.clone(), engine.address.clone());
    let metrics = spawn(move || watch_metrics(&metrics, total));
    let stream = spawn(move || watch_stream(&stream, total));
    // both are there before the first probe
    sleep(Duration::from_secs(2));
    let process = engine.child.id().to_string();
    let busy = engine::processor_time(&process);
    let schedule = Schedule {
        begun: Instant::now(),
        rate,
    };
    let late = send(&sender, &input.events, &schedule);
    let sent = schedule.begun.elapsed().as_secs_f64();
    let busy = engine::processor_time(&process) - busy;
    sender.flush();
    println!(
        "{rate} events/s asked for, {:.0} sent, at most {} ms late; the engine took {:.0} % of a core",
        input.events.len() as f64 / sent,
        late.as_millis(),
        busy / sent * 100.0
    );
    tell("/metrics", &metrics.join().unwrap(), &schedule, total);
    tell("stream", &stream.join().unwrap(), &schedule, total);
}

/// When what is due.
struct Schedule {
    begun: Instant,
    rate: u64,
}

impl Schedule {
    fn event(&self, number: u64) -> Instant {
        self.begun + Duration::from_nanos(number * 1_000_000_000 / self.rate)
    }

    /// The event before which a probe is sent.
    fn place(&self, probe: u64) -> u64 {
        probe * self.rate / PROBES
    }

    /// Of the probe with this number, of all lanes.
    fn probe(&self, number: u64) -> Instant {
        self.event(self.place(number))
    }
}

/// Sends everything when it is due; how late it was at the worst.
fn send(sender: &topics::Sender, events: &[OwnedEvent], schedule: &Schedule) -> Duration {
    let mut keys = Keys::default();
    let (mut probes, mut late) = (0, Duration::ZERO);
    for (number, event) in (0..).zip(events) {
        let due = schedule.event(number);
        let wait = due.saturating_duration_since(Instant::now());
        // what is due within a millisecond goes at once: a sleep must be worth it
        if wait > Duration::from_millis(1) {
            sender.serve();
            sleep(wait);
        }
        late = late.max(due.elapsed());
        if number == schedule.place(probes) {
            sender.send(&keys.probe(probes, event.sent));
            probes += 1;
        }
        sender.send(event);
    }
    late
}

/// Contacts by partition.
#[derive(Default)]
struct Keys(u64);

impl Keys {
    /// One more contact that waits in its lane's queue, at the centre's time.
    fn probe(&mut self, number: u64, at: Millis) -> OwnedEvent {
        let lane = number % LANES as u64;
        let contact = loop {
            self.0 += 1;
            let contact = format!("probe-{}", self.0);
            if partition_of(contact.as_bytes(), PARTITIONS) == i32::try_from(lane).unwrap() {
                break contact;
            }
        };
        let json = format!(
            r#"{{"id":"{contact}","type":"contact.queued","time":{},"client_id":"probe","queue_id":"{lane}","channel":"voice","contact_id":"{contact}"}}"#,
            at.0
        );
        OwnedEvent {
            topic: Topic::Contacts,
            key: contact.into_bytes(),
            time: at,
            sent: at,
            json: json.into_bytes(),
        }
    }
}

/// What a reader saw, and when it had seen it whole.
struct Seen {
    at: Instant,
    by_lane: [u64; LANES],
}

impl Seen {
    fn new(at: Instant, lanes: impl Iterator<Item = (usize, u64)>) -> Self {
        let mut by_lane = [0; LANES];
        for (lane, count) in lanes {
            by_lane[lane] = count;
        }
        Self { at, by_lane }
    }

    fn sum(&self) -> u64 {
        self.by_lane.iter().sum()
    }
}

/// Looks until all probes are seen, or no new one for too long.
fn watch(total: u64, mut look: impl FnMut() -> Option<Seen>) -> Vec<Seen> {
    let mut looks: Vec<Seen> = Vec::new();
    let mut news = Instant::now();
    while news.elapsed() < PATIENCE && looks.last().is_none_or(|last| last.sum() < total) {
        let Some(seen) = look() else { continue };
        if looks.last().is_none_or(|last| last.sum() < seen.sum()) {
            news = Instant::now();
        }
        looks.push(seen);
    }
    looks
}

fn watch_metrics(address: &str, total: u64) -> Vec<Seen> {
    let url = format!("{address}/metrics");
    let lane = |line: &str| {
        let of = line.strip_prefix("queuepulse_offered_total{client=\"probe\",queue=\"")?;
        let (lane, _) = of.split_once('"')?;
        let (_, count) = of.rsplit_once(' ')?;
        Some((lane.parse().ok()?, count.parse().ok()?))
    };
    watch(total, || {
        sleep(PAUSE);
        let mut answer = ureq::get(&url).call().unwrap();
        let body = answer.body_mut().with_config().limit(engine::BODY);
        let text = body.read_to_string().unwrap();
        let at = Instant::now();
        Some(Seen::new(at, text.lines().filter_map(lane)))
    })
}

/// Of a `figures` event, what is needed.
#[derive(Deserialize)]
struct Figures {
    queues: Vec<Queue>,
}

#[derive(Deserialize)]
struct Queue {
    #[serde(rename = "client_id")]
    client: String,
    #[serde(rename = "queue_id")]
    name: String,
    now: Now,
}

#[derive(Deserialize)]
struct Now {
    waiting: u64,
}

fn watch_stream(address: &str, total: u64) -> Vec<Seen> {
    let answer = ureq::get(format!("{address}/api/v1/stream?brief=true")).call();
    let (_, body) = answer.unwrap().into_parts();
    let mut lines = BufReader::new(body.into_reader());
    let mut line = String::new();
    // an event `now` has those lanes alone that changed
    let mut by_lane = [0; LANES];
    watch(total, || {
        line.clear();
        lines.read_line(&mut line).unwrap();
        let at = Instant::now();
        let figures: Figures = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        for queue in figures.queues {
            if queue.client == "probe" {
                by_lane[queue.name.parse::<usize>().unwrap()] = queue.now.waiting;
            }
        }
        Some(Seen { at, by_lane })
    })
}

/// How long each probe took to be seen.
fn tell(place: &str, looks: &[Seen], schedule: &Schedule, total: u64) {
    let mut times = Histogram::<u64>::new(3).unwrap();
    let mut before = [0; LANES];
    for seen in looks {
        for (lane, (count, known)) in (0_u64..).zip(seen.by_lane.iter().zip(&mut before)) {
            for turn in *known..*count {
                let due = schedule.probe(turn * LANES as u64 + lane);
                let took = seen.at.saturating_duration_since(due);
                times
                    .record(u64::try_from(took.as_micros()).unwrap())
                    .unwrap();
            }
            *known = (*known).max(*count);
        }
    }
    let ms = |quantile| times.value_at_quantile(quantile) as f64 / 1000.0;
    let verdict = if times.len() == total && ms(0.99) <= WANTED as f64 {
        "held"
    } else {
        "missed"
    };
    println!(
        "  {place:<9} p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms; {} of {total} probes seen in {} looks; p99 <= {WANTED} ms {verdict}",
        ms(0.5),
        ms(0.99),
        times.max() as f64 / 1000.0,
        times.len(),
        looks.len()
    );
}
