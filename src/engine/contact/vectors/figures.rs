//! Posts to figures, added up one by one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Question;
use crate::engine::facts::{ContactState, Count, Fact, Post};
use crate::engine::timeline::Waiting;
use crate::event::{FlowOut, Millis, Span};

const PERCENTILES: [(u64, &str); 4] = [(50, "p50"), (90, "p90"), (95, "p95"), (99, "p99")];

/// The figures of one row and window.
#[derive(Default)]
pub(super) struct Sums {
    counts: BTreeMap<&'static str, i64>,
    waits: Vec<i64>,
    handles: Vec<i64>,
    longest: Option<i64>,
    passed: i64,
}

impl Sums {
    fn add(&mut self, key: &'static str, amount: i64) {
        *self.counts.entry(key).or_default() += amount;
    }

    fn get(&self, key: &str) -> i64 {
        self.counts.get(key).copied().unwrap_or(0)
    }

    fn exit(&mut self, wait: Span) {
        self.longest = self.longest.max(Some(wait.0));
    }

    pub(super) fn count(&mut self, count: Count, ask: &Question, rungs: &[Span]) {
        let within = |wait: Span| i64::from(wait <= ask.threshold);
        match count {
            Count::Offered => self.add("offered", 1),
            Count::Answered { wait } => {
                self.add("answered", 1);
                self.add("answered_within_threshold", within(wait));
                self.add("answered_wait", wait.0);
                self.waits.push(wait.0);
                self.exit(wait);
            }
            Count::Abandoned { wait } => {
                let short = ask.short_abandon > Span::ZERO && wait <= ask.short_abandon;
                self.add("abandoned", 1);
                self.add("abandoned_within_threshold", within(wait));
                self.add("short_abandoned", i64::from(short));
                self.add("abandoned_wait", wait.0);
                self.exit(wait);
            }
            Count::FlowedOut { how, wait } => {
                self.add(how.name(), 1);
                self.add("flowed_out", 1);
                if let Some(wait) = wait {
                    self.exit(wait);
                }
            }
            Count::Callback { wait } => {
                self.add("callbacks_requested", 1);
                self.add("callbacks_within", within(wait));
                self.exit(wait);
            }
            Count::Passed { rung } => {
                self.passed += i64::from(rungs[usize::from(rung)] == ask.threshold);
            }
            Count::AlertFailed => self.add("alert_failed", 1),
            Count::Transferred => self.add("transferred", 1),
            Count::Handled { talk, hold } => {
                self.add("handled", 1);
                self.add("talk", talk.0);
                self.add("hold", hold.0);
                self.handles.push(talk.0 + hold.0);
            }
            Count::AfterContact { acw } => self.add("after_contact", acw.0),
            Count::Rated | Count::Complained | Count::Resolved => {}
        }
    }

    /// Numerator and denominator of the variant.
    fn service_level(&self, ask: &Question) -> (i64, i64) {
        let [ans, ans_t] = ["answered", "answered_within_threshold"].map(|key| self.get(key));
        let abd = self.get("abandoned");
        let [abd_t, abd_s] =
            ["abandoned_within_threshold", "short_abandoned"].map(|key| self.get(key));
        let [flow, cb, cb_t] =
            ["flowed_out", "callbacks_requested", "callbacks_within"].map(|key| self.get(key));
        match ask.variant.as_str() {
            "sl1" => (ans_t, ans + abd),
            "sl2" => (ans_t, ans + abd - abd_t),
            "sl3" => (ans_t + abd_t, ans + abd),
            "sl4" => (ans_t, ans),
            "sl5" => (ans_t, ans + abd - abd_s),
            "sl6" => (ans_t + abd_s, ans + abd),
            "sl7" => (ans_t, ans + abd + flow),
            "sl8" => (ans_t + abd_t + cb_t, ans + abd + flow + cb),
            "sl9" => (ans_t, ans_t + self.passed),
            other => panic!("variant {other}"),
        }
    }

    pub(super) fn figures(&mut self, ask: &Question) -> BTreeMap<String, Value> {
        let mut out = BTreeMap::new();
        let mut put = |key: &str, value: Value| out.insert(key.to_owned(), value);
        for key in [
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
        ] {
            put(key, json!(self.get(key)));
        }
        for how in FlowOut::ALL {
            put(
                &format!("flowed_out/{}", how.name()),
                json!(self.get(how.name())),
            );
        }
        for key in [
            "answered_wait",
            "abandoned_wait",
            "talk",
            "hold",
            "after_contact",
        ] {
            put(&format!("{key}_seconds"), seconds(self.get(key)));
        }
        let (met, all) = self.service_level(ask);
        put("service_level_met", json!(met));
        put("service_level_missed", json!(all - met));
        let longest = self.longest.map_or(Value::Null, seconds);
        put("wait_seconds_max", longest);
        self.waits.sort_unstable();
        self.handles.sort_unstable();
        for (percent, name) in PERCENTILES {
            put(
                &format!("wait_seconds_{name}"),
                nearest(&self.waits, percent),
            );
            put(
                &format!("handle_seconds_{name}"),
                nearest(&self.handles, percent),
            );
        }
        out
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a test")]
fn seconds(millis: i64) -> Value {
    json!(millis as f64 / 1000.0)
}

fn nearest(sorted: &[i64], percent: u64) -> Value {
    let rank = (sorted.len() as u64 * percent).div_ceil(100);
    match rank.checked_sub(1) {
        Some(index) => seconds(sorted[usize::try_from(index).expect("an index")]),
        None => Value::Null,
    }
}

/// The *now* figures of one row.
pub(super) fn now_figures(
    posts: &[&Post],
    waiting: &[Waiting],
    rungs: &[Span],
    ask: &Question,
    now: Millis,
) -> BTreeMap<String, Value> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for post in posts {
        let key = match post.fact {
            Fact::State(_, ContactState::Waiting) => "waiting",
            Fact::State(_, ContactState::Alerting) => "alerting",
            Fact::State(_, ContactState::Connected) => "connected",
            Fact::State(_, ContactState::Held) => "held",
            Fact::State(_, ContactState::Acw) => "acw",
            Fact::WaitingPast(_, rung) if rungs[usize::from(rung)] == ask.threshold => "past",
            _ => continue,
        };
        *sums.entry(key).or_default() += i64::from(post.sign);
    }
    let get = |key: &str| sums.get(key).copied().unwrap_or(0);
    let mut out = BTreeMap::new();
    for state in ["waiting", "alerting", "connected", "held", "acw"] {
        out.insert(format!("contacts_by_state/{state}"), json!(get(state)));
    }
    let all_waiting = get("waiting") + get("alerting");
    assert_eq!(usize::try_from(all_waiting), Ok(waiting.len()));
    out.insert("waiting".to_owned(), json!(all_waiting));
    out.insert("waiting_past_threshold".to_owned(), json!(get("past")));
    let longest = waiting.iter().map(|waiting| (now - waiting.entry).0).max();
    out.insert(
        "longest_wait_seconds".to_owned(),
        longest.map_or(Value::Null, seconds),
    );
    out
}
