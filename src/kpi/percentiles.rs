//! Percentiles of waits and handle times: nearest rank over merged histogram buckets.
//!
//! Buckets are those of an `HdrHistogram` with 2 significant digits; each is known by its lowest
//! value in milliseconds. What is reported is the middle of the bucket that holds the rank, at most
//! half a bucket (0.4 %) from the exact value. Buckets of several rows are merged by adding counts.
//! Nothing in it: no figure.
//!
//! Few lists (one queue at some workers) are put one after another and sorted; many (the queues of a
//! subtotal) are added up in a table by bucket, some 16 KiB that are used again.

/// The percentiles that are shown.
const SHOWN: [u64; 4] = [50, 90, 95, 99];

/// Values in seconds at the percentiles that are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Percentiles([Option<f64>; SHOWN.len()]);

impl Percentiles {
    /// Of lists of buckets, each sorted; `scratch` is memory to work in.
    pub fn of<'a>(
        lists: impl Iterator<Item = &'a [(u32, u32)]>,
        scratch: &mut Vec<(u32, u32)>,
    ) -> Self {
        scratch.clear();
        let mut count = 0;
        for list in lists {
            scratch.extend_from_slice(list);
            count += 1;
        }
        if count > 1 {
            // stable: it finds and merges what is sorted already
            scratch.sort_by_key(|&(value, _)| value);
        }
        let pairs = scratch.iter();
        Self::read(pairs.map(|&(value, count)| (value, u64::from(count))))
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

    /// Of buckets sorted by value.
    fn read(pairs: impl Iterator<Item = (u32, u64)> + Clone) -> Self {
        let count: u64 = pairs.clone().map(|(_, count)| count).sum();
        let ranks = SHOWN.map(|percentile| (count * percentile).div_ceil(100).max(1));
        let mut found = [None; SHOWN.len()];
        let (mut seen, mut next) = (0, 0);
        for (value, count) in pairs {
            seen += count;
            while ranks.get(next).is_some_and(|&rank| seen >= rank) {
                found[next] = Some(f64::from(middle(value)) / 1000.0);
                next += 1;
            }
            if next == SHOWN.len() {
                break;
            }
        }
        Self(found)
    }
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
    pub fn add(&mut self, buckets: &[(u32, u32)]) {
        let (Some(&(first, _)), Some(&(last, _))) = (buckets.first(), buckets.last()) else {
            return;
        };
        self.reach(number(first), number(last));
        for &(value, count) in buckets {
            if let Some(sum) = self.counts.get_mut(number(value)) {
                *sum += u64::from(count);
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
        let pairs = (0..).zip(&self.counts).skip(self.begin);
        Percentiles::read(pairs.map(|(number, &count)| (lowest(number), count)))
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

/// Buckets of 1 ms below 256 ms, then 128 to each doubling.
const FINE: u32 = 256;

/// The number of a bucket, by the values' order.
fn number(value: u32) -> usize {
    let doubling = doubling(value);
    let number = if doubling == 0 {
        value
    } else {
        FINE + (doubling - 1) * 128 + ((value >> doubling) - 128)
    };
    number as usize
}

/// The lowest value of a bucket.
fn lowest(number: u32) -> u32 {
    match number.checked_sub(FINE) {
        None => number,
        Some(above) => (above % 128 + 128) << (above / 128 + 1),
    }
}

/// How often the width of 1 ms has doubled at a value.
fn doubling(value: u32) -> u32 {
    (32 - value.leading_zeros()).saturating_sub(8)
}

/// The middle of the bucket whose lowest value is given, as `HdrHistogram` puts it: with 2
/// significant digits a bucket is 1 ms wide below 256 ms, and 2^(k − 7) for values from 2^k on.
fn middle(lowest: u32) -> u32 {
    let width = 1_u32 << doubling(lowest);
    lowest.saturating_add(width / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_buckets_follow_their_values() {
        let mut last = None;
        for bucket in 0..FINE + 128 * 23 {
            let value = lowest(bucket);
            assert!(last < Some(value));
            assert_eq!(number(value), bucket as usize, "{value}");
            last = Some(value);
        }
    }
}
