//! Slot load: slots used / slots usable, in slot-seconds while presence is available. Unit: ratio,
//! not clamped (a channel without slots adds use and nothing usable). Nothing usable: no figure.

use super::{Staff, ratio};

/// `slot_load_ratio`.
pub fn slot_load(staff: &Staff) -> Option<f64> {
    ratio(staff.slots_used, staff.slots_usable)
}
