//! Prints: the hashes of ids that must not count again, kept for `retain` of stream time in sets of
//! half an hour, dropped whole.
//!
//! A half hour that is over is a list in ascending order, 8 bytes a print: hashes lie evenly, so where
//! one would stand is nearly known. The one that goes on is a hash set, 10 to 20 bytes.

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
    /// Oldest first.
    sets: VecDeque<HalfHour>,
}

/// The prints of half an hour.
#[derive(Clone, Debug, Default)]
struct HalfHour {
    /// Of stream time.
    number: i64,
    /// In ascending order.
    closed: Vec<u64>,
    /// Those that came since the latest half hour began, or the state was restored; none is closed.
    open: HashSet<u64, HashedKey>,
}

impl HalfHour {
    fn add(&mut self, print: u64) {
        if !is_among(&self.closed, print) {
            self.open.insert(print);
        }
    }

    fn contains(&self, print: u64) -> bool {
        self.open.contains(&print) || is_among(&self.closed, print)
    }

    fn len(&self) -> usize {
        self.closed.len() + self.open.len()
    }

    /// What comes after it is late, and little.
    fn close(&mut self) {
        if !self.open.is_empty() {
            self.closed.reserve_exact(self.open.len());
            self.closed.extend(std::mem::take(&mut self.open));
            self.closed.sort_unstable();
        }
    }
}

impl Prints {
    /// Keeps a print from `stamp` on, and drops the sets that were closed more than `retain` ago.
    pub fn add(&mut self, print: u64, stamp: Millis, stream: Millis, retain: Span) {
        while self
            .sets
            .front()
            .is_some_and(|oldest| over(oldest.number, stream, retain))
        {
            self.sets.pop_front();
        }
        let number = stamp.0.div_euclid(HALF_HOUR);
        if over(number, stream, retain) {
            return;
        }
        let place = self.sets.partition_point(|earlier| earlier.number < number);
        if self.sets.get(place).is_none_or(|set| set.number != number) {
            if place == self.sets.len() {
                self.sets.iter_mut().for_each(HalfHour::close);
            }
            let set = HalfHour {
                number,
                ..HalfHour::default()
            };
            self.sets.insert(place, set);
        }
        if let Some(set) = self.sets.get_mut(place) {
            set.add(print);
        }
    }

    /// Whether a print is kept: at least `retain` long, at most half an hour longer.
    pub fn contains(&self, print: u64, stream: Millis, retain: Span) -> bool {
        self.sets
            .iter()
            .rev()
            .take_while(|set| !over(set.number, stream, retain))
            .any(|set| set.contains(print))
    }

    /// How many prints are kept.
    pub fn len(&self) -> usize {
        self.sets.iter().map(HalfHour::len).sum()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }
}

/// Whether a list in ascending order has a print. Looks near the place where it stands if all lie
/// evenly, some four deviations to each side, and farther off if it would stand at an edge of what
/// was looked at.
fn is_among(prints: &[u64], print: u64) -> bool {
    let place = (u128::from(print) * prints.len() as u128) >> 64;
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    let mut reach = 2 * prints.len().isqrt() + 1;
    loop {
        let from = place.saturating_sub(reach);
        let to = place.saturating_add(reach).min(prints.len());
        let near = &prints[from..to];
        match near.binary_search(&print) {
            Ok(_) => return true,
            Err(0) if from > 0 => {}
            Err(last) if last == near.len() && to < prints.len() => {}
            Err(_) => return false,
        }
        reach = reach.saturating_mul(4);
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

    #[test]
    fn a_print_is_found_in_a_half_hour_that_is_over_however_the_prints_lie() {
        let (mut prints, retain) = (Prints::default(), Span::hours(4));
        let first = Millis(1_000_000_000_000);
        let all = |number: u64| [number, number << 40, u64::MAX - number, number.pow(3)];
        let even = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for number in (1..4_000).step_by(2) {
            for print in all(number).into_iter().chain([even(number)]) {
                prints.add(print, first, first, retain);
                prints.add(print, first, first, retain);
            }
        }
        let kept = prints.len();
        let later = first + Span::hours(1);
        prints.add(0, later, later, retain);
        prints.add(2, first, later, retain);
        prints.add(1, first, later, retain);
        assert_eq!(prints.len(), kept + 2);
        for number in 1..4_000 {
            for print in all(number).into_iter().chain([even(number)]) {
                let known = number % 2 == 1 || print == 2;
                assert_eq!(prints.contains(print, later, retain), known, "{print}");
            }
        }
    }
}
