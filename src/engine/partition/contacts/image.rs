//! The contacts of a partition in a snapshot, slot by slot.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Contact, Contacts, Slot};
use crate::engine::image::{Bounds, Fault, hold, stamp, stamp_or_none};
use crate::engine::prints::{Prints, PrintsImage};
use crate::engine::timeline::Waiting;
use crate::event::Millis;

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::engine::partition) struct ContactsImage<'a> {
    slots: Vec<Option<SlotImage<'a>>>,
    free: Cow<'a, [u32]>,
    prints: PrintsImage,
}

/// A slot that is in use, and the visit that waits in it.
#[derive(Debug, Serialize, Deserialize)]
struct SlotImage<'a> {
    contact: Cow<'a, Contact>,
    key: u64,
    made: Millis,
    arrived: Millis,
    wakes: Millis,
    waiting: Option<Waiting>,
}

impl Contacts {
    pub(in crate::engine::partition) fn image(&self) -> ContactsImage<'_> {
        let mut slots: Vec<Option<SlotImage<'_>>> = (0..)
            .zip(&self.slots)
            .map(|(number, slot)| {
                Some(SlotImage {
                    contact: Cow::Borrowed(&slot.contact),
                    key: slot.key,
                    made: slot.made,
                    arrived: slot.arrived,
                    wakes: slot.wakes,
                    waiting: self.waiting.of(number),
                })
            })
            .collect();
        for &free in &self.free {
            slots[free as usize] = None;
        }
        ContactsImage {
            slots,
            free: Cow::Borrowed(&self.free),
            prints: self.prints.image(),
        }
    }

    /// # Errors
    /// What is wrong with the image.
    pub(in crate::engine::partition) fn restore(
        image: ContactsImage<'_>,
        bounds: &Bounds,
    ) -> Result<Self, Fault> {
        let mut contacts = Self {
            prints: Prints::restore(image.prints)?,
            free: image.free.into_owned(),
            ..Self::default()
        };
        let mut waiting = Vec::new();
        for (number, slot) in (0..).zip(image.slots) {
            let slot = match slot {
                None => Slot::default(),
                Some(slot) => {
                    slot.check(bounds)?;
                    waiting.extend(slot.waiting.map(|waiting| (waiting, number)));
                    let known = contacts.by_key.insert(slot.key, number);
                    hold(known.is_none(), "a contact twice")?;
                    slot.into_slot()
                }
            };
            contacts.slots.push(slot);
        }
        contacts.check_free()?;
        // The newest last, as lists are filled from the back.
        waiting.sort_unstable_by_key(|(waiting, slot)| (waiting.entry, *slot));
        for (waiting, slot) in waiting {
            contacts.waiting.set(slot, Some(waiting));
        }
        Ok(contacts)
    }

    /// Every slot is either in use or free, and free once.
    fn check_free(&self) -> Result<(), Fault> {
        let mut used = vec![false; self.slots.len()];
        let wrong = "a free slot that is none";
        for &free in &self.free {
            let slot = used.get_mut(free as usize).ok_or(Fault(wrong))?;
            hold(!std::mem::replace(slot, true), wrong)?;
        }
        let held = self.by_key.len() + self.free.len();
        hold(held == self.slots.len(), "a slot that is lost")
    }

    /// Slots with a deadline, and when it is.
    pub(in crate::engine::partition) fn wakes(&self) -> impl Iterator<Item = (u32, Millis)> + '_ {
        let wakes = self.slots.iter().map(|slot| slot.wakes);
        (0..).zip(wakes).filter(|(_, wakes)| *wakes < Millis::MAX)
    }
}

impl SlotImage<'_> {
    fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        self.contact.check(bounds)?;
        for at in [self.made, self.arrived, self.wakes] {
            stamp_or_none(at)?;
        }
        let Some(waiting) = self.waiting else {
            return Ok(());
        };
        bounds.row(waiting.row)?;
        stamp(waiting.entry)?;
        stamp(waiting.until)
    }

    fn into_slot(self) -> Slot {
        Slot {
            contact: self.contact.into_owned(),
            key: self.key,
            made: self.made,
            arrived: self.arrived,
            wakes: self.wakes,
            viewed: 0,
            waits: self.waiting.is_some(),
        }
    }
}
