//! One agent: what he declared and the contacts at him, folded into time in state.
//!
//! Like a contact, an agent is a set of facts and a pure fold over it (`docs/events.md`, "Agent
//! events"): whatever order the same facts arrive in, the figures are the same. Unlike a contact he
//! never ends, so facts that nothing can change any more are moved into a *checkpoint*, the state
//! that they led to; a fold begins there.
//!
//! A fact up to `settle_after` late is put in its place, and a snapshot among them may say what was
//! up to `settle_after` before it. So the checkpoint follows stream time at twice `settle_after`. A
//! second one, the *tip*, has executed every fact: one more in order is executed upon it, and what
//! that changes is posted, however many facts are held.
//!
//! Rejected: a state machine fed in order of arrival, which has to guess at what a fact out of order
//! would have changed. Cost: the facts of ten to twelve minutes, and 12 bytes for each contact of the
//! last `retain`, which tell whether a fact that comes too late has been overtaken. Of an agent of
//! whom nothing is heard, both are dropped in the end.

mod fact;
mod gone;
mod history;
mod image;
mod level;
mod seen;
mod state;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use serde::{Deserialize, Serialize};

use crate::event::{AgentEvent, Millis, Span};

use super::difference::difference;
use super::facts::Post;
use super::ids::IdHasher;
use super::names::{Names, SetInfo};
use super::settings::StateSettings;
use super::timeline::Timeline;
use fact::{AgentFact, Ids, Mark};
use history::{History, Start, Step};
use level::Level;
pub use seen::{Seen, Sight};
use state::State;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is the agent's newest fact.
    Appended,
    /// It was put in its place among the facts.
    Between,
    /// Too late to be put in its place: it holds from stream time on, unless it was overtaken.
    Late,
    /// The same event again: nothing changed.
    Duplicate,
}

impl Inserted {
    /// Of a fact that was kept.
    const fn of(late: bool, newest: bool) -> Self {
        match (late, newest) {
            (true, _) => Self::Late,
            (false, true) => Self::Appended,
            (false, false) => Self::Between,
        }
    }
}

/// What applying an event led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// What became of the event.
    pub inserted: Inserted,
    /// The agent's next deadline; [`Millis::MAX`] if he has none.
    pub next: Millis,
}

/// One agent of a partition.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Agent {
    /// Where folds begin. Posts with an earlier stamp are final.
    base: Checkpoint,
    /// The same with every fact executed, and the deadlines up to the newest; follows from the
    /// others.
    tip: Checkpoint,
    /// The facts from `base.at` on.
    history: History,
}

/// A state with what was before its time executed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Checkpoint {
    at: Millis,
    state: State,
}

impl Default for Checkpoint {
    /// Nothing is known.
    fn default() -> Self {
        Self {
            at: Millis::MIN,
            state: State::default(),
        }
    }
}

impl Checkpoint {
    fn copy_from(&mut self, other: &Self) {
        self.at = other.at;
        self.state.copy_from(&other.state);
    }
}

/// Scratch memory of folds; one serves every agent of a partition.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    /// What the last [`Agent::apply`] changed; otherwise it carries nothing over.
    pub posts: Vec<Post>,
    state: State,
    steps: Vec<Step>,
    level: Level,
    next: Level,
    set: SetInfo,
    ids: Ids,
    before: Timeline,
    after: Timeline,
}

/// A fact to be placed, and where the one with its id is that it replaces.
type Placing = (AgentFact, Option<usize>);

impl Agent {
    /// Takes an event in, leaves in `work.posts` what it changes up to `stream`, and moves the
    /// checkpoints. `stream` is the partition's stream time after the event; all posts up to it,
    /// deadlines included, must have been emitted. Notes contact feeds in `names`.
    pub fn apply(
        &mut self,
        event: &AgentEvent<'_>,
        stream: Millis,
        names: &mut Names,
        hasher: &IdHasher,
        work: &mut Workspace,
    ) -> Applied {
        work.posts.clear();
        let Some(placing) = self.read(event, stream, names, hasher) else {
            return Applied {
                inserted: Inserted::Duplicate,
                next: Millis::MAX,
            };
        };
        let (fact, replaces) = &placing;
        let (stamp, late) = (fact.stamp, fact.late());
        let settings = names.settings();
        // Since when an agent stands as he does is noted once an instant.
        let tip = self.tip.at + Span(i64::from(settings.list_agents));
        let new = replaces.is_none() && stamp >= tip;
        let in_order = new && self.history.is_newest(fact);
        let follows = new && self.history.may_follow(fact);
        let reach = self.history.reach(fact, &self.tip.state, names);
        let plain = follows && reach == stamp && self.is_still(stamp, stream, names);
        let (next, newest) = if plain {
            self.step(placing.0, stream, names, work)
        } else {
            let from_tip = in_order && reach >= tip;
            self.refold(placing, from_tip, stream, names, work)
        };
        self.advance(stream, work, names);
        Applied {
            inserted: Inserted::of(late, newest),
            next,
        }
    }

