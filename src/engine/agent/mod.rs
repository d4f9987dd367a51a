//! One agent: what he declared and the contacts at him, folded into time in state.
//!
//! Like a contact, an agent is a set of facts and a pure fold over it (`docs/events.md`, "Agent
//! events"): whatever order the same facts arrive in, the figures are the same. Unlike a contact he
//! never ends, so facts that nothing can change any more are moved into a *checkpoint*, the state
//! that they led to; a fold begins there.
//!
//! A fact up to `settle_after` late is put in its place, and a snapshot among them may say what was
//! up to `settle_after` before it. So the checkpoint follows stream time at twice `settle_after`. A
//! second one, just before the newest fact, makes a fact in order cost the same however many are
//! held.
//!
//! Rejected: a state machine fed in order of arrival, which has to guess at what a fact out of order
//! would have changed. Cost: the facts of ten to fifteen minutes, and 24 bytes for each contact of
//! the last `retain`, which tell whether a fact that comes too late has been overtaken.

mod fact;
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

use crate::event::{AgentEvent, Millis};

use super::difference::difference;
use super::facts::Post;
use super::ids::IdHasher;
use super::names::{Names, SetInfo};
use super::timeline::Timeline;
use fact::AgentFact;
use history::{History, Step};
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
    /// The same just before the newest fact; follows from the others.
    near: Checkpoint,
    /// The facts from `base.at` on.
    history: History,
}

