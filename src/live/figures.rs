//! Figures of one row that add up: what subtotals are made of.

use std::sync::Arc;

use crate::event::{Millis, Span};
use crate::kpi::{
    Abandonment, Counts, Level, Percentiles, QueueView, Staff, abandonment, rung_index,
    service_level, service_level_now,
};
use crate::windows::columns::gauge;

/// Contact-side *now* figures of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ContactNow {
    /// Contacts waiting, alerting included.
    pub waiting: i64,
    /// Waiting longer than T.
    pub waiting_past: i64,
    /// By state: waiting (not alerting), alerting, connected, held, in after-contact work.
    pub by_state: [i64; 5],
    /// Queue entry of the visit that has waited longest.
    pub oldest: Option<Millis>,
    /// `sl10`.
    pub level: Level,
}

impl ContactNow {
    /// Of one queue, from its gauges.
    pub fn of(gauges: &[i64], oldest: Millis, rungs: &[Span], view: &QueueView) -> Self {
        let column = |index: usize| gauges.get(index).copied().unwrap_or(0);
        let by_state = [
            gauge::WAITING,
            gauge::ALERTING,
            gauge::CONNECTED,
            gauge::HELD,
            gauge::ACW,
        ]
        .map(column);
        let waiting = by_state[0] + by_state[1];
        let waiting_past =
            rung_index(rungs, view.threshold).map_or(0, |rung| column(gauge::WAITING_PAST + rung));
        Self {
            waiting,
            waiting_past,
            by_state,
            oldest: (oldest != Millis::MAX && waiting > 0).then_some(oldest),
            level: service_level_now(waiting, waiting_past, view),
        }
    }

    /// Adds another queue's; the longest wait is the longer one.
    pub fn add(&mut self, other: &Self) {
        self.waiting += other.waiting;
        self.waiting_past += other.waiting_past;
        for (mine, others) in self.by_state.iter_mut().zip(other.by_state) {
            *mine += others;
        }
        self.oldest = match (self.oldest, other.oldest) {
            (Some(mine), Some(others)) => Some(mine.min(others)),
            (mine, others) => mine.or(others),
        };
        self.level.add(&other.level);
    }

    /// How long the longest wait has lasted; an age is never negative.
    pub fn longest_wait(&self, now: Millis) -> Option<Span> {
        self.oldest.map(|entry| (now - entry).max(Span::ZERO))
    }
}

/// Contact figures of a row in one window.
#[derive(Clone, Debug, Default)]
pub struct ContactWindow {
    /// Counts in the row's own T and S.
    pub counts: Counts,
    /// Service level in the row's own variant.
    pub level: Level,
    /// Abandonment by the row's own setting.
    pub abandonment: Abandonment,
    /// Waits of answered visits.
    pub wait: Percentiles,
    /// Talk + hold of handled legs.
    pub handle: Percentiles,
    /// The largest wait over all exits, in ms.
    pub wait_max: Option<i64>,
}

impl ContactWindow {
    /// Of one queue, from its columns.
    pub fn of(columns: &[i64], rungs: &[Span], view: &QueueView) -> Self {
        let counts = Counts::read(columns, rungs, view);
        Self {
            counts,
            level: service_level(&counts, view),
            abandonment: abandonment(&counts, view),
            ..Self::default()
        }
    }

    /// Adds another queue's, all but percentiles: these come from its buckets.
    pub fn add(&mut self, other: &Self) {
        self.counts.add(&other.counts);
        self.level.add(&other.level);
        self.abandonment.add(&other.abandonment);
        self.wait_max = self.wait_max.max(other.wait_max);
    }
}

/// Agents' figures of a row: counts (now) or milliseconds (windows).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Staffing {
    /// A contact feed tells what agents do; without one all but online and aux is absent.
    pub known: bool,
    /// By presence and activity.
    pub staff: Staff,
    /// In aux, by reason, sorted by text; zeros left out.
    pub aux: Vec<(Arc<String>, i64)>,
}

impl Staffing {
    /// The figures, where a contact feed makes them known.
    pub fn staff(&self) -> Option<&Staff> {
        self.known.then_some(&self.staff)
    }
}
