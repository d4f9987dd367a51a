//! Service level, `sl1` … `sl11`: contacts served in time over contacts that count.
//!
//! ISO 18295-1 names the measure, not its formula; `docs/kpi.md` tells who uses which variant.
//! Unit: ratio 0..=1. Nothing in the denominator: no figure. `sl10` looks at the queue as it is now
//! and has no figure in windows; `sl12` (deferred channels) has none yet.

use super::{AbandonsWithin, Counts, QueueView, Variant, ratio};

/// Numerator and denominator, which add up over queues, each in its own variant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Level {
    /// The numerator: `service_level_met`.
    pub met: i64,
    /// The denominator.
    pub total: i64,
    /// Rows added whose variant has a figure here.
    pub rows: u32,
    /// Rows added whose variant has none here.
    pub rows_without: u32,
}

impl Level {
    /// One row's.
    fn of(met: i64, total: i64) -> Self {
        Self {
            met,
            total,
            rows: 1,
            rows_without: 0,
        }
    }

    /// A row whose variant says nothing here.
    fn absent() -> Self {
        Self {
            rows_without: 1,
            ..Self::default()
        }
    }

    /// Adds another row's.
    pub fn add(&mut self, other: &Self) {
        self.met += other.met;
        self.total += other.total;
        self.rows += other.rows;
        self.rows_without += other.rows_without;
    }

    /// Whether there is something to count at all: not when every row's variant says nothing here.
    pub fn exists(&self) -> bool {
        self.rows > 0 || self.rows_without == 0
    }

    /// `service_level_ratio`.
    pub fn ratio(&self) -> Option<f64> {
        ratio(self.met, self.total)
    }

    /// `service_level_missed`: the denominator less the numerator.
    pub fn missed(&self) -> i64 {
        self.total - self.met
    }
}

/// The service level of a window.
pub fn service_level(c: &Counts, view: &QueueView) -> Level {
    let ended = c.answered + c.abandoned;
    match view.variant {
        Variant::Sl1 => Level::of(c.answered_within, ended),
        Variant::Sl2 => Level::of(c.answered_within, ended - c.abandoned_within),
        Variant::Sl3 => Level::of(c.answered_within + c.abandoned_within, ended),
        Variant::Sl4 => Level::of(c.answered_within, c.answered),
        Variant::Sl5 => Level::of(c.answered_within, ended - c.short_abandoned),
        Variant::Sl6 => Level::of(c.answered_within + c.short_abandoned, ended),
        Variant::Sl7 => with_flow_outs(c, view),
        Variant::Sl8 => Level::of(
            c.answered_within + c.abandoned_within + c.callbacks_within,
            ended + c.flowed_out_all() + c.callbacks,
        ),
        Variant::Sl9 => service_level_event(c, view),
        Variant::Sl11 => Level::of(c.answered_in_range, ended - c.abandoned_in_range),
        Variant::Sl10 | Variant::Sl12 => Level::absent(),
    }
}

/// The service level of the queue as it is now: `sl10` only.
pub fn service_level_now(waiting: i64, waiting_past: i64, view: &QueueView) -> Level {
    if view.variant == Variant::Sl10 {
        Level::of(waiting - waiting_past, waiting)
    } else {
        Level::absent()
    }
}

/// `sl7`: flow-outs count, abandons by switch.
fn with_flow_outs(c: &Counts, view: &QueueView) -> Level {
    let flowed = c.answered + c.flowed_out_all();
    let total = if !view.switches.abandons {
        flowed
    } else if !view.switches.short_abandons {
        flowed + c.abandoned - c.short_abandoned
    } else {
        flowed + c.abandoned
    };
    Level::of(c.answered_within, total)
}

/// `sl9`: each visit counts once, as soon as its contribution is known.
fn service_level_event(c: &Counts, view: &QueueView) -> Level {
    let early_abandons = c.abandoned_within - c.short_abandoned;
    let mut met = c.answered_within;
    let mut missed = c.passed;
    match view.switches.abandons_within_threshold {
        AbandonsWithin::Ignored => {}
        AbandonsWithin::Negative => missed += early_abandons,
        AbandonsWithin::Positive => met += early_abandons,
    }
    if view.switches.callbacks_met_within_threshold {
        met += c.callbacks_within;
    }
    Level::of(met, met + missed)
}
