//! To which visit and leg a fact belongs.

use super::Fold;
use super::visit::{Exit, Leg, Visit};
use crate::engine::contact::record::{Code, Record};
use crate::engine::names::QueueIdNo;

impl Fold<'_> {
    /// The visit in force: the latest begun.
    pub(super) fn in_force(&self) -> Option<usize> {
        self.latest(|_| true)
    }

    /// The latest visit begun that is as asked.
    pub(super) fn latest(&self, like: impl Fn(&Visit) -> bool) -> Option<usize> {
        self.latest_with(|_, visit| like(visit))
    }

    fn latest_with(&self, like: impl Fn(usize, &Visit) -> bool) -> Option<usize> {
        let visits = self.scratch.visits.iter().enumerate();
        visits
            .filter(|(index, visit)| visit.begun != 0 && like(*index, visit))
            .max_by_key(|(_, visit)| visit.begun)
            .map(|(index, _)| index)
    }

    /// The latest visit begun in a queue.
    pub(super) fn latest_of(&self, queue: QueueIdNo) -> Option<usize> {
        self.latest(|visit| visit.queue == Some(queue))
    }

    /// "A fact belongs to the visit that it names; else to the latest visit of the queue that it
    /// names begun by its `time`; else to the visit in force."
    pub(super) fn visit_of(&mut self, fact: &Record) -> Option<usize> {
        if fact.visit == 0 {
            self.visit_unnamed(fact)
        } else {
            Some(self.numbered(fact.visit))
        }
    }

    /// The same for a fact that names no visit. Before its queue is asked, `transferred` belongs
    /// "to the latest answered visit".
    fn visit_unnamed(&self, fact: &Record) -> Option<usize> {
        let transferred = fact.code == Code::Transferred;
        self.latest(|visit| transferred && visit.exit == Exit::Answered)
            .or_else(|| fact.queue().and_then(|queue| self.latest_of(queue)))
            .or_else(|| self.in_force())
    }

    /// The visit of a number, begun or not.
    pub(super) fn numbered(&mut self, number: u32) -> usize {
        let visits = &mut self.scratch.visits;
        let known = visits.iter().position(|visit| visit.number == number);
        known.unwrap_or_else(|| {
            visits.push(Visit {
                number,
                ..Visit::default()
            });
            visits.len() - 1
        })
    }

    /// "A visit that no fact numbers gets the next number."
    pub(super) fn next_visit(&mut self) -> usize {
        let numbers = self.scratch.visits.iter().map(|visit| visit.number);
        self.numbered(numbers.max().unwrap_or(0).saturating_add(1))
    }

    /// Whether a fact begins a visit: "`queued` in another queue or naming another visit; `answered`
    /// naming a queue without a visit; `dequeued` with `queued_at`" likewise.
    pub(super) fn begins(&self, fact: &Record) -> bool {
        match fact.code {
            Code::Queued if fact.visit == 0 => self.waiting_in(fact.queue()).is_none(),
            Code::Queued | Code::Answered => self.is_of_no_visit(fact),
            Code::Dequeued => self.facts.queued_at(fact).is_some() && self.is_of_no_visit(fact),
            _ => false,
        }
    }

    /// The visit that waits in a queue.
    pub(super) fn waiting_in(&self, queue: Option<QueueIdNo>) -> Option<usize> {
        self.latest(|visit| visit.is_waiting() && visit.queue == queue)
    }

    /// Whether no visit begun is the one that a fact names, by number or by queue. A visit that
    /// `dequeued` ended before anything began it begins by its `queued` only: an `answered` of it is
    /// a conflict, and a conflict begins nothing.
    fn is_of_no_visit(&self, fact: &Record) -> bool {
        if fact.visit != 0 {
            let begun_or_left = |visit: &Visit| {
                let left = matches!(visit.exit, Exit::Left(_)) && visit.exit_at != fact.time;
                let refused = fact.code == Code::Answered && left;
                visit.number == fact.visit && (visit.begun != 0 || refused)
            };
            return !self.scratch.visits.iter().any(begun_or_left);
        }
        match fact.queue() {
            Some(queue) => self.latest_of(queue).is_none(),
            None => self.in_force().is_none(),
        }
    }

    /// Whether an end that names no visit has an earlier visit, still open, to go to.
    pub(super) fn ends_something_open(&self, fact: &Record) -> bool {
        if fact.code != Code::Dequeued && self.leg_of_agent(fact).is_some() {
            return true;
        }
        self.visit_unnamed(fact).is_some_and(|visit| {
            self.scratch.visits[visit].is_waiting()
                || self.legs_of(visit).any(|(_, leg)| leg.is_open())
        })
    }

    fn legs_of(&self, visit: usize) -> impl Iterator<Item = (usize, &Leg)> {
        let legs = self.scratch.legs.iter().enumerate();
        legs.filter(move |(_, leg)| leg.visit == visit)
    }

    /// "`ended`, `held`, `resumed`, `transferred`, `wrapped_up` that name no visit belong to the
    /// latest visit (of the queue that they name) with a leg of that agent that they can act on;
    /// without `agent_id`, with an open leg (`wrapped_up`: one ended, not wrapped up)."
    pub(super) fn leg_of_agent(&self, fact: &Record) -> Option<usize> {
        let queue = fact.queue();
        let visit = self.latest_with(|index, visit| {
            (queue.is_none() || visit.queue == queue) && self.leg_in(index, fact).is_some()
        })?;
        self.leg_in(visit, fact)
    }

    /// The leg of a visit that a fact acts on. "Several legs open and no `agent_id`: the one begun
    /// first. A leg of an unknown agent is any agent's": after all that are the agent's own, that
    /// which a blind `transferred` ended and whose `ended` is still to come among them.
    pub(super) fn leg_in(&self, visit: usize, fact: &Record) -> Option<usize> {
        let agent = self.facts.agent(fact);
        let mine = |leg: &Leg| agent.is_empty() || self.agent_of(leg) == agent;
        let anyones = |leg: &Leg| self.agent_of(leg).is_empty();
        let first = |can: fn(&Leg) -> bool, whose: &dyn Fn(&Leg) -> bool| {
            let mut legs = self.legs_of(visit);
            legs.find(|(_, leg)| can(leg) && whose(leg))
                .map(|(index, _)| index)
        };
        let of = |whose: &dyn Fn(&Leg) -> bool| match fact.code {
            Code::WrappedUp => first(Leg::can_wrap_up, whose),
            Code::Ended if !agent.is_empty() => {
                first(Leg::is_open, whose).or_else(|| first(Leg::awaits_its_ended, whose))
            }
            _ => first(Leg::is_open, whose),
        };
        of(&mine).or_else(|| of(&anyones))
    }

    /// The agent of a leg; empty if unknown.
    pub(super) fn agent_of(&self, leg: &Leg) -> &[u8] {
        self.facts.agent(&self.facts.records[leg.answered])
    }
}
