//! Average speed of answer (ASA): milliseconds waited by answered visits / answered visits.
//! Unit: seconds. Waits of zero are included. Nobody answered: no figure.

use super::{Counts, average_seconds};

/// `answer_speed_average_seconds`.
pub fn answer_speed_average(counts: &Counts) -> Option<f64> {
    average_seconds(counts.answered_wait, counts.answered)
}