/// A state with every fact and deadline before its time executed.
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
        let mut before = std::mem::take(&mut work.before);
        let mut after = std::mem::take(&mut work.after);
        let mut inserted = Inserted::Duplicate;
        if let Some(placing) = self.read(event, stream, names, hasher) {
            self.begin_near(&placing, work, names);
            if self.is_still(stream, names) {
                before.clear();
            } else {
                self.fold_from(&self.near, stream, work, names, &mut before);
            }
            inserted = self.place(placing);
        }
        let next = self.fold_from(&self.near, stream, work, names, &mut after);
        if inserted != Inserted::Duplicate {
            work.name_ahead(names);
            difference(&before.posts, &after.posts, &mut work.posts);
            self.advance(stream, work, names);
        }
        work.before = before;
        work.after = after;
        Applied { inserted, next }
    }

    /// Takes an event in and nothing more, for who folds before and after by himself. `stream` may
    /// be taken before or after the event: one that advances it is never late.
    pub fn insert(
        &mut self,
        event: &AgentEvent<'_>,
        stream: Millis,
        names: &mut Names,
        hasher: &IdHasher,
    ) -> Inserted {
        let placing = self.read(event, stream, names, hasher);
        placing.map_or(Inserted::Duplicate, |placing| {
            self.near.copy_from(&self.base);
            self.place(placing)
        })
    }

    /// Everything that the agent contributes from the checkpoint on if no further event comes:
    /// [`Fact::Staff`], [`Fact::Here`] and [`Fact::Work`], in order of stamp, deadlines included.
    ///
    /// [`Fact::Staff`]: super::facts::Fact::Staff
    /// [`Fact::Here`]: super::facts::Fact::Here
    /// [`Fact::Work`]: super::facts::Fact::Work
    pub fn fold(&self, work: &mut Workspace, names: &mut Names, out: &mut Timeline) {
        self.fold_from(&self.base, Millis::MAX, work, names, out);
    }

    /// The end of the same: from the newest fact's stamp or an earlier one on, so with every
    /// deadline to come. Costs the same however many facts are held.
    pub fn ahead(&self, work: &mut Workspace, names: &mut Names, out: &mut Timeline) {
        self.fold_from(&self.near, Millis::MAX, work, names, out);
    }

    /// Moves the checkpoint towards twice `settle_after` before `stream`. Call it when all posts up
    /// to `stream` were emitted, and never between two folds that are compared.
    pub fn advance(&mut self, stream: Millis, work: &mut Workspace, names: &mut Names) {
        let settings = names.settings();
        let (settle_after, retain) = (settings.settle_after, settings.retain);
        let to = stream - settle_after - settle_after;
        let oldest = self.history.oldest().unwrap_or(Millis::MAX);
        // Not at every event: it goes through all facts.
        if oldest < to - settle_after {
            self.history.move_on(&mut self.base, to, work, names);
            self.history.forget(to, to - retain);
            if self.near.at < to {
                self.near.copy_from(&self.base);
            }
        }
        if let Some(newest) = self.history.newest() {
            self.history.move_on(&mut self.near, newest, work, names);
        }
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
        let rank = fact::rank(&event.kind);
        let known = self.history.position(&event.id);
        let standing = known.map(|known| self.history.fact(known));
        if standing.is_some_and(|fact| (fact.said, fact.rank) <= (event.time, rank)) {
            return None;
        }
        let late = event.time < stream - settle_after;
        let fact = AgentFact {
            stamp: if late { stream } else { event.time },
            said: event.time,
            rank,
            id: self.history.keep_id(&event.id),
            client: fact::client(event, names),
            change: fact::change(event, names, hasher),
        };
        Some((fact, known))
    }

    /// Puts the near checkpoint just before the first stamp that a fact can change: of one in order
    /// that is its own, or as far back as it says since when a contact is in its state.
    fn begin_near(&mut self, placing: &Placing, work: &mut Workspace, names: &mut Names) {
        let (fact, replaces) = placing;
        let reach = fact.reach(names.settings().settle_after);
        let in_order = replaces.is_none() && self.history.is_newest(fact);
        if in_order && reach >= self.near.at {
            self.history.move_on(&mut self.near, reach, work, names);
        } else {
            self.near.copy_from(&self.base);
        }
    }

    /// Whether nothing happens from the near checkpoint up to a stamp: its fold would be empty.
    fn is_still(&self, until: Millis, names: &Names) -> bool {
        let deadline = self.near.state.deadline(names.settings().agent_ttl);
        self.history.newest() < Some(self.near.at) && deadline.is_none_or(|due| due > until)
    }

    fn place(&mut self, (fact, replaces): Placing) -> Inserted {
        let late = fact.late();
        match (late, self.history.place(fact, replaces)) {
            (true, _) => Inserted::Late,
            (false, true) => Inserted::Appended,
            (false, false) => Inserted::Between,
        }
    }

    /// Folds from a checkpoint up to a stamp; returns the deadline after it.
    fn fold_from(
        &self,
        from: &Checkpoint,
        until: Millis,
        work: &mut Workspace,
        names: &mut Names,
        out: &mut Timeline,
    ) -> Millis {
        out.clear();
        let settings = names.settings();
        let agent_ttl = settings.agent_ttl;
        let steps = &mut work.steps;
        self.history.plan(from.at, steps, settings.settle_after);
        work.state.copy_from(&from.state);
        work.level.read(&mut work.state, names);
        let mut now = from.at;
        for index in 0..=work.steps.len() {
            let step = work.steps.get(index).copied();
            let stamp = step.map_or(until, |step| step.stamp);
            while let Some(due) = work.state.deadline(agent_ttl).filter(|due| *due <= stamp) {
                work.go_on(&mut now, due, names, out);
                work.state.expire(due, agent_ttl);
            }
            work.go_on(&mut now, stamp, names, out);
            if let Some(step) = step {
                self.history.execute(step, &mut work.state, names);
            }
        }
        work.go_on(&mut now, Millis::MAX, names, out);
        work.state.deadline(agent_ttl).unwrap_or(Millis::MAX)
    }
}

impl Workspace {
    /// Gives numbers to what deadlines alone will lead to, so that a view of it gives none: numbers
    /// follow from the log, whoever looks when.
    fn name_ahead(&mut self, names: &mut Names) {
        let agent_ttl = names.settings().agent_ttl;
        while let Some(due) = self.state.deadline(agent_ttl) {
            self.state.expire(due, agent_ttl);
            self.next.read(&mut self.state, names);
            self.next.name(names);
        }
    }

    /// Goes on to a later stamp: what changed at `now` is posted.
    fn go_on(&mut self, now: &mut Millis, stamp: Millis, names: &mut Names, out: &mut Timeline) {
        if stamp <= *now {
            return;
        }
        self.next.read(&mut self.state, names);
        self.level.post_change(&self.next, *now, names, out);
        std::mem::swap(&mut self.level, &mut self.next);
        *now = stamp;
    }
}
