//! Counters of the queues: what is counted now, and what corrections took away.

use std::collections::BTreeMap;

use crate::event::Span;
use crate::kpi::QueueView;
use crate::windows::columns::{BUCKETS, contact};
use crate::windows::numbering::QueueNo;

pub use crate::windows::losses::Counter;

use super::{Merged, QueueEntry};

/// Totals and losses of every queue of a merge. A scratch value: filled anew for each.
#[derive(Debug, Default)]
pub struct Counters {
    /// In the order of the merged rows.
    totals: Vec<[i64; contact::WIDTH]>,
    losses: BTreeMap<(QueueNo, Counter), i64>,
}

impl Counters {
    /// Adds up the frames of a merge.
    pub fn fill(&mut self, merged: &Merged) {
        self.totals.clear();
        self.losses.clear();
        for (entry, _) in merged.queues.iter().filter_map(|row| row.queue.as_ref()) {
            let mut sum = [0; contact::WIDTH];
            for frame in &merged.frames {
                for (into, value) in sum.iter_mut().zip(frame.totals_of(entry.number)) {
                    *into += value;
                }
            }
            self.totals.push(sum);
        }
        for frame in &merged.frames {
            for &(queue, counter, lost) in &frame.losses {
                *self.losses.entry((queue, counter)).or_default() += lost;
            }
        }
    }

    /// The counters of each queue of the merge that was filled in, in its order.
    pub fn rows<'a>(&'a self, merged: &'a Merged) -> impl Iterator<Item = CounterRow<'a>> {
        let queues = merged.queues.iter().filter_map(|row| row.queue.as_ref());
        queues
            .zip(&self.totals)
            .map(|((entry, view), totals)| CounterRow {
                entry,
                view,
                totals,
                losses: &self.losses,
            })
    }
}

/// The counters of one queue.
#[derive(Clone, Copy, Debug)]
pub struct CounterRow<'a> {
    entry: &'a QueueEntry,
    view: &'a QueueView,
    totals: &'a [i64; contact::WIDTH],
    losses: &'a BTreeMap<(QueueNo, Counter), i64>,
}

impl CounterRow<'_> {
    /// A counter: what is counted now, and what corrections took away from it.
    pub fn get(&self, counter: Counter) -> i64 {
        let lost = self.losses.get(&(self.entry.number, counter));
        total(self.totals, counter) + lost.copied().unwrap_or(0)
    }

    /// What corrections took away, by counter.
    pub fn losses(&self) -> impl Iterator<Item = (Counter, i64)> + '_ {
        let queue = self.entry.number;
        self.losses
            .range((queue, Counter::Offered)..=(queue, Counter::Resolved))
            .filter(|(_, lost)| **lost > 0)
            .map(|(&(_, counter), &lost)| (counter, lost))
    }

    /// The channel's rungs.
    pub fn rungs(&self) -> &[Span] {
        &self.entry.rungs
    }

    /// How the queue is shown.
    pub fn view(&self) -> &QueueView {
        self.view
    }
}

/// What is counted now.
fn total(row: &[i64; contact::WIDTH], counter: Counter) -> i64 {
    let buckets = |first: usize, count: usize| row.iter().skip(first).take(count).sum();
    let up_to = |first: usize, rung: u8| buckets(first, usize::from(rung) + 1);
    let column = |index: usize| row.get(index).copied().unwrap_or(0);
    match counter {
        Counter::Offered => column(contact::OFFERED),
        Counter::Answered => buckets(contact::ANSWERED, BUCKETS),
        Counter::AnsweredWithin(rung) => up_to(contact::ANSWERED, rung),
        Counter::Abandoned => buckets(contact::ABANDONED, BUCKETS),
        Counter::AbandonedWithin(rung) => up_to(contact::ABANDONED, rung),
        Counter::AbandonedAtOnce => column(contact::ABANDONED_AT_ONCE),
        Counter::CallbacksRequested => buckets(contact::CALLBACK, BUCKETS),
        Counter::FlowedOut(way) => column(contact::FLOWED_OUT + usize::from(way)),
        Counter::ThresholdPassed(rung) => column(contact::PASS_COUNTED + usize::from(rung)),
        Counter::AlertFailed => column(contact::ALERT_FAILED),
        Counter::Transferred => column(contact::TRANSFERRED),
        Counter::Handled => column(contact::HANDLED),
        Counter::AnsweredWait => column(contact::ANSWERED_WAIT),
        Counter::AbandonedWait => column(contact::ABANDONED_WAIT),
        Counter::Talk => column(contact::TALK),
        Counter::Hold => column(contact::HOLD),
        Counter::AfterContact => column(contact::AFTER_CONTACT),
        Counter::Rated => column(contact::RATED),
        Counter::Complained => column(contact::COMPLAINED),
        Counter::Resolved => column(contact::RESOLVED),
    }
}
