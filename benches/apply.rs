//! A decoded event to changed state, and its posts into the tables, with 200,000 contacts in flight.

mod support;

use divan::{Bencher, counter::ItemsCount};
use queuepulse::event::Span;
use support::engine::{Records, warm};

const PARTITIONS: usize = 16;
/// Minutes until the centre is full.
const WARM_UP: i64 = 17;

fn main() {
    divan::main();
}

/// One iteration decodes and applies the events of one second. What decoding takes of it is in the
/// bench of that name.
#[divan::bench(sample_count = 60, sample_size = 1)]
fn second(bencher: Bencher<'_, '_>) {
    let (mut engine, mut simulation, mut now) = warm(PARTITIONS, WARM_UP);
    bencher
        .with_inputs(|| {
            now = now + Span::seconds(1);
            let mut records = Records::default();
            records.fill(&mut simulation, now, PARTITIONS);
            records
        })
        .input_counter(|records| ItemsCount::new(records.len()))
        .bench_local_values(|records| {
            for (partition, record) in records.iter() {
                engine.apply(partition, record);
                engine.absorb(partition);
            }
        });
}
