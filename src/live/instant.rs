//! How instants are written: RFC 3339, always with milliseconds; UTC, but where people read them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::event::Millis;

/// `2026-01-05T09:00:00.000Z`.
pub fn rfc3339(at: Millis) -> String {
    Timestamp::from_millisecond(at.0)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

/// The same in a zone, with its offset then: `2026-01-05T10:00:00.000+01:00`.
pub(super) fn rfc3339_in(at: Millis, zone: &TimeZone) -> String {
    if *zone == TimeZone::UTC {
        return rfc3339(at);
    }
    Timestamp::from_millisecond(at.0)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned_datetime(zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S.%3f%:z")
        .to_string()
}
