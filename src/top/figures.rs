//! What figures mean and how they are written: the terminal's copy of the page's `figures.js`.
//!
//! Two copies, since the page is a script and this is not; tests hold both to one table of cases.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

use serde::Deserialize;

/// What stands for a figure of nothing.
pub(super) const NONE: &str = "–";
/// A ratio of fewer contacts than this is chance.
const ENOUGH: i64 = 5;

/// The answer of `/api/v1/snapshot?window=…&brief=true`, as far as it is shown.
#[derive(Clone, Debug, Deserialize)]
pub struct Snapshot {
    pub(super) at: String,
    pub(super) data_age_seconds: Option<f64>,
    #[serde(default)]
    pub(super) source_silence_seconds: Option<f64>,
    pub(super) queues: Vec<Queue>,
    clients: Vec<Subtotal>,
    groups: Vec<Subtotal>,
    channels: Vec<Subtotal>,
    total: Subtotal,
}

/// One queue.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Queue {
    pub(super) client_id: String,
    #[serde(rename = "queue_id")]
    pub(super) id: String,
    pub(super) channel: String,
    pub(super) settings: Settings,
    #[serde(flatten)]
    pub(super) figures: Figures,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Settings {
    pub(super) display_name: Option<String>,
    pub(super) group: Option<String>,
    #[serde(rename = "service_level_target_ratio")]
    pub(super) target: f64,
    pub(super) threshold_seconds: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct Subtotal {
    client_id: Option<String>,
    group: Option<String>,
    channel: Option<String>,
    #[serde(flatten)]
    figures: Figures,
}

/// Of a queue, or the sum of several.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Figures {
    pub(super) now: Now,
    windows: BTreeMap<String, Window>,
}

/// How it is. Agents are none where several rows were added up.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Now {
    pub(super) waiting: i64,
    pub(super) waiting_past_threshold: i64,
    pub(super) longest_wait_seconds: Option<f64>,
    pub(super) expected_wait_seconds: Option<f64>,
    service_level_ratio: Option<f64>,
    pub(super) agents_online: Option<i64>,
    pub(super) agents_available: Option<i64>,
    pub(super) agents_on_contact: Option<i64>,
    pub(super) agents_acw: Option<i64>,
    agents_aux: Option<BTreeMap<String, i64>>,
}

/// How it was over the window.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Window {
    pub(super) complete: bool,
    pub(super) offered: i64,
    answered: i64,
    abandoned: i64,
    service_level_ratio: Option<f64>,
    service_level_met: Option<i64>,
    service_level_missed: Option<i64>,
    answered_wait_seconds: f64,
    #[serde(rename = "answer_speed_average_seconds")]
    pub(super) answer_speed: Option<f64>,
    #[serde(rename = "abandonment_ratio")]
    pub(super) abandonment: Option<f64>,
    #[serde(rename = "occupancy_ratio")]
    pub(super) occupancy: Option<f64>,
}

/// How badly a queue needs help, worst first. A shape and a word for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the page's own")]
pub(super) enum Level {
    Critical,
    Warning,
    Watch,
    Good,
    Few,
    Idle,
}

impl Level {
    pub(super) const ALL: [Self; 6] = [
        Self::Critical,
        Self::Warning,
        Self::Watch,
        Self::Good,
        Self::Few,
        Self::Idle,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Watch => "watch",
            Self::Good => "good",
            Self::Few => "few contacts",
            Self::Idle => "idle",
        }
    }

    pub(super) const fn mark(self) -> &'static str {
        match self {
            Self::Critical => "▲",
            Self::Warning => "◆",
            Self::Watch => "●",
            Self::Good => "✓",
            Self::Few => "◌",
            Self::Idle => "○",
        }
    }
}

impl Snapshot {
    /// The row that sums up what is shown: the engine's own where one is of just these queues, the
    /// narrowest first, since it counts each agent once; else contacts are added up, and agents left
    /// out. `filters` are group, channel and client; `narrowed` if something else chose too.
    pub(super) fn sum_of(
        &self,
        filters: [Option<&str>; 3],
        narrowed: bool,
        rows: &[&Queue],
    ) -> Figures {
        if !narrowed && filters == [None; 3] {
            return self.total.figures.clone();
        }
        let lists = [&self.groups, &self.channels, &self.clients];
        let own = filters.into_iter().zip(lists).enumerate();
        let mut own = own.filter_map(|(kind, (name, list))| {
            let name = Some(name?);
            let found = list
                .iter()
                .find(|row| row.names().get(kind) == Some(&name))?;
            let is_of = |queue: &&Queue| queue.chosen_by().get(kind) == Some(&name);
            let queues = self.queues.iter().filter(is_of).count();
            (!narrowed && queues == rows.len()).then(|| found.figures.clone())
        });
        own.next().unwrap_or_else(|| match rows {
            [one] => one.figures.clone(),
            several => added(several),
        })
    }
}

