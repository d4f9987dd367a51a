//! Average handle time (AHT): (talk + hold + after-contact work) / handled. Unit: seconds.
//!
//! A leg is handled, and its talk and hold are posted, when it ends; its after-contact work when
//! that ends. Nothing handled: no figure.

use super::{Counts, average_seconds};

/// `handle_time_average_seconds`.
pub fn handle_time_average(counts: &Counts) -> Option<f64> {
    average_seconds(
        counts.talk + counts.hold + counts.after_contact,
        counts.handled,
    )
}
