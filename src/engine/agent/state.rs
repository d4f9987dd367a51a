//! An agent's state at an instant, and what facts and deadlines do to it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::facts::WorkState;
use crate::engine::image::{Bounds, Fault, stamp_or_none};
use crate::engine::names::{Activity, ClientNo, Names, ReasonNo, RowNo, SetInfo, SetNo};
use crate::engine::settings::StateSettings;
use crate::event::{ActivityState, Millis, Presence, Span};

use super::fact::{AgentFact, AtAgent, Change, Declared, Mark, NOT_READY, Slots, Snapshot};

/// One contact's turn at the agent, while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Turn {
    contact: u64,
    /// Of the turn's first fact.
    pub(super) row: RowNo,
    pub(super) state: WorkState,
    /// When it ends by itself: after `for_ms`, or `ghost_after` without a fact.
    until: Millis,
    /// Its newest fact.
    mark: Mark,
}

/// The newest fact of each kind that is not a contact's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Marks {
    presence: Mark,
    queues: Mark,
    slots: Mark,
    /// Snapshots that list contacts.
    contacts: Mark,
}

/// What changes seldom, shared by the states of an agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Skills {
    /// Memberships, sorted.
    queues: Vec<RowNo>,
    slots: Slots,
    /// Clients that his events named, sorted.
    named: Vec<ClientNo>,
}

/// All that is known of an agent at an instant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) presence: Presence,
    /// With presence aux: why.
    pub(super) reason: ReasonNo,
    pub(super) not_responding: bool,
    pub(super) turns: Vec<Turn>,
    /// When he was heard of last; [`Millis::MIN`] while he is unknown.
    heard: Millis,
    /// Since when he is as he [stands](Self::stands), if that is noted and he has moved since.
    since: Option<Millis>,
    /// Not heard of for `agent_ttl`, or never, when a snapshot to come says what was before it.
    silent: bool,
    marks: Marks,
    skills: Arc<Skills>,
    /// What he serves, once it was looked up; until his skills change.
    #[serde(skip)]
    serves: Option<SetNo>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            presence: Presence::Offline,
            reason: NOT_READY,
            not_responding: false,
            turns: Vec::new(),
            heard: Millis::MIN,
            since: None,
            silent: false,
            marks: Marks {
                presence: Mark::NONE,
                queues: Mark::NONE,
                slots: Mark::NONE,
                contacts: Mark::NONE,
            },
            skills: Arc::default(),
            serves: None,
        }
    }
}

