//! Distributions: per queue and window the buckets of its durations, sorted, each with its count.
//!
//! The blocks that frames share are all there is. Changes are gathered while posts are absorbed, and
//! merged into the blocks once per view, sorted by queue; only blocks that change are made anew.
//! (Rejected: a histogram per queue and window, which takes 1.2 GiB at the largest size; a list of
//! counts by window per queue beside the blocks, which held everything twice.)

use super::frame::Buckets;
use crate::engine::histogram::{Bucket, BucketCount};

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

/// With so many changes gathered they are applied, whether a view is made or not.
pub(super) const GATHERED_MAX: usize = 1 << 18;

/// By how much a bucket's count changes in the windows of a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Amount {
    /// Queue × kind.
    place: u32,
    bucket: Bucket,
    mask: u16,
    by: i32,
}

/// The distributions of all queues of a worker.
#[derive(Clone, Debug)]
pub(super) struct Distributions {
    /// What is gathered; the first so many of it are owed.
    changes: Vec<Amount>,
    owed: usize,
    /// Window × (queue × kind).
    blocks: Vec<Vec<Buckets>>,
}

impl Distributions {
    pub(super) fn new(windows: usize) -> Self {
        Self {
            changes: Vec::new(),
            owed: 0,
            blocks: vec![Vec::new(); windows],
        }
    }

    pub(super) fn fit(&mut self, queues: usize) {
        for blocks in &mut self.blocks {
            blocks.resize(queues * 2, None);
        }
    }

    pub(super) fn clear(&mut self) {
        self.changes.clear();
        self.owed = 0;
        self.blocks.iter_mut().for_each(|blocks| blocks.fill(None));
    }

    /// Adds to the count of a bucket in the windows of a mask.
    pub(super) fn add(&mut self, queue: usize, kind: Kind, bucket: Bucket, mask: u16, amount: i32) {
        if mask == 0 {
            return;
        }
        self.changes.push(Amount {
            place: u32::try_from(queue * 2 + kind as usize).unwrap_or(u32::MAX),
            bucket,
            mask,
            by: amount,
        });
        if self.changes.len() - self.owed >= GATHERED_MAX {
            self.refresh();
        }
    }

    /// Empties a window at the queues that are chosen.
    pub(super) fn clear_window(&mut self, window: usize, is_chosen: impl Fn(usize) -> bool) {
        self.refresh();
        for change in &mut self.changes {
            if is_chosen(change.place as usize / 2) {
                change.mask &= !(1 << window);
            }
        }
        self.changes.retain(|change| change.mask != 0);
        self.owed = self.changes.len();
        for (place, block) in self.blocks[window].iter_mut().enumerate() {
            if is_chosen(place / 2) {
                *block = None;
            }
        }
    }

    /// Merges what was gathered into the blocks. A count never shows less than nothing: what is
    /// missing is gathered again, and taken off what comes later.
    pub(super) fn refresh(&mut self) {
        let mut changes = std::mem::take(&mut self.changes);
        changes.sort_unstable();
        let mut merged = Vec::new();
        for of_place in changes.chunk_by(|one, next| one.place == next.place) {
            let place = of_place[0].place as usize;
            let masks = of_place.iter().fold(0, |all, change| all | change.mask);
            for (window, blocks) in self.blocks.iter_mut().enumerate() {
                let mask = 1 << window;
                if masks & mask == 0 {
                    continue;
                }
                if let Some(block) = blocks.get_mut(place) {
                    let known = block.as_deref().unwrap_or_default();
                    merge(known, of_place, mask, &mut merged, &mut self.changes);
                    *block = (!merged.is_empty()).then(|| merged.as_slice().into());
                }
            }
        }
        self.owed = self.changes.len();
        if self.owed == 0 {
            changes.clear();
            self.changes = changes;
        }
    }

    /// A window's blocks of one kind, by queue.
    pub(super) fn blocks(&self, window: usize, kind: Kind) -> impl Iterator<Item = &Buckets> + '_ {
        self.blocks[window].iter().skip(kind as usize).step_by(2)
    }
}

/// Fills `merged` with a window's block and what of the changes, sorted, is for it; what would be less
/// than nothing is added to `owed`.
fn merge(
    mut block: &[BucketCount],
    changes: &[Amount],
    mask: u16,
    merged: &mut Vec<BucketCount>,
    owed: &mut Vec<Amount>,
) {
    merged.clear();
    for same in changes.chunk_by(|one, next| one.bucket == next.bucket) {
        let bucket = same[0].bucket;
        let own = same.iter().filter(|change| change.mask & mask != 0);
        let amount: i64 = own.map(|change| i64::from(change.by)).sum();
        let (before, rest) = block.split_at(block.partition_point(|known| known.bucket < bucket));
        let known = rest.iter().take_while(|known| known.bucket == bucket);
        let (count, entries) = known.fold((amount, 0), |(count, entries), known| {
            (count + known.count(), entries + 1)
        });
        merged.extend_from_slice(before);
        BucketCount::push(merged, bucket, count.max(0));
        if let Ok(by @ ..0) = i32::try_from(count) {
            owed.push(Amount {
                mask,
                by,
                ..same[0]
            });
        }
        block = &rest[entries..];
    }
    merged.extend_from_slice(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Span;

    fn shown(distributions: &Distributions, window: usize) -> Vec<(u32, i64)> {
        let blocks = distributions.blocks(window, Kind::Wait).flatten();
        let whole = blocks.flat_map(|block| BucketCount::whole(block));
        whole
            .map(|(bucket, count)| (bucket.lowest(), count))
            .collect()
    }

    #[test]
    fn changes_are_merged_into_the_windows_that_they_are_for() {
        let mut distributions = Distributions::new(2);
        distributions.fit(1);
        let bucket = |ms| Bucket::of(Span(ms));
        let mut add = |ms, mask, amount| distributions.add(0, Kind::Wait, bucket(ms), mask, amount);
        add(7, 0b11, 1);
        add(3, 0b01, 2);
        add(7, 0b10, 70_000);
        distributions.refresh();
        assert_eq!(shown(&distributions, 0), [(3, 2), (7, 1)]);
        assert_eq!(shown(&distributions, 1), [(7, 70_001)]);
        distributions.add(0, Kind::Wait, bucket(3), 0b01, -2);
        distributions.add(0, Kind::Wait, bucket(5), 0b01, 1);
        distributions.clear_window(1, |queue| queue == 0);
        assert_eq!(shown(&distributions, 0), [(5, 1), (7, 1)]);
        assert_eq!(shown(&distributions, 1), []);
    }

    #[test]
    fn what_is_taken_off_before_it_comes_is_owed() {
        let mut distributions = Distributions::new(1);
        distributions.fit(1);
        let bucket = Bucket::of(Span(9));
        for (amount, expected) in [(-2, vec![]), (1, vec![]), (4, vec![(9, 3)])] {
            distributions.add(0, Kind::Wait, bucket, 1, amount);
            distributions.refresh();
            assert_eq!(shown(&distributions, 0), expected);
        }
        distributions.add(0, Kind::Wait, bucket, 1, -5);
        distributions.clear_window(0, |_| true);
        distributions.add(0, Kind::Wait, bucket, 1, 1);
        distributions.refresh();
        assert_eq!(shown(&distributions, 0), [(9, 1)]);
    }
}
