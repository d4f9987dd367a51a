//! What those parts share that write a partition's state down and take it up again.
//!
//! The state is written as it lies, by derived serde; parts with maps, shared memory or settings
//! have an *image* of their own beside them (`image.rs`): maps as sorted lists, scratch memory and
//! caches left out. So two partitions that applied the same records have the same image.
//!
//! What is taken up is checked before it is used: numbers against the dictionary, places against
//! the memory that they point into, stamps and sums against what they can be. A partition that was
//! taken up can go on, whatever the bytes said.

use super::names::{ChannelNo, ClientNo, Names, ProfileNo, QueueIdNo, ReasonNo, RowNo, SetNo};
use super::settings::ZoneNo;
use crate::event::{Millis, Span};

/// What is wrong with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the state has {0}")]
pub struct Fault(pub &'static str);

/// Fails with what is wrong unless all is well.
pub(crate) fn hold(is_well: bool, wrong: &'static str) -> Result<(), Fault> {
    if is_well { Ok(()) } else { Err(Fault(wrong)) }
}

/// No sum of counts or milliseconds comes near it, and a thousand of them do not overflow.
const SUM_MAX: i64 = 1 << 53;
/// Longer than any span between two events.
const SPAN_MAX: i64 = 1 << 43;

/// A sum of counts or milliseconds.
pub(crate) fn sum(amount: i64) -> Result<(), Fault> {
    hold(
        (-SUM_MAX..=SUM_MAX).contains(&amount),
        "a sum beyond reason",
    )
}

/// A count since ever.
pub(crate) fn count(amount: u64) -> Result<(), Fault> {
    hold(amount <= SUM_MAX.cast_unsigned(), "a count beyond reason")
}

/// A duration, negative ones included.
pub(crate) fn span(span: Span) -> Result<(), Fault> {
    hold(
        (-SPAN_MAX..=SPAN_MAX).contains(&span.0),
        "a duration beyond reason",
    )
}

/// An instant that something happened at, or will by time alone.
pub(crate) fn stamp(at: Millis) -> Result<(), Fault> {
    hold(
        (-SPAN_MAX..=SPAN_MAX).contains(&at.0),
        "an instant beyond reason",
    )
}

/// The same, or [`Millis::MIN`] or [`Millis::MAX`].
pub(crate) fn stamp_or_none(at: Millis) -> Result<(), Fault> {
    if at == Millis::MIN || at == Millis::MAX {
        return Ok(());
    }
    stamp(at)
}

/// How many numbers of each kind there are, and what time it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    clients: usize,
    queues: usize,
    channels: usize,
    reasons: usize,
    pub(crate) rows: usize,
    pub(crate) sets: usize,
    profiles: usize,
    zones: usize,
    stream: Millis,
}

impl Bounds {
    /// Those of a dictionary.
    pub(crate) fn of(names: &Names) -> Self {
        Self {
            clients: names.clients.texts().len(),
            queues: names.queues.texts().len(),
            channels: names.channels.texts().len(),
            reasons: names.reasons.texts().len(),
            rows: names.rows().len(),
            sets: names.sets().len(),
            profiles: names.profiles().len(),
            zones: names.settings().zones.len(),
            stream: Millis::MAX,
        }
    }

    /// Nothing was executed after this stream time.
    pub(crate) fn until(self, stream: Millis) -> Self {
        Self { stream, ..self }
    }

    /// The stamp of something that was executed.
    pub(crate) fn past(&self, at: Millis) -> Result<(), Fault> {
        stamp(at)?;
        hold(at <= self.stream, "a fact of the future")
    }

    pub(crate) fn client(&self, client: ClientNo) -> Result<(), Fault> {
        hold(client.index() < self.clients, "a client without a name")
    }

    pub(crate) fn queue(&self, queue: QueueIdNo) -> Result<(), Fault> {
        hold(queue.index() < self.queues, "a queue without a name")
    }

    pub(crate) fn channel(&self, channel: ChannelNo) -> Result<(), Fault> {
        hold(channel.index() < self.channels, "a channel without a name")
    }

    pub(crate) fn reason(&self, reason: ReasonNo) -> Result<(), Fault> {
        hold(
            reason.index() < self.reasons,
            "an aux reason without a name",
        )
    }

    pub(crate) fn row(&self, row: RowNo) -> Result<(), Fault> {
        hold(row.index() < self.rows, "a row that is not known")
    }

    pub(crate) fn set(&self, set: SetNo) -> Result<(), Fault> {
        hold(set.index() < self.sets, "a set that is not known")
    }

    pub(crate) fn profile(&self, profile: ProfileNo) -> Result<(), Fault> {
        hold(
            profile.index() < self.profiles,
            "a profile that is not known",
        )
    }

    pub(crate) fn zone(&self, zone: ZoneNo) -> Result<(), Fault> {
        hold(
            usize::from(zone.0) < self.zones,
            "a zone that is not configured",
        )
    }
}

/// Bytes as one run: serde's own way is byte by byte.
pub(crate) mod bytes {
    use std::fmt;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Owned)
    }

    struct Owned;

    impl Visitor<'_> for Owned {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(bytes)
        }
    }
}