    /// Takes an event in and nothing more, for tests that fold before and after by themselves.
    /// `stream` may be taken before or after the event: one that advances it is never late.
    #[cfg(test)]
    fn insert(
        &mut self,
        event: &AgentEvent<'_>,
        stream: Millis,
        names: &mut Names,
        hasher: &IdHasher,
    ) -> Inserted {
        let Some((fact, replaces)) = self.read(event, stream, names, hasher) else {
            return Inserted::Duplicate;
        };
        let late = fact.late();
        let place = self.history.place(fact, replaces);
        Inserted::of(late, place + 1 == self.history.len())
    }

    /// Everything that the agent contributes from the checkpoint on if no further event comes:
    /// [`Fact::Staff`], [`Fact::Here`] and [`Fact::Work`], in order of stamp, deadlines included.
    ///
    /// [`Fact::Staff`]: super::facts::Fact::Staff
    /// [`Fact::Here`]: super::facts::Fact::Here
    /// [`Fact::Work`]: super::facts::Fact::Work
    pub fn fold(&self, work: &mut Workspace, names: &mut Names, out: &mut Timeline) {
        self.fold_from(Start::Base, Millis::MAX, work, names, out);
    }

    /// The end of the same: what comes after the newest fact's stamp, so every deadline to come.
    /// Costs the same however many facts are held.
    pub fn ahead(&self, work: &mut Workspace, names: &mut Names, out: &mut Timeline) {
        let start = Start::Tip(self.history.len());
        self.fold_from(start, Millis::MAX, work, names, out);
    }

    /// Moves the checkpoint towards twice `settle_after` before `stream`. Call it when all posts up
    /// to `stream` were emitted.
    fn advance(&mut self, stream: Millis, work: &mut Workspace, names: &mut Names) {
        let settle_after = names.settings().settle_after;
        let to = stream - settle_after - settle_after;
        let oldest = self.history.oldest().unwrap_or(Millis::MAX);
        // Not at every event: it goes through all facts.
        if oldest < to - Span(settle_after.0 / 2) {
            self.forget(stream, work, names);
        }
    }

    /// Moves the checkpoint to twice `settle_after` before `stream` and drops the facts before it.
    /// Changes nothing that he contributes. Call it when all posts up to `stream` were emitted.
    pub fn forget(&mut self, stream: Millis, work: &mut Workspace, names: &mut Names) {
        let settings = names.settings();
        let (settle_after, retain) = (settings.settle_after, settings.retain);
        let to = stream - settle_after - settle_after;
        self.history.move_on(&mut self.base, to, work, names);
        let oldest = (to - retain).max(stream - gone::LONGEST);
        self.history.forget(to, oldest, &mut work.ids);
        if self.tip.at < to {
            self.tip.copy_from(&self.base);
        }
    }

    /// The stream time from which on [`Self::forget`] leaves nothing of what is held now, if nothing
    /// more comes; [`Millis::MAX`] where no fact is held. An agent whose shift is over would hold it for
    /// ever otherwise. Until `retain` has passed, an event that comes again is known again.
    pub fn forgets(&self, settings: &StateSettings) -> Millis {
        self.history.forgets(settings.settle_after, settings.retain)
    }

