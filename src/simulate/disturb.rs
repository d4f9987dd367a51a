//! Faults of delivery: duplicates, and events that are sent after their time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::centre::Centre;
use super::dice::Dice;
use super::{Faults, OwnedEvent, SimEvent};

/// Holds back some events, and sends some twice.
#[derive(Debug)]
pub(super) struct Disturber {
    faults: Faults,
    dice: Dice,
    held: BinaryHeap<Reverse<Held>>,
    serial: u64,
    /// The event handed out last, or read from the centre and not yet due.
    current: Option<OwnedEvent>,
    pending: Option<OwnedEvent>,
}

#[derive(Debug, PartialEq, Eq)]
struct Held {
    due: i64,
    serial: u64,
    event: OwnedEvent,
}

impl Ord for Held {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.serial).cmp(&(other.due, other.serial))
    }
}

impl PartialOrd for Held {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Disturber {
    pub(super) fn new(seed: u64, faults: Faults) -> Self {
        Self {
            faults,
            dice: Dice::new(seed ^ 0xD157),
            held: BinaryHeap::new(),
            serial: 0,
            current: None,
            pending: None,
        }
    }

    /// Nothing to disturb: events may go straight through.
    pub(super) fn idle(&self) -> bool {
        self.faults.duplicates <= 0.0 && self.faults.disorder <= 0.0
    }

    pub(super) fn next_event(&mut self, centre: &mut Centre) -> SimEvent<'_> {
        let event = loop {
            let next = match self.pending.take() {
                Some(event) => event,
                None => OwnedEvent::from(centre.next_event()),
            };
            if self
                .held
                .peek()
                .is_some_and(|Reverse(held)| held.due <= next.time.0)
                && let Some(Reverse(held)) = self.held.pop()
            {
                self.pending = Some(next);
                break held.event;
            }
            if self.dice.chance(self.faults.duplicates) {
                self.hold(next.clone());
            }
            if self.dice.chance(self.faults.disorder) {
                self.hold(next);
            } else {
                break next;
            }
        };
        let event = self.current.insert(event);
        SimEvent {
            topic: event.topic,
            key: &event.key,
            time: event.time,
            sent: event.sent,
            json: &event.json,
        }
    }

    fn hold(&mut self, mut event: OwnedEvent) {
        let delay = self.dice.between(1, self.faults.within.0.max(2));
        self.serial += 1;
        event.sent.0 += delay;
        self.held.push(Reverse(Held {
            due: event.sent.0,
            serial: self.serial,
            event,
        }));
    }
}
