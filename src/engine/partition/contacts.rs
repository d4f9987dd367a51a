//! The contacts of a partition: who is held, who waits, who was settled.

mod image;

pub(super) use image::ContactsImage;

use std::collections::HashMap;

use super::Core;
use crate::engine::contact::{Contact, Inserted, Scratch};
use crate::engine::deadlines::Sleeper;
use crate::engine::difference::difference;
use crate::engine::facts::{Count, Fact, Post};
use crate::engine::names::{ChannelNo, ClientNo, Names, QueueIdNo, RowNo};
use crate::engine::prints::{HashedKey, Prints};
use crate::engine::room;
use crate::engine::timeline::{Oddities, Timeline};
use crate::engine::waiting::WaitingLists;
use crate::event::{ContactEvent, ContactKind, Correction, Discard, Millis};

/// The most facts of one contact. Folding costs more with every fact, so without an end one contact
/// could hold up its partition; no true one has a tenth as many.
const FACTS_MAX: usize = 500;

/// A contact in flight, or settled less than `settle_after` ago.
#[derive(Clone, Debug, Default)]
struct Slot {
    contact: Contact,
    key: u64,
    /// Posts up to here have been made.
    made: Millis,
    /// Stream time at which its last fact arrived.
    arrived: Millis,
    /// Its earliest entry among the deadlines.
    wakes: Millis,
    /// The last view that it was in.
    viewed: u64,
    /// It is in a waiting list.
    waits: bool,
}

/// The contacts of one partition. Slots of settled contacts are used again, with their memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Contacts {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_key: HashMap<u64, u32, HashedKey>,
    prints: Prints,
    waiting: WaitingLists,
    view: u64,
    folds: Folds,
}

/// Memory that folding fills again and again.
#[derive(Clone, Debug, Default)]
struct Folds {
    scratch: Scratch,
    before: Timeline,
    after: Timeline,
    /// The posts of `before` and `after` that are in force.
    were: Vec<Post>,
    are: Vec<Post>,
    changes: Vec<Post>,
}

impl Folds {
    /// What the timeline after has and the one before, up to `made`, had not, and the opposite.
    fn differ(&mut self, made: Millis, stream: Millis) {
        let Self {
            before,
            after,
            were,
            are,
            changes,
            ..
        } = self;
        were.clear();
        were.extend(before.posts.iter().filter(|post| post.stamp <= made));
        are.clear();
        are.extend(after.posts.iter().filter(|post| post.stamp <= stream));
        changes.clear();
        difference(were, are, changes);
    }
}

impl Contacts {
    pub(super) fn apply(
        &mut self,
        event: &ContactEvent<'_>,
        core: &mut Core,
    ) -> Result<(), Discard> {
        if let ContactKind::Rated | ContactKind::Complained | ContactKind::Resolved = event.kind {
            return self.apply_standalone(event, core);
        }
        let key = core
            .ids
            .of_client(core.ids.of(&event.client_id), &event.contact_id);
        let slot = match self.by_key.get(&key) {
            Some(&slot) => slot,
            None => self.admit(key, event, core)?,
        };
        let Self { slots, folds, .. } = self;
        let held = &mut slots[slot as usize];
        if held.contact.len() >= FACTS_MAX {
            return Err(Discard::TooManyFacts);
        }
        core.note_late(event.time);
        let (stream, names, after) = (core.stream, &mut core.names, &mut folds.after);
        if held.contact.step(event, held.made, stream, names, after) {
            core.make_due(&folds.after.posts, Millis::MIN);
            held.made = stream;
            held.arrived = stream;
            self.sleep(slot, core);
            return Ok(());
        }
        self.refold(slot, event, core)
    }

    /// Inserts a fact where it belongs and posts the difference that it makes.
    fn refold(
        &mut self,
        slot: u32,
        event: &ContactEvent<'_>,
        core: &mut Core,
    ) -> Result<(), Discard> {
        let Self { slots, folds, .. } = self;
        let held = &mut slots[slot as usize];
        held.contact
            .fold(&mut core.names, &mut folds.scratch, &mut folds.before);
        let inserted = held.contact.insert(event, &mut core.names);
        if inserted == Inserted::Duplicate {
            return Err(Discard::Duplicate);
        }
        held.contact
            .fold(&mut core.names, &mut folds.scratch, &mut folds.after);
        held.arrived = core.stream;
        let made = std::mem::replace(&mut held.made, core.stream);
        folds.differ(made, core.stream);
        core.ledger.change(&folds.changes, &core.names);
        self.sleep(slot, core);
        // Of two facts of one identity the earlier stands; the other is a duplicate all the same.
        if inserted == Inserted::Replaced {
            Err(Discard::Duplicate)
        } else {
            Ok(())
        }
    }