impl State {
    /// What of it cannot be.
    pub(super) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        bounds.reason(self.reason)?;
        stamp_or_none(self.heard)?;
        self.since.map_or(Ok(()), stamp_or_none)?;
        for turn in &self.turns {
            bounds.row(turn.row)?;
            stamp_or_none(turn.until)?;
            turn.mark.check()?;
        }
        let Marks {
            presence,
            queues,
            slots,
            contacts,
        } = self.marks;
        let mut marks = [presence, queues, slots, contacts].into_iter();
        marks.try_for_each(Mark::check)?;
        let Skills {
            queues,
            slots,
            named,
        } = &*self.skills;
        queues.iter().try_for_each(|&row| bounds.row(row))?;
        named.iter().try_for_each(|&client| bounds.client(client))?;
        slots.check(bounds)
    }

    /// Becomes a copy of another, keeping its own memory.
    pub(super) fn copy_from(&mut self, other: &Self) {
        let Self {
            presence,
            reason,
            not_responding,
            heard,
            since,
            silent,
            marks,
            serves,
            ..
        } = *other;
        self.presence = presence;
        self.reason = reason;
        self.not_responding = not_responding;
        self.turns.clone_from(&other.turns);
        self.heard = heard;
        self.since = since;
        self.silent = silent;
        self.marks = marks;
        self.serves = serves;
        if !Arc::ptr_eq(&self.skills, &other.skills) {
            self.skills = Arc::clone(&other.skills);
        }
    }

    /// The next thing that happens by time alone.
    pub(super) fn deadline(&self, agent_ttl: Span) -> Option<Millis> {
        let turns = self.turns.iter().map(|turn| turn.until).min();
        let gone = self.presence == Presence::Offline && turns.is_none() && !self.not_responding;
        let silent = (!gone && !self.silent).then(|| self.heard + agent_ttl);
        turns.into_iter().chain(silent).min()
    }

    /// Executes what is due at `now` by time alone.
    pub(super) fn expire(&mut self, now: Millis, agent_ttl: Span) {
        if !self.silent && self.heard + agent_ttl <= now {
            self.presence = Presence::Offline;
            self.not_responding = false;
            self.turns.clear();
        }
        self.turns.retain(|turn| turn.until > now);
    }

    /// Executes all that is due up to and including `limit`.
    pub(super) fn expire_until(&mut self, limit: Millis, agent_ttl: Span) {
        while let Some(due) = self.deadline(agent_ttl).filter(|due| *due <= limit) {
            self.expire(due, agent_ttl);
        }
    }

    /// The same, and notes since when he stands as he does after it.
    pub(super) fn pass_until(&mut self, limit: Millis, settings: &StateSettings) {
        let agent_ttl = settings.agent_ttl;
        while let Some(due) = self.deadline(agent_ttl).filter(|due| *due <= limit) {
            self.noting(due, settings.list_agents, |state| {
                state.expire_until(due, agent_ttl);
            });
        }
    }

    /// Does what is done to it at one stamp; where that is `noted`, notes if he stands otherwise after
    /// it.
    pub(super) fn noting(&mut self, stamp: Millis, noted: bool, step: impl FnOnce(&mut Self)) {
        if !noted {
            return step(self);
        }
        let before = self.stands();
        step(self);
        if self.stands() != before {
            self.since = Some(stamp);
        }
    }

    /// What a supervisor is told of him, and for how long.
    fn stands(&self) -> (Presence, ReasonNo, Option<Activity>) {
        (self.presence, self.reason, self.activity())
    }

    /// Since when he stands so, if it is known.
    pub(super) const fn since(&self) -> Option<Millis> {
        self.since
    }

    /// What he does, by precedence; nothing that counts while he is offline without a contact
    /// connected, held or in ACW.
    pub(super) fn activity(&self) -> Option<Activity> {
        let any = |wanted: &[WorkState]| self.turns.iter().any(|turn| wanted.contains(&turn.state));
        let online = self.presence != Presence::Offline;
        if online && self.not_responding {
            Some(Activity::NotResponding)
        } else if any(&[WorkState::Connected, WorkState::Held]) {
            Some(Activity::OnContact)
        } else if any(&[WorkState::Acw]) {
            Some(Activity::Acw)
        } else if !online {
            None
        } else if any(&[WorkState::Alerting]) {
            Some(Activity::Alerting)
        } else {
            Some(Activity::Idle)
        }
    }

    /// Executes a fact. `newest` tells the newest thing said of a contact so far; asked only for
    /// facts that came too late.
    pub(super) fn event(
        &mut self,
        fact: &AgentFact,
        names: &Names,
        newest: impl Fn(u64) -> Option<Mark>,
    ) {
        if self.heard == Millis::MIN {
            self.log_in();
        }
        self.heard = fact.stamp.max(self.heard);
        self.silent = false;
        self.name(fact.client);
        let (mark, late) = (fact.mark, fact.late());
        match &fact.change {
            Change::LoggedIn if self.presence_news(mark, late) => self.log_in(),
            Change::LoggedOut if self.presence_news(mark, late) => {
                self.presence = Presence::Offline;
            }
            Change::Presence(declared) if self.presence_news(mark, late) => self.declare(*declared),
            Change::LoggedIn | Change::LoggedOut | Change::Presence(_) => {}
            Change::Queues(rows) => self.replace_queues(rows, mark, late, names),
            Change::Slots(slots) => self.replace_slots(slots, mark, late),
            Change::Contact(is, timer) => {
                if late && !self.contact_news(is.contact, mark, &newest) {
                    return;
                }
                if !late {
                    self.respond(is.state);
                }
                self.turn(is, fact.stamp, mark, names);
                if let Some(timer) = timer.get() {
                    self.start_timer(is.contact, (fact.said() + timer).max(fact.stamp));
                }
            }
            Change::Snapshot(snapshot) => self.snapshot(snapshot, fact, names, newest),
        }
    }

    /// What a snapshot to come says of a contact since before it. Whoever is unknown then, or was
    /// not heard of for `agent_ttl`, is offline until the snapshot.
    pub(super) fn listed(&mut self, is: &AtAgent, since: Millis, mark: Mark, names: &Names) {
        self.silent = self.heard + names.settings().agent_ttl <= since;
        self.turn(is, since, mark, names);
    }

    /// Whether a fact of `since` says of a contact, as the newest, what a snapshot at `until` lists of
    /// it: then that is no news before the snapshot itself.
    pub(super) fn has_since(
        &self,
        is: &AtAgent,
        since: Millis,
        until: Millis,
        names: &Names,
    ) -> bool {
        let turn = self.turns.iter().find(|turn| turn.contact == is.contact);
        turn.is_some_and(|turn| {
            let ends = since + names.row_info(turn.row).ghost_after;
            work_state(is.state) == Some(turn.state)
                && turn.mark.said() == since
                && turn.until == ends
                && ends > until
        })
    }

    /// A contact is in a state: its turn begins, goes on or ends. Any timer is dropped.
    fn turn(&mut self, is: &AtAgent, stamp: Millis, mark: Mark, names: &Names) {
        let turns = &mut self.turns;
        let at = turns.iter().position(|turn| turn.contact == is.contact);
        let Some(state) = work_state(is.state) else {
            if let Some(at) = at {
                turns.remove(at);
            }
            return;
        };
        let row = at.map_or(is.row, |at| turns[at].row);
        let turn = Turn {
            contact: is.contact,
            row,
            state,
            until: stamp + names.row_info(row).ghost_after,
            mark,
        };
        match at {
            Some(at) => turns[at] = turn,
            None => turns.push(turn),
        }
    }

    /// Slots by channel.
    pub(super) fn slots(&self) -> &Slots {
        &self.skills.slots
    }

    /// The rows that he serves and the clients that he counts for. `set` is scratch.
    pub(super) fn serves(&mut self, names: &mut Names, set: &mut SetInfo) -> SetNo {
        if let Some(serves) = self.serves {
            return serves;
        }
        set.rows.clear();
        set.clients.clear();
        for &row in &self.skills.queues {
            let info = names.row_info(row);
            if self.skills.slots.of(info.channel) > 0 {
                set.rows.push(row);
                set.clients.push(info.client);
            }
        }
        if set.rows.is_empty() {
            set.clients.extend_from_slice(&self.skills.named);
        }
        set.clients.sort_unstable();
        set.clients.dedup();
        let serves = names.set(set);
        self.serves = Some(serves);
        serves
    }

    fn skills(&mut self) -> &mut Skills {
        self.serves = None;
        Arc::make_mut(&mut self.skills)
    }

    /// Whether a fact about presence is news; notes it. Unless it came too late it puts an end to
    /// `not_responding`.
    fn presence_news(&mut self, mark: Mark, late: bool) -> bool {
        self.not_responding &= late;
        news(&mut self.marks.presence, mark, late)
    }

    /// Whether a fact that came too late is the newest about its contact.
    fn contact_news(
        &self,
        contact: u64,
        mark: Mark,
        newest: &impl Fn(u64) -> Option<Mark>,
    ) -> bool {
        let turn = self.turns.iter().find(|turn| turn.contact == contact);
        self.marks.contacts < mark
            && turn.is_none_or(|turn| turn.mark < mark)
            && newest(contact).is_none_or(|newest| newest < mark)
    }

    fn log_in(&mut self) {
        self.presence = Presence::Aux;
        self.reason = NOT_READY;
    }

    fn declare(&mut self, declared: Declared) {
        self.presence = declared.presence;
        self.reason = declared.reason;
    }

    fn name(&mut self, client: ClientNo) {
        if let Err(at) = self.skills.named.binary_search(&client) {
            self.skills().named.insert(at, client);
        }
    }

    fn replace_queues(&mut self, rows: &[RowNo], mark: Mark, late: bool, names: &Names) {
        for &row in rows {
            self.name(names.row_info(row).client);
        }
        if news(&mut self.marks.queues, mark, late) && self.skills.queues != rows {
            self.skills().queues = rows.to_vec();
        }
    }

    fn replace_slots(&mut self, slots: &Slots, mark: Mark, late: bool) {
        if news(&mut self.marks.slots, mark, late) && self.skills.slots != *slots {
            self.skills().slots = slots.clone();
        }
    }

    fn start_timer(&mut self, contact: u64, until: Millis) {
        let mut turns = self.turns.iter_mut();
        if let Some(turn) = turns.find(|turn| turn.contact == contact) {
            turn.until = turn.until.min(until);
        }
    }

    fn respond(&mut self, state: ActivityState) {
        match state {
            ActivityState::Missed | ActivityState::Rejected | ActivityState::Error => {
                self.not_responding = true;
            }
            ActivityState::Alerting | ActivityState::Connected => self.not_responding = false,
            ActivityState::Held | ActivityState::Acw | ActivityState::Released => {}
        }
    }

    fn snapshot(
        &mut self,
        snapshot: &Snapshot,
        fact: &AgentFact,
        names: &Names,
        newest: impl Fn(u64) -> Option<Mark>,
    ) {
        let (mark, late) = (fact.mark, fact.late());
        self.not_responding &= late;
        if let Some(declared) = snapshot.declared
            && self.presence_news(mark, late)
        {
            self.declare(declared);
        }
        if let Some(rows) = &snapshot.queues {
            self.replace_queues(rows, mark, late, names);
        }
        if let Some(slots) = &snapshot.slots {
            self.replace_slots(slots, mark, late);
        }
        let Some(contacts) = &snapshot.contacts else {
            return;
        };
        self.turns.retain(|turn| {
            let mut contacts = contacts.iter();
            contacts.any(|listed| listed.is.contact == turn.contact) || turn.mark > mark
        });
        for listed in contacts {
            self.name(listed.client);
            let is = &listed.is;
            if late && !self.contact_news(is.contact, mark, &newest) {
                continue;
            }
            self.turn(is, fact.stamp, mark, names);
            let over = work_state(is.state).is_none();
            self.not_responding |= !late && over && is.state != ActivityState::Released;
        }
        self.marks.contacts = mark.max(self.marks.contacts);
    }
}

/// Whether a fact is the newest of its kind; notes it. Unless it came too late it always is.
fn news(newest: &mut Mark, mark: Mark, late: bool) -> bool {
    let overtaken = late && mark <= *newest;
    *newest = mark.max(*newest);
    !overtaken
}

const fn work_state(state: ActivityState) -> Option<WorkState> {
    match state {
        ActivityState::Alerting => Some(WorkState::Alerting),
        ActivityState::Connected => Some(WorkState::Connected),
        ActivityState::Held => Some(WorkState::Held),
        ActivityState::Acw => Some(WorkState::Acw),
        ActivityState::Released
        | ActivityState::Missed
        | ActivityState::Rejected
        | ActivityState::Error => None,
    }
}
