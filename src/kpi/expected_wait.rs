//! Expected wait of one more arrival: AHT × (waiting − available + 1) / max(1, online), at least 0.
//! Unit: seconds.
//!
//! AHT is that of the longest sliding window of at most 30 minutes: short enough to follow the day,
//! long enough not to swing with single contacts. Nobody online, nothing handled in that window, or
//! a client without a contact feed: no figure, never 0.

use crate::event::Span;
use crate::windows::frame::{WindowKind, WindowSpec};

use super::ratio::ratio;

/// The longest window that AHT is taken from.
const LONGEST: Span = Span::minutes(30);

/// What the expected wait depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExpectedWait {
    /// Average handle time in seconds.
    pub handle_time: f64,
    /// Contacts waiting.
    pub waiting: i64,
    /// Agents available.
    pub available: i64,
    /// Agents online.
    pub online: i64,
}

/// `expected_wait_seconds`.
pub fn expected_wait(of: &ExpectedWait) -> Option<f64> {
    if of.online <= 0 {
        return None;
    }
    let ahead = (of.waiting - of.available + 1).max(0);
    ratio(ahead, of.online.max(1)).map(|share| of.handle_time * share)
}

/// The place of the window whose AHT is used; none when no sliding window is short enough.
pub fn expected_wait_window(windows: &[WindowSpec]) -> Option<usize> {
    windows
        .iter()
        .enumerate()
        .filter_map(|(place, window)| match window.kind {
            WindowKind::Sliding(length) if length <= LONGEST => Some((length, place)),
            _ => None,
        })
        .max_by_key(|&(length, place)| (length, std::cmp::Reverse(place)))
        .map(|(_, place)| place)
}
