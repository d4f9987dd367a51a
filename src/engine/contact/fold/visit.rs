//! What a fold remembers of visits, legs and alerts.

use crate::engine::facts::ContactState;
use crate::engine::names::{ChannelNo, QueueIdNo};
use crate::event::{Direction, Millis, Outcome, Span};

/// One visit to a queue, begun or only named by a fact so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Visit {
    /// Its number; a visit that no fact numbers gets the next.
    pub(super) number: u32,
    /// The how-manieth visit begun, from 1; 0 while none of its facts began it.
    pub(super) begun: u32,
    /// Its queue: that of its `queued`, else of its first fact that names one.
    pub(super) queue: Option<QueueIdNo>,
    /// `time` of its `queued`.
    pub(super) queued: Option<Millis>,
    /// The first `queued_at` stated by an `answered`.
    pub(super) answered_from: Option<Millis>,
    /// The first `queued_at` stated by a `dequeued` of the standing outcome.
    pub(super) dequeued_from: Option<Millis>,
    /// How it left the queue.
    pub(super) exit: Exit,
    /// When it did.
    pub(super) exit_at: Millis,
    /// The channel `callback`, if one of its facts states it.
    pub(super) callback: Option<ChannelNo>,
    /// The first direction that its facts state.
    pub(super) direction: Option<Direction>,
    /// Whether a `transferred` was counted at it.
    pub(super) transferred: bool,
}

/// How a visit left its queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Exit {
    /// It did not, as far as is known.
    #[default]
    Waiting,
    /// Implied by another fact; gives way to an explicit outcome.
    Implied(Outcome),
    /// By `dequeued`.
    Left(Outcome),
    /// By `answered`.
    Answered,
    /// It waited until the contact was swept.
    Swept,
}

impl Visit {
    /// Begun, and without any outcome.
    pub(super) fn is_waiting(&self) -> bool {
        self.begun != 0 && self.exit == Exit::Waiting
    }

    /// Its entry: `queued_at` of the standing outcome, else `queued`, else the exit itself.
    pub(super) fn entry(&self) -> Millis {
        let stated = match self.exit {
            Exit::Answered => self.answered_from,
            Exit::Left(_) => self.dequeued_from,
            Exit::Waiting | Exit::Implied(_) | Exit::Swept => None,
        };
        stated.or(self.queued).unwrap_or(self.exit_at)
    }
}

/// One agent's part of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leg {
    /// Index of the visit.
    pub(super) visit: usize,
    /// Index of the `answered` that began it, which names the agent.
    pub(super) answered: usize,
    pub(super) begun_at: Millis,
    pub(super) ended: Option<LegEnd>,
    /// On hold since.
    pub(super) held_since: Option<Millis>,
    /// Hold that is over.
    pub(super) hold: Span,
    /// `talk_ms` and `hold_ms` of its `ended`.
    pub(super) talk_stated: Option<Span>,
    pub(super) hold_stated: Option<Span>,
    /// Whether its own `ended` came.
    pub(super) has_ended: bool,
    /// When its `wrapped_up` came, and `acw_ms`.
    pub(super) wrapped_up: Option<(Millis, Option<Span>)>,
}

/// How a leg ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct LegEnd {
    pub(super) at: Millis,
    /// By a blind `transferred`: its `ended` may still follow with talk and hold.
    pub(super) blind: bool,
    /// By `ended` with `by: transfer`, or after a `transferred`: the contact goes on elsewhere.
    pub(super) goes_on: bool,
    /// By the sweep: not handled.
    pub(super) swept: bool,
}

impl Leg {
    pub(super) fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Ended by a blind transfer, its own `ended` not seen.
    pub(super) fn awaits_its_ended(&self) -> bool {
        !self.has_ended && self.ended.is_some_and(|end| end.blind)
    }

    /// Ended and not wrapped up.
    pub(super) fn can_wrap_up(&self) -> bool {
        self.wrapped_up.is_none() && self.ended.is_some_and(|end| !end.swept)
    }
}

/// One ringing at an agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alert {
    pub(super) visit: usize,
    /// Index of the `alerting`, which names the agent.
    pub(super) alerting: usize,
    pub(super) open: bool,
}

/// A count that needs no more than its visit and stamp.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) visit: usize,
    pub(super) at: Millis,
    pub(super) what: MarkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MarkKind {
    AlertFailed,
    Transferred,
}

/// One change of what a visit's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) visit: usize,
    pub(super) at: Millis,
    pub(super) what: Level,
    pub(super) delta: i32,
}

/// What a visit's state depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Waiting,
    OpenAlerts,
    OpenLegs,
    HeldLegs,
    LegsInAcw,
}

/// The levels of a visit at one stamp.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Levels([i32; 5]);

impl Levels {
    pub(super) fn change(&mut self, edge: Edge) {
        self.0[edge.what as usize] += edge.delta;
    }

    /// "Alerting while an alert is open, else waiting; held if every open leg is on hold, else
    /// connected; acw when no leg is open and one is in ACW."
    pub(super) fn state(self) -> Option<ContactState> {
        let [waiting, alerts, open, held, acw] = self.0;
        if waiting > 0 {
            Some(if alerts > 0 {
                ContactState::Alerting
            } else {
                ContactState::Waiting
            })
        } else if open > 0 {
            Some(if held >= open {
                ContactState::Held
            } else {
                ContactState::Connected
            })
        } else {
            (acw > 0).then_some(ContactState::Acw)
        }
    }
}
