//! What a row of contact columns says once T and S are chosen among its rungs.

use crate::engine::columns::contact::{
    ABANDONED, ABANDONED_WAIT, AFTER_CONTACT, ALERT_FAILED, ANSWERED, ANSWERED_WAIT, CALLBACK,
    COMPLAINED, HANDLED, HOLD, OFFERED, PASSED, RATED, RESOLVED, TALK, TRANSFERRED,
};
use crate::engine::columns::{BUCKETS, flow_out_cell};
use crate::event::{FlowOut, Span};

use super::QueueView;

/// Counts and milliseconds of one row and window, in its own T and S. They add up over queues,
/// each in its own settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Visits begun.
    pub offered: i64,
    /// Answered visits.
    pub answered: i64,
    /// Answered with a wait of at most T.
    pub answered_within: i64,
    /// Abandoned visits, short ones included.
    pub abandoned: i64,
    /// Abandoned with a wait of at most T, short ones included.
    pub abandoned_within: i64,
    /// Abandoned with a wait of at most S; 0 when S is 0.
    pub short_abandoned: i64,
    /// Flowed out, in the order of [`FlowOut::ALL`].
    pub flowed_out: [i64; 7],
    /// Visits swapped for a callback.
    pub callbacks: i64,
    /// The same with a wait of at most T.
    pub callbacks_within: i64,
    /// Visits that were still waiting 1 ms after T.
    pub passed: i64,
    /// `sl11`: answered within range 1.
    pub answered_in_range: i64,
    /// `sl11`: abandoned within range 2.
    pub abandoned_in_range: i64,
    /// Alerts that were not answered.
    pub alert_failed: i64,
    /// Contacts transferred out.
    pub transferred: i64,
    /// Legs ended.
    pub handled: i64,
    /// Milliseconds waited by answered visits.
    pub answered_wait: i64,
    /// Milliseconds waited by abandoned visits.
    pub abandoned_wait: i64,
    /// Milliseconds of talk.
    pub talk: i64,
    /// Milliseconds of hold.
    pub hold: i64,
    /// Milliseconds of after-contact work.
    pub after_contact: i64,
    /// Contacts rated.
    pub rated: i64,
    /// Complaints.
    pub complained: i64,
    /// Cases resolved.
    pub resolved: i64,
}

impl Counts {
    /// Reads a row of `contact::WIDTH` columns; a column that the row lacks counts as 0.
    pub fn read(row: &[i64], rungs: &[Span], view: &QueueView) -> Self {
        let column = |index: usize| row.get(index).copied().unwrap_or(0);
        let within = |first: usize, limit: Span| up_to(row, first, rungs, limit);
        let short = view.short_abandon > Span::ZERO;
        Self {
            offered: column(OFFERED),
            answered: all(row, ANSWERED),
            answered_within: within(ANSWERED, view.threshold),
            abandoned: all(row, ABANDONED),
            abandoned_within: within(ABANDONED, view.threshold),
            short_abandoned: if short {
                within(ABANDONED, view.short_abandon)
            } else {
                0
            },
            flowed_out: FlowOut::ALL.map(|how| column(flow_out_cell(how))),
            callbacks: all(row, CALLBACK),
            callbacks_within: within(CALLBACK, view.threshold),
            passed: rung_index(rungs, view.threshold).map_or(0, |rung| column(PASSED + rung)),
            answered_in_range: within(ANSWERED, view.switches.range_answered),
            abandoned_in_range: within(ABANDONED, view.switches.range_abandoned),
            alert_failed: column(ALERT_FAILED),
            transferred: column(TRANSFERRED),
            handled: column(HANDLED),
            answered_wait: column(ANSWERED_WAIT),
            abandoned_wait: column(ABANDONED_WAIT),
            talk: column(TALK),
            hold: column(HOLD),
            after_contact: column(AFTER_CONTACT),
            rated: column(RATED),
            complained: column(COMPLAINED),
            resolved: column(RESOLVED),
        }
    }

    /// Visits that flowed out, whatever the way.
    pub fn flowed_out_all(&self) -> i64 {
        self.flowed_out.iter().sum()
    }

    /// Adds another row's.
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.answered += other.answered;
        self.answered_within += other.answered_within;
        self.abandoned += other.abandoned;
        self.abandoned_within += other.abandoned_within;
        self.short_abandoned += other.short_abandoned;
        for (mine, others) in self.flowed_out.iter_mut().zip(other.flowed_out) {
            *mine += others;
        }
        self.callbacks += other.callbacks;
        self.callbacks_within += other.callbacks_within;
        self.passed += other.passed;
        self.answered_in_range += other.answered_in_range;
        self.abandoned_in_range += other.abandoned_in_range;
        self.alert_failed += other.alert_failed;
        self.transferred += other.transferred;
        self.handled += other.handled;
        self.answered_wait += other.answered_wait;
        self.abandoned_wait += other.abandoned_wait;
        self.talk += other.talk;
        self.hold += other.hold;
        self.after_contact += other.after_contact;
        self.rated += other.rated;
        self.complained += other.complained;
        self.resolved += other.resolved;
    }
}

/// The place of a limit among the rungs: the longest rung that is not above it. Settings are
/// checked to be rungs, so it is the limit's own; none when it lies below every rung.
pub fn rung_index(rungs: &[Span], limit: Span) -> Option<usize> {
    rungs.iter().rposition(|&rung| rung <= limit)
}

/// The buckets from `first` on, all together.
fn all(row: &[i64], first: usize) -> i64 {
    row.iter().skip(first).take(BUCKETS).sum()
}

/// The buckets from `first` on with waits of at most `limit`.
fn up_to(row: &[i64], first: usize, rungs: &[Span], limit: Span) -> i64 {
    let buckets = rung_index(rungs, limit).map_or(0, |rung| rung + 1);
    row.iter().skip(first).take(buckets).sum()
}
