//! All figures of an instant: the frame that a worker writes at a tick, 10,000 queues.

mod support;

use divan::Bencher;
use queuepulse::event::Span;
use queuepulse::windows::frame::Frame;
use support::engine::{Live, warm};

const PARTITIONS: usize = 16;
const WARM_UP: i64 = 17;

fn main() {
    divan::main();
}

/// *Now* figures and every window, as at a whole second.
#[divan::bench(sample_count = 60, sample_size = 1)]
fn whole_second(bencher: Bencher<'_, '_>) {
    let mut live = Live::warm(PARTITIONS, WARM_UP);
    live.publish();
    let live = std::cell::RefCell::new(live);
    bencher
        .with_inputs(|| live.borrow_mut().go_on())
        .bench_local_values(|()| live.borrow_mut().publish());
}

/// *Now* figures alone, as at the ticks between whole seconds.
#[divan::bench(sample_count = 60, sample_size = 1)]
fn between_seconds(bencher: Bencher<'_, '_>) {
    let (mut engine, _, now) = warm(PARTITIONS, WARM_UP);
    bencher.bench_local(|| -> Frame { engine.view_now(now + Span(250)) });
}