impl Subtotal {
    /// Group, channel, client: one of them.
    fn names(&self) -> [Option<&str>; 3] {
        [&self.group, &self.channel, &self.client_id].map(Option::as_deref)
    }
}

impl Queue {
    /// Group, channel, client.
    fn chosen_by(&self) -> [Option<&str>; 3] {
        let group = self.settings.group.as_deref();
        [group, Some(&self.channel), Some(&self.client_id)]
    }

    /// What people call it.
    pub(super) fn name(&self) -> &str {
        let called = self.settings.display_name.as_deref();
        called.filter(|name| !name.is_empty()).unwrap_or(&self.id)
    }

    /// Client, queue id and channel: no other queue has them.
    pub(super) fn key(&self) -> [&str; 3] {
        [&self.client_id, &self.id, &self.channel]
    }

    /// The service level of the window; of now for queues whose variant looks at now only.
    pub(super) fn service_level(&self) -> Option<f64> {
        self.figures.service_level()
    }

    pub(super) fn level(&self) -> Level {
        let (now, target) = (&self.figures.now, self.settings.target);
        let threshold = self.settings.threshold_seconds;
        let ratio = self.service_level();
        let counted = now.service_level_ratio.is_some() || self.figures.counted() >= ENOUGH;
        let below = |limit: f64| counted && ratio.is_some_and(|ratio| ratio < limit);
        let oldest = now.longest_wait_seconds.unwrap_or(0.0);
        let at_work = |online: i64| online - now.aux().unwrap_or(0);
        // Of a client whose events are of contacts alone nothing is known of agents.
        let online = now.agents_online;
        let online = online.filter(|online| *online > 0 || now.agents_available.is_some());
        let unstaffed = now.waiting > 0 && online.is_some_and(|online| at_work(online) <= 0);
        let (critical, warning) = (
            (3.0 * target - 2.0).max(0.5 * target),
            (2.0 * target - 1.0).max(0.75 * target),
        );
        if unstaffed || below(critical) || oldest > (6.0 * threshold).max(120.0) {
            Level::Critical
        } else if below(warning) || oldest > (3.0 * threshold).max(60.0) {
            Level::Warning
        } else if below(target) || now.waiting_past_threshold > 0 {
            Level::Watch
        } else if ratio.is_some() && !counted {
            Level::Few
        } else if now.waiting > 0 || ratio.is_some() {
            Level::Good
        } else {
            Level::Idle
        }
    }

    /// Worst first: by level, then contacts past the threshold, then how far below the target, then
    /// by name.
    pub(super) fn by_need(&self, other: &Self) -> Ordering {
        // Steps of five points: less is chance.
        #[expect(clippy::cast_possible_truncation, reason = "at most 20 of either sign")]
        let gap = |queue: &Self| {
            let short = queue.service_level().unwrap_or(1.0) - queue.settings.target;
            (short * 20.0 + 0.5).floor() as i64
        };
        let rank = |queue: &Self| {
            let past = queue.figures.now.waiting_past_threshold;
            (queue.level(), Reverse(past), gap(queue))
        };
        let (one, two) = (rank(self), rank(other));
        one.cmp(&two).then_with(|| self.key().cmp(&other.key()))
    }

    /// The oldest wait is past the threshold.
    pub(super) fn is_late(&self) -> bool {
        let oldest = self.figures.now.longest_wait_seconds;
        oldest.unwrap_or(0.0) > self.settings.threshold_seconds
    }
}

impl Figures {
    /// The window, and its key.
    pub(super) fn window(&self) -> Option<(&str, &Window)> {
        let first = self.windows.iter().next();
        first.map(|(key, window)| (&**key, window))
    }

    pub(super) fn over(&self, figure: impl Fn(&Window) -> Option<f64>) -> Option<f64> {
        self.window().and_then(|(_, window)| figure(window))
    }

