//! The log in a snapshot: the packed posts of every pane, one after the other, and the base. How
//! they lie in chunks is left out.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Log, NONE};
use crate::engine::base::Base;
use crate::engine::facts::{Count, Fact, Post};
use crate::engine::image::{Bounds, Fault, bytes, hold, span};
use crate::engine::names::Names;
use crate::engine::packing::Unpacker;
use crate::engine::settings::{RUNGS_MAX, StateSettings};
use crate::event::{Millis, Span};

/// See the module.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LogImage<'a> {
    /// Bytes of each pane from the floor on.
    lens: Vec<u32>,
    #[serde(with = "bytes")]
    posts: Vec<u8>,
    base: Cow<'a, Base>,
}

impl Log {
    pub(crate) fn image(&self) -> LogImage<'_> {
        let mut lens = Vec::with_capacity(self.panes.len());
        let mut posts = Vec::with_capacity(self.packed_bytes());
        let mut number = self.floor + 1;
        for (place, pane) in (self.first..).zip(&self.panes) {
            if pane.first == NONE {
                continue;
            }
            while number < place {
                lens.push(0);
                number += 1;
            }
            let before = posts.len();
            self.pool.copy(pane.first, &mut posts);
            lens.push(u32::try_from(posts.len() - before).unwrap_or(u32::MAX));
            number += 1;
        }
        LogImage {
            lens,
            posts,
            base: Cow::Borrowed(&self.base),
        }
    }

    /// `stream` tells where the log begins.
    ///
    /// # Errors
    /// What is wrong with the image.
    pub(crate) fn restore(
        image: LogImage<'_>,
        stream: Millis,
        settings: &StateSettings,
        names: &Names,
        bounds: &Bounds,
    ) -> Result<Self, Fault> {
        let mut log = Self::new(settings);
        log.base = image.base.into_owned().restored(bounds)?;
        log.advance(stream, names);
        let panes = usize::try_from(stream.pane() - log.floor).unwrap_or(0);
        let is_empty = stream == Millis::MIN && image.lens.is_empty();
        hold(
            is_empty || image.lens.len() <= panes,
            "facts after stream time",
        )?;
        let mut left = &image.posts[..];
        for (number, &len) in (log.floor + 1..).zip(&image.lens) {
            let Some((posts, rest)) = left.split_at_checked(len as usize) else {
                return Err(Fault("a pane that is cut off"));
            };
            left = rest;
            for post in Unpacker::new(posts, number) {
                check(&post, number, bounds)?;
                log.append(&post, names);
            }
        }
        hold(left.is_empty(), "facts of no pane")?;
        Ok(log)
    }
}

fn check(post: &Post, pane: i64, bounds: &Bounds) -> Result<(), Fault> {
    hold(post.stamp.pane() == pane, "a fact in a pane of others")?;
    match post.fact {
        Fact::Count(row, count) => {
            bounds.row(row)?;
            check_count(count)
        }
        Fact::Work(row, _) => bounds.row(row),
        Fact::Staff(set, profile) => {
            bounds.set(set)?;
            bounds.profile(profile)
        }
        Fact::Here { serves, here } => {
            bounds.set(serves)?;
            bounds.set(here)
        }
        Fact::State(..) | Fact::WaitingPast(..) | Fact::PassCounted(..) => Ok(()),
    }
}

fn check_count(count: Count) -> Result<(), Fault> {
    let positive = |duration: Span| {
        hold(duration >= Span::ZERO, "a negative duration")?;
        span(duration)
    };
    match count {
        Count::Answered { wait } | Count::Abandoned { wait } | Count::Callback { wait } => {
            positive(wait)
        }
        Count::FlowedOut { wait, .. } => wait.map_or(Ok(()), positive),
        Count::Handled { talk, hold } => positive(talk).and_then(|()| positive(hold)),
        Count::AfterContact { acw } => positive(acw),
        Count::Passed { rung } => hold(usize::from(rung) < RUNGS_MAX, "a rung too many"),
        _ => Ok(()),
    }
}
