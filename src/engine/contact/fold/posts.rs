//! What visits and legs contribute in the end, each figure at its own stamp.

use super::Fold;
use super::visit::{Edge, Exit, Leg, Level, Levels, MarkKind};
use crate::engine::contact::record::Code;
use crate::engine::facts::{Count, Fact};
use crate::engine::names::{ClientNo, Names, RowNo};
use crate::engine::settings::AfterContact;
use crate::engine::timeline::{Timeline, Waiting};
use crate::event::{Direction, FlowOut, Millis, Outcome, Span};

/// A visit with a queue, and the settings of its row.
struct Place {
    visit: usize,
    row: RowNo,
    inbound: bool,
    after_contact: AfterContact,
}

impl Fold<'_> {
    /// Fills the timeline.
    pub(super) fn contribute(&mut self, client: ClientNo, names: &mut Names, out: &mut Timeline) {
        let mut last_acw = Millis::MIN;
        for visit in 0..self.scratch.visits.len() {
            self.count_orphan(visit);
            let Some(place) = self.place(visit, client, names) else {
                continue;
            };
            if place.inbound {
                self.visit_posts(&place, names, out);
            }
            last_acw = last_acw.max(self.leg_posts(&place, names.settings().acw_max, out));
            self.state_posts(&place, out);
        }
        self.over(last_acw, names, out);
        out.odd = self.odd;
    }

    /// A `dequeued` whose visit nothing ever began: its `queued` came after the sweep.
    fn count_orphan(&mut self, visit: usize) {
        let visit = &self.scratch.visits[visit];
        let orphan = visit.begun == 0 && matches!(visit.exit, Exit::Left(_));
        self.odd.orphans += u32::from(orphan);
    }

    /// Row and direction of a visit; `None` if it posts nothing. "Channel and direction are the
    /// contact's, except that a visit whose own facts state `callback` is on it, inbound unless its
    /// own facts state a direction. Internal, consult and monitor post no contact figure. A fact
    /// whose queue is not known yet posts nothing."
    fn place(&self, index: usize, client: ClientNo, names: &mut Names) -> Option<Place> {
        let visit = &self.scratch.visits[index];
        let queue = visit.queue.filter(|_| visit.begun != 0)?;
        let (channel, direction) = match visit.callback {
            Some(callback) => (callback, visit.direction.unwrap_or(Direction::Inbound)),
            None => (self.channel, self.direction),
        };
        let inbound = match direction {
            Direction::Inbound => true,
            Direction::Outbound => false,
            Direction::Internal | Direction::Consult | Direction::Monitor => return None,
        };
        let row = names.row(client, Some(queue), channel);
        Some(Place {
            visit: index,
            row,
            inbound,
            after_contact: names.row_info(row).after_contact,
        })
    }

    /// A duration that is not negative; one that is becomes 0 and is counted.
    fn at_least_zero(&mut self, span: Span) -> Span {
        self.odd.negative_durations += u32::from(span < Span::ZERO);
        span.max(Span::ZERO)
    }

    /// Offered, the outcome, the rungs passed, and what happened on the way: inbound visits only.
    fn visit_posts(&mut self, place: &Place, names: &Names, out: &mut Timeline) {
        let visit = &self.scratch.visits[place.visit];
        let (entry, exit, at) = (visit.entry(), visit.exit, visit.exit_at);
        let wait = self.at_least_zero(at - entry);
        let mut count = |at, what| out.post(at, Fact::Count(place.row, what), 1);
        count(entry, Count::Offered);
        match exit {
            Exit::Answered => count(at, Count::Answered { wait }),
            Exit::Left(outcome) | Exit::Implied(outcome) => {
                count(at, outcome_count(outcome, wait));
            }
            Exit::Swept | Exit::Waiting => count(at, swept_count()),
        }
        for mark in self
            .scratch
            .marks
            .iter()
            .filter(|mark| mark.visit == place.visit)
        {
            let what = match mark.what {
                MarkKind::AlertFailed => Count::AlertFailed,
                MarkKind::Transferred => Count::Transferred,
            };
            count(mark.at, what);
        }
        pass_posts(place.row, entry, entry + wait, names, out);
        if exit == Exit::Swept {
            out.waiting = Some(Waiting {
                row: place.row,
                entry,
                until: at,
            });
        }
        if entry < at {
            self.edge(place.visit, entry, Level::Waiting, 1);
            self.edge(place.visit, at, Level::Waiting, -1);
        }
    }

    /// "Every leg is handled once, with its own talk, hold and ACW, at the visit's queue." Returns
    /// when the last after-contact work ends.
    fn leg_posts(&mut self, place: &Place, acw_max: Span, out: &mut Timeline) -> Millis {
        let mut last_acw = Millis::MIN;
        for index in 0..self.scratch.legs.len() {
            let leg = self.scratch.legs[index];
            let Some(end) = leg
                .ended
                .filter(|end| leg.visit == place.visit && !end.swept)
            else {
                continue;
            };
            let handled = self.handled(&leg, end.at);
            out.post(end.at, Fact::Count(place.row, handled), 1);
            let (in_acw_until, posted) = after_contact(place.after_contact, &leg, end.at, acw_max);
            if let Some(until) = in_acw_until.filter(|&until| until > end.at) {
                self.edge(place.visit, end.at, Level::LegsInAcw, 1);
                self.edge(place.visit, until, Level::LegsInAcw, -1);
                last_acw = last_acw.max(until);
            }
            if let Some((at, acw)) = posted {
                let acw = self.at_least_zero(acw);
                out.post(at, Fact::Count(place.row, Count::AfterContact { acw }), 1);
                last_acw = last_acw.max(at);
            }
        }
        last_acw
    }

    /// "talk = ended − answered − hold unless `talk_ms`; hold = sum of held intervals unless
    /// `hold_ms`."
    fn handled(&mut self, leg: &Leg, end: Millis) -> Count {
        let hold = self.at_least_zero(leg.hold_stated.unwrap_or(leg.hold));
        let rest = Span((end - leg.begun_at).0 - hold.0);
        let talk = self.at_least_zero(leg.talk_stated.unwrap_or(rest));
        Count::Handled { talk, hold }
    }

    /// The visit's states, each from when it is entered to when it is left.
    fn state_posts(&mut self, place: &Place, out: &mut Timeline) {
        let mut edges = std::mem::take(&mut self.scratch.edges);
        edges.sort_unstable();
        let first = edges.partition_point(|edge| edge.visit < place.visit);
        let mine = edges[first..]
            .iter()
            .take_while(|edge| edge.visit == place.visit);
        let (mut levels, mut state) = (Levels::default(), None);
        let mut mine = mine.peekable();
        while let Some(&edge) = mine.next() {
            levels.change(edge);
            let settled = mine.peek().is_none_or(|next: &&Edge| next.at > edge.at);
            let now = levels.state();
            if settled && now != state {
                if let Some(left) = state {
                    out.post(edge.at, Fact::State(place.row, left), -1);
                }
                if let Some(entered) = now {
                    out.post(edge.at, Fact::State(place.row, entered), 1);
                }
                state = now;
            }
        }
        self.scratch.edges = edges;
    }

    /// When the contact is over, and how much later than `settle_after` it is settled: "an answered
    /// one without `wrapped_up` `acw_max` later still".
    fn over(&self, last_acw: Millis, names: &Names, out: &mut Timeline) {
        let exits = self.scratch.visits.iter().filter(|visit| visit.begun != 0);
        let last_exit = exits.map(|visit| visit.exit_at).max();
        let last_end = self.last_leg().and_then(|leg| leg.ended).map(|end| end.at);
        out.end = self.swept.or(self.closed).unwrap_or_else(|| {
            let last = last_exit.max(last_end).unwrap_or(Millis::MAX);
            last.max(last_acw)
        });
        let settings = names.settings();
        let records = self.facts.records;
        let wrapped_up = records.iter().any(|fact| fact.code == Code::WrappedUp);
        if !self.scratch.legs.is_empty() && !wrapped_up {
            out.settle_later = settings.acw_max;
        }
    }
}

