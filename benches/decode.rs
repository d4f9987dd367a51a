//! Bytes of a record to an event.

mod support;

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use queuepulse::decode::{Limits, decode};
use queuepulse::simulate::Topic;

const WARM_UP: usize = 3_000_000;
const EVENTS: usize = 100_000;

fn main() {
    divan::main();
}

/// One iteration decodes 100,000 events of a topic, each from its own place in memory.
#[divan::bench(args = [Topic::Contacts, Topic::Agents], sample_count = 20, sample_size = 1)]
fn events(bencher: Bencher<'_, '_>, topic: Topic) {
    let events = support::sample(WARM_UP, EVENTS, topic);
    let bytes: usize = events.iter().map(|event| event.json.len()).sum();
    bencher
        .counter(ItemsCount::new(events.len()))
        .counter(BytesCount::new(bytes))
        .bench_local(|| {
            for event in &events {
                let _ = black_box(decode(black_box(&event.json), &Limits::default()));
            }
        });
}
