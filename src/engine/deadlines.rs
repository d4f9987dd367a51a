//! Deadlines: what happens by time alone. A binary heap of (stamp, entity) in which entries may be
//! out of date: a stale one wakes its entity for nothing, which is harmless, and saves removing. They
//! lie hours ahead (a contact in flight is swept after hours), so where they are most, all are dropped.
//!
//! Rejected: a list per channel and kind (design 3.4) needs every rung of every visit in a list of
//! its own; one entry an entity, rewritten when it wakes, has the same order and less to keep.

use crate::event::Millis;

/// Who is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sleeper {
    /// The contact in this slot.
    Contact(u32),
    /// The agent in this slot.
    Agent(u32),
    /// The memory of the agent in this slot: nothing that anybody sees happens.
    Memory(u32),
}

/// A min-heap of deadlines.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    heap: Vec<(Millis, Sleeper)>,
}

impl Deadlines {
    /// Adds a deadline.
    pub fn push(&mut self, stamp: Millis, sleeper: Sleeper) {
        self.heap.push((stamp, sleeper));
        self.sift_up(self.heap.len() - 1);
    }

    /// Takes the earliest deadline that is not after `now`.
    pub fn pop_due(&mut self, now: Millis) -> Option<(Millis, Sleeper)> {
        let earliest = *self.heap.first()?;
        if earliest.0 > now {
            return None;
        }
        let last = self.heap.pop()?;
        if let Some(root) = self.heap.first_mut() {
            *root = last;
            self.sift_down(0);
        }
        Some(earliest)
    }

    /// Every sleeper with a deadline not after `now`, each as often as it has one, in no order of
    /// note. Costs in proportion to what is due, not to what sleeps.
    pub fn due(&self, now: Millis, mut wake: impl FnMut(Millis, Sleeper)) {
        self.walk(0, now, &mut wake);
    }

    /// Has these instead, in any order.
    pub fn refill(&mut self, sleepers: impl Iterator<Item = (Millis, Sleeper)>) {
        self.heap.clear();
        self.heap.extend(sleepers);
        // What is in order is a heap.
        self.heap.sort_unstable();
        self.heap.shrink_to(2 * self.heap.len());
    }

    /// How many entries there are, stale ones included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    fn walk(&self, index: usize, now: Millis, wake: &mut impl FnMut(Millis, Sleeper)) {
        let Some(&(stamp, sleeper)) = self.heap.get(index) else {
            return;
        };
        if stamp > now {
            return;
        }
        wake(stamp, sleeper);
        self.walk(2 * index + 1, now, wake);
        self.walk(2 * index + 2, now, wake);
    }

    fn sift_up(&mut self, mut index: usize) {
        while index > 0 {
            let parent = (index - 1) / 2;
            if self.heap[parent] <= self.heap[index] {
                return;
            }
            self.heap.swap(parent, index);
            index = parent;
        }
    }

    fn sift_down(&mut self, mut index: usize) {
        loop {
            let mut least = index;
            for child in [2 * index + 1, 2 * index + 2] {
                if child < self.heap.len() && self.heap[child] < self.heap[least] {
                    least = child;
                }
            }
            if least == index {
                return;
            }
            self.heap.swap(least, index);
            index = least;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_only_when_due() {
        let mut deadlines = Deadlines::default();
        for (slot, stamp) in (0..).zip([50, 10, 40, 10, 30, 20]) {
            deadlines.push(Millis(stamp), Sleeper::Contact(slot));
        }
        let mut seen = Vec::new();
        deadlines.due(Millis(30), |stamp, _| seen.push(stamp.0));
        seen.sort_unstable();
        assert_eq!(seen, [10, 10, 20, 30]);
        let mut taken = Vec::new();
        while let Some((stamp, _)) = deadlines.pop_due(Millis(40)) {
            taken.push(stamp.0);
        }
        assert_eq!(taken, [10, 10, 20, 30, 40]);
        assert_eq!(deadlines.len(), 1);
    }
}
