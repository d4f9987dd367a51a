//! The ordinary life, moved fact by fact.
//!
//! Nearly every contact is created, queued, rings, is answered, held and resumed, ended, wrapped up
//! and closed, each fact later than the one before or of its instant. For these it is a waste to fold all facts
//! twice with every new one: what a fact adds can be read off a few fields. [`Ordinary`] holds
//! those fields and refuses everything that is not plain; the contact is then folded for good.
//! A property test holds that both give the same posts.

use serde::{Deserialize, Serialize};

use super::record::{AgentAt, Code, Facts, Record};
use crate::engine::facts::{ContactState, Count, Fact, Post};
use crate::engine::image::{Bounds, Fault, hold, span, stamp, stamp_or_none};
use crate::engine::names::{ChannelNo, ClientNo, Names, QueueIdNo, RowNo};
use crate::engine::settings::AfterContact;
use crate::engine::timeline::{Timeline, Waiting};
use crate::event::{Direction, EndedBy, FlowOut, Millis, Outcome, Span};

/// Where an ordinary life stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// No fact yet.
    Unborn,
    /// In the centre, in no queue yet.
    Created,
    Waiting,
    Alerting,
    Connected,
    Held,
    /// The agent's part is over.
    Ended,
    WrappedUp,
    /// Left the queue unanswered.
    Left {
        abandoned: bool,
    },
    Closed,
    /// Not ordinary: folded from now on.
    Folded,
}

/// What the next step of an ordinary life depends on.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Ordinary {
    stage: Stage,
    channel: ChannelNo,
    queue: QueueIdNo,
    row: RowNo,
    /// How many visits were begun.
    visits: u32,
    /// The agent who rings or talks.
    agent: AgentAt,
    /// Time of the last fact.
    last: Millis,
    /// Its type.
    last_code: Code,
    /// Which visit the facts of its instant name, once one of them acted on a visit.
    instant_visit: Option<u32>,
    ghost_after: Span,
    /// Entry of the visit in force.
    entry: Millis,
    answered: Millis,
    /// On hold since, with stage held.
    held_since: Millis,
    hold: Span,
    /// When it was over, with a stage that is.
    end: Millis,
    /// An answered one without `wrapped_up` is settled later.
    settles_late: bool,
}

impl Default for Ordinary {
    fn default() -> Self {
        Self {
            stage: Stage::Unborn,
            channel: ChannelNo(0),
            queue: QueueIdNo(0),
            row: RowNo(0),
            visits: 0,
            agent: AgentAt::default(),
            last: Millis::MIN,
            last_code: Code::Created,
            instant_visit: None,
            ghost_after: Span::ZERO,
            entry: Millis::MIN,
            answered: Millis::MIN,
            held_since: Millis::MIN,
            hold: Span::ZERO,
            end: Millis::MAX,
            settles_late: false,
        }
    }
}

impl Ordinary {
    /// What of it cannot be, given its contact's facts.
    pub(super) fn check(&self, facts: Facts<'_>, bounds: &Bounds) -> Result<(), Fault> {
        if !self.is_ordinary() {
            return Ok(());
        }
        bounds.channel(self.channel)?;
        stamp(self.last)?;
        span(self.ghost_after)?;
        span(self.hold)?;
        stamp_or_none(self.end)?;
        hold(self.agent.end() <= facts.bytes.len(), "an agent without id")?;
        hold(
            self.visits as usize <= facts.records.len(),
            "visits too many",
        )?;
        if self.visits > 0 {
            bounds.queue(self.queue)?;
            bounds.row(self.row)?;
            stamp(self.entry)?;
        }
        match self.stage {
            Stage::Created | Stage::Closed => Ok(()),
            _ if self.visits == 0 => Err(Fault("a life without a visit")),
            Stage::Connected | Stage::Ended | Stage::WrappedUp => stamp(self.answered),
            Stage::Held => stamp(self.answered).and_then(|()| stamp(self.held_since)),
            _ => Ok(()),
        }
    }

    /// Not ordinary any more: folded from now on.
    pub(super) fn give_up(&mut self) {
        self.stage = Stage::Folded;
    }

    pub(super) fn is_ordinary(&self) -> bool {
        !matches!(self.stage, Stage::Folded | Stage::Unborn)
    }

    /// Whether a fact at `time` comes before nothing so far: no fact, and no post made up to `made`.
    pub(super) fn is_followed_by(&self, time: Millis, made: Millis, names: &Names) -> bool {
        match self.stage {
            Stage::Folded => false,
            Stage::Unborn => true,
            _ if time < self.last => false,
            _ if self.is_over() => true,
            _ if time.max(made) >= self.sweep() => false,
            Stage::Waiting | Stage::Alerting => {
                made <= time || self.next_of_waiting(time, names) > made
            }
            _ => true,
        }
    }

