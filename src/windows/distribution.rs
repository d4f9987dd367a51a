//! Distributions: per queue a sorted list of buckets, each with a count per window.
//!
//! Changes are gathered while posts are absorbed and applied once per view; the blocks that frames
//! share are made anew only where something changed. (Rejected: a histogram per queue and window,
//! which takes 1.2 GiB at the largest size.)

use super::frame::Buckets;

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

/// Buckets of one queue and kind.
#[derive(Clone, Debug, Default)]
struct List {
    values: Vec<u32>,
    /// Values × windows.
    counts: Vec<i32>,
    /// Windows whose block is out of date.
    stale: u16,
}

/// The distributions of all queues of a worker.
#[derive(Clone, Debug)]
pub(super) struct Distributions {
    windows: usize,
    /// Queue × kind.
    lists: Vec<List>,
    stale: Vec<u32>,
    /// Window × (queue × kind).
    blocks: Vec<Vec<Buckets>>,
}

impl Distributions {
    pub(super) fn new(windows: usize) -> Self {
        Self {
            windows,
            lists: Vec::new(),
            stale: Vec::new(),
            blocks: vec![Vec::new(); windows],
        }
    }

    pub(super) fn fit(&mut self, queues: usize) {
        self.lists.resize_with(queues * 2, List::default);
        for blocks in &mut self.blocks {
            blocks.resize(queues * 2, None);
        }
    }

    pub(super) fn clear(&mut self) {
        for queue in 0..self.lists.len() / 2 {
            self.clear_windows(queue, u16::MAX);
        }
    }

    /// Adds to the count of a bucket in the windows of a mask.
    pub(super) fn add(&mut self, queue: usize, kind: Kind, bucket: u32, mask: u16, amount: i32) {
        if mask == 0 {
            return;
        }
        let place = queue * 2 + kind as usize;
        let list = &mut self.lists[place];
        if list.stale == 0 {
            self.stale.push(u32::try_from(place).unwrap_or(u32::MAX));
        }
        list.stale |= mask;
        let row = match list.values.binary_search(&bucket) {
            Ok(row) => row,
            Err(row) => {
                list.values.insert(row, bucket);
                let at = row * self.windows;
                list.counts
                    .splice(at..at, std::iter::repeat_n(0, self.windows));
                row
            }
        };
        let counts = &mut list.counts[row * self.windows..][..self.windows];
        for (window, count) in counts.iter_mut().enumerate() {
            if mask & (1 << window) != 0 {
                *count += amount;
            }
        }
    }

    /// Empties the windows of a mask at one queue.
    pub(super) fn clear_windows(&mut self, queue: usize, mask: u16) {
        for place in [queue * 2, queue * 2 + 1] {
            let list = &mut self.lists[place];
            if list.values.is_empty() {
                continue;
            }
            if list.stale == 0 {
                self.stale.push(u32::try_from(place).unwrap_or(u32::MAX));
            }
            list.stale |= mask;
            for counts in list.counts.chunks_exact_mut(self.windows) {
                for (window, count) in counts.iter_mut().enumerate() {
                    if mask & (1 << window) != 0 {
                        *count = 0;
                    }
                }
            }
        }
    }

    /// Makes the blocks that are out of date anew.
    pub(super) fn refresh(&mut self) {
        for place in std::mem::take(&mut self.stale) {
            let place = place as usize;
            let list = &mut self.lists[place];
            list.drop_empty(self.windows);
            let stale = std::mem::take(&mut list.stale);
            for window in (0..self.windows).filter(|window| stale & (1 << window) != 0) {
                self.blocks[window][place] = list.block(window, self.windows);
            }
        }
    }

    /// A window's blocks of one kind, by queue.
    pub(super) fn blocks(&self, window: usize, kind: Kind) -> impl Iterator<Item = &Buckets> + '_ {
        self.blocks[window].iter().skip(kind as usize).step_by(2)
    }
}

impl List {
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
    }

    fn block(&self, window: usize, windows: usize) -> Buckets {
        let counts = self.counts.iter().skip(window).step_by(windows);
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
