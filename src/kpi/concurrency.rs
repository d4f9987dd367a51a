//! Average concurrency: contact-seconds connected, held or in ACW of the row's members / their busy
//! seconds, whatever the presence. Unit: contacts per busy agent. Nobody busy: no figure.

use super::{Staff, ratio};

/// `concurrency_average`.
pub fn concurrency_average(staff: &Staff) -> Option<f64> {
    ratio(staff.busy_contacts, staff.busy)
}
