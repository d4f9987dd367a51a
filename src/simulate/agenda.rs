//! What is going to happen, in order of time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::event::Millis;

/// Something that happens by time alone. A `mark` that no longer fits its subject makes it void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    /// The next contact arrives.
    Arrive,
    /// The hour, spikes and outages change how much arrives.
    Weather,
    /// A callback is due on a queue; `previous` asked for it.
    CallbackDue { queue: u32, previous: u32 },
    /// Ringing ends one way or another.
    RingEnd { contact: u32, mark: u32 },
    /// The customer's patience ends.
    GiveUp { contact: u32, mark: u32 },
    /// The queue sends the contact elsewhere.
    Divert { contact: u32, mark: u32 },
    /// The agent puts the contact on hold.
    HoldStart { contact: u32, mark: u32 },
    /// The hold is over.
    HoldEnd { contact: u32, mark: u32 },
    /// The conversation is over.
    TalkEnd { contact: u32, mark: u32 },
    /// After-contact work is over.
    WrapEnd { contact: u32, mark: u32 },
    /// The contact arrives in the queue that it was sent to.
    Requeue { contact: u32, queue: u32 },
    /// The agent comes to work.
    ShiftStart { agent: u32 },
    /// The agent goes home.
    ShiftEnd { agent: u32 },
    /// The agent takes a break.
    BreakStart { agent: u32, mark: u32 },
    /// The agent is back: from a break, or after missing a contact.
    Back { agent: u32, mark: u32 },
    /// The agent's connection is lost.
    Drop { agent: u32, mark: u32 },
    /// The agent's connection is there again.
    Reconnect { agent: u32, mark: u32 },
    /// The agent's whole state is told.
    Heartbeat { agent: u32, mark: u32 },
}

/// The actions to come. Of one instant, those agreed on first come first.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(i64, u64, Action)>>,
    serial: u64,
}

impl Agenda {
    pub(super) fn at(&mut self, time: Millis, action: Action) {
        self.serial += 1;
        self.heap.push(Reverse((time.0, self.serial, action)));
    }

    pub(super) fn next(&mut self) -> Option<(Millis, Action)> {
        let Reverse((time, _, action)) = self.heap.pop()?;
        Some((Millis(time), action))
    }
}
