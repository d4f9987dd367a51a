//! One contact: its facts, and what they come to.

use std::collections::BTreeMap;

use super::record::{CONTACT_TYPES, Record, time};
use super::{AfterContact, Row, Settings};

/// One fact of a contact.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    pub time: i64,
    pub kind: &'static str,
    pub rank: usize,
    pub id: String,
    pub visit: Option<i64>,
    pub queue: Option<String>,
    pub agent: Option<String>,
    pub channel: Option<String>,
    pub direction: Option<String>,
    pub outcome: Option<String>,
    pub queued_at: Option<i64>,
    pub by: Option<String>,
    pub blind: bool,
    pub talk: Option<i64>,
    pub hold: Option<i64>,
    pub acw: Option<i64>,
}

impl Fact {
    pub(super) fn of(record: &Record) -> Self {
        let rank = CONTACT_TYPES
            .iter()
            .position(|kind| *kind == record.kind)
            .expect("a contact event");
        Self {
            time: record.time,
            kind: &CONTACT_TYPES[rank]["contact.".len()..],
            rank,
            id: record.text("id").expect("checked"),
            visit: record.number("visit"),
            queue: record.text("queue_id"),
            agent: record.text("agent_id"),
            channel: record.text("channel"),
            direction: record.text("direction"),
            outcome: record.text("outcome"),
            queued_at: record.value.get("queued_at").and_then(time),
            by: record.text("by"),
            blind: record.text("kind").as_deref() == Some("blind"),
            talk: record.number("talk_ms"),
            hold: record.number("hold_ms"),
            acw: record.number("acw_ms"),
        }
    }

    fn is_end(&self) -> bool {
        ["dequeued", "transferred", "ended"].contains(&self.kind)
    }

    /// (visit, type, agent) where the fact names its visit and its type happens once, else the id.
    pub(super) fn identity(&self) -> String {
        let once = ["queued", "answered", "dequeued", "ended", "wrapped_up"].contains(&self.kind);
        let by_agent = ["answered", "ended", "wrapped_up"].contains(&self.kind);
        match self.visit {
            Some(visit) if once => {
                let agent = if by_agent { self.agent.clone() } else { None };
                format!("visit {visit} {} {agent:?}", self.kind)
            }
            _ => format!("id {}", self.id),
        }
    }

    fn order(&self) -> (i64, i64, usize, String) {
        (
            self.time,
            self.visit.unwrap_or(0),
            self.rank,
            self.id.clone(),
        )
    }
}

