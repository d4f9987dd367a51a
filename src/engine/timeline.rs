//! A timeline: everything that one contact or agent contributes if no further event comes.

use serde::{Deserialize, Serialize};

use crate::event::{Millis, Span};

use super::facts::Post;
use super::names::RowNo;

/// What folding an entity's facts yields. A scratch value: cleared and filled again, so that
/// folding allocates nothing once it has grown.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// Every post, deadlines to come included, in an order that depends on the facts alone. A
    /// reader takes those with a stamp up to its horizon.
    pub posts: Vec<Post>,
    /// The visit that still waits after the last fact, if any, until it is swept.
    pub waiting: Option<Waiting>,
    /// When the entity is over: by its facts, else by its sweep. Agents: never ([`Millis::MAX`]).
    pub end: Millis,
    /// How much later than `settle_after` past its end it is settled.
    pub settle_later: Span,
    /// What was odd about the facts; see [`Oddities`].
    pub odd: Oddities,
}

/// An inbound visit that nobody has answered yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Its queue.
    pub row: RowNo,
    /// When it entered the queue.
    pub entry: Millis,
    /// When it is swept if nothing comes: from then on it does not wait.
    pub until: Millis,
}

/// Counts of oddities in one contact's facts; reported when it is settled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Oddities {
    /// Negative durations that became 0.
    pub negative_durations: u32,
    /// Outcomes that came second and differ from the first.
    pub conflicts: u32,
    /// `dequeued` facts without a visit.
    pub orphans: u32,
    /// Facts that never had an effect.
    pub no_effect: u32,
    /// Whether it ends by a sweep.
    pub swept: bool,
}

impl Timeline {
    /// Makes it empty, keeping its memory.
    pub fn clear(&mut self) {
        self.posts.clear();
        self.waiting = None;
        self.end = Millis::MAX;
        self.settle_later = Span::ZERO;
        self.odd = Oddities::default();
    }

    /// Appends one post.
    pub fn post(&mut self, stamp: Millis, fact: super::facts::Fact, sign: i8) {
        self.posts.push(Post { stamp, fact, sign });
    }

    /// The posts with a stamp up to `horizon`; of a timeline whose posts are in order of stamp.
    pub fn until(&self, horizon: Millis) -> &[Post] {
        let end = self.posts.partition_point(|post| post.stamp <= horizon);
        &self.posts[..end]
    }

    /// The earliest stamp after `horizon`, or [`Millis::MAX`]: the next deadline.
    pub fn next_after(&self, horizon: Millis) -> Millis {
        self.posts
            .iter()
            .map(|post| post.stamp)
            .filter(|&stamp| stamp > horizon)
            .min()
            .unwrap_or(Millis::MAX)
    }
}
