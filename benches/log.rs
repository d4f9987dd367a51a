//! The fact log: appending, bytes per fact, and pouring old panes into the base.

#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

#[path = "support/centre_posts.rs"]
mod centre_posts;

use std::cell::RefCell;

use centre_posts::{Centre, settings};
use divan::{Bencher, counter::ItemsCount};
use queuepulse::event::Millis;

fn main() {
    let mut centre = Centre::new(&settings());
    (0..60).for_each(|_| centre.second());
    let logs = || centre.parts.iter().map(|part| part.ledger.log());
    let facts: u64 = logs().map(queuepulse::engine::panes::Log::facts).sum();
    let packed: usize = logs()
        .map(queuepulse::engine::panes::Log::packed_bytes)
        .sum();
    let held: usize = logs().map(queuepulse::engine::panes::Log::bytes).sum();
    let per_fact = |bytes: usize| bytes as f64 / facts as f64;
    tell(facts, per_fact(packed), per_fact(held));
    divan::main();
}

#[expect(clippy::print_stderr, reason = "a bench's own figures")]
fn tell(facts: u64, packed: f64, held: f64) {
    eprintln!("{facts} facts in a minute: {packed:.2} bytes packed, {held:.2} with chunks");
}

/// A second of the largest centre at its peak: every post put into force, panes that grow too old
/// poured into the base.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn make_a_second_when_nothing_leaves(bencher: Bencher<'_, '_>) {
    seconds(bencher, 10);
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn make_a_second_when_as_much_leaves(bencher: Bencher<'_, '_>) {
    seconds(bencher, 8 * 60);
}

fn seconds(bencher: Bencher<'_, '_>, warm: usize) {
    let mut centre = Centre::new(&settings());
    for _ in 0..warm {
        centre.second();
        centre
            .parts
            .iter_mut()
            .for_each(|part| part.ledger.clear_outbox());
    }
    centre.second();
    let posts: usize = centre
        .parts
        .iter()
        .map(|part| part.ledger.outbox().len())
        .sum();
    let centre = RefCell::new(centre);
    bencher
        .counter(ItemsCount::new(posts))
        .with_inputs(|| {
            let parts = &mut centre.borrow_mut().parts;
            for part in parts {
                part.ledger.clear_outbox();
            }
        })
        .bench_local_values(|()| centre.borrow_mut().second());
}

/// Every fact of a minute read and unpacked.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn read_a_minute(bencher: Bencher<'_, '_>) {
    let mut centre = Centre::new(&settings());
    (0..60).for_each(|_| centre.second());
    let logs = || centre.parts.iter().map(|part| part.ledger.log());
    let facts: u64 = logs().map(queuepulse::engine::panes::Log::facts).sum();
    bencher.counter(ItemsCount::new(facts)).bench_local(|| {
        let mut stamps = 0_i64;
        for log in logs() {
            log.for_each(Millis::MIN, Millis::MAX, |post| {
                stamps = stamps.wrapping_add(post.stamp.0);
            });
        }
        stamps
    });
}
