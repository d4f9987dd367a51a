//! The condition that the engine is in: what readiness and its own metrics are told from.

use crate::event::Span;

/// How far one partition's reading is behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lag {
    /// The topic's name.
    pub topic: String,
    /// The partition's number.
    pub partition: i32,
    /// Records that are in the log and not applied.
    pub records: i64,
}

/// The engine's condition at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, and a metric"
)]
pub struct Condition {
    /// Why figures are not shown; none when they are.
    pub unready: Option<String>,
    /// The process was asked to end.
    pub ending: bool,
    /// The group may have given this process's partitions away: nothing of them is shown.
    pub lease_ended: bool,
    /// Frames of earlier ticks may hold figures of partitions that were taken away.
    pub shown_from: u64,
    /// A partition catches up.
    pub catching_up: bool,
    /// The consumer group has another member.
    pub shared: bool,
    /// now − the oldest, over the partitions read, of: the last poll that found the position at the
    /// end, else the timestamp of the last applied record.
    pub data_age: Option<Span>,
    /// How long ago the poll loop last went round.
    pub poll_age: Option<Span>,
    /// How long no broker has answered.
    pub broker_silence: Option<Span>,
    /// How many partitions of each topic are read here; empty of a viewer.
    pub partitions: Vec<(String, usize)>,
    /// How long each topic has sent nothing.
    pub silence: Vec<(String, Span)>,
    /// How far each topic's stream time lies ahead of the clock, in the partition where it is
    /// furthest.
    pub ahead: Vec<(String, Span)>,
    /// Every partition read.
    pub lags: Vec<Lag>,
    /// The instances of the group that have been heard of lately, each with the age of its newest
    /// beat and its rows.
    pub instances: Vec<(String, Span, usize)>,
    /// What is as old as this is stale.
    pub stale_after: Span,
}
