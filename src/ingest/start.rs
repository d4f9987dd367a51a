//! Where reading of a partition begins, and how far back its figures therefore reach.
//!
//! With a snapshot it begins where that ends. Without one the log is read again from as far back as
//! the windows need: contacts from the earliest `from` less the time after which a silent contact of any
//! channel is swept, agents from the earliest `from` less that or the time after which a silent agent is offline.
//! What began earlier has no effect on a window, nor on what is so now, by the definition of those two
//! times. Where the log no longer reaches so far, it is read from its first record.

use crate::engine::settings::StateSettings;
use crate::event::{Millis, Span};
use crate::windows::frame::{WindowKind, WindowSpec};

use super::source::Topic;

/// What the broker says of one partition, asked before it is assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogBounds {
    /// The offset of the first record that is still there.
    pub low: i64,
    /// The offset after the last one.
    pub high: i64,
    /// The offset of the first record with a timestamp at or after the one wanted, if there is one.
    pub found: Option<i64>,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// The first offset to read.
    pub offset: i64,
    /// The end of the log as it was when this was decided: having read up to it is having caught up.
    pub end: i64,
    /// From when on everything is known.
    pub reach: Reach,
}

/// From when on a partition's records have all been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Since ever: the log has all of it.
    Everything,
    /// Since this instant.
    Since(Millis),
    /// Since the first record's timestamp: older ones have been deleted.
    FirstRecord,
}

/// Decides where to begin, `wanted` being the instant to read back to.
pub fn decide(bounds: LogBounds, wanted: Millis) -> Start {
    let LogBounds { low, high, found } = bounds;
    let offset = found.unwrap_or(high).clamp(low, high.max(low));
    let from_the_beginning = offset == low;
    let reach = match (from_the_beginning, low) {
        (true, 0) => Reach::Everything,
        (true, _) => Reach::FirstRecord,
        (false, _) => Reach::Since(wanted),
    };
    Start {
        offset,
        end: high,
        reach,
    }
}

/// Begins at the first offset, whatever its time: for a broker that cannot search by time.
pub fn from_the_beginning(bounds: LogBounds) -> Start {
    let found = Some(bounds.low);
    decide(LogBounds { found, ..bounds }, Millis::MIN)
}

/// Begins where a snapshot ends that knows everything `since` (or since ever). If the log does not
/// reach back to it, everything is known from its first record on.
pub fn from_snapshot(next_offset: i64, since: Option<Millis>, bounds: LogBounds) -> Start {
    let reach = match since {
        _ if next_offset < bounds.low => Reach::FirstRecord,
        None => Reach::Everything,
        Some(since) => Reach::Since(since),
    };
    Start {
        offset: next_offset.max(bounds.low),
        end: bounds.high,
        reach,
    }
}

/// Begins at the first offset of a partition that the topic did not have before. What its contacts
/// and agents did earlier lies in another partition, so nothing before its first record is known.
pub fn of_a_new_partition(bounds: LogBounds) -> Start {
    Start {
        reach: Reach::FirstRecord,
        ..from_the_beginning(bounds)
    }
}

/// The earliest `from` of all windows that end at `now`; of windows that begin with the day, in
/// every zone in use. A window over everything reaches back to [`Millis::MIN`].
pub fn earliest_from(windows: &[WindowSpec], settings: &StateSettings, now: Millis) -> Millis {
    let from = |spec: &WindowSpec| match spec.kind {
        WindowKind::Sliding(length) | WindowKind::Interval(length) => now - length,
        WindowKind::Today => (0..settings.zones.len())
            .map(|zone| settings.zones.day_before(zone, now))
            .min()
            .unwrap_or(now),
        WindowKind::All => Millis::MIN,
    };
    windows.iter().map(from).min().unwrap_or(now)
}

