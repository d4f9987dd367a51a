//! Which snapshot to begin from.
//!
//! Pure: what the log holds is asked of the caller, and time does not matter.

use super::header::{Fingerprint, Header};
use super::records::Candidate;

/// Why a snapshot is not used. Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refusal {
    /// A record of it is missing or changed, or its state cannot be decoded.
    #[error("damaged")]
    Damaged,
    /// Written in a layout that this release does not know.
    #[error("format")]
    Format,
    /// Counted under other `[state]` settings.
    #[error("settings")]
    Settings,
    /// The log ends before the offset that it stands for: it is another log, or lost its end.
    #[error("beyond_log")]
    BeyondLog,
    /// The record before it is another one: the topic was deleted and made anew.
    #[error("other_log")]
    OtherLog,
    /// The record before it could not be read in time.
    #[error("unread")]
    Unread,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Damaged,
        Self::Format,
        Self::Settings,
        Self::BeyondLog,
        Self::OtherLog,
        Self::Unread,
    ];

    /// The name that it is counted under.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Format => "format",
            Self::Settings => "settings",
            Self::BeyondLog => "beyond_log",
            Self::OtherLog => "other_log",
            Self::Unread => "unread",
        }
    }
}

/// What a snapshot must be to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The layout that this release writes.
    pub format: u32,
    /// Hash of the `[state]` settings.
    pub settings: u64,
    /// Offset of the log's first record.
    pub low: i64,
    /// The offset after its last one.
    pub high: i64,
}

/// What the log holds at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This record.
    Record(Fingerprint),
    /// No record, though the log reaches from before to after it.
    Nothing,
    /// It could not be read in time.
    Unread,
}

/// The snapshot to begin from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken<T> {
    /// What it stands for.
    pub header: Header,
    /// Its state, decoded.
    pub state: T,
    /// Records between `next_offset` and the log's first that nobody can read any more.
    pub gap: u64,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice<T> {
    /// The newest snapshot that may be used, if one may.
    pub taken: Option<Taken<T>>,
    /// Why newer ones may not.
    pub refused: Vec<Refusal>,
}

/// Takes the newest candidate that is whole, of this release's layout and these settings, and of
/// the log as it is. `record_at` says what the log holds at an offset; `decode` turns a candidate
/// into a state.
///
/// A snapshot that the log no longer reaches back to is used, and the gap is told: what it has
/// counted is right, and a replay from the log's first record would know less.
pub fn choose<T>(
    mut candidates: Vec<Candidate>,
    wanted: &Wanted,
    mut record_at: impl FnMut(i64) -> Found,
    decode: impl Fn(&Candidate) -> Result<T, Refusal>,
) -> Choice<T> {
    candidates.sort_by_key(|candidate| {
        let Header {
            next_offset,
            written,
            ..
        } = candidate.header;
        std::cmp::Reverse((next_offset, written))
    });
    let mut refused = Vec::new();
    for candidate in candidates {
        let fits = fits(&candidate.header, wanted, &mut record_at);
        match fits.and_then(|()| decode(&candidate)) {
            Ok(state) => {
                let gap = wanted.low - candidate.header.next_offset;
                let taken = Taken {
                    header: candidate.header,
                    state,
                    gap: u64::try_from(gap).unwrap_or(0),
                };
                let taken = Some(taken);
                return Choice { taken, refused };
            }
            Err(refusal) => refused.push(refusal),
        }
    }
    Choice {
        taken: None,
        refused,
    }
}

