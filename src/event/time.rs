//! Event time: milliseconds since the Unix epoch, and spans of milliseconds.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};

/// An instant of event time, in milliseconds since 1970-01-01T00:00:00Z.
///
/// Accepted events lie between 1990 and 2100; [`Millis::MIN`] stands for "before everything".
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Millis(pub i64);

/// A span of time in milliseconds. Negative spans exist only before they are clamped.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Span(pub i64);

impl Millis {
    /// Before everything that can happen.
    pub const MIN: Self = Self(i64::MIN / 4);
    /// After everything that can happen.
    pub const MAX: Self = Self(i64::MAX / 4);
    /// 1990-01-01T00:00:00Z, the earliest accepted event time.
    pub const EARLIEST: Self = Self(631_152_000_000);
    /// 2100-01-01T00:00:00Z, the latest accepted event time.
    pub const LATEST: Self = Self(4_102_444_800_000);

    /// The number of the pane this stamp lies in: pane `s` holds the stamps in `(s - 1 s, s]`.
    pub const fn pane(self) -> i64 {
        (self.0 + 999).div_euclid(1000)
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// A span of whole hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours * 60)
    }
}

impl Add<Span> for Millis {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Millis {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Millis {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}
