//! Who waits: per row a list of waiting contacts, oldest first, linked through their slots.

use crate::event::Millis;

use super::names::RowNo;
use super::room;
use super::timeline::Waiting;

/// "No slot".
const NONE: u32 = u32::MAX;

/// A contact's place in its row's list.
#[derive(Clone, Copy, Debug)]
struct Link {
    waiting: Option<Waiting>,
    before: u32,
    after: u32,
}

const UNLINKED: Link = Link {
    waiting: None,
    before: NONE,
    after: NONE,
};

/// The lists of one partition.
#[derive(Clone, Debug, Default)]
pub struct WaitingLists {
    links: Vec<Link>,
    /// By row: first and last slot.
    ends: Vec<(u32, u32)>,
}

impl WaitingLists {
    /// Puts the contact of a slot where it belongs now; out of every list for `None`.
    pub fn set(&mut self, slot: u32, waiting: Option<Waiting>) {
        if self.links.len() <= slot as usize {
            room::resize(&mut self.links, slot as usize + 1, UNLINKED);
        }
        let old = self.links[slot as usize].waiting;
        if old == waiting {
            return;
        }
        if let (Some(old), Some(new)) = (old, waiting)
            && (old.row, old.entry) == (new.row, new.entry)
        {
            self.links[slot as usize].waiting = waiting;
            return;
        }
        if let Some(old) = old {
            self.unlink(slot, old.row);
        }
        if let Some(waiting) = waiting {
            self.link(slot, waiting);
        }
    }

    /// What waits in a slot.
    pub fn of(&self, slot: u32) -> Option<Waiting> {
        self.links.get(slot as usize)?.waiting
    }

    /// Entry of the visit that has waited longest in a row and is not swept by `now`.
    pub fn oldest(&self, row: RowNo, now: Millis) -> Option<Millis> {
        let mut slot = self.ends.get(row.index()).map_or(NONE, |ends| ends.0);
        while slot != NONE {
            let link = &self.links[slot as usize];
            if let Some(waiting) = link.waiting.filter(|waiting| waiting.until > now) {
                return Some(waiting.entry);
            }
            slot = link.after;
        }
        None
    }

    fn unlink(&mut self, slot: u32, row: RowNo) {
        let Link { before, after, .. } = self.links[slot as usize];
        let ends = &mut self.ends[row.index()];
        if before == NONE {
            ends.0 = after;
        } else {
            self.links[before as usize].after = after;
        }
        if after == NONE {
            ends.1 = before;
        } else {
            self.links[after as usize].before = before;
        }
        self.links[slot as usize] = UNLINKED;
    }

    /// Inserts from the back: nearly every visit is the newest.
    fn link(&mut self, slot: u32, waiting: Waiting) {
        if self.ends.len() <= waiting.row.index() {
            room::resize(&mut self.ends, waiting.row.index() + 1, (NONE, NONE));
        }
        let (first, last) = self.ends[waiting.row.index()];
        let mut before = last;
        while before != NONE && self.entry(before) > waiting.entry {
            before = self.links[before as usize].before;
        }
        let after = if before == NONE {
            first
        } else {
            self.links[before as usize].after
        };
        self.links[slot as usize] = Link {
            waiting: Some(waiting),
            before,
            after,
        };
        if before == NONE {
            self.ends[waiting.row.index()].0 = slot;
        } else {
            self.links[before as usize].after = slot;
        }
        if after == NONE {
            self.ends[waiting.row.index()].1 = slot;
        } else {
            self.links[after as usize].before = slot;
        }
    }

    fn entry(&self, slot: u32) -> Millis {
        self.links[slot as usize]
            .waiting
            .map_or(Millis::MIN, |waiting| waiting.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "what `set` takes")]
    fn waiting(row: u32, entry: i64, until: i64) -> Option<Waiting> {
        Some(Waiting {
            row: RowNo(row),
            entry: Millis(entry),
            until: Millis(until),
        })
    }

    #[test]
    fn the_oldest_is_found_whatever_the_order_of_coming_and_leaving() {
        let mut lists = WaitingLists::default();
        lists.set(0, waiting(1, 30, 1000));
        lists.set(1, waiting(1, 10, 1000));
        lists.set(2, waiting(1, 20, 1000));
        lists.set(3, waiting(0, 5, 1000));
        assert_eq!(lists.oldest(RowNo(1), Millis(100)), Some(Millis(10)));
        lists.set(1, None);
        assert_eq!(lists.oldest(RowNo(1), Millis(100)), Some(Millis(20)));
        lists.set(2, waiting(0, 20, 1000));
        assert_eq!(lists.oldest(RowNo(1), Millis(100)), Some(Millis(30)));
        assert_eq!(lists.oldest(RowNo(0), Millis(100)), Some(Millis(5)));
        lists.set(0, None);
        assert_eq!(lists.oldest(RowNo(1), Millis(100)), None);
    }

    #[test]
    fn who_is_swept_later_after_all_keeps_his_place() {
        let mut lists = WaitingLists::default();
        lists.set(0, waiting(0, 10, 50));
        lists.set(1, waiting(0, 20, 90));
        lists.set(0, waiting(0, 10, 100));
        assert_eq!(lists.of(0), waiting(0, 10, 100));
        assert_eq!(lists.oldest(RowNo(0), Millis(60)), Some(Millis(10)));
        lists.set(0, None);
        assert_eq!(lists.oldest(RowNo(0), Millis(60)), Some(Millis(20)));
    }

    #[test]
    fn who_is_swept_by_now_does_not_wait() {
        let mut lists = WaitingLists::default();
        lists.set(0, waiting(0, 10, 50));
        lists.set(1, waiting(0, 20, 90));
        assert_eq!(lists.oldest(RowNo(0), Millis(49)), Some(Millis(10)));
        assert_eq!(lists.oldest(RowNo(0), Millis(50)), Some(Millis(20)));
        assert_eq!(lists.oldest(RowNo(0), Millis(90)), None);
        assert_eq!(lists.oldest(RowNo(7), Millis(0)), None);
    }
}