    /// Takes a contact that is not held; refuses what is settled or too old.
    fn admit(
        &mut self,
        key: u64,
        event: &ContactEvent<'_>,
        core: &mut Core,
    ) -> Result<u32, Discard> {
        let retain = core.names.settings().retain;
        if self.prints.contains(key, core.stream, retain) {
            return Err(Discard::LateDuplicate);
        }
        if event.time < core.stream - retain {
            return Err(Discard::TooLate);
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            room::reserve(&mut self.slots, 1);
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let held = &mut self.slots[slot as usize];
        let client = core.names.clients.number(&event.client_id);
        held.contact.begin(ClientNo(client));
        held.key = key;
        held.made = Millis::MIN;
        held.wakes = Millis::MAX;
        self.by_key.insert(key, slot);
        Ok(slot)
    }

    /// A fact that may come hours later by its nature: it stands alone and counts at its queue.
    fn apply_standalone(
        &mut self,
        event: &ContactEvent<'_>,
        core: &mut Core,
    ) -> Result<(), Discard> {
        let retain = core.names.settings().retain;
        let print = core.ids.of(&event.id);
        if self.prints.contains(print, core.stream, retain) {
            return Err(Discard::Duplicate);
        }
        // Its print may be gone, so it may have counted before.
        if event.time < core.stream - retain {
            return Err(Discard::TooLate);
        }
        self.prints.add(print, core.stream, core.stream, retain);
        core.note_late(event.time);
        let Some(queue) = &event.queue_id else {
            core.note(Correction::NoEffect, 1);
            return Ok(());
        };
        let client = ClientNo(core.names.clients.number(&event.client_id));
        let queue = QueueIdNo(core.names.queues.number(queue));
        let channel = event.channel.as_deref().unwrap_or("voice");
        let channel = ChannelNo(core.names.channels.number(channel));
        let row = core.names.row(client, Some(queue), channel);
        let count = match event.kind {
            ContactKind::Rated => Count::Rated,
            ContactKind::Complained => Count::Complained,
            _ => Count::Resolved,
        };
        let post = Post {
            stamp: event.time,
            fact: Fact::Count(row, count),
            sign: 1,
        };
        core.ledger.make(&post, &core.names);
        Ok(())
    }

    /// Executes what is due of a contact, if the entry that wakes it is not out of date.
    pub(super) fn wake(&mut self, slot: u32, stamp: Millis, core: &mut Core) {
        let Self { slots, folds, .. } = self;
        let held = &mut slots[slot as usize];
        if held.wakes != stamp {
            return;
        }
        held.wakes = Millis::MAX;
        let (made, stream) = (held.made, core.stream);
        held.made = stream;
        let Folds { scratch, after, .. } = folds;
        held.contact
            .ahead(made, stream, &mut core.names, scratch, after);
        core.make_due(&folds.after.posts, made);
        self.sleep(slot, core);
    }

    /// Puts the contact among those who wait, and sets its next deadline; settles it when it is
    /// time, but never before its last post.
    fn sleep(&mut self, slot: u32, core: &mut Core) {
        let timeline = &self.folds.after;
        let waiting = timeline
            .waiting
            .filter(|waiting| waiting.until > core.stream);
        let held = &mut self.slots[slot as usize];
        if held.waits || waiting.is_some() {
            held.waits = waiting.is_some();
            self.waiting.set(slot, waiting);
        }
        let settle_after = core.names.settings().settle_after;
        let settles = timeline.end.max(held.arrived) + settle_after + timeline.settle_later;
        let mut next = timeline.next_after(core.stream);
        if settles > core.stream {
            next = next.min(settles);
        } else if next == Millis::MAX {
            return self.settle(slot, settles, core);
        }
        core.sleep(Sleeper::Contact(slot), next, &mut held.wakes);
    }

    /// From here on only the print of the contact is left.
    fn settle(&mut self, slot: u32, stamp: Millis, core: &mut Core) {
        let Oddities {
            negative_durations,
            conflicts,
            orphans,
            no_effect,
            swept,
        } = self.folds.after.odd;
        core.note(Correction::NegativeDuration, negative_durations);
        core.note(Correction::Conflict, conflicts);
        core.note(Correction::Orphan, orphans);
        core.note(Correction::NoEffect, no_effect);
        core.note(Correction::Swept, u32::from(swept));
        let held = &mut self.slots[slot as usize];
        held.wakes = Millis::MAX;
        self.by_key.remove(&held.key);
        self.prints
            .add(held.key, stamp, core.stream, core.names.settings().retain);
        self.free.push(slot);
        // The next ones take the slots freed last, with their memory; after a rush that is too much.
        // Two each time: the edge between them moves by so many at the most.
        let edge = self.free.len().saturating_sub(self.by_key.len() / 8);
        for &long_free in &self.free[edge.saturating_sub(2)..edge] {
            self.slots[long_free as usize].contact = Contact::default();
        }
    }

    /// Begins another view: nobody was in it yet.
    pub(super) fn begin_view(&mut self) {
        self.view += 1;
    }

    /// Appends what is due of a contact by `now`, once a view however often it is asked: a contact
    /// can have several entries of one stamp among the deadlines.
    pub(super) fn due(&mut self, slot: u32, now: Millis, names: &mut Names, out: &mut Vec<Post>) {
        let Self {
            slots, folds, view, ..
        } = self;
        let held = &mut slots[slot as usize];
        if held.wakes > now || std::mem::replace(&mut held.viewed, *view) == *view {
            return;
        }
        let Folds { scratch, after, .. } = folds;
        held.contact.ahead(held.made, now, names, scratch, after);
        let due = |post: &&Post| post.stamp > held.made && post.stamp <= now;
        out.extend(folds.after.posts.iter().filter(due));
    }

    pub(super) fn oldest(&self, row: RowNo, now: Millis) -> Option<Millis> {
        self.waiting.oldest(row, now)
    }

    pub(super) fn held(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn prints(&self) -> usize {
        self.prints.len()
    }
}