    pub(super) fn service_level(&self) -> Option<f64> {
        let over = self.over(|window| window.service_level_ratio);
        self.now.service_level_ratio.or(over)
    }

    /// Contacts that the service level is of.
    fn counted(&self) -> i64 {
        self.window().map_or(0, |(_, window)| {
            let (met, missed) = (window.service_level_met, window.service_level_missed);
            met.unwrap_or(0) + missed.unwrap_or(0)
        })
    }

    /// More than every tenth contact gives up.
    pub(super) fn loses_many(&self) -> bool {
        self.window().is_some_and(|(_, window)| {
            let many = window.abandonment.is_some_and(|ratio| ratio > 0.1);
            many && window.abandoned + window.answered >= ENOUGH
        })
    }
}

impl Now {
    /// Agents in aux.
    pub(super) fn aux(&self) -> Option<i64> {
        let by_reason = self.agents_aux.as_ref();
        by_reason.map(|reasons| reasons.values().sum())
    }

    /// Aux by reason.
    pub(super) fn reasons(&self) -> impl Iterator<Item = (&str, i64)> {
        let by_reason = self.agents_aux.iter().flatten();
        by_reason.map(|(reason, count)| (&**reason, *count))
    }
}

fn added(rows: &[&Queue]) -> Figures {
    let mut now = Now::default();
    let mut sum = Window {
        complete: true,
        ..Window::default()
    };
    let (mut met, mut missed) = (0, 0);
    for row in rows {
        let own = &row.figures.now;
        now.waiting += own.waiting;
        now.waiting_past_threshold += own.waiting_past_threshold;
        let oldest = own.longest_wait_seconds;
        now.longest_wait_seconds = match (now.longest_wait_seconds, oldest) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        let Some((_, window)) = row.figures.window() else {
            continue;
        };
        sum.complete &= window.complete;
        sum.offered += window.offered;
        sum.answered += window.answered;
        sum.abandoned += window.abandoned;
        sum.answered_wait_seconds += window.answered_wait_seconds;
        met += window.service_level_met.unwrap_or(0);
        missed += window.service_level_missed.unwrap_or(0);
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of people")]
    let over = |top: f64, bottom: i64| (bottom > 0).then(|| top / bottom as f64);
    #[expect(clippy::cast_precision_loss, reason = "counts of people")]
    let share = |top: i64, bottom: i64| over(top as f64, bottom);
    sum.service_level_ratio = share(met, met + missed);
    sum.abandonment = share(sum.abandoned, sum.answered + sum.abandoned);
    sum.answer_speed = over(sum.answered_wait_seconds, sum.answered);
    let key = rows.iter().find_map(|row| row.figures.window());
    let key = key.map_or_else(|| "sum".to_owned(), |(key, _)| key.to_owned());
    Figures {
        now,
        windows: BTreeMap::from([(key, sum)]),
    }
}

/// A count.
pub(super) fn whole(count: Option<i64>) -> String {
    count.map_or_else(|| NONE.to_owned(), |count| count.to_string())
}

/// A share without decimals.
pub(super) fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(
        || NONE.to_owned(),
        |ratio| format!("{} %", (ratio * 100.0 + 0.5).floor()),
    )
}

/// A share with one decimal.
pub(super) fn tenths(ratio: Option<f64>) -> String {
    ratio.map_or_else(
        || NONE.to_owned(),
        |ratio| format!("{:.1} %", ratio * 100.0),
    )
}

/// Seconds as 0:07, 12:30, 1:02:03.
pub(super) fn clock(seconds: Option<f64>) -> String {
    let Some(seconds) = seconds else {
        return NONE.to_owned();
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a wait, and a cast of floats keeps to the range"
    )]
    let seconds = (seconds + 0.5).floor() as u64;
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    if minutes < 60 {
        format!("{minutes}:{seconds:02}")
    } else {
        format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60)
    }
}

/// Up, down or level against a minute ago; five points count, less is chance.
pub(super) fn trend(now: Option<f64>, before: Option<f64>) -> &'static str {
    match (now, before) {
        (Some(now), Some(before)) if now - before > 0.05 => "↗",
        (Some(now), Some(before)) if now - before < -0.05 => "↘",
        (Some(_), Some(_)) => "→",
        _ => "",
    }
}