/// Of two facts of one identity the earlier stands; of equal times the smaller id.
pub(super) fn distinct(facts: &[Fact]) -> Vec<Fact> {
    let earliest = |facts: Vec<Fact>, key: fn(&Fact) -> String| -> Vec<Fact> {
        let mut kept: BTreeMap<String, Fact> = BTreeMap::new();
        for fact in facts {
            let standing = kept.entry(key(&fact)).or_insert_with(|| fact.clone());
            if (fact.time, &fact.id) < (standing.time, &standing.id) {
                *standing = fact;
            }
        }
        kept.into_values().collect()
    };
    let by_id = earliest(facts.to_vec(), |fact| fact.id.clone());
    let mut kept = earliest(by_id, Fact::identity);
    kept.sort_by_key(Fact::order);
    kept
}

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

    fn is_open(&self) -> bool {
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

    fn stop(&mut self, at: i64, transferred: bool) {
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
    fn refuses(&self, fact: &Fact) -> bool {
        let left = |(at, name): &(i64, String)| name != "answered" && *at != fact.time;
        fact.kind == "answered" && self.explicit.as_ref().is_some_and(left)
    }

    fn is_waiting(&self) -> bool {
        self.begun && self.outcome().is_none()
    }

    fn queued(&self) -> Option<i64> {
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

/// A contact, folded.
#[derive(Clone, Debug, Default)]
pub struct Contact {
    pub client: String,
    pub channel: String,
    pub direction: String,
    /// In the order in which they began.
    pub visits: Vec<Visit>,
    /// Counted at a visit: (visit's number, stamp).
    pub alert_failed: Vec<(i64, i64)>,
    pub transferred: Vec<(i64, i64)>,
    pub closed: Option<i64>,
    /// When it is over by its facts.
    pub over: Option<i64>,
    /// When it is swept if nothing more comes; `None` for one that is over.
    pub sweep: Option<i64>,
    /// Several visits without a number began at one instant: no telling them apart.
    pub doubtful: bool,
    /// An answered contact that no `wrapped_up` ever came for.
    pub lacks_wrap_up: bool,
}

impl Contact {
    /// The row and direction of a visit; `None` while its queue is not known.
    pub fn row(&self, visit: &Visit) -> Option<(Row, String)> {
        let callback = visit
            .own
            .iter()
            .any(|fact| fact.channel.as_deref() == Some("callback"));
        let own_direction = visit.own.iter().find_map(|fact| fact.direction.clone());
        let (channel, direction) = if callback {
            (
                "callback".to_owned(),
                own_direction.unwrap_or_else(|| "inbound".to_owned()),
            )
        } else {
            (self.channel.clone(), self.direction.clone())
        };
        let row = Row {
            client: self.client.clone(),
            queue: visit.queue.clone()?,
            channel,
        };
        Some((row, direction))
    }

    fn index(&self, number: i64) -> Option<usize> {
        self.visits.iter().position(|visit| visit.number == number)
    }

    fn in_force(&self) -> Option<usize> {
        self.visits.iter().rposition(|visit| visit.begun)
    }

    fn latest_of(&self, queue: &str) -> Option<usize> {
        self.visits
            .iter()
            .rposition(|visit| visit.begun && visit.queue.as_deref() == Some(queue))
    }

    /// Whether the fact, applied now, begins a visit.
    fn begins(&self, fact: &Fact) -> bool {
        let may = match fact.kind {
            "queued" | "answered" => true,
            "dequeued" => fact.queued_at.is_some(),
            _ => false,
        };
        if !may {
            return false;
        }
        if let Some(number) = fact.visit {
            return self
                .index(number)
                .is_none_or(|at| !self.visits[at].begun && !self.visits[at].refuses(fact));
        }
        match (fact.kind, &fact.queue) {
            ("queued", Some(queue)) => self.in_force().is_none_or(|at| {
                let visit = &self.visits[at];
                visit.outcome().is_some() || visit.queue.as_ref() != Some(queue)
            }),
            (_, Some(queue)) => self.latest_of(queue).is_none(),
            (_, None) => self.in_force().is_none(),
        }
    }

    /// The leg that an agent's fact without a visit acts on: of the latest visit that has one, the
    /// agent's own first, then the one begun first.
    fn leg_for(&self, fact: &Fact) -> Option<(usize, usize)> {
        let agents_doing = ["ended", "held", "resumed", "transferred", "wrapped_up"];
        if fact.visit.is_some() || !agents_doing.contains(&fact.kind) {
            return None;
        }
        (0..self.visits.len()).rev().find_map(|at| {
            let visit = &self.visits[at];
            let elsewhere = fact.queue.is_some() && fact.queue != visit.queue;
            if elsewhere {
                None
            } else {
                leg_in(visit, fact).map(|leg| (at, leg))
            }
        })
    }

    /// The visit that a fact without any beginning belongs to.
    fn belongs_to(&self, fact: &Fact) -> Option<usize> {
        if let Some(number) = fact.visit {
            return self.index(number);
        }
        if let Some((at, _)) = self.leg_for(fact) {
            return Some(at);
        }
        if fact.kind == "transferred" {
            let answered = self.visits.iter().rposition(Visit::is_answered);
            if answered.is_some() {
                return answered;
            }
        }
        let named = fact.queue.as_ref().and_then(|queue| self.latest_of(queue));
        named.or_else(|| self.in_force())
    }

    /// Whether an end without a visit finds a visit begun before and still open: one that waits or
    /// has an open leg, whoever's.
    fn finds_open(&self, fact: &Fact) -> bool {
        let open = |visit: &Visit| visit.is_waiting() || visit.legs.iter().any(Leg::is_open);
        self.leg_for(fact).is_some()
            || self
                .belongs_to(fact)
                .is_some_and(|at| open(&self.visits[at]))
    }

    fn begin(&mut self, fact: &Fact) {
        for visit in &mut self.visits {
            if visit.is_waiting() {
                visit.implied = Some((fact.time, "overflow".to_owned()));
            }
        }
        let next = self
            .visits
            .iter()
            .map(|visit| visit.number)
            .max()
            .unwrap_or(0)
            + 1;
        let number = fact.visit.unwrap_or(next);
        let stub = self.index(number).map(|at| self.visits.remove(at));
        let mut visit = stub.unwrap_or(Visit {
            number,
            ..Visit::default()
        });
        visit.begun = true;
        self.visits.push(visit);
    }

    fn apply(&mut self, fact: &Fact, has_queued: &[i64]) {
        if fact.kind == "closed" {
            return self.close(fact.time);
        }
        if self.begins(fact) {
            self.begin(fact);
            let last = self.visits.len() - 1;
            return self.act(last, fact, has_queued);
        }
        if let Some(at) = self.belongs_to(fact) {
            return self.act(at, fact, has_queued);
        }
        if let Some(number) = fact.visit {
            self.visits.insert(
                0,
                Visit {
                    number,
                    ..Visit::default()
                },
            );
            self.act(0, fact, has_queued);
        }
    }

    fn close(&mut self, at: i64) {
        self.closed = self.closed.or(Some(at));
        for visit in &mut self.visits {
            if visit.is_waiting() {
                visit.implied = Some((at, "abandoned".to_owned()));
            }
            for leg in visit.legs.iter_mut().filter(|leg| leg.is_open()) {
                leg.stop(at, visit.transferred);
            }
        }
    }

    /// A fact acts on its visit.
    fn act(&mut self, at: usize, fact: &Fact, has_queued: &[i64]) {
        let visit = &mut self.visits[at];
        visit.own.push(fact.clone());
        let queued_names = visit.own.iter().find(|fact| fact.kind == "queued");
        let names = queued_names.and_then(|fact| fact.queue.clone());
        visit.queue = names.or_else(|| visit.own.iter().find_map(|fact| fact.queue.clone()));
        match fact.kind {
            "alerting" if visit.outcome().is_none() => visit.alerts.extend(fact.agent.clone()),
            "alert_failed" => {
                visit
                    .alerts
                    .retain(|agent| Some(agent) != fact.agent.as_ref());
                self.alert_failed.push((visit.number, fact.time));
            }
            "answered" => answer(visit, fact),
            "dequeued" => {
                let orphan = fact.queued_at.is_none()
                    && visit.queued().is_none()
                    && !has_queued.contains(&visit.number);
                if !orphan && visit.explicit.is_none() {
                    visit.explicit = Some((fact.time, fact.outcome.clone().expect("checked")));
                }
            }
            "transferred" => {
                if visit.is_answered() {
                    visit.transferred = true;
                    self.transferred.push((visit.number, fact.time));
                }
                act_on_leg(visit, fact);
            }
            "ended" => {
                if visit.is_waiting() && leg_in(visit, fact).is_none() {
                    let customer = fact.by.as_deref().is_none_or(|by| by == "customer");
                    let name = if customer { "abandoned" } else { "error" };
                    visit.implied = Some((fact.time, name.to_owned()));
                }
                act_on_leg(visit, fact);
            }
            "wrapped_up" => {
                // Before its leg's end: nobody says whether it counts then.
                let open = visit.legs.iter().any(Leg::is_open);
                self.doubtful |= leg_in(visit, fact).is_none() && (open || !visit.is_answered());
                act_on_leg(visit, fact);
            }
            _ => act_on_leg(visit, fact),
        }
    }
}

/// The leg of a visit that a fact can act on: the agent's own first, then the one begun first; an
/// open one before one that a blind transfer ended.
fn leg_in(visit: &Visit, fact: &Fact) -> Option<usize> {
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

fn answer(visit: &mut Visit, fact: &Fact) {
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

fn act_on_leg(visit: &mut Visit, fact: &Fact) {
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

/// What the facts of one contact come to, if nothing more comes.
pub fn fold(client: &str, facts: &[Fact], settings: &Settings) -> Contact {
    let mut facts = distinct(facts);
    let mut contact = Contact {
        client: client.to_owned(),
        channel: facts
            .iter()
            .find_map(|fact| fact.channel.clone())
            .unwrap_or_else(|| "voice".to_owned()),
        direction: facts
            .iter()
            .find_map(|fact| fact.direction.clone())
            .unwrap_or_else(|| "inbound".to_owned()),
        ..Contact::default()
    };
    let has_queued: Vec<i64> = facts
        .iter()
        .filter(|fact| fact.kind == "queued")
        .filter_map(|fact| fact.visit)
        .collect();
    let wrapped = facts.iter().any(|fact| fact.kind == "wrapped_up");
    let mut from = 0;
    while from < facts.len() {
        let until = from
            + facts[from..]
                .iter()
                .take_while(|fact| fact.time == facts[from].time)
                .count();
        // A contact in flight without a fact for too long was swept: what comes after that counts
        // no more. A fact exactly at the sweep's stamp still does.
        let silence = if from > 0 {
            facts[from].time - facts[from - 1].time
        } else {
            0
        };
        if silence > settings.ghost(&contact.channel) && over(&contact, settings).is_none() {
            facts.truncate(from);
            break;
        }
        instant(&mut contact, &facts[from..until], &has_queued);
        from = until;
    }
    contact.lacks_wrap_up = !wrapped && contact.visits.iter().any(|visit| !visit.legs.is_empty());
    contact.over = over(&contact, settings);
    if contact.over.is_none() {
        let last = facts.iter().map(|fact| fact.time).max();
        contact.sweep = last.map(|last| last + settings.ghost(&contact.channel));
    }
    contact
}

/// The facts of one instant, in the order that events.md gives them. Whether a visit begins is asked
/// after the ends: a `queued` in the queue that a `dequeued` of the same instant left begins one.
fn instant(contact: &mut Contact, facts: &[Fact], has_queued: &[i64]) {
    let (closed, facts): (Vec<&Fact>, Vec<&Fact>) =
        facts.iter().partition(|fact| fact.kind == "closed");
    let mut ended = contact.clone();
    let later = ends_first(&mut ended, &facts, has_queued);
    if facts
        .iter()
        .chain(&later)
        .any(|fact| contact.begins(fact) || ended.begins(fact))
    {
        *contact = ended;
        let mut rest = Vec::new();
        let mut unnumbered = 0;
        for fact in later {
            if fact.visit.is_some() || contact.begins(fact) {
                unnumbered += usize::from(fact.visit.is_none());
                contact.doubtful |= unnumbered > 1;
                contact.apply(fact, has_queued);
            } else {
                rest.push(fact);
            }
        }
        rest.sort_by_key(|fact| (fact.is_end(), fact.rank, fact.id.clone()));
        // Wrapped up and ended at the instant of its beginning: nobody says which first.
        contact.doubtful |= rest.iter().any(|fact| fact.kind == "wrapped_up")
            && rest.iter().any(|fact| fact.is_end());
        for fact in rest {
            contact.doubtful |= contact.begins(fact);
            contact.apply(fact, has_queued);
        }
    } else {
        for fact in facts {
            contact.apply(fact, has_queued);
        }
    }
    for fact in closed {
        contact.apply(fact, has_queued);
    }
}

/// Applies the ends that find a visit begun before and still open; returns the other facts.
fn ends_first<'a>(contact: &mut Contact, facts: &[&'a Fact], has_queued: &[i64]) -> Vec<&'a Fact> {
    let mut later = Vec::new();
    for fact in facts {
        let end = fact.visit.is_none() && fact.is_end() && !contact.begins(fact);
        if end && contact.finds_open(fact) {
            contact.apply(fact, has_queued);
        } else {
            later.push(*fact);
        }
    }
    later
}

/// When a contact is over by its facts; `None` while it is in flight.
fn over(contact: &Contact, settings: &Settings) -> Option<i64> {
    let legs: Vec<(&Visit, &Leg)> = contact
        .visits
        .iter()
        .flat_map(|visit| visit.legs.iter().map(move |leg| (visit, leg)))
        .collect();
    // A visit begun after `closed` still waits, and is swept when nothing comes.
    if contact.visits.iter().any(Visit::is_waiting) || legs.iter().any(|(_, leg)| leg.is_open()) {
        return None;
    }
    if contact.closed.is_some() {
        return contact.closed;
    }
    let last = &contact.visits[contact.in_force()?];
    let ends = legs.iter().map(|(visit, leg)| {
        let rule = contact
            .row(visit)
            .map_or(AfterContact::None, |(row, _)| settings.after_contact(&row));
        let end = leg.end.expect("ended");
        match rule {
            AfterContact::None => end,
            _ => leg.after(rule, settings.acw_max).map_or(end, |(at, _)| at),
        }
    });
    let ends = ends.max();
    let (exit, name) = last.outcome()?;
    if name == "abandoned" {
        return Some(ends.unwrap_or(*exit).max(*exit));
    }
    if name != "answered" {
        return None;
    }
    let last_leg = legs
        .iter()
        .map(|(_, leg)| leg)
        .max_by_key(|leg| (leg.end, leg.begin))?;
    if last_leg.by_transfer || last_leg.after_transfer {
        None
    } else {
        ends
    }
}