    /// Takes a fact that follows and is new, and posts what it adds at its own stamp; `false`, and
    /// nothing is changed, where it is not plain.
    pub(super) fn step(
        &mut self,
        client: ClientNo,
        facts: Facts<'_>,
        fact: &Record,
        names: &mut Names,
        out: &mut Timeline,
    ) -> bool {
        let mut next = *self;
        if next.stage == Stage::Unborn {
            next.channel = fact.channel().unwrap_or(ChannelNo(0));
            let channel = names.channels.text(next.channel.0);
            next.ghost_after = names.settings().ghost_after(channel);
        }
        let plain = fact.channel().is_none_or(|channel| channel == next.channel)
            && fact.callback().is_none()
            && matches!(fact.direction(), None | Some(Direction::Inbound))
            && next.keeps_order(facts, fact)
            && next.take(client, facts, fact, names, out);
        if plain {
            next.last = fact.time;
            *self = next;
        }
        plain
    }

    /// Whether the fold takes a fact after the others of its instant, as it arrived: they come in
    /// order of rank and all name their visit, or none does. Where only an alert, a reply or the
    /// close names none it makes no difference, nor does it if another agent rings the instant that
    /// one failed to answer. An `alert_failed` must not come before what it ends.
    fn keeps_order(&mut self, facts: Facts<'_>, fact: &Record) -> bool {
        let same_instant = fact.time == self.last;
        if !same_instant {
            self.last_code = Code::Created;
            self.instant_visit = None;
        }
        let rings_on = fact.code == Code::Alerting
            && self.last_code == Code::AlertFailed
            && !self.is_by_agent(facts, fact);
        match fact.code {
            Code::Responded => return true,
            Code::AlertFailed if same_instant => return false,
            code if same_instant && code <= self.last_code && !rings_on => return false,
            code => self.last_code = code,
        }
        match fact.code {
            Code::Created | Code::Alerting | Code::AlertFailed | Code::Closed => true,
            _ => *self.instant_visit.get_or_insert(fact.visit) == fact.visit,
        }
    }

    fn take(
        &mut self,
        client: ClientNo,
        facts: Facts<'_>,
        fact: &Record,
        names: &mut Names,
        out: &mut Timeline,
    ) -> bool {
        if fact.code == Code::Queued {
            return self.queued(client, fact, names, out);
        }
        if fact.code == Code::Responded {
            return self.stage != Stage::Unborn;
        }
        if !self.is_of_visit_in_force(fact) {
            return false;
        }
        let by_agent = self.is_by_agent(facts, fact);
        match (self.stage, fact.code) {
            (Stage::Unborn, Code::Created) => self.stage = Stage::Created,
            (Stage::Waiting, Code::Alerting) => {
                self.agent = fact.agent_at();
                self.enter(Stage::Alerting, fact.time, out);
            }
            (Stage::Alerting, Code::AlertFailed) if by_agent => {
                self.count(fact.time, Count::AlertFailed, out);
                self.enter(Stage::Waiting, fact.time, out);
            }
            (Stage::Waiting | Stage::Alerting, Code::Answered) => {
                return self.answered(facts, fact, names, out);
            }
            (Stage::Waiting | Stage::Alerting, Code::Dequeued) => {
                return self.dequeued(facts, fact, names, out);
            }
            (Stage::Connected, Code::Held) if by_agent => {
                self.held_since = fact.time;
                self.enter(Stage::Held, fact.time, out);
            }
            (Stage::Held, Code::Resumed) if by_agent => {
                self.hold = Span(self.hold.0 + (fact.time - self.held_since).0);
                self.enter(Stage::Connected, fact.time, out);
            }
            (Stage::Connected | Stage::Held, Code::Ended) if by_agent => {
                return self.ended(facts, fact, names, out);
            }
            (Stage::Ended, Code::WrappedUp) if by_agent => {
                return self.wrapped_up(facts, fact, out);
            }
            (
                Stage::Created | Stage::Ended | Stage::WrappedUp | Stage::Left { .. },
                Code::Closed,
            ) => {
                self.end = fact.time;
                self.stage = Stage::Closed;
            }
            _ => return false,
        }
        true
    }

    /// Whether a fact names no visit and queue but those in force.
    fn is_of_visit_in_force(&self, fact: &Record) -> bool {
        (fact.visit == 0 || fact.visit == self.visits)
            && fact
                .queue()
                .is_none_or(|queue| self.visits > 0 && queue == self.queue)
    }

