//! The engine against a real Apache Kafka. Run by `tests/kafka/kafka.sh cargo test --release --test
//! kafka -- --ignored`, which says where the broker is in `QUEUEPULSE_KAFKA`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test code: a failure here is a failed test, and a real broker takes real time"
)]

mod oracle;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use oracle::compare::differences;
use oracle::figures::snapshot;
use oracle::record::{Record, accept, time};
use oracle::{Kind, Pattern, Settings, Window};
use queuepulse::event::{Millis, Span};
use queuepulse::ingest::partitioner::partition_of;
use queuepulse::simulate::{Faults, Options, OwnedEvent, Scale, Simulation, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;

/// So many are compared with `replay`, which is held to the oracle by `tests/properties.rs`.
const EVENTS: usize = 1_000_000;
/// So many are compared with the oracle itself, which scans the whole log for each figure.
const FOR_THE_ORACLE: usize = 20_000;
const PARTITIONS: i32 = 4;
const INSTANTS: usize = 20;
/// Between instants, so that windows drain.
const PAUSE: i64 = 4000;

fn broker() -> String {
    std::env::var("QUEUEPULSE_KAFKA").unwrap_or_else(|_| panic!("run by tests/kafka/kafka.sh"))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// A running engine and what it logs.
struct Engine {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
    address: String,
}

impl Engine {
    /// Starts one; each has a consumer group of its own, so each reads everything.
    fn start(brokers: &str, topics: &str, group: &str, workers: usize) -> Self {
        let mut engine = Self::launch(brokers, topics, group, workers, "127.0.0.1:0");
        let line = engine.wait_for("listening on http://");
        let at = line.find("http://").unwrap();
        line[at..].trim().clone_into(&mut engine.address);
        engine
    }

    fn launch(brokers: &str, topics: &str, group: &str, workers: usize, listen: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_queuepulse"))
            .args(["run", "--listen", listen])
            .env("QUEUEPULSE__KAFKA__BROKERS", brokers)
            .env("QUEUEPULSE__KAFKA__GROUP", group)
            .env(
                "QUEUEPULSE__KAFKA__CONTACT_TOPIC",
                format!("{topics}-contacts"),
            )
            .env("QUEUEPULSE__KAFKA__AGENT_TOPIC", format!("{topics}-agents"))
            .env("QUEUEPULSE__KAFKA__QUEUE_TOPIC", format!("{topics}-queues"))
            .env("QUEUEPULSE__ENGINE__WORKERS", workers.to_string())
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let (tell, lines) = channel();
        spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
            address: String::new(),
        }
    }

    fn wait_for(&mut self, part: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(30));
            let line = line.unwrap_or_else(|_| panic!("no {part:?} in {:#?}", self.seen));
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    fn get(&self, path: &str) -> Result<String, ureq::Error> {
        let url = format!("{}{path}", self.address);
        ureq::get(url).call()?.body_mut().read_to_string()
    }

    fn snapshot(&self) -> Option<Value> {
        serde_json::from_str(&self.get("/api/v1/snapshot").ok()?).ok()
    }

    /// Asks it to end; its status, and that it came within 3 s.
    fn end(mut self) -> i32 {
        let asked = Instant::now();
        let pid = self.child.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(killed.unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(3), "{:#?}", self.seen);
        self.seen.extend(self.lines.try_iter());
        let no_panic = |line: &String| !line.contains("panicked");
        assert!(self.seen.iter().all(no_panic), "{:#?}", self.seen);
        status.code().unwrap()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ended_already = self.child.kill();
    }
}

/// A day's piece that ends now. `QUEUEPULSE_KAFKA_EVENTS` takes another number.
fn events(wanted: usize) -> Vec<OwnedEvent> {
    let other = std::env::var("QUEUEPULSE_KAFKA_EVENTS").ok();
    let wanted = other.and_then(|count| count.parse().ok()).unwrap_or(wanted);
    // Once to see how long so many events take, then so that the last of them happens now.
    let length = {
        let first = simulate(Millis(1_767_603_600_000), wanted);
        first.last().unwrap().time - first[0].time
    };
    simulate(Millis(now()) - length, wanted)
}

fn simulate(from: Millis, count: usize) -> Vec<OwnedEvent> {
    let simulation = Simulation::new(&Options {
        seed: 11,
        from,
        time_of_day: Some(Span::hours(10)),
        scale: Scale {
            queues: 60,
            agents: 900,
            ..Scale::DEMO
        },
        faults: Faults {
            duplicates: 0.01,
            disorder: 0.02,
            within: Span::seconds(30),
        },
    });
    simulation.take(count).collect()
}

fn create(brokers: &str, topics: &str) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let names = ["contacts", "agents", "queues"].map(|name| format!("{topics}-{name}"));
    let topic = |name| NewTopic::new(name, PARTITIONS, TopicReplication::Fixed(1));
    let wanted: Vec<NewTopic<'_>> = names.iter().map(|name| topic(name)).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let made = runtime.block_on(admin.create_topics(&wanted, &AdminOptions::new()));
    for topic in made.unwrap() {
        topic.unwrap();
    }
}

