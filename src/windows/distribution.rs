//! Distributions: per queue sorted lists of buckets, each with a count per window.
//!
//! Changes are gathered while posts are absorbed and applied once per view; the blocks that frames
//! share are made anew only where something changed. Windows as long as a day have a list of their
//! own: they know ten times the buckets of the others, whose counts would be zeros. (Rejected: a
//! histogram per queue and window, which takes 1.2 GiB at the largest size.)

use super::frame::{Buckets, WindowKind, WindowSpec};
use crate::engine::room;

/// Which durations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Waits of answered visits.
    Wait = 0,
    /// Talk + hold of handled legs.
    Handle = 1,
}

/// Most windows that one worker can keep: one bit each.
pub(super) const WINDOWS_MAX: usize = 16;

/// Buckets of one queue and kind, for the windows of a group.
#[derive(Clone, Debug, Default)]
struct List {
    values: Vec<u32>,
    /// Values × windows of the group.
    counts: Vec<i32>,
}

/// What one queue has of a kind.
#[derive(Clone, Debug, Default)]
struct Place {
    /// By group.
    lists: [List; 2],
    /// Windows whose block is out of date.
    stale: u16,
}

/// The distributions of all queues of a worker.
#[derive(Clone, Debug)]
pub(super) struct Distributions {
    /// The windows of each group, short and long.
    groups: [Vec<usize>; 2],
    /// Queue × kind.
    places: Vec<Place>,
    stale: Vec<u32>,
    /// Window × (queue × kind).
    blocks: Vec<Vec<Buckets>>,
}

impl Distributions {
    pub(super) fn new(windows: &[WindowSpec]) -> Self {
        let is_long = |window: &usize| {
            let kind = windows[*window].kind;
            matches!(kind, WindowKind::Today | WindowKind::All)
        };
        let (long, short) = (0..windows.len()).partition(is_long);
        Self {
            groups: [short, long],
            places: Vec::new(),
            stale: Vec::new(),
            blocks: vec![Vec::new(); windows.len()],
        }
    }

    pub(super) fn fit(&mut self, queues: usize) {
        self.places.resize_with(queues * 2, Place::default);
        for blocks in &mut self.blocks {
            blocks.resize(queues * 2, None);
        }
    }

    pub(super) fn clear(&mut self) {
        for queue in 0..self.places.len() / 2 {
            self.clear_windows(queue, u16::MAX);
        }
    }

    /// Adds to the count of a bucket in the windows of a mask.
    pub(super) fn add(&mut self, queue: usize, kind: Kind, bucket: u32, mask: u16, amount: i32) {
        if mask == 0 {
            return;
        }
        let number = queue * 2 + kind as usize;
        let place = &mut self.places[number];
        if place.stale == 0 {
            self.stale.push(u32::try_from(number).unwrap_or(u32::MAX));
        }
        place.stale |= mask;
        for (list, group) in place.lists.iter_mut().zip(&self.groups) {
            let chosen = |window: &usize| mask & (1 << window) != 0;
            if group.iter().any(chosen) {
                let counts = list.counts_of(bucket, group.len());
                for (count, _) in counts.iter_mut().zip(group).filter(|(_, at)| chosen(at)) {
                    *count += amount;
                }
            }
        }
    }

    /// Empties the windows of a mask at one queue.
    pub(super) fn clear_windows(&mut self, queue: usize, mask: u16) {
        for number in [queue * 2, queue * 2 + 1] {
            let place = &mut self.places[number];
            if place.lists.iter().all(|list| list.values.is_empty()) {
                continue;
            }
            if place.stale == 0 {
                self.stale.push(u32::try_from(number).unwrap_or(u32::MAX));
            }
            place.stale |= mask;
            for (list, group) in place.lists.iter_mut().zip(&self.groups) {
                let windows = group.iter().cycle();
                for (count, window) in list.counts.iter_mut().zip(windows) {
                    if mask & (1 << window) != 0 {
                        *count = 0;
                    }
                }
            }
        }
    }

    /// Makes the blocks that are out of date anew.
    pub(super) fn refresh(&mut self) {
        for number in std::mem::take(&mut self.stale) {
            let number = number as usize;
            let place = &mut self.places[number];
            let stale = std::mem::take(&mut place.stale);
            for (list, group) in place.lists.iter_mut().zip(&self.groups) {
                list.drop_empty(group.len());
                for (column, &window) in group.iter().enumerate() {
                    if stale & (1 << window) != 0 {
                        self.blocks[window][number] = list.block(column, group.len());
                    }
                }
            }
        }
    }

    /// A window's blocks of one kind, by queue.
    pub(super) fn blocks(&self, window: usize, kind: Kind) -> impl Iterator<Item = &Buckets> + '_ {
        self.blocks[window].iter().skip(kind as usize).step_by(2)
    }
}

impl List {
    /// The counts of a bucket by window of the group.
    fn counts_of(&mut self, bucket: u32, windows: usize) -> &mut [i32] {
        let row = match self.values.binary_search(&bucket) {
            Ok(row) => row,
            Err(row) => {
                room::reserve(&mut self.values, 1);
                self.values.insert(row, bucket);
                room::reserve(&mut self.counts, windows);
                let at = row * windows;
                let zeros = std::iter::repeat_n(0, windows);
                self.counts.splice(at..at, zeros);
                row
            }
        };
        &mut self.counts[row * windows..][..windows]
    }

    fn drop_empty(&mut self, windows: usize) {
        let mut kept = 0;
        for row in 0..self.values.len() {
            let counts = row * windows..(row + 1) * windows;
            if self.counts[counts.clone()].iter().any(|&count| count != 0) {
                self.values[kept] = self.values[row];
                self.counts.copy_within(counts, kept * windows);
                kept += 1;
            }
        }
        self.values.truncate(kept);
        self.counts.truncate(kept * windows);
        room::trim(&mut self.values);
        room::trim(&mut self.counts);
    }

    fn block(&self, column: usize, windows: usize) -> Buckets {
        let counts = self.counts.iter().skip(column).step_by(windows);
        let count = |count: i32| u32::try_from(count).unwrap_or_default();
        let filled = || {
            let pairs = self.values.iter().zip(counts.clone());
            pairs.filter(|(_, count)| **count > 0)
        };
        let len = filled().count();
        if len == 0 {
            return None;
        }
        Some(filled().map(|(&value, &n)| (value, count(n))).collect())
    }
}
