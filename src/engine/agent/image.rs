//! What is checked of an agent that was read from a snapshot.

use super::fact::{AgentFact, AtAgent, Change, Declared, Mark, Slots, Snapshot};
use super::{Agent, Checkpoint};
use crate::engine::image::{Bounds, Fault, span, stamp};
use crate::event::Millis;

impl Agent {
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        for Checkpoint { at, state } in [&self.base, &self.tip] {
            if *at != Millis::MIN {
                bounds.past(*at)?;
            }
            state.check(bounds)?;
        }
        self.history.check(bounds)
    }
}

impl Mark {
    pub(super) fn check(self) -> Result<(), Fault> {
        if self == Self::NONE {
            Ok(())
        } else {
            stamp(self.said())
        }
    }
}

impl AgentFact {
    pub(super) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        bounds.past(self.stamp)?;
        self.mark.check()?;
        bounds.client(self.client)?;
        match &self.change {
            Change::LoggedIn | Change::LoggedOut => Ok(()),
            Change::Presence(declared) => declared.check(bounds),
            Change::Queues(rows) => rows.iter().try_for_each(|&row| bounds.row(row)),
            Change::Slots(slots) => slots.check(bounds),
            Change::Contact(is, timer) => {
                timer.get().map_or(Ok(()), span)?;
                is.check(bounds)
            }
            Change::Snapshot(snapshot) => snapshot.check(bounds),
        }
    }
}

impl Snapshot {
    fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        self.declared
            .map_or(Ok(()), |declared| declared.check(bounds))?;
        let mut rows = self.queues.iter().flatten();
        rows.try_for_each(|&row| bounds.row(row))?;
        self.slots
            .as_ref()
            .map_or(Ok(()), |slots| slots.check(bounds))?;
        self.contacts.iter().flatten().try_for_each(|listed| {
            listed.is.check(bounds)?;
            bounds.client(listed.client)?;
            listed.since.map_or(Ok(()), stamp)
        })
    }
}

impl Declared {
    fn check(self, bounds: &Bounds) -> Result<(), Fault> {
        bounds.reason(self.reason)
    }
}

impl Slots {
    pub(super) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        let mut channels = self.by_channel.iter();
        channels.try_for_each(|&(channel, _)| bounds.channel(channel))
    }
}

impl AtAgent {
    fn check(self, bounds: &Bounds) -> Result<(), Fault> {
        bounds.row(self.row)
    }
}
