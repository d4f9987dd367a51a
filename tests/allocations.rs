//! Nothing is allocated per event in the steady state.

#![allow(
    unsafe_code,
    reason = "a counting allocator has to implement an unsafe trait"
)]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use queuepulse::config::Config;
use queuepulse::decode::{Limits, decode};
use queuepulse::engine::partition::Partition;
use queuepulse::event::Millis;
use queuepulse::live::Registry;
use queuepulse::windows::frame::Frame;
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::{Instant, PartitionView};

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the allocations of each thread, and hands them on to the system.
struct Counting;

// SAFETY: every call goes to the system's allocator unchanged; counting touches no heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

fn count() {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How many allocations a piece of work makes on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn decoding_allocates_nothing() {
    let records = [
        r#"{"id":"e1","type":"contact.queued","time":1767603600000,"client_id":"acme","queue_id":"billing","channel":"voice","direction":"inbound","contact_id":"c1","visit":1}"#,
        r#"{"id":"e2","type":"contact.answered","time":"2026-01-05T09:00:12.400Z","contact_id":"c1","agent_id":"a1","queued_at":1767603600000,"ani":"+1555\u00301"}"#,
        r#"{"id":"e3","type":"contact.ended","time":1767603700000,"contact_id":"c1","by":"agent","talk_ms":5e4,"attributes":"none"}"#,
        r#"{"id":"e4","type":"contact.dequeued","time":1767603700000,"contact_id":"c1","outcome":"no_agents"}"#,
        r#"{"id":"e5","type":"agent.state","time":1767603700000,"agent_id":"a1","state":"aux","reason":"lunch"}"#,
        r#"{"id":"e6","type":"agent.contact","time":1767603700000,"agent_id":"a1","contact_id":"c1","state":"acw","for_ms":5000,"queue_id":"q"}"#,
        r#"{"id":"e7","type":"contact.teleported","time":1767603700000}"#,
    ];
    let limits = Limits::default();
    for record in records {
        let made = allocations(|| {
            let _ = std::hint::black_box(decode(record.as_bytes(), &limits));
        });
        assert_eq!(made, 0, "{record}");
    }
}

/// The beginning of the day's work.
const START: i64 = 1_767_603_600_000;

/// The partitions of a small centre and their tables.
struct Worker {
    /// Contacts, agents.
    partitions: [Partition; 2],
    tables: Tables,
}

impl Worker {
    fn new() -> Self {
        let config = Config::defaults().expect("defaults");
        let view = config.view.clone();
        let settings = Arc::clone(&config.state);
        let file = move |_: &str, _: &str, _: &str| view.clone();
        let registry = Registry::new(Arc::clone(&settings), Box::new(file));
        Self {
            tables: Tables::new(Arc::new(registry), &settings, &config.windows),
            partitions: [(); 2].map(|()| Partition::new(Arc::clone(&settings))),
        }
    }

    fn take(&mut self, record: &Record) {
        let event = decode(record.json.as_bytes(), &Limits::default()).expect("an event");
        let partition = &mut self.partitions[record.topic];
        partition.apply(&event).expect("an event that counts");
        let number = u32::try_from(record.topic).expect("small");
        let posts = partition.ledger().outbox();
        self.tables.absorb(number, partition.names(), posts);
        partition.clear_outbox();
    }

    fn view(&mut self, now: Millis) {
        let mut instants = [Instant::default(), Instant::default()];
        for (instant, partition) in instants.iter_mut().zip(&mut self.partitions) {
            instant.read(partition, now);
        }
        let both = self.partitions.iter().zip(&instants);
        let views: Vec<_> = (0..)
            .zip(both)
            .map(|(number, (state, at))| PartitionView::of(number, state, at))
            .collect();
        let mut frame = Frame::default();
        self.tables.view(now, now, &views, &mut frame);
    }
}

struct Record {
    time: i64,
    /// 0 contacts, 1 agents.
    topic: usize,
    json: String,
}

/// The ordinary life of a contact that comes at `time`, at its queue and its agent.
fn life(number: i64, time: i64) -> Vec<Record> {
    let record = |topic: usize, after: i64, kind: &str, fields: &str| {
        let time = time + after;
        let json = format!(
            r#"{{"id":"e-{number}-{after}-{kind}","type":"{kind}","time":{time},"client_id":"acme","contact_id":"c{number}"{fields}}}"#
        );
        Record { time, topic, json }
    };
    let queue = format!(r#","queue_id":"q{}","channel":"voice""#, number % 4);
    let agent = format!(r#","agent_id":"a{}""#, number % 8);
    let mut records = vec![
        record(0, 0, "contact.created", r#","direction":"inbound""#),
        record(0, 0, "contact.queued", &format!(r#"{queue},"visit":1"#)),
    ];
    for (after, kind, more, state) in [
        (2_000, "alerting", "", "alerting"),
        (7_000, "answered", "", "connected"),
        (20_000, "held", "", "held"),
        (24_000, "resumed", "", "connected"),
        (41_000, "ended", r#","by":"customer""#, "acw"),
        (52_000, "wrapped_up", r#","acw_ms":11000"#, "released"),
    ] {
        let visit = format!(r#"{agent},"visit":1{more}"#);
        records.push(record(0, after, &format!("contact.{kind}"), &visit));
        let at_agent = format!(r#"{agent}{queue},"state":"{state}""#);
        records.push(record(1, after, "agent.contact", &at_agent));
    }
    records.push(record(0, 60_000, "contact.closed", ""));
    records
}

/// Hours of work first: until the log gives back what it takes, and what is remembered of agents'
/// contacts is forgotten again. Growth that goes on (the prints of settled contacts, in sets of half
/// an hour) falls between the two minutes that are counted.
#[test]
fn an_ordinary_event_allocates_nothing_from_its_bytes_to_the_tables() {
    let mut worker = Worker::new();
    let (gap, counted) = (10_000, 5 * 3_600_000 + 15 * 60_000);
    let lives = 0..(counted + 180_000) / gap;
    let mut records: Vec<Record> = lives
        .flat_map(|number| life(number, START + number * gap))
        .collect();
    records.sort_by_key(|record| record.time);
    let (mut viewed, mut seen) = (START, 0);
    for record in &records {
        let counts = record.time - START - counted;
        if record.time >= viewed + 60_000 {
            viewed = record.time;
            worker.view(Millis(viewed));
        }
        let made = allocations(|| worker.take(record));
        if (0..120_000).contains(&counts) {
            assert_eq!(made, 0, "{}", record.json);
            seen += 1;
        }
    }
    assert!(seen > 150, "{seen}");
}
