//! The simulated centre's own speed: it must not be what the other benches wait for.

mod support;

use divan::{Bencher, counter::ItemsCount};
use queuepulse::simulate::Scale;

const EVENTS: usize = 500_000;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn demo(bencher: Bencher<'_, '_>) {
    run(bencher, Scale::DEMO);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn largest(bencher: Bencher<'_, '_>) {
    run(bencher, Scale::LARGEST);
}

/// One iteration takes 500,000 events, after those that log the agents in.
fn run(bencher: Bencher<'_, '_>, scale: Scale) {
    let mut simulation = support::centre(scale);
    for _ in 0..scale.agents * 5 {
        simulation.next_event();
    }
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        (0..EVENTS)
            .map(|_| simulation.next_event().json.len())
            .sum::<usize>()
    });
}
