//! Processor time that records take from bytes to tables, by stage.

#![allow(dead_code, reason = "each bench uses a part of it")]
#![allow(clippy::cast_precision_loss, reason = "results have three digits")]

use std::hint::black_box;

use queuepulse::decode::decode;
use queuepulse::event::{Discard, Event};

use crate::memory::{lap, processor_time};
use crate::support::engine::{Engine, Records};

/// Records of a partition in a batch, as a worker that catches up gets them.
pub const BATCH: usize = 512;

/// Processor time in nanoseconds, and what it was spent on.
#[derive(Clone, Copy, Default)]
pub struct Costs {
    pub events: u64,
    pub decode: u64,
    pub apply: u64,
    pub absorb: u64,
}

impl Costs {
    /// Takes in all records, batch by batch.
    pub fn take(&mut self, engine: &mut Engine, records: &Records) {
        for (partition, batch) in records.batches(BATCH) {
            self.batch(engine, partition, &batch);
        }
    }

    /// Takes in one batch: each step over the whole of it, so that reading the clock costs nothing.
    pub fn batch(&mut self, engine: &mut Engine, partition: usize, batch: &[&[u8]]) {
        self.events += batch.len() as u64;
        let mut start = processor_time();
        let events: Vec<Result<Event<'_>, Discard>> = batch
            .iter()
            .map(|record| decode(black_box(record), &engine.limits))
            .collect();
        lap(&mut start, &mut self.decode);
        for event in events.iter().flatten() {
            let _ = engine.partitions[partition].apply(event);
        }
        lap(&mut start, &mut self.apply);
        engine.absorb(partition);
        lap(&mut start, &mut self.absorb);
    }

    /// Adds another's.
    pub fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.decode += other.decode;
        self.apply += other.apply;
        self.absorb += other.absorb;
    }

    /// All of it.
    pub fn sum(&self) -> u64 {
        self.decode + self.apply + self.absorb
    }

    /// Nanoseconds an event of some of it.
    pub fn each(&self, nanos: u64) -> f64 {
        nanos as f64 / self.events.max(1) as f64
    }
}
