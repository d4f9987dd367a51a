//! The layout of a row of totals: which column holds which figure.
//!
//! A contact row is [`contact::WIDTH`] integers, an agent row [`agent::WIDTH`] integers. Every
//! column adds up, so rows of partitions, workers and machines are merged by addition.

use super::facts::WorkState;
use super::names::Activity;
use super::settings::RUNGS_MAX;
use crate::event::{FlowOut, Presence};

/// Wait buckets: one for each rung (waits up to it, above the one before), one for what is longer.
pub const BUCKETS: usize = RUNGS_MAX + 1;

/// The columns of a mask, one bit each, in order.
pub fn of_mask(mut mask: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let column = mask.trailing_zeros() as usize;
        let is_one = mask != 0;
        mask &= mask.wrapping_sub(1);
        is_one.then_some(column)
    })
}

/// Contact columns of one queue row.
pub mod contact {
    use super::{BUCKETS, RUNGS_MAX};

    /// Visits begun.
    pub const OFFERED: usize = 0;
    /// Answered visits by wait bucket.
    pub const ANSWERED: usize = 1;
    /// Abandoned visits by wait bucket.
    pub const ABANDONED: usize = ANSWERED + BUCKETS;
    /// Abandoned visits with a wait of exactly 0 (they are in bucket 0 too).
    pub const ABANDONED_AT_ONCE: usize = ABANDONED + BUCKETS;
    /// Visits swapped for a callback, by wait bucket.
    pub const CALLBACK: usize = ABANDONED_AT_ONCE + 1;
    /// Flowed out, by way.
    pub const FLOWED_OUT: usize = CALLBACK + BUCKETS;
    /// Visits still waiting 1 ms after each rung.
    pub const PASSED: usize = FLOWED_OUT + 7;
    /// Passes as the counter counts them (totals only; nothing in windows).
    pub const PASS_COUNTED: usize = PASSED + RUNGS_MAX;
    /// Alerts that were not answered.
    pub const ALERT_FAILED: usize = PASS_COUNTED + RUNGS_MAX;
    /// Contacts transferred out.
    pub const TRANSFERRED: usize = ALERT_FAILED + 1;
    /// Legs ended.
    pub const HANDLED: usize = TRANSFERRED + 1;
    /// Milliseconds waited by answered visits.
    pub const ANSWERED_WAIT: usize = HANDLED + 1;
    /// Milliseconds waited by abandoned visits.
    pub const ABANDONED_WAIT: usize = ANSWERED_WAIT + 1;
    /// Milliseconds of talk.
    pub const TALK: usize = ABANDONED_WAIT + 1;
    /// Milliseconds of hold.
    pub const HOLD: usize = TALK + 1;
    /// Milliseconds of after-contact work.
    pub const AFTER_CONTACT: usize = HOLD + 1;
    /// Contacts rated.
    pub const RATED: usize = AFTER_CONTACT + 1;
    /// Complaints.
    pub const COMPLAINED: usize = RATED + 1;
    /// Cases resolved.
    pub const RESOLVED: usize = COMPLAINED + 1;
    /// Columns of a contact row.
    pub const WIDTH: usize = RESOLVED + 1;
}

/// Contact-side *now* figures of one queue row.
pub mod gauge {
    use super::RUNGS_MAX;

    /// Waiting, not alerting.
    pub const WAITING: usize = 0;
    /// Alerting, still waiting for an answer.
    pub const ALERTING: usize = 1;
    /// Connected.
    pub const CONNECTED: usize = 2;
    /// On hold.
    pub const HELD: usize = 3;
    /// In after-contact work.
    pub const ACW: usize = 4;
    /// Waiting past each rung.
    pub const WAITING_PAST: usize = 5;
    /// Columns of a gauge row.
    pub const WIDTH: usize = WAITING_PAST + RUNGS_MAX;
}

/// Agent columns of one row: agents (now) or agent-milliseconds (windows). A table keeps two
/// integers for each, `n` and `c`: its value at x is n·x + c.
pub mod agent {
    /// Presence × activity, see [`super::staff_cell`].
    pub const CELLS: usize = 0;
    /// At least one contact connected, held or in ACW.
    pub const BUSY: usize = 15;
    /// Contacts connected, held or in ACW of the row's members.
    pub const BUSY_CONTACTS: usize = 16;
    /// Busy while presence is available.
    pub const CONNECT_BUSY: usize = 17;
    /// No contact at all while presence is available.
    pub const CONNECT_IDLE: usize = 18;
    /// Slots used while presence is available.
    pub const SLOTS_USED: usize = 19;
    /// Slots usable while presence is available.
    pub const SLOTS_USABLE: usize = 20;
    /// Activity `on_contact` with a connected or held contact of the row, member or not.
    pub const HERE: usize = 21;
    /// The same, members of the row only.
    pub const HERE_MEMBER: usize = 22;
    /// Contacts of the row at agents, by state.
    pub const WORK: usize = 23;
    /// Columns of an agent row.
    pub const WIDTH: usize = 27;
}

/// The column of a presence and an activity.
pub const fn staff_cell(presence: Presence, activity: Activity) -> usize {
    let presence = match presence {
        Presence::Available => 0,
        Presence::Aux => 1,
        Presence::Offline => 2,
    };
    let activity = match activity {
        Activity::NotResponding => 0,
        Activity::OnContact => 1,
        Activity::Acw => 2,
        Activity::Alerting => 3,
        Activity::Idle => 4,
    };
    agent::CELLS + presence * 5 + activity
}

/// The column of a contact's state at agents.
pub const fn work_cell(state: WorkState) -> usize {
    agent::WORK
        + match state {
            WorkState::Alerting => 0,
            WorkState::Connected => 1,
            WorkState::Held => 2,
            WorkState::Acw => 3,
        }
}

/// The column of a way of flowing out.
pub const fn flow_out_cell(how: FlowOut) -> usize {
    contact::FLOWED_OUT
        + match how {
            FlowOut::Overflow => 0,
            FlowOut::Timeout => 1,
            FlowOut::ExitKey => 2,
            FlowOut::NoAgents => 3,
            FlowOut::Transfer => 4,
            FlowOut::Withdrawn => 5,
            FlowOut::Error => 6,
        }
}
