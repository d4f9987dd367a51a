//! The whole centre on any instance: each instance that ingests publishes its live figures as rows
//! to a topic, and every instance reads all of them.
//!
//! ```text
//! frames of a whole second ─▶ outbox: cells of each row, what changed ─▶ rows topic ─▶ inbox of
//! each instance ─▶ rule: an instant that all instances together have whole ─▶ frames ─▶ live
//! ```
//! Once a second an instance sends the rows that changed and then a *beat*: the instant, the
//! partitions whose figures the rows are, and a check over all rows. A reader that has the rows of
//! the check has the whole frame of that instant. Frames hold integers, so adding those of all
//! instances gives the figures of one engine that reads every partition, percentiles included.
//!
//! A row is sent as a *whole* from time to time and as what differs from it in between, so that the
//! latest record of each key is all that a reader needs, which is what compaction keeps. Time in state
//! is sent as (n, c), its value at x being n·x + c: what only grows with time is not sent.
//! (Rejected: a stream of differences each to the one before: a lost record spoils all that follow,
//! and compaction with it. Whole rows alone: more bytes, since a row changes in few of its figures a second.
//! Asking the other instances over HTTP: they would have to find each other.)

mod beat;
mod bytes;
mod cells;
mod gather;
mod inbox;
mod name;
mod outbox;
mod reader;
mod rule;
mod scatter;
mod sender;
mod topic;

pub use beat::{Beat, Claim};
pub use inbox::{Inbox, Seen, Together, Told};
pub use name::{Key, RowKey, What};
pub use outbox::{Outbox, REFRESH, Record, Status};
pub use reader::Reader;
pub use rule::{Outcome, Standing, agree};
pub use sender::{Sender, Sent, Wait};
pub use topic::RowsTopic;

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;
