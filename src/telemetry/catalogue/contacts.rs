//! Contact figures of a queue: now, and over windows.

use crate::event::FlowOut;
use crate::kpi::{abandon_time_average, answer_speed_average, handle_time_average, seconds};
use crate::live::{CONTACT_STATES, Merged, Row, RowWindow, expected_wait_of};
use crate::telemetry::exposition::{Samples, Value};

use super::{Family, Kind, Source, queue_labels};

type WriteNow = fn(&Row, &Merged, &mut Samples<'_>);
type WriteWindow = fn(&RowWindow, &mut Samples<'_>);

/// (key, unit, labels of its own, help, formula, writer)
type Now = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static str,
    WriteNow,
);

const NOW: [Now; 9] = [
    (
        "waiting",
        "contacts",
        &[],
        "Contacts waiting, those ringing at an agent included",
        "queued, neither answered nor gone",
        |row, _, out| out.count(row.contacts.waiting),
    ),
    (
        "waiting_past_threshold",
        "contacts",
        &[],
        "Contacts waiting longer than the service threshold",
        "waiting and age > T",
        |row, _, out| out.count(row.contacts.waiting_past),
    ),
    (
        "longest_wait_seconds",
        "seconds",
        &[],
        "Age of the contact that has waited longest; absent when nobody waits",
        "now - min(queue entry)",
        |row, merged, out| {
            let longest = row.contacts.longest_wait(merged.now);
            out.figure(longest.map(|wait| seconds(wait.0)));
        },
    ),
    (
        "expected_wait_seconds",
        "seconds",
        &[],
        "Expected wait of one more arrival; absent when nobody is online or nothing was handled",
        "AHT * max(0, waiting - available + 1) / max(1, online), AHT of the longest sliding window up to 30 min",
        |row, merged, out| out.figure(expected_wait_of(row, merged)),
    ),
    (
        "service_level_ratio",
        "ratio",
        &[],
        "Share of waiting contacts within the threshold; sl10 queues only",
        "(waiting - waiting_past_threshold) / waiting",
        |row, _, out| out.figure(row.contacts.level.ratio()),
    ),
    (
        "contacts_by_state",
        "contacts",
        &["state"],
        "Contacts in the queue or at its agents, by state",
        "contact side; waiting without those alerting",
        |row, _, out| {
            for (state, count) in CONTACT_STATES.into_iter().zip(row.contacts.by_state) {
                out.put(&[("state", state)], Value::Count(count));
            }
        },
    ),
    (
        "queue_info",
        "",
        &["display_name", "group", "zone", "variant"],
        "How the queue is shown; always 1",
        "view settings",
        |row, _, out| out.info(row),
    ),
    (
        "service_level_target_ratio",
        "ratio",
        &[],
        "Target service level",
        "view setting",
        |row, _, out| out.figure(row.queue.as_ref().map(|(_, view)| view.target)),
    ),
    (
        "service_level_threshold_seconds",
        "seconds",
        &[],
        "Service threshold T",
        "view setting",
        |row, _, out| {
            let threshold = row.queue.as_ref().map(|(_, view)| view.threshold);
            out.figure(threshold.map(|threshold| seconds(threshold.0)));
        },
    ),
];

/// (key, unit, exported by default, help, formula, writer)
type Window = (
    &'static str,
    &'static str,
    bool,
    &'static str,
    &'static str,
    WriteWindow,
);

const WINDOWS: [Window; 36] = [
    (
        "complete",
        "",
        false,
        "Whether everything since the window's beginning was read",
        "1 or 0",
        |w, out| {
            out.count(i64::from(w.complete));
        },
    ),
    (
        "offered",
        "contacts",
        true,
        "Visits begun",
        "at queue entry",
        |w, out| {
            out.count(w.contacts.counts.offered);
        },
    ),
    (
        "answered",
        "contacts",
        true,
        "Visits answered",
        "at the answer",
        |w, out| {
            out.count(w.contacts.counts.answered);
        },
    ),
    (
        "answered_within_threshold",
        "contacts",
        false,
        "Visits answered within T",
        "wait <= T",
        |w, out| {
            out.count(w.contacts.counts.answered_within);
        },
    ),
    (
        "abandoned",
        "contacts",
        true,
        "Visits abandoned, short ones included",
        "at the abandon",
        |w, out| {
            out.count(w.contacts.counts.abandoned);
        },
    ),
    (
        "abandoned_within_threshold",
        "contacts",
        false,
        "Visits abandoned within T",
        "wait <= T",
        |w, out| {
            out.count(w.contacts.counts.abandoned_within);
        },
    ),
    (
        "short_abandoned",
        "contacts",
        false,
        "Visits abandoned within S",
        "wait <= S; 0 when S is 0",
        |w, out| {
            out.count(w.contacts.counts.short_abandoned);
        },
    ),
    (
        "flowed_out",
        "contacts",
        false,
        "Visits routed out unanswered, by outcome",
        "at the exit",
        |w, out| {
            for (how, count) in FlowOut::ALL.into_iter().zip(w.contacts.counts.flowed_out) {
                out.put(&[("outcome", how.name())], Value::Count(count));
            }
        },
    ),
    (
        "callbacks_requested",
        "contacts",
        false,
        "Visits swapped for a callback",
        "at the exit",
        |w, out| {
            out.count(w.contacts.counts.callbacks);
        },
    ),
    (
        "alert_failed",
        "alerts",
        false,
        "Alerts not answered",
        "at the failure",
        |w, out| {
            out.count(w.contacts.counts.alert_failed);
        },
    ),
    (
        "transferred",
        "contacts",
        false,
        "Contacts transferred out",
        "at the transfer",
        |w, out| {
            out.count(w.contacts.counts.transferred);
        },
    ),
    (
        "handled",
        "contacts",
        false,
        "Agents' parts of contacts that ended",
        "at the end of each leg",
        |w, out| {
            out.count(w.contacts.counts.handled);
        },
    ),
    (
        "rated",
        "contacts",
        false,
        "Contacts rated",
        "at the rating",
        |w, out| {
            out.count(w.contacts.counts.rated);
        },
    ),
    (
        "complained",
        "contacts",
        false,
        "Complaints",
        "at the complaint",
        |w, out| {
            out.count(w.contacts.counts.complained);
        },
    ),
    (
        "resolved",
        "contacts",
        false,
        "Cases resolved",
        "at the resolution",
        |w, out| {
            out.count(w.contacts.counts.resolved);
        },
    ),
    (
        "service_level_ratio",
        "ratio",
        true,
        "Service level in the queue's own variant; absent when nothing counts",
        "service_level_met / (service_level_met + service_level_missed)",
        |w, out| out.figure(w.contacts.level.ratio()),
    ),
    (
        "service_level_met",
        "contacts",
        true,
        "Numerator of the service level",
        "by variant, see docs/kpi.md",
        |w, out| {
            out.count_if(w.contacts.level.exists(), w.contacts.level.met);
        },
    ),
    (
        "service_level_missed",
        "contacts",
        true,
        "Denominator of the service level less its numerator",
        "by variant, see docs/kpi.md",
        |w, out| {
            out.count_if(w.contacts.level.exists(), w.contacts.level.missed());
        },
    ),
    (
        "answered_wait_seconds",
        "seconds",
        true,
        "Time that answered visits had waited",
        "at the answer",
        |w, out| {
            out.seconds(w.contacts.counts.answered_wait);
        },
    ),
    (
        "answer_speed_average_seconds",
        "seconds",
        true,
        "Average speed of answer (ASA)",
        "answered_wait_seconds / answered",
        |w, out| out.figure(answer_speed_average(&w.contacts.counts)),
    ),
    (
        "abandoned_wait_seconds",
        "seconds",
        false,
        "Time that abandoned visits had waited",
        "at the abandon",
        |w, out| {
            out.seconds(w.contacts.counts.abandoned_wait);
        },
    ),
    (
        "abandon_time_average_seconds",
        "seconds",
        false,
        "Average time to abandon",
        "abandoned_wait_seconds / abandoned",
        |w, out| out.figure(abandon_time_average(&w.contacts.counts)),
    ),
    (
        "talk_seconds",
        "seconds",
        false,
        "Talk time",
        "posted at the end of each leg",
        |w, out| {
            out.seconds(w.contacts.counts.talk);
        },
    ),
    (
        "hold_seconds",
        "seconds",
        false,
        "Hold time",
        "posted at the end of each leg",
        |w, out| {
            out.seconds(w.contacts.counts.hold);
        },
    ),
    (
        "after_contact_seconds",
        "seconds",
        false,
        "After-contact work (ACW)",
        "posted when it ends",
        |w, out| {
            out.seconds(w.contacts.counts.after_contact);
        },
    ),
    (
        "handle_time_average_seconds",
        "seconds",
        false,
        "Average handle time (AHT)",
        "(talk_seconds + hold_seconds + after_contact_seconds) / handled",
        |w, out| out.figure(handle_time_average(&w.contacts.counts)),
    ),
    (
        "abandonment_ratio",
        "ratio",
        false,
        "Share of visits abandoned",
        "abandoned / (answered + abandoned), by setting abandoned / offered",
        |w, out| out.figure(w.contacts.abandonment.ratio()),
    ),
    (
        "wait_seconds_p50",
        "seconds",
        false,
        PERCENTILE_WAIT,
        NEAREST,
        |w, out| wait(w, 50, out),
    ),
    (
        "wait_seconds_p90",
        "seconds",
        false,
        PERCENTILE_WAIT,
        NEAREST,
        |w, out| wait(w, 90, out),
    ),
    (
        "wait_seconds_p95",
        "seconds",
        false,
        PERCENTILE_WAIT,
        NEAREST,
        |w, out| wait(w, 95, out),
    ),
    (
        "wait_seconds_p99",
        "seconds",
        false,
        PERCENTILE_WAIT,
        NEAREST,
        |w, out| wait(w, 99, out),
    ),
    (
        "wait_seconds_max",
        "seconds",
        false,
        "Largest wait over all exits",
        "max(wait)",
        |w, out| {
            out.figure(w.contacts.wait_max.map(seconds));
        },
    ),
    (
        "handle_seconds_p50",
        "seconds",
        false,
        PERCENTILE_HANDLE,
        NEAREST,
        |w, out| handle(w, 50, out),
    ),
    (
        "handle_seconds_p90",
        "seconds",
        false,
        PERCENTILE_HANDLE,
        NEAREST,
        |w, out| handle(w, 90, out),
    ),
    (
        "handle_seconds_p95",
        "seconds",
        false,
        PERCENTILE_HANDLE,
        NEAREST,
        |w, out| handle(w, 95, out),
    ),
    (
        "handle_seconds_p99",
        "seconds",
        false,
        PERCENTILE_HANDLE,
        NEAREST,
        |w, out| handle(w, 99, out),
    ),
];

const PERCENTILE_WAIT: &str =
    "Percentile of the waits of answered visits; does not add up over queues";
const PERCENTILE_HANDLE: &str = "Percentile of talk + hold; does not add up over queues";
const NEAREST: &str = "nearest rank, within 1 %";

fn wait(window: &RowWindow, percentile: u64, out: &mut Samples<'_>) {
    out.figure(window.contacts.wait.at(percentile));
}

fn handle(window: &RowWindow, percentile: u64, out: &mut Samples<'_>) {
    out.figure(window.contacts.handle.at(percentile));
}

pub(super) fn families() -> Vec<Family> {
    let now = NOW
        .iter()
        .map(|&(key, unit, labels, help, formula, write)| Family {
            name: format!("queuepulse_{key}"),
            kind: Kind::Gauge,
            unit,
            labels: queue_labels(labels),
            help: format!("{help}."),
            formula,
            by_default: true,
            source: Source::Now(write),
        });
    let windows = WINDOWS
        .iter()
        .map(|&(key, unit, by_default, help, formula, write)| Family {
            name: format!("queuepulse_window_{key}"),
            kind: Kind::Gauge,
            unit,
            labels: if key == "flowed_out" {
                queue_labels(&["window", "outcome"])
            } else {
                queue_labels(&["window"])
            },
            help: format!("{help}, over the window."),
            formula,
            by_default,
            source: Source::Window(write),
        });
    now.chain(windows).collect()
}
