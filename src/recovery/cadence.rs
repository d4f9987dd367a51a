//! When to take a snapshot of which partition. Pure: time is an argument.
//!
//! All partitions have the same interval: [`SHORTEST`], or as long as it takes to write all of them
//! at [`RATE`]. Each begins at a place of its own in it and keeps to it, so they are spread over it.
//! At most [`AT_ONCE`] are under way: that bounds memory, and when the topic cannot be written
//! nothing piles up.

use std::collections::BTreeMap;
use std::time::Duration;

/// A small centre's interval.
pub const SHORTEST: Duration = Duration::from_secs(5);
/// Bytes a second that all snapshots together may take.
pub const RATE: u64 = 1_000_000;
/// Snapshots under way.
pub const AT_ONCE: usize = 2;
/// One of a partition without news is written again after so many intervals: it must neither get
/// too old for the topic's retention, nor lie so deep that it takes long to find.
const REFRESH: u32 = 12;

#[derive(Clone, Copy, Debug)]
struct Pace {
    due: Duration,
    /// Intervals since the last that was written.
    skipped: u32,
    /// Bytes of the last.
    size: u64,
    /// Where the last one ends that was written.
    written: Option<i64>,
    under_way: bool,
}

/// The pace of every partition that is read.
#[derive(Clone, Debug)]
pub struct Cadence<K> {
    paces: BTreeMap<K, Pace>,
}

impl<K: Ord> Default for Cadence<K> {
    fn default() -> Self {
        Self {
            paces: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Copy> Cadence<K> {
    /// A partition is read; `place`, a number of its own, spreads it over the interval.
    pub fn take(&mut self, key: K, place: u32, now: Duration) {
        let part = place.wrapping_mul(0x9e37_79b9) >> 16;
        let begins = Pace {
            due: now + self.interval() * part / 0x1_0000,
            skipped: 0,
            size: 0,
            written: None,
            under_way: false,
        };
        self.paces.insert(key, begins);
    }

    /// A partition is read no more.
    pub fn lose(&mut self, key: K) {
        self.paces.remove(&key);
    }

    /// A partition whose snapshot is to be taken now, `next` being the offset that it is at; it
    /// counts as under way.
    pub fn due(&mut self, now: Duration, next: impl Fn(K) -> i64) -> Option<K> {
        let under_way = self.paces.values().filter(|pace| pace.under_way).count();
        if under_way >= AT_ONCE {
            return None;
        }
        let interval = self.interval();
        let waiting = self.paces.iter_mut().filter(|(_, pace)| !pace.under_way);
        let mut due: Vec<(&K, &mut Pace)> = waiting.filter(|(_, pace)| pace.due <= now).collect();
        due.sort_by_key(|(_, pace)| pace.due);
        for (&key, pace) in due {
            // Late ones do not hurry to make up for it.
            pace.due = (pace.due + interval).max(now + interval / 2);
            pace.skipped += 1;
            if pace.written != Some(next(key)) || pace.skipped >= REFRESH {
                pace.under_way = true;
                return Some(key);
            }
        }
        None
    }

    /// A snapshot has been written that ends at `next` and has so many bytes.
    pub fn written(&mut self, key: K, next: i64, size: u64) {
        if let Some(pace) = self.paces.get_mut(&key) {
            pace.under_way = false;
            pace.skipped = 0;
            pace.size = size;
            pace.written = Some(next);
        }
    }

    /// A snapshot could not be written.
    pub fn failed(&mut self, key: K) {
        if let Some(pace) = self.paces.get_mut(&key) {
            pace.under_way = false;
        }
    }

    /// The interval of all.
    pub fn interval(&self) -> Duration {
        let all: u64 = self.paces.values().map(|pace| pace.size).sum();
        SHORTEST.max(Duration::from_millis(all * 1000 / RATE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Runs for so long, each partition's log growing; the instants of each partition's snapshots.
    fn run(partitions: u32, size: u64, seconds: u64, grows: bool) -> BTreeMap<u32, Vec<u64>> {
        let mut cadence = Cadence::default();
        (0..partitions).for_each(|key| cadence.take(key, key, at(0)));
        let mut taken: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
        for millis in (0..seconds * 1000).step_by(100) {
            let next = if grows {
                i64::try_from(millis).unwrap()
            } else {
                7
            };
            while let Some(key) = cadence.due(at(millis), |_| next) {
                taken.entry(key).or_default().push(millis);
                cadence.written(key, next, size);
            }
        }
        taken
    }

    #[test]
    fn small_states_are_written_every_5_s_and_not_all_at_once() {
        let taken = run(8, 20_000, 60, true);
        assert_eq!(taken.len(), 8);
        let mut firsts: Vec<u64> = taken.values().map(|instants| instants[0]).collect();
        for instants in taken.values() {
            assert!((11..=12).contains(&instants.len()), "{instants:?}");
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert!(firsts.len() >= 6, "{firsts:?}");
    }

    #[test]
    fn large_states_are_written_no_faster_than_the_rate() {
        let taken = run(16, 4_000_000, 640, true);
        let written: usize = taken.values().map(Vec::len).sum();
        // The first round is not limited: nothing is known of their sizes.
        let bytes = u64::try_from(written - 16).unwrap() * 4_000_000;
        assert!(bytes <= 640 * RATE + 64_000_000, "{bytes}");
        assert!(taken.values().all(|instants| instants.len() >= 8));
    }

    #[test]
    fn a_quiet_partition_is_written_again_once_a_minute() {
        let taken = run(1, 1000, 300, false);
        assert!((5..=6).contains(&taken[&0].len()), "{taken:?}");
    }

    #[test]
    fn no_more_than_two_are_under_way_and_one_that_failed_comes_again() {
        let mut cadence = Cadence::default();
        (0..4_u32).for_each(|key| cadence.take(key, key, at(0)));
        let mut order = || cadence.due(at(6000), |_| 1);
        let (first, second) = (order().unwrap(), order().unwrap());
        assert_eq!(order(), None);
        cadence.failed(first);
        cadence.lose(second);
        let next: Vec<u32> = std::iter::from_fn(|| cadence.due(at(6000), |_| 1)).collect();
        assert_eq!(next.len(), 2);
        for key in &next {
            cadence.written(*key, 1, 10);
        }
        let again = std::iter::from_fn(|| cadence.due(at(9000), |_| 2)).collect::<Vec<u32>>();
        assert!(again.contains(&first), "{again:?}");
    }
}
