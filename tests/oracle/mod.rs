//! A second calculator of every figure: slow, plain, and written from `docs/events.md` and
//! `docs/kpi.md` alone. It keeps no state: each question sorts and scans the whole log again. The
//! engine is held to it by `tests/scenarios.rs`, `tests/properties.rs` and `tests/vectors.rs`.
//!
//! It must never use the engine's own folding, windows or figures: two calculators that share code
//! share mistakes.

#![allow(
    dead_code,
    reason = "each integration test uses a part of this shared module"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::struct_excessive_bools,
    reason = "test code: a failure here is a failed test, counts are far below 2^52, and settings are as the documents list them"
)]

pub mod agents;
pub mod compare;
pub mod contacts;
pub mod figures;
pub mod lives;
pub mod posts;
pub mod record;
pub mod tally;

use std::collections::BTreeMap;

use serde_json::Value;

/// What happens after a contact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AfterContact {
    None,
    Events,
    Timer(i64),
}

/// A client, queue or channel that a setting is for; `None` and `*` cover all.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    pub client: Option<String>,
    pub queue: Option<String>,
    pub channel: Option<String>,
}

impl Pattern {
    pub fn covers(&self, row: &Row) -> bool {
        let part = |want: &Option<String>, have: &str| {
            want.as_deref()
                .is_none_or(|want| want == "*" || want == have)
        };
        part(&self.client, &row.client)
            && part(&self.queue, &row.queue)
            && part(&self.channel, &row.channel)
    }
}

/// A queue on a channel, of a client.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub client: String,
    pub queue: String,
    pub channel: String,
}

/// How one queue is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    pub threshold: i64,
    pub short_abandon: i64,
    pub variant: String,
    pub group: Option<String>,
    /// sl7
    pub abandons: bool,
    /// sl7
    pub short_abandons: bool,
    /// sl9: `ignored`, `negative` or `positive`.
    pub abandons_within_threshold: String,
    /// sl9
    pub callbacks_met: bool,
    /// sl11: answered within, abandoned within.
    pub ranges: (i64, i64),
    pub abandonment_of_offered: bool,
}

/// Every setting that a figure may depend on. Times in milliseconds.
#[derive(Clone, Debug)]
pub struct Settings {
    pub zone: String,
    pub shown: Shown,
    /// Later entries win.
    pub shown_by_queue: Vec<(Pattern, Shown)>,
    /// The first that covers holds.
    pub zone_by_queue: Vec<(Pattern, String)>,
    /// The first that covers holds.
    pub after_contact: Vec<(Pattern, AfterContact)>,
    pub ghost_after: BTreeMap<String, i64>,
    pub ghost_after_other: i64,
    pub settle_after: i64,
    pub retain: i64,
    pub late_after: i64,
    pub acw_max: i64,
    pub agent_ttl: i64,
}

pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "UTC".to_owned(),
            shown: Shown {
                threshold: 20 * SECOND,
                short_abandon: 0,
                variant: "sl9".to_owned(),
                group: None,
                abandons: true,
                short_abandons: true,
                abandons_within_threshold: "ignored".to_owned(),
                callbacks_met: false,
                ranges: (20 * SECOND, 20 * SECOND),
                abandonment_of_offered: false,
            },
            shown_by_queue: Vec::new(),
            zone_by_queue: Vec::new(),
            after_contact: Vec::new(),
            ghost_after: [("voice", 4), ("video", 4), ("callback", 4), ("chat", 24)]
                .map(|(channel, hours)| (channel.to_owned(), hours * HOUR))
                .into(),
            ghost_after_other: 30 * 24 * HOUR,
            settle_after: 5 * MINUTE,
            retain: 4 * HOUR,
            late_after: MINUTE,
            acw_max: 10 * MINUTE,
            agent_ttl: 16 * HOUR,
        }
    }
}

impl Settings {
    pub fn ghost(&self, channel: &str) -> i64 {
        self.ghost_after
            .get(channel)
            .copied()
            .unwrap_or(self.ghost_after_other)
    }

    pub fn shown(&self, row: &Row) -> Shown {
        let own = self
            .shown_by_queue
            .iter()
            .rev()
            .find(|(pattern, _)| pattern.covers(row));
        own.map_or_else(|| self.shown.clone(), |(_, shown)| shown.clone())
    }

