//! Counters and what refolds took from them.
//!
//! A refold is netted per counter: a gain goes to the counter, a loss to
//! `queuepulse_corrections_total{figure}`; total = counter − losses. A change of stamp alone moves
//! neither.

use serde::{Deserialize, Serialize};

use crate::event::FlowOut;

use super::cells::count_cells;
use super::columns::{BUCKETS, contact};
use super::facts::{Fact, Post};
use super::names::{Names, RowNo};
use super::settings::RUNGS_MAX;

/// One counter of a queue on /metrics. The rung is that of the label `threshold`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "each is the counter of that name in the metric catalogue"
)]
pub enum Counter {
    Offered,
    Answered,
    AnsweredWithin(u8),
    Abandoned,
    AbandonedWithin(u8),
    AbandonedAtOnce,
    CallbacksRequested,
    FlowedOut(u8),
    ThresholdPassed(u8),
    AlertFailed,
    Transferred,
    Handled,
    AnsweredWait,
    AbandonedWait,
    Talk,
    Hold,
    AfterContact,
    Rated,
    Complained,
    Resolved,
}

impl Counter {
    /// The value of the label `figure`.
    pub const fn figure(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Answered => "answered",
            Self::AnsweredWithin(_) => "answered_within_threshold",
            Self::Abandoned => "abandoned",
            Self::AbandonedWithin(_) => "abandoned_within_threshold",
            Self::AbandonedAtOnce => "abandoned_at_once",
            Self::CallbacksRequested => "callbacks_requested",
            Self::FlowedOut(_) => "flowed_out",
            Self::ThresholdPassed(_) => "threshold_passed",
            Self::AlertFailed => "alert_failed",
            Self::Transferred => "transferred",
            Self::Handled => "handled",
            Self::AnsweredWait => "answered_wait_seconds",
            Self::AbandonedWait => "abandoned_wait_seconds",
            Self::Talk => "talk_seconds",
            Self::Hold => "hold_seconds",
            Self::AfterContact => "after_contact_seconds",
            Self::Rated => "rated",
            Self::Complained => "complained",
            Self::Resolved => "resolved",
        }
    }
}

/// Calls `lost` with every counter that the changes of one refold lower, and by how much.
///
/// Changes are netted per row and counter first: an exit that moved, or a wait that grew by the
/// same refold that took it back, loses nothing.
pub fn net(changes: &[Post], names: &Names, mut lost: impl FnMut(RowNo, Counter, i64)) {
    if !changes
        .iter()
        .any(|post| post.sign < 0 && counted_row(post.fact).is_some())
    {
        return;
    }
    for (place, post) in changes.iter().enumerate() {
        let Some(row) = counted_row(post.fact) else {
            continue;
        };
        let seen = |earlier: &Post| counted_row(earlier.fact) == Some(row);
        if changes[..place].iter().any(seen) {
            continue;
        }
        let columns = net_columns(&changes[place..], row, names);
        let rungs = names.row_info(row).rungs.len();
        each_counter(&columns, rungs, |counter, change| {
            if change < 0 {
                lost(row, counter, -change);
            }
        });
    }
}

fn counted_row(fact: Fact) -> Option<RowNo> {
    match fact {
        Fact::Count(row, _) | Fact::PassCounted(row, _) => Some(row),
        _ => None,
    }
}

fn net_columns(changes: &[Post], row: RowNo, names: &Names) -> [i64; contact::WIDTH] {
    let mut columns = [0; contact::WIDTH];
    let rungs = &names.row_info(row).rungs;
    for post in changes {
        let sign = i64::from(post.sign);
        match post.fact {
            Fact::Count(at, count) if at == row => {
                count_cells(count, rungs, |column, amount| {
                    columns[column] += sign * amount;
                });
            }
            Fact::PassCounted(at, rung) if at == row => {
                columns[contact::PASS_COUNTED + usize::from(rung)] += sign;
            }
            _ => {}
        }
    }
    columns
}

