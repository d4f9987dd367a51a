//! Percentiles of waits and handle times: nearest rank over merged histogram buckets.
//!
//! Buckets are those of an `HdrHistogram` with 2 significant digits; each is known by its lowest
//! value in milliseconds. What is reported is the middle of the bucket that holds the rank, at most
//! half a bucket (0.4 %) from the exact value. Buckets of several rows are merged by adding counts.
//! Nothing in it: no figure.

use std::sync::Arc;

/// Bucket counts of one or more rows, shared with the frames they come from.
#[derive(Clone, Debug, Default)]
pub struct Distribution {
    parts: Vec<Arc<[(u32, u32)]>>,
}

impl Distribution {
    /// Adds one row's buckets.
    pub fn push(&mut self, buckets: &Option<Arc<[(u32, u32)]>>) {
        self.parts.extend(buckets.iter().cloned());
    }

    /// Adds another distribution's.
    pub fn add(&mut self, other: &Self) {
        self.parts.extend(other.parts.iter().cloned());
    }

    /// Every bucket once, sorted by value.
    pub fn merged(&self) -> Vec<(u32, u64)> {
        let mut pairs: Vec<(u32, u32)> = self
            .parts
            .iter()
            .flat_map(|part| part.iter().copied())
            .collect();
        if self.parts.len() > 1 {
            pairs.sort_unstable_by_key(|&(value, _)| value);
        }
        let mut merged: Vec<(u32, u64)> = Vec::with_capacity(pairs.len());
        for (value, count) in pairs {
            match merged.last_mut() {
                Some((last, sum)) if *last == value => *sum += u64::from(count),
                _ => merged.push((value, u64::from(count))),
            }
        }
        merged
    }
}

/// The value in seconds at a percentile (1..=100) of merged buckets: the smallest value such that
/// at least that share of all lies at or below it.
pub fn nearest_rank(merged: &[(u32, u64)], percentile: u64) -> Option<f64> {
    let count: u64 = merged.iter().map(|&(_, count)| count).sum();
    let rank = (count * percentile).div_ceil(100).max(1);
    let mut seen = 0;
    for &(value, count) in merged {
        seen += count;
        if seen >= rank && count > 0 {
            return Some(f64::from(middle(value)) / 1000.0);
        }
    }
    None
}

/// The middle of the bucket whose lowest value is given, as `HdrHistogram` puts it: with 2
/// significant digits a bucket is 1 ms wide below 256 ms, and 2^(k − 7) for values from 2^k on.
fn middle(lowest: u32) -> u32 {
    let width = 1_u32 << (32 - lowest.leading_zeros()).saturating_sub(8);
    lowest.saturating_add(width / 2)
}