/// Whether a snapshot is of these settings and this log.
fn fits(
    header: &Header,
    wanted: &Wanted,
    record_at: &mut impl FnMut(i64) -> Found,
) -> Result<(), Refusal> {
    if header.format != wanted.format {
        return Err(Refusal::Format);
    }
    if header.settings != wanted.settings {
        return Err(Refusal::Settings);
    }
    if header.next_offset > wanted.high {
        return Err(Refusal::BeyondLog);
    }
    match header.last {
        // What the log no longer holds cannot be compared.
        Some(last) if last.offset >= wanted.low => match record_at(last.offset) {
            Found::Record(found) if found == last => Ok(()),
            Found::Record(_) | Found::Nothing => Err(Refusal::OtherLog),
            Found::Unread => Err(Refusal::Unread),
        },
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::header::Of;

    const WANTED: Wanted = Wanted {
        format: 3,
        settings: 7,
        low: 100,
        high: 200,
    };

    fn fingerprint(offset: i64) -> Fingerprint {
        Fingerprint::of(offset, None, Some(&offset.to_le_bytes()))
    }

    fn snapshot(next_offset: i64) -> Header {
        Header {
            format: WANTED.format,
            of: Of {
                group: "g".to_owned(),
                topic: "t".to_owned(),
                partition: 0,
            },
            settings: WANTED.settings,
            next_offset,
            last: Some(fingerprint(next_offset - 1)),
            records: 1,
            since: None,
            partitions: 1,
            written: 0,
            size: 0,
        }
    }

    /// Snapshots, what the log holds, the offset and gap of what is taken, and why others are not.
    type Row = (
        Vec<Header>,
        fn(i64) -> Found,
        Option<(i64, u64)>,
        Vec<Refusal>,
    );

    /// The offset and gap of what is taken, and why others are not.
    fn chosen(headers: &[Header], found: fn(i64) -> Found) -> (Option<(i64, u64)>, Vec<Refusal>) {
        let candidates = headers.iter().map(|header| Candidate {
            header: header.clone(),
            body: Vec::new(),
        });
        let choice = choose(candidates.collect(), &WANTED, found, |_| Ok(()));
        let taken = choice
            .taken
            .map(|taken| (taken.header.next_offset, taken.gap));
        (taken, choice.refused)
    }

    #[test]
    fn the_newest_that_fits_is_taken_and_each_refusal_has_a_reason() {
        use Refusal::{BeyondLog, Format, OtherLog, Settings, Unread};
        let same: fn(i64) -> Found = |offset| Found::Record(fingerprint(offset));
        let other: fn(i64) -> Found = |offset| Found::Record(fingerprint(offset + 1));
        let changed = |change: fn(&mut Header)| {
            let mut header = snapshot(150);
            change(&mut header);
            header
        };
        let plain = |offset| snapshot(offset);
        let table: Vec<Row> = vec![
            (vec![], same, None, vec![]),
            (
                vec![plain(120), plain(150), plain(130)],
                same,
                Some((150, 0)),
                vec![],
            ),
            (vec![plain(201)], same, None, vec![BeyondLog]),
            (
                vec![plain(201), plain(200)],
                same,
                Some((200, 0)),
                vec![BeyondLog],
            ),
            (vec![plain(150)], other, None, vec![OtherLog]),
            (vec![plain(150)], |_| Found::Nothing, None, vec![OtherLog]),
            (vec![plain(150)], |_| Found::Unread, None, vec![Unread]),
            // The log begins after the record that it could be known by.
            (vec![plain(100)], other, Some((100, 0)), vec![]),
            (vec![plain(90)], other, Some((90, 10)), vec![]),
            (vec![plain(90), plain(101)], same, Some((101, 0)), vec![]),
            (
                vec![changed(|header| header.last = None)],
                other,
                Some((150, 0)),
                vec![],
            ),
            (
                vec![changed(|header| header.format = 2), plain(140)],
                same,
                Some((140, 0)),
                vec![Format],
            ),
            (
                vec![changed(|header| header.settings = 8)],
                same,
                None,
                vec![Settings],
            ),
        ];
        for (headers, found, taken, refused) in table {
            let expected = (taken, refused);
            assert_eq!(chosen(&headers, found), expected, "{headers:?}");
        }
    }

    #[test]
    fn one_that_cannot_be_decoded_gives_way_to_the_one_before() {
        let candidate = |offset| Candidate {
            header: snapshot(offset),
            body: Vec::new(),
        };
        let decode = |candidate: &Candidate| {
            let offset = candidate.header.next_offset;
            (offset < 150).then_some(offset).ok_or(Refusal::Damaged)
        };
        let same = |offset| Found::Record(fingerprint(offset));
        let choice = choose(vec![candidate(140), candidate(150)], &WANTED, same, decode);
        assert_eq!(choice.taken.map(|taken| taken.state), Some(140));
        assert_eq!(choice.refused, [Refusal::Damaged]);
    }
}
