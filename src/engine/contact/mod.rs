//! One contact: its facts, and their fold into what it contributes.
//!
//! What a contact contributes is a pure function of the *set* of its facts (`docs/events.md`), so
//! a duplicate, a late fact and a correction are one mechanism: keep the fact, fold again, post the
//! difference. The fold names every post of the contact's life, those still to come included ("if
//! nothing more comes"). Rejected: a state machine that is moved event by event; it cannot take
//! back, and each kind of disorder would be a path of its own.

mod fold;
mod identity;
mod image;
mod ordinary;
mod record;

#[cfg(test)]
mod lives;
#[cfg(test)]
mod ordinary_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

pub use fold::Scratch;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::names::{ClientNo, Names};
use super::room;
use super::timeline::Timeline;
use crate::event::{ContactEvent, Millis};
use ordinary::Ordinary;
use record::{Facts, Record};

/// What a contact leaves to the next one: few need more, and it would stay with it for ever.
const RECORDS_KEPT: usize = 12;
const BYTES_KEPT: usize = 512;
/// Room for their bytes is made by so many: an id is short, and a life has ten.
const BYTES: usize = 64;

/// The facts of one contact. Reusable: [`Contact::begin`] keeps the memory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contact {
    client: ClientNo,
    /// In the order in which they are folded.
    records: Vec<Record>,
    /// Ids, agents and rare numbers of the records.
    #[serde(with = "crate::engine::image::bytes")]
    bytes: Vec<u8>,
    /// The short way, as long as the life is an ordinary one.
    ordinary: Ordinary,
    /// The marks of all records, and maybe others. Not in a snapshot: then every bit is set.
    #[serde(skip, default = "every_mark")]
    marks: u64,
}

const fn every_mark() -> u64 {
    u64::MAX
}

impl Default for Contact {
    fn default() -> Self {
        Self {
            client: ClientNo(0),
            records: Vec::new(),
            bytes: Vec::new(),
            ordinary: Ordinary::default(),
            marks: 0,
        }
    }
}

/// What became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It comes after every fact known before.
    Appended,
    /// It has its place between them.
    Between,
    /// A fact of the same identity was known; this one is earlier and stands in its place.
    Replaced,
    /// A fact of the same identity stands; nothing changed.
    Duplicate,
}

impl Contact {
    /// Forgets everything and begins another contact of this client.
    pub fn begin(&mut self, client: ClientNo) {
        self.client = client;
        self.records.clear();
        self.records.shrink_to(RECORDS_KEPT);
        self.bytes.clear();
        self.bytes.shrink_to(BYTES_KEPT);
        self.ordinary = Ordinary::default();
        self.marks = 0;
    }

    /// How many facts are kept.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no fact is kept.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Keeps a fact, unless one of the same identity stands. "Of two facts of one identity the
    /// earlier by `time` stands, whichever arrived first."
    pub fn insert(&mut self, event: &ContactEvent<'_>, names: &mut Names) -> Inserted {
        let kept = self.bytes.len();
        let new = Record::new(event, names, &mut self.bytes);
        let facts = self.facts();
        let same = facts
            .records
            .iter()
            .rposition(|old| identity::same(facts, old, &new));
        if let Some(old) = same
            && facts.standing_order(&new, &facts.records[old], names) != Ordering::Less
        {
            self.bytes.truncate(kept);
            return Inserted::Duplicate;
        }
        self.ordinary.give_up();
        let facts = self.facts();
        let mark = identity::mark(facts, &new);
        let place = facts.place(&new);
        let appended = place == facts.records.len();
        self.marks |= mark;
        room::reserve(&mut self.records, 1);
        self.records.insert(place, new);
        if let Some(old) = same {
            let old = old + usize::from(place <= old);
            record::remove(&mut self.records, &mut self.bytes, old);
            return Inserted::Replaced;
        }
        if appended {
            Inserted::Appended
        } else {
            Inserted::Between
        }
    }

    /// Fills `out` with all that the contact contributes if nothing more comes. Depends on the set
    /// of facts alone.
    pub fn fold(&self, names: &mut Names, scratch: &mut Scratch, out: &mut Timeline) {
        out.clear();
        fold::fold(self.client, self.facts(), names, scratch, out);
    }

    /// Takes a fact the short way: one of an ordinary life that comes before no other, and before no
    /// post made so far (`made`). Fills `out` with what the fact adds up to `horizon`, not
    /// less than its time: nothing made so far is taken back. The first post beyond the horizon
    /// follows, for the next deadline. `false`, and nothing is changed, where the way is not short:
    /// fold, insert, fold again.
    pub fn step(
        &mut self,
        event: &ContactEvent<'_>,
        made: Millis,
        horizon: Millis,
        names: &mut Names,
        out: &mut Timeline,
    ) -> bool {
        if !self.ordinary.is_followed_by(event.time, made, names) {
            return false;
        }
        out.clear();
        let kept = self.bytes.len();
        let new = Record::new(event, names, &mut self.bytes);
        let facts = Facts {
            records: &self.records,
            bytes: &self.bytes,
        };
        let mark = identity::mark(facts, &new);
        let same = |old: &Record| identity::same(facts, old, &new);
        let known = self.marks & mark != 0 && facts.records.iter().any(same);
        debug_assert!(known || !facts.records.iter().any(same), "without its mark");
        if known || !self.ordinary.step(self.client, facts, &new, names, out) {
            self.bytes.truncate(kept);
            return false;
        }
        let place = facts.place(&new);
        self.marks |= mark;
        room::reserve(&mut self.records, 1);
        self.records.insert(place, new);
        self.ordinary.ahead(event.time, horizon, names, out);
        true
    }

    /// Fills `out` with what comes by time alone after `after`, not less than the time of the last
    /// fact: every post up to `horizon`, and at least the first beyond it. Posts up to `after` may
    /// be among them. Waiting, end and settlement are as [`Contact::fold`] tells them.
    pub fn ahead(
        &self,
        after: Millis,
        horizon: Millis,
        names: &mut Names,
        scratch: &mut Scratch,
        out: &mut Timeline,
    ) {
        if self.ordinary.is_ordinary() {
            out.clear();
            self.ordinary.ahead(after, horizon, names, out);
        } else {
            self.fold(names, scratch, out);
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            records: &self.records,
            bytes: &self.bytes,
        }
    }
}
