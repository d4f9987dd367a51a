//! Prints: the hashes of ids that must not count again, kept for `retain` of stream time in sets of
//! half an hour, dropped whole. About 11 bytes each.

mod image;

pub(crate) use image::PrintsImage;

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use crate::event::{Millis, Span};

/// A hasher for keys that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

/// For maps keyed by a hash.
pub type HashedKey = BuildHasherDefault<AsItIs>;

const HALF_HOUR: i64 = 30 * 60 * 1000;

/// Prints of one partition.
#[derive(Clone, Debug, Default)]
pub struct Prints {
    /// Oldest first: number of the half hour of stream time, and its prints.
    sets: VecDeque<(i64, HashSet<u64, HashedKey>)>,
}

impl Prints {
    /// Keeps a print from `stamp` on, and drops the sets that were closed more than `retain` ago.
    pub fn add(&mut self, print: u64, stamp: Millis, stream: Millis, retain: Span) {
        while self
            .sets
            .front()
            .is_some_and(|(oldest, _)| over(*oldest, stream, retain))
        {
            self.sets.pop_front();
        }
        let half_hour = stamp.0.div_euclid(HALF_HOUR);
        if over(half_hour, stream, retain) {
            return;
        }
        let place = self
            .sets
            .partition_point(|(earlier, _)| *earlier < half_hour);
        if self
            .sets
            .get(place)
            .is_none_or(|(found, _)| *found != half_hour)
        {
            self.sets.insert(place, (half_hour, HashSet::default()));
        }
        if let Some((_, set)) = self.sets.get_mut(place) {
            set.insert(print);
        }
    }

    /// Whether a print is kept: at least `retain` long, at most half an hour longer.
    pub fn contains(&self, print: u64, stream: Millis, retain: Span) -> bool {
        self.sets
            .iter()
            .rev()
            .take_while(|(half_hour, _)| !over(*half_hour, stream, retain))
            .any(|(_, set)| set.contains(&print))
    }

    /// How many prints are kept.
    pub fn len(&self) -> usize {
        self.sets.iter().map(|(_, set)| set.len()).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }
}

/// Whether a set of this half hour was closed more than `retain` ago.
fn over(half_hour: i64, stream: Millis, retain: Span) -> bool {
    (half_hour + 1) * HALF_HOUR + retain.0 <= stream.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_print_is_kept_for_retain_and_at_most_half_an_hour_longer() {
        let (mut prints, retain) = (Prints::default(), Span::hours(4));
        let settled = Millis(1_000_000_000_000);
        prints.add(7, settled, settled, retain);
        assert!(prints.contains(7, settled + retain, retain));
        assert!(!prints.contains(7, settled + retain + Span::minutes(31), retain));
        assert!(!prints.contains(8, settled, retain));
        let later = settled + Span::hours(5);
        prints.add(9, later, later, retain);
        prints.add(10, settled, later, retain);
        assert_eq!(prints.len(), 1);
    }
}
