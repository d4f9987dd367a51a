//! The simulated contact centre: a discrete-event simulation whose events are those of a real one.
//!
//! Contacts arrive, wait, ring at agents who serve their queue, are answered, held, transferred and
//! wrapped up, or give up. Agents have shifts, breaks, several queues and several chats at once.
//! Since one model moves both, contact events and agent events agree. Rush hours follow the time of
//! day; a queue spikes and a client's agents drop out every few minutes.
//!
//! The same [`Options`] give the same bytes. No clock is read: the caller asks for the next event
//! and decides when to send it. Serves the demo, the benches, the tests and `queuepulse simulate`.
//!
//! Rejected: replaying a canned recording (no scale, no end), and independent random events (the
//! two sides would not agree). Cost: some hundred nanoseconds an event, memory per contact in the
//! centre, never per event.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "simulated numbers are small and need no precision"
)]

mod agenda;
mod agents;
mod calls;
mod centre;
mod command;
mod day;
mod dice;
mod disturb;
mod plan;
mod routing;
mod talk;
#[cfg(test)]
mod tests;
mod writer;

use crate::event::{Millis, Span};

use centre::Centre;
use disturb::Disturber;

pub use command::{SimulateArgs, SimulateError, simulate};
pub use plan::Scale;

/// The three canonical topics, by what they hold; the names on a broker are configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// The life of contacts, keyed by contact.
    Contacts,
    /// Agents' states and their side of contacts, keyed by agent.
    Agents,
    /// What queues are, keyed by `queue/<client>/<queue>`.
    Queues,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 3] = [Self::Contacts, Self::Agents, Self::Queues];

    /// The topic's default name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Contacts => "contact-events",
            Self::Agents => "agent-events",
            Self::Queues => "queue-events",
        }
    }
}

/// One event, borrowed from the simulation until the next is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimEvent<'a> {
    /// Where it belongs.
    pub topic: Topic,
    /// The record's key.
    pub key: &'a [u8],
    /// When it happened: the event's own `time`.
    pub time: Millis,
    /// When it is sent. Never decreases; equals `time` unless the event is disturbed.
    pub sent: Millis,
    /// The record's value: one JSON object without a line end.
    pub json: &'a [u8],
}

/// Faults of delivery, each the share of events that suffer it, 0..=1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Sent twice, the second time within `within`.
    pub duplicates: f64,
    /// Sent late, by up to `within`: out of order.
    pub disorder: f64,
    /// How far a disturbed event may be sent after its time.
    pub within: Span,
}

/// What to simulate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The same seed gives the same events.
    pub seed: u64,
    /// When the first event happens.
    pub from: Millis,
    /// Time of day at `from`, which decides shifts and rush hours; `None`: that of UTC.
    pub time_of_day: Option<Span>,
    /// Size and load of the centre.
    pub scale: Scale,
    /// Faults of delivery.
    pub faults: Faults,
}

impl Options {
    /// The centre that the demo shows, at a quarter past ten in its own day.
    pub const fn demo(seed: u64, from: Millis) -> Self {
        Self {
            seed,
            from,
            time_of_day: Some(Span::minutes(10 * 60 + 15)),
            scale: Scale::DEMO,
            faults: Faults {
                duplicates: 0.0,
                disorder: 0.0,
                within: Span::ZERO,
            },
        }
    }
}

/// A running simulation. It never ends.
#[derive(Debug)]
pub struct Simulation {
    centre: Centre,
    disturber: Disturber,
}

impl Simulation {
    /// Builds the centre; the first events tell what its queues are and log its agents in.
    pub fn new(options: &Options) -> Self {
        Self {
            centre: Centre::new(options),
            disturber: Disturber::new(options.seed, options.faults),
        }
    }

    /// The next event, in the order in which they are sent.
    pub fn next_event(&mut self) -> SimEvent<'_> {
        if self.disturber.idle() {
            self.centre.next_event()
        } else {
            self.disturber.next_event(&mut self.centre)
        }
    }

    /// Contacts in the centre now: waiting, at agents or in after-contact work.
    pub fn in_flight(&self) -> usize {
        self.centre.in_flight()
    }
}

impl Iterator for Simulation {
    type Item = OwnedEvent;

    fn next(&mut self) -> Option<OwnedEvent> {
        Some(OwnedEvent::from(self.next_event()))
    }
}

/// A [`SimEvent`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedEvent {
    /// Where it belongs.
    pub topic: Topic,
    /// The record's key.
    pub key: Vec<u8>,
    /// When it happened.
    pub time: Millis,
    /// When it is sent.
    pub sent: Millis,
    /// The record's value.
    pub json: Vec<u8>,
}

impl From<SimEvent<'_>> for OwnedEvent {
    fn from(event: SimEvent<'_>) -> Self {
        Self {
            topic: event.topic,
            key: event.key.to_vec(),
            time: event.time,
            sent: event.sent,
            json: event.json.to_vec(),
        }
    }
}
