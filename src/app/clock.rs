//! The wall clock: the only place that reads it. Everything else is told what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::event::Millis;

/// The time of day, to the millisecond. A clock set before 1970 reads as 1970.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Millis {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = since_epoch.map_or(0, |since| since.as_millis());
    Millis(i64::try_from(millis).unwrap_or(i64::MAX / 4))
}
