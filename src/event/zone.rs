//! Time zones and the calendar boundaries that windows begin at.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{Millis, Span};

/// The zones in use, by number; number 0 is the engine's own.
#[derive(Clone, Debug)]
pub struct Zones(Vec<TimeZone>);

impl Default for Zones {
    fn default() -> Self {
        Self(vec![TimeZone::UTC])
    }
}

impl Zones {
    /// Zones in order of their numbers. An empty list is UTC alone.
    pub fn new(zones: Vec<TimeZone>) -> Self {
        if zones.is_empty() {
            Self::default()
        } else {
            Self(zones)
        }
    }

    /// How many zones there are, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The zone of a number; the engine's own for a number out of range.
    pub fn get(&self, number: usize) -> &TimeZone {
        self.0.get(number).unwrap_or(&self.0[0])
    }

    /// The latest beginning of a local day strictly before `to`. A day begins at the first instant
    /// with that local date, so skipped and doubled midnights are right too.
    pub fn day_before(&self, number: usize, to: Millis) -> Millis {
        let zone = self.get(number);
        let last = timestamp(Millis(to.0 - 1)).to_zoned_datetime(zone.clone());
        last.start_of_day().map_or(Millis::MIN, |start| {
            Millis(start.timestamp().as_millisecond())
        })
    }

    /// The latest beginning of an interval of `length` strictly before `to`, on the zone's own
    /// clock: counted from the beginning of the local hour (`length` divides the hour).
    pub fn interval_before(&self, number: usize, to: Millis, length: Span) -> Millis {
        let zone = self.get(number);
        let last = timestamp(Millis(to.0 - 1)).to_zoned_datetime(zone.clone());
        let into_hour = i64::from(last.minute()) * 60_000
            + i64::from(last.second()) * 1000
            + i64::from(last.millisecond());
        Millis(to.0 - 1 - into_hour.rem_euclid(length.0.max(1)))
    }

    /// The latest beginning of a local day strictly after `from`, for ticking over midnight.
    pub fn day_after(&self, number: usize, from: Millis) -> Millis {
        let here = timestamp(from).to_zoned_datetime(self.get(number).clone());
        here.checked_add(1.day())
            .and_then(|next| next.start_of_day())
            .map_or(Millis::MAX, |start| {
                Millis(start.timestamp().as_millisecond())
            })
    }
}

fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH)
}
