//! Which columns of a row a fact moves, and by how much.

use crate::event::{Presence, Span};

use super::columns::{agent, contact, flow_out_cell, staff_cell};
use super::facts::Count;
use super::names::Profile;
use super::settings::RUNGS_MAX;

/// The bucket of a wait: the first rung that it does not exceed, else the one after the last.
pub fn wait_bucket(rungs: &[Span], wait: Span) -> usize {
    rungs
        .iter()
        .position(|&rung| wait <= rung)
        .unwrap_or(rungs.len())
        .min(RUNGS_MAX)
}

/// Calls `add` with each contact column that a count moves, and the amount.
#[inline]
pub fn count_cells(count: Count, rungs: &[Span], mut add: impl FnMut(usize, i64)) {
    match count {
        Count::Offered => add(contact::OFFERED, 1),
        Count::Answered { wait } => {
            add(contact::ANSWERED + wait_bucket(rungs, wait), 1);
            add(contact::ANSWERED_WAIT, wait.0);
        }
        Count::Abandoned { wait } => {
            add(contact::ABANDONED + wait_bucket(rungs, wait), 1);
            add(contact::ABANDONED_WAIT, wait.0);
            if wait == Span::ZERO {
                add(contact::ABANDONED_AT_ONCE, 1);
            }
        }
        Count::FlowedOut { how, .. } => add(flow_out_cell(how), 1),
        Count::Callback { wait } => add(contact::CALLBACK + wait_bucket(rungs, wait), 1),
        Count::Passed { rung } => add(contact::PASSED + usize::from(rung), 1),
        Count::AlertFailed => add(contact::ALERT_FAILED, 1),
        Count::Transferred => add(contact::TRANSFERRED, 1),
        Count::Handled { talk, hold } => {
            add(contact::HANDLED, 1);
            add(contact::TALK, talk.0);
            add(contact::HOLD, hold.0);
        }
        Count::AfterContact { acw } => add(contact::AFTER_CONTACT, acw.0),
        Count::Rated => add(contact::RATED, 1),
        Count::Complained => add(contact::COMPLAINED, 1),
        Count::Resolved => add(contact::RESOLVED, 1),
    }
}

/// The wait that an exit contributes to the largest wait.
pub const fn exit_wait(count: Count) -> Option<Span> {
    match count {
        Count::Answered { wait } | Count::Abandoned { wait } | Count::Callback { wait } => {
            Some(wait)
        }
        Count::FlowedOut { wait, .. } => wait,
        _ => None,
    }
}

/// Calls `add` with each agent column that an agent in this profile stands in, and how much he
/// counts there. Aux by reason is apart.
pub fn profile_cells(profile: &Profile, mut add: impl FnMut(usize, i64)) {
    add(staff_cell(profile.presence, profile.activity), 1);
    let busy = profile.busy_contacts > 0;
    if busy {
        add(agent::BUSY, 1);
        add(agent::BUSY_CONTACTS, i64::from(profile.busy_contacts));
    }
    if profile.presence != Presence::Available {
        return;
    }
    if busy {
        add(agent::CONNECT_BUSY, 1);
    }
    if profile.used == 0 {
        add(agent::CONNECT_IDLE, 1);
    }
    if profile.used > 0 {
        add(agent::SLOTS_USED, i64::from(profile.used));
    }
    if profile.usable > 0 {
        add(agent::SLOTS_USABLE, i64::from(profile.usable));
    }
}
