//! Abandonment: abandoned / (answered + abandoned), never above 1; by setting abandoned / offered.
//! Unit: ratio. Callbacks and flow-outs are neither. An empty denominator: no figure.

use super::{Counts, QueueView, ratio};

/// Numerator and denominator, which add up over queues, each by its own setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Abandonment {
    /// Abandoned visits.
    pub abandoned: i64,
    /// What they are compared with.
    pub of: i64,
}

impl Abandonment {
    /// Adds another row's.
    pub fn add(&mut self, other: &Self) {
        self.abandoned += other.abandoned;
        self.of += other.of;
    }

    /// `abandonment_ratio`.
    pub fn ratio(&self) -> Option<f64> {
        ratio(self.abandoned, self.of)
    }
}

/// The abandonment of a window.
pub fn abandonment(counts: &Counts, view: &QueueView) -> Abandonment {
    Abandonment {
        abandoned: counts.abandoned,
        of: if view.switches.abandonment_of_offered {
            counts.offered
        } else {
            counts.answered + counts.abandoned
        },
    }
}
