//! Average time to abandon: milliseconds waited by abandoned visits / abandoned visits, short ones
//! included. Unit: seconds. Nobody abandoned: no figure.

use super::{Counts, average_seconds};

/// `abandon_time_average_seconds`.
pub fn abandon_time_average(counts: &Counts) -> Option<f64> {
    average_seconds(counts.abandoned_wait, counts.abandoned)
}
