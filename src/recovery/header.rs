//! What a snapshot says of itself, in each of its records.
//!
//! JSON, although the state is not: it is a few hundred bytes, a release that does not know a field
//! skips it, and an operator can read it in the topic.

use serde::{Deserialize, Serialize};

use crate::event::Millis;

/// What a snapshot stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Layout of the encoded state.
    pub format: u32,
    /// The partition whose state it is, and the group that it was counted for.
    #[serde(flatten)]
    pub of: Of,
    /// Hash of the `[state]` settings that it was counted under.
    pub settings: u64,
    /// The state is that of every record before this offset.
    pub next_offset: i64,
    /// The last record before `next_offset`; none if there was none.
    pub last: Option<Fingerprint>,
    /// Records that the state has counted, refused ones included.
    pub records: u64,
    /// Since when every record is known, in milliseconds; none since ever.
    pub since: Option<i64>,
    /// How many partitions the topic had.
    pub partitions: i32,
    /// When it was taken, in milliseconds.
    pub written: i64,
    /// Bytes of the encoded state before compression.
    pub size: u64,
}

/// Whose state it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Of {
    /// The consumer group.
    pub group: String,
    /// The source topic's name.
    pub topic: String,
    /// The source partition; the snapshot lies in the partition of the same number.
    pub partition: i32,
}

/// What a record is known by, if the topic was deleted and made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp in milliseconds, if it has one.
    pub timestamp: Option<i64>,
    /// CRC-32 of its value.
    pub hash: u32,
    /// Bytes of its value; none for a tombstone.
    pub size: Option<u64>,
}

impl Fingerprint {
    /// Of a record.
    pub fn of(offset: i64, timestamp: Option<Millis>, value: Option<&[u8]>) -> Self {
        Self {
            offset,
            timestamp: timestamp.map(|timestamp| timestamp.0),
            hash: crc32fast::hash(value.unwrap_or_default()),
            size: value.map(|value| value.len() as u64),
        }
    }
}