/// How much earlier than the earliest `from` a topic must be read.
pub fn look_back(topic: Topic, settings: &StateSettings) -> Span {
    match topic {
        Topic::Contact => settings.ghost_after_most(),
        // What an agent does with a contact stands as long as that.
        Topic::Agent => settings.agent_ttl.max(settings.ghost_after_most()),
    }
}

/// The instant from which a topic must be read for all windows that end at `now` or later.
pub fn wanted(
    topic: Topic,
    windows: &[WindowSpec],
    settings: &StateSettings,
    now: Millis,
) -> Millis {
    earliest_from(windows, settings, now) - look_back(topic, settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: Millis = Millis(1_000_000);

    #[test]
    fn begins_where_the_windows_need_it_and_says_how_far_that_reaches() {
        use Reach::{Everything, FirstRecord, Since};
        // (low, high, found) -> (offset, reach)
        let table = [
            ((0, 100, Some(40)), (40, Since(WANTED))),
            ((0, 100, Some(0)), (0, Everything)),
            ((7, 100, Some(7)), (7, FirstRecord)),
            ((0, 100, None), (100, Since(WANTED))),
            ((0, 0, None), (0, Everything)),
            ((9, 9, None), (9, FirstRecord)),
            // The log was cut while we asked.
            ((50, 100, Some(40)), (50, FirstRecord)),
            // It grew while we asked: nothing beyond the end as first seen is skipped.
            ((0, 100, Some(120)), (100, Since(WANTED))),
        ];
        for ((low, high, found), (offset, reach)) in table {
            let end = high;
            let expected = Start { offset, end, reach };
            assert_eq!(decide(LogBounds { low, high, found }, WANTED), expected);
        }
    }

    #[test]
    fn a_snapshot_is_gone_on_from_and_a_gap_is_seen() {
        use Reach::{Everything, FirstRecord, Since};
        let bounds = LogBounds {
            low: 50,
            high: 100,
            found: None,
        };
        // (next offset, since) -> (offset, reach)
        let table = [
            ((70, None), (70, Everything)),
            ((70, Some(WANTED)), (70, Since(WANTED))),
            ((50, None), (50, Everything)),
            ((49, None), (50, FirstRecord)),
            ((100, None), (100, Everything)),
        ];
        for ((next, since), (offset, reach)) in table {
            let end = 100;
            let expected = Start { offset, end, reach };
            assert_eq!(from_snapshot(next, since, bounds), expected);
        }
        assert_eq!(of_a_new_partition(bounds).reach, FirstRecord);
    }

    #[test]
    fn as_far_back_is_read_as_any_contact_may_be_silent_before_the_windows_begin() {
        let spec = |kind| WindowSpec {
            key: String::new(),
            kind,
        };
        let windows = [
            spec(WindowKind::Sliding(Span::minutes(60))),
            spec(WindowKind::Today),
        ];
        // 2026-01-05T09:00:00Z
        let now = Millis(1_767_603_600_000);
        let midnight = now - Span::hours(9);
        let ghosts = |chat, other| StateSettings {
            ghost_after: [("voice", 4), ("chat", chat)]
                .map(|(channel, hours)| (channel.to_owned(), Span::hours(hours)))
                .into(),
            ghost_after_other: Span::hours(other),
            ..StateSettings::default()
        };
        // How long chat and other channels may be silent; how long before a window contacts and agents
        // are read, all in hours.
        for (chat, other, contacts, agents) in [
            (24, 30 * 24, 30 * 24, 30 * 24),
            (24, 2, 24, 24),
            (1, 1, 4, 16),
        ] {
            let settings = ghosts(chat, other);
            for (topic, before) in [(Topic::Contact, contacts), (Topic::Agent, agents)] {
                let before = Span::hours(before);
                let wanted = |windows| wanted(topic, windows, &settings, now);
                assert_eq!(wanted(&windows), midnight - before);
                assert_eq!(wanted(&windows[..1]), now - Span::hours(1) - before);
            }
        }
    }
}
