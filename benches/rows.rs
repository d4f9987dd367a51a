//! What publishing and reading rows of live figures costs a second, and how many bytes they are.
//!
//! `cargo bench --bench rows -- QUEUES AGENTS MINUTES`: so many minutes of warm-up, then one of measuring.

#![allow(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints its table"
)]

#[path = "support/memory.rs"]
mod memory;
mod support;

use std::sync::Arc;

use memory::{Counting, processor_time, resident_peak};
use queuepulse::cluster::{Inbox, Outbox, Status};
use queuepulse::event::{Family, Millis, Span};
use queuepulse::live::Registry;
use queuepulse::simulate::{Scale, Simulation};
use queuepulse::windows::frame::{Frame, Part};
use support::engine::{Engine, Records};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const PARTITIONS: usize = 16;
const MEASURED: i64 = 60;

#[derive(Default)]
struct Costs {
    records: u64,
    wholes: u64,
    bytes: u64,
    view: u64,
    send: u64,
    take: u64,
    add_up: u64,
}

fn main() {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|text| text.parse().ok())
        .collect();
    let scale = match numbers.as_slice() {
        [queues, agents, ..] => Scale::of(*queues, *agents),
        _ => Scale::LARGEST,
    };
    let minutes = i64::from(numbers.get(2).copied().unwrap_or(6));
    let mut simulation = support::centre(scale);
    let mut engine = Engine::new(PARTITIONS).with_rates();
    let mut records = Records::default();
    let viewer = registry();
    let windows = engine.specs.len();
    let mut inbox = Inbox::new("g", 1, windows, viewer);
    let mut outbox = Outbox::new("g", "instance", 1, 1);
    let (mut costs, mut shown) = (Costs::default(), 0);
    let end = minutes * 60 + MEASURED;
    for second in 1..=end {
        let now = support::FROM + Span::seconds(second);
        feed(&mut engine, &mut simulation, &mut records, now);
        let counts = second > end - MEASURED;
        // the last minute of the warm-up is sent too, so that wholes are spread over the refresh
        if second > end - 2 * MEASURED {
            let spent = if counts {
                &mut costs
            } else {
                &mut Costs::default()
            };
            shown += step(&mut engine, &mut outbox, &mut inbox, now, spent);
        } else if second % 60 == 0 {
            let frame = engine.view(now);
            engine.publish(frame);
        }
    }
    tell(&costs, &outbox, shown);
}

fn registry() -> Arc<Registry> {
    Arc::clone(&Engine::new(1).registry)
}

fn feed(engine: &mut Engine, simulation: &mut Simulation, records: &mut Records, to: Millis) {
    records.fill(simulation, to, PARTITIONS);
    for (partition, record) in records.iter() {
        engine.apply(partition, record);
        engine.absorb(partition);
    }
}

/// One second: view, send, take, add up. How many wholes were shown.
fn step(
    engine: &mut Engine,
    outbox: &mut Outbox,
    inbox: &mut Inbox,
    now: Millis,
    costs: &mut Costs,
) -> u64 {
    let began = processor_time();
    let mut frame = engine.view(now);
    let viewed = processor_time();
    frame.parts = parts();
    let frame = Arc::new(frame);
    let mut sent: Vec<(Vec<u8>, Option<Vec<u8>>)> = Vec::new();
    let status = Status {
        partitions: [16, 16],
        ..Status::default()
    };
    outbox.send(
        std::slice::from_ref(&frame),
        &engine.registry,
        &status,
        &mut |record| sent.push((record.key.to_vec(), record.value.map(<[u8]>::to_vec))),
    );
    let published = processor_time();
    for (key, value) in &sent {
        inbox.take(key, value.as_deref());
    }
    let taken = processor_time();
    let together = inbox.together();
    let added = processor_time();
    costs.view += viewed - began;
    costs.send += published - viewed;
    costs.take += taken - published;
    costs.add_up += added - taken;
    costs.records += sent.len() as u64;
    let bytes =
        |(key, value): &(Vec<u8>, Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
    costs.bytes += sent.iter().map(bytes).sum::<usize>() as u64;
    let is_whole = |(key, _): &&(Vec<u8>, Option<Vec<u8>>)| {
        matches!(
            queuepulse::cluster::Key::decode(key).map(|key| key.what),
            Some(queuepulse::cluster::What::Whole(_))
        )
    };
    costs.wholes += sent.iter().filter(is_whole).count() as u64;
    engine.publish(Frame::default());
    u64::from(together.is_some())
}

fn parts() -> Vec<Part> {
    let all = [Family::Contact, Family::Agent].into_iter();
    all.flat_map(|family| {
        (0..16).map(move |partition| Part {
            family,
            partition,
            since: Millis(1),
        })
    })
    .collect()
}

fn tell(costs: &Costs, outbox: &Outbox, shown: u64) {
    let seconds = MEASURED.unsigned_abs();
    let ms = |nanos: u64| nanos as f64 / seconds as f64 / 1e6;
    println!(
        "{} rows; {shown} of {} seconds shown by the reader",
        outbox.rows(),
        2 * seconds
    );
    println!(
        "a second: {} records ({} whole), {} kB before compression",
        costs.records / seconds,
        costs.wholes / seconds,
        costs.bytes / seconds / 1000
    );
    println!(
        "processor time a second: view {:.2} ms, send {:.2} ms, take {:.2} ms, frame {:.2} ms",
        ms(costs.view),
        ms(costs.send),
        ms(costs.take),
        ms(costs.add_up)
    );
    println!(
        "resident at most {} MiB, simulation included",
        resident_peak("self") / 1024
    );
}
