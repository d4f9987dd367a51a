//! A finished frame to the readers, and what the first reader of a tick makes of it.

mod support;

use std::cell::RefCell;

use divan::Bencher;
use queuepulse::event::Span;
use queuepulse::live::Merged;
use support::engine::{Live, warm};

const PARTITIONS: usize = 16;
const WARM_UP: i64 = 6;

fn main() {
    divan::main();
}

/// The swap alone.
#[divan::bench(sample_count = 100, sample_size = 10)]
fn swap(bencher: Bencher<'_, '_>) {
    let (engine, _, now) = warm(PARTITIONS, WARM_UP);
    let engine = RefCell::new(engine);
    let frame = engine.borrow_mut().view_now(now);
    bencher
        .with_inputs(|| frame.clone())
        .bench_local_values(|frame| engine.borrow_mut().publish(frame));
}

/// Adding up the frames of a whole second after those of the one before: every queue, client, group,
/// channel and the total, in every window.
#[divan::bench(sample_count = 30, sample_size = 1)]
fn merge(bencher: Bencher<'_, '_>) {
    let mut live = Live::warm(PARTITIONS, WARM_UP);
    live.publish();
    let before = RefCell::new(live.engine.merge());
    let live = RefCell::new(live);
    bencher
        .with_inputs(|| {
            let mut live = live.borrow_mut();
            live.go_on();
            live.publish();
        })
        .bench_local_values(|()| -> Merged {
            let merged = live.borrow().engine.merge_after(Some(&before.borrow()));
            before.replace(merged)
        });
}

/// The same with nothing from before, as for a reader who asks with a T of his own.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn merge_anew(bencher: Bencher<'_, '_>) {
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
