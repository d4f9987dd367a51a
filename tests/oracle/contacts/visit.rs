//! A stay in a queue and the agents' parts of it, and what facts do to them.

use super::super::AfterContact;
use super::fact::Fact;

/// One agent's part of a visit.
#[derive(Clone, Debug)]
pub struct Leg {
    pub agent: Option<String>,
    pub begin: i64,
    pub end: Option<i64>,
    pub held_since: Option<i64>,
    pub held: i64,
    pub talk_ms: Option<i64>,
    pub hold_ms: Option<i64>,
    /// Ended by its blind `transferred`, and no `ended` came yet.
    pub by_blind: bool,
    pub by_transfer: bool,
    /// It ended after a `transferred` of its visit.
    pub after_transfer: bool,
    pub wrapped: Option<(i64, Option<i64>)>,
}

impl Leg {
    fn is_of(&self, agent: Option<&String>) -> bool {
        agent.is_none() || self.agent.is_none() || self.agent.as_ref() == agent
    }

    pub(super) fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Whether this fact can act on the leg.
    fn takes(&self, fact: &Fact) -> bool {
        self.is_of(fact.agent.as_ref())
            && match fact.kind {
                "ended" => self.is_open() || (self.by_blind && fact.agent.is_some()),
                "wrapped_up" => !self.is_open() && self.wrapped.is_none(),
                _ => self.is_open(),
            }
    }

    pub(super) fn stop(&mut self, at: i64, transferred: bool) {
        self.after_transfer = transferred;
        if let Some(since) = self.held_since.take() {
            self.held += at - since;
        }
        self.end = Some(at);
    }

    /// Talk and hold, once ended.
    pub fn talk_and_hold(&self) -> (i64, i64) {
        let span = self.end.map_or(0, |end| end - self.begin);
        let hold = self.hold_ms.unwrap_or(self.held).max(0);
        let talk = self.talk_ms.unwrap_or(span - hold).max(0);
        (talk, hold)
    }

    /// When after-contact work is over and how long it took; `None`: nothing is posted.
    pub fn after(&self, rule: AfterContact, acw_max: i64) -> Option<(i64, i64)> {
        let end = self.end?;
        match rule {
            AfterContact::None => {
                let (at, acw) = self.wrapped?;
                acw.map(|acw| (at, acw.max(0)))
            }
            AfterContact::Timer(length) => Some((end + length, length)),
            AfterContact::Events => match self.wrapped {
                Some((at, acw)) if at <= end + acw_max => {
                    Some((at, acw.unwrap_or(at - end).max(0)))
                }
                _ => Some((end + acw_max, acw_max)),
            },
        }
    }
}

/// One stay in a queue.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    pub number: i64,
    pub begun: bool,
    pub queue: Option<String>,
    pub own: Vec<Fact>,
    /// The standing explicit outcome: time and name (`answered` among them).
    pub explicit: Option<(i64, String)>,
    pub implied: Option<(i64, String)>,
    pub legs: Vec<Leg>,
    pub alerts: Vec<String>,
    /// A `transferred` counted here.
    pub transferred: bool,
}

impl Visit {
    pub fn outcome(&self) -> Option<&(i64, String)> {
        self.explicit.as_ref().or(self.implied.as_ref())
    }

    pub fn is_answered(&self) -> bool {
        self.explicit
            .as_ref()
            .is_some_and(|(_, name)| name == "answered")
    }

    /// Whether it is a conflict: an `answered` of a visit that was left before. It begins nothing.
    pub(super) fn refuses(&self, fact: &Fact) -> bool {
        let left = |(at, name): &(i64, String)| name != "answered" && *at != fact.time;
        fact.kind == "answered" && self.explicit.as_ref().is_some_and(left)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.begun && self.outcome().is_none()
    }

    pub(super) fn queued(&self) -> Option<i64> {
        self.own
            .iter()
            .filter(|fact| fact.kind == "queued")
            .map(|fact| fact.time)
            .min()
    }

    /// `queued_at` of the standing outcome, else `queued`, else the exit.
    pub fn entry(&self) -> Option<i64> {
        let stands = |fact: &&Fact| match &self.explicit {
            Some((_, name)) if name == "answered" => fact.kind == "answered",
            Some((_, name)) => fact.kind == "dequeued" && fact.outcome.as_ref() == Some(name),
            None => false,
        };
        let stated = self
            .own
            .iter()
            .filter(stands)
            .find_map(|fact| fact.queued_at);
        stated
            .or_else(|| self.queued())
            .or_else(|| self.outcome().map(|(at, _)| *at))
    }
}

/// The leg of a visit that a fact can act on: the agent's own first, then the one begun first; an
/// open one before one that a blind transfer ended.
pub(super) fn leg_in(visit: &Visit, fact: &Fact) -> Option<usize> {
    let can = |leg: &usize| visit.legs[*leg].takes(fact);
    let own = |leg: &usize| visit.legs[*leg].agent == fact.agent;
    let open = |leg: &usize| visit.legs[*leg].is_open();
    let all = || (0..visit.legs.len()).filter(can);
    all()
        .find(|leg| own(leg) && open(leg))
        .or_else(|| all().find(own))
        .or_else(|| all().find(open))
        .or_else(|| all().next())
}

pub(super) fn answer(visit: &mut Visit, fact: &Fact) {
    let over_dequeued = visit
        .explicit
        .as_ref()
        .is_some_and(|(at, _)| *at == fact.time);
    if visit.explicit.is_none() || over_dequeued {
        visit.explicit = Some((fact.time, "answered".to_owned()));
    }
    if !visit.is_answered() {
        return;
    }
    let has_leg = visit
        .legs
        .iter()
        .any(|leg| leg.is_open() && leg.is_of(fact.agent.as_ref()));
    if !has_leg {
        visit.legs.push(Leg {
            agent: fact.agent.clone(),
            begin: fact.time,
            end: None,
            held_since: None,
            held: 0,
            talk_ms: None,
            hold_ms: None,
            by_blind: false,
            by_transfer: false,
            after_transfer: false,
            wrapped: None,
        });
    }
}

pub(super) fn act_on_leg(visit: &mut Visit, fact: &Fact) {
    let Some(at) = leg_in(visit, fact) else {
        return;
    };
    let leg = &mut visit.legs[at];
    match fact.kind {
        "held" => leg.held_since = leg.held_since.or(Some(fact.time)),
        "resumed" => {
            if let Some(since) = leg.held_since.take() {
                leg.held += fact.time - since;
            }
        }
        "transferred" if fact.blind => {
            leg.stop(fact.time, visit.transferred);
            leg.by_blind = true;
        }
        "ended" => {
            leg.talk_ms = fact.talk;
            leg.hold_ms = fact.hold;
            leg.by_blind = false;
            if leg.is_open() {
                leg.stop(fact.time, visit.transferred);
                leg.by_transfer = fact.by.as_deref() == Some("transfer");
            }
        }
        "wrapped_up" => leg.wrapped = Some((fact.time, fact.acw)),
        _ => {}
    }
}
