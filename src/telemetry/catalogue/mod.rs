//! The metric catalogue: every name, type, unit, label, help text and formula in one place. The
//! exposition, docs/metrics.md and the tests are made from it.
//!
//! Rows are per queue, so that a `sum` of a query is right; agents counted once per client and in all
//! have families of their own (`queuepulse_client_…`, `queuepulse_all_…`). Ratios stand beside
//! their numerators and denominators.

mod agents;
mod contacts;
mod counters;

use std::sync::LazyLock;

pub(crate) use counters::corrected;

use crate::live::{CounterRow, Merged, Row, RowWindow};

use super::exposition::Samples;

/// What a metric is to Prometheus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    /// As the text format writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// Where a family's samples come from. Each function appends the samples of one row (and window).
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Counters of a queue.
    Counter(fn(&CounterRow<'_>, &mut Samples<'_>)),
    /// What corrections took back from the counters of all queues.
    Corrections,
    /// A queue as it is now.
    Now(fn(&Row, &Merged, &mut Samples<'_>)),
    /// A queue over a window.
    Window(fn(&RowWindow, &mut Samples<'_>)),
    /// Agents of a client, counted once, now.
    ClientNow(fn(&Row, &Merged, &mut Samples<'_>)),
    /// The same over a window.
    ClientWindow(fn(&RowWindow, &mut Samples<'_>)),
    /// All agents, counted once, now.
    AllNow(fn(&Row, &Merged, &mut Samples<'_>)),
    /// The same over a window.
    AllWindow(fn(&RowWindow, &mut Samples<'_>)),
    /// The engine's own, kept by the `prometheus` crate's registry.
    Engine,
}

/// One metric family.
#[derive(Clone, Debug)]
pub struct Family {
    /// Its whole name.
    pub name: String,
    /// Counter or gauge.
    pub kind: Kind,
    /// `contacts`, `agents`, `seconds`, `ratio` …
    pub unit: &'static str,
    /// Labels in the order in which they are written.
    pub labels: Vec<&'static str>,
    /// One sentence for `# HELP`.
    pub help: String,
    /// How it is worked out, for the documentation.
    pub formula: &'static str,
    /// Exported unless the configuration says otherwise.
    pub by_default: bool,
    /// Where its samples come from.
    pub source: Source,
}

/// The labels of every row of a queue.
const QUEUE: [&str; 3] = ["client", "queue", "channel"];

/// Every family, sorted by name.
pub fn catalogue() -> &'static [Family] {
    static ALL: LazyLock<Vec<Family>> = LazyLock::new(|| {
        let mut all = counters::families();
        all.extend(contacts::families());
        all.extend(agents::families());
        all.extend(super::engine::families());
        all.sort_by(|left, right| left.name.cmp(&right.name));
        all
    });
    &ALL
}

/// Labels of a queue's row and more.
fn queue_labels(more: &[&'static str]) -> Vec<&'static str> {
    QUEUE.iter().chain(more).copied().collect()
}
