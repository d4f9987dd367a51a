//! The fold: a contact's facts, in order, become visits and legs; these become posts.
//!
//! - `mod.rs`: the walk over the facts, instant by instant, and the sweep.
//! - `belong.rs`: to which visit and leg a fact belongs.
//! - `effect.rs`: what a fact does there.
//! - `posts.rs`: what the visits and legs contribute in the end.

mod belong;
mod effect;
mod posts;
mod visit;

use std::ops::Range;

use super::record::{Code, Facts, Record};
use crate::engine::names::{ChannelNo, ClientNo, Names};
use crate::engine::timeline::{Oddities, Timeline};
use crate::event::{Direction, Millis, Outcome, Span};
use visit::{Alert, Edge, Exit, Leg, Level, Mark, Visit};

/// Memory that folding uses again and again.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    visits: Vec<Visit>,
    legs: Vec<Leg>,
    alerts: Vec<Alert>,
    marks: Vec<Mark>,
    edges: Vec<Edge>,
    /// Facts of the instant at hand that have had their turn.
    done: Vec<bool>,
}

impl Scratch {
    fn clear(&mut self) {
        self.visits.clear();
        self.legs.clear();
        self.alerts.clear();
        self.marks.clear();
        self.edges.clear();
    }
}

/// Folds the facts of a contact into an empty timeline.
pub(super) fn fold(
    client: ClientNo,
    facts: Facts<'_>,
    names: &mut Names,
    scratch: &mut Scratch,
    out: &mut Timeline,
) {
    scratch.clear();
    let mut fold = Fold {
        facts,
        scratch,
        channel: channel_of(facts),
        direction: direction_of(facts),
        begun: 0,
        closed: None,
        swept: None,
        odd: Oddities::default(),
    };
    let ghost_after = {
        let channel = names.channels.text(fold.channel.0);
        names.settings().ghost_after(channel)
    };
    fold.walk(ghost_after);
    fold.contribute(client, names, out);
}

/// "Channel and direction are those of the earliest fact by `time` that states them, else the
/// default." Channel number 0 is `voice`.
fn channel_of(facts: Facts<'_>) -> ChannelNo {
    let stated = facts.records.iter().find_map(Record::channel);
    stated.unwrap_or(ChannelNo(0))
}

fn direction_of(facts: Facts<'_>) -> Direction {
    let stated = facts.records.iter().find_map(Record::direction);
    stated.unwrap_or(Direction::Inbound)
}

/// A fold under way.
struct Fold<'a> {
    facts: Facts<'a>,
    scratch: &'a mut Scratch,
    /// The contact's channel.
    channel: ChannelNo,
    /// The contact's direction.
    direction: Direction,
    /// How many visits were begun.
    begun: u32,
    /// When it was closed.
    closed: Option<Millis>,
    /// When it was swept.
    swept: Option<Millis>,
    odd: Oddities,
}

