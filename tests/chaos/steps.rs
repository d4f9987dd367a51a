//! Scenarios that need the stage to themselves: each has topics of its own, disturbs them while engines
//! are down or up, and must end exact on every partition, or say what is missing.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use queuepulse::event::Millis;
use queuepulse::recovery::header::Header;
use queuepulse::recovery::records::write;
use queuepulse::simulate::{OwnedEvent, Topic};
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::json;

use crate::broker::{Broker, signal};
use crate::check;
use crate::engine::{Engine, Env, reading};
use crate::fleet::{scrape, scrape_within};
use crate::load::{Load, centre};
use crate::log::{Log, say};
use crate::proxy::Proxy;
use crate::topics::{Sender, client, create, name, now, wait};

const PARTITIONS: i32 = 2;
const FROM_THE_LOG: &str = "queuepulse_partitions_begun_total{from=\"log\"}";

pub struct Steps<'a> {
    pub broker: &'a Broker,
    pub proxy: &'a Proxy,
    pub log: &'a Arc<Log>,
    pub seed: u64,
}

/// A title that begins with the scenario's number, and what it does.
type Step<T> = (&'static str, fn(&T, &str) -> (usize, usize));

impl Steps<'_> {
    fn all() -> [Step<Self>; 11] {
        [
            ("8 a slow restore", Self::slow_restore),
            ("15 retention passes the snapshot", Self::retention),
            ("16 the topic is deleted and made anew", Self::recreated),
            ("17 partitions added under load", Self::added),
            ("18 no snapshot topic any more", Self::no_snapshots),
            (
                "18 damaged snapshots and those of another version",
                Self::bad_snapshots,
            ),
            ("18 other settings", Self::other_settings),
            ("19 a snapshot of more than a megabyte", Self::large),
            ("32 away for longer than max.poll.interval", Self::away),
            ("34 two groups on one topic", Self::two_groups),
            ("35 there and back between releases", Self::upgrade),
        ]
    }

    /// Runs each; how many partitions ended as they must, of how many.
    pub fn run(&self, only: Option<&str>) -> (usize, usize) {
        let (mut exact, mut of) = (0, 0);
        for (number, (title, step)) in Self::all().iter().enumerate() {
            if only.is_some_and(|only| !title.starts_with(&format!("{only} "))) {
                continue;
            }
            say(title);
            let faults = self.log.faults();
            let (these, all) = step(self, &format!("step-{number}"));
            let word = if these == all && self.log.faults() == faults {
                "holds"
            } else {
                "DOES NOT HOLD"
            };
            say(&format!("{title}: {word}, exact on {these} of {all}"));
            exact += these;
            of += all;
        }
        (exact, of)
    }

    fn brokers(&self) -> &str {
        &self.broker.address
    }

    fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.log.fault(what());
        }
    }

    fn env(&self, topics: &str) -> Env {
        let mut env = reading(self.brokers(), topics, topics);
        env.push(("QUEUEPULSE__KAFKA__INSTANCE", "engine".to_owned()));
        env.push(("QUEUEPULSE__KAFKA__SESSION_TIMEOUT", "6s".to_owned()));
        env
    }

    /// Creates the topics.
    fn stage(&self, topics: &str) {
        create(self.brokers(), topics, PARTITIONS);
    }

    /// Produces what happened in the last minutes, so many events.
    fn past(&self, topics: &str, seed: u64, count: usize) {
        let sender = Sender::new(self.brokers(), topics, PARTITIONS);
        let first: Vec<OwnedEvent> = centre(seed, 50, 0).take(count).collect();
        let length = first.last().unwrap().time;
        for event in centre(seed, 50, now() - length.0).take(count) {
            sender.send(&event);
        }
        sender.flush();
    }

    /// Starts an engine and waits until it has read everything.
    fn up(&self, env: &Env) -> Engine {
        let engine = Engine::start(env);
        self.caught_up(&engine);
        engine
    }

    fn caught_up(&self, engine: &Engine) {
        let begun = Instant::now();
        let mut since: Option<Instant> = None;
        loop {
            let shown = scrape_within(&engine.address, Duration::from_secs(20));
            let done = shown.is_some_and(|shown| shown.ready && shown.lag == 0.0);
            since = if done {
                since.or(Some(Instant::now()))
            } else {
                None
            };
            if since.is_some_and(|since| since.elapsed() > Duration::from_secs(2)) {
                return;
            }
            if begun.elapsed() > Duration::from_secs(90) {
                let url = format!("{}/readyz", engine.address);
                let request = ureq::get(url).config().http_status_as_error(false).build();
                let why = request
                    .call()
                    .map(|mut answer| answer.body_mut().read_to_string());
                self.log.fault(format!("never caught up: {why:?}"));
                return;
            }
            sleep(Duration::from_millis(100));
        }
    }

    /// Asks it to end and keeps its log.
    fn down(&self, mut engine: Engine) {
        signal(&engine.child.id().to_string(), "TERM");
        let status = engine.child.wait().unwrap();
        engine.seen.extend(engine.lines.iter());
        for line in &engine.seen {
            self.log.note("engine", line);
        }
        self.must(status.success(), || format!("SIGTERM: {status}"));
    }

    fn exact(&self, topics: &str, group: &str, partitions: i32) -> (usize, usize) {
        check::exact(self.brokers(), topics, group, partitions)
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        client(self.brokers()).create().unwrap()
    }

    /// The broker takes its time: what is restored in the group's callback comes late.
    fn slow_restore(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let mut env = reading(&self.proxy.address, topics, topics);
        env.push(("QUEUEPULSE__KAFKA__INSTANCE", "engine".to_owned()));
        let engine = self.up(&env);
        self.down(engine);
        self.past(topics, self.seed + 1, 5000);
        self.proxy.slow(Duration::from_secs(15));
        let engine = Engine::start(&env);
        sleep(Duration::from_secs(15));
        self.proxy.heal();
        self.caught_up(&engine);
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// The log loses its beginning past the snapshot while no engine runs: an explicit gap.
    fn retention(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        let before = self.headers(topics);
        self.past(topics, self.seed + 1, 20_000);
        let mut cut = TopicPartitionList::new();
        let mut lost = 0;
        for ((topic, partition), (header, _)) in &before {
            if topic.ends_with("-contacts") {
                let to = header.next_offset + 1000;
                lost += 1000;
                cut.add_partition_offset(topic, *partition, Offset::Offset(to))
                    .unwrap();
            }
        }
        wait(self.admin().delete_records(&cut, &AdminOptions::new())).unwrap();
        let engine = self.up(&env);
        let gap = metric(&engine, "queuepulse_gap_records_total");
        self.must(gap == f64::from(lost), || {
            format!("gap of {lost} records, told {gap}")
        });
        let complete = engine.snapshot().unwrap()["total"]["windows"]["60m"]["complete"].clone();
        self.must(complete == json!(false), || {
            format!("a window over the gap is complete: {complete}")
        });
        self.down(engine);
        let after = self.headers(topics);
        let right = after.iter().filter(|(of, (header, _))| {
            let read = before.get(of).map_or(0, |(header, _)| header.next_offset);
            let gap = if of.0.ends_with("-contacts") { 1000 } else { 0 };
            let counted = i64::try_from(header.records).unwrap();
            header.next_offset > read && counted == header.next_offset - gap
        });
        (right.count(), after.len())
    }

    fn headers(&self, group: &str) -> std::collections::BTreeMap<(String, i32), (Header, Vec<u8>)> {
        check::snapshots(self.brokers(), check::SNAPSHOTS, PARTITIONS, group)
    }

    /// The snapshots are of another log now.
    fn recreated(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        let names = Topic::ALL.map(|topic| name(topics, topic));
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        wait(self.admin().delete_topics(&names, &AdminOptions::new())).unwrap();
        sleep(Duration::from_secs(2));
        self.stage(topics);
        self.past(topics, self.seed + 1, 30_000);
        let engine = self.up(&env);
        let refused = metric(&engine, "queuepulse_snapshots_refused_total");
        self.must(refused > 0.0, || "no snapshot was refused".to_owned());
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// More partitions while engines read: contacts that begin after it are whole in one partition.
    fn added(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        let mut load = Load::begin(
            self.brokers(),
            topics,
            PARTITIONS,
            centre(self.seed, 300, now()),
        );
        let env = self.env(topics);
        let engine = Engine::start(&env);
        sleep(Duration::from_secs(12));
        load.stop();
        let more = 2 * PARTITIONS;
        let count = usize::try_from(more).unwrap();
        for topic in [Topic::Contacts, Topic::Agents] {
            let name = name(topics, topic);
            let grow = [NewPartitions::new(&name, count)];
            wait(self.admin().create_partitions(&grow, &AdminOptions::new())).unwrap();
        }
        let mut load = Load::begin(
            self.brokers(),
            topics,
            more,
            centre(self.seed + 1, 300, now()),
        );
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(100) {
            let shown = scrape(&engine.address).unwrap_or_default();
            if shown.partitions.len() == 2 * count {
                break;
            }
            sleep(Duration::from_millis(500));
        }
        say(&format!("new partitions seen after {:?}", begun.elapsed()));
        sleep(Duration::from_secs(5));
        load.stop();
        self.caught_up(&engine);
        let added = metric(&engine, "queuepulse_partitions_added_total");
        self.must(added > 0.0, || "added partitions are not told".to_owned());
        self.down(engine);
        self.exact(topics, topics, more)
    }

    /// The snapshot topic is deleted: the log is read.
    fn no_snapshots(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        let gone = [check::SNAPSHOTS];
        wait(self.admin().delete_topics(&gone, &AdminOptions::new())).unwrap();
        sleep(Duration::from_secs(2));
        self.past(topics, self.seed + 1, 5000);
        let engine = self.up(&env);
        let from_log = metric(&engine, FROM_THE_LOG);
        self.must(from_log == 4.0, || format!("{from_log} read from the log"));
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// Newer snapshots that are damaged, of another version, or of no log: the whole one is used.
    fn bad_snapshots(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        let producer: BaseProducer = client(self.brokers()).create().unwrap();
        let send = |partition: i32, key: &str, value: &[u8]| {
            let record = BaseRecord::to(check::SNAPSHOTS).partition(partition);
            let sent = producer.send(record.key(key).payload(value));
            assert!(sent.is_ok());
        };
        for ((_, partition), (header, state)) in self.headers(topics) {
            let other = |change: fn(&mut Header)| {
                let mut header = header.clone();
                change(&mut header);
                header
            };
            let beyond = other(|header| header.next_offset += 1_000_000);
            let format = other(|header| header.format += 1);
            for (turn, header) in [(101, beyond), (102, format)] {
                for record in write(&header, &state, turn).unwrap() {
                    send(partition, &record.key, &record.value);
                }
            }
            let newer = other(|header| header.written += 1000);
            for record in write(&newer, &state, 103).unwrap() {
                let mut value = record.value;
                let middle = value.len() / 2;
                value[middle] ^= 1;
                send(partition, &record.key, &value);
            }
            send(partition, "nonsense", b"no snapshot at all");
        }
        producer.flush(Duration::from_secs(10)).unwrap();
        self.past(topics, self.seed + 1, 5000);
        let engine = self.up(&env);
        let refused = metric(&engine, "queuepulse_snapshots_refused_total");
        self.must(refused >= 4.0, || format!("{refused} snapshots refused"));
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// Counted under other settings: the snapshots are not used; back again, they are.
    fn other_settings(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        let mut other = env.clone();
        other.push(("QUEUEPULSE__STATE__SETTLE_AFTER", "6m".to_owned()));
        let engine = self.up(&other);
        let refused = metric(&engine, "queuepulse_snapshots_refused_total");
        self.must(refused > 0.0, || "no snapshot was refused".to_owned());
        self.down(engine);
        self.past(topics, self.seed + 1, 5000);
        let engine = self.up(&env);
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// Thousands of queues in one partition.
    fn large(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        let sender = Sender::new(self.brokers(), topics, PARTITIONS);
        let at = now() - 30 * 60_000;
        let mut lives = 0;
        for round in 0..12 {
            for queue in 0..5000 {
                lives += 1;
                for (kind, after) in [("queued", 0), ("answered", 7000), ("ended", 100_000)] {
                    let contact = format!("c{lives}");
                    let time = at + round * 60_000 + after;
                    let json = json!({
                        "id": format!("{contact}{kind}"), "type": format!("contact.{kind}"),
                        "time": time, "client_id": format!("client-{}", queue % 50),
                        "queue_id": format!("a queue with a rather long name {queue}"),
                        "contact_id": contact, "agent_id": "a",
                    });
                    sender.send(&OwnedEvent {
                        topic: Topic::Contacts,
                        key: b"one partition".to_vec(),
                        time: Millis(time),
                        sent: Millis(time),
                        json: json.to_string().into_bytes(),
                    });
                }
            }
        }
        sender.flush();
        let env = self.env(topics);
        let engine = self.up(&env);
        self.down(engine);
        self.past(topics, self.seed, 5000);
        let engine = self.up(&env);
        let from_log = metric(&engine, FROM_THE_LOG);
        self.must(from_log == 0.0, || {
            format!("{from_log} partitions begun from the log")
        });
        self.down(engine);
        let sizes = self
            .headers(topics)
            .into_values()
            .map(|(header, _)| header.size);
        let largest = sizes.max().unwrap_or(0);
        say(&format!("largest state {largest} bytes"));
        self.must(largest > 1_000_000, || "no large snapshot".to_owned());
        self.exact(topics, topics, PARTITIONS)
    }

    /// Stopped for longer than `max.poll.interval.ms` and its session: it loses what it has, and either
    /// joins again or ends with a failure.
    fn away(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let mut env = self.env(topics);
        env.push((
            "QUEUEPULSE__KAFKA__PROPERTIES__MAX_POLL_INTERVAL_MS",
            "6000".to_owned(),
        ));
        let mut engine = self.up(&env);
        let pid = engine.child.id().to_string();
        signal(&pid, "STOP");
        sleep(Duration::from_secs(10));
        self.past(topics, self.seed + 1, 5000);
        signal(&pid, "CONT");
        sleep(Duration::from_secs(3));
        if let Some(status) = engine.child.try_wait().unwrap() {
            say(&format!("it ended: {status}"));
            self.must(!status.success(), || "it ended with status 0".to_owned());
            engine = self.up(&env);
        }
        self.caught_up(&engine);
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }

    /// Each group has snapshots of its own.
    fn two_groups(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        let other_group = format!("{topics}-other");
        let mut other = reading(self.brokers(), topics, &other_group);
        other.push(("QUEUEPULSE__STATE__RETAIN", "5h".to_owned()));
        let (one, two) = (self.up(&env), self.up(&other));
        self.down(two);
        self.down(one);
        self.past(topics, self.seed + 1, 5000);
        let (two, one) = (self.up(&other), self.up(&env));
        let refused =
            [&one, &two].map(|engine| metric(engine, "queuepulse_snapshots_refused_total"));
        self.must(refused == [0.0, 0.0], || {
            format!("a group looked at the other's snapshots: {refused:?}")
        });
        self.down(one);
        self.down(two);
        let others = self.headers(&other_group).len();
        self.must(others == 4, || {
            format!("{others} snapshots of the other group")
        });
        self.exact(topics, topics, PARTITIONS)
    }

    /// Another release's program (`QUEUEPULSE_OTHER`; without it this one) takes over and gives back.
    fn upgrade(&self, topics: &str) -> (usize, usize) {
        self.stage(topics);
        self.past(topics, self.seed, 20_000);
        let env = self.env(topics);
        for round in 0..3 {
            let engine = if round == 1 {
                let program = std::env::var("QUEUEPULSE_OTHER").ok();
                if program.is_none() {
                    say("QUEUEPULSE_OTHER names no other release: this one stands in for it");
                }
                let engine = Engine::start_program(program.as_deref(), &env);
                self.caught_up(&engine);
                engine
            } else {
                self.up(&env)
            };
            self.down(engine);
            self.past(topics, self.seed + 1 + round, 5000);
        }
        let engine = self.up(&env);
        self.down(engine);
        self.exact(topics, topics, PARTITIONS)
    }
}

/// The sum of a family's samples.
fn metric(engine: &Engine, family: &str) -> f64 {
    let text = engine.get("/metrics").unwrap();
    let mine = text.lines().filter(|line| line.starts_with(family));
    mine.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}
