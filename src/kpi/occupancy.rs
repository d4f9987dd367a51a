//! Occupancy: how much of their time on the queue agents are busy. Unit: ratio 0..=1.
//!
//! Default: busy / (busy + available); busy = at least one contact connected, held or in ACW,
//! whatever the presence; available = presence available, no contact, responding. Ringing is in
//! neither. Amazon Connect: busy / (busy + no contact at all), both while presence is available.
//! No such time: no figure.

use super::{Staff, ratio};

/// `occupancy_ratio`.
pub fn occupancy(staff: &Staff) -> Option<f64> {
    ratio(staff.busy, staff.busy + staff.available())
}

/// `occupancy_connect_ratio`.
pub fn occupancy_connect(staff: &Staff) -> Option<f64> {
    ratio(staff.connect_busy, staff.connect_busy + staff.connect_idle)
}
