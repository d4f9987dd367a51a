//! From when on the figures are whole: what decides `complete`.

use std::collections::BTreeMap;

use crate::event::{Millis, Span};

/// What was read of the log, as far as completeness goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// Recorded events: a window is complete if an accepted event lies at or before its `from`.
    Recorded {
        /// The earliest accepted event, if any.
        earliest: Option<Millis>,
    },
    /// A live log: a channel's window is complete if reading began its `ghost_after` before `from`
    /// (and, of agents, `agent_ttl` before), or at the beginning of a log that has it all.
    Live(Reading),
    /// Nothing can be relied on: no window is complete.
    Nothing,
}

/// How far back a live engine has read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The latest, over the contact partitions, of the instants that reading began at;
    /// [`Millis::MIN`] for the beginning of a log that has it all.
    pub contacts_since: Millis,
    /// The same over the agent partitions.
    pub agents_since: Millis,
    /// How long a contact stays in flight without news, by channel.
    pub ghost_after: BTreeMap<String, Span>,
    /// The same for other channels.
    pub ghost_after_other: Span,
    /// How long an agent stays online without an event.
    pub agent_ttl: Span,
}

impl Coverage {
    /// Whether a window of a channel from `from` on is complete.
    pub fn complete(&self, channel: &str, from: Millis) -> bool {
        match self {
            Self::Recorded { earliest } => {
                from == Millis::MIN || earliest.is_some_and(|earliest| earliest <= from)
            }
            Self::Nothing => false,
            Self::Live(reading) => {
                let ghost_after = || {
                    let of_channel = reading.ghost_after.get(channel);
                    of_channel.copied().unwrap_or(reading.ghost_after_other)
                };
                (reading.contacts_since == Millis::MIN
                    || covered(reading.contacts_since, ghost_after(), from))
                    && covered(reading.agents_since, reading.agent_ttl, from)
            }
        }
    }
}

/// Reading began `before` ahead of `from`.
fn covered(since: Millis, before: Span, from: Millis) -> bool {
    since == Millis::MIN || since + before <= from
}
