//! What a fact does to the visit and the leg that it belongs to.

use super::Fold;
use super::visit::{Alert, Exit, Leg, LegEnd, Level, Mark, MarkKind, Visit};
use crate::engine::contact::record::{Code, Record};
use crate::event::{EndedBy, FlowOut, Millis, Outcome, Span};

/// How a leg ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// By `ended` or `closed`.
    Ended { transfer: bool },
    /// By a blind `transferred`.
    Blind,
    /// By the sweep.
    Swept,
}

impl Fold<'_> {
    /// Takes one fact and counts it if it had no effect.
    pub(super) fn take(&mut self, index: usize) {
        let fact = self.facts.records[index];
        let effect = self.effect(index, &fact);
        self.odd.no_effect += u32::from(!effect);
    }

    fn effect(&mut self, index: usize, fact: &Record) -> bool {
        match fact.code {
            Code::Queued => self.queued(fact),
            Code::Alerting => self.alerting(index, fact),
            Code::AlertFailed => self.alert_failed(fact),
            Code::Answered => self.answered(index, fact),
            Code::Dequeued => self.dequeued(fact),
            Code::Held => self.held(fact),
            Code::Resumed => self.resumed(fact),
            Code::Transferred => self.transferred(fact),
            Code::Ended => self.ended(fact),
            Code::WrappedUp => self.wrapped_up(fact),
            Code::Closed => self.close(fact),
            Code::Created
            | Code::Responded
            | Code::Resolved
            | Code::Dialled
            | Code::CallbackScheduled
            | Code::CallbackAttempted
            | Code::Rated
            | Code::Complained => true,
        }
    }

    /// Notes what a visit's own facts say of its queue, channel and direction.
    fn own(&mut self, visit: usize, fact: &Record) {
        let visit = &mut self.scratch.visits[visit];
        visit.queue = visit.queue.or(fact.queue());
        visit.callback = visit.callback.or(fact.callback());
        visit.direction = visit.direction.or(fact.direction());
    }

    /// "A fact that begins a visit implies `overflow` for a waiting one, stamped with its own
    /// `time`."
    fn begin(&mut self, visit: usize, at: Millis) {
        self.imply(Outcome::FlowedOut(FlowOut::Overflow), at);
        self.begun += 1;
        self.scratch.visits[visit].begun = self.begun;
    }

    /// Every waiting visit leaves its queue by an outcome that gives way to an explicit one.
    fn imply(&mut self, outcome: Outcome, at: Millis) -> bool {
        let mut implied = false;
        for visit in &mut self.scratch.visits {
            if visit.is_waiting() {
                (visit.exit, visit.exit_at) = (Exit::Implied(outcome), at);
                implied = true;
            }
        }
        implied
    }

    /// "`queued` in the same queue before any outcome is a duplicate, and the earlier time stands.
    /// `queued` after an outcome is a new visit."
    fn queued(&mut self, fact: &Record) -> bool {
        let visit = if fact.visit != 0 {
            self.numbered(fact.visit)
        } else {
            if let Some(same) = self.waiting_in(fact.queue()) {
                self.own(same, fact);
                return false;
            }
            self.next_visit()
        };
        self.own(visit, fact);
        if self.scratch.visits[visit].queued.is_some() {
            return false;
        }
        let state = &mut self.scratch.visits[visit];
        state.queued = Some(fact.time);
        // "A visit's queue is that of its `queued`."
        state.queue = fact.queue().or(state.queue);
        if state.begun == 0 {
            self.begin(visit, fact.time);
        }
        true
    }

    fn alerting(&mut self, index: usize, fact: &Record) -> bool {
        let Some(visit) = self.visit_of(fact) else {
            return false;
        };
        self.own(visit, fact);
        if self.open_alert(visit, fact).is_some() {
            return false;
        }
        self.scratch.alerts.push(Alert {
            visit,
            alerting: index,
            open: true,
        });
        self.edge(visit, fact.time, Level::OpenAlerts, 1);
        true
    }

    fn alert_failed(&mut self, fact: &Record) -> bool {
        let Some(visit) = self.visit_of(fact) else {
            return false;
        };
        self.own(visit, fact);
        if let Some(alert) = self.open_alert(visit, fact) {
            self.scratch.alerts[alert].open = false;
            self.edge(visit, fact.time, Level::OpenAlerts, -1);
        }
        self.mark(visit, fact.time, MarkKind::AlertFailed);
        true
    }

    fn open_alert(&self, visit: usize, fact: &Record) -> Option<usize> {
        let agent = self.facts.agent(fact);
        let records = self.facts.records;
        self.scratch.alerts.iter().position(|alert| {
            alert.visit == visit
                && alert.open
                && self.facts.agent(&records[alert.alerting]) == agent
        })
    }

    fn mark(&mut self, visit: usize, at: Millis, what: MarkKind) {
        self.scratch.marks.push(Mark { visit, at, what });
    }

    /// "`answered` naming a queue without a visit begins one there (wait 0, or from `queued_at`).
    /// The first outcome of a visit stands; a second, different one is a conflict; a conflicting
    /// `answered` begins no leg. An implied outcome gives way to an explicit one."
    fn answered(&mut self, index: usize, fact: &Record) -> bool {
        let visit = match (fact.visit, fact.queue()) {
            (0, Some(queue)) => self.latest_of(queue),
            (0, None) => self.in_force(),
            (number, _) => Some(self.numbered(number)),
        };
        let visit = visit.unwrap_or_else(|| self.next_visit());
        self.own(visit, fact);
        let state = &mut self.scratch.visits[visit];
        match state.exit {
            // "Within one visit, answered and dequeued at one instant: answered."
            Exit::Left(_) if state.exit_at == fact.time => self.odd.conflicts += 1,
            Exit::Left(_) => {
                self.odd.conflicts += 1;
                return false;
            }
            Exit::Waiting | Exit::Implied(_) | Exit::Answered | Exit::Swept => {}
        }
        if state.exit != Exit::Answered {
            (state.exit, state.exit_at) = (Exit::Answered, fact.time);
        }
        state.answered_from = state.answered_from.or(self.facts.queued_at(fact));
        if state.begun == 0 {
            self.begin(visit, fact.time);
        }
        self.begin_leg(visit, index, fact)
    }

    /// "An `answered` by an agent whose leg is open begins none."
    fn begin_leg(&mut self, visit: usize, index: usize, fact: &Record) -> bool {
        if self.leg_in(visit, fact).is_some() {
            return false;
        }
        self.scratch.legs.push(Leg {
            visit,
            answered: index,
            begun_at: fact.time,
            ended: None,
            held_since: None,
            hold: Span::ZERO,
            talk_stated: None,
            hold_stated: None,
            has_ended: false,
            wrapped_up: None,
        });
        self.edge(visit, fact.time, Level::OpenLegs, 1);
        true
    }

    /// "`dequeued` with neither `queued` nor `queued_at`: an orphan. With `queued_at` one fact is
    /// enough for the visit."
    fn dequeued(&mut self, fact: &Record) -> bool {
        let queued_at = self.facts.queued_at(fact);
        let visit = if queued_at.is_some() && self.begins(fact) && fact.visit == 0 {
            Some(self.next_visit())
        } else {
            self.visit_of(fact)
        };
        let Some(visit) = visit else {
            self.odd.orphans += 1;
            return false;
        };
        self.own(visit, fact);
        if queued_at.is_none() && self.is_orphan(visit) {
            self.odd.orphans += 1;
            return false;
        }
        let outcome = fact.outcome();
        let state = &mut self.scratch.visits[visit];
        match state.exit {
            Exit::Waiting | Exit::Implied(_) => {
                (state.exit, state.exit_at) = (Exit::Left(outcome), fact.time);
            }
            Exit::Left(standing) if standing == outcome => {
                state.dequeued_from = state.dequeued_from.or(queued_at);
                return false;
            }
            Exit::Left(_) | Exit::Answered | Exit::Swept => {
                self.odd.conflicts += 1;
                return false;
            }
        }
        state.dequeued_from = queued_at;
        if state.begun == 0 && queued_at.is_some() {
            self.begin(visit, fact.time);
        }
        true
    }

    /// Whether a `dequeued` without `queued_at` has no visit to end: none of its facts began it, and
    /// no `queued` of it ever will. An orphan is no outcome, so that a later `answered` stands.
    fn is_orphan(&self, visit: usize) -> bool {
        let Visit { number, begun, .. } = self.scratch.visits[visit];
        let mut records = self.facts.records.iter();
        begun == 0 && !records.any(|fact| fact.code == Code::Queued && fact.visit == number)
    }

    /// The leg that a fact of an agent's part acts on, in the visit that it names or by the agent.
    /// Without one the fact still belongs to a visit.
    fn part(&mut self, fact: &Record) -> (Option<usize>, Option<usize>) {
        if fact.visit == 0
            && let Some(leg) = self.leg_of_agent(fact)
        {
            return (Some(self.scratch.legs[leg].visit), Some(leg));
        }
        let visit = self.visit_of(fact);
        (visit, visit.and_then(|visit| self.leg_in(visit, fact)))
    }

    fn held(&mut self, fact: &Record) -> bool {
        let (visit, leg) = self.part(fact);
        if let Some(visit) = visit {
            self.own(visit, fact);
        }
        let Some(leg) = leg.filter(|&leg| self.scratch.legs[leg].held_since.is_none()) else {
            return false;
        };
        self.scratch.legs[leg].held_since = Some(fact.time);
        self.edge(self.scratch.legs[leg].visit, fact.time, Level::HeldLegs, 1);
        true
    }

    fn resumed(&mut self, fact: &Record) -> bool {
        let (visit, leg) = self.part(fact);
        if let Some(visit) = visit {
            self.own(visit, fact);
        }
        leg.is_some_and(|leg| self.end_hold(leg, fact.time))
    }

    fn end_hold(&mut self, leg: usize, at: Millis) -> bool {
        let leg = &mut self.scratch.legs[leg];
        let Some(since) = leg.held_since.take() else {
            return false;
        };
        leg.hold = Span(leg.hold.0 + (at - since).0);
        let visit = leg.visit;
        self.edge(visit, at, Level::HeldLegs, -1);
        true
    }

    /// "Counted at the queue of the answered visit; blind ends the agent's part, attended does
    /// not."
    fn transferred(&mut self, fact: &Record) -> bool {
        let (visit, leg) = self.part(fact);
        let Some(visit) = visit else {
            return false;
        };
        self.own(visit, fact);
        if self.scratch.visits[visit].exit != Exit::Answered {
            return false;
        }
        self.scratch.visits[visit].transferred = true;
        self.mark(visit, fact.time, MarkKind::Transferred);
        if let Some(leg) = leg
            && !fact.is_attended()
        {
            self.end_leg(leg, fact.time, How::Blind);
        }
        true
    }

    /// "Ends with that agent's `ended`; `ended` without `agent_id` ends the open leg. `ended` while
    /// waiting implies `abandoned` (by customer, or not said), else `error`."
    fn ended(&mut self, fact: &Record) -> bool {
        let (visit, leg) = self.part(fact);
        let Some(visit) = visit else {
            return false;
        };
        self.own(visit, fact);
        if let Some(leg) = leg {
            return self.end_part(leg, fact);
        }
        let state = &mut self.scratch.visits[visit];
        if !state.is_waiting() {
            return false;
        }
        let outcome = match fact.by() {
            Some(EndedBy::Customer) | None => Outcome::Abandoned,
            Some(_) => Outcome::FlowedOut(FlowOut::Error),
        };
        (state.exit, state.exit_at) = (Exit::Implied(outcome), fact.time);
        true
    }

    /// "An `ended` after its leg's blind `transferred` changes nothing but talk and hold, by its
    /// `talk_ms`, `hold_ms`."
    fn end_part(&mut self, leg: usize, fact: &Record) -> bool {
        let state = &mut self.scratch.legs[leg];
        state.talk_stated = self.facts.first_span(fact);
        state.hold_stated = self.facts.second_span(fact);
        state.has_ended = true;
        if state.is_open() {
            let transfer = fact.by() == Some(EndedBy::Transfer);
            self.end_leg(leg, fact.time, How::Ended { transfer });
        }
        true
    }

    /// Ends a leg, and the hold that it is in.
    pub(super) fn end_leg(&mut self, leg: usize, at: Millis, how: How) {
        self.end_hold(leg, at);
        let visit = self.scratch.legs[leg].visit;
        let transferred = self.scratch.visits[visit].transferred;
        self.scratch.legs[leg].ended = Some(LegEnd {
            at,
            blind: how == How::Blind,
            goes_on: transferred || how == How::Ended { transfer: true },
            swept: how == How::Swept,
        });
        self.edge(visit, at, Level::OpenLegs, -1);
    }

    fn wrapped_up(&mut self, fact: &Record) -> bool {
        let (visit, leg) = self.part(fact);
        if let Some(visit) = visit {
            self.own(visit, fact);
        }
        let Some(leg) = leg else {
            return false;
        };
        self.scratch.legs[leg].wrapped_up = Some((fact.time, self.facts.first_span(fact)));
        true
    }

    /// "`closed` ends open legs as `ended` would; while waiting it implies `abandoned`."
    fn close(&mut self, fact: &Record) -> bool {
        self.closed = self.closed.or(Some(fact.time));
        self.imply(Outcome::Abandoned, fact.time);
        for leg in 0..self.scratch.legs.len() {
            if self.scratch.legs[leg].is_open() {
                self.end_leg(leg, fact.time, How::Ended { transfer: false });
            }
        }
        true
    }
}
