//! How instants are written: RFC 3339, UTC, always with milliseconds.

use jiff::Timestamp;

use crate::event::Millis;

/// `2026-01-05T09:00:00.000Z`.
pub fn rfc3339(at: Millis) -> String {
    Timestamp::from_millisecond(at.0)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}