impl Fold<'_> {
    /// Walks over the facts instant by instant, and sweeps a contact that stays without news.
    fn walk(&mut self, ghost_after: Span) {
        let records = self.facts.records;
        let mut last_news = Millis::MIN;
        let mut next = 0;
        while next < records.len() {
            let time = records[next].time;
            let instant = next..next + records[next..].partition_point(|fact| fact.time <= time);
            // "A fact exactly at the sweep's stamp still counts."
            if last_news > Millis::MIN && time > last_news + ghost_after && !self.is_over() {
                self.odd.no_effect += u32::try_from(records.len() - next).unwrap_or(u32::MAX);
                break;
            }
            next = instant.end;
            if last_news == Millis::MIN || records[instant.clone()].iter().any(prolongs) {
                last_news = time;
            }
            self.instant(instant);
        }
        if !self.is_over() && last_news > Millis::MIN {
            self.sweep(last_news + ghost_after);
        }
    }

    /// Takes the facts of one instant in their order. "Where none begins, rank decides; `closed` is
    /// last of all."
    fn instant(&mut self, instant: Range<usize>) {
        if instant.len() == 1 {
            return self.take(instant.start);
        }
        if self.begins_a_visit(&instant) {
            return self.instant_of_a_beginning(instant);
        }
        let records = self.facts.records;
        for index in instant.clone() {
            if records[index].code != Code::Closed {
                self.take(index);
            }
        }
        for index in instant {
            if records[index].code == Code::Closed {
                self.take(index);
            }
        }
    }

    /// "At one instant, where a visit begins, for facts that name no visit: ends go first, to a
    /// visit begun before it and still open; then beginnings; then the rest, to the visit just
    /// begun; last an end for which no earlier visit is open (wait 0). `closed` is last of all."
    fn instant_of_a_beginning(&mut self, instant: Range<usize>) {
        self.ends_first(&instant);
        self.turn(&instant, |fold, fact| fact.visit != 0 || fold.begins(fact));
        self.turn(&instant, |_, fact| {
            !fact.is_end() && !matches!(fact.code, Code::WrappedUp | Code::Closed)
        });
        self.turn(&instant, |_, fact| fact.code != Code::Closed);
        self.turn(&instant, |_, _| true);
    }

    /// Begins an instant with the ends of what is open.
    fn ends_first(&mut self, instant: &Range<usize>) {
        self.scratch.done.clear();
        self.scratch.done.resize(instant.len(), false);
        self.turn(instant, Self::ends_what_is_open);
    }

    /// Takes the facts of an instant that have not had their turn and whose turn it is.
    fn turn(&mut self, instant: &Range<usize>, goes: impl Fn(&Self, &Record) -> bool) {
        for index in instant.clone() {
            let place = index - instant.start;
            if !self.scratch.done[place] && goes(self, &self.facts.records[index]) {
                self.scratch.done[place] = true;
                self.take(index);
            }
        }
    }

    fn ends_what_is_open(&self, fact: &Record) -> bool {
        let end = fact.visit == 0 && fact.is_end() && !self.begins(fact);
        end && self.ends_something_open(fact)
    }

    /// Whether a visit begins at an instant: as things are, or once what ends there has ended. A
    /// `queued` in the queue that a `dequeued` of the same instant leaves begins one.
    fn begins_a_visit(&mut self, instant: &Range<usize>) -> bool {
        let records = &self.facts.records[instant.clone()];
        if records.iter().any(|fact| self.begins(fact)) {
            return true;
        }
        let queued = |fact: &Record| fact.code == Code::Queued && fact.visit == 0;
        if !records.iter().any(queued) || !records.iter().any(|fact| self.ends_what_is_open(fact)) {
            return false;
        }
        let (scratch, odd) = (self.scratch.clone(), self.odd);
        self.ends_first(instant);
        let begins = records.iter().any(|fact| self.begins(fact));
        (*self.scratch, self.odd) = (scratch, odd);
        begins
    }

    /// Whether a contact is over: "when it is `closed`, when its last visit was abandoned, or when
    /// its last leg ended, unless by `ended` with `by: transfer` or after a `transferred`; other
    /// outcomes leave it in flight. With a visit waiting or a leg open it is never over." `closed`
    /// ends both; what facts stamped later open again is swept like any other. After-contact work
    /// is no reason to sweep.
    fn is_over(&self) -> bool {
        if self.scratch.visits.iter().any(Visit::is_waiting)
            || self.scratch.legs.iter().any(Leg::is_open)
        {
            return false;
        }
        if self.closed.is_some() {
            return true;
        }
        let Some(last) = self.in_force() else {
            return false;
        };
        match self.scratch.visits[last].exit {
            Exit::Implied(Outcome::Abandoned) | Exit::Left(Outcome::Abandoned) => true,
            Exit::Answered => self
                .last_leg()
                .and_then(|leg| leg.ended)
                .is_some_and(|end| !end.goes_on),
            Exit::Implied(_) | Exit::Left(_) | Exit::Waiting | Exit::Swept => false,
        }
    }

    /// The leg that ended last.
    fn last_leg(&self) -> Option<&Leg> {
        self.scratch
            .legs
            .iter()
            .max_by_key(|leg| leg.ended.map(|end| end.at))
    }

    /// "Swept, stamped last fact + `ghost_after`: a waiting visit gets outcome `error`, its wait in
    /// no average, percentile or maximum; an open leg ends without being handled."
    fn sweep(&mut self, at: Millis) {
        self.swept = Some(at);
        self.odd.swept = true;
        for visit in &mut self.scratch.visits {
            if visit.is_waiting() {
                visit.exit = Exit::Swept;
                visit.exit_at = at;
            }
        }
        for leg in 0..self.scratch.legs.len() {
            if self.scratch.legs[leg].is_open() {
                self.end_leg(leg, at, effect::How::Swept);
            }
        }
    }

    fn edge(&mut self, visit: usize, at: Millis, what: Level, delta: i32) {
        self.scratch.edges.push(Edge {
            visit,
            at,
            what,
            delta,
        });
    }
}

/// "`rated`, `complained`, `resolved` do not prolong."
fn prolongs(fact: &Record) -> bool {
    !matches!(fact.code, Code::Rated | Code::Complained | Code::Resolved)
}
