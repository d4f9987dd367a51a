//! What is remembered of facts that are gone: by contact, how new the newest of them was. In 12 bytes
//! each, for an agent has some seventy contacts in `retain`.

use serde::{Deserialize, Serialize};

use super::fact::Mark;
use crate::engine::image::Fault;
use crate::engine::room;
use crate::event::{Millis, Span};

/// As long as anything is remembered at the most: what a mark is above another one within this span
/// fits in 32 bits.
pub(super) const LONGEST: Span = Span::hours(72);

/// Contacts and marks, oldest memory first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Gone {
    /// No mark is below this one.
    begin: Mark,
    list: Vec<Entry>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    /// The two halves of the contact, which is a hash: so an entry needs no padding.
    contact: [u32; 2],
    /// By how much its mark is above `begin`.
    above: u32,
}

impl Gone {
    pub(super) fn check(&self) -> Result<(), Fault> {
        self.begin.check()
    }

    /// How many contacts are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Forgets what was said before an instant. It is not more than [`LONGEST`] before anything that
    /// will be remembered.
    pub(super) fn forget_before(&mut self, oldest: Millis) {
        let begin = Mark::new(oldest, 0);
        let before = std::mem::replace(&mut self.begin, begin);
        self.list.retain_mut(|entry| {
            let above = before.plus(entry.above).above(begin);
            entry.above = above.unwrap_or_default();
            above.is_some()
        });
        room::trim(&mut self.list);
    }

    /// Remembers a contact, unless the mark is of before what is remembered at all.
    pub(super) fn remember(&mut self, contact: u64, mark: Mark) {
        let Some(above) = mark.above(self.begin) else {
            return;
        };
        let contact = halves(contact);
        if let Some(known) = self.list.iter_mut().find(|known| known.contact == contact) {
            known.above = above.max(known.above);
        } else {
            room::reserve(&mut self.list, 1);
            self.list.push(Entry { contact, above });
        }
    }

    /// The newest mark of a contact.
    pub(super) fn newest_of(&self, contact: u64) -> Option<Mark> {
        let contact = halves(contact);
        let known = self.list.iter().find(|known| known.contact == contact)?;
        Some(self.begin.plus(known.above))
    }
}

/// The upper and the lower half.
#[expect(clippy::cast_possible_truncation, reason = "both halves are kept")]
const fn halves(contact: u64) -> [u32; 2] {
    [(contact >> 32) as u32, contact as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_mark_of_a_contact_is_kept_as_long_as_it_is_asked_for() {
        let now = Millis(1_767_603_600_000);
        let (one, other) = (u64::MAX - 1, u64::MAX << 32);
        let mut gone = Gone::default();
        gone.forget_before(now - LONGEST);
        gone.remember(one, Mark::new(now, 15));
        gone.remember(one, Mark::new(now - Span(1), 3));
        gone.remember(other, Mark::new(now - LONGEST, 0));
        gone.remember(7, Mark::new(now - LONGEST - Span(1), 0));
        assert_eq!(gone.newest_of(one), Some(Mark::new(now, 15)));
        assert_eq!(gone.newest_of(other), Some(Mark::new(now - LONGEST, 0)));
        assert_eq!((gone.newest_of(7), gone.len()), (None, 2));
        gone.forget_before(now);
        assert_eq!(gone.newest_of(one), Some(Mark::new(now, 15)));
        assert_eq!((gone.newest_of(other), gone.len()), (None, 1));
        assert_eq!(size_of::<Entry>(), 12);
    }
}