/// Calls `each` with every counter of a row of contact columns, and its value. `rungs` is the
/// number of the channel's rungs.
pub fn each_counter(columns: &[i64], rungs: usize, mut each: impl FnMut(Counter, i64)) {
    let sum = |from: usize, len: usize| columns[from..from + len].iter().sum::<i64>();
    each(Counter::Offered, columns[contact::OFFERED]);
    each(Counter::Answered, sum(contact::ANSWERED, BUCKETS));
    each(Counter::Abandoned, sum(contact::ABANDONED, BUCKETS));
    for (rung, number) in (0..rungs.min(RUNGS_MAX)).zip(0_u8..) {
        let within = rung + 1;
        each(
            Counter::AnsweredWithin(number),
            sum(contact::ANSWERED, within),
        );
        each(
            Counter::AbandonedWithin(number),
            sum(contact::ABANDONED, within),
        );
        let passed = columns[contact::PASS_COUNTED + rung];
        each(Counter::ThresholdPassed(number), passed);
    }
    for (way, number) in (0..FlowOut::ALL.len()).zip(0_u8..) {
        each(
            Counter::FlowedOut(number),
            columns[contact::FLOWED_OUT + way],
        );
    }
    each(Counter::CallbacksRequested, sum(contact::CALLBACK, BUCKETS));
    for (counter, column) in [
        (Counter::AbandonedAtOnce, contact::ABANDONED_AT_ONCE),
        (Counter::AlertFailed, contact::ALERT_FAILED),
        (Counter::Transferred, contact::TRANSFERRED),
        (Counter::Handled, contact::HANDLED),
        (Counter::AnsweredWait, contact::ANSWERED_WAIT),
        (Counter::AbandonedWait, contact::ABANDONED_WAIT),
        (Counter::Talk, contact::TALK),
        (Counter::Hold, contact::HOLD),
        (Counter::AfterContact, contact::AFTER_CONTACT),
        (Counter::Rated, contact::RATED),
        (Counter::Complained, contact::COMPLAINED),
        (Counter::Resolved, contact::RESOLVED),
    ] {
        each(counter, columns[column]);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::facts::Count;
    use crate::engine::names::{ChannelNo, ClientNo, QueueIdNo};
    use crate::engine::settings::StateSettings;
    use crate::event::{Millis, Span};

    fn losses(changes: &[(i64, Fact, i8)]) -> Vec<(RowNo, Counter, i64)> {
        let mut names = Names::new(Arc::new(StateSettings::default()));
        let client = ClientNo(names.clients.number("c"));
        for queue in ["a", "b"] {
            let queue = QueueIdNo(names.queues.number(queue));
            names.row(client, Some(queue), ChannelNo(0));
        }
        let posts: Vec<Post> = changes
            .iter()
            .map(|&(stamp, fact, sign)| Post {
                stamp: Millis(stamp),
                fact,
                sign,
            })
            .collect();
        let mut lost = Vec::new();
        net(&posts, &names, |row, counter, amount| {
            lost.push((row, counter, amount));
        });
        lost
    }

    fn answered(row: u32, seconds: i64) -> Fact {
        let wait = Span::seconds(seconds);
        Fact::Count(RowNo(row), Count::Answered { wait })
    }

    #[test]
    fn a_gain_and_a_change_of_stamp_alone_lose_nothing() {
        assert_eq!(losses(&[(5, answered(0, 7), 1)]), []);
        let moved = [(5, answered(0, 7), -1), (9, answered(0, 7), 1)];
        assert_eq!(losses(&moved), []);
    }

    #[test]
    fn a_longer_wait_loses_the_answers_within_the_rungs_between() {
        let changes = [(5, answered(0, 7), -1), (9, answered(0, 25), 1)];
        assert_eq!(
            losses(&changes),
            [
                (RowNo(0), Counter::AnsweredWithin(1), 1),
                (RowNo(0), Counter::AnsweredWithin(2), 1),
            ]
        );
    }

    #[test]
    fn a_visit_that_moves_to_another_queue_is_lost_by_the_first() {
        let pass = Fact::PassCounted(RowNo(0), 0);
        let changes = [
            (5, answered(0, 70), -1),
            (5, answered(1, 70), 1),
            (5, pass, -1),
        ];
        assert_eq!(
            losses(&changes),
            [
                (RowNo(0), Counter::Answered, 1),
                (RowNo(0), Counter::ThresholdPassed(0), 1),
                (RowNo(0), Counter::AnsweredWait, 70_000),
            ]
        );
    }
}
