//! Recovery: snapshots of partitions' states in a topic of their own, and what to make of them.
//!
//! A partition's state is a function of its log up to an offset. So a snapshot says for which log
//! and offset it stands, and whoever wrote it, it is right: no transaction, no fencing, and a late
//! one of a zombie is merely older. What must be made sure of when one is read is that it is whole,
//! that it was counted under the same settings, and that the log is still the same log.
//!
//! [`encoding`], [`header`], [`records`], [`choice`] and [`cadence`] are pure; [`topic`], [`tail`] and
//! [`writer`] speak to Kafka.

pub mod cadence;
pub mod choice;
pub mod encoding;
pub mod header;
pub mod records;
pub mod tail;
pub mod topic;
pub mod writer;