    /// Whether a fact names no agent but the one who rings or talks.
    fn is_by_agent(&self, facts: Facts<'_>, fact: &Record) -> bool {
        let agent = facts.agent(fact);
        agent.is_empty() || agent == facts.at(self.agent)
    }

    fn queued(
        &mut self,
        client: ClientNo,
        fact: &Record,
        names: &mut Names,
        out: &mut Timeline,
    ) -> bool {
        let may = matches!(
            self.stage,
            Stage::Unborn | Stage::Created | Stage::Left { .. }
        );
        let numbered = fact.visit == 0 || fact.visit == self.visits + 1;
        let Some(queue) = fact.queue().filter(|_| may && numbered) else {
            return false;
        };
        self.queue = queue;
        self.row = names.row(client, Some(queue), self.channel);
        self.visits += 1;
        self.entry = fact.time;
        self.count(fact.time, Count::Offered, out);
        self.enter(Stage::Waiting, fact.time, out);
        true
    }

    fn answered(
        &mut self,
        facts: Facts<'_>,
        fact: &Record,
        names: &Names,
        out: &mut Timeline,
    ) -> bool {
        if facts.queued_at(fact).is_some() {
            return false;
        }
        let wait = fact.time - self.entry;
        self.count(fact.time, Count::Answered { wait }, out);
        self.leave_queue(fact.time, names, out);
        self.enter(Stage::Connected, fact.time, out);
        self.answered = fact.time;
        self.hold = Span::ZERO;
        self.agent = fact.agent_at();
        self.settles_late = true;
        true
    }

    fn dequeued(
        &mut self,
        facts: Facts<'_>,
        fact: &Record,
        names: &Names,
        out: &mut Timeline,
    ) -> bool {
        if facts.queued_at(fact).is_some() {
            return false;
        }
        let (wait, outcome) = (fact.time - self.entry, fact.outcome());
        let count = match outcome {
            Outcome::Abandoned => Count::Abandoned { wait },
            Outcome::Callback => Count::Callback { wait },
            Outcome::FlowedOut(how) => {
                let wait = Some(wait);
                Count::FlowedOut { how, wait }
            }
        };
        self.count(fact.time, count, out);
        self.leave_queue(fact.time, names, out);
        let abandoned = outcome == Outcome::Abandoned;
        self.enter(Stage::Left { abandoned }, fact.time, out);
        self.end = fact.time;
        true
    }

    fn ended(
        &mut self,
        facts: Facts<'_>,
        fact: &Record,
        names: &Names,
        out: &mut Timeline,
    ) -> bool {
        let goes_on = fact.by() == Some(EndedBy::Transfer);
        if goes_on || names.row_info(self.row).after_contact != AfterContact::None {
            return false;
        }
        if self.stage == Stage::Held {
            self.hold = Span(self.hold.0 + (fact.time - self.held_since).0);
        }
        let hold = facts.second_span(fact).unwrap_or(self.hold);
        let rest = Span((fact.time - self.answered).0 - hold.0);
        let talk = facts.first_span(fact).unwrap_or(rest);
        if talk < Span::ZERO || hold < Span::ZERO {
            return false;
        }
        self.count(fact.time, Count::Handled { talk, hold }, out);
        self.enter(Stage::Ended, fact.time, out);
        self.end = fact.time;
        true
    }

    fn wrapped_up(&mut self, facts: Facts<'_>, fact: &Record, out: &mut Timeline) -> bool {
        let acw = facts.first_span(fact);
        if acw.is_some_and(|acw| acw < Span::ZERO) {
            return false;
        }
        if let Some(acw) = acw {
            self.count(fact.time, Count::AfterContact { acw }, out);
            self.end = fact.time;
        }
        self.stage = Stage::WrappedUp;
        self.settles_late = false;
        true
    }

    /// The rungs passed are left; those not yet counted are counted at the exit.
    fn leave_queue(&self, at: Millis, names: &Names, out: &mut Timeline) {
        let late_after = names.settings().late_after;
        for (rung, passed) in self.passes(names) {
            if passed > at {
                break;
            }
            out.post(at, Fact::WaitingPast(self.row, rung), -1);
            if passed + late_after > at {
                out.post(at, Fact::PassCounted(self.row, rung), 1);
            }
        }
    }

