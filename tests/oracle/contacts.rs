//! One contact: its facts, and what they come to.

mod fact;
mod visit;

use super::{AfterContact, Row, Settings};

pub use fact::{Fact, distinct};
pub use visit::{Leg, Visit};
use visit::{act_on_leg, answer, leg_in};

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