    pub fn zone(&self, row: &Row) -> &str {
        let own = self
            .zone_by_queue
            .iter()
            .find(|(pattern, _)| pattern.covers(row));
        own.map_or(&self.zone, |(_, zone)| zone)
    }

    pub fn after_contact(&self, row: &Row) -> AfterContact {
        let own = self
            .after_contact
            .iter()
            .find(|(pattern, _)| pattern.covers(row));
        own.map_or(AfterContact::None, |(_, rule)| *rule)
    }
}

/// A window: its key in JSON, and where it begins.
#[derive(Clone, Debug)]
pub struct Window {
    pub key: String,
    pub kind: Kind,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    Sliding(i64),
    Interval(i64),
    Today,
    All,
}

impl Window {
    /// `90s`, `30m`, `1h30m`, `today`, `all`; `interval 30m` for the half hour of the clock.
    pub fn parse(text: &str) -> Self {
        let kind = match text {
            "today" => Kind::Today,
            "all" => Kind::All,
            _ => match text.strip_prefix("interval ") {
                Some(length) => Kind::Interval(duration(length)),
                None => Kind::Sliding(duration(text)),
            },
        };
        Self {
            key: text.to_owned(),
            kind,
        }
    }

    /// The lower edge for a window that ends at `to`; `None`: before everything.
    pub fn from(&self, to: i64, zone: &str) -> Option<i64> {
        let zone = jiff::tz::TimeZone::get(zone).expect("a known zone");
        let before = |at: i64| {
            let stamp = jiff::Timestamp::from_millisecond(at).expect("in range");
            stamp.to_zoned_datetime(zone.clone())
        };
        match self.kind {
            Kind::All => None,
            Kind::Sliding(length) => Some(to - length),
            Kind::Today => {
                let day = before(to - 1).date();
                // The first instant with that local date: walk back by the minute, then by ms.
                // The first instant with that local date, an earlier piece of the day included (a
                // clock set back over midnight): walk back by the minute, then by the ms.
                let mut first = to - 1;
                loop {
                    for step in [15 * MINUTE, MINUTE, SECOND, 1] {
                        while before(first - step).date() == day {
                            first -= step;
                        }
                    }
                    let earlier = (1..=180).map(|minutes| first - minutes * MINUTE);
                    match earlier.into_iter().find(|at| before(*at).date() == day) {
                        Some(at) => first = at,
                        None => break Some(first),
                    }
                }
            }
            Kind::Interval(length) => {
                // A boundary lies on a whole second: back to one, then by the second.
                let mut first = (to - 1).div_euclid(SECOND) * SECOND;
                while !is_boundary(&before(first), length) {
                    first -= SECOND;
                }
                Some(first)
            }
        }
    }
}

fn is_boundary(at: &jiff::ZonedDateTime, length: i64) -> bool {
    let into_hour = i64::from(at.minute()) * MINUTE
        + i64::from(at.second()) * SECOND
        + i64::from(at.millisecond());
    into_hour % length == 0
}

/// `90s`, `30m`, `1h30m`, `250ms` in milliseconds.
pub fn duration(text: &str) -> i64 {
    let (mut total, mut rest) = (0, text);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit());
        let (number, unit_on) = rest.split_at(digits.unwrap_or(rest.len()));
        let units = [
            ("ms", 1),
            ("s", SECOND),
            ("m", MINUTE),
            ("h", HOUR),
            ("d", 24 * HOUR),
        ];
        let unit = units.iter().find(|(unit, _)| unit_on.starts_with(unit));
        let (Some((unit, length)), Ok(number)) = (unit, number.parse::<i64>()) else {
            panic!("not a duration: {text}");
        };
        total += number * length;
        rest = &unit_on[unit.len()..];
    }
    total
}

/// The figures of recorded events at each instant, as `replay --format json` prints them.
pub fn snapshots(
    partitions: &[Vec<Value>],
    settings: &Settings,
    instants: &[i64],
    windows: &[Window],
    max_disorder: i64,
) -> Vec<Value> {
    let accepted: Vec<Vec<record::Record>> = partitions
        .iter()
        .map(|events| events.iter().filter_map(record::accept).collect())
        .collect();
    instants
        .iter()
        .map(|&at| {
            let applied: Vec<Vec<&record::Record>> = accepted
                .iter()
                .map(|records| record::applied(records, at, max_disorder))
                .collect();
            figures::snapshot(&applied, settings, at, windows)
        })
        .collect()
}
