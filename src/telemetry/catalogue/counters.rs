//! Counters of a queue: they start at 0 with its row and only ever grow. What a correction takes
//! back goes to `queuepulse_corrections_total`, so total = counter − corrections.

use std::collections::BTreeMap;

use crate::event::{FlowOut, Span};
use crate::kpi::rung_index;
use crate::live::{Counter, CounterRow};
use crate::telemetry::exposition::{Samples, Value};

use super::{Family, Kind, Source, queue_labels};

type Write = fn(&CounterRow<'_>, &mut Samples<'_>);

/// (key, unit, label of its own, help, formula, writer)
type Line = (
    &'static str,
    &'static str,
    Option<&'static str>,
    &'static str,
    &'static str,
    Write,
);

const LINES: [Line; 20] = [
    (
        "offered",
        "contacts",
        None,
        "Visits to the queue begun",
        "at queue entry",
        |row, out| {
            out.count(row.get(Counter::Offered));
        },
    ),
    (
        "answered",
        "contacts",
        None,
        "Visits answered by an agent",
        "at the answer",
        |row, out| {
            out.count(row.get(Counter::Answered));
        },
    ),
    (
        "answered_within_threshold",
        "contacts",
        Some("threshold"),
        "Visits answered with a wait of at most the threshold",
        "at the answer; wait <= threshold",
        |row, out| by_threshold(row, out, Counter::AnsweredWithin),
    ),
    (
        "abandoned",
        "contacts",
        None,
        "Visits that the customer left unanswered, short ones included",
        "at the abandon",
        |row, out| out.count(row.get(Counter::Abandoned)),
    ),
    (
        "abandoned_within_threshold",
        "contacts",
        Some("threshold"),
        "Visits abandoned with a wait of at most the threshold, short ones included",
        "at the abandon; wait <= threshold",
        |row, out| by_threshold(row, out, Counter::AbandonedWithin),
    ),
    (
        "short_abandoned",
        "contacts",
        Some("threshold"),
        "Visits abandoned with a wait of at most the short-abandon threshold; none when it is 0",
        "at the abandon; wait <= S, and the label is S",
        short_abandoned,
    ),
    (
        "threshold_passed",
        "contacts",
        Some("threshold"),
        "Visits that waited longer than the threshold",
        "at the visit's exit, or late_after after it passed the threshold if it still waits then, by the time of its partition's events",
        |row, out| by_threshold(row, out, Counter::ThresholdPassed),
    ),
    (
        "flowed_out",
        "contacts",
        Some("outcome"),
        "Visits routed out of the queue unanswered, by outcome",
        "at the exit",
        flowed_out,
    ),
    (
        "callbacks_requested",
        "contacts",
        None,
        "Visits swapped for a callback",
        "at the exit; never an abandon",
        |row, out| out.count(row.get(Counter::CallbacksRequested)),
    ),
    (
        "alert_failed",
        "alerts",
        None,
        "Alerts at an agent that were not answered",
        "may exceed one per visit",
        |row, out| out.count(row.get(Counter::AlertFailed)),
    ),
    (
        "transferred",
        "contacts",
        None,
        "Contacts transferred out, blind or attended",
        "at the queue of the answered visit",
        |row, out| out.count(row.get(Counter::Transferred)),
    ),
    (
        "handled",
        "contacts",
        None,
        "Agents' parts of contacts that ended",
        "at the end of each leg",
        |row, out| out.count(row.get(Counter::Handled)),
    ),
    (
        "answered_wait_seconds",
        "seconds",
        None,
        "Time that answered visits had waited",
        "at the answer",
        |row, out| out.seconds(row.get(Counter::AnsweredWait)),
    ),
    (
        "abandoned_wait_seconds",
        "seconds",
        None,
        "Time that abandoned visits had waited",
        "at the abandon",
        |row, out| out.seconds(row.get(Counter::AbandonedWait)),
    ),
    (
        "talk_seconds",
        "seconds",
        None,
        "Talk time of handled contacts",
        "posted at the end of each leg",
        |row, out| out.seconds(row.get(Counter::Talk)),
    ),
    (
        "hold_seconds",
        "seconds",
        None,
        "Hold time of handled contacts",
        "posted at the end of each leg",
        |row, out| out.seconds(row.get(Counter::Hold)),
    ),
    (
        "after_contact_seconds",
        "seconds",
        None,
        "After-contact work (ACW)",
        "posted when it ends",
        |row, out| out.seconds(row.get(Counter::AfterContact)),
    ),
    (
        "rated",
        "contacts",
        None,
        "Contacts rated by the customer",
        "at the rating",
        |row, out| {
            out.count(row.get(Counter::Rated));
        },
    ),
    (
        "complained",
        "contacts",
        None,
        "Complaints",
        "at the complaint",
        |row, out| {
            out.count(row.get(Counter::Complained));
        },
    ),
    (
        "resolved",
        "contacts",
        None,
        "Cases resolved",
        "at the resolution",
        |row, out| {
            out.count(row.get(Counter::Resolved));
        },
    ),
];

