//! From Kafka to the workers: one poll thread reads the contact and agent topics and hands each
//! partition's records, in batches, to the worker that owns the partition; a second thread reads
//! the queue topic as a table.
//!
//! What is decided (where to start, what an assignment means, when a partition has caught up) is in
//! [`start`] and [`assignment`], pure and tested by table; what is done is in [`kafka`].

pub mod assignment;
pub mod batch;
pub mod client;
mod context;
pub mod embedded;
pub mod kafka;
pub mod lease;
pub mod note;
pub mod partitioner;
mod patience;
mod poll_loop;
pub mod progress;
pub mod queue_events;
pub mod replay;
pub mod restore;
pub mod shard;
pub mod snapshots;
pub mod source;
pub mod start;
pub mod statistics;
pub mod stop;
pub mod tally;
