//! Deadlines: what happens by time alone. A binary heap of (stamp, entity) in which entries may be
//! out of date: a stale one wakes its entity for nothing, which is harmless, and saves removing. They
//! lie hours ahead (a contact in flight is swept after hours), so where they are most, all are dropped.
//!
//! Rejected: a list per channel and kind (design 3.4) needs every rung of every visit in a list of
//! its own; one entry an entity, rewritten when it wakes, has the same order and less to keep.

use std::collections::BinaryHeap;

use crate::event::Millis;

/// Who is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sleeper {
    /// The contact in this slot.
    Contact(u32),
    /// The agent in this slot.
    Agent(u32),
    /// The memory of the agent in this slot: nothing that anybody sees happens.
    Memory(u32),
}

/// A deadline in one integer, so that comparing two takes no branch: stamp, kind of sleeper, slot,
/// all bits turned, so that the earliest is the largest.
fn entry(stamp: Millis, sleeper: Sleeper) -> i128 {
    let (kind, slot) = match sleeper {
        Sleeper::Contact(slot) => (0, slot),
        Sleeper::Agent(slot) => (1, slot),
        Sleeper::Memory(slot) => (2, slot),
    };
    !(i128::from(stamp.0) << 64 | kind << 32 | i128::from(slot))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "each part is as wide as that"
)]
fn parts(entry: i128) -> (Millis, Sleeper) {
    let slot = !entry as u32;
    let sleeper = match (!entry >> 32) as u32 {
        0 => Sleeper::Contact(slot),
        1 => Sleeper::Agent(slot),
        _ => Sleeper::Memory(slot),
    };
    (Millis((!entry >> 64) as i64), sleeper)
}

/// A heap of deadlines, the earliest on top.
#[derive(Clone, Debug, Default)]
pub struct Deadlines {
    heap: BinaryHeap<i128>,
}

impl Deadlines {
    /// Adds a deadline.
    pub fn push(&mut self, stamp: Millis, sleeper: Sleeper) {
        self.heap.push(entry(stamp, sleeper));
    }

    /// Takes the earliest deadline that is not after `now`.
    pub fn pop_due(&mut self, now: Millis) -> Option<(Millis, Sleeper)> {
        let earliest = parts(*self.heap.peek()?);
        if earliest.0 > now {
            return None;
        }
        self.heap.pop();
        Some(earliest)
    }

    /// Every sleeper with a deadline not after `now`, each as often as it has one, in no order of
    /// note. Costs in proportion to what is due, not to what sleeps.
    pub fn due(&self, now: Millis, mut wake: impl FnMut(Millis, Sleeper)) {
        self.walk(0, now, &mut wake);
    }

    /// Has these instead, in any order.
    pub fn refill(&mut self, sleepers: impl Iterator<Item = (Millis, Sleeper)>) {
        let mut entries = std::mem::take(&mut self.heap).into_vec();
        entries.clear();
        entries.extend(sleepers.map(|(stamp, sleeper)| entry(stamp, sleeper)));
        entries.shrink_to(2 * entries.len());
        self.heap = entries.into();
    }

    /// How many entries there are, stale ones included.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Whoever is below an entry is not earlier, and they are at 2i + 1 and 2i + 2. That is how the
    /// standard library lays its heap out, not what it promises: a test holds it.
    fn walk(&self, index: usize, now: Millis, wake: &mut impl FnMut(Millis, Sleeper)) {
        let Some(&entry) = self.heap.as_slice().get(index) else {
            return;
        };
        let (stamp, sleeper) = parts(entry);
        if stamp > now {
            return;
        }
        wake(stamp, sleeper);
        self.walk(2 * index + 1, now, wake);
        self.walk(2 * index + 2, now, wake);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    #[test]
    fn an_entry_keeps_its_parts_and_orders_by_them() {
        let mut all = Vec::new();
        for stamp in [i64::MIN, -1, 0, 1_767_603_600_000, i64::MAX] {
            for sleeper in [Sleeper::Contact, Sleeper::Agent, Sleeper::Memory] {
                for slot in [0, 1, u32::MAX] {
                    all.push((Millis(stamp), sleeper(slot)));
                }
            }
        }
        let entries: Vec<i128> = all.iter().map(|&(at, who)| entry(at, who)).collect();
        assert!(entries.is_sorted_by(|earlier, later| earlier > later));
        let kept: Vec<_> = entries.into_iter().map(parts).collect();
        assert_eq!(kept, all);
    }

    fn deadline() -> impl Strategy<Value = (Millis, Sleeper)> {
        let sleeper = prop_oneof![
            any::<u32>().prop_map(Sleeper::Contact),
            any::<u32>().prop_map(Sleeper::Agent),
            any::<u32>().prop_map(Sleeper::Memory),
        ];
        ((-50..50_i64).prop_map(Millis), sleeper)
    }

    fn in_order(deadlines: &[(Millis, Sleeper)]) -> Vec<(Millis, Sleeper)> {
        let mut sorted = deadlines.to_vec();
        sorted.sort_unstable_by_key(|&(stamp, sleeper)| !entry(stamp, sleeper));
        sorted
    }

    proptest! {
        /// Pushed, taken and filled anew in any order: who is due is who would be taken.
        #[test]
        fn who_is_due_is_who_would_be_taken(
            first in proptest::collection::vec(deadline(), 0..200),
            taken_at in -60..60_i64,
            second in proptest::collection::vec(deadline(), 0..200),
            anew: bool,
            now in -60..60_i64,
        ) {
            let mut deadlines = Deadlines::default();
            deadlines.refill(first.iter().copied());
            while deadlines.pop_due(Millis(taken_at)).is_some() {}
            let mut left = first;
            left.retain(|(stamp, _)| stamp.0 > taken_at);
            left.extend(&second);
            if anew {
                deadlines.refill(left.iter().copied());
            } else {
                for &(stamp, sleeper) in &second {
                    deadlines.push(stamp, sleeper);
                }
            }
            left.retain(|(stamp, _)| stamp.0 <= now);
            let mut due = Vec::new();
            deadlines.due(Millis(now), |stamp, sleeper| due.push((stamp, sleeper)));
            prop_assert_eq!(in_order(&due), in_order(&left));
            let taken: Vec<_> = std::iter::from_fn(|| deadlines.pop_due(Millis(now))).collect();
            prop_assert_eq!(taken, in_order(&left));
        }
    }
}
