//! Counts and sums of contacts, and the figures that follow from them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Shown;
use super::posts::{Post, What};

/// What a row of contacts' figures holds: counts and sums that can be added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) counts: BTreeMap<String, i64>,
    pub(super) flowed: BTreeMap<String, i64>,
    pub(super) answered_waits: Vec<i64>,
    pub(super) abandoned_waits: Vec<i64>,
    pub(super) waits: Vec<i64>,
    pub(super) handles: Vec<i64>,
    pub(super) talk: i64,
    pub(super) hold: i64,
    pub(super) after: i64,
    pub(super) met: i64,
    pub(super) due: i64,
    pub(super) abandonment: (i64, i64),
    pub(super) no_service_level: bool,
}

pub const FLOWS: [&str; 7] = [
    "overflow",
    "timeout",
    "exit_key",
    "no_agents",
    "transfer",
    "withdrawn",
    "error",
];

pub(super) const COUNTS: [&str; 13] = [
    "offered",
    "answered",
    "answered_within_threshold",
    "abandoned",
    "abandoned_within_threshold",
    "short_abandoned",
    "callbacks_requested",
    "alert_failed",
    "transferred",
    "handled",
    "rated",
    "complained",
    "resolved",
];

impl Tally {
    pub(super) fn get(&self, key: &str) -> i64 {
        self.counts.get(key).copied().unwrap_or(0)
    }

    pub(super) fn count(&mut self, key: &str, by: bool) {
        *self.counts.entry(key.to_owned()).or_default() += i64::from(by);
    }

    pub(super) fn of(posts: &[&Post], shown: &Shown) -> Self {
        let mut tally = Self::default();
        for post in posts {
            match &post.what {
                What::Offered => tally.count("offered", true),
                What::Passed(rung) => tally.count("passed", *rung == shown.threshold),
                What::PassCounted => tally.count("threshold_passed", true),
                What::AlertFailed => tally.count("alert_failed", true),
                What::Transferred => tally.count("transferred", true),
                What::After(acw) => tally.after += acw,
                What::Alone(kind) => tally.count(kind, true),
                What::Handled(talk, hold) => {
                    tally.count("handled", true);
                    tally.talk += talk;
                    tally.hold += hold;
                    tally.handles.push(talk + hold);
                }
                What::Exit(name, wait) => tally.exit(name, *wait, shown),
            }
        }
        tally.service_level(shown);
        let abandoned = tally.get("abandoned");
        let of = if shown.abandonment_of_offered {
            tally.get("offered")
        } else {
            tally.get("answered") + abandoned
        };
        tally.abandonment = (abandoned, of);
        tally
    }

    pub(super) fn exit(&mut self, name: &str, wait: Option<i64>, shown: &Shown) {
        self.waits.extend(wait);
        let within = |limit: i64| wait.is_some_and(|wait| wait <= limit);
        match name {
            "answered" => {
                self.count("answered", true);
                self.count("answered_within_threshold", within(shown.threshold));
                self.count("in range 1", within(shown.ranges.0));
                self.answered_waits.extend(wait);
            }
            "abandoned" => {
                self.count("abandoned", true);
                self.count("abandoned_within_threshold", within(shown.threshold));
                self.count(
                    "short_abandoned",
                    shown.short_abandon > 0 && within(shown.short_abandon),
                );
                self.count("in range 2", within(shown.ranges.1));
                self.abandoned_waits.extend(wait);
            }
            "callback" => {
                self.count("callbacks_requested", true);
                self.count("callbacks within", within(shown.threshold));
            }
            _ => *self.flowed.entry(name.to_owned()).or_default() += 1,
        }
    }

