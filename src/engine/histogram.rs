//! Buckets of durations: those of an `HdrHistogram` with 2 significant digits.

use std::sync::LazyLock;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use super::room;
use crate::event::Span;

/// Only its mapping from value to bucket is used, never its counts.
static MAPPING: LazyLock<Option<Histogram<u8>>> =
    LazyLock::new(|| Histogram::new_with_bounds(1, 2 * u64::from(u32::MAX), 2).ok());

/// Buckets are 1 ms wide below this many ms, then twice as wide with each doubling, [`EACH`] of them.
const FINE: u16 = 256;
const EACH: u16 = 128;

/// A bucket, known by its number in the order of the values: 0 to 3,327.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Bucket(u16);

impl Bucket {
    /// How many there are.
    pub const COUNT: usize = FINE as usize + 24 * EACH as usize;

    /// The bucket of a duration. Less than nothing counts as 0, more than 2³² − 1 ms, 49.7 days, as
    /// that.
    pub fn of(duration: Span) -> Self {
        let value = u32::try_from(duration.0.max(0)).unwrap_or(u32::MAX);
        let lowest = MAPPING.as_ref().map_or(u64::from(value), |mapping| {
            mapping.lowest_equivalent(u64::from(value))
        });
        let lowest = u32::try_from(lowest).unwrap_or(u32::MAX);
        let doublings = (32 - lowest.leading_zeros()).saturating_sub(8);
        let number = if doublings == 0 {
            lowest
        } else {
            let before = u32::from(FINE) + (doublings - 1) * u32::from(EACH);
            before + (lowest >> doublings) - u32::from(EACH)
        };
        Self(u16::try_from(number).unwrap_or_default())
    }

    /// The bucket with this number.
    pub fn with_number(number: usize) -> Option<Self> {
        let number = u16::try_from(number).ok()?;
        (usize::from(number) < Self::COUNT).then_some(Self(number))
    }

    /// Its number.
    pub fn number(self) -> usize {
        usize::from(self.0)
    }

    /// The lowest value in it, in ms.
    pub fn lowest(self) -> u32 {
        match self.0.checked_sub(FINE) {
            None => u32::from(self.0),
            Some(above) => u32::from(above % EACH + EACH) << self.doublings(),
        }
    }

    /// The value in its middle, in ms, as `HdrHistogram` puts it.
    pub fn middle(self) -> u32 {
        self.lowest().saturating_add((1 << self.doublings()) / 2)
    }

    /// How often the width of 1 ms has doubled.
    fn doublings(self) -> u32 {
        let above = self.0.checked_sub(FINE);
        above.map_or(0, |above| u32::from(above / EACH) + 1)
    }
}

/// A bucket and how many are in it, in four bytes: there are tens of millions of these. Lists of them
/// are sorted by bucket; a count beyond 32,767 is spread over several entries of one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketCount {
    /// Which.
    pub bucket: Bucket,
    count: i16,
}

impl BucketCount {
    /// How many.
    pub fn count(self) -> i64 {
        i64::from(self.count)
    }

    /// Appends a count, in as many entries as it takes; none if it is 0.
    pub fn push(list: &mut Vec<Self>, bucket: Bucket, mut count: i64) {
        while count != 0 {
            let part = count.clamp(i64::from(-i16::MAX), i64::from(i16::MAX));
            count -= part;
            let part = i16::try_from(part).unwrap_or_default();
            list.push(Self {
                bucket,
                count: part,
            });
        }
    }

    /// Adds one to a bucket's count, or takes one off.
    pub(crate) fn add(list: &mut Vec<Self>, bucket: Bucket, sign: i8) {
        let place = list.partition_point(|other| other.bucket < bucket);
        if let Some(entry) = list.get_mut(place).filter(|entry| entry.bucket == bucket)
            && let Some(count) = entry.count.checked_add(i16::from(sign))
        {
            entry.count = count;
            if count == 0 {
                list.remove(place);
            }
            return;
        }
        room::reserve(list, 1);
        let count = i16::from(sign);
        list.insert(place, Self { bucket, count });
    }

    /// Whether there is such a bucket, and something in it.
    pub(crate) fn is_sound(self) -> bool {
        self.bucket.number() < Bucket::COUNT && self.count != 0
    }

    /// Each bucket of a list once, with its whole count.
    pub fn whole(list: &[Self]) -> impl Iterator<Item = (Bucket, i64)> + '_ {
        let same = list.chunk_by(|one, next| one.bucket == next.bucket);
        same.map(|same| (same[0].bucket, same.iter().map(|entry| entry.count()).sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_buckets_follow_their_values() {
        let mut last = None;
        for number in 0..Bucket::COUNT {
            let bucket = Bucket::with_number(number).unwrap();
            let lowest = bucket.lowest();
            assert!(last < Some(lowest));
            let value = Span(i64::from(lowest));
            assert_eq!((Bucket::of(value), bucket.number()), (bucket, number));
            if number > 0 {
                let below = Bucket::of(Span(value.0 - 1));
                assert_eq!(below.number() + 1, number);
            }
            last = Some(lowest);
        }
        assert_eq!(Bucket::with_number(Bucket::COUNT), None);
        let longest = Bucket::of(Span(i64::MAX));
        assert_eq!(longest.number() + 1, Bucket::COUNT);
        assert_eq!(Bucket::of(Span(-5)).lowest(), 0);
    }

    #[test]
    fn a_count_of_any_size_is_kept() {
        let (short, long) = (Bucket::of(Span(3)), Bucket::of(Span(90_000)));
        let mut list = Vec::new();
        BucketCount::push(&mut list, short, 0);
        BucketCount::push(&mut list, short, 100_000);
        BucketCount::push(&mut list, long, -7);
        assert_eq!(list.len(), 5);
        let whole: Vec<_> = BucketCount::whole(&list).collect();
        assert_eq!(whole, [(short, 100_000), (long, -7)]);
        for _ in 0..100_000 {
            BucketCount::add(&mut list, long, 1);
        }
        let whole: Vec<_> = BucketCount::whole(&list).collect();
        assert_eq!(whole, [(short, 100_000), (long, 99_993)]);
        for _ in 0..99_993 {
            BucketCount::add(&mut list, long, -1);
        }
        assert_eq!(BucketCount::whole(&list).last(), Some((short, 100_000)));
        assert_eq!(size_of::<BucketCount>(), 4);
    }
}
