//! A finished frame to the readers, and what the first reader of a tick makes of it.

mod support;

use divan::Bencher;
use queuepulse::event::Span;
use queuepulse::live::Merged;
use support::engine::warm;

const PARTITIONS: usize = 16;
const WARM_UP: i64 = 6;

fn main() {
    divan::main();
}

/// The swap alone.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn swap(bencher: Bencher<'_, '_>) {
    let (engine, _, now) = warm(PARTITIONS, WARM_UP);
    let engine = std::cell::RefCell::new(engine);
    let frame = engine.borrow_mut().view_now(now);
    bencher
        .with_inputs(|| frame.clone())
        .bench_local_values(|frame| engine.borrow_mut().publish(frame));
}

/// Adding up the frames of a whole second: every queue, client, group, channel and the total, in
/// every window.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn merge(bencher: Bencher<'_, '_>) {
    let (engine, _, _) = warm(PARTITIONS, WARM_UP);
    bencher.bench_local(|| -> Merged { engine.merge() });
}

/// The same at a tick between: *now* figures alone.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn merge_between_seconds(bencher: Bencher<'_, '_>) {
    let (mut engine, _, now) = warm(PARTITIONS, WARM_UP);
    let before = engine.merge();
    let frame = engine.view_now(now + Span(250));
    engine.publish(frame);
    bencher.bench_local(|| -> Merged { engine.merge_after(Some(&before)) });
}