    /// Numerator and denominator, by the table of `docs/kpi.md`.
    pub(super) fn service_level(&mut self, shown: &Shown) {
        let ans = self.get("answered");
        let abd = self.get("abandoned");
        let (ans_t, abd_t) = (
            self.get("answered_within_threshold"),
            self.get("abandoned_within_threshold"),
        );
        let (abd_s, cb_t) = (self.get("short_abandoned"), self.get("callbacks within"));
        let flow: i64 = self.flowed.values().sum();
        let callbacks = self.get("callbacks_requested");
        (self.met, self.due) = match shown.variant.as_str() {
            "sl1" => (ans_t, ans + abd),
            "sl2" => (ans_t, ans + abd - abd_t),
            "sl3" => (ans_t + abd_t, ans + abd),
            "sl4" => (ans_t, ans),
            "sl5" => (ans_t, ans + abd - abd_s),
            "sl6" => (ans_t + abd_s, ans + abd),
            "sl7" if !shown.abandons => (ans_t, ans + flow),
            "sl7" if !shown.short_abandons => (ans_t, ans + abd + flow - abd_s),
            "sl7" => (ans_t, ans + abd + flow),
            "sl8" => (ans_t + abd_t + cb_t, ans + abd + flow + callbacks),
            "sl9" => {
                let positive = shown.abandons_within_threshold == "positive";
                let negative = shown.abandons_within_threshold == "negative";
                let mut met = ans_t + if positive { abd_t - abd_s } else { 0 };
                met += if shown.callbacks_met { cb_t } else { 0 };
                (
                    met,
                    met + self.get("passed") + if negative { abd_t - abd_s } else { 0 },
                )
            }
            "sl11" => (self.get("in range 1"), ans + abd - self.get("in range 2")),
            _ => (0, 0),
        };
        self.no_service_level = ["sl10", "sl12"].contains(&shown.variant.as_str());
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (key, count) in &other.counts {
            *self.counts.entry(key.clone()).or_default() += count;
        }
        for (key, count) in &other.flowed {
            *self.flowed.entry(key.clone()).or_default() += count;
        }
        self.answered_waits.extend(&other.answered_waits);
        self.abandoned_waits.extend(&other.abandoned_waits);
        self.waits.extend(&other.waits);
        self.handles.extend(&other.handles);
        self.talk += other.talk;
        self.hold += other.hold;
        self.after += other.after;
        self.met += other.met;
        self.due += other.due;
        self.abandonment.0 += other.abandonment.0;
        self.abandonment.1 += other.abandonment.1;
    }

    pub(super) fn write(&self, into: &mut Map<String, Value>) {
        for key in COUNTS {
            into.insert(key.to_owned(), json!(self.get(key)));
        }
        let flowed: Map<String, Value> = FLOWS
            .iter()
            .map(|key| {
                (
                    (*key).to_owned(),
                    json!(self.flowed.get(*key).copied().unwrap_or(0)),
                )
            })
            .collect();
        let mut put = |key: &str, value: Value| into.insert(key.to_owned(), value);
        put("flowed_out", flowed.into());
        let level = |value: Value| {
            if self.no_service_level {
                Value::Null
            } else {
                value
            }
        };
        put("service_level_ratio", level(ratio(self.met, self.due)));
        put("service_level_met", level(json!(self.met)));
        put("service_level_missed", level(json!(self.due - self.met)));
        let answered: i64 = self.answered_waits.iter().sum();
        let abandoned: i64 = self.abandoned_waits.iter().sum();
        put("answered_wait_seconds", seconds(answered));
        put(
            "answer_speed_average_seconds",
            average(answered, self.get("answered")),
        );
        put("abandoned_wait_seconds", seconds(abandoned));
        put(
            "abandon_time_average_seconds",
            average(abandoned, self.get("abandoned")),
        );
        put("talk_seconds", seconds(self.talk));
        put("hold_seconds", seconds(self.hold));
        put("after_contact_seconds", seconds(self.after));
        put(
            "handle_time_average_seconds",
            average(self.talk + self.hold + self.after, self.get("handled")),
        );
        put(
            "abandonment_ratio",
            ratio(self.abandonment.0, self.abandonment.1),
        );
        put(
            "wait_seconds_max",
            self.waits
                .iter()
                .max()
                .map_or(Value::Null, |max| seconds(*max)),
        );
        for percent in [50, 90, 95, 99] {
            put(
                &format!("wait_seconds_p{percent}"),
                percentile(&self.answered_waits, percent),
            );
            put(
                &format!("handle_seconds_p{percent}"),
                percentile(&self.handles, percent),
            );
        }
    }
}

pub(super) fn seconds(ms: i64) -> Value {
    json!(ms as f64 / 1000.0)
}

pub(super) fn ratio(part: i64, whole: i64) -> Value {
    if whole == 0 {
        Value::Null
    } else {
        json!(part as f64 / whole as f64)
    }
}

pub(super) fn average(ms: i64, count: i64) -> Value {
    if count == 0 {
        Value::Null
    } else {
        json!(ms as f64 / 1000.0 / count as f64)
    }
}

/// The nearest rank.
pub(super) fn percentile(values: &[i64], percent: usize) -> Value {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (percent * sorted.len()).div_ceil(100);
    if rank == 0 {
        Value::Null
    } else {
        seconds(sorted[rank - 1])
    }
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(at: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at).expect("in range");
    format!("{stamp:.3}")
}
