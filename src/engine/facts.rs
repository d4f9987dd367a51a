//! Facts: what an event adds to figures, each with a stamp of its own.
//!
//! An entity (a contact, an agent) is folded into a *timeline* of [`Post`]s: everything that it
//! contributes if no further event comes, deadlines included. Posts with a stamp up to the horizon
//! (stream time, or `now` in a view) are in force; the later ones are deadlines still to come.
//! When an event changes an entity, the difference between the timeline before and after is what
//! goes to the log and the tables: new posts as they are, vanished ones with the sign turned.

use serde::{Deserialize, Serialize};

use crate::event::{FlowOut, Millis, Span};

use super::names::{ProfileNo, RowNo, SetNo};

/// One fact with its stamp and sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Post {
    /// When it counts.
    pub stamp: Millis,
    /// What it says.
    pub fact: Fact,
    /// +1; −1 for what leaves a state and for what is taken back.
    pub sign: i8,
}

/// What a post says. Comments tell which figures it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// Something that a window counts, at a queue's row.
    Count(RowNo, Count),
    /// A contact enters (+1) or leaves (−1) a state: a *now* figure only, never logged.
    State(RowNo, ContactState),
    /// A visit is waiting past rung `n` (+1), or has left (−1): a *now* figure only, never logged.
    WaitingPast(RowNo, u8),
    /// `threshold_passed_total` of rung `n`: at the visit's exit, or `late_after` after the pass. A
    /// counter only.
    PassCounted(RowNo, u8),
    /// An agent who serves the rows of a set enters (+1) or leaves (−1) a profile: time in state.
    Staff(SetNo, ProfileNo),
    /// An agent whose activity is `on_contact` has (+1) connected or held contacts in exactly the
    /// rows of `here`, while serving the rows of `serves`: time in state.
    Here {
        /// The rows he serves.
        serves: SetNo,
        /// The rows of his connected and held contacts.
        here: SetNo,
    },
    /// A contact of this row enters (+1) or leaves (−1) a state at an agent: time in state.
    Work(RowNo, WorkState),
}

/// What a window counts at a queue's row. Stamps as in `docs/kpi.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Count {
    /// At queue entry.
    Offered,
    /// At the exit.
    Answered {
        wait: Span,
    },
    /// At the exit.
    Abandoned {
        wait: Span,
    },
    /// At the exit; no wait for a visit that was swept.
    FlowedOut {
        how: FlowOut,
        wait: Option<Span>,
    },
    /// At the exit, swapped for a callback.
    Callback {
        wait: Span,
    },
    /// The visit still waits 1 ms after rung `n`: at entry + rung + 1 ms.
    Passed {
        rung: u8,
    },
    AlertFailed,
    Transferred,
    /// At the end of the leg.
    Handled {
        talk: Span,
        hold: Span,
    },
    /// When after-contact work ends.
    AfterContact {
        acw: Span,
    },
    Rated,
    Complained,
    Resolved,
}

/// State of a contact, contact side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum ContactState {
    /// Waiting, not alerting; the figure `waiting` is this and alerting together.
    Waiting,
    Alerting,
    Connected,
    Held,
    Acw,
}

/// State of a contact at an agent, agent side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum WorkState {
    Alerting,
    Connected,
    Held,
    Acw,
}