    /// Each rung, and when the visit in force passes it.
    fn passes<'a>(&self, names: &'a Names) -> impl Iterator<Item = (u8, Millis)> + use<'a> {
        let entry = self.entry;
        let rungs = names.row_info(self.row).rungs.iter();
        (0..).zip(rungs.map(move |&rung| entry + rung + Span(1)))
    }

    fn count(&self, at: Millis, count: Count, out: &mut Timeline) {
        out.post(at, Fact::Count(self.row, count), 1);
    }

    /// Leaves the state of this stage and enters that of another.
    fn enter(&mut self, stage: Stage, at: Millis, out: &mut Timeline) {
        if let Some(state) = self.stage.state() {
            out.post(at, Fact::State(self.row, state), -1);
        }
        self.stage = stage;
        if let Some(state) = stage.state() {
            out.post(at, Fact::State(self.row, state), 1);
        }
    }

    fn is_over(&self) -> bool {
        matches!(
            self.stage,
            Stage::Ended | Stage::WrappedUp | Stage::Left { abandoned: true } | Stage::Closed
        )
    }

    fn sweep(&self) -> Millis {
        self.last + self.ghost_after
    }

    /// Posts what comes after `after` if no further fact comes: everything up to `horizon`, and the
    /// first post beyond it, which is the next deadline. Tells who waits and when it is over.
    pub(super) fn ahead(&self, after: Millis, horizon: Millis, names: &Names, out: &mut Timeline) {
        let mut ahead = Ahead {
            after,
            horizon,
            first_beyond: None,
            out,
        };
        match self.stage {
            Stage::Waiting | Stage::Alerting => self.waits_on(names, &mut ahead),
            Stage::Connected | Stage::Held => self.leaves_state(&mut ahead),
            _ => {}
        }
        let beyond = ahead.first_beyond;
        out.posts.extend(beyond);
        self.outlook(names, out);
    }

    fn outlook(&self, names: &Names, out: &mut Timeline) {
        out.odd.swept = !self.is_over();
        out.end = if self.is_over() {
            self.end
        } else {
            self.sweep()
        };
        out.waiting = matches!(self.stage, Stage::Waiting | Stage::Alerting).then(|| Waiting {
            row: self.row,
            entry: self.entry,
            until: self.sweep(),
        });
        if self.settles_late {
            out.settle_later = names.settings().acw_max;
        }
    }

    fn waits_on(&self, names: &Names, ahead: &mut Ahead<'_>) {
        let (sweep, late_after) = (self.sweep(), names.settings().late_after);
        for (rung, passed) in self.passes(names).take_while(|(_, at)| *at <= sweep) {
            let row = self.row;
            ahead.post(passed, Fact::Count(row, Count::Passed { rung }), 1);
            if passed > ahead.horizon {
                // Nothing of this rung, of the longer ones and of the sweep is earlier.
                return;
            }
            let counted = sweep.min(passed + late_after);
            ahead.post(counted, Fact::PassCounted(row, rung), 1);
            ahead.post(passed, Fact::WaitingPast(row, rung), 1);
            ahead.post(sweep, Fact::WaitingPast(row, rung), -1);
        }
        let error = Count::FlowedOut {
            how: FlowOut::Error,
            wait: None,
        };
        ahead.post(sweep, Fact::Count(self.row, error), 1);
        self.leaves_state(ahead);
    }

    fn leaves_state(&self, ahead: &mut Ahead<'_>) {
        if let Some(state) = self.stage.state() {
            ahead.post(self.sweep(), Fact::State(self.row, state), -1);
        }
    }

    /// The first stamp after `time` at which a waiting visit posts something by time alone.
    fn next_of_waiting(&self, time: Millis, names: &Names) -> Millis {
        let late_after = names.settings().late_after;
        self.passes(names)
            .flat_map(|(_, passed)| [passed, passed + late_after])
            .filter(|&stamp| stamp > time)
            .min()
            .unwrap_or(Millis::MAX)
    }
}

impl Stage {
    fn state(self) -> Option<ContactState> {
        match self {
            Self::Waiting => Some(ContactState::Waiting),
            Self::Alerting => Some(ContactState::Alerting),
            Self::Connected => Some(ContactState::Connected),
            Self::Held => Some(ContactState::Held),
            _ => None,
        }
    }
}

/// Collects posts of a span of time, and the first one after it.
struct Ahead<'a> {
    after: Millis,
    horizon: Millis,
    first_beyond: Option<Post>,
    out: &'a mut Timeline,
}

impl Ahead<'_> {
    fn post(&mut self, stamp: Millis, fact: Fact, sign: i8) {
        if stamp > self.horizon {
            if self.first_beyond.is_none_or(|first| stamp < first.stamp) {
                self.first_beyond = Some(Post { stamp, fact, sign });
            }
        } else if stamp > self.after {
            self.out.post(stamp, fact, sign);
        }
    }
}