    /// Facts held, and contacts of facts that are gone.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> (usize, usize) {
        self.history.remembered()
    }

    /// The fact that an event states; `None` if it is a duplicate.
    fn read(
        &mut self,
        event: &AgentEvent<'_>,
        stream: Millis,
        names: &mut Names,
        hasher: &IdHasher,
    ) -> Option<Placing> {
        let settle_after = names.settings().settle_after;
        let mark = Mark::new(event.time, fact::rank(&event.kind));
        let known = self.history.position(&event.id);
        let standing = known.map(|known| self.history.fact(known));
        if standing.is_some_and(|fact| fact.mark <= mark) {
            return None;
        }
        let late = event.time < stream - settle_after;
        let fact = AgentFact {
            stamp: if late { stream } else { event.time },
            mark,
            id: self.history.keep_id(&event.id),
            client: fact::client(event, names),
            change: fact::change(event, names, hasher),
        };
        Some((fact, known))
    }

    /// Lets the tip pass to just before a fact's stamp, and tells whether nothing happened by time
    /// alone after it up to `stream`: nothing that was posted has to be taken back.
    fn is_still(&mut self, stamp: Millis, stream: Millis, names: &Names) -> bool {
        let settings = names.settings();
        let state = &mut self.tip.state;
        state.pass_until(stamp - Span(1), settings);
        let next = state.deadline(settings.agent_ttl);
        stamp == stream || next.is_none_or(|due| due > stream)
    }

    /// Executes a fact that may follow all others upon the tip, which stands just before it, and
    /// posts what that changes. Returns the deadline after `stream`, and whether it is the newest fact.
    fn step(
        &mut self,
        fact: AgentFact,
        stream: Millis,
        names: &mut Names,
        work: &mut Workspace,
    ) -> (Millis, bool) {
        let settings = names.settings();
        let (agent_ttl, noted) = (settings.agent_ttl, settings.list_agents);
        let Self { tip, history, .. } = self;
        let Checkpoint { at, state } = tip;
        *at = fact.stamp;
        let place = history.place(fact, None);
        state.noting(*at, noted, |state| {
            state.expire_until(*at, agent_ttl);
            work.level.read(state, names);
            history.execute_at(place, state, names);
        });
        state.serves(names, &mut work.set);
        work.state.copy_from(state);
        let mut now = *at;
        let mut posts = std::mem::take(&mut work.posts);
        work.let_pass(&mut now, stream, agent_ttl, names, &mut posts);
        work.go_on(&mut now, Millis::MAX, names, &mut posts);
        work.posts = posts;
        let next = work.state.deadline(agent_ttl).unwrap_or(Millis::MAX);
        work.name_ahead(&self.tip.state, names);
        (next, place + 1 == self.history.len())
    }

    /// Puts a fact in its place and posts the difference that it makes; from the tip, if it changes
    /// nothing before. Returns the deadline after `stream`, and whether it is the newest fact.
    fn refold(
        &mut self,
        (fact, replaces): Placing,
        from_tip: bool,
        stream: Millis,
        names: &mut Names,
        work: &mut Workspace,
    ) -> (Millis, bool) {
        let start = if from_tip {
            Start::Tip(self.history.len())
        } else {
            Start::Base
        };
        let mut before = std::mem::take(&mut work.before);
        let mut after = std::mem::take(&mut work.after);
        self.fold_from(start, stream, work, names, &mut before);
        let place = self.history.place(fact, replaces);
        let newest = place + 1 == self.history.len();
        let next = self.fold_from(start, stream, work, names, &mut after);
        difference(&before.posts, &after.posts, &mut work.posts);
        (work.before, work.after) = (before, after);
        if !from_tip {
            self.tip.copy_from(&self.base);
        }
        let Self { tip, history, .. } = self;
        history.catch_up(tip, start, work, names);
        work.name_ahead(&tip.state, names);
        (next, newest)
    }

    /// Folds from a checkpoint up to a stamp; returns the deadline after it.
    fn fold_from(
        &self,
        start: Start,
        until: Millis,
        work: &mut Workspace,
        names: &mut Names,
        out: &mut Timeline,
    ) -> Millis {
        out.clear();
        let settings = names.settings();
        let agent_ttl = settings.agent_ttl;
        let from = match start {
            Start::Base => &self.base,
            Start::Tip(_) => &self.tip,
        };
        let steps = &mut work.steps;
        self.history
            .plan(from.at, start, steps, settings.settle_after);
        work.state.copy_from(&from.state);
        work.level.read(&mut work.state, names);
        let mut now = from.at;
        for index in 0..=work.steps.len() {
            let step = work.steps.get(index).copied();
            let stamp = step.map_or(until, |step| step.stamp);
            work.let_pass(&mut now, stamp, agent_ttl, names, &mut out.posts);
            work.go_on(&mut now, stamp, names, &mut out.posts);
            if let Some(step) = step {
                self.history.execute(step, &mut work.state, names);
            }
        }
        work.go_on(&mut now, Millis::MAX, names, &mut out.posts);
        work.state.deadline(agent_ttl).unwrap_or(Millis::MAX)
    }
}

impl Workspace {
    /// Gives numbers to a state and to what deadlines alone will lead to from there, so that a view
    /// gives none: numbers follow from the log, whoever looks when.
    fn name_ahead(&mut self, from: &State, names: &mut Names) {
        let agent_ttl = names.settings().agent_ttl;
        self.next.name(from, names);
        // Without a contact only silence is left, which ends every profile.
        if from.turns.is_empty() {
            return;
        }
        self.state.copy_from(from);
        while !self.state.turns.is_empty()
            && let Some(due) = self.state.deadline(agent_ttl)
        {
            self.state.expire(due, agent_ttl);
            self.next.name(&self.state, names);
        }
    }

    /// Executes the deadlines up to a stamp.
    fn let_pass(
        &mut self,
        now: &mut Millis,
        stamp: Millis,
        agent_ttl: Span,
        names: &mut Names,
        out: &mut Vec<Post>,
    ) {
        while let Some(due) = self.state.deadline(agent_ttl).filter(|due| *due <= stamp) {
            self.go_on(now, due, names, out);
            self.state.expire(due, agent_ttl);
        }
    }

    /// Goes on to a later stamp: what changed at `now` is posted.
    fn go_on(&mut self, now: &mut Millis, stamp: Millis, names: &mut Names, out: &mut Vec<Post>) {
        if stamp <= *now {
            return;
        }
        self.next.read(&mut self.state, names);
        self.level.post_change(&self.next, *now, names, out);
        std::mem::swap(&mut self.level, &mut self.next);
        *now = stamp;
    }
}
