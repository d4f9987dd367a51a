//! All figures of an instant: the frame that a worker writes at a tick, 10,000 queues.

mod support;

use divan::Bencher;
use queuepulse::event::Span;
use queuepulse::windows::frame::Frame;
use support::engine::{Records, warm};

const PARTITIONS: usize = 16;
const WARM_UP: i64 = 17;

fn main() {
    divan::main();
}

/// *Now* figures and every window, as at a whole second.
#[divan::bench(sample_count = 60, sample_size = 1)]
fn whole_second(bencher: Bencher<'_, '_>) {
    let (mut engine, mut simulation, mut now) = warm(PARTITIONS, WARM_UP);
    let mut records = Records::default();
    let engine = std::cell::RefCell::new(&mut engine);
    bencher
        .with_inputs(|| {
            now = now + Span::seconds(1);
            records.fill(&mut simulation, now, PARTITIONS);
            let mut engine = engine.borrow_mut();
            for (partition, record) in records.iter() {
                engine.apply(partition, record);
                engine.absorb(partition);
            }
            now
        })
        .bench_local_values(|now| {
            let mut engine = engine.borrow_mut();
            let frame = engine.view(now);
            engine.publish(frame);
        });
}

/// *Now* figures alone, as at the ticks between whole seconds.
#[divan::bench(sample_count = 60, sample_size = 1)]
fn between_seconds(bencher: Bencher<'_, '_>) {
    let (mut engine, _, now) = warm(PARTITIONS, WARM_UP);
    bencher.bench_local(|| -> Frame { engine.view_now(now + Span(250)) });
}