/// Counters that are exported only when asked for: no figure of this release needs them.
const ON_REQUEST: [&str; 3] = ["rated", "complained", "resolved"];

pub(super) fn families() -> Vec<Family> {
    LINES
        .iter()
        .map(|&(key, unit, label, help, formula, write)| Family {
            name: format!("queuepulse_{key}_total"),
            kind: Kind::Counter,
            unit,
            labels: queue_labels(label.as_slice()),
            help: format!("{help}."),
            formula,
            by_default: !ON_REQUEST.contains(&key),
            source: Source::Counter(write),
        })
        .chain([corrections()])
        .collect()
}

/// One family for all queues: per queue it could double the samples.
fn corrections() -> Family {
    Family {
        name: "queuepulse_corrections_total".to_owned(),
        kind: Kind::Counter,
        unit: "",
        labels: vec!["figure"],
        help: "What corrections took back from a counter, by figure; absent while 0.".to_owned(),
        formula: "sum of the totals = sum of the counters - corrections; within the queue's own T",
        by_default: true,
        source: Source::Corrections,
    }
}

/// The queue's T, or every rung when all are asked for.
fn by_threshold(row: &CounterRow<'_>, out: &mut Samples<'_>, counter: fn(u8) -> Counter) {
    for (rung, &length) in (0_u8..).zip(row.rungs()) {
        if out.all_rungs() || length == row.view().threshold {
            out.put_threshold(length, &[], Value::Count(row.get(counter(rung))));
        }
    }
}

fn short_abandoned(row: &CounterRow<'_>, out: &mut Samples<'_>) {
    let short = row.view().short_abandon;
    let rung = rung_index(row.rungs(), short).and_then(|rung| u8::try_from(rung).ok());
    if let (Some(rung), true) = (rung, short > Span::ZERO) {
        let count = row.get(Counter::AbandonedWithin(rung));
        out.put_threshold(short, &[], Value::Count(count));
    }
}

fn flowed_out(row: &CounterRow<'_>, out: &mut Samples<'_>) {
    for (way, how) in (0_u8..).zip(FlowOut::ALL) {
        let count = row.get(Counter::FlowedOut(way));
        out.put(&[("outcome", how.name())], Value::Count(count));
    }
}

/// How a number is shown.
type Unit = fn(i64) -> Value;

/// What corrections took back, by figure, over all queues; of counters by threshold what a queue's
/// own T counts.
pub(crate) fn corrected<'a>(
    rows: impl Iterator<Item = CounterRow<'a>>,
) -> BTreeMap<&'static str, Value> {
    let mut sums: BTreeMap<&'static str, (Unit, i64)> = BTreeMap::new();
    for row in rows {
        for (counter, lost) in row.losses() {
            if let Some(unit) = unit(&row, counter) {
                sums.entry(counter.figure()).or_insert((unit, 0)).1 += lost;
            }
        }
    }
    sums.into_iter()
        .map(|(figure, (unit, lost))| (figure, unit(lost)))
        .collect()
}

/// How what a counter lost is shown; `None` for what is no counter on its own.
fn unit(row: &CounterRow<'_>, counter: Counter) -> Option<Unit> {
    match counter {
        Counter::AbandonedAtOnce => None,
        Counter::AnsweredWithin(rung)
        | Counter::AbandonedWithin(rung)
        | Counter::ThresholdPassed(rung) => {
            let own = row.rungs().get(usize::from(rung)) == Some(&row.view().threshold);
            own.then_some(Value::Count)
        }
        Counter::AnsweredWait
        | Counter::AbandonedWait
        | Counter::Talk
        | Counter::Hold
        | Counter::AfterContact => Some(Value::Seconds),
        Counter::FlowedOut(_)
        | Counter::Offered
        | Counter::Answered
        | Counter::Abandoned
        | Counter::CallbacksRequested
        | Counter::AlertFailed
        | Counter::Transferred
        | Counter::Handled
        | Counter::Rated
        | Counter::Complained
        | Counter::Resolved => Some(Value::Count),
    }
}
