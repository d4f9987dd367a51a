//! The tail of a window: a table of totals up to the window's lower edge.
//!
//! Window = totals − tail − facts after the window's end. A sliding window's tail reads the panes
//! that it passes. A calendar window jumps at its boundary: its tail becomes the totals less the
//! facts since, which are the log's and, for a day that is longer than the log, the base's day part.

use super::frame::{WindowKind, WindowSpec};
use super::sums::Sums;
use crate::event::{Millis, Zones};

/// One window's tail.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    pub kind: WindowKind,
    /// Where the window begins, by zone; [`Millis::MAX`] while there is no tail yet.
    pub from: Vec<Millis>,
    /// The latest of `from`: facts after it are in no tail. [`Millis::MIN`] while there is none.
    pub latest: Millis,
    pub sums: Sums,
}

impl Tail {
    pub(super) fn new(spec: &WindowSpec, zones: usize) -> Self {
        let mut tail = Self {
            kind: spec.kind,
            from: vec![Millis::MAX; zones],
            latest: Millis::MIN,
            sums: Sums::default(),
        };
        tail.forget();
        tail
    }

    /// Back to having no tail. A window that begins before everything has an empty one for ever.
    pub(super) fn forget(&mut self) {
        let from = match self.kind {
            WindowKind::All => Millis::MIN,
            _ => Millis::MAX,
        };
        self.from.fill(from);
        self.latest = Millis::MIN;
    }

    pub(super) fn is_built(&self) -> bool {
        self.from[0] != Millis::MAX
    }

    pub(super) fn is_empty_for_ever(&self) -> bool {
        self.kind == WindowKind::All
    }

    pub(super) fn is_day(&self) -> bool {
        self.kind == WindowKind::Today
    }

    /// Where the window begins when it ends at `to`.
    pub(super) fn begins(&self, zone: usize, to: Millis, zones: &Zones) -> Millis {
        match self.kind {
            WindowKind::Sliding(length) => to - length,
            WindowKind::Interval(length) => zones.interval_before(zone, to, length),
            WindowKind::Today => zones.day_before(zone, to),
            WindowKind::All => Millis::MIN,
        }
    }

    pub(super) fn set_from(&mut self, from: &[Option<Millis>]) {
        for (old, new) in self.from.iter_mut().zip(from) {
            *old = new.unwrap_or(*old);
        }
        self.latest = self.from.iter().copied().max().unwrap_or(Millis::MIN);
    }
}

/// A tail that must be made anew, with the new edge of each zone that it is made anew for.
#[derive(Clone, Debug)]
pub(super) struct Reset {
    pub window: usize,
    pub from: Vec<Option<Millis>>,
}
