//! The facts of an agent that are held, and what is executed when.

use serde::{Deserialize, Serialize};

use crate::engine::image::{Bounds, Fault, hold};
use crate::engine::names::Names;
use crate::engine::room;
use crate::event::{Millis, Span};

use super::fact::{self, AgentFact, Change, IdAt, Ids, Listed, Mark};
use super::gone::Gone;
use super::state::State;
use super::{Checkpoint, Workspace};

/// Facts in order, and what is remembered of those that are gone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct History {
    facts: Vec<AgentFact>,
    /// By fact, what tells most ids apart; close together, since every event asks all of them.
    prints: Vec<u32>,
    ids: Ids,
    gone: Gone,
}

/// Where a fold begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// At the checkpoint, with the facts from its time on.
    Base,
    /// At the tip, with the facts from this place on.
    Tip(usize),
}

/// What is executed at a stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    pub(super) stamp: Millis,
    /// `None`: the fact itself; else what the snapshot says of its n-th contact, at `since`. These
    /// go after all facts of their stamp.
    listed: Option<u32>,
    /// The fact's index.
    fact: u32,
}

impl History {
    /// What of it cannot be.
    pub(super) fn check(&self, bounds: &Bounds) -> Result<(), Fault> {
        hold(
            self.facts.len() == self.prints.len(),
            "a fact without a print",
        )?;
        for fact in &self.facts {
            self.ids.check(fact)?;
            fact.check(bounds)?;
        }
        self.gone.check()
    }

    /// The stamp of the oldest fact held.
    pub(super) fn oldest(&self) -> Option<Millis> {
        self.facts.first().map(|fact| fact.stamp)
    }

    /// How many facts are held.
    pub(super) fn len(&self) -> usize {
        self.facts.len()
    }

