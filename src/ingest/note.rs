//! What happens to snapshots and assignments, for the engine's own metrics.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::recovery::choice::Refusal;

use super::source::Topic;

/// One thing that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// A snapshot is in the topic.
    Written {
        /// Its bytes there.
        bytes: u64,
        /// From the order to the broker's word.
        took: Duration,
    },
    /// A snapshot could not be written.
    Failed,
    /// A snapshot was found and not used.
    Refused(Refusal),
    /// A partition begins from a snapshot.
    Restored,
    /// A partition begins from the log alone.
    Replayed,
    /// How long it took to find where all partitions of an assignment begin.
    RestoreTook(Duration),
    /// Records that had been read before, or are read for the first time though they came before
    /// the assignment.
    Behind(u64),
    /// Records of a topic that were deleted before they could be read.
    Gap(Topic, u64),
    /// Offsets of a topic that hold no record: markers of transactions, or compaction.
    Holes(Topic, u64),
    /// A topic has a partition that it did not have before.
    Added(Topic),
    /// The group took an assignment away without asking.
    Lost,
}

/// Hears notes. Called by the poll thread.
#[derive(Clone)]
pub struct Tell(Arc<dyn Fn(Note) + Send + Sync>);

impl Tell {
    /// Tells this.
    pub fn new(hear: impl Fn(Note) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Tells one thing.
    pub fn note(&self, note: Note) {
        (self.0)(note);
    }
}

impl fmt::Debug for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tell")
    }
}
