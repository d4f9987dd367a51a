//! The tables of one worker that has the largest centre alone: absorbing, and a view each second.

#[path = "support/centre_posts.rs"]
mod centre_posts;

use std::cell::RefCell;
use std::sync::Arc;

use centre_posts::{Centre, Numbers, settings, windows};
use divan::{Bencher, counter::ItemsCount};
use queuepulse::windows::frame::Frame;
use queuepulse::windows::tables::Tables;
use queuepulse::windows::view::{Instant, PartitionView};

fn main() {
    divan::main();
}

struct Worker {
    centre: Centre,
    tables: Tables,
    frames: [Frame; 2],
    instant: Instant,
}

impl Worker {
    /// Warm: every sliding window is full.
    fn new() -> Self {
        let settings = settings();
        let mut worker = Self {
            centre: Centre::new(&settings),
            tables: Tables::new(Arc::new(Numbers::default()), &settings, &windows()),
            frames: [Frame::default(), Frame::default()],
            instant: Instant::default(),
        };
        for _ in 0..6 * 60 {
            worker.centre.second();
            worker.absorb();
        }
        for _ in 0..4 {
            worker.view();
            worker.centre.second();
            worker.absorb();
        }
        worker
    }

    fn absorb(&mut self) {
        for (number, part) in (0..).zip(&mut self.centre.parts) {
            self.tables
                .absorb(number, &part.names, part.ledger.outbox());
            part.ledger.clear_outbox();
        }
    }

    fn views<'a>(centre: &'a Centre, at: &'a Instant) -> Vec<PartitionView<'a>> {
        let parts = (0..).zip(&centre.parts);
        parts
            .map(|(number, part)| PartitionView {
                number,
                names: &part.names,
                ledger: &part.ledger,
                at,
            })
            .collect()
    }

    fn view(&mut self) {
        let views = Self::views(&self.centre, &self.instant);
        self.frames.swap(0, 1);
        let end = self.centre.end;
        self.tables.view(end, end, &views, &mut self.frames[0]);
    }

    fn view_now(&mut self) {
        let views = Self::views(&self.centre, &self.instant);
        self.frames.swap(0, 1);
        self.tables
            .view_now(self.centre.end, &views, &mut self.frames[0]);
    }
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn absorb_a_second(bencher: Bencher<'_, '_>) {
    let mut worker = Worker::new();
    worker.centre.second();
    let outboxes = worker
        .centre
        .parts
        .iter()
        .map(|part| part.ledger.outbox().len());
    let posts: usize = outboxes.sum();
    worker.absorb();
    worker.view();
    let worker = RefCell::new(worker);
    bencher
        .counter(ItemsCount::new(posts))
        .with_inputs(|| {
            let worker = &mut *worker.borrow_mut();
            worker.view();
            worker.centre.second();
        })
        .bench_local_values(|()| worker.borrow_mut().absorb());
}

/// The view of a whole second: windows moved by one second and written, distributions included.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn view_a_second(bencher: Bencher<'_, '_>) {
    let worker = RefCell::new(Worker::new());
    bencher
        .with_inputs(|| {
            let worker = &mut *worker.borrow_mut();
            worker.centre.second();
            worker.absorb();
        })
        .bench_local_values(|()| worker.borrow_mut().view());
}

/// The view of a tick between whole seconds.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn view_now(bencher: Bencher<'_, '_>) {
    let worker = RefCell::new(Worker::new());
    bencher.bench_local(|| worker.borrow_mut().view_now());
}

/// All tables from the partitions' logs, and the first view.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn rebuild_and_view(bencher: Bencher<'_, '_>) {
    let mut worker = Worker::new();
    bencher.bench_local(|| {
        let views = Worker::views(&worker.centre, &worker.instant);
        worker.tables.rebuild(&views);
        let end = worker.centre.end;
        worker.tables.view(end, end, &views, &mut worker.frames[0]);
    });
}