    /// Facts held, and contacts of facts that are gone.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize) {
        (self.facts.len(), self.gone.len())
    }

    /// Where the fact with this id is held, if any.
    pub(super) fn position(&self, id: &str) -> Option<usize> {
        let (id, print) = (id.as_bytes(), fact::print(id.as_bytes()));
        let mut places = self.prints.iter().zip(&self.facts);
        places.position(|(other, fact)| *other == print && self.ids.of(fact) == id)
    }

    /// The fact at a position.
    pub(super) fn fact(&self, position: usize) -> &AgentFact {
        &self.facts[position]
    }

    /// Keeps the bytes of an id.
    pub(super) fn keep_id(&mut self, id: &str) -> IdAt {
        self.ids.keep(id.as_bytes())
    }

    /// Whether a fact goes after all that are held.
    pub(super) fn is_newest(&self, fact: &AgentFact) -> bool {
        let newest = self.facts.last();
        newest.is_none_or(|newest| fact::order(newest, fact, &self.ids).is_lt())
    }

    /// Whether a fact, not before the instant of the newest, may be executed after all that are held:
    /// those that it goes before are of its instant, and it makes no difference which goes first. An
    /// agent's next contact alerts in the instant in which the last one is released.
    pub(super) fn may_follow(&self, fact: &AgentFact) -> bool {
        let after = |held: &&AgentFact| fact::order(held, fact, &self.ids).is_gt();
        let mut after = self.facts.iter().rev().take_while(after);
        after.all(|held| held.stamp == fact.stamp && fact.commutes_with(held))
    }

    /// Puts a fact in its place, taking out the one that it replaces. Returns the place.
    pub(super) fn place(&mut self, fact: AgentFact, replaces: Option<usize>) -> usize {
        if let Some(replaced) = replaces {
            self.facts.remove(replaced);
            self.prints.remove(replaced);
        }
        let before = |other: &AgentFact| fact::order(other, &fact, &self.ids).is_lt();
        let place = if self.is_newest(&fact) {
            self.facts.len()
        } else {
            self.facts.partition_point(before)
        };
        room::reserve(&mut self.prints, 1);
        self.prints.insert(place, fact::print(self.ids.of(&fact)));
        room::reserve(&mut self.facts, 1);
        self.facts.insert(place, fact);
        place
    }

    /// Executes the fact at a place alone upon a state.
    pub(super) fn execute_at(&self, place: usize, state: &mut State, names: &Names) {
        let newest = |contact| self.newest_of(contact, place);
        state.event(&self.facts[place], names, newest);
    }

    /// The earliest stamp at which a fact that follows all others changes anything; `tip` has
    /// executed these.
    pub(super) fn reach(&self, fact: &AgentFact, tip: &State, names: &Names) -> Millis {
        let Change::Snapshot(snapshot) = &fact.change else {
            return fact.stamp;
        };
        let settle_after = names.settings().settle_after;
        let before = snapshot.contacts.iter().flatten().filter_map(|listed| {
            let since = since(fact, listed, settle_after)?;
            let news = !tip.has_since(&listed.is, since, fact.stamp, names)
                && !self.contradicts(self.facts.len(), listed.is.contact, since);
            news.then_some(since)
        });
        before.min().unwrap_or(fact.stamp)
    }

    /// Lays out what is to be executed from a stamp on, in order.
    pub(super) fn plan(
        &self,
        from: Millis,
        start: Start,
        steps: &mut Vec<Step>,
        settle_after: Span,
    ) {
        steps.clear();
        let first = match start {
            Start::Base => self.facts.partition_point(|fact| fact.stamp < from),
            Start::Tip(first) => first,
        };
        let mut sorted = true;
        for (index, fact) in (0_u32..).zip(&self.facts).skip(first) {
            steps.push(Step {
                stamp: fact.stamp,
                listed: None,
                fact: index,
            });
            let Change::Snapshot(snapshot) = &fact.change else {
                continue;
            };
            for (number, listed) in (0_u32..).zip(snapshot.contacts.iter().flatten()) {
                let since = since(fact, listed, settle_after);
                let Some(stamp) = since.filter(|since| *since >= from) else {
                    continue;
                };
                if !self.contradicts(index as usize, listed.is.contact, stamp) {
                    sorted = false;
                    steps.push(Step {
                        stamp,
                        listed: Some(number),
                        fact: index,
                    });
                }
            }
        }
        if !sorted {
            steps.sort_unstable();
        }
    }

    /// Whether between `since` and a snapshot there is a fact of the contact or another snapshot
    /// with contacts: then the snapshot tells nothing of the time before it.
    ///
    /// Facts before the checkpoint are gone, so `since` must not be before it.
    fn contradicts(&self, snapshot: usize, contact: u64, since: Millis) -> bool {
        let earlier = self.facts[..snapshot].iter().rev();
        earlier
            .take_while(|fact| fact.stamp > since)
            .any(|fact| match &fact.change {
                Change::Contact(is, _) => is.contact == contact,
                Change::Snapshot(snapshot) => snapshot.contacts.is_some(),
                _ => false,
            })
    }

    /// Executes a step upon a state.
    pub(super) fn execute(&self, step: Step, state: &mut State, names: &Names) {
        let index = step.fact as usize;
        let fact = &self.facts[index];
        match (step.listed, &fact.change) {
            (Some(number), Change::Snapshot(snapshot)) => {
                if let Some(listed) = snapshot.contacts.iter().flatten().nth(number as usize) {
                    state.listed(&listed.is, step.stamp, fact.mark, names);
                }
            }
            _ => state.event(fact, names, |contact| self.newest_of(contact, index)),
        }
    }

    /// Moves a checkpoint on: everything before `to` is executed.
    pub(super) fn move_on(
        &self,
        checkpoint: &mut Checkpoint,
        to: Millis,
        work: &mut Workspace,
        names: &mut Names,
    ) {
        if to <= checkpoint.at {
            return;
        }
        let settings = names.settings();
        let steps = &mut work.steps;
        self.plan(checkpoint.at, Start::Base, steps, settings.settle_after);
        let before = work.steps.partition_point(|step| step.stamp < to);
        let state = &mut checkpoint.state;
        self.run(&work.steps[..before], state, names);
        state.pass_until(to - Span(1), settings);
        state.serves(names, &mut work.set);
        checkpoint.at = to;
    }

    /// Moves a checkpoint on to the newest fact: everything is executed.
    pub(super) fn catch_up(
        &self,
        checkpoint: &mut Checkpoint,
        start: Start,
        work: &mut Workspace,
        names: &mut Names,
    ) {
        let steps = &mut work.steps;
        self.plan(checkpoint.at, start, steps, names.settings().settle_after);
        let Checkpoint { at, state } = checkpoint;
        self.run(&work.steps, state, names);
        state.serves(names, &mut work.set);
        *at = work.steps.last().map_or(*at, |last| last.stamp.max(*at));
    }

    /// Executes steps upon a state, and the deadlines up to the last one.
    fn run(&self, steps: &[Step], state: &mut State, names: &Names) {
        let settings = names.settings();
        for steps in steps.chunk_by(|one, next| one.stamp == next.stamp) {
            let stamp = steps[0].stamp;
            state.pass_until(stamp - Span(1), settings);
            state.noting(stamp, settings.list_agents, |state| {
                for step in steps {
                    state.expire_until(stamp, settings.agent_ttl);
                    self.execute(*step, state, names);
                }
            });
        }
    }

    /// Drops the facts before `to`, remembering what they were about if said at `oldest` or later.
    pub(super) fn forget(&mut self, to: Millis, oldest: Millis, scratch: &mut Ids) {
        let leaving = self.facts.partition_point(|fact| fact.stamp < to);
        self.prints.drain(..leaving);
        self.gone.forget_before(oldest);
        for fact in self.facts.drain(..leaving) {
            match &fact.change {
                Change::Contact(is, _) => self.gone.remember(is.contact, fact.mark),
                Change::Snapshot(snapshot) => {
                    for listed in snapshot.contacts.iter().flatten() {
                        self.gone.remember(listed.is.contact, fact.mark);
                    }
                }
                _ => {}
            }
        }
        self.ids.compact(&mut self.facts, scratch);
        room::trim(&mut self.prints);
        room::trim(&mut self.facts);
    }

    /// From when on [`Self::forget`] leaves nothing: none of the facts is so new.
    pub(super) fn forgets(&self, settle_after: Span, retain: Span) -> Millis {
        let kept = Span(2 * settle_after.0 + retain.0 + 1);
        let newest = self.facts.last().map(|newest| newest.stamp);
        newest.map_or(Millis::MAX, |newest| newest + kept)
    }

    /// The newest mark of a contact before the fact at `index`, in force or overtaken.
    fn newest_of(&self, contact: u64, index: usize) -> Option<Mark> {
        let held = self.facts[..index]
            .iter()
            .filter(|fact| matches!(&fact.change, Change::Contact(is, _) if is.contact == contact));
        let gone = self.gone.newest_of(contact).into_iter();
        gone.chain(held.map(|fact| fact.mark)).max()
    }
}

/// Since when a snapshot says that a contact has been in its state, if that is before it: not more
/// than `settle_after`, and not if it came too late.
fn since(fact: &AgentFact, listed: &Listed, settle_after: Span) -> Option<Millis> {
    let since = listed
        .since
        .filter(|since| *since < fact.stamp && !fact.late())?;
    Some(since.max(fact.stamp - settle_after))
}