fn produce(brokers: &str, topics: &str, events: &[OwnedEvent]) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    config.set("queue.buffering.max.messages", "200000");
    let producer: BaseProducer = config.create().unwrap();
    let names = [
        (Topic::Contacts, format!("{topics}-contacts")),
        (Topic::Agents, format!("{topics}-agents")),
        (Topic::Queues, format!("{topics}-queues")),
    ];
    for event in events {
        let (_, name) = names
            .iter()
            .find(|(topic, _)| *topic == event.topic)
            .unwrap();
        let mut record = BaseRecord::to(name)
            .key(&event.key)
            .payload(&event.json)
            .partition(partition_of(&event.key, PARTITIONS))
            .timestamp(event.sent.0);
        while let Err((error, back)) = producer.send(record) {
            let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
            assert_eq!(error, full);
            producer.poll(Duration::from_millis(10));
            record = back;
        }
    }
    producer.flush(Duration::from_mins(1)).unwrap();
}

/// The oracle's settings: the defaults, with what the queue events say over them.
fn settings(events: &[OwnedEvent]) -> Settings {
    let mut settings = Settings::default();
    for event in events.iter().filter(|event| event.topic == Topic::Queues) {
        let said: Value = serde_json::from_slice(&event.json).unwrap();
        if said["type"] != "queue.configured" {
            continue;
        }
        let text = |field: &str| said[field].as_str().map(str::to_owned);
        let mut shown = settings.shown.clone();
        if let Some(threshold) = said["targets"]["threshold_ms"].as_i64() {
            shown.threshold = threshold;
        }
        if let Some(short) = said["short_abandon_ms"].as_i64() {
            shown.short_abandon = short;
        }
        if let Some(variant) = text("service_level_variant") {
            shown.variant = variant;
        }
        shown.group = text("group");
        let pattern = Pattern {
            client: text("client_id"),
            queue: text("queue_id"),
            channel: text("channel"),
        };
        settings.shown_by_queue.push((pattern, shown));
    }
    settings
}

/// By partition, what is counted.
fn accepted(events: &[OwnedEvent]) -> Vec<Vec<Record>> {
    let partitions = usize::try_from(PARTITIONS).unwrap();
    let mut logs = vec![Vec::new(); 2 * partitions];
    for event in events {
        let topic = match event.topic {
            Topic::Contacts => 0,
            Topic::Agents => partitions,
            Topic::Queues => continue,
        };
        let partition = usize::try_from(partition_of(&event.key, PARTITIONS)).unwrap();
        let value: Value = serde_json::from_slice(&event.json).unwrap();
        logs[topic + partition].extend(accept(&value));
    }
    logs
}

fn windows() -> Vec<Window> {
    let sliding = |(key, minutes): (&str, i64)| (key.to_owned(), Kind::Sliding(minutes * 60_000));
    [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("60m", 60)]
        .map(sliding)
        .into_iter()
        .chain([
            ("interval".to_owned(), Kind::Interval(30 * 60_000)),
            ("today".to_owned(), Kind::Today),
        ])
        .map(|(key, kind)| Window { key, kind })
        .collect()
}

