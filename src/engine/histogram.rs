//! Buckets of durations: those of an `HdrHistogram` with 2 significant digits.

use std::sync::LazyLock;

use hdrhistogram::Histogram;

use crate::event::Span;

/// Only its mapping from value to bucket is used, never its counts.
static MAPPING: LazyLock<Option<Histogram<u8>>> =
    LazyLock::new(|| Histogram::new_with_bounds(1, 2 * u64::from(u32::MAX), 2).ok());

/// The lowest value, in ms, that shares the bucket of this duration: the name of the bucket.
/// Durations over 2³² ms, 49.7 days, count as that.
pub fn bucket(duration: Span) -> u32 {
    let value = u32::try_from(duration.0.max(0)).unwrap_or(u32::MAX);
    let lowest = MAPPING.as_ref().map_or(u64::from(value), |mapping| {
        mapping.lowest_equivalent(u64::from(value))
    });
    u32::try_from(lowest).unwrap_or(u32::MAX)
}
