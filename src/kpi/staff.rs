//! Agents of one row, by presence and activity, and the contacts at agents: how many (now) or how
//! many milliseconds (windows).

use crate::engine::columns::{agent, staff_cell, work_cell};
use crate::engine::facts::WorkState;
use crate::engine::names::Activity;
use crate::event::Presence;

/// Every presence and activity, with the name of the pair.
pub const PRESENCE_ACTIVITY: [(Presence, Activity, &str); 15] = [
    (
        Presence::Available,
        Activity::NotResponding,
        "available/not_responding",
    ),
    (
        Presence::Available,
        Activity::OnContact,
        "available/on_contact",
    ),
    (Presence::Available, Activity::Acw, "available/acw"),
    (
        Presence::Available,
        Activity::Alerting,
        "available/alerting",
    ),
    (Presence::Available, Activity::Idle, "available/idle"),
    (Presence::Aux, Activity::NotResponding, "aux/not_responding"),
    (Presence::Aux, Activity::OnContact, "aux/on_contact"),
    (Presence::Aux, Activity::Acw, "aux/acw"),
    (Presence::Aux, Activity::Alerting, "aux/alerting"),
    (Presence::Aux, Activity::Idle, "aux/idle"),
    (
        Presence::Offline,
        Activity::NotResponding,
        "offline/not_responding",
    ),
    (Presence::Offline, Activity::OnContact, "offline/on_contact"),
    (Presence::Offline, Activity::Acw, "offline/acw"),
    (Presence::Offline, Activity::Alerting, "offline/alerting"),
    (Presence::Offline, Activity::Idle, "offline/idle"),
];

/// States of contacts at agents, with their names, in the order in which they are shown.
pub const WORK_STATES: [(WorkState, &str); 4] = [
    (WorkState::Alerting, "alerting"),
    (WorkState::Connected, "connected"),
    (WorkState::Held, "held"),
    (WorkState::Acw, "acw"),
];

/// The agents of one row: counts (now) or milliseconds (windows). They add up over the parts of a
/// row (workers, sets of clients), never over queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Staff {
    /// Presence available or aux, those of clients without a contact feed included.
    pub online: i64,
    /// By presence and activity, in the order of [`PRESENCE_ACTIVITY`].
    pub cells: [i64; 15],
    /// At least one contact connected, held or in ACW.
    pub busy: i64,
    /// Contacts connected, held or in ACW of the row's members.
    pub busy_contacts: i64,
    /// Busy while presence is available.
    pub connect_busy: i64,
    /// No contact at all while presence is available.
    pub connect_idle: i64,
    /// Slots used while presence is available.
    pub slots_used: i64,
    /// Slots usable while presence is available.
    pub slots_usable: i64,
    /// On contact with a connected or held contact of the row, members or not.
    pub here: i64,
    /// The same, members only.
    pub here_member: i64,
    /// Contacts of the row at agents, in the order of [`WORK_STATES`].
    pub work: [i64; 4],
}

impl Staff {
    /// Adds a row of `agent::WIDTH` columns; a column that the row lacks counts as 0.
    pub fn add_row(&mut self, row: &[i64]) {
        let column = |index: usize| row.get(index).copied().unwrap_or(0);
        self.add_online(row);
        for (cell, (presence, activity, _)) in self.cells.iter_mut().zip(PRESENCE_ACTIVITY) {
            *cell += column(staff_cell(presence, activity));
        }
        self.busy += column(agent::BUSY);
        self.busy_contacts += column(agent::BUSY_CONTACTS);
        self.connect_busy += column(agent::CONNECT_BUSY);
        self.connect_idle += column(agent::CONNECT_IDLE);
        self.slots_used += column(agent::SLOTS_USED);
        self.slots_usable += column(agent::SLOTS_USABLE);
        self.here += column(agent::HERE);
        self.here_member += column(agent::HERE_MEMBER);
        for (work, (state, _)) in self.work.iter_mut().zip(WORK_STATES) {
            *work += column(work_cell(state));
        }
    }

    /// Adds a row of agents whose activity nobody tells: they count as online, no more.
    pub fn add_online(&mut self, row: &[i64]) {
        self.online += PRESENCE_ACTIVITY
            .iter()
            .filter(|(presence, ..)| *presence != Presence::Offline)
            .map(|&(presence, activity, _)| staff_cell(presence, activity))
            .map(|cell| row.get(cell).copied().unwrap_or(0))
            .sum::<i64>();
    }

    /// Presence available, no contact at all, responding.
    pub fn available(&self) -> i64 {
        self.sum(|presence, activity| presence == Presence::Available && activity == Activity::Idle)
    }

    /// Activity alerting, online.
    pub fn alerting(&self) -> i64 {
        self.sum_online(Activity::Alerting)
    }

    /// Activity not responding, online.
    pub fn not_responding(&self) -> i64 {
        self.sum_online(Activity::NotResponding)
    }

    /// Activity on contact, offline agents who still hold one included.
    pub fn on_contact(&self) -> i64 {
        self.sum(|_, activity| activity == Activity::OnContact)
    }

    /// Activity after-contact work, offline agents still in it included.
    pub fn acw(&self) -> i64 {
        self.sum(|_, activity| activity == Activity::Acw)
    }

    /// Members on contact who hold no contact of the row.
    pub fn elsewhere(&self) -> i64 {
        (self.on_contact() - self.here_member).max(0)
    }

    fn sum_online(&self, wanted: Activity) -> i64 {
        self.sum(|presence, activity| presence != Presence::Offline && activity == wanted)
    }

    fn sum(&self, wanted: impl Fn(Presence, Activity) -> bool) -> i64 {
        self.cells
            .iter()
            .zip(PRESENCE_ACTIVITY)
            .filter(|(_, (presence, activity, _))| wanted(*presence, *activity))
            .map(|(count, _)| *count)
            .sum()
    }
}
