//! Percentiles of waits and handle times: nearest rank over merged histogram buckets.
//!
//! Buckets are those of an `HdrHistogram` with 2 significant digits. What is reported is the middle
//! of the bucket that holds the rank, at most half a bucket (0.4 %) from the exact value. Buckets of
//! several rows are merged by adding counts.
//! Nothing in it: no figure.
//!
//! Few lists (one queue at some workers) are put one after another and sorted; many (the queues of a
//! subtotal) are added up in a table by bucket, some 16 KiB that are used again.

use crate::engine::histogram::{Bucket, BucketCount};

/// The percentiles that are shown.
const SHOWN: [u64; 4] = [50, 90, 95, 99];

/// Values in seconds at the percentiles that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles([Option<f64>; SHOWN.len()]);

impl Percentiles {
    /// Of lists of buckets, each sorted; `scratch` is memory to work in.
    pub fn of<'a>(
        lists: impl Iterator<Item = &'a [BucketCount]>,
        scratch: &mut Vec<BucketCount>,
    ) -> Self {
        scratch.clear();
        let mut count = 0;
        for list in lists {
            scratch.extend_from_slice(list);
            count += 1;
        }
        if count > 1 {
            // stable: it finds and merges what is sorted already
            scratch.sort_by_key(|entry| entry.bucket);
        }
        let entries = scratch.iter();
        Self::read(entries.map(|entry| (entry.bucket, count_of(*entry))))
    }

    /// The value at 50, 90, 95 or 99; none at others.
    pub fn at(&self, percentile: u64) -> Option<f64> {
        let place = SHOWN.iter().position(|&shown| shown == percentile)?;
        self.0.get(place).copied().flatten()
    }

    /// None above the largest value that there was: the middle of a bucket may lie above it.
    #[must_use]
    pub fn at_most(self, largest: Option<f64>) -> Self {
        let limited = |value: f64| largest.map_or(value, |largest| value.min(largest));
        Self(self.0.map(|value| value.map(limited)))
    }

    /// Of buckets in their order.
    fn read(pairs: impl Iterator<Item = (Bucket, u64)> + Clone) -> Self {
        let count: u64 = pairs.clone().map(|(_, count)| count).sum();
        let ranks = SHOWN.map(|percentile| (count * percentile).div_ceil(100).max(1));
        let mut found = [None; SHOWN.len()];
        let (mut seen, mut next) = (0, 0);
        for (bucket, count) in pairs {
            seen += count;
            while ranks.get(next).is_some_and(|&rank| seen >= rank) {
                found[next] = Some(f64::from(bucket.middle()) / 1000.0);
                next += 1;
            }
            if next == SHOWN.len() {
                break;
            }
        }
        Self(found)
    }
}

/// What a frame shows is not less than nothing.
fn count_of(entry: BucketCount) -> u64 {
    u64::try_from(entry.count()).unwrap_or_default()
}

/// Bucket counts of many rows, added up.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    /// By number of the bucket.
    counts: Vec<u64>,
    /// The first bucket that may hold something.
    begin: usize,
}

impl Distribution {
    /// Adds one row's buckets.
    pub fn add(&mut self, buckets: &[BucketCount]) {
        let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else {
            return;
        };
        self.reach(first.bucket.number(), last.bucket.number());
        for entry in buckets {
            if let Some(sum) = self.counts.get_mut(entry.bucket.number()) {
                *sum += count_of(*entry);
            }
        }
    }

    /// Adds another distribution's.
    pub fn add_all(&mut self, other: &Self) {
        let Some(last) = other.counts.len().checked_sub(1) else {
            return;
        };
        self.reach(other.begin, last);
        let pairs = self.counts.iter_mut().zip(&other.counts);
        for (sum, count) in pairs.skip(other.begin) {
            *sum += count;
        }
    }

    /// Takes everything out, keeping the memory.
    pub fn clear(&mut self) {
        self.counts.clear();
        self.begin = 0;
    }

    /// What it says.
    pub fn percentiles(&self) -> Percentiles {
        let counts = self.counts.iter().enumerate().skip(self.begin);
        let pairs =
            counts.filter_map(|(number, &count)| Some((Bucket::with_number(number)?, count)));
        Percentiles::read(pairs)
    }

    /// Makes room for buckets `first` to `last`.
    fn reach(&mut self, first: usize, last: usize) {
        self.begin = if self.counts.is_empty() {
            first
        } else {
            self.begin.min(first)
        };
        if self.counts.len() <= last {
            self.counts.resize(last + 1, 0);
        }
    }
}