fn outcome_count(outcome: Outcome, wait: Span) -> Count {
    match outcome {
        Outcome::Abandoned => Count::Abandoned { wait },
        Outcome::Callback => Count::Callback { wait },
        Outcome::FlowedOut(how) => Count::FlowedOut {
            how,
            wait: Some(wait),
        },
    }
}

fn swept_count() -> Count {
    Count::FlowedOut {
        how: FlowOut::Error,
        wait: None,
    }
}

/// "*Passed* at queue entry + T + 1 ms, the first instant at which the wait exceeds T", for every
/// rung; the counter follows "at the visit's exit, or `late_after` after the pass if it still waits
/// then".
fn pass_posts(row: RowNo, entry: Millis, exit: Millis, names: &Names, out: &mut Timeline) {
    let late_after = names.settings().late_after;
    for (rung, &span) in names.row_info(row).rungs.iter().enumerate() {
        let passed = entry + span + Span(1);
        if passed > exit {
            break;
        }
        let rung = u8::try_from(rung).unwrap_or(u8::MAX);
        out.post(passed, Fact::Count(row, Count::Passed { rung }), 1);
        let counted = exit.min(passed + late_after);
        out.post(counted, Fact::PassCounted(row, rung), 1);
        if passed < exit {
            out.post(passed, Fact::WaitingPast(row, rung), 1);
            out.post(exit, Fact::WaitingPast(row, rung), -1);
        }
    }
}

/// Until when a leg is in after-contact work, and what is posted when. "Rule `none`: without
/// `acw_ms` nothing is posted. `events`: `acw_ms`, else the time since the end, at most `acw_max`;
/// a later `wrapped_up` changes nothing." `timer`: always as long as it says.
fn after_contact(
    rule: AfterContact,
    leg: &Leg,
    end: Millis,
    acw_max: Span,
) -> (Option<Millis>, Option<(Millis, Span)>) {
    match (rule, leg.wrapped_up) {
        (AfterContact::None, Some((at, Some(acw)))) => (None, Some((at, acw))),
        (AfterContact::None, _) => (None, None),
        (AfterContact::Events, Some((at, acw))) if at <= end + acw_max => {
            (Some(at), Some((at, acw.unwrap_or(at - end))))
        }
        (AfterContact::Events, _) => (Some(end + acw_max), Some((end + acw_max, acw_max))),
        (AfterContact::Timer(length), _) => (Some(end + length), Some((end + length, length))),
    }
}