/// Recorded events have no age, and are complete by another rule.
fn leave_out_what_only_a_live_engine_knows(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.remove("complete");
            entries.remove("data_age_seconds");
            let values = entries.values_mut();
            values.for_each(leave_out_what_only_a_live_engine_knows);
        }
        Value::Array(entries) => {
            let values = entries.iter_mut();
            values.for_each(leave_out_what_only_a_live_engine_knows);
        }
        _ => {}
    }
}

/// One snapshot of each engine, all of one whole second.
fn at_one_second(engines: &[Engine]) -> (i64, Vec<Value>) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_mins(2) {
        let into_second = now().rem_euclid(1000);
        let to_next = u64::try_from(1020 - into_second).unwrap();
        sleep(Duration::from_millis(to_next));
        let second = now() - now().rem_euclid(1000);
        let within = |_: &Instant| now() < second + 240;
        let mut found: Vec<Option<Value>> = engines.iter().map(|_| None).collect();
        while within(&begun) && found.iter().any(Option::is_none) {
            for (engine, found) in engines.iter().zip(&mut found) {
                if found.is_none() {
                    let at = |snapshot: &Value| time(&snapshot["at"]) == Some(second);
                    *found = engine.snapshot().filter(at);
                }
            }
        }
        if let Some(all) = found.into_iter().collect() {
            return (second, all);
        }
    }
    panic!("the engines never showed one and the same second")
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn every_figure_equals_the_oracles_with_1_2_and_4_workers() {
    let events = events(FOR_THE_ORACLE);
    let shown = shown_while_it_drains("oracle", &events);
    let (settings, windows) = (settings(&events), windows());
    let logs = accepted(&events);
    let logs: Vec<Vec<&Record>> = logs.iter().map(|log| log.iter().collect()).collect();
    let answer = |(at, _): &(i64, Vec<Value>)| snapshot(&logs, &settings, *at, &windows);
    let expected = shown.iter().map(answer).collect();
    judge(expected, &shown);
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_million_events_give_the_figures_of_replay_with_1_2_and_4_workers() {
    let events = events(EVENTS);
    let shown = shown_while_it_drains("million", &events);
    let instants: Vec<i64> = shown.iter().map(|(at, _)| *at).collect();
    judge(replayed(&events, &instants), &shown);
}

/// Three engines read while the events are produced; what each shows at the instants after that.
fn shown_while_it_drains(topics: &str, events: &[OwnedEvent]) -> Vec<(i64, Vec<Value>)> {
    let brokers = broker();
    create(&brokers, topics);
    let mut engines: Vec<Engine> = [1, 2, 4]
        .map(|workers| Engine::start(&brokers, topics, &format!("{topics}-{workers}"), workers))
        .into();
    let began = Instant::now();
    produce(&brokers, topics, events);
    println!("{} events produced in {:?}", events.len(), began.elapsed());
    wait_until_read(&mut engines, events);
    println!("read after {:?}", began.elapsed());
    // The two simulations differ in length by seconds, and *now* figures are of everything applied.
    let last = events.iter().map(|event| event.time.0).max().unwrap();
    while now() <= last + 1000 {
        sleep(Duration::from_millis(100));
    }
    let mut shown = Vec::new();
    for _ in 0..INSTANTS {
        shown.push(at_one_second(&engines));
        sleep(Duration::from_millis(PAUSE.unsigned_abs()));
    }
    let statuses: Vec<i32> = engines.into_iter().map(Engine::end).collect();
    assert_eq!(statuses, [0, 0, 0]);
    shown
}

/// What `replay` makes of the same events, a file for each partition.
fn replayed(events: &[OwnedEvent], instants: &[i64]) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let mut files = std::collections::BTreeMap::new();
    for event in events {
        let partition = partition_of(&event.key, PARTITIONS);
        let file = files.entry((event.topic, partition)).or_insert_with(|| {
            let name = format!("{}-{partition}.ndjson", event.topic.name());
            BufWriter::new(File::create(folder.path().join(name)).unwrap())
        });
        file.write_all(&event.json).unwrap();
        file.write_all(b"\n").unwrap();
    }
    for file in files.values_mut() {
        file.flush().unwrap();
    }
    let mut replay = Command::new(env!("CARGO_BIN_EXE_queuepulse"));
    replay.args(["replay", "--format", "json"]);
    for at in instants {
        replay.args(["--at", &queuepulse::live::rfc3339(Millis(*at))]);
    }
    let entries = std::fs::read_dir(folder.path()).unwrap();
    replay.args(entries.map(|entry| entry.unwrap().path()));
    let output = replay.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn judge(expected: Vec<Value>, shown: &[(i64, Vec<Value>)]) {
    assert_eq!(expected.len(), shown.len());
    let mut faults = Vec::new();
    for (mut expected, (at, found)) in expected.into_iter().zip(shown) {
        leave_out_what_only_a_live_engine_knows(&mut expected);
        for (workers, found) in [1, 2, 4].iter().zip(found) {
            let here = differences(&expected, found, 1e-6);
            let named = |fault| format!("{at} {workers} workers{fault}");
            faults.extend(here.into_iter().map(named));
            let offered = &found["total"]["windows"]["60m"]["offered"];
            assert!(offered.as_i64().is_some_and(|count| count > 0));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults[..faults.len().min(60)].join("\n")
    );
}

/// Waits until every engine has applied every record.
fn wait_until_read(engines: &mut [Engine], events: &[OwnedEvent]) {
    let counted = |event: &&OwnedEvent| event.topic != Topic::Queues;
    let expected = events.iter().filter(counted).count();
    for engine in engines {
        let begun = Instant::now();
        loop {
            let text = engine.get("/metrics").unwrap_or_default();
            let read: f64 = text
                .lines()
                .filter(|line| line.starts_with("queuepulse_records_total{"))
                .filter(|line| !line.contains("-queues\""))
                .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
                .sum();
            let done = format!("{read:.0}") == expected.to_string();
            if done && engine.get("/readyz").is_ok() {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_mins(3),
                "{read} of {expected} read"
            );
            sleep(Duration::from_millis(100));
        }
    }
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_topic_that_does_not_exist_is_named_and_waited_for() {
    let brokers = broker();
    let mut engine = Engine::start(&brokers, "absent", "absent", 1);
    engine.wait_for("topic absent-contacts does not exist");
    assert!(engine.get("/readyz").is_err());
    create(&brokers, "absent");
    engine.wait_for("all partitions are assigned");
    let begun = Instant::now();
    while engine.get("/readyz").is_err() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "{:#?}",
            engine.seen
        );
        sleep(Duration::from_millis(50));
    }
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "takes seconds"]
fn without_a_broker_one_line_says_so_and_it_ends_when_asked() {
    let mut engine = Engine::start("127.0.0.1:1", "none", "none", 1);
    engine.wait_for("no broker answers at 127.0.0.1:1");
    assert!(engine.get("/readyz").is_err());
    sleep(Duration::from_secs(4));
    engine.seen.extend(engine.lines.try_iter());
    let told = engine.seen.iter().filter(|line| line.contains("no broker"));
    assert_eq!(told.count(), 1, "{:#?}", engine.seen);
    assert_eq!(engine.end(), 0);
}

#[test]
#[ignore = "takes seconds"]
fn a_port_in_use_is_one_line_and_a_failure() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut engine = Engine::launch("127.0.0.1:1", "none", "none", 1, &address);
    let status = engine.child.wait().unwrap();
    let lines: Vec<String> = engine.lines.iter().collect();
    assert_eq!(status.code(), Some(69));
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains(&format!("http.listen: cannot listen on {address}")));
}

#[test]
#[ignore = "needs a real Kafka: tests/kafka/kafka.sh"]
fn a_second_member_of_the_group_is_warned_of() {
    let brokers = broker();
    create(&brokers, "shared");
    let mut first = Engine::start(&brokers, "shared", "shared", 1);
    first.wait_for("all partitions are assigned");
    let mut second = Engine::start(&brokers, "shared", "shared", 1);
    second.wait_for("the group has another member");
    first.wait_for("the group has another member");
    assert_eq!((first.end(), second.end()), (0, 0));
}
