//! Bytes of a record to an event, and the same by the JSON parser alone.

mod support;

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use queuepulse::decode::{Limits, decode, decode_by_parser};
use queuepulse::simulate::Topic;

const WARM_UP: usize = 3_000_000;
const EVENTS: usize = 100_000;

fn main() {
    divan::main();
}

/// One iteration decodes 100,000 events of a topic, each from its own place in memory.
#[divan::bench(args = [Topic::Contacts, Topic::Agents], sample_count = 20, sample_size = 1)]
fn events(bencher: Bencher<'_, '_>, topic: Topic) {
    run(bencher, topic, |record| {
        let _ = black_box(decode(record, &Limits::default()));
    });
}

/// The same events without the scan.
#[divan::bench(args = [Topic::Contacts, Topic::Agents], sample_count = 20, sample_size = 1)]
fn events_by_parser(bencher: Bencher<'_, '_>, topic: Topic) {
    run(bencher, topic, |record| {
        let _ = black_box(decode_by_parser(record, &Limits::default()));
    });
}

fn run(bencher: Bencher<'_, '_>, topic: Topic, decode: impl Fn(&[u8])) {
    let events = support::sample(WARM_UP, EVENTS, topic);
    let bytes: usize = events.iter().map(|event| event.json.len()).sum();
    bencher
        .counter(ItemsCount::new(events.len()))
        .counter(BytesCount::new(bytes))
        .bench_local(|| {
            for event in &events {
                decode(black_box(&event.json));
            }
        });
}
